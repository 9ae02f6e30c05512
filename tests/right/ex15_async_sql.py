"""Errors in hand-written SQL on an async engine, caught by a decorator around each route."""

import functools
import hashlib
import os
import re
import secrets
from decimal import Decimal, InvalidOperation

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import create_async_engine

url = os.environ.get("DATABASE_URL", "sqlite:///./app.db")
engine = create_async_engine(url.replace("sqlite:", "sqlite+aiosqlite:", 1), pool_pre_ping=True)
SQLITE = engine.dialect.name == "sqlite"
KEY = "INTEGER PRIMARY KEY" if SQLITE else "SERIAL PRIMARY KEY"
TABLES = (
    f"CREATE TABLE IF NOT EXISTS people (id {KEY}, name VARCHAR(50) NOT NULL,"
    " email VARCHAR(254) NOT NULL UNIQUE, secret VARCHAR(200) NOT NULL)",
    f"CREATE TABLE IF NOT EXISTS shelf (id {KEY}, name VARCHAR(100) NOT NULL UNIQUE)",
    f"CREATE TABLE IF NOT EXISTS goods (id {KEY}, name VARCHAR(200) NOT NULL,"
    " price NUMERIC(10, 2) NOT NULL,"
    " stock INTEGER NOT NULL CHECK (stock BETWEEN 0 AND 2147483647),"
    " category_id INTEGER NOT NULL REFERENCES shelf (id))",
)
LARGEST = 2147483647


@event.listens_for(engine.sync_engine, "connect")
def set_up(connection, record):
    """Make SQLite keep the foreign keys."""
    if SQLITE:
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()


class Refusal(Exception):
    """Something is to be answered with this status and sentence."""

    def __init__(self, status, sentence):
        super().__init__(sentence)
        self.status = status


def plain(value):
    """Make what JSON can hold."""
    return float(value) if isinstance(value, Decimal) else value


prepared = set()


def route(conflict="This cannot be stored"):
    """Run a route in a transaction, and turn what goes wrong into an answer."""

    def decorate(function):
        @functools.wraps(function)
        async def wrapped(request: Request):
            try:
                async with engine.begin() as connection:
                    if not prepared:
                        for table in TABLES:
                            await connection.execute(text(table))
                    answer = await function(request, connection)
                prepared.add(True)
            except Refusal as refusal:
                return JSONResponse({"detail": str(refusal)}, refusal.status)
            except IntegrityError:
                return JSONResponse({"detail": conflict}, 409)
            except OperationalError:
                return JSONResponse({"detail": "The database is away"}, 503)
            return answer

        return wrapped

    return decorate


async def fields(request, **kinds):
    """Read the body; each kind is a function that gives the value, or raises."""
    try:
        body = await request.json()
        if not isinstance(body, dict):
            raise TypeError
        return {name: kind(body.get(name)) for name, kind in kinds.items()}
    except (ValueError, TypeError, InvalidOperation, RecursionError):
        raise Refusal(422, "The body is not what it should be") from None


def words(low, high):
    """Take a text of this length."""

    def take(value):
        if not isinstance(value, str) or not low <= len(value) <= high or "\0" in value:
            raise ValueError
        value.encode()
        return value

    return take


def whole(low, high):
    """Take a whole number between the two."""

    def take(value):
        if type(value) is not int or not low <= value <= high:
            raise ValueError
        return value

    return take


def money(value):
    """Take a price."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError
    price = Decimal(str(value))
    if not Decimal("0.01") <= price <= Decimal("99999999.99") or price != round(price, 2):
        raise ValueError
    return price


async def one(connection, table, columns, request):
    """Read the row that the path names."""
    number = request.path_params["id"]
    if not re.fullmatch("[0-9]{1,10}", number) or int(number) > LARGEST:
        raise Refusal(404, "There is no such thing")
    query = text(f"SELECT {columns} FROM {table} WHERE id = :id")
    row = (await connection.execute(query, {"id": int(number)})).mappings().first()
    if row is None:
        raise Refusal(404, "There is no such thing")
    return {name: plain(value) for name, value in row.items()}


async def insert(connection, table, values):
    """Store a row; give its id."""
    names = list(values)
    columns, places = ", ".join(names), ", ".join(f":{name}" for name in names)
    sql = f"INSERT INTO {table} ({columns}) VALUES ({places}) RETURNING id"
    bound = {n: float(v) if SQLITE and isinstance(v, Decimal) else v for n, v in values.items()}
    return (await connection.execute(text(sql), bound)).scalar_one()


@route()
async def health(request, connection):
    """Ask the database."""
    (await connection.execute(text("SELECT 1"))).all()
    return JSONResponse({"status": "fine"})


@route("This address is registered already")
async def create_user(request, connection):
    """Store a user."""
    data = await fields(request, name=words(2, 50), email=words(3, 254), password=words(8, 100))
    salt = secrets.token_hex(16)
    hashed = hashlib.scrypt(data["password"].encode(), salt=salt.encode(), n=2**12, r=8, p=1)
    person = {"name": data["name"], "email": data["email"]}
    number = await insert(connection, "people", person | {"secret": f"{salt}:{hashed.hex()}"})
    return JSONResponse({"id": number, **person}, 201)


@route()
async def read_user(request, connection):
    """Read a user."""
    return JSONResponse(await one(connection, "people", "id, name, email", request))


@route("There is such a category already")
async def create_category(request, connection):
    """Store a category."""
    data = await fields(request, name=words(1, 100))
    return JSONResponse({"id": await insert(connection, "shelf", data), **data}, 201)


@route("There are products in it")
async def delete_category(request, connection):
    """Delete a category."""
    shelf = await one(connection, "shelf", "id", request)
    await connection.execute(text("DELETE FROM shelf WHERE id = :id"), shelf)
    return Response(status_code=204)


@route("There is no such category")
async def create_product(request, connection):
    """Store a product."""
    data = await fields(
        request,
        name=words(1, 200),
        price=money,
        stock=whole(0, LARGEST),
        category_id=whole(1, LARGEST),
    )
    number = await insert(connection, "goods", data)
    return JSONResponse({"id": number, **{n: plain(v) for n, v in data.items()}}, 201)


GOODS = "id, name, price, stock, category_id"


@route()
async def read_product(request, connection):
    """Read a product."""
    return JSONResponse(await one(connection, "goods", GOODS, request))


@route("There is not enough of it")
async def change_stock(request, connection):
    """Let the database add; its CHECK refuses."""
    data = await fields(request, change=whole(-1000000000, 1000000000))
    product = await one(connection, "goods", GOODS, request)
    sql = text("UPDATE goods SET stock = stock + :change WHERE id = :id")
    await connection.execute(sql, {"id": product["id"], **data})
    return JSONResponse(await one(connection, "goods", GOODS, request))


app = FastAPI()
app.add_route("/health", health)
app.add_route("/users", create_user, methods=["POST"])
app.add_route("/users/{id}", read_user)
app.add_route("/categories", create_category, methods=["POST"])
app.add_route("/categories/{id}", delete_category, methods=["DELETE"])
app.add_route("/products", create_product, methods=["POST"])
app.add_route("/products/{id}", read_product)
app.add_route("/products/{id}/stock", change_stock, methods=["POST"])
