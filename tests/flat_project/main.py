"""A learner's project: plain SQLAlchemy, five files, the database's name written into the code."""

from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy.orm import Session

import crud
import models
import schemas
from database import engine, get_db

models.Base.metadata.create_all(bind=engine)

app = FastAPI()


@app.post("/users", response_model=schemas.UserOut, status_code=201)
def create_user(user: schemas.UserCreate, db: Session = Depends(get_db)):
    """Look whether the address is free, then store."""
    if crud.find_user(db, email=user.email):
        raise HTTPException(status_code=400, detail="Email already registered")
    return crud.create_user(db, user)


@app.get("/users", response_model=list[schemas.UserOut])
def list_users(skip: int = 0, limit: int = 10, db: Session = Depends(get_db)):
    """List users."""
    return crud.list_users(db, skip, limit)


@app.get("/users/search", response_model=list[schemas.UserOut])
def search_users(name: str | None = None, city: str | None = None, db: Session = Depends(get_db)):
    """Search users."""
    return crud.search_users(db, name, city)


@app.get("/users/{user_id}", response_model=schemas.UserOut)
def read_user(user_id: int, db: Session = Depends(get_db)):
    """Read a user."""
    user = crud.find_user(db, id=user_id)
    if not user:
        raise HTTPException(status_code=404, detail="User not found")
    return user


@app.patch("/users/{user_id}", response_model=schemas.UserOut)
def update_user(user_id: int, data: schemas.UserUpdate, db: Session = Depends(get_db)):
    """Change a user."""
    return crud.update_user(db, read_user(user_id, db), data)


@app.delete("/users/{user_id}", status_code=204)
def delete_user(user_id: int, db: Session = Depends(get_db)):
    """Delete a user."""
    crud.delete_user(db, read_user(user_id, db))
