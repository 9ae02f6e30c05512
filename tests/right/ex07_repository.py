"""Exercise 07 with a repository: one class knows the SQL, and which rows are visible."""

import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Query, Request
from fastapi.responses import JSONResponse
from pydantic import AfterValidator
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, col, create_engine, select

engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///./app.db"))
Email = Annotated[str, AfterValidator(lambda email: email.strip().lower())]


class UserIn(SQLModel):
    name: str = Field(min_length=2, max_length=50)
    email: Email = Field(min_length=3, max_length=254, unique=True)


class User(UserIn, table=True):
    __tablename__ = "users"

    id: int | None = Field(default=None, primary_key=True)
    deleted_at: datetime | None = None
    is_active: bool = True


class UserChange(SQLModel):
    name: str | None = Field(default=None, min_length=2, max_length=50)
    email: Email | None = Field(default=None, min_length=3, max_length=254)


class NotFound(Exception):
    pass


class Taken(Exception):
    pass


class Users:
    def __init__(self, session: Session) -> None:
        self.session = session

    def all(self, skip: int, limit: int, deleted: bool, active: bool = False) -> Sequence[User]:
        statement = select(User).order_by(col(User.id)).offset(skip).limit(limit)
        if not deleted:
            statement = statement.where(col(User.deleted_at).is_(None))
        if active:
            statement = statement.where(col(User.is_active))
        return self.session.exec(statement).all()

    def get(self, user_id: int, deleted: bool = False) -> User:
        user = self.session.get(User, user_id)
        if user is None or (user.deleted_at is not None and not deleted):
            raise NotFound
        return user

    def put(self, user: User) -> User:
        self.session.add(user)
        try:
            self.session.flush()
        except IntegrityError:
            raise Taken from None
        return user

    def hide(self, user_id: int) -> User:
        user = self.get(user_id)
        user.deleted_at, user.is_active = datetime.now(UTC), False
        return self.put(user)

    def show(self, user_id: int) -> User:
        user = self.get(user_id, deleted=True)
        if user.deleted_at is not None:
            user.deleted_at, user.is_active = None, True
        return self.put(user)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    SQLModel.metadata.create_all(engine)
    yield


def get_users() -> Iterator[Users]:
    with Session(engine, expire_on_commit=False) as session, session.begin():
        yield Users(session)


UsersDep = Annotated[Users, Depends(get_users, scope="function")]
Limit = Annotated[int, Query(ge=1, le=100)]
app = FastAPI(lifespan=lifespan)


@app.exception_handler(NotFound)
def not_found(request: Request, error: NotFound) -> JSONResponse:
    return JSONResponse({"detail": "User not found"}, 404)


@app.exception_handler(Taken)
def taken(request: Request, error: Taken) -> JSONResponse:
    return JSONResponse({"detail": "Email already registered"}, 409)


@app.post("/users", status_code=201)
def create_user(data: UserIn, users: UsersDep) -> User:
    return users.put(User.model_validate(data))


@app.get("/users")
def list_users(
    users: UsersDep, skip: int = 0, limit: Limit = 10, include_deleted: bool = False
) -> Sequence[User]:
    return users.all(skip, limit, include_deleted)


@app.get("/users/active")
def list_active_users(users: UsersDep, skip: int = 0, limit: Limit = 10) -> Sequence[User]:
    return users.all(skip, limit, deleted=False, active=True)


@app.get("/users/{user_id}")
def read_user(user_id: int, users: UsersDep) -> User:
    return users.get(user_id)


@app.patch("/users/{user_id}")
def update_user(user_id: int, data: UserChange, users: UsersDep) -> User:
    changes = data.model_dump(exclude_unset=True)
    if None in changes.values():
        raise HTTPException(422, "null is no value")
    user = users.get(user_id)
    user.sqlmodel_update(changes)
    return users.put(user)


@app.delete("/users/{user_id}/soft")
def soft_delete_user(user_id: int, users: UsersDep) -> User:
    return users.hide(user_id)


@app.post("/users/{user_id}/restore")
def restore_user(user_id: int, users: UsersDep) -> User:
    return users.show(user_id)
