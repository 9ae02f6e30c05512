"""Plain SQLAlchemy: sessions of a factory, opened in the routes; asyncpg for PostgreSQL."""

import os
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI, HTTPException, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ForeignKey, String, Text, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, joinedload, mapped_column, relationship

url = (
    os.environ["DATABASE_URL"]
    .replace("sqlite://", "sqlite+aiosqlite://")
    .replace("postgresql://", "postgresql+asyncpg://")
)
engine = create_async_engine(url)
Session = async_sessionmaker(engine)


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "person"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50))
    email: Mapped[str] = mapped_column(String(254), unique=True)
    posts: Mapped[list["Post"]] = relationship(lazy="raise", order_by="Post.id.desc()")


class Post(Base):
    __tablename__ = "essay"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    content: Mapped[str] = mapped_column(Text)
    author_id: Mapped[int] = mapped_column(ForeignKey("person.id"))


class UserIn(BaseModel):
    name: str = Field(min_length=2, max_length=50)
    email: str


class UserOut(UserIn):
    model_config = ConfigDict(from_attributes=True)
    id: int


class PostIn(BaseModel):
    title: str
    content: str
    author_id: int


class PostOut(PostIn):
    model_config = ConfigDict(from_attributes=True)
    id: int


class Whole(UserOut):
    posts: list[PostOut] = []


@asynccontextmanager
async def lifespan(app):
    async with engine.begin() as c:
        await c.run_sync(Base.metadata.create_all)
    yield


app, router = FastAPI(lifespan=lifespan), APIRouter(prefix="/async/users")


@router.post("")
async def create(data: UserIn):
    try:
        async with Session.begin() as s:
            u = User(**data.model_dump())
            s.add(u)
            await s.flush()
            out = UserOut.model_validate(u)
    except IntegrityError:
        raise HTTPException(400, "taken") from None
    return out


@router.get("")
async def listing(skip: int = 0, limit: int = Query(5, le=500)):
    async with Session() as s:
        rows = await s.execute(
            select(User.id, User.name, User.email).order_by(User.id).slice(skip, skip + limit)
        )
        return {"users": [r._asdict() for r in rows], "skip": skip}


@router.get("/{id}")
async def one(id: int):
    async with Session() as s:
        u = await s.get(User, id)
        if u:
            return UserOut.model_validate(u)
    raise HTTPException(404)


@router.put("/{id}")
async def put(id: int, data: UserIn):
    try:
        async with Session.begin() as s:
            u = (await s.scalars(select(User).filter_by(id=id))).one_or_none()
            if not u:
                raise HTTPException(404)
            u.name, u.email = data.name, data.email
            await s.flush()
            out = UserOut.model_validate(u)
    except IntegrityError:
        return Response('{"detail": "taken"}', 409, media_type="application/json")
    return out


@router.delete("/{id}")
async def remove(id: int):
    async with Session.begin() as s:
        await s.execute(delete(Post).where(Post.author_id == id))
        gone = await s.execute(delete(User).where(User.id == id))
        if not gone.rowcount:
            raise HTTPException(404)
    return {"deleted": True}


@router.get("/{id}/with-posts")
async def whole(id: int):
    async with Session() as s:
        u = (
            (await s.scalars(select(User).options(joinedload(User.posts)).filter_by(id=id)))
            .unique()
            .one_or_none()
        )
        if u is None:
            raise HTTPException(404)
        return Whole.model_validate(u)


app.include_router(router)


@app.post("/posts", status_code=201)
async def post(data: PostIn):
    async with Session.begin() as s:
        if not await s.get(User, data.author_id):
            raise HTTPException(404)
        p = Post(**data.model_dump())
        s.add(p)
        await s.flush()
        return PostOut.model_validate(p)
