"""Orders on an async SQLAlchemy session, with statements in place of changed objects."""

import os
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Literal

from fastapi import APIRouter, Depends, FastAPI, HTTPException
from pydantic import BaseModel, Field
from sqlalchemy import (
    Column,
    ForeignKey,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    bindparam,
    insert,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

url = os.environ.get("DATABASE_URL", "sqlite:///./app.db")
engine = create_async_engine(url.replace("sqlite:", "sqlite+aiosqlite:", 1))
metadata = MetaData()


def money():
    """Make the type of a column that counts cents exactly."""
    return Numeric(12, 2)


users = Table(
    "users", metadata, Column("id", Integer, primary_key=True), Column("name", String(50))
)
products = Table(
    "products",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("price", money(), nullable=False),
    Column("stock", Integer, nullable=False),
)
orders = Table(
    "orders",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("user_id", ForeignKey("users.id"), nullable=False),
    Column("status", String(20), nullable=False),
    Column("total_amount", money(), nullable=False),
)
items = Table(
    "order_items",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("order_id", ForeignKey("orders.id"), nullable=False),
    Column("product_id", ForeignKey("products.id"), nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("unit_price", money(), nullable=False),
    Column("total_price", money(), nullable=False),
)

Status = Literal["pending", "confirmed", "shipped", "delivered", "cancelled"]
MAY_COME_FROM = {
    "pending": [],
    "confirmed": ["pending"],
    "shipped": ["confirmed"],
    "delivered": ["shipped"],
    "cancelled": ["pending", "confirmed"],
}


class UserIn(BaseModel):
    """A customer from a client."""

    name: str


class ProductIn(BaseModel):
    """A product from a client."""

    name: str
    price: Decimal = Field(gt=0, decimal_places=2)
    stock: int = Field(ge=0)


class Changes(BaseModel):
    """Changes of a product."""

    price: Decimal = Field(default=None, gt=0, decimal_places=2)
    stock: int = Field(default=None, ge=0)


class Line(BaseModel):
    """A line from a client."""

    product_id: int
    quantity: int = Field(ge=1)


class NewOrder(BaseModel):
    """An order from a client."""

    user_id: int
    items: list[Line] = Field(min_length=1)


async def connect():
    """Give a transaction that is committed when the route has returned, and else rolled back."""
    async with engine.begin() as connection:
        yield connection


Connection = Depends(connect, scope="function")
router = APIRouter()


async def one(connection: AsyncConnection, table, key):
    """Read a row as a dictionary, or answer 404."""
    row = (await connection.execute(select(table).where(table.c.id == key))).mappings().first()
    if row is None:
        raise HTTPException(404, f"No {table.name} with id {key}")
    return dict(row)


async def with_items(connection: AsyncConnection, order_id: int):
    """Read an order with its lines."""
    order = await one(connection, orders, order_id)
    lines = select(items).where(items.c.order_id == order_id).order_by(items.c.id)
    rows = (await connection.execute(lines)).mappings()
    return order | {"items": [dict(row) for row in rows]}


async def store(connection: AsyncConnection, table, **values):
    """Insert a row; give its id."""
    done = await connection.execute(insert(table).values(**values).returning(table.c.id))
    return done.scalar_one()


@router.post("/users", status_code=201)
async def create_user(data: UserIn, connection: AsyncConnection = Connection):
    """Store a customer."""
    return await one(connection, users, await store(connection, users, **data.model_dump()))


@router.post("/products", status_code=201)
async def create_product(data: ProductIn, connection: AsyncConnection = Connection):
    """Store a product."""
    return await one(connection, products, await store(connection, products, **data.model_dump()))


@router.get("/products/{product_id}")
async def read_product(product_id: int, connection: AsyncConnection = Connection):
    """Read a product."""
    return await one(connection, products, product_id)


@router.patch("/products/{product_id}")
async def update_product(product_id: int, data: Changes, connection: AsyncConnection = Connection):
    """Change a product."""
    await one(connection, products, product_id)
    changes = data.model_dump(exclude_unset=True)
    await connection.execute(update(products).where(products.c.id == product_id).values(changes))
    return await one(connection, products, product_id)


@router.post("/orders", status_code=201)
async def create_order(data: NewOrder, connection: AsyncConnection = Connection):
    """Take, line after line in the order of the products; an exception undoes all of it."""
    await one(connection, users, data.user_id)
    total, lines = Decimal(0), []
    for line in sorted(data.items, key=lambda line: line.product_id):
        product = await one(connection, products, line.product_id)
        enough = (products.c.id == line.product_id) & (products.c.stock >= line.quantity)
        left = products.c.stock - line.quantity
        taken = await connection.execute(update(products).where(enough).values(stock=left))
        if taken.rowcount == 0:
            raise HTTPException(409, f"Not enough of {product['name']}")
        price = product["price"]
        lines.append(
            line.model_dump() | {"unit_price": price, "total_price": price * line.quantity}
        )
        total += price * line.quantity
    head = {"user_id": data.user_id, "status": "pending", "total_amount": total}
    order_id = await store(connection, orders, **head)
    await connection.execute(insert(items), [line | {"order_id": order_id} for line in lines])
    return await with_items(connection, order_id)


@router.get("/orders/{order_id}")
async def read_order(order_id: int, connection: AsyncConnection = Connection):
    """Read an order."""
    return await with_items(connection, order_id)


@router.patch("/orders/{order_id}/status")
async def move_order(order_id: int, new_status: Status, connection: AsyncConnection = Connection):
    """Let the UPDATE look at the old status."""
    await one(connection, orders, order_id)
    movable = (orders.c.id == order_id) & orders.c.status.in_(MAY_COME_FROM[new_status])
    moved = await connection.execute(update(orders).where(movable).values(status=new_status))
    if moved.rowcount == 0:
        raise HTTPException(409, f"The order cannot become {new_status}")
    order = await with_items(connection, order_id)
    if new_status == "cancelled":
        back = update(products).where(products.c.id == bindparam("key"))
        back = back.values(stock=products.c.stock + bindparam("more"))
        lines = sorted(order["items"], key=lambda item: item["product_id"])
        more = [{"key": item["product_id"], "more": item["quantity"]} for item in lines]
        await connection.execute(back, more)
    return order


@asynccontextmanager
async def lifespan(app: FastAPI):
    """Create the tables."""
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)
app.include_router(router)
