"""Checks of exercise 08; each speaks to the app over HTTP only."""

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from exercises.causes import Why
from exercises.checks import (
    MISSING_REMEMBERED,
    NO_SUCH_ID,
    Api,
    Reply,
    ask_ahead,
    fail,
    found,
    same,
    unique,
    why_not_all,
)

Lines = list[tuple[int, int]]  # product id, quantity
Prices = dict[int, str]  # by product id

NO_COMMIT = "no session.commit() at the end; each request has a session of its own."
NONE_FOUND = "session.get() gave None, and it was used."
READ_THEN_WRITTEN = (
    "the stock is read, compared and then written: another request does the same in between. Let "
    "one statement look and take, UPDATE … SET stock = stock - :n WHERE stock >= :n "
    "(with_for_update() does it on PostgreSQL, and nothing at all on SQLite; a lock in memory "
    "keeps out the requests of its own process only)."
)
ADD = (
    "the stock is read, added to and written: what another request wrote meanwhile is lost. Let "
    "the database add, UPDATE … SET stock = stock + :n."
)
NOT_REPEATED = (
    "a request that meets another one is refused, though there is enough for both: a conflict of "
    "versions or of locks is no lack of stock. Repeat it, or let one UPDATE look and take."
)
IN_PARTS = (
    "what belongs together is committed in parts, e.g. there is a commit for each line; what one "
    "has made permanent, no rollback undoes. One commit, at the end."
)
MEMORY = "it is kept in the memory of one process; only the database is shared by all."
STATUSES = ["pending", "confirmed", "shipped", "delivered", "cancelled"]


def a_user(api: Api, why: Why = "") -> int:
    """Create a customer; give the id."""
    sent = {"name": "Ada Lovelace", "email": f"{unique('ada.')}@example.com"}
    return api.post("/users", sent | {"age": 36, "city": "London"}).expect(201, 200, why=why).id


def a_product(api: Api, price: str = "9.90", stock: int = 10, why: Why = "") -> int:
    """Create a product; give the id."""
    sent = {"name": unique("Mug "), "price": float(price), "stock": stock}
    return api.post("/products", sent).expect(201, 200, why=why).id


def order(api: Api, user: int, lines: Lines) -> Reply:
    """Try to place an order."""
    items = [{"product_id": product, "quantity": quantity} for product, quantity in lines]
    return api.post("/orders", {"user_id": user, "items": items})


def placed(api: Api, user: int, lines: Lines) -> int:
    """Place an order; give the id."""
    return order(api, user, lines).expect(201, 200).committed_first().id


def refused(reply: Reply, why: str, *statuses: int) -> None:
    """Fail unless the request is refused with 400 or 409, or one of these, and changes nothing."""
    reply.expect(*(statuses or (400, 409)), why=why)
    if reply.commits:
        reply.wrong("the request was refused, and has committed a change.", IN_PARTS)


def stock_is(api: Api, product: int, expected: int, why: str) -> None:
    """Fail unless so many of the product are left."""
    reply = api.get(f"/products/{product}").expect(200)
    reply.has(why, stock=expected)


def items_of(reply: Reply, why: str) -> list[dict[str, Any]]:
    """Give the items of the answered order."""
    items = reply.has(why, id=reply.id).get("items")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        cause = "a table class leaves its relationships out: name a response model with items."
        reply.wrong("there is no list of objects under 'items'.", cause)
    for item in items:
        if type(item.get("id")) is not int or type(item.get("quantity")) is not int:
            reply.wrong("an item has no whole number as its 'id' or its 'quantity'.", why)
    return items


def is_order(
    reply: Reply, user: int, lines: Lines, prices: Prices, why: str, status: str = "pending"
) -> set[int]:
    """Fail unless this is the order; lines of one product may have become one. Give the item ids.

    `prices` are the unit prices that the order was placed at.
    """
    total = sum(quantity * Decimal(prices[product]) for product, quantity in lines)
    items = items_of(reply, why)
    ordered, answered = Counter[Any](), Counter[Any]()
    for product, quantity in lines:
        ordered[product] += quantity
    for item in items:
        answered[item.get("product_id")] += item["quantity"]
    if answered.keys() - ordered.keys():
        why = "it has the items of others: the query for them does not say of which order."
    if len(items) == len(ordered) < len(lines) and answered.total() < ordered.total():
        why = (
            "of several lines of one product not all are stored, or answered: a dict by product "
            "keeps the last, DISTINCT and GROUP BY take equal lines for one."
        )
    if ordered != answered:
        reply.wrong(f"by product, the items are {dict(answered)}, not {dict(ordered)}.", why)
    for item in items:
        price = Decimal(prices[item["product_id"]])
        wanted = {"unit_price": price, "total_price": price * item["quantity"]}
        for field, value in wanted.items():
            if field not in item:
                reply.wrong(f"an item has no {field!r}.", "the response class leaves it out.")
            if not same(value, item[field]):
                reply.wrong(f"the {field} of an item is {item[field]}, not {value}.", why)
    reply.has(why, user_id=user, status=status, total_amount=total)
    return {item["id"] for item in items}


