"""Exercise 13: async. The steps are in README.md; replace each 501 by the route's work."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException
from sqlmodel import Field, Relationship, SQLModel

# Step 1: this URL names an ordinary driver; what has to change for an async engine?
url = os.environ.get("DATABASE_URL", "sqlite:///./app.db")
MAX_INTEGER = 2_147_483_647  # what an INTEGER holds


class UserCreate(SQLModel):
    """What a client sends."""

    name: str = Field(min_length=2, max_length=50)
    email: str = Field(min_length=3, max_length=254, unique=True)


class User(UserCreate, table=True):
    """What is stored, and what is answered."""

    __tablename__ = "users"

    id: int = Field(default=None, primary_key=True)

    posts: list["Post"] = Relationship(cascade_delete=True)


class PostCreate(SQLModel):
    """A post as a client sends it."""

    title: str = Field(min_length=5, max_length=100)
    content: str = Field(min_length=20, max_length=20_000)
    author_id: int = Field(ge=1, le=MAX_INTEGER, foreign_key="users.id", index=True)


class Post(PostCreate, table=True):
    """A post as it is stored and answered."""

    __tablename__ = "posts"

    id: int = Field(default=None, primary_key=True)


class UserWithPosts(UserCreate):
    """A user and what they wrote."""

    id: int
    posts: list[Post]


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Create the tables that are not there yet."""
    # Step 1: create_all() is not async; connection.run_sync() runs it all the same
    yield


# Step 1: async def get_session()

app = FastAPI(title="Async users", lifespan=lifespan)


@app.post("/async/users", status_code=201)
async def create_user(data: UserCreate) -> User:
    """Store a new user."""
    raise HTTPException(501, "Step 1 is yet to be written")


@app.get("/async/users/{user_id}")
async def read_user(user_id: int) -> User:
    """Read one user."""
    raise HTTPException(501, "Step 1 is yet to be written")


# Step 2: GET /async/users
# Step 3: PUT and DELETE /async/users/{user_id}
# Step 4: POST /posts and GET /async/users/{user_id}/with-posts
