"""Users, whose table has changed since it was first made."""

from secrets import token_hex
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Path
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from database import get_session
from models import User, UserCreate

SessionDep = Annotated[Session, Depends(get_session)]

app = FastAPI(title="Users")


@app.post("/users", status_code=201)
def create_user(data: UserCreate, session: SessionDep) -> User:
    """Store a new user."""
    words = data.name.lower().replace(" ", "-")[:60]  # lower() makes two letters of some
    user = User.model_validate(data, update={"slug": f"{words}-{token_hex(4)}"})
    session.add(user)
    try:
        session.commit()
    except IntegrityError:
        raise HTTPException(409, "Email already registered") from None
    session.refresh(user)
    return user


@app.get("/users/{user_id}")
def read_user(user_id: Annotated[int, Path(ge=1, le=2_147_483_647)], session: SessionDep) -> User:
    """Read one user."""
    user = session.get(User, user_id)
    if user is None:
        raise HTTPException(404, "User not found")
    return user