def orders_after(api: Api, user: int, before: int) -> list[Reply]:
    """Find the orders of this user between the one before and a new one."""
    after = placed(api, user, [(a_product(api), 1)])
    found = [api.get(f"/orders/{number}") for number in range(before + 1, after)]
    return [reply for reply in found if reply.ok and reply.object().get("user_id") == user]


def nothing_stored(api: Api, user: int, before: int) -> None:
    """Fail when there is an order of this user after the one before."""
    for reply in orders_after(api, user, before):
        reply.wrong(
            "a refused order was stored.",
            "the order is committed before its lines were looked at: flush() gives it an id "
            "as well, and can be rolled back.",
        )


@pytest.mark.step(1)
def test_create_order(api: Api) -> None:
    """POST /orders stores the order, copies the prices and takes the products from the stock."""
    prices = ["19.99", "0.10", "0.29", "0.57", "1.15"]
    mug, pen, cup, hat, bag = products = [a_product(api, price) for price in prices]
    priced = dict(zip(products, prices, strict=True))
    user, buyer = a_user(api), a_user(api)
    lines = [(bag, 7), (mug, 2), (hat, 1), (pen, 3), (cup, 10)]
    reply = order(api, user, lines).expect(201, 200)
    if reply.object().get("user_id", user) != user:
        reply.wrong(f"the user is not {user}.", "the order is somebody else's: user_id says whose.")
    why = "money is a float, or the sum is wrong; Decimal, in NUMERIC(10, 2), is exact."
    ids = is_order(reply, user, lines, priced, why)
    api.get(f"/orders/{reply.id}").expect(200, why=NO_COMMIT)
    one = [(hat, 1)]  # 0.57 cut off in binary is 0.56
    others = [order(api, buyer, one).expect(201, 200) for _ in range(2)]
    merged = (
        "a user's next order is added to the one before, or written over it, or the one before is "
        "answered again: each POST is an order of its own."
    )
    if len({reply.id, *(another.id for another in others)}) < 3:
        fail("of three orders two were answered with the same id.", merged)
    for another in others:
        is_order(another, buyer, one, priced, why)
    again = api.get(f"/orders/{reply.id}").expect(200, why=NO_COMMIT)
    why = "the stored order is not the answered one, or it has the items of others."
    if is_order(again, user, lines, priced, why) != ids:
        again.wrong("the ids of the items are not those that POST answered.", why)
    is_order(api.get(f"/orders/{others[0].id}").expect(200), buyer, one, priced, merged)
    for product, left in {bag: 3, mug: 8, hat: 7, pen: 7, cup: 0}.items():
        stock_is(
            api, product, left, "the stock is not written, or not for each line; or no commit."
        )


@pytest.mark.step(1)
def test_create_order_of_many_lines(api: Api) -> None:
    """POST /orders takes an order of fifty-one products, and one of a hundred lines."""
    user, products = a_user(api), [a_product(api, stock=50) for _ in range(51)]
    lines = [(product, number % 3 + 1) for number, product in enumerate(products)]
    why = "not all lines are stored, or counted: only so many of the list are looked at."
    left = Counter(dict.fromkeys(products, 50))
    for ordered in (lines, (lines * 2)[:100]):
        reply = order(api, user, ordered)
        reply.expect(201, 200, why="a bound of the app's own refuses the lines: 100 are allowed.")
        is_order(reply, user, ordered, dict.fromkeys(products, "9.90"), why)
        for product, quantity in ordered:
            left[product] -= quantity
    for product in products[::8] + products[-1:]:
        stock_is(api, product, left[product], why)


@pytest.mark.step(1)
def test_create_order_of_the_dearest(api: Api) -> None:
    """POST /orders takes a product of the highest price that there is."""
    price = "99999999.99"
    user, diamond = a_user(api), a_product(api, price)
    reply = order(api, user, [(diamond, 1)])
    reply.expect(201, 200, why="a bound of the app's own refuses a sum that the column holds.")
    is_order(reply, user, [(diamond, 1)], {diamond: price}, "money is a float of too few digits.")


