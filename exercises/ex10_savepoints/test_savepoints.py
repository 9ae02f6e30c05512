"""Checks of exercise 10; each speaks to the app over HTTP only."""

import json
from decimal import Decimal
from typing import Any

import pytest

from exercises.causes import Guesses
from exercises.checks import (
    MISSING_REMEMBERED,
    NO_SUCH_ID,
    Api,
    Reply,
    ask_ahead,
    fail,
    same_row,
    shorten,
    unique,
)

NO_COMMIT = "no session.commit() at the end; each request has a session of its own."
ROLLBACK = (
    "session.rollback() undoes the order too, and a failed INSERT without a savepoint ends the "
    "whole transaction: put only the notification into `with session.begin_nested():`, "
    "its session.add() included."
)
NO_SAVEPOINT: Guesses = dict.fromkeys(("", "IntegrityError", "PendingRollbackError"), ROLLBACK)
IN_PARTS = (
    "what belongs together is committed in parts: one commit, at the end, stores all of it or "
    "nothing. What is committed, no rollback undoes."
)
MANY = 150  # more than the usual bounds
LONG = 600  # more than the usual batches; an app may refuse it
AS_SENT = "the answer is not the order as it was sent; no sign in it is changed or taken away."
NO_OTHER = (
    "references are compared in small letters, with LIKE, or without the spaces at their end: a-17 "
    "is another than A-17."
)
IN_ORDER = "the answer keeps the order of the list that was sent."
PASTED = "a text is pasted into the SQL text, and an apostrophe ends it: bind it as a parameter."
ORDER_REFUSED = "the order's own failure ends in the `except` of the notification, or in none."
OWN_FAILURE: dict[int | str, str] = dict.fromkeys(
    ("", "IntegrityError", "PendingRollbackError"), ORDER_REFUSED
)
REFUSED_BUT = (
    "a refused order leaves something: it is written or committed before the reference is."
)


def a_user(api: Api) -> int:
    """Create a customer; give the id."""
    reply = api.post("/users", {"name": "Ada Lovelace"}).expect(201, 200)
    return int(reply.has("is this the stored row?", name="Ada Lovelace").get("id", 0))


def an_order(user: int, **changes: Any) -> dict[str, Any]:
    """Describe an order that no other check knows."""
    reference = unique("A-")
    return {"user_id": user, "reference": reference, "item": "Mug", "total": 9.9} | changes


def exact(order: dict[str, Any]) -> dict[str, Any]:
    """Give an order with its total as a Decimal, which may be answered as a number or a string."""
    return order | {"total": Decimal(str(order.get("total")))}


def send(api: Api, sent: dict[str, Any]) -> Reply:
    """Try to place an order."""
    return api.post("/orders/with-notifications", sent)


def is_stored(api: Api, sent: dict[str, Any], answered: Any, why: str) -> None:
    """Fail unless the answered order is what was sent, and there in the next request."""
    if type(answered.get("id")) is not int:
        fail("an answered order has no whole number as its 'id'.", "it is not the stored order.")
    expected = exact(sent) | {"id": answered["id"]}
    known = {name: answered.get(name) for name in expected}
    same_row(expected, exact(known), why=AS_SENT)
    api.get(f"/orders/{answered['id']}").expect(200, why=why).has(why, **expected)


def place(api: Api, sent: dict[str, Any], why: str) -> int:
    """Place an order; fail unless it is answered, and there in the next request. Give its id."""
    causes: Guesses = {"syntax error": PASTED, "": why}
    reply = send(api, sent).expect(201, 200, why=NO_SAVEPOINT if why is ROLLBACK else causes)
    is_stored(api, sent, reply.object(), why)
    return reply.committed_first().id


def refused(reply: Reply, why: str, *statuses: int) -> None:
    """Fail unless the request is refused, and nothing committed."""
    reply.expect(*statuses, why=why)
    if reply.commits:
        reply.wrong("the request was refused, and has committed a change.", IN_PARTS)


def told(api: Api, user: int) -> list[dict[str, Any]]:
    """List the notifications that a customer got."""
    return api.get(f"/users/{user}/notifications").expect(200).items()


