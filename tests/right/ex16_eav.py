"""The document as text, its fields in a table of their own that each change makes anew; raw SQL."""

import json
import os
import re
from typing import Any

from fastapi import FastAPI, HTTPException, Query
from sqlalchemy import create_engine, event, text

engine = create_engine(os.environ["DATABASE_URL"])
LITE = engine.dialect.name == "sqlite"
PK = "INTEGER PRIMARY KEY" if LITE else "SERIAL PRIMARY KEY"
if LITE:

    @event.listens_for(engine, "connect")
    def a(c, r):
        c.isolation_level = None

    @event.listens_for(engine, "begin")
    def b(c):
        c.exec_driver_sql("BEGIN IMMEDIATE")


NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
with engine.begin() as c:
    c.exec_driver_sql(f"CREATE TABLE IF NOT EXISTS docs (id {PK}, body TEXT)")
    c.exec_driver_sql("CREATE TABLE IF NOT EXISTS fields (doc INT, path TEXT, value TEXT)")
    c.exec_driver_sql("CREATE INDEX IF NOT EXISTS fields_path ON fields (doc)")


def flat(data, before=""):
    for k, v in data.items():
        if NAME.fullmatch(k):
            if isinstance(v, dict):
                yield from flat(v, f"{before}{k}.")
            elif not isinstance(v, list) and v is not None:
                yield before + k, form(v)


def form(v):
    return json.dumps(
        float(v)
        if isinstance(v, float) and not v.is_integer()
        else int(v)
        if isinstance(v, float)
        else v
    )


def index(c, id, data):
    c.execute(text("DELETE FROM fields WHERE doc = :i"), {"i": id})
    rows = [{"i": id, "p": p, "v": v} for p, v in flat(data)]
    if rows:
        c.execute(text("INSERT INTO fields VALUES (:i, :p, :v)"), rows)


app = FastAPI()


def show(r):
    return {"id": r.id, "data": json.loads(r.body), "size": len(r.body)}


@app.post("/items")
def store(data: dict[str, Any]):
    with engine.begin() as c:
        r = c.execute(
            text("INSERT INTO docs (body) VALUES (:b) RETURNING *"), {"b": json.dumps(data)}
        ).one()
        index(c, r.id, data)
        return show(r)


@app.post("/items/find")
def find(q: dict[str, Any], skip: int = 0, limit: int = Query(10, le=100)):
    if not q:
        raise HTTPException(400, "ask for something")
    w, v = [], {"s": skip, "l": limit}
    for n, (p, x) in enumerate(q.items()):
        if (
            isinstance(x, (dict, list))
            or x is None
            or not all(NAME.fullmatch(s) for s in p.split("."))
        ):
            return {"items": []}
        w.append(
            f"EXISTS (SELECT 1 FROM fields WHERE doc = docs.id AND path = :p{n} AND value = :v{n})"
        )
        v |= {f"p{n}": p, f"v{n}": form(x)}
    with engine.begin() as c:
        return {
            "items": [
                show(r)
                for r in c.execute(
                    text(
                        f"SELECT * FROM docs WHERE {' AND '.join(w)} ORDER BY id LIMIT :l OFFSET :s"
                    ),
                    v,
                )
            ]
        }


def get(c, id, lock=""):
    r = c.execute(text("SELECT * FROM docs WHERE id = :i" + lock), {"i": id}).first()
    if not r:
        raise HTTPException(404, "no such item")
    return r


@app.get("/items/{id}")
def one(id: int):
    with engine.begin() as c:
        return show(get(c, id))


@app.patch("/items/{id}")
def change(id: int, data: dict[str, Any]):
    with engine.begin() as c:
        new = json.loads(get(c, id, "" if LITE else " FOR UPDATE").body) | data
        r = c.execute(
            text("UPDATE docs SET body = :b WHERE id = :i RETURNING *"),
            {"i": id, "b": json.dumps(new)},
        ).one()
        index(c, id, new)
        return show(r)
