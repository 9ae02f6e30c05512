"""Checks of exercise 09; each speaks to the app over HTTP only."""

from decimal import Decimal
from typing import Any

import pytest

from exercises.checks import NO_SUCH_ID, Api, Reply, fail, unique

MOST = Decimal("99999999.99")
REFUSED = (400, 409, 422)
NO_COMMIT = "no session.commit() after the changes; each request has a session of its own."
FLOAT = (
    "floats compute the money, and 0.1 has no exact float: Decimal in Python, NUMERIC(10, 2) in "
    "the table, and on SQLite func.round(…, 2) around a sum in SQL."
)
MISSING = "session.get() gave None, and it was used."
HALF = (
    "a commit between the two changes, or an error answered without a rollback: one commit, at the "
    "end, makes all of it happen or nothing."
)
RACE = (
    "the balance is read, compared in Python and written: others have read the same balance "
    "meanwhile. Let one UPDATE check and change it (with_for_update() does nothing on SQLite)."
)
DEADLOCK = (
    "a deadlock: one transfer has locked A and waits for B, the other has locked B and waits for "
    "A. Take the two accounts in the same order, the lower id first, whichever way the money goes."
)


def create(api: Api, balance: str = "100") -> int:
    """Open an account; give its id."""
    sent = {"owner": unique("Ada "), "balance": float(balance)}
    reply = api.post("/accounts", sent).expect(201, 200)
    reply.has("is it the stored row?", owner=sent["owner"])
    reply.has(FLOAT, balance=Decimal(balance))
    return reply.id


def transfer(api: Api, from_id: int, to_id: int, amount: Any) -> Reply:
    """Ask for a transfer."""
    sent = {"from_account_id": from_id, "to_account_id": to_id, "amount": amount}
    return api.post("/transfers", sent)


def expect_balances(api: Api, why: str, balances: dict[int, str]) -> None:
    """Fail unless the accounts hold this much."""
    for account_id, balance in balances.items():
        reply = api.get(f"/accounts/{account_id}").expect(200, why=NO_COMMIT)
        reply.has(why, balance=Decimal(balance))


def transfers_of(api: Api, account_id: int) -> list[dict[str, Any]]:
    """List all transfers of an account."""
    return api.list_all(f"/accounts/{account_id}/transfers", limit=10)


def expect_transfers(api: Api, account_id: int, count: int, why: str) -> None:
    """Fail unless the account has so many transfers."""
    listed = len(transfers_of(api, account_id))
    if listed != count:
        fail(f"GET /accounts/{account_id}/transfers lists {listed}, not {count}.", why)


@pytest.mark.step(1)
@pytest.mark.parametrize("balance", ["0", "100.5", "0.1", "1234567.89", "99999999.99"])
def test_create_account(api: Api, balance: str) -> None:
    """An account comes back with its exact balance, also in the next request."""
    expect_balances(api, FLOAT, {create(api, balance): balance})


@pytest.mark.step(1)
@pytest.mark.parametrize("balance", [-0.01, 0.001, 100_000_000, "much", None])
def test_create_account_refuses_invalid_balance(api: Api, balance: Any) -> None:
    """POST /accounts answers 422 to a balance below 0, too large or finer than a cent."""
    why = (
        "the bound is missing (ge=0, max_digits=10, decimal_places=2), or the table class is the "
        "request body: a class with table=True does not validate."
    )
    api.post("/accounts", {"owner": "Nobody", "balance": balance}).expect(422, why=why)


@pytest.mark.step(1)
def test_read_account_not_found(api: Api) -> None:
    """GET /accounts/{id} answers 404 when there is no such account."""
    api.get(f"/accounts/{NO_SUCH_ID}").expect(404, why="session.get() gave None, and it was used.")


@pytest.mark.step(2)
def test_create_transfer(api: Api) -> None:
    """POST /transfers takes from one account and adds to the other, for good."""
    one, other, third = create(api), create(api, "5.5"), create(api)
    reply = transfer(api, one, other, 30.25).expect(201, 200)
    why = "the answer is not the stored transfer."
    reply.has(why, id=reply.id, from_account_id=one, to_account_id=other, amount=Decimal("30.25"))
    why = "one of the balances was not changed, or not committed."
    expect_balances(api, why, {one: "69.75", other: "35.75", third: "100"})


@pytest.mark.step(2)
@pytest.mark.parametrize("amount", [0, -5, 0.001, "much", None])
def test_create_transfer_refuses_invalid_amount(api: Api, amount: Any) -> None:
    """POST /transfers answers 422 to an amount that is not above 0, or finer than a cent."""
    one, other = create(api), create(api)
    why = "the bound is missing: gt=0, decimal_places=2. Below 0, money would flow back."
    transfer(api, one, other, amount).expect(422, why=why)
    expect_balances(api, why, {one: "100", other: "100"})


@pytest.mark.step(2)
def test_create_transfer_account_not_found(api: Api) -> None:
    """POST /transfers answers 404 when one of the accounts does not exist."""
    one = create(api)
    transfer(api, NO_SUCH_ID, one, 1).expect(404, why=MISSING)
    transfer(api, one, NO_SUCH_ID, 1).expect(404, why=MISSING)


@pytest.mark.step(2)
def test_create_transfer_to_itself(api: Api) -> None:
    """POST /transfers refuses a transfer from an account to itself."""
    one = create(api)
    why = "the two ids are not compared."
    transfer(api, one, one, 10).expect(*REFUSED, why=why)
    expect_balances(api, "the balance is written twice, and the last one wins.", {one: "100"})


