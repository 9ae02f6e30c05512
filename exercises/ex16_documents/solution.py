"""Documents of any shape in a JSON column, found by the fields inside them."""

import json
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import StringConstraints
from sqlalchemy import JSON, Column, ColumnElement, Integer, literal
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm.exc import StaleDataError
from sqlmodel import Field, Session, SQLModel, col, create_engine, select

engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///./app.db"))

Document = JSON().with_variant(JSONB(), "postgresql")  # what PostgreSQL can compare and index
NAME = "[a-zA-Z_][a-zA-Z0-9_]*"
FieldPath = Annotated[str, StringConstraints(pattern=rf"^{NAME}(\.{NAME})*$")]
Value = str | bool | int | float
MAX_INTEGER = 2_147_483_647  # what an INTEGER holds

version_column = Column("version", Integer, nullable=False)


class Item(SQLModel, table=True):
    """A document, and how often it was changed."""

    __tablename__ = "items"
    __mapper_args__ = {"version_id_col": version_column}  # an UPDATE that finds another is refused

    id: int = Field(default=None, primary_key=True)
    data: dict[str, Any] = Field(sa_type=Document)
    version: int = Field(default=None, sa_column=version_column)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Create the table when it is not there yet."""
    SQLModel.metadata.create_all(engine)
    yield


def get_session() -> Iterator[Session]:
    """Give each request a session of its own."""
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]
Id = Annotated[int, Path(ge=1, le=MAX_INTEGER)]


def get_item(item_id: Id, session: SessionDep) -> Item:
    """Find the item that the path names."""
    item = session.get(Item, item_id)
    if item is None:
        raise HTTPException(404, "Item not found")
    return item


ItemDep = Annotated[Item, Depends(get_item)]


def storable(document: dict[str, Any]) -> dict[str, Any]:
    """Refuse what Python takes for JSON and databases do not: NaN, NUL, half a character."""
    try:
        text = json.dumps(document, ensure_ascii=False, allow_nan=False)
        text.encode()
    except ValueError:
        raise HTTPException(422, "This is no valid JSON") from None
    if "\\u0000" in text.replace("\\\\", ""):  # an escaped backslash may stand before u0000
        raise HTTPException(422, "The character NUL cannot be stored")
    return document


def equals(path: FieldPath, value: Value) -> ColumnElement[bool]:
    """Compare the field at a path like `address.city` with a value, its type included."""
    # Taken out of JSON as well, the value has the form that the database gives to the field.
    wanted = literal({"value": value}, Document)["value"]
    return col(Item.data)[tuple(path.split("."))] == wanted


app = FastAPI(title="Documents", lifespan=lifespan)


@app.exception_handler(RequestValidationError)
def answer_invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
    """Answer 422 without what was sent: half a character in it could not be written."""
    return JSONResponse({"detail": [problem["msg"] for problem in error.errors()]}, 422)


@app.post("/items", status_code=201)
def create_item(data: dict[str, Any], session: SessionDep) -> Item:
    """Store a document of any shape."""
    item = Item(data=storable(data))
    session.add(item)
    session.commit()
    session.refresh(item)
    return item


@app.post("/items/find")
def find_items(
    fields: dict[FieldPath, Value],
    session: SessionDep,
    skip: Annotated[int, Query(ge=0, le=MAX_INTEGER)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
) -> Sequence[Item]:
    """Find the documents in which all these fields have these values."""
    wanted = storable(fields).items()
    statement = select(Item).where(*(equals(path, value) for path, value in wanted))
    return session.exec(statement.order_by(col(Item.id)).offset(skip).limit(limit)).all()


@app.get("/items/{item_id}")
def read_item(item: ItemDep) -> Item:
    """Read one document."""
    return item


@app.patch("/items/{item_id}")
def update_item(item: ItemDep, changes: dict[str, Any], session: SessionDep) -> Item:
    """Set the fields that are sent; 409 when somebody else changed the document meanwhile."""
    item.data = item.data | storable(changes)
    try:
        session.commit()
    except StaleDataError:
        raise HTTPException(409, "Changed meanwhile, try again") from None
    session.refresh(item)
    return item
