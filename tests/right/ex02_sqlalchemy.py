"""Products with plain SQLAlchemy and pydantic schemas; lists in parts, prices as text."""

import os
from decimal import Decimal

from fastapi import Depends, FastAPI, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ForeignKey, Numeric, String, create_engine, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    joinedload,
    mapped_column,
    relationship,
    sessionmaker,
)

engine = create_engine(os.environ["DATABASE_URL"])
SessionLocal = sessionmaker(engine, autoflush=False)


class Base(DeclarativeBase):
    pass


class Category(Base):
    __tablename__ = "categories"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50), unique=True)

    products: Mapped[list["Product"]] = relationship(back_populates="category")


class Product(Base):
    __tablename__ = "products"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), index=True)
    price: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    stock: Mapped[int] = mapped_column(default=0)
    category_id: Mapped[int] = mapped_column(ForeignKey("categories.id"))

    category: Mapped[Category] = relationship(back_populates="products")


Base.metadata.create_all(engine)


class CategoryIn(BaseModel):
    name: str = Field(min_length=1, max_length=50)


class CategoryOut(CategoryIn):
    model_config = ConfigDict(from_attributes=True)

    id: int


class Cents(BaseModel):
    price: Decimal = Field(ge=Decimal("0.01"), le=Decimal("99999999.99"), decimal_places=2)


class ProductIn(Cents):
    name: str = Field(min_length=1, max_length=200)
    stock: int = Field(0, ge=0, le=2**31 - 1)
    category_id: int


class ProductOut(ProductIn):
    model_config = ConfigDict(from_attributes=True)

    id: int


class ProductDetail(ProductOut):
    category: CategoryOut


class ProductUpdate(BaseModel):
    price: Decimal | None = Field(
        None, ge=Decimal("0.01"), le=Decimal("99999999.99"), decimal_places=2
    )
    stock: int | None = Field(None, ge=0, le=2**31 - 1)


class ProductList(BaseModel):
    total: int
    products: list[ProductOut]


def get_db():
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()


app = FastAPI()


@app.post("/categories/", response_model=CategoryOut, status_code=201)
def create_category(data: CategoryIn, db: Session = Depends(get_db)):
    category = Category(**data.model_dump())
    db.add(category)
    try:
        db.commit()
    except IntegrityError:
        db.rollback()
        raise HTTPException(status_code=400, detail="Category already exists") from None
    return category


@app.get("/categories/", response_model=list[CategoryOut])
def list_categories(db: Session = Depends(get_db)):
    return db.scalars(select(Category).order_by(Category.name)).all()


@app.post("/products/", response_model=ProductDetail, status_code=201)
def create_product(data: ProductIn, db: Session = Depends(get_db)):
    if not db.get(Category, data.category_id):
        raise HTTPException(status_code=404, detail="Category not found")
    product = Product(**data.model_dump())
    db.add(product)
    db.commit()
    return product


@app.get("/products/", response_model=ProductList)
def list_products(
    skip: int = 0,
    limit: int = Query(20, le=100),
    category_id: int | None = None,
    min_price: float | None = None,
    max_price: float | None = None,
    in_stock: bool = False,
    db: Session = Depends(get_db),
):
    query = select(Product)
    if category_id:
        query = query.filter_by(category_id=category_id)
    if min_price is not None:
        query = query.where(Product.price >= Decimal(str(min_price)))
    if max_price is not None:
        query = query.where(Product.price <= Decimal(str(max_price)))
    if in_stock:
        query = query.where(Product.stock > 0)
    total = db.scalar(select(func.count()).select_from(query.subquery()))
    page = query.order_by(Product.price, Product.id).offset(skip).limit(limit)
    return {"total": total, "products": db.scalars(page).all()}


def find(product_id: int, db: Session = Depends(get_db)) -> Product:
    product = db.get(Product, product_id, options=[joinedload(Product.category)])
    if product is None:
        raise HTTPException(status_code=404, detail="Product not found")
    return product


@app.get("/products/{product_id}", response_model=ProductDetail)
def read_product(product: Product = Depends(find)):
    return product


@app.patch("/products/{product_id}", response_model=ProductDetail)
def update_product(
    data: ProductUpdate, product: Product = Depends(find), db: Session = Depends(get_db)
):
    for field, value in data.model_dump(exclude_none=True).items():
        setattr(product, field, value)
    db.commit()
    db.refresh(product)
    return product


@app.delete("/products/{product_id}", status_code=204)
def delete_product(product: Product = Depends(find), db: Session = Depends(get_db)):
    db.delete(product)
    db.commit()
