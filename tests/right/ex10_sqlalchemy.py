"""Orders with notifications in plain SQLAlchemy; the session is committed by `with`."""

import os
from decimal import Decimal

from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ForeignKey, Numeric, String, UniqueConstraint, create_engine, event, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///./app.db"))
SessionLocal = sessionmaker(bind=engine, autoflush=False, expire_on_commit=False)

if engine.dialect.name == "sqlite":

    @event.listens_for(engine, "connect")
    def on_connect(connection, record):
        """Keep the driver out of transactions."""
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def on_begin(connection):
        """Begin a real transaction."""
        connection.exec_driver_sql("BEGIN IMMEDIATE")


class Base(DeclarativeBase):
    """What the tables have in common."""


class User(Base):
    """A customer."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50))


class Order(Base):
    """An order."""

    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    reference: Mapped[str] = mapped_column(String(40), unique=True)
    item: Mapped[str] = mapped_column(String(100))
    total: Mapped[Decimal] = mapped_column(Numeric(10, 2))


class Notification(Base):
    """A message."""

    __tablename__ = "notifications"
    __table_args__ = (UniqueConstraint("user_id", "message"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    message: Mapped[str] = mapped_column(String(200))


class UserIn(BaseModel):
    """A customer from a client."""

    name: str


class OrderIn(BaseModel):
    """An order from a client."""

    user_id: int
    reference: str = Field(min_length=1, max_length=40)
    item: str = Field(min_length=1, max_length=100)
    total: Decimal = Field(gt=0, max_digits=10, decimal_places=2)


class Out(BaseModel):
    """What answers have in common."""

    model_config = ConfigDict(from_attributes=True)
    id: int


class UserOut(Out):
    """A customer in an answer."""

    name: str


class OrderOut(Out):
    """An order in an answer."""

    user_id: int
    reference: str
    item: str
    total: Decimal


class NotificationOut(Out):
    """A message in an answer."""

    user_id: int
    order_id: int
    message: str


class ImportOut(BaseModel):
    """What became of a list."""

    created: list[OrderOut]
    refused: list[str]


Base.metadata.create_all(engine)
app = FastAPI()


class TakenError(Exception):
    """The reference is taken."""


def get_db():
    """Give a session, and close it."""
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()


def insert_order(db: Session, data: OrderIn) -> Order:
    """Insert an order inside a savepoint, and its notification inside another."""
    if not db.get(User, data.user_id):
        raise HTTPException(404, "User not found")
    order = Order(**data.model_dump())
    savepoint = db.begin_nested()
    try:
        db.add(order)
        db.flush()
    except IntegrityError as error:
        savepoint.rollback()
        raise TakenError from error
    savepoint.commit()
    try:
        with db.begin_nested():
            message = f"{data.item} is on its way"
            db.add(Notification(user_id=data.user_id, order_id=order.id, message=message))
            db.flush()
    except IntegrityError:
        pass
    return order


@app.post("/users", response_model=UserOut, status_code=201)
def create_user(data: UserIn, db: Session = Depends(get_db)):
    """Store a customer."""
    user = User(name=data.name)
    db.add(user)
    db.commit()
    return user


@app.get("/users/{user_id}/notifications", response_model=list[NotificationOut])
def list_notifications(user_id: int, db: Session = Depends(get_db)):
    """List messages."""
    own = select(Notification).filter_by(user_id=user_id).order_by(Notification.id)
    return db.scalars(own).all()


@app.get("/orders/{order_id}", response_model=OrderOut)
def read_order(order_id: int, db: Session = Depends(get_db)):
    """Read an order."""
    order = db.get(Order, order_id)
    if not order:
        raise HTTPException(404, "Order not found")
    return order


@app.post("/orders/with-notifications", response_model=OrderOut, status_code=201)
def create_order(data: OrderIn, db: Session = Depends(get_db)):
    """Place one order."""
    try:
        order = insert_order(db, data)
    except TakenError:
        raise HTTPException(400, "Reference taken") from None
    db.commit()
    return order


@app.post("/orders/import", response_model=ImportOut, status_code=201)
def import_orders(data: list[OrderIn], db: Session = Depends(get_db)):
    """Place many orders."""
    created, refused = [], []
    for one in data:
        try:
            created.append(insert_order(db, one))
        except TakenError:
            refused.append(one.reference)
    db.commit()
    return {"created": created, "refused": refused}
