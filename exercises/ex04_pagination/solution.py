"""Users in lists: a window, filters, a search, and pages with totals."""

import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Generic, TypeVar

from fastapi import Depends, FastAPI, HTTPException, Path, Query
from pydantic import BaseModel
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, col, create_engine, func, or_, select

engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///./app.db"))
T = TypeVar("T")
LAST = 1_000_000  # an OFFSET of 20 digits is too large for a database
Age = Annotated[int | None, Query(ge=0, le=150)]
UserId = Annotated[int, Path(ge=1, le=2_147_483_647)]  # what an INTEGER column holds


class UserCreate(SQLModel):
    """What a client sends."""

    name: str = Field(min_length=2, max_length=50)
    email: str = Field(min_length=3, max_length=254, unique=True)
    age: int = Field(ge=0, le=150, index=True)


class User(UserCreate, table=True):
    """What is stored, and what is answered."""

    __tablename__ = "users"

    id: int = Field(default=None, primary_key=True)


class Page(BaseModel, Generic[T]):
    """One page of a list and its place in the whole."""

    items: Sequence[T]
    total: int
    page: int
    page_size: int
    total_pages: int
    has_next: bool
    has_previous: bool


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

app = FastAPI(title="Pagination", lifespan=lifespan)


@app.post("/users", status_code=201)
def create_user(data: UserCreate, session: SessionDep) -> User:
    """Store a new user."""
    user = User.model_validate(data)
    session.add(user)
    try:
        session.commit()
    except IntegrityError:
        session.rollback()
        raise HTTPException(409, "Email already registered") from None
    session.refresh(user)
    return user


@app.get("/users")
def list_users(
    session: SessionDep,
    skip: Annotated[int, Query(ge=0, le=LAST)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
    min_age: Age = None,
    max_age: Age = None,
    search: str | None = None,
) -> Sequence[User]:
    """List by id the users that fit every filter that is given."""
    statement = select(User)
    if min_age is not None:
        statement = statement.where(col(User.age) >= min_age)
    if max_age is not None:
        statement = statement.where(col(User.age) <= max_age)
    if search is not None:
        columns = (col(User.name), col(User.email))
        found = (column.icontains(search, autoescape=True) for column in columns)
        statement = statement.where(or_(*found))
    statement = statement.order_by(col(User.id)).offset(skip).limit(limit)
    return session.exec(statement).all()


@app.get("/users/page")
def read_page(
    session: SessionDep,
    page: Annotated[int, Query(ge=1, le=LAST)] = 1,
    page_size: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Page[User]:
    """Read one page of the users, newest first."""
    newest = select(User).order_by(col(User.id).desc())
    items = session.exec(newest.offset((page - 1) * page_size).limit(page_size)).all()
    total = session.exec(select(func.count()).select_from(User)).one()
    total_pages = -(-total // page_size)  # rounded up
    return Page(
        items=items,
        total=total,
        page=page,
        page_size=page_size,
        total_pages=total_pages,
        has_next=page < total_pages,
        has_previous=page > 1,
    )


@app.get("/users/{user_id}")
def read_user(user_id: UserId, session: SessionDep) -> User:
    """Read one user."""
    user = session.get(User, user_id)
    if user is None:
        raise HTTPException(404, "User not found")
    return user
