"""Posts and tags with plain SQLAlchemy and pydantic schemas; paths as the course writes them."""

import os

from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Column, ForeignKey, Integer, String, Table, Text, create_engine, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, declarative_base, relationship, selectinload, sessionmaker

engine = create_engine(os.environ["DATABASE_URL"])
SessionLocal = sessionmaker(bind=engine, expire_on_commit=False)
Base = declarative_base()

post_tags = Table(
    "post_tags",
    Base.metadata,
    Column("post_id", ForeignKey("posts.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_id", ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True),
)


class Tag(Base):
    __tablename__ = "tags"

    id = Column(Integer, primary_key=True)
    name = Column(String(50), unique=True, nullable=False)


class Post(Base):
    __tablename__ = "posts"

    id = Column(Integer, primary_key=True)
    title = Column(String(200), nullable=False)
    content = Column(Text, nullable=False)
    version = Column(Integer, nullable=False, default=1)

    tags = relationship(Tag, secondary=post_tags, order_by=Tag.name)


Base.metadata.create_all(bind=engine)


class TagIn(BaseModel):
    name: str


class TagOut(TagIn):
    model_config = ConfigDict(from_attributes=True)

    id: int


class PostIn(BaseModel):
    title: str
    content: str
    tag_ids: list[int] = []


class PostChanges(BaseModel):
    title: str | None = None
    content: str | None = None
    tag_ids: list[int] | None = None


class PostOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    title: str
    content: str
    tags: list[TagOut]


def get_db():
    with SessionLocal() as db:
        yield db


def tags_with(db: Session, ids: list[int]) -> list[Tag]:
    tags = [db.get(Tag, tag_id) for tag_id in dict.fromkeys(ids)]
    if None in tags:
        raise HTTPException(404, "Tag not found")
    return tags


def post_with(db: Session, post_id: int, lock: bool = False) -> Post:
    statement = select(Post).where(Post.id == post_id).options(selectinload(Post.tags))
    post = db.scalars(statement.with_for_update() if lock else statement).one_or_none()
    if post is None:
        raise HTTPException(404, "Post not found")
    return post


app = FastAPI()


@app.post("/tags/", response_model=TagOut, status_code=201)
def create_tag(data: TagIn, db: Session = Depends(get_db)):
    tag = Tag(name=data.name)
    try:
        db.add(tag)
        db.commit()
    except IntegrityError:
        raise HTTPException(400, "Tag already exists") from None
    return tag


@app.post("/posts/", response_model=PostOut, status_code=201)
def create_post(data: PostIn, db: Session = Depends(get_db)):
    tags = tags_with(db, data.tag_ids)
    post = Post(title=data.title, content=data.content, tags=tags)
    db.add(post)
    db.commit()
    return post


@app.get("/posts/", response_model=list[PostOut])
def list_posts(
    skip: int = 0, limit: int = 100, tag: str | None = None, db: Session = Depends(get_db)
):
    statement = select(Post).options(selectinload(Post.tags)).order_by(Post.id)
    if tag:
        statement = statement.where(Post.tags.any(Tag.name == tag))
    return db.scalars(statement.offset(skip).limit(limit)).all()


@app.get("/posts/{post_id}", response_model=PostOut)
def read_post(post_id: int, db: Session = Depends(get_db)):
    return post_with(db, post_id)


@app.put("/posts/{post_id}", response_model=PostOut)
def update_post(post_id: int, data: PostChanges, db: Session = Depends(get_db)):
    if engine.dialect.name == "sqlite":
        db.connection().exec_driver_sql("UPDATE posts SET version = version WHERE id = 0")
    post = post_with(db, post_id, lock=True)
    if data.title is not None:
        post.title = data.title
    if data.content is not None:
        post.content = data.content
    if data.tag_ids is not None:
        post.tags = tags_with(db, data.tag_ids)
    db.commit()
    return post


@app.delete("/posts/{post_id}", status_code=204)
def delete_post(post_id: int, db: Session = Depends(get_db)):
    db.delete(post_with(db, post_id))
    db.commit()
