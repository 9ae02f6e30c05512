"""Hash and salt as bytes, conditions in the statements, 400 in place of 422."""

import hashlib
import os
from decimal import Decimal
from typing import Annotated

from fastapi import FastAPI, HTTPException
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, Field, StringConstraints
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import IntegrityError, OperationalError

engine = create_engine(os.environ["DATABASE_URL"], pool_pre_ping=True)
LITE = engine.dialect.name == "sqlite"
PK, BYTES = ("INTEGER PRIMARY KEY", "BLOB") if LITE else ("SERIAL PRIMARY KEY", "BYTEA")
if LITE:

    @event.listens_for(engine, "connect")
    def fk(c, r):
        c.execute("PRAGMA foreign_keys = 1")


TABLES = [
    f"CREATE TABLE IF NOT EXISTS member (id {PK}, name TEXT, email TEXT UNIQUE, "
    f"salt {BYTES}, digest {BYTES})",
    f"CREATE TABLE IF NOT EXISTS kind (id {PK}, name TEXT UNIQUE)",
    f"CREATE TABLE IF NOT EXISTS thing (id {PK}, name TEXT, price NUMERIC(10,2), stock INT, "
    "category_id INT NOT NULL REFERENCES kind)",
]
MAX = 2**31 - 1
ready = False


def begin():
    global ready
    if not ready:
        with engine.begin() as c:
            for t in TABLES:
                c.execute(text(t))
        ready = True
    return engine.begin()


def clean(s):
    if "\0" in s:
        raise ValueError("no NUL please")
    return s


Word = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(clean)]


class U(BaseModel):
    name: Word
    email: Word
    password: Annotated[str, StringConstraints(min_length=8, max_length=128)]


class K(BaseModel):
    name: Word


class T(BaseModel):
    name: Word
    price: Decimal = Field(ge=Decimal("0.01"), max_digits=10, decimal_places=2)
    stock: int = Field(ge=0, le=10000)
    category_id: int = Field(ge=1, le=MAX)


class C(BaseModel):
    change: int = Field(ge=-10000, le=10000)


app = FastAPI()


def say(status, words):
    return JSONResponse({"detail": [{"msg": words}]}, status)


@app.exception_handler(RequestValidationError)
def a(_, e):
    return say(
        400,
        "This is not what the route takes: "
        + ", ".join(
            ".".join(map(str, p["loc"]))
            for p in e.errors()
            if all(isinstance(x, str) and x.isidentifier() for x in p["loc"])
        ),
    )


@app.exception_handler(OperationalError)
def b(_, e):
    return say(503, "come back later")


@app.exception_handler(IntegrityError)
def d(_, e):
    return say(409, "This cannot be: it is taken, or in use")


def one(db, sql, **v):
    r = db.execute(text(sql), v).mappings().first()
    if not r:
        raise HTTPException(404, "There is none of this number")
    return {k: float(x) if isinstance(x, Decimal) else x for k, x in r.items()}


def number(id):
    if not (id.isascii() and id.isdigit() and len(id) < 11 and 0 < int(id) <= MAX):
        raise HTTPException(404, "There is none of this number")
    return int(id)


@app.get("/health")
def health():
    with engine.connect() as c:
        return {"status": "ok", "tables": c.execute(text("SELECT 1")).scalar()}


@app.post("/users", status_code=201)
def user(u: U):
    salt = os.urandom(16)
    digest = hashlib.scrypt(
        u.password.encode("utf-8", "surrogatepass"), salt=salt, n=2**10, r=8, p=1
    )
    with begin() as c:
        return one(
            c,
            "INSERT INTO member (name, email, salt, digest) VALUES (:n, :e, :s, :d) "
            "RETURNING id, name, email",
            n=u.name,
            e=u.email,
            s=salt,
            d=digest,
        )


@app.get("/users/{id}")
def get_user(id: str):
    with begin() as c:
        return one(c, "SELECT id, name, email FROM member WHERE id = :i", i=number(id))


@app.post("/categories")
def kind(k: K):
    with begin() as c:
        return one(c, "INSERT INTO kind (name) VALUES (:n) RETURNING *", n=k.name)


@app.delete("/categories/{id}")
def drop(id: str):
    with begin() as c:
        return one(c, "DELETE FROM kind WHERE id = :i RETURNING id", i=number(id))


@app.post("/products")
def thing(t: T):
    with begin() as c:
        return one(
            c,
            "INSERT INTO thing (name, price, stock, category_id) VALUES (:n, :p, :s, :c) "
            "RETURNING *",
            n=t.name,
            p=float(t.price) if LITE else t.price,
            s=t.stock,
            c=t.category_id,
        )


@app.get("/products/{id}")
def get(id: str):
    with begin() as c:
        return one(c, "SELECT * FROM thing WHERE id = :i", i=number(id))


@app.post("/products/{id}/stock")
def stock(id: str, d: C):
    i = number(id)
    with begin() as c:
        one(c, "SELECT id FROM thing WHERE id = :i", i=i)
        r = (
            c.execute(
                text(
                    "UPDATE thing SET stock = stock + :c WHERE id = :i "
                    "AND stock + :c BETWEEN 0 AND 1000000 RETURNING *"
                ),
                {"i": i, "c": d.change},
            )
            .mappings()
            .first()
        )
        if not r:
            raise HTTPException(409, "There are not so many")
        return {k: float(x) if isinstance(x, Decimal) else x for k, x in r.items()}
