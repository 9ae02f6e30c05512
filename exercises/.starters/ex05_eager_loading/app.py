"""Exercise 05: eager loading. The steps are in README.md; they begin at the end of this file."""

import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any, TypeVar

from fastapi import Depends, FastAPI, HTTPException, Path, Query
from sqlalchemy import orm
from sqlmodel import Field, Relationship, Session, SQLModel, col, create_engine, select

# Typed loosely: to mypy, Post.tags is a list of tags, while these take a table's attribute.
joinedload: Any = orm.joinedload
selectinload: Any = orm.selectinload

engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///./app.db"))

# ── Tables ───────────────────────────────────────────────────────────────────────────────────────


class UserBase(SQLModel):
    """What a client sends, what is stored and what is answered."""

    name: str = Field(max_length=50)
    email: str = Field(max_length=254)


class User(UserBase, table=True):
    """Someone who writes."""

    __tablename__ = "users"

    id: int = Field(default=None, primary_key=True)

    posts: list["Post"] = Relationship(
        back_populates="author", sa_relationship_kwargs={"order_by": "Post.id"}
    )


class TagCreate(SQLModel):
    """What a client sends."""

    name: str = Field(max_length=50)


class Tag(TagCreate, table=True):
    """A word that posts are found by."""

    __tablename__ = "tags"

    id: int = Field(default=None, primary_key=True)


class PostTag(SQLModel, table=True):
    """A pair of post and tag."""

    __tablename__ = "post_tags"

    post_id: int = Field(primary_key=True, foreign_key="posts.id")
    tag_id: int = Field(primary_key=True, foreign_key="tags.id", index=True)


class PostBase(SQLModel):
    """What a client sends, what is stored and what is answered."""

    title: str = Field(max_length=200)
    content: str = Field(max_length=20_000)
    author_id: int | None = Field(default=None, foreign_key="users.id", index=True)


class PostCreate(PostBase):
    """What a client sends."""

    tag_ids: list[int] = []


class Post(PostBase, table=True):
    """What is stored."""

    __tablename__ = "posts"

    id: int = Field(default=None, primary_key=True)

    author: User | None = Relationship(back_populates="posts")
    tags: list[Tag] = Relationship(
        link_model=PostTag, sa_relationship_kwargs={"order_by": "Tag.id"}
    )
    comments: list["Comment"] = Relationship(sa_relationship_kwargs={"order_by": "Comment.id"})


class CommentBase(SQLModel):
    """What a client sends."""

    body: str = Field(max_length=2000)
    author_id: int | None = Field(default=None, foreign_key="users.id", index=True)


class Comment(CommentBase, table=True):
    """A remark under a post."""

    __tablename__ = "comments"

    id: int = Field(default=None, primary_key=True)
    post_id: int = Field(foreign_key="posts.id", index=True)


# ── Answers ──────────────────────────────────────────────────────────────────────────────────────


class PostWithAuthor(PostBase):
    """A post in the list."""

    id: int
    author: User | None
    # Step 2: the tags


# Step 3: a class for a post with tags and comments
# Step 4: a class for a user with posts


# ── App ──────────────────────────────────────────────────────────────────────────────────────────


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
Id = Annotated[int, Path(ge=1, le=2_147_483_647)]  # what an INTEGER column holds
Skip = Annotated[int, Query(ge=0, le=1_000_000)]
Limit = Annotated[int, Query(ge=1, le=100)]
Row = TypeVar("Row", bound=SQLModel)


def save(session: Session, row: Row) -> Row:
    """Commit a new row; give it as the database has it."""
    session.add(row)
    session.commit()
    session.refresh(row)
    return row


app = FastAPI(title="Eager loading", lifespan=lifespan)

# ── Routes that fill the tables ──────────────────────────────────────────────────────────────────


@app.post("/users", status_code=201)
def create_user(data: UserBase, session: SessionDep) -> User:
    """Store a new user."""
    return save(session, User.model_validate(data))


@app.post("/tags", status_code=201)
def create_tag(data: TagCreate, session: SessionDep) -> Tag:
    """Store a new tag."""
    return save(session, Tag.model_validate(data))


@app.post("/posts", status_code=201)
def create_post(data: PostCreate, session: SessionDep) -> Post:
    """Store a new post."""
    if data.author_id is not None and session.get(User, data.author_id) is None:
        raise HTTPException(404, "Author not found")
    tags = session.exec(select(Tag).where(col(Tag.id).in_(data.tag_ids))).all()
    if len(tags) != len(set(data.tag_ids)):
        raise HTTPException(404, "Some tags not found")
    return save(session, Post(**data.model_dump(exclude={"tag_ids"}), tags=list(tags)))


@app.post("/posts/{post_id}/comments", status_code=201)
def create_comment(post_id: Id, data: CommentBase, session: SessionDep) -> Comment:
    """Store a new comment on a post."""
    if session.get(Post, post_id) is None:
        raise HTTPException(404, "Post not found")
    if data.author_id is not None and session.get(User, data.author_id) is None:
        raise HTTPException(404, "Author not found")
    return save(session, Comment(**data.model_dump(), post_id=post_id))


# ── Routes that answer related rows ──────────────────────────────────────────────────────────────


@app.get("/posts", response_model=list[PostWithAuthor])
def list_posts(session: SessionDep, skip: Skip = 0, limit: Limit = 10) -> Sequence[Post]:
    """List posts by id."""
    # Step 1: each author is loaded by a query of its own; step 2: the tags
    statement = select(Post).order_by(col(Post.id))
    return session.exec(statement.offset(skip).limit(limit)).all()


# Step 3: GET /posts/with-comments
# Step 4: GET /users/{user_id}/posts
