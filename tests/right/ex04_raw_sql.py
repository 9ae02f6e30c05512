"""Exercise 04 in SQL: the total comes with the rows, from a window function."""

import os
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query
from pydantic import BaseModel, Field
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError

engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///./app.db"))
ID = "INTEGER PRIMARY KEY" if engine.dialect.name == "sqlite" else "SERIAL PRIMARY KEY"

with engine.begin() as connection:
    connection.execute(
        text(
            f"CREATE TABLE IF NOT EXISTS users (id {ID}, name VARCHAR(50) NOT NULL, "
            "email VARCHAR(254) NOT NULL UNIQUE, age INTEGER NOT NULL)"
        )
    )

app = FastAPI()


class UserIn(BaseModel):
    name: str = Field(min_length=2, max_length=50)
    email: str = Field(min_length=3, max_length=254)
    age: int = Field(ge=0, le=150)


def rows(sql: str, **parameters: Any) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(text(sql), parameters).mappings()]


@app.post("/users", status_code=201)
def create_user(user: UserIn) -> dict[str, Any]:
    sql = text("INSERT INTO users (name, email, age) VALUES (:name, :email, :age) RETURNING *")
    try:
        with engine.begin() as connection:
            return dict(connection.execute(sql, user.model_dump()).mappings().one())
    except IntegrityError:
        raise HTTPException(409, "Email already registered") from None


@app.get("/users")
def list_users(
    skip: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
    min_age: int | None = None,
    max_age: int | None = None,
    search: str | None = None,
) -> list[dict[str, Any]]:
    sql = "SELECT id, name, email, age FROM users WHERE 1 = 1"
    if min_age is not None:
        sql += " AND age >= :min_age"
    if max_age is not None:
        sql += " AND age <= :max_age"
    if search:
        like = r"LIKE LOWER(:term) ESCAPE '\'"
        sql += f" AND (LOWER(name) {like} OR LOWER(email) {like})"
        for sign in ("\\", "%", "_"):
            search = search.replace(sign, "\\" + sign)
    given = {"min_age": min_age, "max_age": max_age, "term": search and f"%{search}%"}
    parameters = {name: value for name, value in given.items() if f":{name}" in sql}
    sql += " ORDER BY id LIMIT :limit OFFSET :skip"
    return rows(sql, **parameters, skip=skip, limit=limit)


@app.get("/users/page")
def read_page(
    page: Annotated[int, Query(ge=1, le=10**9)] = 1,
    page_size: Annotated[int, Query(ge=1, le=100)] = 20,
) -> dict[str, Any]:
    skip = (page - 1) * page_size
    sql = (
        "SELECT id, name, email, age, COUNT(*) OVER () AS total FROM users "
        "ORDER BY id DESC LIMIT :size OFFSET :skip"
    )
    items = rows(sql, size=page_size, skip=skip)
    counted = items or rows("SELECT COUNT(*) AS total FROM users")  # behind the last page
    total = counted[0]["total"]
    return {
        "items": [{name: item[name] for name in ("id", "name", "email", "age")} for item in items],
        "total": total,
        "page": page,
        "page_size": page_size,
        "total_pages": (total + page_size - 1) // page_size,
        "has_next": skip + page_size < total,
        "has_previous": page > 1,
    }


@app.get("/users/{user_id}")
def read_user(user_id: int) -> dict[str, Any]:
    found = rows("SELECT id, name, email, age FROM users WHERE id = :id", id=user_id)
    if not found:
        raise HTTPException(404, "User not found")
    return found[0]
