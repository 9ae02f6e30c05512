"""The queries, in the older Query style."""

from sqlalchemy.orm import Session

import models
import schemas


def find_user(db: Session, **terms: object) -> models.User | None:
    """Find one user by column values."""
    return db.query(models.User).filter_by(**terms).first()


def list_users(db: Session, skip: int, limit: int) -> list[models.User]:
    """List users as the database gives them."""
    return db.query(models.User).offset(skip).limit(limit).all()


def search_users(db: Session, name: str | None, city: str | None) -> list[models.User]:
    """Search by parts of name and city."""
    query = db.query(models.User)
    if name:
        query = query.filter(models.User.name.ilike(f"%{name}%"))
    if city:
        query = query.filter(models.User.city.ilike(f"%{city}%"))
    return query.all()


def create_user(db: Session, data: schemas.UserCreate) -> models.User:
    """Store a user."""
    user = models.User(**data.model_dump())
    db.add(user)
    db.commit()
    db.refresh(user)
    return user


def update_user(db: Session, user: models.User, data: schemas.UserUpdate) -> models.User:
    """Change what is neither left out nor null."""
    for name, value in data.model_dump(exclude_none=True).items():
        setattr(user, name, value)
    db.commit()
    db.refresh(user)
    return user


def delete_user(db: Session, user: models.User) -> None:
    """Delete a user."""
    db.delete(user)
    db.commit()
