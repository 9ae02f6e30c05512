"""Checks of exercise 10; each speaks to the app over HTTP only."""

from decimal import Decimal
from typing import Any

import pytest

from exercises.checks import NO_SUCH_ID, Api, Reply, fail, shorten, unique

NO_COMMIT = "no session.commit() at the end; each request has a session of its own."
ROLLBACK = (
    "session.rollback() undoes the order too, and a failed INSERT without a savepoint ends the "
    "whole transaction: put only the notification into `with session.begin_nested():`, "
    "its session.add() included."
)


def a_user(api: Api) -> int:
    """Create a customer; give the id."""
    reply = api.post("/users", {"name": "Ada Lovelace"}).expect(201, 200)
    return int(reply.has("is this the stored row?", name="Ada Lovelace").get("id", 0))


def an_order(user: int, **changes: Any) -> dict[str, Any]:
    """Describe an order that no other check knows."""
    reference = unique("A-")
    return {"user_id": user, "reference": reference, "item": "Mug", "total": 9.9} | changes


def place(api: Api, sent: dict[str, Any], why: str) -> None:
    """Place an order; fail unless it is answered, and there in the next request."""
    expected = sent | {"total": Decimal(str(sent["total"]))}
    reply = api.post("/orders/with-notifications", sent).expect(201, 200, why=why)
    body = reply.has("the answer is not the stored order.", **expected)
    api.get(f"/orders/{body.get('id')}").expect(200, why=why).has(why, **expected)


def told(api: Api, user: int) -> list[str]:
    """List the messages that a customer got."""
    rows = api.get(f"/users/{user}/notifications").expect(200).items()
    return [str(row.get("message")) for row in rows]


def was_told(api: Api, user: int, expected: list[str], why: str) -> None:
    """Fail unless a customer got these messages."""
    messages = told(api, user)
    if sorted(messages) != sorted(expected):
        fail(f"the customer has the messages {shorten(messages)}, not {shorten(expected)}.", why)


@pytest.mark.step(1)
def test_create_order_with_notification(api: Api) -> None:
    """POST /orders/with-notifications stores the order and its notification."""
    user = a_user(api)
    sent = an_order(user)
    place(api, sent, NO_COMMIT)
    why = (
        "the notification is not written, its text is another, or it fails in silence: has the "
        "order its id by then, from session.flush()?"
    )
    was_told(api, user, ["Mug is on its way"], why)


@pytest.mark.step(1)
def test_notification_names_its_order(api: Api) -> None:
    """A notification has the id of its order."""
    user = a_user(api)
    ids = []
    for item in ("Mug", "Pen"):
        reply = api.post("/orders/with-notifications", an_order(user, item=item)).expect(201, 200)
        ids.append(reply.object().get("id"))
    reply = api.get(f"/users/{user}/notifications").expect(200)
    named = [row.get("order_id") for row in reply.items()]
    if named != ids:
        reply.wrong(
            f"the notifications name the orders {named}, not {ids}.",
            "the order has no id before session.flush().",
        )


@pytest.mark.step(1)
def test_create_order_of_unknown_user(api: Api) -> None:
    """POST /orders/with-notifications answers 404 when there is no such user."""
    why = "nobody looks whether the user is there; SQLite does not mind by itself."
    api.post("/orders/with-notifications", an_order(NO_SUCH_ID)).expect(404, why=why)


@pytest.mark.step(2)
def test_order_stands(api: Api) -> None:
    """An order is stored though its notification is refused, and the next one is as ever."""
    user = a_user(api)
    place(api, an_order(user), ROLLBACK)
    place(api, an_order(user), ROLLBACK)
    was_told(api, user, ["Mug is on its way"], "the table has lost its UNIQUE (user_id, message).")
    place(api, an_order(user, item="Pen"), ROLLBACK)
    was_told(api, user, ["Mug is on its way", "Pen is on its way"], ROLLBACK)


@pytest.mark.step(2)
def test_another_customer_is_told(api: Api) -> None:
    """Another customer gets the same message."""
    users = [a_user(api), a_user(api)]
    for user in users:
        place(api, an_order(user), ROLLBACK)
    for user in users:
        why = "a message counts as known when anybody got it; it is UNIQUE (user_id, message)."
        was_told(api, user, ["Mug is on its way"], why)


@pytest.mark.step(3)
def test_taken_reference(api: Api) -> None:
    """An order whose reference is taken is 409 or 400, and nothing of it is stored."""
    user = a_user(api)
    first = an_order(user)
    place(api, first, NO_COMMIT)
    again = an_order(user, reference=first["reference"], item="Pen")
    why = "the order's own failure ends in the `except` of the notification, or in none."
    api.post("/orders/with-notifications", again).expect(409, 400, why=why)
    why = "the notification of a refused order is stored: it is written or committed before it."
    was_told(api, user, ["Mug is on its way"], why)
    place(api, an_order(user, item="Pen"), ROLLBACK)


