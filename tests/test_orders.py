"""Orders: stock, totals, statuses, keys, notifications, statistics."""

import os
from datetime import datetime
from decimal import Decimal

import httpx
import pytest

from conftest import new_order, new_product, new_user, statements
from core.schema import migration_engine
from core.settings import parse_url


@pytest.fixture
def shop(client: httpx.Client) -> httpx.Client:
    """Return a client of an app with a user and three products."""
    new_user(client)
    for name, price, stock in (("Pen", 0.1, 10), ("Ink", 19.99, 3), ("Pad", 2.5, 100)):
        new_product(client, name=name, price=price, stock=stock)
    return client


def stocks(client: httpx.Client) -> list[int]:
    return [product["stock"] for product in client.get("/products").json()]


def test_place_order(shop: httpx.Client) -> None:
    lines = [{"product_id": 3, "quantity": 2}, {"product_id": 1, "quantity": 3}]
    body = {"user_id": 1, "items": lines, "shipping_address": "1 Main Street"}
    response = shop.post("/orders/", json=body)
    assert response.status_code == 201
    order = response.json()
    assert order["status"] == "pending"
    assert order["total_amount"] == 5.3
    assert order["shipping_address"] == "1 Main Street"
    prefix, moment, end = order["order_number"].split("-")
    assert (prefix, len(end)) == ("ORD", 6)
    assert datetime.strptime(moment, "%Y%m%d%H%M%S")
    items = {item.pop("product_id"): item for item in order["items"]}
    assert items[1] | {"id": 0} == {
        "id": 0,
        "quantity": 3,
        "unit_price": 0.1,
        "total_price": 0.3,
    }
    assert stocks(shop) == [7, 3, 98]
    assert "idempotency" not in response.text
    assert "hash" not in response.text


def test_prices_are_copied(shop: httpx.Client) -> None:
    new_order(shop, 1, {1: 1})
    shop.patch("/products/1", json={"price": 9.99})
    order = shop.get("/orders/1").json()
    assert (order["total_amount"], order["items"][0]["unit_price"]) == (0.1, 0.1)


def test_lines_of_one_product_count_together(shop: httpx.Client) -> None:
    lines = [{"product_id": 2, "quantity": 2}, {"product_id": 2, "quantity": 2}]
    response = shop.post("/orders", json={"user_id": 1, "items": lines})
    assert response.status_code == 400
    assert response.json() == {"detail": "Insufficient stock for 'Ink'. Available: 3, requested: 4"}
    lines[1]["quantity"] = 1
    order = shop.post("/orders", json={"user_id": 1, "items": lines}).json()
    assert [(item["product_id"], item["quantity"]) for item in order["items"]] == [(2, 3)]
    assert order["total_amount"] == 59.97


def test_order_is_all_or_nothing(shop: httpx.Client) -> None:
    shop.patch("/products/3", json={"is_active": False})
    shop.delete(f"/users/{new_user(shop)['id']}/soft")
    one = {"product_id": 1, "quantity": 1}
    for items, user, status, detail in [
        ([one, {"product_id": 2, "quantity": 4}], 1, 400, "Insufficient stock for 'Ink'"),
        ([one, {"product_id": 3, "quantity": 1}], 1, 400, "Product 'Pad' is not available"),
        ([one, {"product_id": 9, "quantity": 1}], 1, 404, "Product 9 not found"),
        ([one], 9, 404, "User not found"),
        ([one], 2, 404, "User not found"),
    ]:
        response = shop.post("/orders", json={"user_id": user, "items": items})
        assert response.status_code == status, response.text
        assert response.json()["detail"].startswith(detail)
    assert stocks(shop) == [10, 3, 100]
    assert shop.get("/orders").json() == []
    assert shop.get("/users/1/notifications").json() == []


def test_place_order_invalid(shop: httpx.Client) -> None:
    one = {"product_id": 1, "quantity": 1}
    for body in (
        {"user_id": 1, "items": []},
        {"user_id": 1},
        {"user_id": "1", "items": [one]},
        {"user_id": 1, "items": [one | {"quantity": 0}]},
        {"user_id": 1, "items": [one | {"quantity": 10_001}]},
        {"user_id": 1, "items": [one | {"quantity": 1.5}]},
        {"user_id": 1, "items": [one | {"product_id": 10**30}]},
        {"user_id": 1, "items": [one] * 101},
        {"user_id": 1, "items": [one], "shipping_address": "A\0B"},
        {"user_id": 1, "items": [one], "shipping_address": "A" * 501},
    ):
        assert shop.post("/orders", json=body).status_code == 422, body
    key = {"Idempotency-Key": "k" * 65}
    body = {"user_id": 1, "items": [one]}
    assert shop.post("/orders", json=body, headers=key).status_code == 422


