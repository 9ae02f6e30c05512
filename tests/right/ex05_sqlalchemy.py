"""Exercise 05 in plain SQLAlchemy with schemas: relationships that load eagerly by default."""

import os
from collections.abc import Iterator, Sequence

from fastapi import Depends, FastAPI, HTTPException, Query
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Column, ForeignKey, String, Table, create_engine, select
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    mapped_column,
    raiseload,
    relationship,
    selectinload,
    sessionmaker,
)

engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///./app.db"))
new_session = sessionmaker(engine)


class Base(DeclarativeBase):
    pass


post_tags = Table(
    "post_tags",
    Base.metadata,
    Column("post_id", ForeignKey("posts.id"), primary_key=True),
    Column("tag_id", ForeignKey("tags.id"), primary_key=True),
)


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50))
    email: Mapped[str] = mapped_column(String(254))
    posts: Mapped[list["Post"]] = relationship(back_populates="author")


class Tag(Base):
    __tablename__ = "tags"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50))


class Post(Base):
    __tablename__ = "posts"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    content: Mapped[str]
    author_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    author: Mapped[User | None] = relationship(back_populates="posts", lazy="joined")
    tags: Mapped[list[Tag]] = relationship(secondary=post_tags, lazy="selectin")
    comments: Mapped[list["Comment"]] = relationship()


class Comment(Base):
    __tablename__ = "comments"

    id: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[str]
    author_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"))


class Schema(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class UserIn(Schema):
    name: str
    email: str


class TagIn(Schema):
    name: str


class PostIn(Schema):
    title: str
    content: str
    author_id: int | None = None
    tag_ids: list[int] = []


class CommentIn(Schema):
    body: str
    author_id: int | None = None


class UserOut(UserIn):
    id: int


class TagOut(TagIn):
    id: int


class CommentOut(CommentIn):
    id: int


class PostOut(Schema):
    id: int
    title: str
    content: str
    author: UserOut | None
    tags: list[TagOut]


class PostWithComments(PostOut):
    comments: list[CommentOut]


class UserWithPosts(UserOut):
    posts: list[PostOut]


def get_db() -> Iterator[Session]:
    with new_session() as db:
        yield db


def store(db: Session, row: Base) -> Base:
    db.add(row)
    db.commit()
    db.refresh(row)
    return row


Base.metadata.create_all(engine)
app = FastAPI()


@app.post("/users", response_model=UserOut, status_code=201)
def create_user(data: UserIn, db: Session = Depends(get_db)) -> Base:
    return store(db, User(**data.model_dump()))


@app.post("/tags", response_model=TagOut, status_code=201)
def create_tag(data: TagIn, db: Session = Depends(get_db)) -> Base:
    return store(db, Tag(**data.model_dump()))


@app.post("/posts", response_model=PostOut, status_code=201)
def create_post(data: PostIn, db: Session = Depends(get_db)) -> Base:
    if data.author_id is not None and db.get(User, data.author_id) is None:
        raise HTTPException(404, "Author not found")
    tags = db.scalars(select(Tag).where(Tag.id.in_(data.tag_ids))).all()
    if len(tags) < len(set(data.tag_ids)):
        raise HTTPException(404, "Some tags not found")
    return store(db, Post(**data.model_dump(exclude={"tag_ids"}), tags=list(tags)))


@app.post("/posts/{post_id}/comments", response_model=CommentOut, status_code=201)
def create_comment(post_id: int, data: CommentIn, db: Session = Depends(get_db)) -> Base:
    if db.get(Post, post_id) is None:
        raise HTTPException(404, "Post not found")
    return store(db, Comment(**data.model_dump(), post_id=post_id))


@app.get("/posts", response_model=list[PostOut])
def list_posts(
    skip: int = Query(0, ge=0), limit: int = Query(10, le=100), db: Session = Depends(get_db)
) -> Sequence[Post]:
    return db.scalars(select(Post).order_by(Post.id).offset(skip).limit(limit)).all()


@app.get("/posts/with-comments", response_model=list[PostWithComments])
def list_posts_with_comments(
    skip: int = Query(0, ge=0), limit: int = Query(10, le=100), db: Session = Depends(get_db)
) -> Sequence[Post]:
    posts = select(Post).options(selectinload(Post.comments), raiseload("*"))
    posts = posts.options(selectinload(Post.tags), selectinload(Post.author))
    return db.scalars(posts.order_by(Post.id).offset(skip).limit(limit)).all()


@app.get("/users/{user_id}/posts", response_model=UserWithPosts)
def read_user_with_posts(user_id: int, db: Session = Depends(get_db)) -> User:
    user = db.scalar(select(User).where(User.id == user_id).options(selectinload(User.posts)))
    if user is None:
        raise HTTPException(404, "User not found")
    return user
