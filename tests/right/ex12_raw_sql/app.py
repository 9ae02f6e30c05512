"""Users in hand-written SQL on an async engine; a slug that is taken is tried anew."""

import unicodedata
from uuid import uuid4

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine

from tables import URL

engine = create_async_engine(URL.replace("sqlite:", "sqlite+aiosqlite:", 1))
INSERT = "INSERT INTO users (name, email, slug) VALUES (:name, :email, :slug) RETURNING *"
app = FastAPI()


class NewUser(BaseModel):
    """A user from a client."""

    name: str = Field(min_length=1, max_length=50)
    email: str = Field(min_length=3, max_length=254)


async def rows(sql, **values):
    """Run a statement in a transaction of its own."""
    async with engine.begin() as connection:
        return [dict(row) for row in (await connection.execute(text(sql), values)).mappings()]


@app.post("/users", status_code=201)
async def create_user(data: NewUser):
    """Store a user under the bare name, or with a few signs after it."""
    words = unicodedata.normalize("NFC", data.name).lower().replace(" ", "-")
    slug = words
    while True:
        try:
            (user,) = await rows(INSERT, **data.model_dump(), slug=slug)
        except IntegrityError:
            if await rows("SELECT 1 FROM users WHERE email = :email", email=data.email):
                raise HTTPException(409, "Email already registered") from None
            slug = f"{words}--{uuid4().hex[:12]}"
        else:
            return user


@app.get("/users/{user_id}")
async def read_user(user_id: int):
    """Read a user."""
    found = await rows("SELECT * FROM users WHERE id = :id", id=user_id)
    if not found:
        raise HTTPException(404, "User not found")
    return found[0]
