"""Exercise 15: errors. All is well as long as nothing goes wrong; the steps are in README.md."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Annotated, Any

from fastapi import Depends, FastAPI
from pwdlib import PasswordHash
from sqlmodel import Field, Session, SQLModel, create_engine

engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///./app.db"))

# Step 2: SQLite keeps foreign keys only when asked


class UserBase(SQLModel):
    """What is known of a user."""

    name: str = Field(min_length=2, max_length=50)
    email: str = Field(min_length=3, max_length=254)


class UserCreate(UserBase):
    """What a client sends."""

    password: str = Field(min_length=8, max_length=100)


class User(UserBase, table=True):
    """What is stored, and what is answered."""

    __tablename__ = "users"

    id: int = Field(default=None, primary_key=True)
    hashed_password: str = Field(max_length=200)  # Step 1: this is answered as well


class CategoryCreate(SQLModel):
    """A category as a client sends it."""

    name: str = Field(min_length=1, max_length=100, unique=True)


class Category(CategoryCreate, table=True):
    """A category as it is stored and answered."""

    __tablename__ = "categories"

    id: int = Field(default=None, primary_key=True)


class ProductCreate(SQLModel):
    """A product as a client sends it."""

    # Step 4: bounds
    name: str = Field(min_length=1, max_length=200)
    price: Decimal = Field(max_digits=10, decimal_places=2)
    stock: int = 0
    category_id: int = Field(foreign_key="categories.id", index=True)


class Product(ProductCreate, table=True):
    """A product as it is stored and answered."""

    __tablename__ = "products"

    id: int = Field(default=None, primary_key=True)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Create the tables that are not there yet."""
    SQLModel.metadata.create_all(engine)  # Step 5: what if the database is away?
    yield


def get_session() -> Iterator[Session]:
    """Give each request a session of its own."""
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]


def save(session: Session, row: Any) -> Any:
    """Store a row."""
    session.add(row)
    session.commit()
    session.refresh(row)
    return row


app = FastAPI(title="Errors", lifespan=lifespan)

# Step 5: GET /health


@app.post("/users", status_code=201)
def create_user(data: UserCreate, session: SessionDep) -> User:
    """Store a user, with a hash in the place of the password."""
    hashed = PasswordHash.recommended().hash(data.password)
    return save(session, User.model_validate(data, update={"hashed_password": hashed}))


@app.get("/users/{user_id}")
def read_user(user_id: int, session: SessionDep) -> User:
    """Read one user."""
    return session.get_one(User, user_id)


@app.post("/categories", status_code=201)
def create_category(data: CategoryCreate, session: SessionDep) -> Category:
    """Store a category."""
    return save(session, Category.model_validate(data))


@app.delete("/categories/{category_id}", status_code=204)
def delete_category(category_id: int, session: SessionDep) -> None:
    """Delete a category."""
    session.delete(session.get_one(Category, category_id))
    session.commit()


@app.post("/products", status_code=201)
def create_product(data: ProductCreate, session: SessionDep) -> Product:
    """Store a product."""
    return save(session, Product.model_validate(data))


@app.get("/products/{product_id}")
def read_product(product_id: int, session: SessionDep) -> Product:
    """Read one product."""
    return session.get_one(Product, product_id)


# Step 3: POST /products/{product_id}/stock
