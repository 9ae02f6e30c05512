"""Orders in plain SQLAlchemy with pydantic schemas; rows are locked, SQLite as a whole."""

import os
from collections import defaultdict
from decimal import Decimal
from enum import StrEnum

from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ForeignKey, Numeric, String, create_engine, event, select
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    mapped_column,
    relationship,
    sessionmaker,
)

engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///./app.db"))
SessionLocal = sessionmaker(bind=engine)

if engine.dialect.name == "sqlite":

    @event.listens_for(engine, "connect")
    def keep_driver_from_beginning(connection, record):
        """Leave BEGIN to the next function."""
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def begin_as_writer(connection):
        """Take the write lock at once: what FOR UPDATE does elsewhere."""
        connection.exec_driver_sql("BEGIN IMMEDIATE")


class Base(DeclarativeBase):
    """What the tables have in common."""


class User(Base):
    """A customer."""

    __tablename__ = "customers"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50))


class Product(Base):
    """Something to buy."""

    __tablename__ = "goods"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    price: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    stock: Mapped[int] = mapped_column(default=0)


class Order(Base):
    """An order."""

    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    status: Mapped[str] = mapped_column(String(20), default="pending")
    total_amount: Mapped[Decimal] = mapped_column(Numeric(10, 2))

    items: Mapped[list["OrderItem"]] = relationship(back_populates="order", lazy="selectin")


class OrderItem(Base):
    """A line of an order."""

    __tablename__ = "order_lines"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    product_id: Mapped[int] = mapped_column(ForeignKey("goods.id"))
    quantity: Mapped[int]
    unit_price: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    total_price: Mapped[Decimal] = mapped_column(Numeric(10, 2))

    order: Mapped[Order] = relationship(back_populates="items")


class OrderStatus(StrEnum):
    """What an order can be."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


NEXT = {
    OrderStatus.PENDING: {OrderStatus.CONFIRMED, OrderStatus.CANCELLED},
    OrderStatus.CONFIRMED: {OrderStatus.SHIPPED, OrderStatus.CANCELLED},
    OrderStatus.SHIPPED: {OrderStatus.DELIVERED},
}


class Out(BaseModel):
    """What answers have in common."""

    model_config = ConfigDict(from_attributes=True)
    id: int


class UserIn(BaseModel):
    """A customer from a client."""

    name: str = Field(min_length=2)


class UserOut(Out):
    """A customer in an answer."""

    name: str


class ProductIn(BaseModel):
    """A product from a client."""

    name: str
    price: Decimal = Field(gt=0, max_digits=10, decimal_places=2)
    stock: int = Field(ge=0)


class ProductPatch(BaseModel):
    """A change of a product."""

    price: Decimal | None = Field(None, gt=0, max_digits=10, decimal_places=2)
    stock: int | None = Field(None, ge=0)


class ProductOut(Out):
    """A product in an answer."""

    name: str
    price: Decimal
    stock: int


class LineIn(BaseModel):
    """A line from a client."""

    product_id: int
    quantity: int = Field(gt=0)


class OrderIn(BaseModel):
    """An order from a client."""

    user_id: int
    items: list[LineIn] = Field(min_length=1)


class LineOut(Out):
    """A line in an answer."""

    product_id: int
    quantity: int
    unit_price: Decimal
    total_price: Decimal


class OrderOut(Out):
    """An order in an answer."""

    user_id: int
    status: OrderStatus
    total_amount: Decimal
    items: list[LineOut]


Base.metadata.create_all(engine)
app = FastAPI()


def get_db():
    """Give a session, and close it."""
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()


def find(db, model, key, lock=False):
    """Find a row or answer 404."""
    row = db.get(model, key, with_for_update=lock or None)
    if row is None:
        raise HTTPException(404, f"{model.__name__} {key} not found")
    return row


@app.post("/users", response_model=UserOut, status_code=201)
def create_user(data: UserIn, db: Session = Depends(get_db)):
    """Store a customer."""
    user = User(name=data.name)
    db.add(user)
    db.commit()
    return user


@app.post("/products", response_model=ProductOut, status_code=201)
def create_product(data: ProductIn, db: Session = Depends(get_db)):
    """Store a product."""
    product = Product(**data.model_dump())
    db.add(product)
    db.commit()
    return product


@app.get("/products/{product_id}", response_model=ProductOut)
def read_product(product_id: int, db: Session = Depends(get_db)):
    """Read a product."""
    return find(db, Product, product_id)


@app.patch("/products/{product_id}", response_model=ProductOut)
def update_product(product_id: int, data: ProductPatch, db: Session = Depends(get_db)):
    """Change a product."""
    product = find(db, Product, product_id, lock=True)
    for name, value in data.model_dump(exclude_none=True).items():
        setattr(product, name, value)
    db.commit()
    return product


@app.post("/orders", response_model=OrderOut, status_code=201)
def create_order(data: OrderIn, db: Session = Depends(get_db)):
    """Lock the products by id, look at all of them, then write; one line for each product."""
    find(db, User, data.user_id)
    wanted = defaultdict(int)
    for line in data.items:
        wanted[line.product_id] += line.quantity
    statement = select(Product).where(Product.id.in_(wanted)).order_by(Product.id)
    products = {product.id: product for product in db.scalars(statement.with_for_update())}
    order = Order(user_id=data.user_id, status="pending", total_amount=Decimal(0), items=[])
    for product_id, quantity in wanted.items():
        product = products.get(product_id)
        if product is None:
            raise HTTPException(404, f"Product {product_id} not found")
        if product.stock < quantity:
            raise HTTPException(400, f"Only {product.stock} of {product.name} left")
        product.stock -= quantity
        total = product.price * quantity
        order.total_amount += total
        order.items.append(
            OrderItem(
                product_id=product_id,
                quantity=quantity,
                unit_price=product.price,
                total_price=total,
            )
        )
    db.add(order)
    db.commit()
    return order


@app.get("/orders/{order_id}", response_model=OrderOut)
def read_order(order_id: int, db: Session = Depends(get_db)):
    """Read an order."""
    return find(db, Order, order_id)


@app.patch("/orders/{order_id}/status", response_model=OrderOut)
def change_status(order_id: int, new_status: OrderStatus, db: Session = Depends(get_db)):
    """Lock the order, then move it on."""
    order = find(db, Order, order_id, lock=True)
    if new_status not in NEXT.get(order.status, ()):
        raise HTTPException(400, f"Cannot go from {order.status} to {new_status}")
    order.status = new_status.value
    if new_status is OrderStatus.CANCELLED:
        for item in sorted(order.items, key=lambda item: item.product_id):
            find(db, Product, item.product_id, lock=True).stock += item.quantity
    db.commit()
    return order
