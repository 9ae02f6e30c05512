"""Exercise 14 with SQL written by hand, and JSON as text in a column of its own."""

import json
import os
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field
from sqlalchemy import create_engine, text

engine = create_engine(os.environ["DATABASE_URL"])
key = "BIGSERIAL" if engine.dialect.name == "postgresql" else "INTEGER"
with engine.begin() as connection:
    connection.execute(
        text(
            f"""
            CREATE TABLE IF NOT EXISTS calls (
                id {key} PRIMARY KEY,
                model_version VARCHAR(50) NOT NULL,
                latency_ms DOUBLE PRECISION NOT NULL,
                input_data TEXT NOT NULL,
                result TEXT,
                error TEXT,
                created_at VARCHAR(40) NOT NULL
            )
            """
        )
    )

COLUMNS = "id, model_version, latency_ms, input_data, result, error, created_at"
app = FastAPI()


class Call(BaseModel):
    model_version: str = Field(min_length=1, max_length=50)
    latency_ms: float = Field(ge=0)
    input_data: dict
    result: Any = None
    error: str | None = None


def as_answer(row: Any) -> dict[str, Any]:
    answer = dict(row._mapping)
    for name in ("input_data", "result"):
        answer[name] = None if answer[name] is None else json.loads(answer[name])
    return answer


@app.post("/predictions", status_code=201)
def log(call: Call) -> dict[str, Any]:
    if (call.result is None) is (call.error is None):
        raise HTTPException(422, "A call has a result or an error, and not both")
    values = call.model_dump() | {
        "input_data": json.dumps(call.input_data),
        "result": None if call.result is None else json.dumps(call.result),
        "created_at": datetime.now(UTC).isoformat(),
    }
    names = COLUMNS.removeprefix("id, ")
    places = ", ".join(f":{name}" for name in names.split(", "))
    insert = text(f"INSERT INTO calls ({names}) VALUES ({places}) RETURNING {COLUMNS}")
    with engine.begin() as db:
        return as_answer(db.execute(insert, values).one())


@app.get("/predictions")
def find(
    model_version: str | None = None,
    failed: bool | None = None,
    min_latency_ms: float | None = None,
    skip: int = 0,
    limit: int = 10,
) -> list[dict[str, Any]]:
    wheres = ["1 = 1"]
    if model_version is not None:
        wheres.append("model_version = :model_version")
    if failed is not None:
        wheres.append(f"error IS {'NOT' if failed else ''} NULL")
    if min_latency_ms is not None:
        wheres.append("latency_ms >= :min_latency_ms")
    sql = f"SELECT {COLUMNS} FROM calls WHERE {' AND '.join(wheres)}"
    sql += " ORDER BY id DESC LIMIT :n OFFSET :skip"
    values = {
        "model_version": model_version,
        "min_latency_ms": min_latency_ms,
        "n": limit,
        "skip": skip,
    }
    with engine.connect() as db:
        return [as_answer(row) for row in db.execute(text(sql), values)]


@app.get("/predictions/stats")
def stats(model_version: str | None = None, last: int | None = None) -> list[dict[str, Any]]:
    where = "WHERE model_version = :model_version" if model_version else ""
    newest = "ORDER BY id DESC LIMIT :last" if last else ""
    sql = f"""
        SELECT model_version, COUNT(*) AS total, COUNT(error) AS errors,
               1.0 * COUNT(error) / COUNT(*) AS error_rate, AVG(latency_ms) AS avg_latency_ms
        FROM (SELECT * FROM calls {where} {newest}) AS newest
        GROUP BY model_version
    """
    with engine.connect() as db:
        rows = db.execute(text(sql), {"model_version": model_version, "last": last})
        return [dict(row._mapping) for row in rows]


@app.get("/predictions/{prediction_id}")
def read(prediction_id: int) -> dict[str, Any]:
    with engine.connect() as db:
        row = db.execute(
            text(f"SELECT {COLUMNS} FROM calls WHERE id = :id"), {"id": prediction_id}
        ).first()
    if row is None:
        raise HTTPException(404, "No such call")
    return as_answer(row)
