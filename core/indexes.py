"""Indexes that only PostgreSQL has; the other databases do without."""

from typing import Any

from sqlalchemy import DDL, Index, event, text
from sqlmodel import SQLModel

# SQLAlchemy has no types for DDL.
TRIGRAMS: Any = DDL("CREATE EXTENSION IF NOT EXISTS pg_trgm")  # type: ignore[no-untyped-call]
event.listen(SQLModel.metadata, "before_create", TRIGRAMS.execute_if(dialect="postgresql"))


def search_index(table: str, *names: str) -> Index:
    """Return the index for terms of three letters or more in columns."""
    trigrams = dict.fromkeys(names, "gin_trgm_ops")
    index = Index(f"ix_{table}_search", *names, postgresql_using="gin", postgresql_ops=trigrams)
    return index.ddl_if("postgresql")


def visible_index(table: str) -> Index:
    """Return the index for deep pages of rows that are not deleted, and for counting active ones.

    Elsewhere each entry of the index of deleted_at has the row's id anyway. Beside an id there is
    room for is_active: the entries grow by nothing.
    """
    return Index(
        f"ix_{table}_visible_active",
        "id",
        postgresql_where=text("deleted_at IS NULL"),
        postgresql_include=["is_active"],
    ).ddl_if("postgresql")
