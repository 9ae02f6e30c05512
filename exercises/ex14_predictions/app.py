"""Exercise 14: a prediction log. The steps are in README.md; replace each 501 by its work."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from sqlmodel import Field, Session, SQLModel, create_engine

engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///./app.db"))


class PredictionCreate(SQLModel):
    """One call of the model, as the ML API reports it."""

    model_version: str = Field(min_length=1, max_length=50, index=True)
    # Step 1: latency_ms and input_data, a column of type JSON
    # Step 2: result, which may be any JSON value, and error; one of the two is there


class Prediction(PredictionCreate, table=True):
    """A call as it is stored and answered."""

    __tablename__ = "predictions"

    id: int = Field(default=None, primary_key=True)
    # Step 1: created_at


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

app = FastAPI(title="Predictions", lifespan=lifespan)


@app.post("/predictions", status_code=201)
def create_prediction(data: PredictionCreate, session: SessionDep) -> Prediction:
    """Log one call of the model."""
    raise HTTPException(501, "Step 1 is yet to be written")


# Step 3: GET /predictions
# Steps 4 and 5: GET /predictions/stats


@app.get("/predictions/{prediction_id}")
def read_prediction(prediction_id: int, session: SessionDep) -> Prediction:
    """Read one logged call."""
    raise HTTPException(501, "Step 1 is yet to be written")
