"""The prediction log of an ML API: what went in, what came out, how long it took."""

import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any, Self

from fastapi import Depends, FastAPI, HTTPException, Path, Query
from pydantic import FiniteFloat, JsonValue, model_validator
from sqlalchemy import JSON, Column
from sqlmodel import Field, Session, SQLModel, col, create_engine, func, select

engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///./app.db"))
MAX_INTEGER = 2_147_483_647  # what an INTEGER holds


class PredictionCreate(SQLModel):
    """One call of the model, as the ML API reports it."""

    model_version: str = Field(min_length=1, max_length=50, index=True)
    latency_ms: FiniteFloat = Field(ge=0)
    input_data: dict[str, JsonValue] = Field(sa_type=JSON)
    result: JsonValue = None
    error: str | None = None

    @model_validator(mode="after")
    def check_outcome(self) -> Self:
        """Refuse both and neither; 0, false and an empty list are results."""
        if (self.result is None) == (self.error is None):
            raise ValueError("send either a result or an error")
        return self


class Prediction(PredictionCreate, table=True):
    """A call as it is stored and answered."""

    __tablename__ = "predictions"

    id: int = Field(default=None, primary_key=True)
    # Without none_as_null, None becomes the JSON value null, which IS NULL does not find.
    result: JsonValue = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC))


class VersionStats(SQLModel):
    """How a version of the model does."""

    model_version: str
    total: int
    errors: int
    error_rate: float
    avg_latency_ms: float


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Create the tables that are not there yet."""
    SQLModel.metadata.create_all(engine)
    yield


def get_session() -> Iterator[Session]:
    """Give each request a session of its own."""
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]
Id = Annotated[int, Path(ge=1, le=MAX_INTEGER)]

app = FastAPI(title="Predictions", lifespan=lifespan)


@app.post("/predictions", status_code=201)
def create_prediction(data: PredictionCreate, session: SessionDep) -> Prediction:
    """Log one call of the model."""
    prediction = Prediction.model_validate(data)
    session.add(prediction)
    session.commit()
    session.refresh(prediction)
    return prediction


@app.get("/predictions")
def list_predictions(
    session: SessionDep,
    model_version: str | None = None,
    failed: bool | None = None,
    min_latency_ms: float | None = None,
    skip: Annotated[int, Query(ge=0, le=MAX_INTEGER)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
) -> Sequence[Prediction]:
    """List logged calls, the newest first."""
    statement = select(Prediction).order_by(col(Prediction.id).desc())
    if model_version is not None:
        statement = statement.where(Prediction.model_version == model_version)
    if failed is not None:
        statement = statement.where(col(Prediction.error).is_not(None) == failed)
    if min_latency_ms is not None:
        statement = statement.where(Prediction.latency_ms >= min_latency_ms)
    return session.exec(statement.offset(skip).limit(limit)).all()


@app.get("/predictions/stats", response_model=list[VersionStats])
def read_stats(
    session: SessionDep,
    model_version: str | None = None,
    last: Annotated[int | None, Query(ge=1, le=MAX_INTEGER)] = None,
) -> Sequence[Any]:
    """Sum up each version of the model, computed by the database."""
    calls = select(Prediction.model_version, Prediction.error, Prediction.latency_ms)
    if model_version is not None:
        calls = calls.where(Prediction.model_version == model_version)
    if last is not None:
        calls = calls.order_by(col(Prediction.id).desc()).limit(last)
    call = calls.subquery().c
    total, errors = func.count(), func.count(call.error)  # count(x) leaves NULL out
    summary: Any = select(  # type: ignore[call-overload]  # SQLModel types up to four columns
        call.model_version,
        total.label("total"),
        errors.label("errors"),
        (errors / total).label("error_rate"),
        func.avg(call.latency_ms).label("avg_latency_ms"),
    )
    summary = summary.group_by(call.model_version).order_by(call.model_version)
    return session.exec(summary).all()


@app.get("/predictions/{prediction_id}")
def read_prediction(prediction_id: Id, session: SessionDep) -> Prediction:
    """Read one logged call."""
    prediction = session.get(Prediction, prediction_id)
    if prediction is None:
        raise HTTPException(404, "Prediction not found")
    return prediction
