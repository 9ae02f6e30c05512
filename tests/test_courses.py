"""The requests that the courses print, in their order, with and without the slash at the end."""

import httpx


def test_first_course(client: httpx.Client) -> None:
    """Create a user and a post, read it with its author, publish it."""
    user = client.post(
        "/users",
        json={"name": "Gagan Singh", "email": "gagan@email.com", "age": 22, "city": "Delhi"},
    )
    assert (user.status_code, user.json()["id"], user.json()["is_active"]) == (201, 1, True)
    post = client.post(
        "/posts",
        json={
            "title": "Learning FastAPI",
            "content": "FastAPI is an amazing framework for building APIs with Python",
            "author_id": 1,
        },
    )
    assert (post.status_code, post.json()["published"]) == (201, False)
    read = client.get("/posts/1").json()
    assert read["author"] == user.json()
    assert client.post("/posts/1/publish").json()["published"] is True
    assert [user["id"] for user in client.get("/users/search?name=gagan&city=del").json()] == [1]
    assert client.patch("/users/1", json={"city": "Mumbai"}).json()["city"] == "Mumbai"
    assert client.delete("/posts/1").status_code == 204
    assert client.delete("/users/1").status_code == 204


def test_second_course(client: httpx.Client) -> None:
    """Make tags, write a post with two of them, find it by tag, give it three."""
    for number, name in enumerate(("python", "fastapi", "database"), start=1):
        assert client.post("/tags/", json={"name": name}).json() == {"id": number, "name": name}
    body = {
        "title": "Getting Started with FastAPI",
        "content": "FastAPI is awesome...",
        "tag_ids": [1, 2],
    }
    assert client.post("/posts/", json=body).status_code == 201
    found = client.get("/posts/?tag=python").json()
    assert [[tag["name"] for tag in post["tags"]] for post in found] == [["python", "fastapi"]]
    changed = client.put("/posts/1", json={"tag_ids": [1, 2, 3]})
    assert [tag["id"] for tag in changed.json()["tags"]] == [1, 2, 3]
    assert changed.json()["title"] == body["title"]


def test_ecommerce_course(client: httpx.Client) -> None:
    """Fill a small shop, order from it, move the order on, look at the figures."""
    category = {
        "name": "Electronics",
        "slug": "electronics",
        "description": "Electronic devices",
    }
    assert client.post("/categories/", json=category).status_code == 201
    product = {
        "name": "Wireless Headphones",
        "slug": "wireless-headphones",
        "price": 79.99,
        "sku": "WH-001",
        "stock_quantity": 50,
        "category_id": 1,
    }
    assert client.post("/products/", json=product).status_code == 201
    body = {
        "username": "johndoe",
        "email": "john@example.com",
        "password": "SecurePass123",
        "full_name": "John Doe",
    }
    user = client.post("/users/", json=body)
    assert user.status_code == 201
    assert (user.json()["name"], user.json()["username"]) == ("John Doe", "johndoe")
    items = [{"product_id": 1, "quantity": 2}]
    order = client.post("/orders/", json={"user_id": 1, "items": items})
    assert (order.status_code, order.json()["total_amount"]) == (201, 159.98)
    assert client.get("/orders/1").json() == order.json()
    confirmed = client.patch("/orders/1/status?new_status=confirmed")
    assert confirmed.json() == {"order_id": 1, "new_status": "confirmed"}
    assert client.get("/orders/stats/summary").json() == {
        "total_orders": 1,
        "total_revenue": 159.98,
        "orders_by_status": {"confirmed": 1},
    }
    assert client.get("/health").json()["status"] == "healthy"


def test_short_course(client: httpx.Client) -> None:
    """Name and e-mail are all that a user needs."""
    body = {"name": "Alice", "email": "alice@example.com"}
    for path in ("/users", "/async/users/"):
        assert client.post(path, json=body | {"email": f"{len(path)}@e.com"}).status_code == 201
    assert client.put("/users/1", json=body).json()["email"] == "alice@example.com"
    assert client.get("/async/users/1/with-posts/").json()["posts"] == []
    assert client.delete("/async/users/1/").status_code == 204