@pytest.mark.step(1)
@pytest.mark.parametrize(
    "quantity",
    [0, -3, 0.5, 1.5, None, "two"],
    ids=["zero", "negative", "half", "one and a half", "null", "a word"],
)
def test_create_order_refuses_quantity(api: Api, quantity: Any) -> None:
    """POST /orders answers 422 to a quantity below 1, and to one that is no whole number."""
    user, mug, pen = a_user(api), a_product(api), a_product(api)
    why = "the bound is missing: quantity: int = Field(ge=1); a negative one adds to the stock."
    if isinstance(quantity, float):
        why = (
            "a part of the quantity is cut off: declare it as int, which takes whole numbers only."
        )
    if quantity is None:
        why = "null is taken for a quantity that was not sent: quantity: int takes no null."
    for lines in ([(mug, quantity)], [(pen, 1), (mug, quantity)]):
        refused(order(api, user, lines), why, 422)
    stock_is(api, mug, 10, why)
    stock_is(api, pen, 10, why)


@pytest.mark.step(1)
@pytest.mark.parametrize("quantity", [101, 1_001, 10_000])
def test_create_order_of_many(api: Api, quantity: int) -> None:
    """POST /orders takes any quantity up to 10,000 that the stock has."""
    user, pen = a_user(api), a_product(api, "0.29", stock=10_007)
    lines = [(pen, quantity)]
    why = "a bound of the app's own refuses a quantity that the stock has."
    reply = order(api, user, lines).expect(201, 200, why=why)
    why = "money is a float, or the sum is wrong; Decimal, in NUMERIC(10, 2), is exact."
    is_order(reply, user, lines, {pen: "0.29"}, why)
    stock_is(api, pen, 10_007 - quantity, "the stock does not go down by the whole quantity.")


@pytest.mark.step(1)
def test_create_order_of_many_on_two_lines(api: Api) -> None:
    """POST /orders takes two lines of one product that are more than 10,000 together."""
    user, pen = a_user(api), a_product(api, "0.29", stock=20_000)
    lines = [(pen, 10_000), (pen, 5_000)]
    why = "the bound of a line is laid upon what several lines add up to, which has none."
    guesses: Why = {"ValidationError": why, 422: why, "": why}
    reply = order(api, user, lines).expect(201, 200, why=guesses)
    is_order(reply, user, lines, {pen: "0.29"}, "the sum is wrong.")
    stock_is(api, pen, 5_000, "the lines of the same product do not all reach the stock.")


@pytest.mark.step(1)
def test_create_order_refuses_no_items(api: Api) -> None:
    """POST /orders answers 422 to an order without items."""
    user = a_user(api)
    order(api, user, []).expect(422, why="the list has no min_length=1.")
    why = "the list has a default, which is not validated; a required field has none."
    api.post("/orders", {"user_id": user}).expect(422, why=why)


@pytest.mark.step(1)
def test_read_order_not_found(api: Api) -> None:
    """GET /orders/{id} answers 404 when there is no such order."""
    reply = api.get(f"/orders/{NO_SUCH_ID}").expect(404, why=NONE_FOUND)
    if reply.open_connections:
        why = "the session is not closed after an error: `with Session(engine) as session: yield`."
        reply.wrong("the request kept its connection; after a few more the pool is empty.", why)


@pytest.mark.step(1)
def test_order_asked_for_before(api: Api) -> None:
    """User, product and order are found when they are there, also when asked for before."""
    user, mug = a_user(api), a_product(api)
    why = {404: MISSING_REMEMBERED, 400: MISSING_REMEMBERED}
    ask_ahead(api, mug, lambda process, number: process.get(f"/products/{number}"))
    ask_ahead(api, mug, lambda process, number: order(process, user, [(number, 1)]))
    new = a_product(api, why=why)
    ask_ahead(api, user, lambda process, number: order(process, number, [(mug, 1)]))
    buyer = a_user(api, why)
    first = placed(api, user, [(mug, 1)])
    for path in (f"/products/{new}", f"/orders/{first}"):
        api.get(path).expect(200, why=why)
    ask_ahead(api, first, lambda process, number: process.get(f"/orders/{number}"))
    for process in (api, api.second()):
        found(process.get(f"/products/{new}"))
        number = order(process, buyer, [(new, 1)]).expect(201, 200, why=why).id
        for reader in (api, api.second()):
            found(reader.get(f"/orders/{number}"))