def was_told(api: Api, user: int, items: list[str], why: str) -> None:
    """Fail unless a customer got these messages, about these items."""
    messages = sorted(str(row.get("message")) for row in told(api, user))
    expected = sorted(f"{item} is on its way" for item in items)
    for text in messages:
        if text not in expected and any(one.startswith(text) for one in expected):
            cut = "the message is cut; an item has up to 100 characters, a message up to 200."
            fail(f"the customer has the message {shorten(text)}.", cut)
    if others := [text for text in messages if not text.endswith(" is on its way")]:
        fail(
            f"the customer has the messages {shorten(others)}.",
            "a message with another text: one that is refused is left out, not reworded.",
        )
    if len(expected) > len(messages) >= 10:
        fail(f"{len(messages)} of {len(expected)} messages are listed.", "the list has a limit.")
    if messages != expected:
        fail(f"the customer has the messages {shorten(messages)}, not {shorten(expected)}.", why)


def why_not_told(items: list[str], messages: str) -> str:
    """Say why a customer was not told of all of these items."""
    told = [item for item in items if f'"{item} is' in messages]
    if told == items[:1]:
        return "a customer is told once, whatever the message is: a second message is another one."
    if told and set(items) - set(told) <= {"mug", "M%g"}:
        return "messages are compared with LIKE, or in small letters: Mug is another item than mug."
    return (
        "the notification is not written, its text is another or cut, or it fails in silence: has "
        "the order its id by then, from session.flush()?"
    )


@pytest.mark.step(1)
def test_create_order_with_notification(api: Api) -> None:
    """POST /orders/with-notifications stores the order and its notification."""
    user, other = a_user(api), a_user(api)
    long = "mug " * 24
    items = ["Mug", "blue mug, 50% off", "O'Hat", f"{long}no 1", f"{long}no 2", "mug", "M%g"]
    items += [" two  spaces "]
    for item in items:
        place(api, an_order(user, item=item), NO_COMMIT)
        was_told(api, other, [], "somebody else is told.")
    was_told(api, user, items, why_not_told(items, json.dumps(told(api, user))))


@pytest.mark.step(1)
def test_notification_names_its_order(api: Api) -> None:
    """A notification has the id of its order."""
    user = a_user(api)
    ids = [place(api, an_order(user, item=item), NO_COMMIT) for item in ("Mug", "Pen")]
    reply = api.get(f"/users/{user}/notifications").expect(200)
    named = [row.get("order_id") for row in reply.items()]
    if named != ids:
        why = "the order has no id before session.flush()."
        if None not in named and len(named) < len(ids):
            why = "a message counts as known when anybody got it; it is UNIQUE (user_id, message)."
        reply.wrong(f"the notifications name the orders {named}, not {ids}.", why)


@pytest.mark.step(1)
def test_create_order_of_unknown_user(api: Api) -> None:
    """POST /orders/with-notifications answers 404 to an unknown user, and stores nothing."""
    sent = an_order(NO_SUCH_ID)
    why = "nobody looks whether the user is there; SQLite does not mind by itself."
    refused(send(api, sent), why, 404)
    place(api, sent | {"user_id": a_user(api)}, "the order of nobody was stored.")
    last = a_user(api)
    ask_ahead(api, last, lambda process, number: send(process, an_order(number)))
    ask_ahead(api, last, lambda process, nr: process.get(f"/users/{nr}/notifications"))
    user = a_user(api)
    for process, items in ((api, ["Mug"]), (api.second(), ["Mug", "Pen"])):
        reply = send(process, an_order(user, item=items[-1]))
        reply.expect(201, 200, why={404: MISSING_REMEMBERED})
        was_told(process, user, items, "the list of notifications is remembered in memory.")


@pytest.mark.step(2)
def test_order_stands(api: Api) -> None:
    """An order is stored though its notification is refused, and the next one is as ever."""
    user = a_user(api)
    place(api, an_order(user), ROLLBACK)
    before = told(api, user)
    place(api, an_order(user), ROLLBACK)
    was_told(api, user, ["Mug"], "the table has lost its UNIQUE (user_id, message).")
    why = "the notification that is there is written over; the new one is the one that is refused."
    same_row(before[0], told(api, user)[0], why=why)
    place(api, an_order(user, item="Pen"), ROLLBACK)
    was_told(api, user, ["Mug", "Pen"], ROLLBACK)


@pytest.mark.step(2)
def test_another_customer_is_told(api: Api) -> None:
    """Another customer gets the same message."""
    users = [a_user(api), a_user(api)]
    for user in users:
        place(api, an_order(user), ROLLBACK)
    for user in users:
        why = "a message counts as known when anybody got it; it is UNIQUE (user_id, message)."
        was_told(api, user, ["Mug"], why)


