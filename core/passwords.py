"""Passwords become hashes here: in two threads of their own, before the request has a session."""

from functools import partial
from typing import Any

from anyio import CapacityLimiter, to_thread
from fastapi import Request
from sqlmodel import Session

import crud
import models
from database import get_database

# One turn for each hash, so many passwords at once wait for each other and nobody else for them.
HASHING = CapacityLimiter(2)
MAX_PASSWORDS = 20  # in one request; each takes some 30 ms


async def columns_of(data: models.WithPassword) -> dict[str, Any]:
    """Return the columns to store, with a hash if there is a password."""
    if data.password is None:
        return data.columns()
    return await to_thread.run_sync(data.columns, limiter=HASHING)


async def changes_of(data: models.WithPassword, request: Request, id: int) -> dict[str, Any]:
    """Return the columns to change; raises NotFoundError rather than hash for a missing user."""
    if data.password is not None and not request.app.dependency_overrides:
        database = get_database(request)
        look = partial(_look_for_user, database.reader, id)
        await database.threads[database.reader].run(look)
    return await columns_of(data)


def _look_for_user(engine: Any, id: int) -> None:
    with Session(engine) as session:
        crud.get(session, models.User, id)


def refuse_many_passwords(users: list[models.UserCreate]) -> list[models.UserCreate]:
    """Return the users; raise ValueError if too many of them have a password."""
    if sum(user.password is not None for user in users) > MAX_PASSWORDS:
        raise ValueError(f"At most {MAX_PASSWORDS} users with a password at once")
    return users
