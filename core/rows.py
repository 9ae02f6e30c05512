"""Rows of a statement as instances of the table classes, made without the ORM."""

import re
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    NestedTransaction,
    String,
    TypeDecorator,
    bindparam,
    or_,
)
from sqlalchemy.orm import Session
from sqlmodel import SQLModel

Row = TypeVar("Row", bound=SQLModel)
Other = TypeVar("Other", bound=SQLModel)


def execute(db: Session, statement: Any, values: Any = None) -> CursorResult[*tuple[Any, ...]]:
    """Run a statement within the session's transaction, once for each of several values."""
    db.flush()  # what somebody has given to the ORM comes first, as in session.exec()
    return db.connection().execute(statement, values)


def savepoint(db: Session) -> NestedTransaction:
    """Begin what can be undone alone if it fails: session.begin_nested() without the ORM's part."""
    db.flush()
    return db.connection().begin_nested()


def id_list(name: str) -> Any:
    """Return a parameter for IN (…). Ids stand in the SQL itself: a hundred parameters are slow."""
    return bindparam(name, expanding=True, literal_execute=True)


@cache
def columns(model: type[SQLModel]) -> list[Any]:
    """Return a table's columns in the order of its class, which is the order of its JSON."""
    return [getattr(model, name) for name in model.model_fields]


def build(model: type[Row], values: dict[str, Any]) -> Row:
    """Make an instance of values that come from the database, so need no check.

    It is ten times as fast as the constructor. No session watches such a row: changing it changes
    nothing in the database.
    """
    row = model.__new__(model)
    object.__setattr__(row, "__dict__", values)
    return row


def nest(answer: type[Row], row: SQLModel, **nested: Any) -> Row:
    """Make an answer of a row and the rows to be shown inside it."""
    return build(answer, row.__dict__ | nested)


def fetch(db: Session, model: type[Row], statement: Any, values: Any = None) -> list[Row]:
    """Run a statement of one table's columns and return the rows."""
    names = model.model_fields
    result = execute(db, statement, values)
    return [build(model, dict(zip(names, row, strict=True))) for row in result]


def fetch_joined(
    db: Session, model: type[Row], other: type[Other], statement: Any, values: Any = None
) -> list[tuple[Row, Other | None]]:
    """Run a statement of two tables' columns; the second row is None where a join found none."""
    names, other_names = model.model_fields, other.model_fields
    size = len(names)  # in the column after these stands the other table's primary key
    return [
        (
            build(model, dict(zip(names, row, strict=False))),
            None
            if row[size] is None
            else build(other, dict(zip(other_names, row[size:], strict=True))),
        )
        for row in execute(db, statement, values)
    ]


class Pattern(TypeDecorator[str]):
    """A search term, sent to the database as a LIKE pattern in which % and _ are literal."""

    impl = String
    cache_ok = True

    def process_bind_param(self, term: str | None, _: object) -> str:
        """Return the pattern."""
        literal = re.sub("([%_/])", r"/\1", term or "")
        return f"%{literal}%"


def contains(name: str, *searched: Any) -> ColumnElement[bool]:
    """Return the condition that one of the columns has the named parameter in it, in any case."""
    pattern = bindparam(name, type_=Pattern)
    return or_(*(column.ilike(pattern, escape="/") for column in searched))
