"""Users without SQLAlchemy: the drivers alone, a connection for each request."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg
from fastapi import FastAPI, HTTPException, Query, Response
from psycopg.rows import dict_row
from pydantic import BaseModel, EmailStr, Field, field_validator

URL = os.environ.get("DATABASE_URL", "sqlite:///./app.db")
ON_SQLITE = URL.startswith("sqlite")
KEY = "INTEGER PRIMARY KEY" if ON_SQLITE else "SERIAL PRIMARY KEY"
LIKE = "LIKE" if ON_SQLITE else "ILIKE"
TAKEN = (sqlite3.IntegrityError, psycopg.errors.UniqueViolation)


@contextmanager
def database() -> Iterator[Any]:
    """Open a connection; commit at the end, or roll back."""
    if ON_SQLITE:
        with closing(sqlite3.connect(URL.removeprefix("sqlite:///"), timeout=15)) as opened, opened:
            opened.row_factory = lambda cursor, row: dict(
                zip([column[0] for column in cursor.description], row, strict=True)
            )
            yield opened
    else:
        url = URL.replace("postgresql+psycopg", "postgresql", 1)
        with psycopg.connect(url, row_factory=dict_row) as opened:
            yield opened


def value(name: str) -> str:
    """Name a parameter as the driver wants it."""
    return f":{name}" if ON_SQLITE else f"%({name})s"


class UserIn(BaseModel):
    name: str = Field(min_length=2, max_length=50)
    email: EmailStr
    age: int = Field(ge=0, le=150)
    city: str = "Unknown"

    @field_validator("email", mode="before")
    @classmethod
    def tidy(cls, email: Any) -> Any:
        return email.strip().lower() if isinstance(email, str) else email


class UserChange(UserIn):
    name: str = Field(default=None, min_length=2, max_length=50)
    email: EmailStr = Field(default=None)
    age: int = Field(default=None, ge=0, le=150)
    city: str = Field(default=None)


with database() as db:
    db.execute(
        f"CREATE TABLE IF NOT EXISTS users (id {KEY}, name VARCHAR(50) NOT NULL, "
        "email VARCHAR(254) NOT NULL UNIQUE, age INTEGER NOT NULL, city TEXT NOT NULL)"
    )

app = FastAPI()


@app.post("/users", status_code=201)
def create_user(user: UserIn) -> dict[str, Any]:
    sent = user.model_dump()
    values = ", ".join(value(name) for name in sent)
    insert = f"INSERT INTO users ({', '.join(sent)}) VALUES ({values}) RETURNING *"
    try:
        with database() as db:
            return db.execute(insert, sent).fetchone()
    except TAKEN:
        raise HTTPException(409, "taken") from None


@app.get("/users")
def list_users(
    skip: int = Query(0, ge=0), limit: int = Query(10, ge=1, le=100)
) -> list[dict[str, Any]]:
    window = f"ORDER BY id LIMIT {value('limit')} OFFSET {value('skip')}"
    with database() as db:
        rows = db.execute(f"SELECT * FROM users {window}", {"skip": skip, "limit": limit})
        return rows.fetchall()


@app.get("/users/search")
def search_users(name: str = "", city: str = "") -> list[dict[str, Any]]:
    terms = {"name": f"%{name}%", "city": f"%{city}%"}
    found = " AND ".join(f"{field} {LIKE} {value(field)}" for field in terms)
    with database() as db:
        return db.execute(f"SELECT * FROM users WHERE {found}", terms).fetchall()


@app.get("/users/{user_id}")
def read_user(user_id: int) -> dict[str, Any]:
    with database() as db:
        row = db.execute(f"SELECT * FROM users WHERE id = {value('id')}", {"id": user_id})
        user = row.fetchone()
    if user is None:
        raise HTTPException(404, "no such user")
    return user


@app.patch("/users/{user_id}")
def update_user(user_id: int, data: UserChange) -> dict[str, Any]:
    sent = data.model_dump(exclude_unset=True)
    if sent:
        changes = ", ".join(f"{field} = {value(field)}" for field in sent)
        update = f"UPDATE users SET {changes} WHERE id = {value('id')}"
        try:
            with database() as db:
                db.execute(update, sent | {"id": user_id})
        except TAKEN:
            raise HTTPException(409, "taken") from None
    return read_user(user_id)


@app.delete("/users/{user_id}", status_code=204)
def delete_user(user_id: int) -> Response:
    with database() as db:
        gone = db.execute(f"DELETE FROM users WHERE id = {value('id')}", {"id": user_id})
        if gone.rowcount == 0:
            raise HTTPException(404, "no such user")
    return Response(status_code=204)
