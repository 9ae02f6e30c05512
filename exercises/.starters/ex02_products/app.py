"""Exercise 02: products. The steps are in README.md; replace each 501 by the route's work."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from sqlmodel import Field, Session, SQLModel, create_engine

engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///./app.db"))


class CategoryCreate(SQLModel):
    """What a client sends."""

    # Step 1: the name, which is there only once


class Category(CategoryCreate):
    """What is stored, and what is answered: the input and what the database adds."""

    # Step 1: `class Category(CategoryCreate, table=True)`, when the name is written. app.db, made
    # at the first start, would otherwise hold a table without it.
    __tablename__ = "categories"

    id: int = Field(default=None, primary_key=True)


class ProductCreate(SQLModel):
    """What a client sends."""

    # Step 2: name, price, stock and category_id; step 6: their bounds


class Product(ProductCreate):
    """What is stored, and what most routes answer."""

    # Step 2: `class Product(ProductCreate, table=True)`, when the fields above are written
    __tablename__ = "products"

    id: int = Field(default=None, primary_key=True)

    # Step 2: the category, as a Relationship


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Create the tables that are not there yet."""
    SQLModel.metadata.create_all(engine)
    yield


def get_session() -> Iterator[Session]:
    """Give each request a session of its own."""
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]

app = FastAPI(title="Products", lifespan=lifespan)


@app.post("/categories", status_code=201)
def create_category(data: CategoryCreate, session: SessionDep) -> Category:
    """Store a new category."""
    # Step 1: store it, and refuse a name that is taken
    raise HTTPException(501, "Step 1 is yet to be written")


# Step 1: GET /categories


@app.post("/products", status_code=201)
def create_product(data: ProductCreate, session: SessionDep) -> Product:
    """Store a new product."""
    # Step 2: is the category there? Then store the product
    raise HTTPException(501, "Step 2 is yet to be written")


@app.get("/products/{product_id}")
def read_product(product_id: int, session: SessionDep) -> Product:
    """Read one product with its category."""
    # Step 2
    raise HTTPException(501, "Step 2 is yet to be written")


# Step 3: GET /products
# Step 4: PATCH /products/{product_id}
# Step 5: DELETE /products/{product_id}