@pytest.mark.step(1)
def test_first_user_product_and_order(api: Api) -> None:
    """The user, the product and the order with the id 1 are like any others."""
    placed(api, a_user(api), [(a_product(api), 1)])
    bound = "a bound refuses the smallest id that there is: ge=1 and not gt=1."
    # Only on a database that was empty is it certain that nobody has deleted them.
    api.get("/orders/1").expect(200, 404, why={422: bound})
    for user, product in ((1, NO_SUCH_ID), (NO_SUCH_ID, 1)):
        nobody = "user" if user == NO_SUCH_ID else "product"
        why: Why = {422: bound, 2: f"nobody looks whether the {nobody} is there."}
        order(api, user, [(product, 1)]).expect(404, 400, why=why)


@pytest.mark.step(2)
def test_order_keeps_its_price(api: Api) -> None:
    """An order does not change when the product becomes dearer, also when the order moves on."""
    user, mug = a_user(api), a_product(api, "9.90")
    number = placed(api, user, [(mug, 2)])
    dearer = {"price": 12.5}
    # The other process has not seen the old price, and this one not the new: neither may matter.
    api.second().patch(f"/products/{mug}", dearer).expect(200).has(price=Decimal("12.5"))
    why = (
        "the price is read from the product each time, or its change is written into orders; it "
        "has to be copied into the item, once."
    )
    old = api.get(f"/orders/{number}").expect(200)
    is_order(old, user, [(mug, 2)], {mug: "9.90"}, why)
    later = order(api, user, [(mug, 1)]).expect(201, 200)
    why = f"a new order costs the new price, or {MEMORY}"
    is_order(later, user, [(mug, 1)], {mug: "12.5"}, why)


@pytest.mark.step(2)
def test_client_does_not_choose_the_price(api: Api) -> None:
    """Prices in the body of POST /orders are ignored or refused."""
    user, mug = a_user(api), a_product(api, "9.90")
    item = {"product_id": mug, "quantity": 2, "price": 0.01, "unit_price": 0.01}
    item["total_price"] = 0.02
    body = {"user_id": user, "items": [item], "total_amount": 0.02, "status": "delivered"}
    reply = api.post("/orders", body)
    if reply.status == 422:
        return
    why = "prices, or the status, are taken from the body, where a client writes what it likes."
    number = reply.expect(201, 200).id
    for answer in (reply, api.get(f"/orders/{number}").expect(200)):
        is_order(answer, user, [(mug, 2)], {mug: "9.90"}, why)


@pytest.mark.step(3)
def test_insufficient_stock(api: Api) -> None:
    """POST /orders answers 400 when there is not enough, and the stock stays."""
    user, mug = a_user(api), a_product(api, stock=3)
    before = placed(api, user, [(a_product(api), 1)])
    why = "the stock is not compared with the quantity."
    for quantity in (4, 400, 10_000):
        refused(order(api, user, [(mug, quantity)]), why)
    stock_is(api, mug, 3, "a refused order has taken something.")
    nothing_stored(api, user, before)


@pytest.mark.step(3)
def test_last_piece(api: Api) -> None:
    """All that there is can be ordered, and then nothing, until there is more."""
    user, mug = a_user(api), a_product(api, stock=3)
    why = "the comparison leaves a piece: stock >= quantity is enough."
    order(api, user, [(mug, 3)]).expect(201, 200, why=why)
    stock_is(api, mug, 0, why)
    refused(order(api, user, [(mug, 1)]), "0 is taken for 'unknown'.")
    api.second().patch(f"/products/{mug}", {"stock": 2}).expect(200).has(stock=2)
    order(api, user, [(mug, 2)]).expect(201, 200, why=f"the stock is not read anew: {MEMORY}")
    stock_is(api, mug, 0, f"the stock is not read anew: {MEMORY}")


@pytest.mark.step(3)
def test_same_product_on_two_lines(api: Api) -> None:
    """The same product on two lines counts together, in the stock and in the sums."""
    user, mug, pen = a_user(api), a_product(api, "9.90", stock=3), a_product(api, "0.10")
    why = "each line is compared with the stock on its own: add up by product first."
    for lines in ([(mug, 2), (mug, 2)], [(mug, 2), (pen, 1), (mug, 2)]):
        refused(order(api, user, lines), why)
        stock_is(api, mug, 3, why)
        stock_is(api, pen, 10, why)
    lines = [(mug, 1), (pen, 1), (mug, 2)]
    reply = order(api, user, lines).expect(201, 200, why="1 and 2 of 3 are there.")
    why = "the sums count one of the lines that name the same product, or its quantity twice."
    is_order(reply, user, lines, {mug: "9.90", pen: "0.10"}, why)
    stock_is(api, mug, 0, "the lines of the same product do not all reach the stock.")


