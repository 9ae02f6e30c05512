"""Posts and tags: create, read, filter by tag, replace tags, delete."""

import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated

import pydantic
from fastapi import Depends, FastAPI, HTTPException, Path, Query
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Relationship, Session, SQLModel, col, create_engine, select, update

engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///./app.db"))

MAX_INTEGER = 2_147_483_647  # what an INTEGER column holds
Id = Annotated[int, pydantic.Field(ge=1, le=MAX_INTEGER)]
PostId = Annotated[int, Path(ge=1, le=MAX_INTEGER)]


class TagCreate(SQLModel):
    """What a client sends."""

    name: str = Field(min_length=1, max_length=50, unique=True)


class Tag(TagCreate, table=True):
    """What is stored, and what is answered."""

    __tablename__ = "tags"

    id: int = Field(default=None, primary_key=True)


class PostTag(SQLModel, table=True):
    """A pair of post and tag; the primary key lets it be there only once."""

    __tablename__ = "post_tags"

    post_id: int = Field(primary_key=True, foreign_key="posts.id")
    tag_id: int = Field(primary_key=True, foreign_key="tags.id", index=True)


class PostBase(SQLModel):
    """What clients send and what is stored."""

    title: str = Field(min_length=1, max_length=200)
    content: str = Field(min_length=1, max_length=20_000)


class PostCreate(PostBase):
    """What a client sends."""

    tag_ids: list[Id] = []


class PostUpdate(SQLModel):
    """What a client may change; no field takes null."""

    title: str = Field(default=None, min_length=1, max_length=200)
    content: str = Field(default=None, min_length=1, max_length=20_000)
    tag_ids: list[Id] = Field(default=None)


class Post(PostBase, table=True):
    """What is stored."""

    __tablename__ = "posts"

    id: int = Field(default=None, primary_key=True)

    # selectin: the tags of all posts in a list come with one statement more.
    tags: list[Tag] = Relationship(
        link_model=PostTag, sa_relationship_kwargs={"lazy": "selectin", "order_by": "Tag.id"}
    )


class PostWithTags(PostBase):
    """What is answered."""

    id: int
    tags: list[Tag]


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Create the tables that are not there yet."""
    SQLModel.metadata.create_all(engine)
    yield


def get_session() -> Iterator[Session]:
    """Give each request a session of its own."""
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]


def get_post(post_id: PostId, session: SessionDep) -> Post:
    """Find the post that the path names."""
    post = session.get(Post, post_id)
    if post is None:
        raise HTTPException(404, "Post not found")
    return post


PostDep = Annotated[Post, Depends(get_post)]


def get_locked_post(post_id: PostId, session: SessionDep) -> Post:
    """Find the post; other requests that change it wait until this one has committed."""
    # An UPDATE without a change locks on every database, SELECT … FOR UPDATE not on SQLite.
    session.exec(update(Post).where(col(Post.id) == post_id).values(title=Post.title))
    return get_post(post_id, session)


LockedPostDep = Annotated[Post, Depends(get_locked_post)]


def get_tags(session: Session, tag_ids: list[int]) -> list[Tag]:
    """Find the tags with these ids, all of them."""
    tags = session.exec(select(Tag).where(col(Tag.id).in_(tag_ids))).all()
    if len(tags) != len(set(tag_ids)):
        raise HTTPException(404, "Some tags not found")
    return list(tags)


app = FastAPI(title="Posts and tags", lifespan=lifespan)


@app.post("/tags", status_code=201)
def create_tag(data: TagCreate, session: SessionDep) -> Tag:
    """Store a new tag; the unique constraint decides whether the name is free."""
    tag = Tag.model_validate(data)
    session.add(tag)
    try:
        session.commit()
    except IntegrityError:
        session.rollback()
        raise HTTPException(409, "Tag already exists") from None
    session.refresh(tag)
    return tag


@app.post("/posts", status_code=201, response_model=PostWithTags)
def create_post(data: PostCreate, session: SessionDep) -> Post:
    """Store a new post with its tags."""
    post = Post(title=data.title, content=data.content, tags=get_tags(session, data.tag_ids))
    session.add(post)
    session.commit()
    session.refresh(post)
    return post


@app.get("/posts", response_model=list[PostWithTags])
def list_posts(
    session: SessionDep,
    skip: Annotated[int, Query(ge=0, le=MAX_INTEGER)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
    tag: str | None = None,
) -> Sequence[Post]:
    """List posts by id, those with a tag if one is given."""
    statement = select(Post).order_by(col(Post.id)).offset(skip).limit(limit)
    if tag is not None:
        statement = statement.join(PostTag).join(Tag).where(Tag.name == tag)
    return session.exec(statement).all()


@app.get("/posts/{post_id}", response_model=PostWithTags)
def read_post(post: PostDep) -> Post:
    """Read one post with its tags."""
    return post


@app.put("/posts/{post_id}", response_model=PostWithTags)
def update_post(post: LockedPostDep, data: PostUpdate, session: SessionDep) -> Post:
    """Change the fields that are sent; the tags that are sent replace the others."""
    if "tag_ids" in data.model_fields_set:
        post.tags = get_tags(session, data.tag_ids)
    post.sqlmodel_update(data.model_dump(exclude_unset=True, exclude={"tag_ids"}))
    session.commit()
    session.refresh(post)
    return post


@app.delete("/posts/{post_id}", status_code=204)
def delete_post(post: PostDep, session: SessionDep) -> None:
    """Delete a post and its pairs; the tags stay."""
    session.delete(post)
    session.commit()
