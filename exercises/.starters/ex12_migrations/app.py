"""Exercise 12: migrations. The steps are in README.md; here it only gets a slug, in step 3."""

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
    user = User.model_validate(data)
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
