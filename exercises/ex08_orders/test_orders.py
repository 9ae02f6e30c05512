"""Checks of exercise 08; each speaks to the app over HTTP only."""

from decimal import Decimal

import pytest

from exercises.checks import NO_SUCH_ID, Api, Reply, fail, same, unique

Lines = list[tuple[int, int]]  # product id, quantity

NO_COMMIT = "no session.commit() at the end; each request has a session of its own."
READ_THEN_WRITTEN = (
    "the stock is read, compared and then written: another request does the same in between. Let "
    "one statement look and take, UPDATE … SET stock = stock - :n WHERE stock >= :n "
    "(with_for_update() does it on PostgreSQL, and nothing at all on SQLite)."
)


def a_user(api: Api) -> int:
    """Create a customer; give the id."""
    sent = {"name": "Ada Lovelace", "email": f"{unique('ada.')}@example.com"}
    return api.post("/users", sent | {"age": 36, "city": "London"}).expect(201, 200).id


def a_product(api: Api, price: str = "9.90", stock: int = 10) -> int:
    """Create a product; give the id."""
    sent = {"name": unique("Mug "), "price": float(price), "stock": stock}
    return api.post("/products", sent).expect(201, 200).id


def order(api: Api, user: int, lines: Lines) -> Reply:
    """Try to place an order."""
    items = [{"product_id": product, "quantity": quantity} for product, quantity in lines]
    return api.post("/orders", {"user_id": user, "items": items})


def placed(api: Api, user: int, lines: Lines) -> int:
    """Place an order; give the id."""
    return order(api, user, lines).expect(201, 200).id


def stock_is(api: Api, product: int, expected: int, why: str) -> None:
    """Fail unless so many of the product are left."""
    reply = api.get(f"/products/{product}").expect(200)
    left = reply.object().get("stock")
    if left != expected:
        reply.wrong(f"the stock is {left}, not {expected}.", why)


def is_order(reply: Reply, user: int, lines: dict[int, tuple[int, str]], why: str) -> None:
    """Fail unless this is the order with these quantities and unit prices, by product."""
    totals = {product: quantity * Decimal(price) for product, (quantity, price) in lines.items()}
    body = reply.has(why, user_id=user, status="pending", total_amount=sum(totals.values()))
    items = body.get("items")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        cause = "a table class leaves its relationships out: name a response model with items."
        reply.wrong("there is no list of objects under 'items'.", cause)
    if sorted(str(item.get("product_id")) for item in items) != sorted(map(str, lines)):
        reply.wrong("the items are not the lines that were ordered.", why)
    for item in items:
        quantity, price = lines[int(item["product_id"])]
        total = totals[int(item["product_id"])]
        wanted = {"quantity": quantity, "unit_price": Decimal(price), "total_price": total}
        for field, value in wanted.items():
            if not same(value, item.get(field)):
                reply.wrong(f"the {field} of an item is {item.get(field)}, not {value}.", why)


def nothing_stored(api: Api, user: int, before: int) -> None:
    """Fail when there is an order of this user between the one before and a new one."""
    after = placed(api, user, [(a_product(api), 1)])
    for number in range(before + 1, after):
        reply = api.get(f"/orders/{number}")
        if reply.ok and reply.object().get("user_id") == user:
            reply.wrong(
                "a refused order was stored.",
                "the order is committed before its lines were looked at: flush() gives it an id "
                "as well, and can be rolled back.",
            )


@pytest.mark.step(1)
def test_create_order(api: Api) -> None:
    """POST /orders stores the order, copies the prices and takes the products from the stock."""
    user, mug, pen = a_user(api), a_product(api, "19.99"), a_product(api, "0.10")
    reply = order(api, user, [(mug, 2), (pen, 3)]).expect(201, 200)
    why = "money is a float, or the sum is wrong; Decimal, in NUMERIC(10, 2), is exact."
    lines = {mug: (2, "19.99"), pen: (3, "0.10")}
    is_order(reply, user, lines, why)
    again = api.get(f"/orders/{reply.object()['id']}").expect(200, why=NO_COMMIT)
    is_order(again, user, lines, "the stored order is not the answered one.")
    stock_is(api, mug, 8, "the stock is not written: assign it, or no commit.")
    stock_is(api, pen, 7, "only the first line takes something out of the stock.")