@pytest.mark.step(3)
def test_create_order_of_unknown_product(api: Api) -> None:
    """POST /orders answers 404 (or 400) when there is no such product."""
    why = "session.get() gave None for the product, and None has no stock."
    refused(order(api, a_user(api), [(NO_SUCH_ID, 1)]), why, 404, 400)


@pytest.mark.step(3)
def test_create_order_of_unknown_user(api: Api) -> None:
    """POST /orders answers 404 (or 400) when there is no such user, and takes nothing."""
    mug = a_product(api)
    why = "nobody looks whether the user is there; SQLite does not mind by itself."
    refused(order(api, NO_SUCH_ID, [(mug, 1)]), why, 404, 400)
    stock_is(api, mug, 10, "the order of nobody has taken something.")


@pytest.mark.step(4)
@pytest.mark.parametrize(
    ("place", "short"),
    [(0, True), (1, True), (2, True), (2, False)],
    ids=["first-short", "middle-short", "last-short", "last-unknown"],
)
def test_all_or_nothing(api: Api, place: int, short: bool) -> None:
    """When one line cannot be served, nothing is taken and no order is stored."""
    user = a_user(api)
    mugs = [a_product(api, stock=1 if number == place else 10) for number in range(3)]
    before = placed(api, user, [(a_product(api), 1)])
    lines = [(mug, 2) for mug in mugs]
    if not short:
        lines[place] = (NO_SUCH_ID, 2)
    why = "a line that cannot be served is left out, or its product is not looked for."
    statuses = (400, 409) if short else (404, 400)
    reply = order(api, user, lines).expect(*statuses, why=why)
    for number, mug in enumerate(mugs):
        stock_is(api, mug, 1 if number == place else 10, IN_PARTS)
    nothing_stored(api, user, before)
    refused(reply, why, *statuses)


@pytest.mark.step(4)
def test_order_is_one_transaction(api: Api) -> None:
    """Order, items and stock are stored together, also when the server is killed meanwhile."""
    user, mugs = a_user(api), [a_product(api) for _ in range(3)]
    lines = [(mug, 2) for mug in mugs]
    first = order(api, user, lines).expect(201, 200).commits_once(IN_PARTS)
    items = [{"product_id": product, "quantity": quantity} for product, quantity in lines]
    api.kill_during("POST", "/orders", {"user_id": user, "items": items})
    stored = orders_after(api, user, first.id)
    left = [api.get(f"/products/{mug}").expect(200).object().get("stock") for mug in mugs]
    for reply in stored:
        is_order(reply, user, lines, dict.fromkeys(mugs, "9.90"), IN_PARTS)
    if left != [6 if stored else 8] * 3:
        fail(
            f"the server was killed while it stored an order for 2 of each of three products. Then "
            f"{left} of 8 were left, and {len(stored)} orders were stored.",
            IN_PARTS,
        )


