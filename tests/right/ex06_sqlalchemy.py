"""Exercise 06 in plain SQLAlchemy with schemas: one INSERT with RETURNING for the whole list."""

import os
from collections.abc import Iterator, Sequence

from fastapi import Depends, FastAPI, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field, field_validator
from sqlalchemy import String, create_engine, insert, select, true, update
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
    is_active: Mapped[bool] = mapped_column(default=True, server_default=true())


class UserIn(BaseModel):
    name: str = Field(min_length=2, max_length=50)
    email: str = Field(min_length=3, max_length=254)

    @field_validator("email")
    @classmethod
    def tidy(cls, email: str) -> str:
        return email.strip().lower()


class UserOut(UserIn):
    model_config = ConfigDict(from_attributes=True)

    id: int
    is_active: bool


class UsersOut(BaseModel):
    users: list[UserOut]


class Ids(BaseModel):
    user_ids: list[int]


def get_db() -> Iterator[Session]:
    with new_session() as db:
        yield db


def create(db: Session, rows: list[UserIn]) -> list[UserOut]:
    if not rows:
        return []
    statement = insert(User).returning(User, sort_by_parameter_order=True)
    try:
        users = db.scalars(statement, [row.model_dump() for row in rows]).all()
        answer = [UserOut.model_validate(user) for user in users]
        db.commit()
    except IntegrityError as error:
        db.rollback()
        raise HTTPException(400, "Email already registered") from error
    return answer


Base.metadata.create_all(engine)
app = FastAPI()


@app.post("/users", status_code=201)
def create_user(data: UserIn, db: Session = Depends(get_db)) -> UserOut:
    return create(db, [data])[0]


@app.post("/users/bulk", status_code=201)
def create_users(data: list[UserIn], db: Session = Depends(get_db)) -> UsersOut:
    return UsersOut(users=create(db, data))


@app.get("/users", response_model=list[UserOut])
def list_users(
    skip: int = Query(0, ge=0), limit: int = Query(10, le=100), db: Session = Depends(get_db)
) -> Sequence[User]:
    return db.scalars(select(User).order_by(User.id).offset(skip).limit(limit)).all()


@app.get("/users/{user_id}", response_model=UserOut)
def read_user(user_id: int, db: Session = Depends(get_db)) -> User:
    user = db.get(User, user_id)
    if user is None:
        raise HTTPException(404, "User not found")
    return user


@app.patch("/users/bulk/deactivate")
def deactivate_users(data: Ids, db: Session = Depends(get_db)) -> dict[str, int]:
    active = update(User).where(User.id.in_(data.user_ids), User.is_active)
    users = db.scalars(active.values(is_active=False).returning(User.id)).all()
    db.commit()
    return {"deactivated_count": len(users)}
