"""What comes in and what goes out."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, field_validator


class UserCreate(BaseModel):
    """A new user."""

    name: str = Field(min_length=2, max_length=50)
    email: str
    age: int = Field(ge=0, le=150)
    city: str = "Unknown"

    @field_validator("email")
    @classmethod
    def tidy(cls, email: str) -> str:
        """Store one form of an address."""
        return email.strip().lower()


class UserUpdate(BaseModel):
    """A change; null means the same as leaving out."""

    name: str | None = Field(None, min_length=2)
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
