"""Users with plain SQLAlchemy and pydantic schemas."""

import os

from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict, Field, field_validator
from sqlalchemy import String, create_engine, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

engine = create_engine(os.environ["DATABASE_URL"])
SessionLocal = sessionmaker(engine, autoflush=False)


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50))
    email: Mapped[str] = mapped_column(String(254), unique=True, index=True)
    age: Mapped[int]
    city: Mapped[str] = mapped_column(default="Unknown")


Base.metadata.create_all(engine)


class Tidy(BaseModel):
    @field_validator("email", mode="after", check_fields=False)
    @classmethod
    def tidy(cls, email: str | None) -> str | None:
        return email and email.strip().lower()


class UserCreate(Tidy):
    name: str = Field(min_length=2, max_length=50)
    email: str
    age: int = Field(ge=0, le=150)
    city: str = "Unknown"


class UserUpdate(Tidy):
    name: str | None = Field(None, min_length=2, max_length=50)
    email: str | None = None
    age: int | None = Field(None, ge=0, le=150)
    city: str | None = None


class UserOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    email: str
    age: int
    city: str


def get_db():
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()


def find(user_id: int, db: Session = Depends(get_db)) -> User:
    user = db.get(User, user_id)
    if not user:
        raise HTTPException(status_code=404, detail="User not found")
    return user


def commit(db: Session) -> None:
    try:
        db.commit()
    except IntegrityError:
        db.rollback()
        raise HTTPException(status_code=400, detail="Email already registered") from None


app = FastAPI()


@app.post("/users", response_model=UserOut, status_code=201)
def create_user(data: UserCreate, db: Session = Depends(get_db)):
    user = User(**data.model_dump())
    db.add(user)
    commit(db)
    db.refresh(user)
    return user


@app.get("/users", response_model=list[UserOut])
def list_users(skip: int = 0, limit: int = 10, db: Session = Depends(get_db)):
    return db.scalars(select(User).order_by(User.id).offset(skip).limit(limit)).all()


@app.get("/users/search", response_model=list[UserOut])
def search_users(name: str | None = None, city: str | None = None, db: Session = Depends(get_db)):
    query = select(User)
    if name:
        query = query.where(User.name.ilike(f"%{name}%"))
    if city:
        query = query.where(User.city.ilike(f"%{city}%"))
    return db.scalars(query).all()


@app.get("/users/{user_id}", response_model=UserOut)
def read_user(user: User = Depends(find)):
    return user


@app.patch("/users/{user_id}", response_model=UserOut)
def update_user(data: UserUpdate, user: User = Depends(find), db: Session = Depends(get_db)):
    for field, value in data.model_dump(exclude_unset=True, exclude_none=True).items():
        setattr(user, field, value)
    commit(db)
    return user


@app.delete("/users/{user_id}", status_code=204)
def delete_user(user: User = Depends(find), db: Session = Depends(get_db)):
    db.delete(user)
    db.commit()
