"""Orders with notifications: a unit of work, repositories, INSERT … ON CONFLICT DO NOTHING."""

import os
from decimal import Decimal
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel, Field
from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    UniqueConstraint,
    create_engine,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///./app.db"))
insert = sqlite.insert if engine.dialect.name == "sqlite" else postgresql.insert
metadata = MetaData()

users = Table(
    "users", metadata, Column("id", Integer, primary_key=True), Column("name", String(50))
)
orders = Table(
    "orders",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("user_id", ForeignKey("users.id"), nullable=False),
    Column("reference", String(40), unique=True, nullable=False),
    Column("item", String(100), nullable=False),
    Column("total", Numeric(10, 2), nullable=False),
)
notifications = Table(
    "notifications",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("user_id", ForeignKey("users.id"), nullable=False),
    Column("order_id", ForeignKey("orders.id"), nullable=False),
    Column("message", String(200), nullable=False),
    UniqueConstraint("user_id", "message"),
)
metadata.create_all(engine)


class NewUser(BaseModel):
    """A customer from a client."""

    name: str


class NewOrder(BaseModel):
    """An order from a client."""

    user_id: int
    reference: str
    item: str
    total: Decimal = Field(gt=0, decimal_places=2)


class Repository:
    """Read and write the rows of one table."""

    def __init__(self, connection: Connection, table: Table) -> None:
        self.connection = connection
        self.table = table

    def get(self, key):
        """Find a row by its id."""
        found = select(self.table).where(self.table.c.id == key)
        return self.connection.execute(found).mappings().one_or_none()

    def add(self, **values):
        """Insert a row; give it, or None when a constraint refuses it."""
        new = insert(self.table).values(values).on_conflict_do_nothing().returning(self.table)
        return self.connection.execute(new).mappings().one_or_none()


class UnitOfWork:
    """One transaction and the repositories that share it."""

    def __init__(self) -> None:
        self.connection = engine.connect()
        self.users = Repository(self.connection, users)
        self.orders = Repository(self.connection, orders)
        self.notifications = Repository(self.connection, notifications)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.connection.close()

    def commit(self):
        """Make it permanent."""
        self.connection.commit()


def unit_of_work():
    """Give each request a transaction of its own."""
    with UnitOfWork() as work:
        yield work


Work = Annotated[UnitOfWork, Depends(unit_of_work)]


class OrderService:
    """What the shop does with orders."""

    def __init__(self, work: UnitOfWork) -> None:
        self.work = work

    def place(self, data: NewOrder):
        """Insert an order and notify; give None when the reference is taken."""
        if self.work.users.get(data.user_id) is None:
            raise HTTPException(404, "User not found")
        order = self.work.orders.add(**data.model_dump())
        if order:
            message = f"{data.item} is on its way"
            self.work.notifications.add(user_id=data.user_id, order_id=order["id"], message=message)
        return order


app = FastAPI()


@app.post("/users", status_code=201)
def create_user(data: NewUser, work: Work):
    """Store a customer."""
    user = work.users.add(name=data.name)
    work.commit()
    return user


@app.get("/users/{user_id}/notifications")
def read_notifications(user_id: int, work: Work):
    """List messages."""
    own = select(notifications).where(notifications.c.user_id == user_id)
    rows = work.connection.execute(own.order_by(notifications.c.id)).mappings()
    return [dict(row) for row in rows]


@app.get("/orders/{order_id}")
def read_order(order_id: int, work: Work):
    """Read an order."""
    order = work.orders.get(order_id)
    if order is None:
        raise HTTPException(404, "Order not found")
    return order


@app.post("/orders/with-notifications", status_code=201)
def create_order(data: NewOrder, work: Work):
    """Place one order."""
    order = OrderService(work).place(data)
    if order is None:
        raise HTTPException(409, "Reference taken")
    work.commit()
    return order


@app.post("/orders/import")
def import_orders(data: list[NewOrder], work: Work):
    """Place many orders."""
    service = OrderService(work)
    results = [(one.reference, service.place(one)) for one in data]
    work.commit()
    return {
        "created": [order for _, order in results if order],
        "refused": [reference for reference, order in results if not order],
    }