def order_at_once(api: Api, lines: Lines) -> list[Reply]:
    """Place eight orders of four users at one moment, two of four with their lines in reverse."""
    users, orders = [a_user(api) for _ in range(4)], [lines, lines, lines[::-1], lines[::-1]] * 2
    return api.at_once(8, lambda number: order(api, users[number // 2], orders[number]))


@pytest.mark.step(5)
@pytest.mark.parametrize(("stock", "quantity", "sold"), [(5, 1, 5), (7, 2, 3)])
def test_never_oversold(api: Api, stock: int, quantity: int, sold: int) -> None:
    """Of eight orders at one moment, as many are stored as the stock allows."""
    # Each write is held back by 20 ms, so all eight have read the stock before the first commit.
    mug = a_product(api, stock=stock)
    replies = order_at_once(api, [(mug, quantity)])
    for reply in replies:
        reply.expect(201, 200, 400, 409, why={4: NOT_REPEATED, "": READ_THEN_WRITTEN})
    served = sum(reply.ok for reply in replies)
    if len({reply.id for reply in replies if reply.ok}) != served:
        why = "an order that was placed before is answered again: each POST is an order of its own."
        fail("of eight orders at once, several were answered with the same id.", why)
    if served != sold:
        fail(
            f"of eight orders at once for {quantity} of {stock} pieces, {served} were served, "
            f"not {sold}.",
            READ_THEN_WRITTEN if served > sold else NOT_REPEATED,
        )
    stock_is(api, mug, stock - sold * quantity, READ_THEN_WRITTEN)


@pytest.mark.step(5)
def test_orders_for_the_same_products(api: Api) -> None:
    """Orders for the same two products, named in either order, are all served."""
    mug, pen = a_product(api), a_product(api)
    replies = order_at_once(api, [(mug, 1), (pen, 1)])
    for reply in replies:
        reply.expect(201, 200, why={4: NOT_REPEATED, "": READ_THEN_WRITTEN})
    stock_is(api, mug, 2, READ_THEN_WRITTEN)
    stock_is(api, pen, 2, READ_THEN_WRITTEN)


@pytest.mark.step(5)
def test_price_changed_while_ordering(api: Api) -> None:
    """A price that is changed while orders arrive leaves the stock to the orders."""
    user, mug = a_user(api), a_product(api)

    def order_or_change(number: int) -> Reply:
        if number in (1, 4):
            return api.patch(f"/products/{mug}", {"price": 12.5})
        return order(api, user, [(mug, 1)])

    for reply in api.at_once(6, order_or_change):
        reply.expect(200, 201, why={4: NOT_REPEATED, "": READ_THEN_WRITTEN})
    why = (
        "PATCH writes the whole product as it has read it, the stock included: write the fields "
        "that were sent, and no others."
    )
    stock_is(api, mug, 6, why)
    api.get(f"/products/{mug}").expect(200).has("an order writes it back.", price=Decimal("12.5"))


@pytest.mark.step(5)
def test_orders_for_different_products(api: Api) -> None:
    """Orders for different products at one moment are all served, each with an id of its own."""
    users, mugs = [a_user(api) for _ in range(4)], [a_product(api) for _ in range(4)]
    replies = api.at_once(4, lambda number: order(api, users[number], [(mugs[number], 1)]))
    for number, reply in enumerate(replies):
        why = why_not_all(reply)
        reply.expect(201, 200, why={"UNIQUE": why, "unique": why, 4: why})
        stored = api.get(f"/orders/{reply.id}").expect(200, why=why)
        is_order(stored, users[number], [(mugs[number], 1)], {mugs[number]: "9.90"}, why)


def move(api: Api, number: int, status: str) -> Reply:
    """Try to give an order another status."""
    return api.patch(f"/orders/{number}/status?new_status={status}")


def moved(api: Api, number: int, *statuses: str) -> None:
    """Move an order on; fail unless each move is accepted."""
    for status in statuses:
        why = "this move is allowed, and new_status is a parameter of the query, not of the body."
        reply = move(api, number, status).expect(200, why=why).committed_first()
        told = reply.body.get("order", reply.body) if isinstance(reply.body, dict) else {}
        # The answer may be anything, but these names mean something.
        for name, value in (("order_id", number), ("new_status", status)):
            if isinstance(reply.body, dict) and name in reply.body:
                reply.has("the answer tells of another order, or move.", **{name: value})
        if isinstance(told, dict) and told.get("status") in STATUSES and told["status"] != status:
            why = "the order is answered as it was read, before the move: read it again, or later."
            reply.wrong(f"the answered status is {told['status']!r}, not {status!r}.", why)


def status_is(api: Api, number: int, status: str, why: str) -> Reply:
    """Fail unless the order has this status."""
    gone = "an order stays, whatever its status is."
    reply = api.get(f"/orders/{number}").expect(200, why=gone)
    reply.has(why, status=status)
    return reply


@pytest.mark.step(6)
def test_update_status(api: Api) -> None:
    """PATCH /orders/{id}/status moves an order from pending to delivered, and that one only."""
    user, mug = a_user(api), a_product(api)
    number, other = placed(api, user, [(mug, 1)]), placed(api, user, [(mug, 1)])
    api.patch(f"/products/{mug}", {"price": 12.5}).expect(200)
    for status in ("confirmed", "shipped", "delivered"):
        moved(api, number, status)
        reply = status_is(api, number, status, "no session.commit() after the change.")
        why = "a move changes the status, nothing else; the prices stay those of that day."
        is_order(reply, user, [(mug, 1)], {mug: "9.90"}, why, status)
        stock_is(api, mug, 8, "only a cancelled order changes the stock.")
        again = order(api, user, [(a_product(api), 1)])
        again.expect(201, 200, why=f"a user may order again, also while an order is {status}.")
    status_is(api, other, "pending", "the UPDATE does not say which order: WHERE id is missing.")


@pytest.mark.step(6)
@pytest.mark.parametrize(
    ("way", "allowed"),
    [
        ("", "confirmed cancelled"),
        ("confirmed", "shipped cancelled"),
        ("confirmed shipped", "delivered"),
        ("confirmed shipped delivered", ""),
        ("cancelled", ""),
    ],
    ids=["pending", "confirmed", "shipped", "delivered", "cancelled"],
)
def test_update_status_refuses_other_moves(api: Api, way: str, allowed: str) -> None:
    """PATCH /orders/{id}/status answers 400 to any other move, also to the status it has."""
    user, mug = a_user(api), a_product(api)
    number = placed(api, user, [(mug, 3)])
    moved(api, number, *way.split())
    status = (way.split() or ["pending"])[-1]
    left = 10 if status == "cancelled" else 7
    stock_is(api, mug, left, f"this is not what the stock is when an order is {status}.")
    why = "the new status is written without a look at the old one, or too many moves are allowed."
    for other in STATUSES:
        if other not in allowed.split():
            refused(move(api, number, other), why)
    reply = status_is(api, number, status, why)
    keeps = "an order keeps its lines, its prices and its sum, whatever its status is."
    is_order(reply, user, [(mug, 3)], {mug: "9.90"}, keeps, status)
    stock_is(api, mug, left, f"a refused move did its work: {why}")


@pytest.mark.step(6)
@pytest.mark.parametrize("word", ["lost", "ship", ""])
def test_update_status_refuses_what_is_none(api: Api, word: str) -> None:
    """PATCH /orders/{id}/status answers 422 to a word that is no status."""
    number = placed(api, a_user(api), [(a_product(api), 1)])
    why = "new_status is any string; declare it as an Enum or a Literal."
    refused(move(api, number, word), why, 422, 400)
    status_is(api, number, "pending", why)


@pytest.mark.step(6)
def test_update_status_in_capitals(api: Api) -> None:
    """PATCH /orders/{id}/status refuses a status in capitals, or takes it for the one it means."""
    number = placed(api, a_user(api), [(a_product(api), 1)])
    reply = move(api, number, "CONFIRMED").expect(200, 422, 400)
    why = "the word is compared in lower case, and stored as it came."
    status_is(api, number, "confirmed" if reply.ok else "pending", why)


@pytest.mark.step(6)
def test_update_status_not_found(api: Api) -> None:
    """PATCH /orders/{id}/status answers 404 when there is no such order."""
    for status in STATUSES:
        move(api, NO_SUCH_ID, status).expect(404, why=NONE_FOUND)


@pytest.mark.step(7)
@pytest.mark.parametrize("first", [[], ["confirmed"]], ids=["pending", "confirmed"])
def test_cancel_puts_back_once(api: Api, first: list[str]) -> None:
    """A cancelled order puts its products back, and a second cancellation does nothing."""
    user, mug, pen = a_user(api), a_product(api), a_product(api)
    lines = [(mug, 3), (pen, 2), (mug, 1)]
    number, prices = placed(api, user, lines), {mug: "9.90", pen: "9.90"}
    status_is(api, number, "pending", NO_COMMIT)  # what a cache would keep
    other = api.second()
    kept = placed(other, user, [(mug, 6), (pen, 1)])
    stock_is(api, mug, 0, MEMORY)
    api.patch(f"/products/{pen}", {"price": 12.5}).expect(200)
    moved(other, number, *first, "cancelled")
    reply = status_is(
        api, number, "cancelled", f"no session.commit() after the change, or {MEMORY}"
    )
    why = "a cancelled order keeps its lines and its sum: nothing of it is deleted or made anew."
    is_order(reply, user, lines, prices, why, "cancelled")
    why = "not all lines of the cancelled order are put back, those of others are, or a stock of 0 "
    why += "is taken for none; or the stock becomes what it was, in place of being added to."
    left = [api.get(f"/products/{product}").object().get("stock") for product in (mug, pen)]
    if left == [0, 7]:
        why = f"nothing is put back when the order was {(first or ['pending'])[0]}, or not stored."
    stock_is(api, mug, 4, why)
    stock_is(api, pen, 9, why)
    status_is(api, kept, "pending", "the UPDATE does not say which order: WHERE id is missing.")
    why = "a cancelled order is cancelled again: look at the status it has."
    refused(move(api, number, "cancelled"), why)
    stock_is(api, mug, 4, why)


@pytest.mark.step(7)
@pytest.mark.parametrize("way", [["shipped"], ["shipped", "delivered"]], ids=" ".join)
def test_cancel_after_shipping(api: Api, way: list[str]) -> None:
    """A shipped order cannot be cancelled, and nothing is put back."""
    user, mug = a_user(api), a_product(api)
    number = placed(api, user, [(mug, 3), (a_product(api), 1)])
    moved(api, number, "confirmed", *way)
    why = "the stock is put back before the old status was looked at, or nobody looks at it."
    move(api, number, "cancelled").expect(400, 409, why=why)
    stock_is(api, mug, 7, why)
    status_is(api, number, way[-1], why)


@pytest.mark.step(7)
def test_cancel_is_one_transaction(api: Api) -> None:
    """The new status and the stock of all lines are stored together."""
    user, mugs = a_user(api), [a_product(api) for _ in range(12)]
    number = placed(api, user, [(mug, 2) for mug in mugs])
    move(api, number, "cancelled").expect(200).commits_once(IN_PARTS)
    for mug in mugs:
        stock_is(api, mug, 10, "only so many of the lines are put back.")


ALL_READ = (
    "the status is read, and later written: all requests read 'pending'. Let the UPDATE look, "
    "… WHERE status IN ('pending', 'confirmed'), and put back only when its rowcount is 1."
)


@pytest.mark.step(7)
def test_cancel_eight_times_at_once(api: Api) -> None:
    """Of eight cancellations of one order at one moment, one puts its products back."""
    user, mug = a_user(api), a_product(api)
    number = placed(api, user, [(mug, 3)])
    replies = api.at_once(8, lambda _: move(api, number, "cancelled"))
    for reply in replies:
        reply.expect(200, 400, 409, why=ALL_READ)
    stock_is(api, mug, 10, ALL_READ)
    if sum(reply.ok for reply in replies) != 1:
        statuses = sorted(reply.status for reply in replies)
        fail(f"eight cancellations of one order were answered {statuses}.", ALL_READ)


@pytest.mark.step(7)
@pytest.mark.parametrize(
    ("way", "rival"), [([], "confirmed"), (["confirmed"], "shipped")], ids=["confirm", "ship"]
)
def test_cancel_and_move_on_at_once(api: Api, way: list[str], rival: str) -> None:
    """An order that is cancelled and moved on at one moment puts back all of its lines or none."""
    user, mug = a_user(api), a_product(api)
    number = placed(api, user, [(mug, 3)])
    moved(api, number, *way)
    wanted = [rival, rival, "cancelled", "cancelled"] * 2
    replies = api.at_once(8, lambda nr: move(api, number, wanted[nr]))
    for reply in replies:
        reply.expect(200, 400, 409, why=ALL_READ)
    done = {status for status, reply in zip(wanted, replies, strict=True) if reply.ok}
    # Confirmed and then cancelled is a way that an order may go; shipped and then cancelled is not.
    if not done or (rival == "shipped" and len(done) > 1):
        fail(
            f"an order was {rival} and cancelled at one moment; these went well: {done}.", ALL_READ
        )
    now = "cancelled" if "cancelled" in done else rival
    status_is(api, number, now, ALL_READ)
    stock_is(api, mug, 10 if now == "cancelled" else 7, ALL_READ)


@pytest.mark.step(7)
def test_cancel_orders_of_the_same_products_at_once(api: Api) -> None:
    """Orders of the same two products, named in either order, are all cancelled at one moment."""
    mug, pen = a_product(api), a_product(api)
    lines = [(mug, 1), (pen, 1)]
    numbers = [
        placed(api, a_user(api), way) for way in (lines, lines, lines[::-1], lines[::-1]) * 2
    ]
    why = (
        "products are changed in the order of the lines, and two cancellations wait for each "
        "other's product: change them in the order of their ids, in every route."
    )
    for reply in api.at_once(8, lambda number: move(api, numbers[number], "cancelled")):
        reply.expect(200, why={4: NOT_REPEATED, "": why})
    for product in (mug, pen):
        stock_is(api, product, 10, ADD)


@pytest.mark.step(7)
def test_cancel_and_order_at_once(api: Api) -> None:
    """Orders cancelled while others for the same product are placed leave the right stock."""
    user, mug = a_user(api), a_product(api, stock=20)
    numbers = [placed(api, user, [(mug, 1)]) for _ in range(6)]

    def cancel_or_order(number: int) -> Reply:
        if number < len(numbers):
            return move(api, numbers[number], "cancelled")
        return order(api, user, [(mug, 2)])

    for reply in api.at_once(8, cancel_or_order):
        reply.expect(200, 201, why={4: NOT_REPEATED, "": ADD})
    stock_is(api, mug, 16, ADD)
