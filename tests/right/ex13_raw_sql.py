"""Raw SQL on an AsyncSession, ON DELETE CASCADE; POST /posts is a plain `def` on a sync engine."""

import os
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Query
from pydantic import BaseModel, Field
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

URL = os.environ["DATABASE_URL"]
LITE = URL.startswith("sqlite")
sync = create_engine(URL)
engine = create_async_engine(URL.replace("sqlite:", "sqlite+aiosqlite:"))
if LITE:
    for e in (sync, engine.sync_engine):

        @event.listens_for(e, "connect")
        def fk(c, r):
            k = c.cursor()
            k.execute("PRAGMA foreign_keys=ON")
            k.close()


PK = "INTEGER PRIMARY KEY AUTOINCREMENT" if LITE else "SERIAL PRIMARY KEY"


@asynccontextmanager
async def lifespan(app):
    with sync.begin() as c:
        c.execute(
            text(
                f"CREATE TABLE IF NOT EXISTS u (id {PK}, name VARCHAR(50), email TEXT UNIQUE, "
                "created TIMESTAMP DEFAULT CURRENT_TIMESTAMP)"
            )
        )
        c.execute(
            text(
                f"CREATE TABLE IF NOT EXISTS p (id {PK}, title TEXT, content TEXT, "
                "author_id INT REFERENCES u ON DELETE CASCADE)"
            )
        )
    yield


class UserIn(BaseModel):
    name: Annotated[str, Field(min_length=2, max_length=50)]
    email: str


class PostIn(BaseModel):
    title: str
    content: str
    author_id: int


async def session():
    async with AsyncSession(engine) as s:
        yield s


S = Annotated[AsyncSession, Depends(session)]
app = FastAPI(lifespan=lifespan)


async def rows(db, sql, **v):
    return [dict(r) for r in (await db.execute(text(sql), v)).mappings()]


async def first(s, sql, status, **v):
    found = await rows(s, sql, **v)
    if not found:
        raise HTTPException(status)
    return found[0]


@app.post("/async/users", status_code=201)
async def create(d: UserIn, s: S):
    r = await first(
        s,
        "INSERT INTO u (name, email) VALUES (:name, :email) ON CONFLICT DO NOTHING "
        "RETURNING id, name, email",
        409,
        **d.model_dump(),
    )
    await s.commit()
    return r


@app.get("/async/users")
async def listing(
    s: S, skip: Annotated[int, Query(ge=0)] = 0, limit: Annotated[int, Query(ge=1, le=100)] = 10
):
    return await rows(
        s, "SELECT id, name, email FROM u ORDER BY id LIMIT :l OFFSET :s", l=limit, s=skip
    )


@app.get("/async/users/{i}")
async def one(i: int, s: S):
    return await first(s, "SELECT id, name, email FROM u WHERE id = :i", 404, i=i)


@app.put("/async/users/{i}")
async def put(i: int, d: UserIn, s: S):
    try:
        r = await first(
            s,
            "UPDATE u SET name = :name, email = :email WHERE id = :i RETURNING id, name, email",
            404,
            i=i,
            **d.model_dump(),
        )
    except IntegrityError:
        raise HTTPException(400, "taken") from None
    await s.commit()
    return r


@app.delete("/async/users/{i}", status_code=204)
async def remove(i: int, s: S):
    await first(s, "DELETE FROM u WHERE id = :i RETURNING id", 404, i=i)
    await s.commit()


@app.post("/posts")
def post(d: PostIn):
    try:
        with sync.begin() as c:
            return d.model_dump() | {
                "id": c.execute(
                    text(
                        "INSERT INTO p (title, content, author_id) "
                        "VALUES (:title, :content, :author_id) RETURNING id"
                    ),
                    d.model_dump(),
                ).scalar()
            }
    except IntegrityError:
        raise HTTPException(404, "nobody") from None


@app.get("/async/users/{i}/with-posts")
async def whole(i: int, s: S):
    u = await first(s, "SELECT id, name, email FROM u WHERE id = :i", 404, i=i)
    return u | {
        "posts": await rows(s, "SELECT id, title, content FROM p WHERE author_id = :i", i=i)
    }
