"""Async; the owner is no row among the members, but the project's owner_id."""

import os
from contextlib import asynccontextmanager
from typing import Annotated, Literal

from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel, Field
from sqlalchemy import ForeignKey, String, delete, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

engine = create_async_engine(os.environ["DATABASE_URL"].replace("sqlite:", "sqlite+aiosqlite:"))
insert = sqlite.insert if engine.dialect.name == "sqlite" else postgresql.insert
Maker = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "accounts"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str] = mapped_column(unique=True)


class Member(Base):
    __tablename__ = "team"
    project_id: Mapped[int] = mapped_column(ForeignKey("works.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    role: Mapped[str] = mapped_column(String(10))


class Project(Base):
    __tablename__ = "works"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    owner_id: Mapped[int]
    team: Mapped[list[Member]] = relationship(lazy="selectin")

    def role(self, uid):
        return (
            "owner"
            if uid == self.owner_id
            else next((m.role for m in self.team if m.user_id == uid), None)
        )


@asynccontextmanager
async def lifespan(app):
    async with engine.begin() as c:
        await c.run_sync(Base.metadata.create_all)
    yield


async def session():
    async with Maker() as s:
        yield s


S = Annotated[AsyncSession, Depends(session)]


async def who(s: S, x_user_id: Annotated[str | None, Header()] = None):
    u = await s.get(User, int(x_user_id)) if x_user_id and x_user_id.isdigit() else None
    if not u:
        raise HTTPException(401)
    return u


Me = Annotated[User, Depends(who)]


class U(BaseModel):
    name: str
    email: str


class P(BaseModel):
    name: str = Field(min_length=1, max_length=100)


class InvitationIn(BaseModel):
    email: str
    role: Literal["viewer", "member", "admin"] = "member"


class Out(BaseModel, from_attributes=True):
    id: int
    name: str
    owner_id: int


app = FastAPI(lifespan=lifespan)


async def find(s, pid, me, roles):
    p = await s.get(Project, pid)
    if not p:
        raise HTTPException(404)
    if p.role(me.id) not in roles:
        raise HTTPException(403)
    return p


ALL = ("viewer", "member", "admin", "owner")


@app.post("/users", status_code=201)
async def user(d: U, s: S):
    u = User(**d.model_dump())
    s.add(u)
    await s.commit()
    return {"id": u.id, **d.model_dump()}


@app.post("/projects", status_code=201)
async def new(d: P, s: S, me: Me) -> Out:
    p = Project(name=d.name, owner_id=me.id)
    s.add(p)
    await s.commit()
    return p


@app.get("/projects")
async def mine(s: S, me: Me) -> list[Out]:
    q = (
        select(Project)
        .where(
            or_(
                Project.owner_id == me.id,
                Project.id.in_(select(Member.project_id).where(Member.user_id == me.id)),
            )
        )
        .order_by(Project.id)
    )
    return list(await s.scalars(q))


@app.get("/projects/{pid}")
async def one(pid: int, s: S, me: Me) -> Out:
    return await find(s, pid, me, ALL)


@app.patch("/projects/{pid}")
async def rename(pid: int, d: P, s: S, me: Me) -> Out:
    p = await find(s, pid, me, ALL[1:])
    p.name = d.name
    await s.commit()
    return p


@app.get("/projects/{pid}/members")
async def members(pid: int, s: S, me: Me):
    p = await find(s, pid, me, ALL)
    return {
        "members": [{"user_id": p.owner_id, "role": "owner"}]
        + [{"user_id": m.user_id, "role": m.role} for m in p.team]
    }


@app.post("/projects/{pid}/invite", status_code=201)
async def invite(pid: int, d: InvitationIn, s: S, me: Me):
    p = await find(s, pid, me, ("owner",))
    u = await s.scalar(select(User).where(User.email == d.email))
    if not u:
        raise HTTPException(404)
    if u.id == p.owner_id:
        raise HTTPException(409)
    done = await s.execute(
        insert(Member.__table__)
        .values(project_id=pid, user_id=u.id, role=d.role)
        .on_conflict_do_nothing()
        .returning(Member.__table__.c.role)
    )
    made = done.first()
    await s.commit()
    if not made:
        raise HTTPException(409, "is one already")
    return {"user_id": u.id, "role": d.role}


@app.delete("/projects/{pid}/members/{uid}", status_code=204)
async def remove(pid: int, uid: int, s: S, me: Me):
    p = await find(s, pid, me, ALL)
    if uid != me.id and p.role(me.id) not in ("admin", "owner"):
        raise HTTPException(403)
    if uid == p.owner_id:
        raise HTTPException(403, "the owner stays")
    done = await s.execute(delete(Member).where(Member.project_id == pid, Member.user_id == uid))
    await s.commit()
    if not done.rowcount:
        raise HTTPException(404)
