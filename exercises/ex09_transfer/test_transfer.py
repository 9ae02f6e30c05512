"""Checks of exercise 09; each speaks to the app over HTTP only."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from exercises.causes import Why
from exercises.checks import (
    AWKWARD_PRICES,
    MISSING_REMEMBERED,
    NO_SUCH_ID,
    Api,
    Reply,
    ask_ahead,
    fail,
    same_row,
    unique,
)

MOST = "99999999.99"
REFUSED = (400, 409, 422)
NO_COMMIT = "no session.commit() after the changes; each request has a session of its own."
FLOAT = (
    "floats compute the money, and 0.1 has no exact float: Decimal in Python, NUMERIC(10, 2) in "
    "the table, and on SQLite func.round(…, 2) around a sum in SQL."
)
MISSING = "session.get() gave None, and it was used."
HALF = (
    "what belongs together is committed in parts, or an error is answered without a rollback: one "
    "commit, at the end, makes all of it happen or nothing."
)
RACE = (
    "the balance is read, compared in Python and written: others have read the same balance "
    "meanwhile. Let one UPDATE check and change it (with_for_update() does nothing on SQLite, and "
    "a lock in memory keeps out the requests of its own process only)."
)
MEMORY = (
    "the answer comes from the memory of one process, a cache or a dictionary; another process has "
    "moved money meanwhile. Only the database is shared by all."
)
IN_ONE_PROCESS = "the accounts live in one process, and only the database is shared by all."
TOO_MUCH = (
    "nobody compares with 99999999.99: PostgreSQL refuses what NUMERIC(10, 2) cannot hold by an "
    "error that nobody catches, and SQLite stores it."
)
NOT_REPEATED = (
    "a transfer that meets another one is refused, though the money allows both: a conflict of "
    "versions or of locks is no lack of funds. Repeat it, or let one UPDATE check and change."
)
NO_NUMBER = (
    "NaN and Infinity are Decimals, and floats, that no comparison holds back and no int() takes: "
    "a Decimal field of a Pydantic class refuses them."
)
NULL = "null is taken for 0, or for a default: a field that has to be there is no `… | None`."
UNBOUNDED = (
    "the transfer is written before the balance is compared, and its column cannot hold such an "
    "amount: bound it in the input class, or compare first."
)


def create(api: Api, balance: str = "100", owner: str = "") -> int:
    """Open an account; give its id."""
    sent = {"owner": owner or unique("Ada "), "balance": float(balance)}
    several = "a rule of the app's own: an owner may have several accounts."
    reply = api.post("/accounts", sent).expect(201, 200, why={400: several, 409: several})
    reply.has("is it the stored row?", owner=sent["owner"])
    reply.has(FLOAT, balance=Decimal(balance))
    return reply.committed_first().id


def order_of(from_id: int, to_id: int, amount: Any) -> dict[str, Any]:
    """Describe a transfer."""
    return {"from_account_id": from_id, "to_account_id": to_id, "amount": amount}


def transfer(api: Api, from_id: int, to_id: int, amount: Any) -> Reply:
    """Ask for a transfer."""
    return api.post("/transfers", order_of(from_id, to_id, amount))


def refused(reply: Reply, why: Why, *statuses: int) -> None:
    """Fail unless the transfer is refused, and nothing committed."""
    reply.expect(*(statuses or REFUSED), why=why)
    if reply.commits:
        reply.wrong("the transfer was refused, and has committed a change.", HALF)


def expect_balances(api: Api, why: str, balances: dict[int, str]) -> None:
    """Fail unless the accounts hold this much."""
    for account_id, balance in balances.items():
        reply = api.get(f"/accounts/{account_id}").expect(200, why=NO_COMMIT)
        reply.has(why, balance=Decimal(balance))


def transfers_of(api: Api, account_id: int) -> list[dict[str, Any]]:
    """List all transfers of an account, their amounts as Decimals."""
    rows = api.list_all(f"/accounts/{account_id}/transfers", limit=10)
    return [row | {"amount": Decimal(str(row.get("amount")))} for row in rows]


def expect_transfers(api: Api, account_id: int, count: int, why: str) -> None:
    """Fail unless the account has so many transfers."""
    listed = len(transfers_of(api, account_id))
    if listed != count:
        fail(f"GET /accounts/{account_id}/transfers lists {listed}, not {count}.", why)


@pytest.mark.step(1)
@pytest.mark.parametrize("balance", ["0", "100.5", "0.1", "1234567.89", *AWKWARD_PRICES])
def test_create_account(api: Api, balance: str) -> None:
    """An account comes back with its exact balance, also in the next request."""
    other, one = create(api, "1.5"), create(api, balance)
    expect_balances(api, FLOAT, {one: balance, other: "1.5"})


@pytest.mark.step(1)
@pytest.mark.parametrize(
    "owner", ["O'Brien", 'the "second"', "Élodie", "日本語", "ada KING", " two  spaces "]
)
def test_create_account_of_any_owner(api: Api, owner: str) -> None:
    """An owner may be called O'Brien, or be written in other letters than a to z."""
    why = "the owner is pasted into the SQL text, or changed: bind values as parameters."
    if owner.isascii() and not {"'", '"'} & set(owner):
        why = "the owner is changed: capitals put in, or spaces taken away. It stays as it is sent."
    reply = api.post("/accounts", {"owner": owner, "balance": 1})
    reply.expect(201, 200, why={"syntax error": why, "": why}).has(why, owner=owner)
    api.get(f"/accounts/{reply.id}").expect(200, why=NO_COMMIT).has(why, owner=owner)


