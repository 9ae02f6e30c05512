"""The tables."""

from sqlmodel import Field, SQLModel

# A constraint with a name of its own can be dropped by a later migration.
SQLModel.metadata.naming_convention = {
    "pk": "pk_%(table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ix": "ix_%(column_0_label)s",
}


class UserCreate(SQLModel):
    """What a client sends."""

    name: str = Field(min_length=1, max_length=50)
    email: str = Field(min_length=3, max_length=254, unique=True)


class User(UserCreate, table=True):
    """What is stored, and what is answered."""

    __tablename__ = "users"

    id: int = Field(default=None, primary_key=True)
    # Step 1: status
    # Step 3: slug
