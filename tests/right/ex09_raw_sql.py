"""Transfers in SQL by hand, through SQLAlchemy's connections; accounts are locked, then changed."""

import os
from contextlib import asynccontextmanager
from decimal import Decimal

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field
from sqlalchemy import create_engine, event, text

engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///./app.db"))
sqlite = engine.dialect.name == "sqlite"
KEY = "INTEGER PRIMARY KEY" if sqlite else "SERIAL PRIMARY KEY"
LOCK = "" if sqlite else " FOR UPDATE"
MOST = Decimal("99999999.99")

if sqlite:

    @event.listens_for(engine, "connect")
    def manual_transactions(connection, record):
        """Leave BEGIN to the next function."""
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def begin_immediate(connection):
        """Let one writer in after the other."""
        connection.exec_driver_sql("BEGIN IMMEDIATE")


TABLES = f"""
CREATE TABLE IF NOT EXISTS accounts (
    id {KEY}, owner TEXT NOT NULL, balance NUMERIC(10, 2) NOT NULL
);
CREATE TABLE IF NOT EXISTS transfers (
    id {KEY}, from_account_id INTEGER NOT NULL REFERENCES accounts,
    to_account_id INTEGER NOT NULL REFERENCES accounts, amount NUMERIC(10, 2) NOT NULL
)
"""


class NewAccount(BaseModel):
    """An account from a client."""

    owner: str
    balance: Decimal = Field(ge=0, max_digits=10, decimal_places=2)


class NewTransfer(BaseModel):
    """A transfer from a client."""

    from_account_id: int
    to_account_id: int
    amount: Decimal = Field(gt=0, max_digits=10, decimal_places=2)


@asynccontextmanager
async def lifespan(app: FastAPI):
    """Create the tables."""
    with engine.begin() as connection:
        for statement in TABLES.split(";"):
            connection.execute(text(statement))
    yield


app = FastAPI(lifespan=lifespan)


def exact(value) -> Decimal:
    """Put the cents right: SQLite computes with floats."""
    return Decimal(str(value)).quantize(Decimal("0.01"))


def account_of(connection, account_id, lock=""):
    """Read an account or answer 404."""
    query = text("SELECT id, owner, balance FROM accounts WHERE id = :id" + lock)
    row = connection.execute(query, {"id": account_id}).mappings().first()
    if row is None:
        raise HTTPException(404, "No such account")
    return dict(row) | {"balance": exact(row["balance"])}


@app.post("/accounts", status_code=201)
def create_account(data: NewAccount):
    """Open an account."""
    insert = text("INSERT INTO accounts (owner, balance) VALUES (:owner, :balance) RETURNING id")
    with engine.begin() as connection:
        values = {"owner": data.owner, "balance": str(data.balance)}
        if not sqlite:
            values["balance"] = data.balance
        return account_of(connection, connection.execute(insert, values).scalar_one())


@app.get("/accounts/{account_id}")
def read_account(account_id: int):
    """Read an account."""
    with engine.connect() as connection:
        return account_of(connection, account_id)


@app.get("/accounts/{account_id}/transfers")
def list_transfers(account_id: int, skip: int = 0, limit: int = 10):
    """List what came and went."""
    query = text(
        "SELECT * FROM transfers WHERE from_account_id = :id OR to_account_id = :id "
        "ORDER BY id LIMIT :limit OFFSET :skip"
    )
    with engine.connect() as connection:
        account_of(connection, account_id)
        rows = connection.execute(query, {"id": account_id, "limit": limit, "skip": skip})
        return [dict(row) | {"amount": exact(row["amount"])} for row in rows.mappings()]


@app.post("/transfers", status_code=201)
def create_transfer(data: NewTransfer):
    """Lock both accounts, compute in Decimal, write three rows."""
    ids = sorted({data.from_account_id, data.to_account_id})
    if len(ids) == 1:
        raise HTTPException(400, "From an account to itself")
    with engine.begin() as connection:
        balances = {id_: account_of(connection, id_, LOCK)["balance"] for id_ in ids}
        balances[data.from_account_id] -= data.amount
        balances[data.to_account_id] += data.amount
        if balances[data.from_account_id] < 0:
            raise HTTPException(400, "Insufficient funds")
        if balances[data.to_account_id] > MOST:
            raise HTTPException(400, "Too much for the other account")
        for id_ in ids:
            change = text("UPDATE accounts SET balance = :balance WHERE id = :id")
            balance = str(balances[id_]) if sqlite else balances[id_]
            connection.execute(change, {"id": id_, "balance": balance})
        note = text(
            "INSERT INTO transfers (from_account_id, to_account_id, amount) "
            "VALUES (:from_account_id, :to_account_id, :amount) RETURNING id"
        )
        values = data.model_dump()
        if sqlite:
            values["amount"] = str(data.amount)
        return data.model_dump() | {"id": connection.execute(note, values).scalar_one()}