@pytest.mark.step(1)
@pytest.mark.parametrize(
    "balance",
    [
        *(-0.01, -1, 0.001, 1.999, 1e-9, 99999999.991, 100_000_000, 1e30),
        *("much", "NaN", "Infinity", None),
    ],
)
def test_create_account_refuses_invalid_balance(api: Api, balance: Any) -> None:
    """POST /accounts answers 422 to a balance below 0, too large or finer than a cent."""
    why = (
        "the bound is missing (ge=0, max_digits=10, decimal_places=2), or the table class is the "
        "request body: a class with table=True does not validate."
    )
    if balance is None:
        why = NULL
    reply = api.post("/accounts", {"owner": "Nobody", "balance": balance})
    no_number: Why = {"OverflowError": NO_NUMBER, 5: NO_NUMBER, "": why}
    reply.expect(422, why=no_number if balance in ("NaN", "Infinity") else why)


@pytest.mark.step(1)
def test_read_account_not_found(api: Api) -> None:
    """GET /accounts/{id} answers 404 when there is no such account."""
    reply = api.get(f"/accounts/{NO_SUCH_ID}").expect(404, why=MISSING)
    if reply.open_connections:
        why = "the session is not closed after an error: `with Session(engine) as session: yield`."
        reply.wrong("the request kept its connection; after a few more the pool is empty.", why)


@pytest.mark.step(1)
def test_read_account_in_another_process(api: Api) -> None:
    """An account is there for each server process, also where it was asked for too early."""
    ask_ahead(api, create(api), lambda process, number: process.get(f"/accounts/{number}"))
    account = create(api)
    for process, why in ((api, MISSING_REMEMBERED), (api.second(), IN_ONE_PROCESS)):
        process.get(f"/accounts/{account}").expect(200, why={404: why})


@pytest.mark.step(2)
@pytest.mark.parametrize("amount", ["30.25", "0.01", "0.29", "0.57", "1.15"])
def test_create_transfer(api: Api, amount: str) -> None:
    """POST /transfers takes from one account and adds to the other, for good."""
    one, other, third = create(api), create(api, "5.5"), create(api)
    reply = transfer(api, one, other, float(amount)).expect(201, 200).committed_first()
    why = "the answer is not the stored transfer."
    reply.has(why, id=reply.id, **order_of(one, other, Decimal(amount)))
    left, got = Decimal(100) - Decimal(amount), Decimal("5.5") + Decimal(amount)
    why = "a balance is not changed, changed by something else, or not committed."
    expect_balances(api, why, {one: str(left), other: str(got), third: "100"})
    transfer(api, other, one, 1).expect(201, 200)
    why = "the sums are right and the direction is not: the account of from_account_id pays."
    expect_balances(api, why, {one: str(left + 1), other: str(got - 1)})


