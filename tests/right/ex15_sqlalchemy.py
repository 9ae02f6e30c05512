"""Errors with plain SQLAlchemy and pydantic schemas; every refusal is made in one place."""

import hashlib
import os
import secrets
from contextlib import asynccontextmanager, suppress
from decimal import Decimal

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, field_validator
from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Numeric,
    String,
    create_engine,
    event,
    select,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

engine = create_engine(os.environ["DATABASE_URL"], pool_pre_ping=True)
SessionLocal = sessionmaker(engine)
LARGEST = 2**31 - 1

if engine.dialect.name == "sqlite":

    @event.listens_for(engine, "connect")
    def keep_foreign_keys(connection, record):
        connection.execute("PRAGMA foreign_keys=ON")


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50))
    email: Mapped[str] = mapped_column(String(254), unique=True, index=True)
    password_hash: Mapped[str] = mapped_column(String(200))


class Category(Base):
    __tablename__ = "categories"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)


class Product(Base):
    __tablename__ = "products"
    __table_args__ = (CheckConstraint("stock >= 0", name="ck_products_stock"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    price: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    stock: Mapped[int]
    category_id: Mapped[int] = mapped_column(ForeignKey("categories.id", ondelete="RESTRICT"))


class Input(BaseModel):
    @field_validator("name", "email", check_fields=False)
    @classmethod
    def no_nul(cls, value: str) -> str:
        if "\0" in value:
            raise ValueError("no NUL, please")
        return value


class UserIn(Input):
    name: str = Field(min_length=2, max_length=50)
    email: str = Field(min_length=3, max_length=254)
    password: str = Field(min_length=8, max_length=100)


class CategoryIn(Input):
    name: str = Field(min_length=1, max_length=100)


class ProductIn(Input):
    name: str = Field(min_length=1, max_length=200)
    price: Decimal = Field(ge=Decimal("0.01"), le=Decimal("99999999.99"), decimal_places=2)
    stock: int = Field(0, ge=0, le=LARGEST)
    category_id: int = Field(ge=1, le=LARGEST)


class ChangeIn(BaseModel):
    change: int = Field(ge=-LARGEST, le=LARGEST)


class Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str


class UserOut(Out):
    email: str


class ProductOut(Out):
    price: Decimal
    stock: int
    category_id: int


ready = False


def prepare() -> None:
    """Create the tables, now or when the database is back."""
    global ready
    if not ready:
        Base.metadata.create_all(engine)
        ready = True


@asynccontextmanager
async def lifespan(app: FastAPI):
    with suppress(OperationalError):
        prepare()
    yield


def get_db():
    prepare()
    db = SessionLocal()
    try:
        yield db
    except IntegrityError:
        db.rollback()
        raise
    finally:
        db.close()


app = FastAPI(lifespan=lifespan)


def problem(status: int, sentence: str, **headers: str) -> JSONResponse:
    """Make an error answer."""
    return JSONResponse({"detail": sentence}, status_code=status, headers=headers)


@app.exception_handler(RequestValidationError)
def invalid(request: Request, error: RequestValidationError):
    fields = sorted({str(detail["loc"][-1]) for detail in error.errors()})
    known = [field for field in fields if field.isidentifier()]
    return problem(422, f"Please correct: {', '.join(known) or 'the request'}")


@app.exception_handler(IntegrityError)
def conflict(request: Request, error: IntegrityError):
    sentences = {"users": "Email already registered", "categories": "Category is taken or in use"}
    place = request.url.path.split("/")[1]
    return problem(400, sentences.get(place, "No such category, or not enough in stock"))


@app.exception_handler(DBAPIError)
def away(request: Request, error: DBAPIError):
    return problem(503, "We are having trouble with the database", **{"Retry-After": "10"})


@app.get("/health")
def health(db: Session = Depends(get_db)):
    db.execute(text("SELECT 1"))
    return {"ok": True}


def find(db: Session, model: type[Base], key: int):
    row = db.get(model, key) if 0 < key <= LARGEST else None
    if row is None:
        raise HTTPException(404, f"No {model.__name__.lower()} with this id")
    return row


def store(db: Session, row: Base) -> Base:
    db.add(row)
    db.commit()
    return row


@app.post("/users", response_model=UserOut, status_code=201)
def create_user(data: UserIn, db: Session = Depends(get_db)):
    salt = secrets.token_bytes(16)
    hashed = hashlib.scrypt(data.password.encode(), salt=salt, n=2**12, r=8, p=1)
    stored = f"{salt.hex()}:{hashed.hex()}"
    return store(db, User(name=data.name, email=data.email, password_hash=stored))


@app.get("/users/{user_id}", response_model=UserOut)
def read_user(user_id: int, db: Session = Depends(get_db)):
    return find(db, User, user_id)


@app.post("/categories", response_model=Out, status_code=201)
def create_category(data: CategoryIn, db: Session = Depends(get_db)):
    return store(db, Category(**data.model_dump()))


@app.delete("/categories/{category_id}", status_code=204)
def delete_category(category_id: int, db: Session = Depends(get_db)):
    db.delete(find(db, Category, category_id))
    db.commit()


@app.post("/products", response_model=ProductOut, status_code=201)
def create_product(data: ProductIn, db: Session = Depends(get_db)):
    if db.scalar(select(Category.id).where(Category.id == data.category_id)) is None:
        raise HTTPException(404, "Category not found")
    return store(db, Product(**data.model_dump()))


@app.get("/products/{product_id}", response_model=ProductOut)
def read_product(product_id: int, db: Session = Depends(get_db)):
    return find(db, Product, product_id)


@app.post("/products/{product_id}/stock", response_model=ProductOut)
def change_stock(product_id: int, data: ChangeIn, db: Session = Depends(get_db)):
    product = find(db, Product, product_id)
    room = Product.stock.between(max(0, -data.change), LARGEST - max(0, data.change))
    changed = update(Product).where(Product.id == product_id, room)
    if db.execute(changed.values(stock=Product.stock + data.change)).rowcount == 0:
        raise HTTPException(409, "Not enough in stock, or too much")
    db.commit()
    db.refresh(product)
    return product
