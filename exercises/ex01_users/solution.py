"""Users: create, read, list, search, update and delete them."""

import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Path, Query
from pydantic import BeforeValidator, EmailStr
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, col, create_engine, select

engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///./app.db"))


def tidy(value: object) -> object:
    """Give an address the one form in which it is stored and compared."""
    return value.strip().lower() if isinstance(value, str) else value


Email = Annotated[EmailStr, BeforeValidator(tidy)]
UserId = Annotated[int, Path(ge=1, le=2_147_483_647)]


class UserCreate(SQLModel):
    """What a client sends."""

    name: str = Field(min_length=2, max_length=50)
    email: Email = Field(unique=True)
    age: int = Field(ge=0, le=150)
    city: str = "Unknown"


class User(UserCreate, table=True):
    """What is stored, and what is answered."""

    __tablename__ = "users"

    id: int = Field(default=None, primary_key=True)


class UserUpdate(SQLModel):
    """What a client may change; no field takes null."""

    name: str = Field(default=None, min_length=2, max_length=50)
    email: Email = Field(default=None)
    age: int = Field(default=None, ge=0, le=150)
    city: str = Field(default=None)


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


def get_user(user_id: UserId, session: SessionDep) -> User:
    """Find the user that the path names."""
    user = session.get(User, user_id)
    if user is None:
        raise HTTPException(404, "User not found")
    return user


UserDep = Annotated[User, Depends(get_user)]


def save(session: Session, user: User) -> User:
    """Commit the user; the unique constraint decides whether the address is free."""
    session.add(user)
    try:
        session.commit()
    except IntegrityError:
        session.rollback()
        raise HTTPException(409, "Email already registered") from None
    session.refresh(user)
    return user


app = FastAPI(title="Users", lifespan=lifespan)


@app.post("/users", status_code=201)
def create_user(data: UserCreate, session: SessionDep) -> User:
    """Store a new user."""
    return save(session, User.model_validate(data))


@app.get("/users")
def list_users(
    session: SessionDep,
    skip: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
) -> Sequence[User]:
    """List users by id."""
    statement = select(User).order_by(col(User.id))
    return session.exec(statement.offset(skip).limit(limit)).all()


@app.get("/users/search")
def search_users(session: SessionDep, name: str = "", city: str = "") -> Sequence[User]:
    """Find users by parts of their name and city."""
    statement = select(User).where(
        col(User.name).icontains(name, autoescape=True),
        col(User.city).icontains(city, autoescape=True),
    )
    return session.exec(statement.order_by(col(User.id))).all()


@app.get("/users/{user_id}")
def read_user(user: UserDep) -> User:
    """Read one user."""
    return user


@app.patch("/users/{user_id}")
def update_user(user: UserDep, data: UserUpdate, session: SessionDep) -> User:
    """Change the fields that are sent."""
    user.sqlmodel_update(data.model_dump(exclude_unset=True))
    return save(session, user)


@app.delete("/users/{user_id}", status_code=204)
def delete_user(user: UserDep, session: SessionDep) -> None:
    """Delete a user."""
    session.delete(user)
    session.commit()
