"""Exercise 14 with plain SQLAlchemy and pydantic schemas."""

import os
from datetime import UTC, datetime
from typing import Any

from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from sqlalchemy import JSON, String, case, create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

engine = create_engine(os.environ["DATABASE_URL"])
SessionLocal = sessionmaker(bind=engine, autoflush=False)


class Base(DeclarativeBase):
    pass


class PredictionModel(Base):
    __tablename__ = "prediction_log"

    id: Mapped[int] = mapped_column(primary_key=True)
    model_version: Mapped[str] = mapped_column(String(50), index=True)
    latency_ms: Mapped[float]
    input_data: Mapped[dict[str, Any]] = mapped_column(JSON)
    result: Mapped[Any] = mapped_column(JSON, nullable=True)
    error: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(
        default=lambda: datetime.now(UTC).replace(tzinfo=None)
    )


Base.metadata.create_all(bind=engine)


class PredictionIn(BaseModel):
    model_config = ConfigDict(protected_namespaces=())

    model_version: str = Field(min_length=1, max_length=50)
    latency_ms: float = Field(ge=0)
    input_data: dict[str, Any]
    result: Any = None
    error: str | None = None

    @model_validator(mode="after")
    def one_outcome(self) -> "PredictionIn":
        outcomes = [value for value in (self.result, self.error) if value is not None]
        if len(outcomes) != 1:
            raise ValueError("exactly one of result and error")
        return self


class PredictionOut(PredictionIn):
    model_config = ConfigDict(from_attributes=True, protected_namespaces=())

    id: int
    created_at: datetime


class Stats(BaseModel):
    model_config = ConfigDict(from_attributes=True, protected_namespaces=())

    model_version: str
    total: int
    errors: int
    error_rate: float
    avg_latency_ms: float

    @field_validator("error_rate", "avg_latency_ms")
    @classmethod
    def round_off(cls, value: float) -> float:
        return round(value, 4)


def get_db():
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()


app = FastAPI()


@app.post("/predictions", response_model=PredictionOut, status_code=201)
def log(data: PredictionIn, db: Session = Depends(get_db)):
    row = PredictionModel(**data.model_dump())
    db.add(row)
    db.commit()
    db.refresh(row)
    return row


@app.get("/predictions/stats", response_model=list[Stats])
def stats(model_version: str = "", last: int = 0, db: Session = Depends(get_db)):
    query = select(PredictionModel)
    if model_version:
        query = query.where(PredictionModel.model_version == model_version)
    if last:
        query = query.order_by(PredictionModel.id.desc()).limit(last)
    recent = query.subquery()
    failed = case((recent.c.error.is_(None), 0), else_=1)
    numbers = select(
        recent.c.model_version,
        func.count(recent.c.id).label("total"),
        func.sum(failed).label("errors"),
        func.avg(failed * 1.0).label("error_rate"),
        func.avg(recent.c.latency_ms).label("avg_latency_ms"),
    ).group_by(recent.c.model_version)
    return db.execute(numbers).all()


@app.get("/predictions", response_model=list[PredictionOut])
def list_all(
    model_version: str | None = None,
    failed: bool | None = None,
    min_latency_ms: float = 0,
    skip: int = 0,
    limit: int = 10,
    db: Session = Depends(get_db),
):
    query = select(PredictionModel).where(PredictionModel.latency_ms >= min_latency_ms)
    if model_version is not None:
        query = query.where(PredictionModel.model_version == model_version)
    if failed is True:
        query = query.where(PredictionModel.error.is_not(None))
    if failed is False:
        query = query.where(PredictionModel.error.is_(None))
    return db.scalars(query.order_by(PredictionModel.id.desc()).offset(skip).limit(limit)).all()


@app.get("/predictions/{prediction_id}", response_model=PredictionOut)
def read(prediction_id: int, db: Session = Depends(get_db)):
    row = db.get(PredictionModel, prediction_id)
    if row is None:
        raise HTTPException(404, "No such prediction")
    return row
