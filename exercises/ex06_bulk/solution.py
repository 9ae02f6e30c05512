"""Users in bulk: create many or none of them, deactivate many in one statement."""

import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Body, Depends, FastAPI, HTTPException, Path, Query
from pydantic import BeforeValidator, StrictInt
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, col, create_engine, select, update

engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///./app.db"))


def tidy(value: object) -> object:
    """Give an address the one form in which it is stored and compared."""
    return value.strip().lower() if isinstance(value, str) else value


Email = Annotated[str, BeforeValidator(tidy)]
UserId = Annotated[int, Path(ge=1, le=2_147_483_647)]  # what an INTEGER column holds
ListedId = Annotated[StrictInt, Field(le=2_147_483_647)]  # true is no id


class UserCreate(SQLModel):
    """What a client sends."""

    name: str = Field(min_length=2, max_length=50)
    email: Email = Field(min_length=3, max_length=254, unique=True)


class User(UserCreate, table=True):
    """What is stored, and what is answered."""

    __tablename__ = "users"

    id: int = Field(default=None, primary_key=True)
    is_active: bool = True


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Create the tables that are not there yet."""
    SQLModel.metadata.create_all(engine)
    yield


def get_session() -> Iterator[Session]:
    """Give each request a session of its own, whose objects stay filled after the commit."""
    with Session(engine, expire_on_commit=False) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]
NewUsers = Annotated[list[UserCreate], Body(max_length=1000)]
UserIds = Annotated[list[ListedId], Body(embed=True, max_length=1000)]


def save(session: Session, *users: User) -> None:
    """Insert the users in one transaction; the unique constraint decides for all of them."""
    session.add_all(users)
    try:
        session.commit()
    except IntegrityError:
        session.rollback()
        raise HTTPException(409, "Email already registered, or twice in the list") from None


app = FastAPI(title="Users in bulk", lifespan=lifespan)


@app.post("/users", status_code=201)
def create_user(data: UserCreate, session: SessionDep) -> User:
    """Store a new user."""
    user = User.model_validate(data)
    save(session, user)
    return user


@app.post("/users/bulk", status_code=201)
def create_users(data: NewUsers, session: SessionDep) -> list[User]:
    """Store many users, or none of them."""
    users = [User.model_validate(one) for one in data]
    save(session, *users)
    return users


@app.get("/users")
def list_users(
    session: SessionDep,
    skip: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
) -> Sequence[User]:
    """List users by id."""
    return session.exec(select(User).order_by(col(User.id)).offset(skip).limit(limit)).all()


@app.get("/users/{user_id}")
def read_user(user_id: UserId, session: SessionDep) -> User:
    """Read one user."""
    user = session.get(User, user_id)
    if user is None:
        raise HTTPException(404, "User not found")
    return user


@app.patch("/users/bulk/deactivate")
def deactivate_users(user_ids: UserIds, session: SessionDep) -> dict[str, int]:
    """Deactivate those of the users who are active, and count them."""
    active = update(User).where(col(User.id).in_(user_ids), col(User.is_active))
    count = session.exec(active.values(is_active=False)).rowcount
    session.commit()
    return {"deactivated_count": count}