@pytest.mark.step(1)
@pytest.mark.parametrize("quantity", [0, -3], ids=["zero", "negative"])
def test_create_order_refuses_quantity(api: Api, quantity: int) -> None:
    """POST /orders answers 422 to a quantity below 1."""
    user, mug = a_user(api), a_product(api)
    why = "the bound is missing: quantity: int = Field(ge=1); a negative one adds to the stock."
    order(api, user, [(mug, quantity)]).expect(422, why=why)
    stock_is(api, mug, 10, why)


@pytest.mark.step(1)
def test_create_order_refuses_no_items(api: Api) -> None:
    """POST /orders answers 422 to an order without items."""
    order(api, a_user(api), []).expect(422, why="the list has no min_length=1.")


@pytest.mark.step(1)
def test_read_order_not_found(api: Api) -> None:
    """GET /orders/{id} answers 404 when there is no such order."""
    api.get(f"/orders/{NO_SUCH_ID}").expect(404, why="session.get() gave None, and it was used.")


@pytest.mark.step(2)
def test_order_keeps_its_price(api: Api) -> None:
    """An order does not change when the product becomes dearer."""
    user, mug = a_user(api), a_product(api, "9.90")
    number = placed(api, user, [(mug, 2)])
    api.patch(f"/products/{mug}", {"price": 12.5}).expect(200).has(price=Decimal("12.5"))
    why = "the price is read from the product each time; it has to be copied into the item."
    is_order(api.get(f"/orders/{number}").expect(200), user, {mug: (2, "9.90")}, why)
    later = placed(api, user, [(mug, 1)])
    why = "a new order costs the new price."
    is_order(api.get(f"/orders/{later}").expect(200), user, {mug: (1, "12.5")}, why)


@pytest.mark.step(2)
def test_client_does_not_choose_the_price(api: Api) -> None:
    """Prices in the body of POST /orders are ignored or refused."""
    user, mug = a_user(api), a_product(api, "9.90")
    item = {"product_id": mug, "quantity": 2, "unit_price": 0.01, "total_price": 0.02}
    body = {"user_id": user, "items": [item], "total_amount": 0.02, "status": "delivered"}
    reply = api.post("/orders", body)
    if reply.status == 422:
        return
    why = "prices are taken from the body, where a client writes what it likes."
    is_order(reply.expect(201, 200), user, {mug: (2, "9.90")}, why)


@pytest.mark.step(3)
def test_insufficient_stock(api: Api) -> None:
    """POST /orders answers 400 when there is not enough, and the stock stays."""
    user, mug = a_user(api), a_product(api, stock=3)
    before = placed(api, user, [(a_product(api), 1)])
    why = "the stock is not compared with the quantity."
    order(api, user, [(mug, 4)]).expect(400, 409, why=why)
    stock_is(api, mug, 3, "a refused order has taken something.")
    nothing_stored(api, user, before)


@pytest.mark.step(3)
def test_last_piece(api: Api) -> None:
    """All that there is can be ordered, and then nothing."""
    user, mug = a_user(api), a_product(api, stock=3)
    why = "the comparison leaves a piece: stock >= quantity is enough."
    order(api, user, [(mug, 3)]).expect(201, 200, why=why)
    stock_is(api, mug, 0, why)
    order(api, user, [(mug, 1)]).expect(400, 409, why="0 is taken for 'unknown'.")


@pytest.mark.step(3)
def test_same_product_on_two_lines(api: Api) -> None:
    """The same product on two lines counts together."""
    user, mug = a_user(api), a_product(api, stock=3)
    why = "each line is compared with the stock on its own: add up by product first."
    order(api, user, [(mug, 2), (mug, 2)]).expect(400, 409, why=why)
    stock_is(api, mug, 3, why)
    order(api, user, [(mug, 1), (mug, 2)]).expect(201, 200, why="1 and 2 of 3 are there.")
    stock_is(api, mug, 0, "the lines of the same product do not all reach the stock.")


