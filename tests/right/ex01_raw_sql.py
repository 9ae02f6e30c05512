"""Users with SQL on a connection, in a repository class."""

import os
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Body, Depends, FastAPI, HTTPException, Response
from pydantic import AfterValidator, BaseModel, Field
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError

engine = create_engine(os.environ["DATABASE_URL"])
Email = Annotated[str, AfterValidator(lambda email: email.strip().lower())]
KEY = "SERIAL" if engine.dialect.name == "postgresql" else "INTEGER"
TABLE = f"""
CREATE TABLE IF NOT EXISTS users (
    id {KEY} PRIMARY KEY,
    name VARCHAR(50) NOT NULL,
    email VARCHAR(254) NOT NULL UNIQUE,
    age INTEGER NOT NULL,
    city VARCHAR NOT NULL
)
"""


class NewUser(BaseModel):
    name: str = Field(min_length=2, max_length=50)
    email: Email
    age: int = Field(ge=0, le=150)
    city: str = "Unknown"


class Change(NewUser):
    name: str = Field("", min_length=2, max_length=50)
    email: Email = ""
    age: int = Field(0, ge=0, le=150)


class Users:
    """The only place that knows SQL."""

    def __init__(self):
        self.connection = engine.connect()

    def rows(self, sql, **values):
        return [dict(row) for row in self.connection.execute(text(sql), values).mappings()]

    def one(self, sql, **values):
        rows = self.rows(sql, **values)
        if not rows:
            raise HTTPException(404)
        return rows[0]

    def write(self, sql, **values):
        try:
            row = self.one(sql, **values)
        except IntegrityError as error:
            raise HTTPException(409, "taken") from error
        self.connection.commit()
        return row


def repository():
    users = Users()
    with users.connection:
        yield users


Repository = Annotated[Users, Depends(repository)]


@asynccontextmanager
async def lifespan(app):
    with engine.begin() as connection:
        connection.execute(text(TABLE))
    yield


app = FastAPI(lifespan=lifespan)


@app.post("/users")
def create(users: Repository, data: NewUser):
    return users.write(
        "INSERT INTO users (name, email, age, city) VALUES (:name, :email, :age, :city) "
        "RETURNING *",
        **data.model_dump(),
    )


@app.get("/users/search")
def search(users: Repository, name: str = "", city: str = ""):
    return users.rows(
        "SELECT * FROM users WHERE lower(name) LIKE lower(:name) AND lower(city) LIKE lower(:city)",
        name=f"%{name}%",
        city=f"%{city}%",
    )


@app.get("/users")
def listed(users: Repository, skip: int = 0, limit: int = 100):
    return users.rows(
        "SELECT * FROM users ORDER BY id LIMIT :limit OFFSET :skip", limit=limit, skip=skip
    )


@app.get("/users/{number}")
def read(users: Repository, number: int):
    return users.one("SELECT * FROM users WHERE id = :id", id=number)


@app.patch("/users/{number}")
def update(users: Repository, number: int, data: Annotated[Change, Body()]):
    changes = data.model_dump(exclude_unset=True)
    if not changes:
        return read(users, number)
    columns = ", ".join(f"{column} = :{column}" for column in changes)
    return users.write(
        f"UPDATE users SET {columns} WHERE id = :id RETURNING *", id=number, **changes
    )


@app.delete("/users/{number}")
def delete(users: Repository, number: int):
    users.write("DELETE FROM users WHERE id = :id RETURNING *", id=number)
    return Response(status_code=204)