@pytest.mark.step(2)
def test_order_and_notification_are_one_transaction(api: Api) -> None:
    """An order and its notification are stored together, also when the server is killed."""
    user = a_user(api)
    sent: dict[str, Any] = {}
    for item in ("Mug", "Mug", "Pen"):
        sent = an_order(user, item=item)
        send(api, sent).expect(201, 200, why=NO_SAVEPOINT).commits_once(IN_PARTS)
    # Whether an order is there is asked below by its reference, which is then taken.
    why = (
        "an order whose reference is taken is answered as if it had been made, written over, or "
        "stored once more: see step 3."
    )
    send(api, sent).expect(409, 400, why=OWN_FAILURE | {200: why, 201: why})
    sent = an_order(user, item="Cup")
    api.kill_during("POST", "/orders/with-notifications", sent)
    notified = len(told(api, user)) == 3
    stored = not send(api, sent).expect(201, 200, 409, 400).ok
    if notified != stored:
        fail(
            "the server was killed while it stored an order. Then the order is "
            f"{'there' if stored else 'not there'} and its notification is "
            f"{'there' if notified else 'not there'}.",
            IN_PARTS,
        )


@pytest.mark.step(3)
def test_taken_reference(api: Api) -> None:
    """An order whose reference is taken is 409 or 400, and nothing of it is stored."""
    user, other = a_user(api), a_user(api)
    first = an_order(user)
    order = place(api, first, NO_COMMIT)
    why = ORDER_REFUSED
    per_user = "a reference is unique among all orders, not only among those of one customer."
    for asking in (user, other):
        again = an_order(asking, reference=first["reference"], item="Pen", total=5)
        own = OWN_FAILURE | ({} if asking == user else {200: per_user, 201: per_user})
        reply = send(api, again).expect(409, 400, why=own)
        was_told(api, user, ["Mug"], REFUSED_BUT)
        was_told(api, other, [], REFUSED_BUT)
        refused(reply, why, 409, 400)
    is_stored(api, first, api.get(f"/orders/{order}").object(), "the first order is written over.")
    for reference in (first["reference"].lower(), f"{first['reference']} "):
        place(api, first | {"reference": reference}, NO_OTHER)
    place(api, an_order(user, item="Pen"), ROLLBACK)


def import_orders(api: Api, orders: list[dict[str, Any]], why: str) -> Reply:
    """Import a list of orders."""
    return api.post("/orders/import", orders).expect(200, 201, why=why)


def why_these(
    rows: list[dict[str, Any]], created: list[dict[str, Any]], refused: list[dict[str, Any]]
) -> str:
    """Say why these orders are answered as created: another order, others, or too many."""
    references = [row.get("reference") for row in rows]
    expected = [order["reference"] for order in created]
    if sorted(map(str, references)) == sorted(expected):
        items = {row.get("reference"): row.get("item") for row in rows}
        if any(items[order["reference"]] != order["item"] for order in created):
            return "of two orders of a list with one reference, the earlier one is stored."
        return IN_ORDER
    taken = {order["reference"] for order in refused}
    if set(expected) < set(references) <= {*expected, *taken} or (
        set(references) == set(expected) and len(rows) > len(created)
    ):
        return "'created' is read by reference: an order that was there before is not created."
    return ""


def was_imported(
    api: Api, reply: Reply, created: list[dict[str, Any]], refused: list[dict[str, Any]], why: str
) -> None:
    """Fail unless the answer names these orders, and those that were created are stored."""
    body = reply.object()
    named = body.get("refused")
    if not isinstance(named, list) or not all(isinstance(one, str) for one in named):
        reply.wrong(
            "there is no list of references under 'refused'.", "it holds texts, not orders."
        )
    rows, out = body.get("created"), [order["reference"] for order in refused]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        reply.wrong(
            "there is no list of orders under 'created'.", "it holds the stored rows, whole."
        )
    others = why_these(rows, created, refused)
    if sorted(named) == sorted(out):
        why_refused = others or IN_ORDER
    elif set(named) == set(out) and len(rows) == len(created):
        why_refused = "each refused order is named: a reference that is refused twice stands twice."
    else:
        why_refused = why
    reply.has(why_refused, refused=out)
    if {} in rows:
        reply.wrong(
            "the orders are empty objects.",
            "commit() and rollback() empty table objects: refresh() each, or set savepoints and "
            "expire_on_commit=False.",
        )
    references = [row.get("reference") for row in rows]
    expected = [order["reference"] for order in created]
    if references != expected:
        reply.wrong(f"the created references are {references}, not {expected}.", others or why)
    for order, row in zip(created, rows, strict=True):
        is_stored(api, order, row, why)


