"""The tables."""

from sqlalchemy import Boolean, Column, DateTime, Integer, String, func

from database import Base


class User(Base):
    """A row of users."""

    __tablename__ = "users"

    id = Column(Integer, primary_key=True)
    name = Column(String(50), nullable=False)
    email = Column(String(100), unique=True, index=True, nullable=False)
    age = Column(Integer, nullable=False)
    city = Column(String(50), default="Unknown")
    is_active = Column(Boolean, default=True)
    created_at = Column(DateTime, server_default=func.now())
