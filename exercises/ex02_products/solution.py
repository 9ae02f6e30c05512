"""Products in categories: create, read, list with filters, update and delete them."""

import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Annotated

import pydantic
from fastapi import Depends, FastAPI, HTTPException, Path, Query
from pydantic import PlainSerializer
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Relationship, Session, SQLModel, col, create_engine, select

engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///./app.db"))

# Exact in Python and in its NUMERIC(10, 2) column; a number in JSON, where Decimal would be text.
Price = Annotated[
    Decimal,
    pydantic.Field(gt=0, max_digits=10, decimal_places=2),
    PlainSerializer(float, when_used="json"),
]
MAX_INTEGER = 2_147_483_647  # what an INTEGER column holds
Stock = Annotated[int, pydantic.Field(ge=0, le=MAX_INTEGER)]


class CategoryCreate(SQLModel):
    """What a client sends."""

    name: str = Field(min_length=1, max_length=50, unique=True)


class Category(CategoryCreate, table=True):
    """What is stored, and what is answered."""

    __tablename__ = "categories"

    id: int = Field(default=None, primary_key=True)


class ProductCreate(SQLModel):
    """What a client sends."""

    name: str = Field(min_length=1, max_length=100)
    price: Price
    stock: Stock = 0
    category_id: int | None = Field(
        default=None, ge=1, le=MAX_INTEGER, foreign_key="categories.id", index=True
    )


class Product(ProductCreate, table=True):
    """What is stored, and what most routes answer."""

    __tablename__ = "products"

    id: int = Field(default=None, primary_key=True)

    category: Category | None = Relationship()


class ProductWithCategory(ProductCreate):
    """What is answered where the category is wanted too."""

    id: int
    category: Category | None


class ProductUpdate(SQLModel):
    """What a client may change; no field takes null."""

    price: Price = Field(default=None)
    stock: Stock = Field(default=None)


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


def get_product(
    product_id: Annotated[int, Path(ge=1, le=MAX_INTEGER)], session: SessionDep
) -> Product:
    """Find the product that the path names."""
    product = session.get(Product, product_id)
    if product is None:
        raise HTTPException(404, "Product not found")
    return product


ProductDep = Annotated[Product, Depends(get_product)]


def save(session: Session, product: Product) -> Product:
    """Commit the product; give it as the database has it."""
    session.add(product)
    session.commit()
    session.refresh(product)
    return product


app = FastAPI(title="Products", lifespan=lifespan)


@app.post("/categories", status_code=201)
def create_category(data: CategoryCreate, session: SessionDep) -> Category:
    """Store a new category; the unique constraint decides whether the name is free."""
    category = Category.model_validate(data)
    session.add(category)
    try:
        session.commit()
    except IntegrityError:
        session.rollback()
        raise HTTPException(409, "Category already exists") from None
    session.refresh(category)
    return category


@app.get("/categories")
def list_categories(session: SessionDep) -> Sequence[Category]:
    """List all categories by id."""
    return session.exec(select(Category).order_by(col(Category.id))).all()


@app.post("/products", status_code=201)
def create_product(data: ProductCreate, session: SessionDep) -> Product:
    """Store a new product."""
    if data.category_id is not None and session.get(Category, data.category_id) is None:
        raise HTTPException(404, "Category not found")
    return save(session, Product.model_validate(data))


@app.get("/products")
def list_products(
    session: SessionDep,
    category_id: Annotated[int | None, Query(ge=1, le=MAX_INTEGER)] = None,
    min_price: Decimal | None = None,
    max_price: Decimal | None = None,
    in_stock: bool | None = None,
) -> Sequence[Product]:
    """List the products that fit every filter that is given, by id."""
    statement = select(Product).order_by(col(Product.id))
    if category_id is not None:
        statement = statement.where(col(Product.category_id) == category_id)
    if min_price is not None:
        statement = statement.where(col(Product.price) >= min_price)
    if max_price is not None:
        statement = statement.where(col(Product.price) <= max_price)
    if in_stock is not None:
        statement = statement.where((col(Product.stock) > 0) == in_stock)
    return session.exec(statement).all()


@app.get("/products/{product_id}", response_model=ProductWithCategory)
def read_product(product: ProductDep) -> Product:
    """Read one product with its category."""
    return product


@app.patch("/products/{product_id}")
def update_product(product: ProductDep, data: ProductUpdate, session: SessionDep) -> Product:
    """Change the fields that are sent."""
    product.sqlmodel_update(data.model_dump(exclude_unset=True))
    return save(session, product)


@app.delete("/products/{product_id}", status_code=204)
def delete_product(product: ProductDep, session: SessionDep) -> None:
    """Delete a product."""
    session.delete(product)
    session.commit()
