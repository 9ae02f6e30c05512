"""Exercise 16 with plain SQLAlchemy: PostgreSQL's containment, SQLite's functions for JSON."""

import os
from typing import Any

from fastapi import Body, Depends, FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict
from sqlalchemy import JSON, and_, create_engine, event, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

engine = create_engine(os.environ["DATABASE_URL"])
on_postgres = engine.dialect.name == "postgresql"
SessionLocal = sessionmaker(engine)


class Base(DeclarativeBase):
    pass


class Document(Base):
    __tablename__ = "documents"

    id: Mapped[int] = mapped_column(primary_key=True)
    data: Mapped[dict[str, Any]] = mapped_column(JSONB if on_postgres else JSON)


if not on_postgres:

    @event.listens_for(engine, "connect")
    def leave_transactions_to_us(connection, _record):
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def lock_at_the_begin(connection):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


Base.metadata.create_all(engine)


class DocumentOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    data: dict[str, Any]


def get_db():
    with SessionLocal() as db:
        yield db


def is_name(text: str) -> bool:
    return text.isascii() and text.isidentifier()


def condition(path: str, value: Any):
    names = path.split(".")
    if not all(map(is_name, names)):
        raise HTTPException(422, "There can be no field of this name")
    if not isinstance(value, str | int | float | bool):
        raise HTTPException(422, "Only texts, numbers and truth values can be found")
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise HTTPException(422, "A whole number has 64 bits at most")
    if on_postgres:
        wanted = value
        for name in reversed(names):
            wanted = {name: wanted}
        return Document.data.contains(wanted)
    place = "$." + ".".join(f'"{name}"' for name in names)
    types = {bool: ["true", "false"], str: ["text"]}.get(type(value), ["integer", "real"])
    return and_(
        func.json_type(Document.data, place).in_(types),
        func.json_extract(Document.data, place) == value,
    )


app = FastAPI()


@app.post("/items", response_model=DocumentOut, status_code=201)
def store(data: dict[str, Any] = Body(...), db: Session = Depends(get_db)):
    document = Document(data=data)
    db.add(document)
    db.commit()
    db.refresh(document)
    return document


@app.post("/items/find", response_model=list[DocumentOut])
def find(wanted: dict[str, Any], skip: int = 0, limit: int = 10, db: Session = Depends(get_db)):
    query = select(Document).order_by(Document.id).offset(skip).limit(limit)
    return db.scalars(query.where(*[condition(*item) for item in wanted.items()])).all()


@app.get("/items/{item_id}", response_model=DocumentOut)
def read(item_id: int, db: Session = Depends(get_db)):
    document = db.get(Document, item_id)
    if document is None:
        raise HTTPException(404, "No such document")
    return document


@app.patch("/items/{item_id}", response_model=DocumentOut)
def change(item_id: int, changes: dict[str, Any], db: Session = Depends(get_db)):
    document = db.get(Document, item_id, with_for_update=True)
    if document is None:
        raise HTTPException(404, "No such document")
    document.data = {**document.data, **changes}
    db.commit()
    return document