@pytest.mark.step(2)
def test_create_transfer_between_accounts_of_one_owner(api: Api) -> None:
    """An owner may have several accounts, and POST /transfers moves money between them."""
    ids = one, other, third = [create(api, owner="Ada Lovelace") for _ in range(3)]
    if len(set(ids)) < 3:
        why = "the owner's first account is answered: read the new one, by its id."
        fail(f"three accounts of one owner were answered with the ids {ids}.", why)
    why = "the owners are compared, not the ids of the accounts."
    transfer(api, one, other, 30.25).expect(201, 200, why=why)
    expect_balances(api, why, {one: "69.75", other: "130.25", third: "100"})
    expect_transfers(api, third, 0, why)


@pytest.mark.step(2)
def test_transfer_of_another_process(api: Api) -> None:
    """Each server process answers what another has changed since it was asked last."""
    one, other = create(api), create(api)
    both = (api, api.second())
    moved = Decimal(0)
    for turn, process in enumerate((api, *both, *both)):
        if turn:  # all have read before anything changes
            transfer(process, one, other, 0.57).expect(201, 200, why=MEMORY)
            moved += Decimal("0.57")
        for reader in both:
            expect_balances(reader, MEMORY, {one: str(100 - moved), other: str(100 + moved)})
            left_out = "the list leaves out what came, or what went"
            why = MEMORY if reader is not process else f"{left_out}. Or {MEMORY}"
            expect_transfers(reader, other, turn, why)


@pytest.mark.step(2)
@pytest.mark.parametrize(
    "amount", [0, -5, -0.01, 0.001, 1.999, 1e-9, "much", "NaN", "Infinity", None]
)
def test_create_transfer_refuses_invalid_amount(api: Api, amount: Any) -> None:
    """POST /transfers answers 422 to an amount that is not above 0, or finer than a cent."""
    one, other = create(api), create(api)
    why = "the bound is missing: gt=0, decimal_places=2. Below 0, money would flow back."
    if isinstance(amount, float) and amount > 0:
        why = "an amount finer than a cent is rounded, or multiple_of=0.01 of a float takes it."
    if amount is None:
        why = NULL
    no_number: Why = {"OverflowError": NO_NUMBER, 5: NO_NUMBER, "": why}
    by_status = no_number if amount in ("NaN", "Infinity") else why
    refused(transfer(api, one, other, amount), by_status, 422)
    expect_balances(api, why, {one: "100", other: "100"})


@pytest.mark.step(2)
@pytest.mark.parametrize("field", ["from_account_id", "to_account_id", "amount"])
def test_create_transfer_needs_all_fields(api: Api, field: str) -> None:
    """POST /transfers answers 422 when an account or the amount is left out."""
    one, other = create(api), create(api)
    sent = order_of(one, other, 1)
    del sent[field]
    why = "the field has a default: nobody has said which account, or how much."
    refused(api.post("/transfers", sent), why, 422)
    expect_balances(api, why, {one: "100", other: "100"})


@pytest.mark.step(2)
def test_create_transfer_account_not_found(api: Api) -> None:
    """POST /transfers answers 404 when one of the accounts does not exist."""
    one = create(api)
    refused(transfer(api, NO_SUCH_ID, one, 1), MISSING, 404)
    refused(transfer(api, one, NO_SUCH_ID, 1), MISSING, 404)
    expect_balances(api, HALF, {one: "100"})
    ask_ahead(api, create(api), lambda process, number: transfer(process, one, number, 1))
    ask_ahead(api, create(api), lambda process, number: transfer(process, number, one, 1))
    early = [create(api), create(api)]
    for process in (api, api.second()):
        transfer(process, *early, 1).expect(201, 200, why={404: MISSING_REMEMBERED})
        reply = process.get(f"/accounts/{early[0]}/transfers")
        reply.expect(200, why={404: MISSING_REMEMBERED})