def import_orders(api: Api, orders: list[dict[str, Any]], why: str, *statuses: int) -> Reply:
    """Import a list of orders; fail unless the status is one of these, or 200 or 201."""
    return api.post("/orders/import", orders).expect(*(statuses or (200, 201)), why=why)


def was_imported(api: Api, reply: Reply, created: list[str], refused: list[str], why: str) -> None:
    """Fail unless the answer names these references, and those that were created are stored."""
    body = reply.object()
    named = body.get("refused")
    if not isinstance(named, list) or not all(isinstance(one, str) for one in named):
        reply.wrong(
            "there is no list of references under 'refused'.", "it holds texts, not orders."
        )
    reply.has(why, refused=refused)
    rows = body.get("created")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        reply.wrong("there is no list of orders under 'created'.", why)
    if {} in rows:
        reply.wrong(
            "the orders are empty objects.",
            "commit() and rollback() empty table objects: refresh() each, or set savepoints and "
            "expire_on_commit=False.",
        )
    references = [row.get("reference") for row in rows]
    if references != created:
        reply.wrong(f"the created references are {references}, not {created}.", why)
    for row in rows:
        api.get(f"/orders/{row.get('id')}").expect(200, why=why).has(
            why, reference=row["reference"]
        )


@pytest.mark.step(4)
def test_import_orders(api: Api) -> None:
    """POST /orders/import stores the orders and their notifications."""
    user = a_user(api)
    orders = [an_order(user, item=item) for item in ("Mug", "Pen", "Mug")]
    reply = import_orders(api, orders, NO_COMMIT)
    was_imported(api, reply, [order["reference"] for order in orders], [], NO_COMMIT)
    why = "each order tries to notify, in a savepoint of its own."
    was_told(api, user, ["Mug is on its way", "Pen is on its way"], why)


@pytest.mark.step(4)
def test_import_leaves_out_taken_references(api: Api) -> None:
    """POST /orders/import refuses orders whose reference is taken; the others stand."""
    user = a_user(api)
    stored = an_order(user)
    place(api, stored, NO_COMMIT)
    first, last = an_order(user, item="Pen"), an_order(user, item="Cup")
    taken = an_order(user, reference=stored["reference"], item="Hat")
    twice = an_order(user, reference=first["reference"], item="Bag")
    why = (
        "the failure of one order undoes those before it, or stops the loop: session.rollback() "
        "goes back to the start, a savepoint around each order only to itself."
    )
    reply = import_orders(api, [first, taken, twice, last], why)
    created = [first["reference"], last["reference"]]
    was_imported(api, reply, created, [taken["reference"], twice["reference"]], why)
    messages = ["Mug is on its way", "Pen is on its way", "Cup is on its way"]
    why = "a refused order has left its notification, or one that stands has none."
    was_told(api, user, messages, why)


@pytest.mark.step(4)
def test_import_is_one_transaction(api: Api) -> None:
    """POST /orders/import answers 404 to an unknown user, and nothing of the list is stored."""
    user = a_user(api)
    orders = [an_order(user), an_order(user), an_order(NO_SUCH_ID)]
    why = "each user has to be there; an `except Exception` in the loop catches the 404 too."
    import_orders(api, orders, why, 404)
    why = (
        "what came before the unknown user was committed: a commit in the loop, or a savepoint "
        "that is a transaction by itself, because SQLite's driver had begun none."
    )
    was_told(api, user, [], why)
    for order in orders[:2]:
        place(api, order, why)


@pytest.mark.step(5)
def test_orders_at_once(api: Api) -> None:
    """Eight orders of the same thing at one moment are all stored, with one notification."""
    user = a_user(api)
    orders = [an_order(user) for _ in range(8)]
    replies = api.at_once(8, lambda nr: api.post("/orders/with-notifications", orders[nr]))
    why = (
        "a SELECT before the INSERT of the notification is the only guard: all requests look "
        "before one has written. Try to insert, in a savepoint, and catch the IntegrityError."
    )
    for reply in replies:
        reply.expect(201, 200, why=why)
        api.get(f"/orders/{reply.object().get('id')}").expect(200, why=why)
    was_told(api, user, ["Mug is on its way"], why)


@pytest.mark.step(5)
def test_one_reference_at_once(api: Api) -> None:
    """Of eight orders with one reference at one moment, one is stored."""
    user = a_user(api)
    orders = [an_order(user, reference=unique("A-"), item=f"Mug {nr}") for nr in range(8)]
    orders = [order | {"reference": orders[0]["reference"]} for order in orders]
    replies = api.at_once(8, lambda nr: api.post("/orders/with-notifications", orders[nr]))
    why = "a SELECT before the INSERT of the order is the only guard; let the constraint decide."
    for reply in replies:
        reply.expect(201, 200, 400, 409, why=why)
    stored = sum(reply.ok for reply in replies)
    messages = told(api, user)
    if (stored, len(messages)) != (1, 1):
        fail(f"{stored} orders were answered with 201, {len(messages)} notifications stored.", why)
