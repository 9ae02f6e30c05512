"""What comes in and what goes out."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, field_validator


class Tidy(BaseModel):
    """What has an address."""

    @field_validator("email", check_fields=False)
    @classmethod
    def tidy(cls, email: str | None) -> str | None:
        """Store one form of an address."""
        return email.strip().lower() if email else email


class UserCreate(Tidy):
    """A new user."""

    name: str = Field(min_length=2, max_length=50)
    email: str
    age: int = Field(ge=0, le=150)
    city: str = "Unknown"


class UserUpdate(Tidy):
    """A change; null means the same as leaving out."""

    name: str | None = Field(None, min_length=2, max_length=50)
    email: str | None = None
    age: int | None = Field(None, ge=0, le=150)
    city: str | None = None


class UserOut(BaseModel):
    """A user as answered."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    email: str
    age: int
    city: str
    is_active: bool
    created_at: datetime
