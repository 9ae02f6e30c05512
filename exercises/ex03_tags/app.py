"""Exercise 03: posts and tags. The steps are in README.md; replace each 501 by the route's work."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from sqlmodel import Field, Session, SQLModel, create_engine

engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///./app.db"))


class TagCreate(SQLModel):
    """What a client sends."""

    name: str = Field(min_length=1, max_length=50)  # Step 1: it is there only once


class Tag(TagCreate):
    """What is stored, and what is answered."""

    # Step 1: `class Tag(TagCreate, table=True)`, when the name is as it has to be. app.db, made at
    # the first start, would otherwise hold a table that takes a name twice.
    __tablename__ = "tags"

    id: int = Field(default=None, primary_key=True)


# Step 2: the table with a row for each pair of post and tag


class PostBase(SQLModel):
    """What clients send and what is stored."""

    title: str = Field(min_length=1, max_length=200)
    content: str = Field(min_length=1, max_length=20_000)


class PostCreate(PostBase):
    """What a client sends."""

    # Step 2: tag_ids


class Post(PostBase, table=True):
    """What is stored."""

    __tablename__ = "posts"

    id: int = Field(default=None, primary_key=True)

    # Step 2: the tags, as a Relationship


# Step 2: a class for the answer, with the tags
# Step 4: a class for what may be changed


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

app = FastAPI(title="Posts and tags", lifespan=lifespan)


@app.post("/tags", status_code=201)
def create_tag(data: TagCreate, session: SessionDep) -> Tag:
    """Store a new tag."""
    # Step 1: store it, and refuse a name that is taken
    raise HTTPException(501, "Step 1 is yet to be written")


@app.post("/posts", status_code=201)
def create_post(data: PostCreate, session: SessionDep) -> Post:
    """Store a new post with its tags."""
    # Step 2: find the tags, all of them, then store the post
    raise HTTPException(501, "Step 2 is yet to be written")


@app.get("/posts/{post_id}")
def read_post(post_id: int, session: SessionDep) -> Post:
    """Read one post with its tags."""
    # Step 2
    raise HTTPException(501, "Step 2 is yet to be written")


# Step 3: GET /posts
# Step 4: PUT /posts/{post_id}
# Step 5: DELETE /posts/{post_id}
