"""Users and their posts: async routes on an async session."""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Path, Query
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import selectinload
from sqlmodel import Field, Relationship, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

# postgresql:// means psycopg, which also works async; SQLite has another driver for that.
url = os.environ.get("DATABASE_URL", "sqlite:///./app.db")
engine = create_async_engine(url.replace("sqlite:", "sqlite+aiosqlite:", 1))
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
    """Create the tables that are not there yet; close the connections at the end."""
    async with engine.begin() as connection:
        await connection.run_sync(SQLModel.metadata.create_all)
    yield
    await engine.dispose()


async def get_session() -> AsyncIterator[AsyncSession]:
    """Give each request a session of its own."""
    async with AsyncSession(engine, expire_on_commit=False) as session:
        yield session


SessionDep = Annotated[AsyncSession, Depends(get_session)]
Id = Annotated[int, Path(ge=1, le=MAX_INTEGER)]


async def get_user(user_id: Id, session: SessionDep) -> User:
    """Find the user that the path names."""
    user = await session.get(User, user_id)
    if user is None:
        raise HTTPException(404, "User not found")
    return user


UserDep = Annotated[User, Depends(get_user)]


async def save(session: AsyncSession, user: User) -> User:
    """Commit the user; the unique constraint decides whether the address is free."""
    session.add(user)
    try:
        await session.commit()
    except IntegrityError:
        await session.rollback()
        raise HTTPException(409, "Email already registered") from None
    return user


app = FastAPI(title="Async users", lifespan=lifespan)


@app.post("/async/users", status_code=201)
async def create_user(data: UserCreate, session: SessionDep) -> User:
    """Store a new user."""
    return await save(session, User.model_validate(data))


@app.get("/async/users")
async def list_users(
    session: SessionDep,
    skip: Annotated[int, Query(ge=0, le=MAX_INTEGER)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
) -> Sequence[User]:
    """List users by id."""
    statement = select(User).order_by(col(User.id)).offset(skip).limit(limit)
    return (await session.exec(statement)).all()


@app.get("/async/users/{user_id}")
async def read_user(user: UserDep) -> User:
    """Read one user."""
    return user


@app.put("/async/users/{user_id}")
async def update_user(user: UserDep, data: UserCreate, session: SessionDep) -> User:
    """Replace a user's data."""
    return await save(session, user.sqlmodel_update(data.model_dump()))


@app.delete("/async/users/{user_id}", status_code=204)
async def delete_user(user: UserDep, session: SessionDep) -> None:
    """Delete a user and their posts."""
    await session.delete(user)
    await session.commit()


@app.post("/posts", status_code=201)
async def create_post(data: PostCreate, session: SessionDep) -> Post:
    """Store a post of a user."""
    await get_user(data.author_id, session)
    post = Post.model_validate(data)
    session.add(post)
    await session.commit()
    return post


@app.get("/async/users/{user_id}/with-posts", response_model=UserWithPosts)
async def read_user_with_posts(user_id: Id, session: SessionDep) -> User:
    """Read a user and their posts, in two statements whatever their number."""
    loaded = [selectinload(User.posts)]  # type: ignore[arg-type]  # SQLModel says list[Post] here
    user = await session.get(User, user_id, options=loaded)
    if user is None:
        raise HTTPException(404, "User not found")
    return user