@pytest.mark.step(4)
def test_import_orders(api: Api) -> None:
    """POST /orders/import stores the orders and their notifications."""
    user, other = a_user(api), a_user(api)
    orders = [an_order(user, item=item, total=1.15) for item in ("Mug", "Pen", "Mug")]
    orders.insert(1, an_order(other))
    api.post("/orders/import", []).expect(200, 201, 422, 400, why="the first of no orders is used.")
    reply = import_orders(api, orders, NO_COMMIT).committed_first()
    was_imported(api, reply, orders, [], NO_COMMIT)
    why = "each order tries to notify its own customer, in a savepoint of its own."
    was_told(api, user, ["Mug", "Pen"], why)
    was_told(api, other, ["Mug"], why)
    ids = [row["id"] for row in reply.object()["created"]]
    named = [row.get("order_id") for row in told(api, user)]
    if named != [ids[0], ids[2]]:
        fail(f"the notifications name the orders {named}, not {[ids[0], ids[2]]}.", why)


@pytest.mark.step(4)
def test_import_leaves_out_taken_references(api: Api) -> None:
    """POST /orders/import refuses orders whose reference is taken; the others stand."""
    user = a_user(api)
    stored = an_order(user)
    place(api, stored, NO_COMMIT)
    first, known, last = (an_order(user, item=item) for item in ("Pen", "Mug", "Cup"))
    taken = an_order(user, reference=stored["reference"], item="Hat")
    twice = an_order(user, reference=first["reference"], item="Bag")
    why = (
        "the failure of one order undoes those before it, or stops the loop: session.rollback() "
        "goes back to the start, a savepoint around each order only to itself."
    )
    out = [twice, taken, twice, stored]
    reply = import_orders(api, [first, twice, taken, known, last, twice, stored], why)
    was_imported(api, reply, [first, known, last], out, why)
    was_imported(api, import_orders(api, [taken], why), [], [taken], why)
    why = (
        "a refused order has left its notification, or one that stands has none: each notification "
        "needs a savepoint of its own, for one that is refused undoes all that share it."
    )
    was_told(api, user, ["Mug", "Pen", "Cup"], why)


@pytest.mark.step(4)
def test_import_minds_case(api: Api) -> None:
    """POST /orders/import tells references apart that differ in their case only."""
    user = a_user(api)
    stored = an_order(user)
    place(api, stored, NO_COMMIT)
    capital = an_order(user, item="Pen")
    small = [
        order | {"reference": order["reference"].lower(), "item": f"Cup {number}"}
        for number, order in enumerate((stored, capital))
    ]
    spaced = stored | {"reference": f" {stored['reference']}"}
    orders = [capital, *small, spaced]
    was_imported(api, import_orders(api, orders, NO_OTHER), orders, [], NO_OTHER)


@pytest.mark.step(4)
def test_import_many_orders(api: Api) -> None:
    """POST /orders/import takes a list of 150, and answers for each of its orders."""
    user = a_user(api)
    orders = [an_order(user, item=f"Mug {number % 7}") for number in range(MANY)]
    why = f"a bound of the app's own refuses a list of {MANY}, or cuts it in silence."
    reply = import_orders(api, orders, why)
    created = [row.get("reference") for row in reply.has(why, refused=[]).get("created", [])]
    if created != [order["reference"] for order in orders]:
        reply.wrong(f"{len(created)} of {MANY} orders are under 'created'.", why)


@pytest.mark.step(4)
def test_long_import_is_all_or_nothing(api: Api) -> None:
    """Nothing of a list that names an unknown user is stored, also when it is a long one."""
    user = a_user(api)
    orders = [an_order(user) for _ in range(LONG - 1)]
    why = "each batch of the list is a transaction of its own: one commit, at the end."
    reply = api.post("/orders/import", [*orders, an_order(NO_SUCH_ID)])
    reply.expect(404, 400, 413, 422, why=why)
    was_told(api, user, [], why)
    place(api, orders[0], why)


@pytest.mark.step(4)
@pytest.mark.parametrize("place_of_unknown", [40, 2, 0], ids=["last", "third", "first"])
def test_import_is_all_or_nothing(api: Api, place_of_unknown: int) -> None:
    """POST /orders/import answers 404 to an unknown user, and nothing of the list is stored."""
    user = a_user(api)
    orders = [an_order(user, item=f"Mug {number}") for number in range(40)]
    sent = [*orders[:place_of_unknown], an_order(NO_SUCH_ID), *orders[place_of_unknown:]]
    why = "each user has to be there; an `except Exception` in the loop catches the 404 too."
    reply = api.post("/orders/import", sent).expect(404, why=why)
    why = (
        "what came before the unknown user was committed: a commit in the loop, or a savepoint "
        "that is a transaction by itself, because SQLite's driver had begun none."
    )
    was_told(api, user, [], why)
    for order in (orders[0], orders[-1]):
        place(api, order, why)
    refused(reply, why, 404)


