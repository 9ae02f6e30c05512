"""A ledger in cents: no balance is stored, it is the sum of all entries; one writer at a time."""

import os
from decimal import Decimal

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from pydantic import BaseModel, condecimal
from sqlalchemy import create_engine, event, text

engine = create_engine(os.environ["DATABASE_URL"], pool_size=20)
LITE = engine.dialect.name == "sqlite"
MAX = 9_999_999_999
if LITE:

    @event.listens_for(engine, "connect")
    def _c(c, r):
        c.isolation_level = None

    @event.listens_for(engine, "begin")
    def _b(c):
        c.exec_driver_sql("BEGIN IMMEDIATE")


PK = (
    "INTEGER PRIMARY KEY AUTOINCREMENT"
    if LITE
    else "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
)
with engine.begin() as c:
    c.exec_driver_sql(
        f"CREATE TABLE IF NOT EXISTS konto (nr {PK}, name TEXT, "
        "opened TIMESTAMP DEFAULT CURRENT_TIMESTAMP, opening BIGINT)"
    )
    c.exec_driver_sql(
        f"CREATE TABLE IF NOT EXISTS buchung (nr {PK}, von BIGINT, nach BIGINT, "
        "cents BIGINT, at TIMESTAMP DEFAULT CURRENT_TIMESTAMP)"
    )


class Problem(Exception):
    def __init__(self, status, text):
        self.status, self.text = status, text


class A(BaseModel):
    owner: str
    balance: condecimal(ge=0, le=Decimal("99999999.99"), decimal_places=2)


class T(BaseModel):
    from_account_id: int
    to_account_id: int
    amount: condecimal(gt=0, decimal_places=2)


app = FastAPI(docs_url="/")


@app.exception_handler(Problem)
def problem(_, e):
    return JSONResponse({"error": e.text}, e.status)


def money(cents):
    return f"{cents // 100}.{cents % 100:02d}"


def account(c, nr):
    row = c.execute(
        text("""SELECT k.nr, k.name, k.opening
      + COALESCE((SELECT SUM(cents) FROM buchung WHERE nach = k.nr), 0)
      - COALESCE((SELECT SUM(cents) FROM buchung WHERE von = k.nr), 0)
      FROM konto k WHERE nr = :n"""),
        {"n": nr},
    ).first()
    if not row:
        raise Problem(404, "unknown account")
    return {
        "id": row[0],
        "owner": row[1],
        "balance": money(int(row[2])),
        "currency": "EUR",
        "cents": int(row[2]),
    }


@app.post("/accounts")
def new(a: A):
    with engine.begin() as c:
        nr = c.execute(
            text("INSERT INTO konto (name, opening) VALUES (:o, :b) RETURNING nr"),
            {"o": a.owner, "b": int(a.balance * 100)},
        ).scalar()
        return account(c, nr)


@app.get("/accounts/{nr}")
def one(nr: int):
    with engine.connect() as c:
        return account(c, nr)


@app.get("/accounts/{nr}/transfers")
def moves(nr: int, skip: int = 0, limit: int = 100):
    with engine.connect() as c:
        account(c, nr)
        rows = c.execute(
            text(
                "SELECT nr, von, nach, cents FROM buchung WHERE :n IN (von, nach) "
                "ORDER BY nr LIMIT :l OFFSET :s"
            ),
            {"n": nr, "l": limit, "s": skip},
        )
        return {
            "skip": skip,
            "transfers": [
                {"id": r[0], "from_account_id": r[1], "to_account_id": r[2], "amount": money(r[3])}
                for r in rows
            ],
        }


@app.post("/transfers", status_code=200)
def move(t: T):
    if t.from_account_id == t.to_account_id:
        raise Problem(409, "same account")
    with engine.begin() as c:
        if not LITE:
            c.exec_driver_sql("SELECT pg_advisory_xact_lock(9)")
        a, b = account(c, t.from_account_id), account(c, t.to_account_id)
        cents = int(t.amount * 100)
        if a["cents"] < cents:
            raise Problem(422, "not enough")
        if b["cents"] + cents > MAX:
            raise Problem(409, "too much")
        nr = c.execute(
            text("INSERT INTO buchung (von, nach, cents) VALUES (:a, :b, :c) RETURNING nr"),
            {"a": t.from_account_id, "b": t.to_account_id, "c": cents},
        ).scalar()
        return {
            "id": nr,
            "from_account_id": t.from_account_id,
            "to_account_id": t.to_account_id,
            "amount": money(cents),
        }