@pytest.mark.step(3)
def test_create_order_of_unknown_product(api: Api) -> None:
    """POST /orders answers 404 (or 400) when there is no such product."""
    why = "session.get() gave None for the product, and None has no stock."
    order(api, a_user(api), [(NO_SUCH_ID, 1)]).expect(404, 400, 409, 422, why=why)


@pytest.mark.step(3)
def test_create_order_of_unknown_user(api: Api) -> None:
    """POST /orders answers 404 (or 400) when there is no such user, and takes nothing."""
    mug = a_product(api)
    why = "nobody looks whether the user is there; SQLite does not mind by itself."
    order(api, NO_SUCH_ID, [(mug, 1)]).expect(404, 400, 409, 422, why=why)
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
    order(api, user, lines).expect(400, 404, 409, 422, why=why)
    why = "there is a commit for each line; what one has made permanent, no rollback undoes."
    for number, mug in enumerate(mugs):
        stock_is(api, mug, 1 if number == place else 10, why)
    nothing_stored(api, user, before)


def order_at_once(api: Api, user: int, lines: Lines) -> list[Reply]:
    """Place eight orders at one moment, every other one with its lines in reverse."""
    orders = [lines, lines[::-1]] * 4
    return api.at_once(8, lambda number: order(api, user, orders[number]))


@pytest.mark.step(5)
def test_never_oversold(api: Api) -> None:
    """Of eight orders at one moment, when five pieces are left, five are stored."""
    # Each write is held back by 20 ms, so all eight have read the stock before the first commit.
    user, mug = a_user(api), a_product(api, stock=5)
    replies = order_at_once(api, user, [(mug, 1)])
    for reply in replies:
        reply.expect(201, 200, 400, 409, why=READ_THEN_WRITTEN)
    sold = sum(reply.ok for reply in replies)
    if sold != 5:
        fail(f"of 5 pieces {sold} were sold, to eight orders at once.", READ_THEN_WRITTEN)
    stock_is(api, mug, 0, READ_THEN_WRITTEN)


@pytest.mark.step(5)
def test_orders_for_the_same_products(api: Api) -> None:
    """Orders for the same two products, named in either order, are all served."""
    user, mug, pen = a_user(api), a_product(api), a_product(api)
    replies = order_at_once(api, user, [(mug, 1), (pen, 1)])
    why = (
        "a deadlock: one order holds the first product and waits for the second, another the other "
        "way round. Take the products in the order of their ids."
    )
    for reply in replies:
        reply.expect(201, 200, why=why)
    stock_is(api, mug, 2, READ_THEN_WRITTEN)
    stock_is(api, pen, 2, READ_THEN_WRITTEN)


def move(api: Api, number: int, status: str) -> Reply:
    """Try to give an order another status."""
    return api.patch(f"/orders/{number}/status?new_status={status}")


def moved(api: Api, number: int, *statuses: str) -> None:
    """Move an order on; fail unless each move is accepted."""
    for status in statuses:
        why = "this move is allowed, and new_status is a parameter of the query, not of the body."
        move(api, number, status).expect(200, 204, why=why)


def status_is(api: Api, number: int, status: str, why: str) -> None:
    """Fail unless the order has this status."""
    gone = "an order stays, whatever its status is."
    api.get(f"/orders/{number}").expect(200, why=gone).has(why, status=status)


@pytest.mark.step(6)
def test_update_status(api: Api) -> None:
    """PATCH /orders/{id}/status moves an order from pending to delivered, for good."""
    number = placed(api, a_user(api), [(a_product(api), 1)])
    for status in ("confirmed", "shipped", "delivered"):
        moved(api, number, status)
        status_is(api, number, status, "no session.commit() after the change.")


@pytest.mark.step(6)
@pytest.mark.parametrize(
    ("path", "others"),
    [
        ("pending", "shipped delivered"),
        ("pending confirmed", "pending delivered"),
        ("pending confirmed shipped", "pending confirmed cancelled"),
        ("pending confirmed shipped delivered", "pending confirmed shipped cancelled"),
        ("pending cancelled", "pending confirmed shipped delivered"),
    ],
    ids=["pending", "confirmed", "shipped", "delivered", "cancelled"],
)
def test_update_status_refuses_other_moves(api: Api, path: str, others: str) -> None:
    """PATCH /orders/{id}/status answers 400 to a move that is not allowed, and changes nothing."""
    number = placed(api, a_user(api), [(a_product(api), 1)])
    way = path.split()
    moved(api, number, *way[1:])
    why = "the new status is written without a look at the old one, or too many moves are allowed."
    for other in others.split():
        move(api, number, other).expect(400, 409, 422, why=why)
    status_is(api, number, way[-1], why)