@pytest.mark.step(2)
def test_create_transfer_to_itself(api: Api) -> None:
    """POST /transfers refuses a transfer from an account to itself."""
    one = create(api)
    refused(transfer(api, one, one, 10), "the two ids are not compared.")
    expect_balances(api, "the balance is written twice, and the last one wins.", {one: "100"})
    expect_transfers(api, one, 0, "the transfer is stored before the ids are compared.")


@pytest.mark.step(2)
def test_list_transfers(api: Api) -> None:
    """GET /accounts/{id}/transfers lists what came and what went, by id, and nothing else."""
    one, other, third = create(api), create(api), create(api)
    ways = [(one, other), (other, one), (other, third), (third, one)] * 4
    amounts = [Decimal(101 + number * 7 % 16) / 100 for number in range(16)]  # in no order
    made = [
        transfer(api, *way, float(amount)).expect(201, 200).object() | order_of(*way, amount)
        for way, amount in zip(ways, amounts, strict=True)
    ]
    own = [row for row, way in zip(made, ways, strict=True) if one in way]
    ids, path = [row["id"] for row in own], f"/accounts/{one}/transfers"
    for window, expected in {
        "skip=0&limit=100": ids,
        "skip=0&limit=10": ids[:10],
        "skip=1&limit=1": ids[1:2],
        "skip=10&limit=10": ids[10:],
        "skip=12&limit=10": [],
    }.items():
        reply = api.get(f"{path}?{window}").expect(200)
        listed = [row.get("id") for row in reply.items()]
        if listed != expected:
            why = (
                "skip and limit do not reach .offset(skip).limit(limit), or cut what came and what "
                "went apart: they count the transfers of both kinds, once."
            )
            if expected == ids:
                why = "the WHERE looks at one of the two columns only, or there is no ORDER BY."
            reply.wrong(f"the ids are {listed}, not {expected}.", why)
    reply = api.get(path).expect(200, why="skip and limit have no default.")
    listed = [row.get("id") for row in reply.items()[:3]]
    if listed != ids[:3]:
        why = "skip has a default other than 0."
        reply.wrong(f"the first ids are {listed}, not {ids[:3]}.", why)
    for row, listed_row in zip(own, transfers_of(api, one), strict=True):
        known = {name: listed_row.get(name) for name in row}
        if known["amount"] == -row["amount"]:
            why = "from_account_id tells who has paid; the amount is above 0 for both accounts."
            fail(f"the amount of transfer {row['id']} is listed as {known['amount']}.", why)
        why = (
            "the list shows other fields than POST /transfers answered, or that answered a value "
            "before it was stored: session.refresh(row) reads what is in the table."
        )
        same_row(row, known, why=why)


@pytest.mark.step(2)
def test_list_more_than_a_hundred_transfers(api: Api) -> None:
    """GET /accounts/{id}/transfers gives 100 at once, and skip=100 those that follow."""
    one, other = create(api), create(api)
    ids = [transfer(api, one, other, 0.01).expect(201, 200).id for _ in range(103)]
    path = f"/accounts/{one}/transfers"
    why = "a limit of your own stands in the query; up to 100 may be asked for, from any place."
    for skip, expected in ((0, ids[:100]), (100, ids[100:])):
        reply = api.get(f"{path}?skip={skip}&limit=100").expect(200, why=why)
        listed = [row.get("id") for row in reply.items()]
        if listed != expected:
            reply.wrong(f"{len(listed)} transfers are listed, not these {len(expected)}.", why)
    why = "a balance is the sum of all transfers of the account; a limit leaves some of them out."
    expect_balances(api, why, {one: "98.97", other: "101.03"})


