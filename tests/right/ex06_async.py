"""Exercise 06 in async code; an address that is in the list twice is found before the INSERT."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Body, Depends, FastAPI, HTTPException, Query
from pydantic import AfterValidator
from sqlalchemy import make_url
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlmodel import Field, SQLModel, col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

url = make_url(os.environ.get("DATABASE_URL", "sqlite:///./app.db"))
driver = "sqlite+aiosqlite" if url.get_backend_name() == "sqlite" else "postgresql+psycopg"
engine = create_async_engine(url.set(drivername=driver))
new_session = async_sessionmaker(engine, class_=AsyncSession, expire_on_commit=False)

Email = Annotated[str, AfterValidator(lambda email: email.strip().lower())]


class UserIn(SQLModel):
    name: str = Field(min_length=2, max_length=50)
    email: Email = Field(min_length=3, max_length=254, unique=True)


class User(UserIn, table=True):
    __tablename__ = "users"

    id: int | None = Field(default=None, primary_key=True)
    is_active: bool = True


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with engine.begin() as connection:
        await connection.run_sync(SQLModel.metadata.create_all)
    yield
    await engine.dispose()


async def get_db() -> AsyncIterator[AsyncSession]:
    async with new_session() as db:
        yield db


Db = Annotated[AsyncSession, Depends(get_db)]
app = FastAPI(lifespan=lifespan)


async def store(db: AsyncSession, users: list[User]) -> None:
    try:
        async with db.begin():
            db.add_all(users)
    except IntegrityError:
        raise HTTPException(409, "Email already registered") from None


@app.post("/users", status_code=201)
async def create_user(data: UserIn, db: Db) -> User:
    user = User(**data.model_dump())
    await store(db, [user])
    return user


@app.post("/users/bulk", status_code=201)
async def create_users(data: list[UserIn], db: Db) -> list[User]:
    if len({one.email for one in data}) < len(data):
        raise HTTPException(400, "An address is in the list twice")
    users = [User(**one.model_dump()) for one in data]
    await store(db, users)
    return users


@app.get("/users")
async def list_users(
    db: Db, skip: int = 0, limit: Annotated[int, Query(ge=1, le=100)] = 10
) -> dict[str, Any]:
    users = await db.exec(select(User).order_by(col(User.id)).offset(skip).limit(limit))
    return {"users": users.all()}


@app.get("/users/{user_id}")
async def read_user(user_id: int, db: Db) -> User:
    user = await db.get(User, user_id)
    if user is None:
        raise HTTPException(404, "User not found")
    return user


@app.patch("/users/bulk/deactivate")
async def deactivate_users(
    user_ids: Annotated[set[int], Body(embed=True)], db: Db
) -> dict[str, int]:
    active = update(User).where(col(User.id).in_(user_ids), col(User.is_active).is_(True))
    result = await db.exec(active.values(is_active=False))
    await db.commit()
    return {"deactivated_count": result.rowcount}