@pytest.mark.step(2)
def test_list_transfers(api: Api) -> None:
    """GET /accounts/{id}/transfers lists what came and what went, by id, and nothing else."""
    one, other, third = create(api), create(api), create(api)
    ways = [(one, other), (other, one), (other, third), (third, one)]
    made = [transfer(api, *way, 1).expect(201, 200).object().get("id") for way in ways]
    path = f"/accounts/{one}/transfers"
    reply = api.get(path).expect(200)
    ids = [row.get("id") for row in reply.items()]
    if ids != [made[0], made[1], made[3]]:
        reply.wrong(
            f"the ids are {ids}, not {[made[0], made[1], made[3]]}.",
            "the WHERE looks at one of the two columns only, or there is no ORDER BY.",
        )
    reply = api.get(f"{path}?skip=1&limit=1").expect(200)
    if [row.get("id") for row in reply.items()] != [made[1]]:
        reply.wrong(f"this is not transfer {made[1]} alone.", ".offset(skip).limit(limit).")


@pytest.mark.step(3)
def test_insufficient_funds(api: Api) -> None:
    """More than the account holds cannot be transferred, and nothing changes."""
    one, other = create(api, "50"), create(api)
    why = "the balance is not compared with the amount before it is changed."
    transfer(api, one, other, 50.01).expect(*REFUSED, why=why)
    expect_balances(api, HALF, {one: "50", other: "100"})
    expect_transfers(api, one, 0, "the transfer is stored before the balance is compared.")


@pytest.mark.step(3)
def test_last_cent(api: Api) -> None:
    """Everything may go, and 0.30 is enough for three transfers of 0.10."""
    one, other = create(api, "50"), create(api, "0")
    why = "only a balance below the amount is too little: compare with <, not with <=."
    transfer(api, one, other, 50).expect(201, 200, why=why)
    one, other = create(api, "0.3"), create(api, "0")
    for _ in range(3):
        transfer(api, one, other, 0.1).expect(201, 200, why=FLOAT)
    expect_balances(api, FLOAT, {one: "0", other: "0.3"})
    transfer(api, one, other, 0.01).expect(*REFUSED, why=FLOAT)


@pytest.mark.step(4)
def test_too_much_to_hold(api: Api) -> None:
    """When the receiving account cannot hold the amount, the sending one keeps it."""
    poor, rich = create(api, "50"), create(api, str(MOST))
    why = (
        "PostgreSQL refuses what NUMERIC(10, 2) cannot hold by an error that nobody catches, and "
        "SQLite stores it: compare with 99999999.99."
    )
    transfer(api, poor, rich, 0.01).expect(*REFUSED, why=why)
    expect_balances(api, HALF, {poor: "50", rich: str(MOST)})
    expect_transfers(api, poor, 0, HALF)
    # Here the receiving account has the lower id, there the sending one: neither order may matter.
    late = create(api, "50")
    transfer(api, late, rich, 50).expect(*REFUSED, why=why)
    expect_balances(api, HALF, {late: "50", rich: str(MOST)})
    transfer(api, rich, late, 0.01).expect(201, 200)
    why = "99999999.99 itself is not too much to hold: <=, not <."
    transfer(api, late, rich, 0.01).expect(201, 200, why=why)


@pytest.mark.step(4)
def test_receiver_does_not_exist(api: Api) -> None:
    """When the receiving account does not exist, the sending one keeps the money."""
    one = create(api)
    transfer(api, one, NO_SUCH_ID, 40).expect(404, why=MISSING)
    expect_balances(api, HALF, {one: "100"})
    expect_transfers(api, one, 0, HALF)


@pytest.mark.step(4)
def test_transfer_survives_a_restart(api: Api) -> None:
    """A transfer that was answered 201 is there when the server has been restarted."""
    one, other = create(api), create(api)
    transfer(api, one, other, 40).expect(201, 200)
    api.restart()
    expect_balances(api, NO_COMMIT, {one: "60", other: "140"})
    expect_transfers(api, one, 1, NO_COMMIT)


@pytest.mark.step(5)
def test_no_overdraft_at_once(api: Api) -> None:
    """Of eight transfers of 30 at one moment from an account with 100, three succeed."""
    one, other = create(api), create(api, "0")
    replies = api.at_once(8, lambda number: transfer(api, one, other, 30))
    for reply in replies:
        reply.expect(201, 200, *REFUSED, why=RACE)
    done = sum(reply.ok for reply in replies)
    if done != 3:
        fail(f"{done} of eight transfers of 30 from 100 were answered 201, not 3.", RACE)
    expect_balances(api, RACE, {one: "10", other: "90"})
    expect_transfers(api, one, 3, HALF)


@pytest.mark.step(5)
def test_nothing_is_lost_at_once(api: Api) -> None:
    """Eight transfers at one moment that the money allows all happen, and every cent is there."""
    payers, payee = [create(api) for _ in range(4)], create(api, "0")
    replies = api.at_once(8, lambda number: transfer(api, payers[number % 4], payee, 10.01))
    for reply in replies:
        reply.expect(201, 200, why=RACE)
    expect_balances(api, RACE, {payee: "80.08"} | dict.fromkeys(payers, "79.98"))
    expect_transfers(api, payee, 8, RACE)


@pytest.mark.step(6)
def test_back_and_forth_at_once(api: Api) -> None:
    """Transfers from A to B and from B to A at one moment all succeed."""
    one, other = create(api), create(api)
    ways = [(one, other, 7), (other, one, 5)]
    for _ in range(2):
        replies = api.at_once(4, lambda number: transfer(api, *ways[number % 2]))
        for reply in replies:
            reply.expect(201, 200, why=DEADLOCK)
    expect_balances(api, RACE, {one: "92", other: "108"})
