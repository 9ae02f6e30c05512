"""Errors: what is refused is refused in a sentence, and nothing inside gets out."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, TypeVar

from fastapi import Depends, FastAPI, HTTPException, Path, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pwdlib import PasswordHash
from pydantic import AfterValidator
from sqlalchemy import CheckConstraint, event
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import Field, Session, SQLModel, col, create_engine, select, update

engine = create_engine(
    os.environ.get("DATABASE_URL", "sqlite:///./app.db"),
    pool_pre_ping=True,  # a connection that died with the database is replaced before it is used
)
MAX_ID = 2_147_483_647  # what an INTEGER holds


@event.listens_for(engine, "connect")
def enforce_foreign_keys(connection: Any, _record: object) -> None:
    """Make SQLite keep the foreign keys; it does so only when asked, for each connection."""
    if engine.dialect.name == "sqlite":
        connection.execute("PRAGMA foreign_keys = ON")


def refuse_nul(text: str) -> str:
    """Refuse the one character that PostgreSQL cannot store."""
    if "\x00" in text:
        raise ValueError("must not contain NUL")
    return text


Text = Annotated[str, AfterValidator(refuse_nul)]


class UserBase(SQLModel):
    """What is known of a user."""

    name: Text = Field(min_length=2, max_length=50)
    email: Text = Field(min_length=3, max_length=254, unique=True)


class UserCreate(UserBase):
    """What a client sends."""

    password: str = Field(min_length=8, max_length=100)


class User(UserBase, table=True):
    """What is stored, and what is answered."""

    __tablename__ = "users"

    id: int = Field(default=None, primary_key=True)
    hashed_password: str = Field(max_length=200, exclude=True)


class CategoryCreate(SQLModel):
    """A category as a client sends it."""

    name: Text = Field(min_length=1, max_length=100, unique=True)


class Category(CategoryCreate, table=True):
    """A category as it is stored and answered."""

    __tablename__ = "categories"

    id: int = Field(default=None, primary_key=True)


class ProductCreate(SQLModel):
    """A product as a client sends it."""

    name: Text = Field(min_length=1, max_length=200)
    price: Decimal = Field(gt=0, max_digits=10, decimal_places=2)
    stock: int = Field(default=0, ge=0, le=1_000_000)
    category_id: int = Field(ge=1, le=MAX_ID, foreign_key="categories.id", index=True)


class Product(ProductCreate, table=True):
    """A product as it is stored and answered."""

    __tablename__ = "products"
    __table_args__ = (CheckConstraint("stock BETWEEN 0 AND 1000000", name="stock_in_range"),)

    id: int = Field(default=None, primary_key=True)


class StockChange(SQLModel):
    """What comes in, or goes out when it is negative."""

    change: int = Field(ge=-1_000_000, le=1_000_000)


@cache  # remembers success; a call that raised is made again
def create_tables() -> None:
    """Create the tables that are not there yet."""
    SQLModel.metadata.create_all(engine)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Create the tables now, or with the first request if the database is away."""
    with suppress(OperationalError):
        create_tables()
    yield


def get_session() -> Iterator[Session]:
    """Give each request a session of its own."""
    create_tables()
    with Session(engine, expire_on_commit=False) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]
Id = Annotated[int, Path(ge=1, le=MAX_ID)]


Row = TypeVar("Row", bound=SQLModel)


def get_row(session: Session, model: type[Row], row_id: int) -> Row:
    """Find a row by its id, or answer 404."""
    row = session.get(model, row_id)
    if row is None:
        raise HTTPException(404, f"{model.__name__} not found")
    return row


@contextmanager
def refusal(sentence: str) -> Iterator[None]:
    """Answer 409 with this sentence if a constraint forbids what the block does."""
    try:
        yield
    except IntegrityError:  # the session rolls back when it is closed
        raise HTTPException(409, sentence) from None


app = FastAPI(title="Errors", lifespan=lifespan)


@app.exception_handler(OperationalError)
def answer_database_away(_request: Request, _error: Exception) -> JSONResponse:
    """Answer 503: the request was right, and may be tried again."""
    detail = "The database cannot be reached; try again later"
    return JSONResponse({"detail": detail}, 503, {"Retry-After": "5"})


@app.exception_handler(RequestValidationError)
def answer_invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
    """Answer 422 without FastAPI's `input`, which repeats what was sent, the password too."""
    told = [{name: problem[name] for name in ("type", "loc", "msg")} for problem in error.errors()]
    return JSONResponse({"detail": told}, 422)


@app.get("/health")
def check_health(session: SessionDep) -> dict[str, str]:
    """Ask the database something; if it is away, the handler above answers."""
    session.exec(select(1))
    return {"status": "healthy"}


@app.post("/users", status_code=201)
def create_user(data: UserCreate, session: SessionDep) -> User:
    """Store a user, with a hash in the place of the password."""
    hashed = PasswordHash.recommended().hash(data.password)
    user = User.model_validate(data, update={"hashed_password": hashed})
    session.add(user)
    with refusal("Email already registered"):
        session.commit()
    return user


@app.get("/users/{user_id}")
def read_user(user_id: Id, session: SessionDep) -> User:
    """Read one user."""
    return get_row(session, User, user_id)


@app.post("/categories", status_code=201)
def create_category(data: CategoryCreate, session: SessionDep) -> Category:
    """Store a category."""
    category = Category.model_validate(data)
    session.add(category)
    with refusal("Category already exists"):
        session.commit()
    return category


@app.delete("/categories/{category_id}", status_code=204)
def delete_category(category_id: Id, session: SessionDep) -> None:
    """Delete a category that no product is in."""
    session.delete(get_row(session, Category, category_id))
    with refusal("Category still has products"):
        session.commit()


@app.post("/products", status_code=201)
def create_product(data: ProductCreate, session: SessionDep) -> Product:
    """Store a product."""
    product = Product.model_validate(data)
    session.add(product)
    with refusal("There is no such category"):
        session.commit()
    return product


@app.get("/products/{product_id}")
def read_product(product_id: Id, session: SessionDep) -> Product:
    """Read one product."""
    return get_row(session, Product, product_id)


@app.post("/products/{product_id}/stock")
def change_stock(product_id: Id, data: StockChange, session: SessionDep) -> Product:
    """Change the stock in the database, which adds up what arrives together."""
    product = get_row(session, Product, product_id)
    statement = update(Product).where(col(Product.id) == product_id)
    with refusal("Stock would be out of range"):
        session.exec(statement.values(stock=col(Product.stock) + data.change))
    session.commit()
    session.refresh(product)
    return product