@pytest.mark.step(6)
def test_update_status_refuses_what_is_none(api: Api) -> None:
    """PATCH /orders/{id}/status answers 422 to a word that is no status."""
    number = placed(api, a_user(api), [(a_product(api), 1)])
    why = "new_status is any string; declare it as an Enum or a Literal."
    move(api, number, "lost").expect(422, 400, why=why)
    status_is(api, number, "pending", why)


@pytest.mark.step(6)
def test_update_status_not_found(api: Api) -> None:
    """PATCH /orders/{id}/status answers 404 when there is no such order."""
    move(api, NO_SUCH_ID, "confirmed").expect(404, why="session.get() gave None, and it was used.")


@pytest.mark.step(7)
@pytest.mark.parametrize("first", [[], ["confirmed"]], ids=["pending", "confirmed"])
def test_cancel_puts_back_once(api: Api, first: list[str]) -> None:
    """A cancelled order puts its products back, and a second cancellation does nothing."""
    user, mug, pen = a_user(api), a_product(api), a_product(api)
    number = placed(api, user, [(mug, 3), (pen, 2), (mug, 1)])
    moved(api, number, *first, "cancelled")
    status_is(api, number, "cancelled", "no session.commit() after the change.")
    reply = api.get(f"/orders/{number}")
    if not reply.object().get("items"):
        reply.wrong("the items are gone.", "they are deleted; a cancelled order keeps its lines.")
    stock_is(api, mug, 10, "the stock of a cancelled order's items is not put back, or not all.")
    stock_is(api, pen, 10, "only the first item is put back.")
    why = "a cancelled order is cancelled again: look at the status it has."
    move(api, number, "cancelled").expect(400, 409, why=why)
    stock_is(api, mug, 10, why)


@pytest.mark.step(7)
def test_cancel_after_shipping(api: Api) -> None:
    """A shipped order cannot be cancelled, and nothing is put back."""
    user, mug = a_user(api), a_product(api)
    number = placed(api, user, [(mug, 3)])
    moved(api, number, "confirmed", "shipped")
    why = "the stock is put back before the old status was looked at, or nobody looks at it."
    move(api, number, "cancelled").expect(400, 409, why=why)
    stock_is(api, mug, 7, why)
    status_is(api, number, "shipped", why)


@pytest.mark.step(7)
def test_cancel_eight_times_at_once(api: Api) -> None:
    """Of eight cancellations of one order at one moment, one puts its products back."""
    user, mug = a_user(api), a_product(api)
    number = placed(api, user, [(mug, 3)])
    replies = api.at_once(8, lambda _: move(api, number, "cancelled"))
    why = (
        "the status is read, and later written: all requests read 'pending'. Let the UPDATE look, "
        "… WHERE status IN ('pending', 'confirmed'), and put back only when its rowcount is 1."
    )
    for reply in replies:
        reply.expect(200, 204, 400, 409, why=why)
    stock_is(api, mug, 10, why)
    if sum(reply.ok for reply in replies) != 1:
        statuses = sorted(reply.status for reply in replies)
        fail(f"eight cancellations of one order were answered {statuses}.", why)


@pytest.mark.step(7)
def test_cancel_eight_orders_at_once(api: Api) -> None:
    """Eight orders for one product, cancelled at one moment, are all put back."""
    user, mug = a_user(api), a_product(api)
    numbers = [placed(api, user, [(mug, 1)]) for _ in range(8)]
    why = (
        "the stock is read, added to and written: what another request wrote meanwhile is lost. "
        "Let the database add, UPDATE … SET stock = stock + :n."
    )
    for reply in api.at_once(8, lambda number: move(api, numbers[number], "cancelled")):
        reply.expect(200, 204, why=why)
    stock_is(api, mug, 10, why)
