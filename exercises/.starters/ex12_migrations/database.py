"""Where the data lives, and a session for each request."""

import os
from collections.abc import Iterator

from sqlmodel import Session, create_engine

engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///./app.db"))


def get_session() -> Iterator[Session]:
    """Give each request a session of its own."""
    with Session(engine) as session:
        yield session