@pytest.mark.step(4)
def test_import_of_unknown_user_with_taken_reference(api: Api) -> None:
    """POST /orders/import answers 404 to an unknown user, whatever the order's reference is."""
    user, first = a_user(api), an_order(NO_SUCH_ID)
    place(api, first | {"user_id": user}, NO_COMMIT)
    why = "the user is looked for only if the reference is free; one who is not there ends it all."
    refused(api.post("/orders/import", [an_order(user, item="Pen"), first]), why, 404)
    was_told(api, user, ["Mug"], why)
    ask_ahead(api, a_user(api), lambda process, nr: process.post("/orders/import", [an_order(nr)]))
    early = an_order(a_user(api))
    for process in (api.second(), api):
        sent = [early | {"reference": unique("A-")}]
        process.post("/orders/import", sent).expect(200, 201, why={404: MISSING_REMEMBERED})


@pytest.mark.step(4)
def test_import_is_one_transaction(api: Api) -> None:
    """A list is stored in one transaction, however long it is."""
    user = a_user(api)
    orders = [an_order(user, item=f"Mug {number}") for number in range(40)]
    reply = import_orders(api, orders, IN_PARTS).commits_once(IN_PARTS)
    reply.has(IN_PARTS, refused=[])
    created = [row.get("reference") for row in reply.object().get("created", [])]
    if created != [order["reference"] for order in orders]:
        reply.wrong("not all of the 40 orders are under 'created'.", "the answer is cut.")
    was_told(api, user, [str(order["item"]) for order in orders], IN_PARTS)


@pytest.mark.step(5)
def test_orders_at_once(api: Api) -> None:
    """Eight orders of the same thing at one moment are all stored, with one notification."""
    user = a_user(api)
    orders = [an_order(user) for _ in range(8)]
    replies = api.at_once(8, lambda number: send(api, orders[number]))
    why = (
        "a SELECT before the INSERT of the notification is the only guard: all requests look "
        "before one has written. Try to insert, in a savepoint, and catch the IntegrityError."
    )
    for order, reply in zip(orders, replies, strict=True):
        reply.expect(201, 200, why={"": why, "unique constraint": why})
        is_stored(api, order, reply.object(), why)
    was_told(api, user, ["Mug"], why)


@pytest.mark.step(5)
def test_one_reference_at_once(api: Api) -> None:
    """Of eight orders with one reference at one moment, one is stored, also when in lists."""
    user, reference = a_user(api), unique("A-")
    orders = [an_order(user, reference=reference, item=f"Mug {nr}") for nr in range(8)]

    def send_or_import(number: int) -> Reply:
        one = orders[number]
        return send(api, one) if number // 2 % 2 else api.post("/orders/import", [one])

    replies = api.at_once(8, send_or_import)
    why = "a SELECT before the INSERT of the order is the only guard; let the constraint decide."
    for number, reply in enumerate(replies):
        expected = (201, 200, 400, 409) if number // 2 % 2 else (200, 201)
        reply.expect(*expected, why={"": why, "unique constraint": why, "UNIQUE constraint": why})
    created = [len(reply.object().get("created", "1")) for reply in replies if reply.ok]
    messages = len(told(api, user))
    if (sum(created), messages) != (1, 1):
        fail(f"{sum(created)} of eight orders were created, {messages} notifications stored.", why)


@pytest.mark.step(5)
def test_lists_with_one_reference_in_common_at_once(api: Api) -> None:
    """Of lists that meet in one reference, one stores that order, and each stores its others."""
    user, shared = a_user(api), unique("A-")
    lists = [[an_order(user), an_order(user, reference=shared), an_order(user)] for _ in range(4)]
    why = (
        "the list that meets another is refused, or undone, as a whole: a savepoint around each "
        "order goes back to that order only."
    )
    replies = api.at_once(4, lambda number: api.post("/orders/import", lists[number]))
    stored = 0
    for reply, sent in zip(replies, lists, strict=True):
        body = reply.expect(200, 201, why=why).object()
        if body.get("refused") == []:
            was_imported(api, reply, sent, [], why)
            stored += 1
        else:
            was_imported(api, reply, [sent[0], sent[2]], [sent[1]], why)
    if stored != 1:
        fail(f"of four lists with one reference in common, {stored} have stored it.", why)
