"""The engine and a session per request, in plain SQLAlchemy."""

from collections.abc import Iterator

from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

engine = create_engine("sqlite:///./app.db", connect_args={"check_same_thread": False})
new_session = sessionmaker(engine, autoflush=False)


class Base(DeclarativeBase):
    """What the tables inherit."""


def get_db() -> Iterator[Session]:
    """Open a session for one request."""
    db = new_session()
    try:
        yield db
    finally:
        db.close()
