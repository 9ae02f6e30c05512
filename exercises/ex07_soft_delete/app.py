"""Exercise 07: soft delete. The steps are in README.md; replace the 501 by the route's work."""

import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Path, Query
from pydantic import BeforeValidator
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, col, create_engine, select

engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///./app.db"))


def tidy(value: object) -> object:
    """Give an address the one form in which it is stored and compared."""
    return value.strip().lower() if isinstance(value, str) else value


Email = Annotated[str, BeforeValidator(tidy)]


class UserCreate(SQLModel):
    """What a client sends."""

    name: str = Field(min_length=2, max_length=50)
    email: Email = Field(min_length=3, max_length=254, unique=True)


class User(UserCreate, table=True):
    """What is stored, and what is answered."""

    __tablename__ = "users"

    id: int = Field(default=None, primary_key=True)
    is_active: bool = True
    # Step 1: deleted_at


class UserUpdate(SQLModel):
    """What a client may change; no field takes null."""

    name: str = Field(default=None, min_length=2, max_length=50)
    email: Email = Field(default=None, min_length=3, max_length=254)


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
UserId = Annotated[int, Path(ge=1, le=2_147_483_647)]  # what an INTEGER column holds
Skip = Annotated[int, Query(ge=0, le=1_000_000)]
Limit = Annotated[int, Query(ge=1, le=100)]


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


app = FastAPI(title="Soft delete", lifespan=lifespan)


@app.post("/users", status_code=201)
def create_user(data: UserCreate, session: SessionDep) -> User:
    """Store a new user."""
    return save(session, User.model_validate(data))


@app.get("/users")
def list_users(session: SessionDep, skip: Skip = 0, limit: Limit = 10) -> Sequence[User]:
    """List users by id."""
    # Step 1: include_deleted
    return session.exec(select(User).order_by(col(User.id)).offset(skip).limit(limit)).all()


# Step 2: GET /users/active


@app.get("/users/{user_id}")
def read_user(user: UserDep) -> User:
    """Read one user."""
    return user


@app.patch("/users/{user_id}")
def update_user(user: UserDep, data: UserUpdate, session: SessionDep) -> User:
    """Change the fields that are sent."""
    user.sqlmodel_update(data.model_dump(exclude_unset=True))
    return save(session, user)


@app.delete("/users/{user_id}/soft")
def soft_delete_user(user_id: UserId, session: SessionDep) -> dict[str, str]:
    """Hide a user and keep the row."""
    # Step 1
    raise HTTPException(501, "Step 1 is yet to be written")


# Step 3: POST /users/{user_id}/restore
