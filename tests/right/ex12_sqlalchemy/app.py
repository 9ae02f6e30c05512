"""Users, with schemas; the slug ends with the row's own id."""

from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from database import SessionLocal
from models import User


class UserIn(BaseModel):
    name: str = Field(min_length=1, max_length=50)
    email: str = Field(min_length=3, max_length=254)


class UserOut(UserIn):
    model_config = ConfigDict(from_attributes=True)

    id: int
    status: str
    slug: str


def get_db():
    with SessionLocal() as db:
        yield db


app = FastAPI()


@app.post("/users", response_model=UserOut, status_code=201)
def create_user(data: UserIn, db: Session = Depends(get_db)):
    if db.scalar(select(User.id).where(User.email == data.email)):
        raise HTTPException(400, "Email already registered")
    user = User(**data.model_dump(), slug=f"new {data.email}"[:80])
    db.add(user)
    try:
        db.flush()
        user.slug = f"{data.name.lower().replace(' ', '-')}-{user.id}"
        db.commit()
    except IntegrityError:
        raise HTTPException(400, "Email already registered") from None
    return user


@app.get("/users/{user_id}", response_model=UserOut)
def read_user(user_id: int, db: Session = Depends(get_db)):
    user = db.get(User, user_id)
    if user is None:
        raise HTTPException(404, "User not found")
    return user
