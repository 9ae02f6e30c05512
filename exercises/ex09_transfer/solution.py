"""Accounts, and transfers that lose nothing."""

import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Query
from sqlmodel import Field, Session, SQLModel, col, create_engine, func, or_, select, update

engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///./app.db"))
MOST = Decimal("99999999.99")  # what NUMERIC(10, 2) holds


class AccountCreate(SQLModel):
    """What a client sends to open an account."""

    owner: str = Field(min_length=1, max_length=50)
    balance: Decimal = Field(ge=0, max_digits=10, decimal_places=2)


class Account(AccountCreate, table=True):
    """What is stored, and what is answered."""

    __tablename__ = "accounts"

    id: int = Field(default=None, primary_key=True)


class TransferCreate(SQLModel):
    """What a client sends to move money."""

    from_account_id: int = Field(foreign_key="accounts.id", index=True)
    to_account_id: int = Field(foreign_key="accounts.id", index=True)
    amount: Decimal = Field(gt=0, max_digits=10, decimal_places=2)


class Transfer(TransferCreate, table=True):
    """A transfer that has happened."""

    __tablename__ = "transfers"

    id: int = Field(default=None, primary_key=True)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Create the tables that are not there yet."""
    SQLModel.metadata.create_all(engine)
    yield


def get_session() -> Iterator[Session]:
    """Give each request a session of its own; what was not committed is undone."""
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]


def get_account(account_id: int, session: SessionDep) -> Account:
    """Find an account."""
    account = session.get(Account, account_id)
    if account is None:
        raise HTTPException(404, f"Account {account_id} not found")
    return account


AccountDep = Annotated[Account, Depends(get_account)]


def add_to_balance(session: Session, account_id: int, change: Decimal) -> None:
    """Check and change the balance in one statement, so that nobody comes between."""
    # SQLite computes NUMERIC with floats; rounded, a cent stays a cent.
    balance = func.round(col(Account.balance) + change, 2)
    statement = update(Account).where(col(Account.id) == account_id, balance.between(0, MOST))
    if session.exec(statement.values(balance=balance)).rowcount == 0:
        reason = "Insufficient funds" if change < 0 else "The account cannot hold so much"
        raise HTTPException(400, reason)


app = FastAPI(title="Accounts", lifespan=lifespan)


@app.post("/accounts", status_code=201)
def create_account(data: AccountCreate, session: SessionDep) -> Account:
    """Open an account."""
    account = Account.model_validate(data)
    session.add(account)
    session.commit()
    session.refresh(account)
    return account


@app.get("/accounts/{account_id}")
def read_account(account: AccountDep) -> Account:
    """Read one account."""
    return account


@app.get("/accounts/{account_id}/transfers")
def list_transfers(
    account: AccountDep,
    session: SessionDep,
    skip: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 10,
) -> Sequence[Transfer]:
    """List what came and went, by id."""
    statement = select(Transfer).where(
        or_(Transfer.from_account_id == account.id, Transfer.to_account_id == account.id)
    )
    return session.exec(statement.order_by(col(Transfer.id)).offset(skip).limit(limit)).all()


@app.post("/transfers", status_code=201)
def create_transfer(data: TransferCreate, session: SessionDep) -> Transfer:
    """Move money: both balances and the transfer's own row, or nothing."""
    if data.from_account_id == data.to_account_id:
        raise HTTPException(400, "The two accounts are the same")
    changes = {data.from_account_id: -data.amount, data.to_account_id: data.amount}
    for account_id in changes:
        get_account(account_id, session)
    # The lower id first: of two opposite transfers, one waits and neither waits for ever.
    for account_id, change in sorted(changes.items()):
        add_to_balance(session, account_id, change)
    transfer = Transfer.model_validate(data)
    session.add(transfer)
    session.commit()
    session.refresh(transfer)
    return transfer
