"""Exercise 07 in plain SQLAlchemy with schemas: rows are loaded and changed."""

import os
from collections.abc import Iterator, Sequence
from datetime import datetime

from fastapi import Depends, FastAPI, HTTPException, Query, Response
from pydantic import BaseModel, ConfigDict, Field, field_validator
from sqlalchemy import DateTime, String, create_engine, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///./app.db"))
new_session = sessionmaker(engine)


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50))
    email: Mapped[str] = mapped_column(String(254), unique=True)
    is_active: Mapped[bool] = mapped_column(default=True)
    deleted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class UserIn(BaseModel):
    name: str = Field(min_length=2, max_length=50)
    email: str = Field(min_length=3, max_length=254)

    @field_validator("email")
    @classmethod
    def tidy(cls, email: str) -> str:
        return email.strip().lower()


class UserChange(UserIn):
    name: str = Field(default="", min_length=2, max_length=50)
    email: str = Field(default="", min_length=3, max_length=254)


class UserOut(UserIn):
    model_config = ConfigDict(from_attributes=True)

    id: int
    is_active: bool
    deleted_at: datetime | None


def get_db() -> Iterator[Session]:
    with new_session() as db:
        yield db


def find(db: Session, user_id: int, deleted: bool = False) -> User:
    user = db.get(User, user_id)
    if user is None or (user.deleted_at and not deleted):
        raise HTTPException(404, "User not found")
    return user


def commit(db: Session, user: User) -> User:
    try:
        db.commit()
    except IntegrityError:
        db.rollback()
        raise HTTPException(400, "Email already registered") from None
    db.refresh(user)
    return user


Base.metadata.create_all(engine)
app = FastAPI()


@app.post("/users", response_model=UserOut, status_code=201)
def create_user(data: UserIn, db: Session = Depends(get_db)) -> User:
    user = User(**data.model_dump())
    db.add(user)
    return commit(db, user)


@app.get("/users", response_model=list[UserOut])
def list_users(
    skip: int = Query(0, ge=0),
    limit: int = Query(10, ge=1, le=100),
    include_deleted: bool = False,
    db: Session = Depends(get_db),
) -> Sequence[User]:
    users = select(User).order_by(User.id).offset(skip).limit(limit)
    if not include_deleted:
        users = users.where(User.deleted_at == None)  # noqa: E711 - SQL's IS NULL
    return db.scalars(users).all()


@app.get("/users/active", response_model=list[UserOut])
def list_active_users(db: Session = Depends(get_db)) -> Sequence[User]:
    users = select(User).where(User.is_active, User.deleted_at.is_(None))
    return db.scalars(users.order_by(User.name)).all()


@app.get("/users/{user_id}", response_model=UserOut)
def read_user(user_id: int, db: Session = Depends(get_db)) -> User:
    return find(db, user_id)


@app.patch("/users/{user_id}", response_model=UserOut)
def update_user(user_id: int, data: UserChange, db: Session = Depends(get_db)) -> User:
    user = find(db, user_id)
    for name, value in data.model_dump(exclude_unset=True).items():
        setattr(user, name, value)
    return commit(db, user)


@app.delete("/users/{user_id}/soft", status_code=204)
def soft_delete_user(user_id: int, db: Session = Depends(get_db)) -> Response:
    user = find(db, user_id, deleted=True)
    if user.deleted_at is None:
        user.deleted_at, user.is_active = func.now(), False
    db.commit()
    return Response(status_code=204)


@app.post("/users/{user_id}/restore")
def restore_user(user_id: int, db: Session = Depends(get_db)) -> dict[str, str]:
    user = find(db, user_id, deleted=True)
    if user.deleted_at is None:
        raise HTTPException(409, "The user is not deleted")
    user.deleted_at, user.is_active = None, True
    db.commit()
    return {"message": "restored"}