@pytest.mark.step(3)
def test_insufficient_funds(api: Api) -> None:
    """More than the account holds cannot be transferred, and nothing changes."""
    one, other = create(api, "50"), create(api)
    why = "the balance is not compared with the amount before it is changed."
    for amount in (50.01, 5000, 99999999.99, 10**9, 10**30):
        reply = transfer(api, one, other, amount)
        reply.expect(*REFUSED, why={"": why, "field overflow": UNBOUNDED})
        kept = "the transfer is stored before the balance is compared, or as one that has failed."
        expect_transfers(api, one, 0, kept)
        refused(reply, why)
    expect_balances(api, HALF, {one: "50", other: "100"})


@pytest.mark.step(3)
def test_last_cent(api: Api) -> None:
    """Everything may go, and 0.30 is enough for three transfers of 0.10."""
    why = (
        "only a balance below the amount is too little: compare with <, not with <=; and an empty "
        "account takes what comes."
    )
    for balance, amount, times in (
        ("50", 50, 1),
        (MOST, float(MOST), 1),
        ("0.3", 0.1, 3),
        ("1.74", 0.58, 3),
    ):
        one, other = create(api, balance), create(api, "0")
        for turn in range(times):
            reply = transfer(api, one, other, amount)
            left = Decimal(balance) - turn * Decimal(str(amount))
            if turn == 1 and not reply.ok:  # twice as much is left: no rounding explains that
                equal = "a transfer like an earlier one is refused: each is one of its own."
                expect_balances(api, FLOAT, {one: str(left)})
                reply.expect(201, 200, why=equal)
            if balance == MOST:  # one of 50 went before
                why = "99999999.99 itself is not too much, to hold or to transfer: <=, not <."
            zero = "an account with 0 is taken for none: `if not balance` is true for 0, too."
            reply.expect(201, 200, why={404: zero, "": FLOAT if turn else why})
        expect_balances(api, FLOAT, {one: "0", other: balance})
        refused(transfer(api, one, other, 0.01), FLOAT)


@pytest.mark.step(4)
def test_too_much_to_hold(api: Api) -> None:
    """When the receiving account cannot hold the amount, the sending one keeps it."""
    poor, rich = create(api, "50"), create(api, MOST)
    refused(transfer(api, poor, rich, 0.01), TOO_MUCH)
    expect_balances(api, HALF, {poor: "50", rich: MOST})
    expect_transfers(api, poor, 0, HALF)
    # Here the receiving account has the lower id, there the sending one: neither order may matter.
    late = create(api, "50")
    refused(transfer(api, late, rich, 50), TOO_MUCH)
    expect_balances(api, HALF, {late: "50", rich: MOST})
    transfer(api, rich, late, 0.01).expect(201, 200)
    why = "99999999.99 itself is not too much to hold: <=, not <."
    transfer(api, late, rich, 0.01).expect(201, 200, why=why)
    expect_balances(api, FLOAT, {late: "50", rich: MOST})


@pytest.mark.step(4)
def test_receiver_does_not_exist(api: Api) -> None:
    """When the receiving account does not exist, the sending one keeps the money."""
    one = create(api)
    reply = transfer(api, one, NO_SUCH_ID, 40).expect(404, why=MISSING)
    expect_balances(api, HALF, {one: "100"})
    expect_transfers(api, one, 0, HALF)
    refused(reply, HALF, 404)


@pytest.mark.step(4)
def test_transfer_is_one_transaction(api: Api) -> None:
    """Both balances and the transfer are stored together, also when the server is killed."""
    one, other = ids = create(api), create(api)
    transfer(api, one, other, 40).expect(201, 200).commits_once(HALF)
    api.kill_during("POST", "/transfers", order_of(one, other, 40))
    rows = len(transfers_of(api, one))
    balances = [api.get(f"/accounts/{id_}").expect(200).object().get("balance") for id_ in ids]
    now = sorted(float(str(balance)) for balance in balances)
    if (rows, *now) not in [(1, 60, 140), (2, 20, 180)]:
        fail(
            "the server was killed while it moved 40 from an account with 60 to one with 140. Then "
            f"the accounts hold {now[0]} and {now[1]}, and {rows} transfers are stored.",
            HALF,
        )


