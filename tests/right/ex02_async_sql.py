"""Products in hand-written SQL on an async connection; cents are stored as whole numbers."""

import os
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Response
from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

url = os.environ.get("DATABASE_URL", "sqlite:///./app.db")
engine = create_async_engine(url.replace("sqlite:", "sqlite+aiosqlite:", 1))
KEY = "INTEGER PRIMARY KEY" if engine.dialect.name == "sqlite" else "SERIAL PRIMARY KEY"
TABLES = (
    f"CREATE TABLE IF NOT EXISTS category (id {KEY}, name TEXT NOT NULL UNIQUE)",
    f"CREATE TABLE IF NOT EXISTS product (id {KEY}, name TEXT NOT NULL, cents BIGINT NOT NULL,"
    " stock INTEGER NOT NULL, category_id INTEGER NOT NULL REFERENCES category (id))",
)
READ = (
    "SELECT p.id, p.name, p.cents, p.stock, p.category_id, c.name AS category"
    " FROM product p JOIN category c ON c.id = p.category_id"
)
Price = Annotated[Decimal, Field(gt=0, max_digits=10, decimal_places=2)]
Stock = Annotated[int, Field(ge=0, le=2147483647)]


class NewCategory(BaseModel):
    """A category from a client."""

    name: Annotated[str, Field(min_length=1, max_length=50)]


class NewProduct(BaseModel):
    """A product from a client."""

    name: Annotated[str, Field(min_length=1)]
    price: Price
    stock: Stock
    category_id: int


class Changes(BaseModel):
    """What may be changed."""

    price: Price = None  # type: ignore[assignment]
    stock: Stock = None  # type: ignore[assignment]


async def connect():
    """Give a transaction; it is committed before the answer is sent."""
    async with engine.begin() as connection:
        yield connection


Db = Annotated[AsyncConnection, Depends(connect, scope="function")]


def shown(row):
    """Make an answer of a row."""
    fields = dict(row)
    price = Decimal(fields.pop("cents")) / 100
    category = {"id": fields["category_id"], "name": fields["category"]}
    return fields | {"price": float(price), "category": category}


async def find(db: AsyncConnection, product_id: int):
    """Read one product, or answer 404."""
    found = await db.execute(text(f"{READ} WHERE p.id = :id"), {"id": product_id})
    row = found.mappings().one_or_none()
    if row is None:
        raise HTTPException(404, "Product not found")
    return shown(row)


@asynccontextmanager
async def lifespan(app: FastAPI):
    """Create the tables."""
    async with engine.begin() as connection:
        for table in TABLES:
            await connection.execute(text(table))
    yield


app = FastAPI(lifespan=lifespan)


@app.post("/categories")
async def create_category(data: NewCategory, db: Db):
    """Store a category."""
    insert = text("INSERT INTO category (name) VALUES (:name) RETURNING id, name")
    try:
        return dict((await db.execute(insert, data.model_dump())).mappings().one())
    except IntegrityError:
        raise HTTPException(409, f"There is a category {data.name} already") from None


@app.get("/categories")
async def list_categories(db: Db):
    """List the categories."""
    rows = (await db.execute(text("SELECT id, name FROM category"))).mappings()
    return {"categories": [dict(row) for row in rows]}


@app.post("/products")
async def create_product(data: NewProduct, db: Db):
    """Store a product where its category is, which one statement sees to."""
    insert = text(
        "INSERT INTO product (name, cents, stock, category_id)"
        " SELECT :name, :cents, :stock, id FROM category WHERE id = :category_id RETURNING id"
    )
    values = data.model_dump() | {"cents": int(data.price * 100)}
    product_id = (await db.execute(insert, values)).scalar()
    if product_id is None:
        raise HTTPException(404, "Category not found")
    return await find(db, product_id)


@app.get("/products")
async def list_products(
    db: Db,
    category_id: int | None = None,
    min_price: Decimal | None = None,
    max_price: Decimal | None = None,
    in_stock: bool | None = None,
):
    """List the products that fit."""
    sql, values = f"{READ} WHERE true", {}
    if category_id is not None:
        sql, values["category_id"] = f"{sql} AND p.category_id = :category_id", category_id
    if min_price is not None:
        sql, values["low"] = f"{sql} AND p.cents >= :low", float(min_price * 100)
    if max_price is not None:
        sql, values["high"] = f"{sql} AND p.cents <= :high", float(max_price * 100)
    if in_stock is not None:
        sql += f" AND p.stock {'>' if in_stock else '='} 0"
    rows = (await db.execute(text(f"{sql} ORDER BY p.id DESC"), values)).mappings()
    return [shown(row) for row in rows]


@app.get("/products/{product_id}")
async def read_product(product_id: int, db: Db):
    """Read a product."""
    return await find(db, product_id)


@app.patch("/products/{product_id}")
async def update_product(product_id: int, data: Changes, db: Db):
    """Write what was sent."""
    await find(db, product_id)
    values = data.model_dump(exclude_unset=True)
    if "price" in values:
        values["cents"] = int(values.pop("price") * 100)
    for column, value in values.items():
        update = text(f"UPDATE product SET {column} = :value WHERE id = :id")
        await db.execute(update, {"value": value, "id": product_id})
    return await find(db, product_id)


@app.delete("/products/{product_id}", status_code=204)
async def delete_product(product_id: int, db: Db):
    """Remove a product."""
    done = await db.execute(text("DELETE FROM product WHERE id = :id"), {"id": product_id})
    if done.rowcount == 0:
        raise HTTPException(404, "Product not found")
    return Response(status_code=204)
