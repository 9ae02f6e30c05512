"""Exercise 16 with async routes, SQL written by hand, and a version that each change compares."""

import json
import os
import re
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, HTTPException
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

engine = create_async_engine(os.environ["DATABASE_URL"].replace("sqlite:", "sqlite+aiosqlite:", 1))
on_postgres = engine.dialect.name == "postgresql"
PATH = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
TABLE = """
CREATE TABLE IF NOT EXISTS items (
    id {key} PRIMARY KEY,
    data {json} NOT NULL,
    version INTEGER NOT NULL DEFAULT 1
)
"""


@asynccontextmanager
async def lifespan(app: FastAPI):
    types = (
        {"key": "SERIAL", "json": "JSONB"} if on_postgres else {"key": "INTEGER", "json": "TEXT"}
    )
    async with engine.begin() as connection:
        await connection.execute(text(TABLE.format(**types)))
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)


def answer(row: Any) -> dict[str, Any]:
    data = row.data if on_postgres else json.loads(row.data)
    return {"id": row.id, "data": data}


async def find_row(connection: Any, item_id: int) -> Any:
    rows = await connection.execute(
        text("SELECT id, data, version FROM items WHERE id = :id"), {"id": item_id}
    )
    if row := rows.first():
        return row
    raise HTTPException(404, "There is no such item")


@app.post("/items", status_code=201)
async def store(data: dict[str, Any]) -> dict[str, Any]:
    insert = text("INSERT INTO items (data) VALUES (:data) RETURNING id, data")
    async with engine.begin() as connection:
        return answer((await connection.execute(insert, {"data": json.dumps(data)})).one())


@app.post("/items/find")
async def find(
    fields: dict[str, str | bool | int | float], skip: int = 0, limit: int = 10
) -> list[dict[str, Any]]:
    values: dict[str, Any] = {"skip": skip, "limit": limit}
    wheres = ["TRUE"]
    for number, (path, value) in enumerate(fields.items()):
        if not PATH.fullmatch(path):
            return []
        if on_postgres:
            values[f"p{number}"] = path.split(".")
            wheres.append(f"data #> :p{number} = CAST(:v{number} AS jsonb)")
        else:
            # json_quote() keeps the types apart; true is 1 here, which will do.
            values[f"p{number}"] = f"$.{path}"
            wheres.append(f"json_quote(json_extract(data, :p{number})) = json(:v{number})")
            wheres.append(f"json_type(data, :p{number}) NOT IN ('array', 'object')")
            value = int(value) if isinstance(value, bool) else value
        values[f"v{number}"] = json.dumps(value, ensure_ascii=False)
    sql = f"SELECT id, data FROM items WHERE {' AND '.join(wheres)} ORDER BY id"
    sql += " LIMIT :limit OFFSET :skip"
    async with engine.connect() as connection:
        return [answer(row) for row in await connection.execute(text(sql), values)]


@app.get("/items/{item_id}")
async def read(item_id: int) -> dict[str, Any]:
    async with engine.connect() as connection:
        return answer(await find_row(connection, item_id))


@app.patch("/items/{item_id}")
async def change(item_id: int, changes: dict[str, Any]) -> dict[str, Any]:
    update = text(
        "UPDATE items SET data = :data, version = version + 1"
        " WHERE id = :id AND version = :version RETURNING id, data"
    )
    async with engine.connect() as connection:
        row = await find_row(connection, item_id)
        data = answer(row)["data"] | changes
    values = {"id": item_id, "version": row.version, "data": json.dumps(data)}
    async with engine.begin() as connection:
        if done := (await connection.execute(update, values)).first():
            return answer(done)
    raise HTTPException(409, "Changed by somebody else meanwhile")
