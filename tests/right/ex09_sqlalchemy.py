"""Transfers in plain SQLAlchemy with pydantic schemas; money is counted in whole cents."""

import os
from decimal import Decimal

from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel, Field
from sqlalchemy import BigInteger, ForeignKey, String, create_engine, or_, select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///./app.db"))
SessionLocal = sessionmaker(engine, expire_on_commit=False)
MOST_CENTS = 9_999_999_999


class Base(DeclarativeBase):
    """What the tables have in common."""


class Account(Base):
    """An account, in cents."""

    __tablename__ = "accounts"

    id: Mapped[int] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(String(50))
    cents: Mapped[int] = mapped_column(BigInteger)


class Transfer(Base):
    """A transfer, in cents."""

    __tablename__ = "transfers"

    id: Mapped[int] = mapped_column(primary_key=True)
    from_account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    to_account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    cents: Mapped[int] = mapped_column(BigInteger)


class AccountIn(BaseModel):
    """An account from a client."""

    owner: str = Field(min_length=1, max_length=50)
    balance: Decimal = Field(ge=0, le=Decimal("99999999.99"), decimal_places=2)


class TransferIn(BaseModel):
    """A transfer from a client."""

    from_account_id: int
    to_account_id: int
    amount: Decimal = Field(gt=0, max_digits=10, decimal_places=2)


Base.metadata.create_all(engine)
app = FastAPI()


def get_db():
    """Give a session, and close it."""
    with SessionLocal() as db:
        yield db


def to_cents(amount: Decimal) -> int:
    """Give an amount in cents."""
    return int(amount * 100)


def show(row):
    """Describe a row for an answer."""
    money = Decimal(row.cents) / 100
    if isinstance(row, Account):
        return {"id": row.id, "owner": row.owner, "balance": money}
    ends = {"from_account_id": row.from_account_id, "to_account_id": row.to_account_id}
    return {"id": row.id, "amount": money} | ends


def find(db: Session, account_id: int) -> Account:
    """Find an account or answer 404."""
    account = db.get(Account, account_id)
    if account is None:
        raise HTTPException(404, "Account not found")
    return account


@app.post("/accounts", status_code=201)
def open_account(data: AccountIn, db: Session = Depends(get_db)):
    """Open an account."""
    account = Account(owner=data.owner, cents=to_cents(data.balance))
    db.add(account)
    db.commit()
    return show(account)


@app.get("/accounts/{account_id}")
def read_account(account_id: int, db: Session = Depends(get_db)):
    """Read an account."""
    return show(find(db, account_id))


@app.get("/accounts/{account_id}/transfers")
def read_transfers(account_id: int, skip: int = 0, limit: int = 10, db: Session = Depends(get_db)):
    """List what came and went."""
    account = find(db, account_id)
    either = or_(Transfer.from_account_id == account.id, Transfer.to_account_id == account.id)
    found = select(Transfer).where(either).order_by(Transfer.id).offset(skip).limit(limit)
    return [show(row) for row in db.scalars(found)]


@app.post("/transfers", status_code=201)
def move_money(data: TransferIn, db: Session = Depends(get_db)):
    """Move cents, the lower account first, then look at both ends."""
    if data.from_account_id == data.to_account_id:
        raise HTTPException(409, "Choose two accounts")
    cents = to_cents(data.amount)
    find(db, data.from_account_id)
    find(db, data.to_account_id)
    db.rollback()  # a transaction that has read could not write on SQLite any more
    moves = [(data.from_account_id, -cents), (data.to_account_id, cents)]
    for account_id, change in sorted(moves):
        new = Account.cents + change
        fits = update(Account).where(Account.id == account_id, new >= 0, new <= MOST_CENTS)
        if db.execute(fits.values(cents=new)).rowcount != 1:
            db.rollback()
            raise HTTPException(409, "The money does not suffice, or does not fit")
    ends = {"from_account_id": data.from_account_id, "to_account_id": data.to_account_id}
    transfer = Transfer(cents=cents, **ends)
    db.add(transfer)
    db.commit()
    return show(transfer)