@pytest.mark.step(4)
def test_transfer_survives_a_restart(api: Api) -> None:
    """A transfer that was answered 201 is there when the server has been restarted."""
    one, other = create(api), create(api)
    transfer(api, one, other, 40).expect(201, 200)
    api.restart()
    expect_balances(api, NO_COMMIT, {one: "60", other: "140"})
    expect_transfers(api, one, 1, NO_COMMIT)


def expect_done(api: Api, count: int, call: Callable[[int], Reply]) -> None:
    """Make eight transfers at one moment; fail unless so many succeed and the rest is refused."""
    replies = api.at_once(8, call)
    for reply in replies:
        statuses = (201, 200, *(REFUSED if count < 8 else ()))
        reply.expect(*statuses, why={409: NOT_REPEATED, "": RACE})
    done = sum(reply.ok for reply in replies)
    if done != count:
        fail(f"{done} of eight transfers at one moment were answered 201, not {count}.", RACE)


@pytest.mark.step(5)
def test_no_overdraft_at_once(api: Api) -> None:
    """Of eight transfers of 30 at one moment from an account with 100, three succeed."""
    one, other = create(api), create(api, "0")
    expect_done(api, 3, lambda _: transfer(api, one, other, 30))
    expect_balances(api, RACE, {one: "10", other: "90"})
    expect_transfers(api, one, 3, HALF)


@pytest.mark.step(5)
def test_no_overdraft_at_once_to_many(api: Api) -> None:
    """The same when each of the eight goes to another account."""
    others = [create(api, "0") for _ in range(4)]
    one = create(api)
    others += [create(api, "0") for _ in range(4)]
    expect_done(api, 3, lambda number: transfer(api, one, others[number], 30))
    expect_balances(api, RACE, {one: "10"})
    expect_transfers(api, one, 3, HALF)


@pytest.mark.step(5)
def test_not_too_much_to_hold_at_once(api: Api) -> None:
    """Of eight transfers at one moment, an account takes no more than it can hold."""
    payers = [create(api) for _ in range(4)]
    payee = create(api, "99999899.99")
    payers += [create(api) for _ in range(4)]
    expect_done(api, 3, lambda number: transfer(api, payers[number], payee, 30))
    expect_balances(api, RACE, {payee: "99999989.99"})
    expect_transfers(api, payee, 3, HALF)


@pytest.mark.step(5)
def test_nothing_is_lost_at_once(api: Api) -> None:
    """Eight transfers at one moment that the money allows all happen, and every cent is there."""
    payers, payee = [create(api) for _ in range(4)], create(api, "0")
    expect_done(api, 8, lambda number: transfer(api, payers[number // 2], payee, 10.01))
    expect_balances(api, RACE, {payee: "80.08"} | dict.fromkeys(payers, "79.98"))
    expect_transfers(api, payee, 8, RACE)


@pytest.mark.step(6)
def test_back_and_forth_at_once(api: Api) -> None:
    """Transfers from A to B and from B to A at one moment all succeed."""
    one, other = create(api), create(api)
    ways = [(one, other, 7), (other, one, 5)]
    expect_done(api, 8, lambda number: transfer(api, *ways[number // 2 % 2]))
    expect_balances(api, RACE, {one: "92", other: "108"})


@pytest.mark.step(6)
def test_in_a_ring_at_once(api: Api) -> None:
    """Transfers from A to B, from B to C and from C to A at one moment all succeed."""
    ring = [create(api) for _ in range(3)]
    expect_done(api, 8, lambda nr: transfer(api, ring[nr % 3], ring[(nr + 1) % 3], 7))
    expect_balances(api, RACE, {ring[0]: "93", ring[1]: "100", ring[2]: "107"})