def test_totals_that_no_column_holds(client: httpx.Client) -> None:
    new_user(client)
    new_product(client, price=99999999.99, stock=10)
    for quantity, status in ((2, 400), (1, 201)):
        body = {"user_id": 1, "items": [{"product_id": 1, "quantity": quantity}]}
        assert client.post("/orders", json=body).status_code == status
    new_product(client, price=0.01, stock=10)
    lines = [{"product_id": 1, "quantity": 1}, {"product_id": 2, "quantity": 1}]
    assert client.post("/orders", json={"user_id": 1, "items": lines}).status_code == 400


def test_idempotency_key(shop: httpx.Client) -> None:
    body = {"user_id": 1, "items": [{"product_id": 2, "quantity": 3}]}
    key = {"Idempotency-Key": "2026-order-1"}
    first = shop.post("/orders", json=body, headers=key)
    again = shop.post("/orders", json=body, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert stocks(shop)[1] == 0
    other = shop.post("/orders", json=body | {"shipping_address": "Else"}, headers=key)
    assert other.status_code == 409
    other = shop.post(
        "/orders", json={"user_id": 1, "items": [{"product_id": 1, "quantity": 1}]}, headers=key
    )
    assert other.status_code == 409
    assert len(shop.get("/orders").json()) == 1
    assert shop.post("/orders", json=body).status_code == 400  # no key, no stock
    shop.delete("/users/1/soft")
    assert shop.post("/orders", json=body, headers=key).json() == first.json()


def test_an_idempotency_key_belongs_to_one_user(shop: httpx.Client) -> None:
    other = new_user(shop)["id"]
    key = {"Idempotency-Key": "1"}
    body = {"items": [{"product_id": 2, "quantity": 1}]}
    first = shop.post("/orders", json=body | {"user_id": 1}, headers=key)
    second = shop.post("/orders", json=body | {"user_id": other}, headers=key)
    assert (first.status_code, second.status_code) == (201, 201)
    assert (first.json()["user_id"], second.json()["user_id"]) == (1, other)
    for user, answer in ((1, first), (other, second)):
        again = shop.post("/orders", json=body | {"user_id": user}, headers=key)
        assert again.json() == answer.json()


def test_status_machine(shop: httpx.Client) -> None:
    legal = {
        ("pending", "confirmed"),
        ("pending", "cancelled"),
        ("confirmed", "shipped"),
        ("confirmed", "cancelled"),
        ("shipped", "delivered"),
    }
    ways = {
        "pending": [],
        "confirmed": ["confirmed"],
        "shipped": ["confirmed", "shipped"],
        "delivered": ["confirmed", "shipped", "delivered"],
        "cancelled": ["cancelled"],
    }
    for start, way in ways.items():
        for goal in ways:
            order = new_order(shop, 1, {3: 1})["id"]
            for step in way:
                assert shop.patch(f"/orders/{order}/status?new_status={step}").status_code == 200
            response = shop.patch(f"/orders/{order}/status?new_status={goal}")
            if (start, goal) in legal:
                assert response.json() == {"order_id": order, "new_status": goal}
            else:
                assert response.status_code == 400, (start, goal)
                assert response.json()["detail"] == f"An order cannot go from {start} to {goal}"
    assert shop.patch("/orders/1/status?new_status=lost").status_code == 422
    assert shop.patch("/orders/1/status").status_code == 422
    assert shop.patch("/orders/999/status?new_status=shipped").status_code == 404


def test_cancelling_restores_the_stock_once(shop: httpx.Client) -> None:
    order = new_order(shop, 1, {1: 4, 2: 3})["id"]
    assert stocks(shop) == [6, 0, 100]
    path = f"/orders/{order}/status?new_status=cancelled"
    assert [shop.patch(path).status_code for _ in range(3)] == [200, 400, 400]
    assert stocks(shop) == [10, 3, 100]


def test_cancelling_does_not_overflow_the_stock(shop: httpx.Client) -> None:
    order = new_order(shop, 1, {1: 4})
    shop.patch("/products/1", json={"stock": 2147483647})
    response = shop.patch(f"/orders/{order['id']}/status?new_status=cancelled")
    assert response.status_code == 400
    assert response.json() == {"detail": "The stock of 'Pen' cannot be more than 2147483647"}
    assert shop.get("/orders/1").json() == order


def test_read_order_and_details(shop: httpx.Client) -> None:
    placed = new_order(shop, 1, {1: 1, 2: 1})
    assert shop.get("/orders/1").json() == placed
    details = shop.get("/orders/1/details").json()
    assert details["user"]["id"] == 1
    assert {item["product"]["name"] for item in details["items"]} == {"Pen", "Ink"}
    for path in ("/orders/9", "/orders/9/details"):
        response = shop.get(path)
        assert (response.status_code, response.json()) == (404, {"detail": "Order not found"})


def test_read_orders(shop: httpx.Client) -> None:
    other = new_user(shop)["id"]
    for user in (1, other, 1):
        new_order(shop, user, {3: 1})
    shop.patch("/orders/1/status?new_status=confirmed")

    def ids(path: str) -> list[int]:
        response = shop.get(path)
        assert response.status_code == 200, response.text
        assert all("items" not in order for order in response.json())
        return [order["id"] for order in response.json()]

    assert ids("/orders") == [1, 2, 3]
    assert ids("/orders?status=confirmed") == [1]
    assert ids("/orders?user_id=1") == [1, 3]
    assert ids("/orders?after_id=1&limit=1") == [2]
    assert ids("/orders/user/1") == [1, 3]
    assert ids("/users/1/orders") == [3, 1]
    assert ids("/users/1/orders?skip=1") == [1]
    assert shop.get("/orders?status=lost").status_code == 422
    for path in ("/orders/user/9", "/users/9/orders", "/users/9/notifications"):
        assert shop.get(path).json() == {"detail": "User not found"}


def test_notifications(shop: httpx.Client) -> None:
    numbers = [new_order(shop, 1, {3: 1})["order_number"] for _ in range(2)]
    newest, oldest = shop.get("/users/1/notifications").json()
    assert (newest["order_id"], oldest["order_id"]) == (2, 1)
    assert numbers[1] in newest["message"]


TRIGGERS = {
    "sqlite": "CREATE TRIGGER refuse BEFORE INSERT ON notifications"
    " BEGIN SELECT RAISE(ABORT, 'no notifications today'); END",
    "mysql": "CREATE TRIGGER refuse BEFORE INSERT ON notifications FOR EACH ROW"
    " SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no notifications today'",
    "postgresql": "CREATE FUNCTION refuse() RETURNS trigger AS"
    " $$ BEGIN RAISE EXCEPTION 'no notifications today' USING DETAIL = 'Failing row'; END $$"
    " LANGUAGE plpgsql;"
    " CREATE TRIGGER refuse BEFORE INSERT ON notifications EXECUTE FUNCTION refuse()",
}


def test_an_order_stands_without_its_notification(
    shop: httpx.Client, url: str, dialect: str, caplog: pytest.LogCaptureFixture
) -> None:
    with migration_engine(parse_url(url)).begin() as connection:
        connection.exec_driver_sql(TRIGGERS[dialect])
    try:
        order = new_order(shop, 1, {1: 2})
        assert shop.get(f"/orders/{order['id']}").json() == order
        assert stocks(shop)[0] == 8
        assert shop.get("/users/1/notifications").json() == []
        assert "no notifications today" in caplog.text
        assert "Failing row" not in caplog.text  # whose values PostgreSQL would add
    finally:
        if dialect == "mysql":  # the other databases are thrown away after the test
            with migration_engine(parse_url(url)).begin() as connection:
                connection.exec_driver_sql("DROP TRIGGER refuse")


def test_an_order_stands_without_the_table_of_notifications(
    shop: httpx.Client, url: str, dialect: str
) -> None:
    with migration_engine(parse_url(url)).begin() as connection:
        connection.exec_driver_sql("ALTER TABLE notifications RENAME TO elsewhere")
    try:
        order = new_order(shop, 1, {1: 2})
        assert shop.get(f"/orders/{order['id']}").json() == order
    finally:
        with migration_engine(parse_url(url)).begin() as connection:
            connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO notifications")


def test_users_with_orders_stay(shop: httpx.Client) -> None:
    new_order(shop, 1, {1: 1})
    for path in ("/users/1", "/async/users/1"):
        response = shop.delete(path)
        assert response.status_code == 409
        assert response.json() == {"detail": "User has orders; use soft delete"}
    new_user(shop)
    for user in (1, 2):
        shop.delete(f"/users/{user}/soft")
    new_user(shop)
    answer = shop.delete("/users/bulk/inactive")
    assert (answer.status_code, answer.json()) == (200, {"deleted_count": 1, "kept_count": 1})
    left = shop.get("/users?include_deleted=true").json()
    assert [user["id"] for user in left] == [1, 3]


def test_statistics(shop: httpx.Client) -> None:
    assert shop.get("/users/top-spenders").json() == []
    empty = {"total_orders": 0, "total_revenue": 0, "orders_by_status": {}}
    assert shop.get("/orders/stats/summary").json() == empty
    ada, bob = shop.get("/users/1").json(), new_user(shop, name="Bob")
    for user, lines in ((1, {1: 3}), (2, {2: 1, 1: 1}), (2, {3: 1}), (1, {1: 1})):
        new_order(shop, user, lines)
    shop.patch("/orders/3/status?new_status=cancelled")
    assert shop.get("/orders/stats/summary").json() == {
        "total_orders": 4,
        "total_revenue": 20.49,
        "orders_by_status": {"cancelled": 1, "pending": 3},
    }
    assert shop.get("/orders/stats/summary?user_id=2").json() == {
        "total_orders": 2,
        "total_revenue": 20.09,
        "orders_by_status": {"cancelled": 1, "pending": 1},
    }
    names = ("id", "name", "email")
    spenders = shop.get("/users/top-spenders").json()
    assert spenders == [
        {name: bob[name] for name in names} | {"order_count": 1, "total_spent": 20.09},
        {name: ada[name] for name in names} | {"order_count": 2, "total_spent": 0.4},
    ]
    assert shop.get("/users/top-spenders?limit=1").json() == spenders[:1]
    shop.delete("/users/2/soft")  # who is hidden takes no place of the ten
    assert shop.get("/users/top-spenders?limit=1").json() == spenders[1:]


def test_sums_of_many_orders_are_exact(client: httpx.Client) -> None:
    new_user(client)
    new_product(client, price=0.1, stock=10_000)
    for _ in range(60):
        new_order(client, 1, {1: 1})
    expected = float(Decimal("0.1") * 60)
    assert client.get("/orders/stats/summary").json()["total_revenue"] == expected
    assert client.get("/users/top-spenders").json()[0]["total_spent"] == expected


def test_statement_counts(shop: httpx.Client) -> None:
    body = {
        "user_id": 1,
        "items": [{"product_id": n, "quantity": 1} for n in (3, 1, 2)],
    }
    read_back = 2 if os.environ.get("TEST_AS_MYSQL_8") else 0  # the order and its items
    for headers, limit in (({}, 6), ({"Idempotency-Key": "one"}, 7)):
        with statements() as sent:
            assert shop.post("/orders", json=body, headers=headers).status_code == 201
        assert len(sent) <= limit + read_back, sent
    new_order(shop, 1, {1: 1})
    for path, expected in {
        "/orders/1/details": 2,
        "/orders/1": 2,
        "/orders": 1,
        "/orders/user/1": 2,
        "/users/1/orders": 2,
        "/users/1/notifications": 2,
        "/orders/stats/summary": 1,
        "/users/top-spenders": 1,
        "/products": 1,
        "/products/1": 1,
        "/products/with-categories": 1,
        "/products/by-category-stats": 1,
        "/products/low-stock": 1,
        "/categories": 1,
        "/categories/tree": 1,
    }.items():
        with statements() as sent:
            assert shop.get(path).status_code == 200
        assert len(sent) == expected, (path, sent)
    with statements() as sent:
        shop.patch("/orders/1/status?new_status=cancelled")
    assert len(sent) == 5, sent
