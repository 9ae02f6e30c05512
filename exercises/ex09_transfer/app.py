"""Exercise 09: transfers. The steps are in README.md; replace each 501 by the route's work."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from sqlmodel import Field, Session, SQLModel, create_engine

engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///./app.db"))


class AccountCreate(SQLModel):
    """What a client sends to open an account."""

    owner: str = Field(min_length=1, max_length=50)
    # Step 1: balance, exact to the cent


class Account(AccountCreate, table=True):
    """What is stored, and what is answered."""

    __tablename__ = "accounts"

    id: int = Field(default=None, primary_key=True)


class TransferCreate(SQLModel):
    """What a client sends to move money."""

    from_account_id: int = Field(foreign_key="accounts.id", index=True)
    to_account_id: int = Field(foreign_key="accounts.id", index=True)
    # Step 2: amount


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

app = FastAPI(title="Accounts", lifespan=lifespan)


@app.post("/accounts", status_code=201)
def create_account(data: AccountCreate, session: SessionDep) -> Account:
    """Open an account."""
    # Step 1
    raise HTTPException(501, "Step 1 is yet to be written")


# Step 1: GET /accounts/{account_id}
# Step 2: GET /accounts/{account_id}/transfers


@app.post("/transfers", status_code=201)
def create_transfer(data: TransferCreate, session: SessionDep) -> Transfer:
    """Move money: both balances and the transfer's own row, or nothing."""
    # Steps 2 to 6
    raise HTTPException(501, "Step 2 is yet to be written")
