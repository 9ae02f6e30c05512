"""Exercise 04 in plain SQLAlchemy with schemas, and a total beside each list."""

import math
import os
from collections.abc import Iterator

from fastapi import Depends, FastAPI, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import CheckConstraint, Select, String, create_engine, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///./app.db"))
new_session = sessionmaker(engine)


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    __table_args__ = (CheckConstraint("age BETWEEN 0 AND 150"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50), index=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    age: Mapped[int] = mapped_column(index=True)


class UserIn(BaseModel):
    name: str = Field(min_length=2, max_length=50)
    email: str = Field(min_length=3, max_length=254)
    age: int = Field(ge=0, le=150)


class UserOut(UserIn):
    model_config = ConfigDict(from_attributes=True)

    id: int


class UserList(BaseModel):
    total: int
    skip: int
    limit: int
    users: list[UserOut]


class UserPage(BaseModel):
    items: list[UserOut]
    total: int
    page: int
    page_size: int
    total_pages: int
    has_next: bool
    has_previous: bool


def get_db() -> Iterator[Session]:
    db = new_session()
    try:
        yield db
    finally:
        db.close()


def count(db: Session, statement: Select[User]) -> int:
    return db.scalar(select(func.count()).select_from(statement.subquery())) or 0


Base.metadata.create_all(engine)
app = FastAPI()


@app.post("/users", response_model=UserOut, status_code=201)
def create_user(data: UserIn, db: Session = Depends(get_db)) -> User:
    user = User(**data.model_dump())
    db.add(user)
    try:
        db.commit()
    except IntegrityError:
        db.rollback()
        raise HTTPException(400, "Email already registered") from None
    db.refresh(user)
    return user


@app.get("/users", response_model=UserList)
def list_users(
    skip: int = Query(0, ge=0),
    limit: int = Query(10, ge=1, le=100),
    min_age: int | None = None,
    max_age: int | None = None,
    search: str = "",
    db: Session = Depends(get_db),
) -> dict[str, object]:
    statement = select(User)
    if min_age is not None:
        statement = statement.filter(User.age >= min_age)
    if max_age is not None:
        statement = statement.filter(User.age <= max_age)
    for sign in "!%_":
        search = search.replace(sign, f"!{sign}")
    term = f"%{search}%"
    found = or_(User.name.ilike(term, escape="!"), User.email.ilike(term, escape="!"))
    statement = statement.filter(found)
    users = db.scalars(statement.order_by(User.id).offset(skip).limit(limit)).all()
    return {"total": count(db, statement), "skip": skip, "limit": limit, "users": users}


@app.get("/users/page", response_model=UserPage)
def read_page(
    page: int = Query(1, ge=1),
    page_size: int = Query(20, ge=1, le=100),
    db: Session = Depends(get_db),
) -> dict[str, object]:
    total = count(db, select(User))
    total_pages = math.ceil(total / page_size)
    if page > max(total_pages, 1):
        raise HTTPException(404, "There is no such page")
    newest = select(User).order_by(User.id.desc())
    users = db.scalars(newest.offset((page - 1) * page_size).limit(page_size)).all()
    return {
        "items": users,
        "total": total,
        "page": page,
        "page_size": page_size,
        "total_pages": total_pages,
        "has_next": page < total_pages,
        "has_previous": page > 1,
    }


@app.get("/users/{user_id}", response_model=UserOut)
def read_user(user_id: int, db: Session = Depends(get_db)) -> User:
    user = db.get(User, user_id)
    if user is None:
        raise HTTPException(404, "User not found")
    return user
