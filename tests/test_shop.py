"""Categories, products and stock."""

from decimal import Decimal
from typing import Any

import httpx
import sqlalchemy as sa

import models
from conftest import new_order, new_product, new_user
from core.schema import migration_engine
from core.settings import parse_url


def new_category(client: httpx.Client, name: str, **fields: object) -> dict[str, Any]:
    response = client.post("/categories", json={"name": name, **fields})
    assert response.status_code == 201, response.text
    return dict(response.json())


def test_create_category(client: httpx.Client) -> None:
    body = {"name": "Electronics", "slug": "electronics", "description": "Electronic devices"}
    response = client.post("/categories/", json=body)
    assert response.status_code == 201
    assert {key: response.json()[key] for key in body} == body
    assert response.json()["parent_id"] is None
    assert new_category(client, "Garden & Home")["slug"] == "garden-home"
    assert client.get("/categories").json()[0] == response.json()


def test_create_category_refuses(client: httpx.Client) -> None:
    new_category(client, "Books")
    for body, status, detail in [
        ({"name": " Books "}, 409, "Category name already taken"),
        ({"name": "Other", "slug": "books"}, 409, "Slug already taken"),
        ({"name": "Other", "parent_id": 9}, 404, "Parent category not found"),
    ]:
        response = client.post("/categories", json=body)
        assert (response.status_code, response.json()) == (status, {"detail": detail}), body
    wrong: list[dict[str, object]] = [{"name": " "}, {"name": "N" * 101}, {"name": None}, {}]
    for body in [*wrong, {"name": "A", "parent_id": 0}, {"name": "A", "slug": "No Slug"}]:
        assert client.post("/categories", json=body).status_code == 422, body
    assert len(client.get("/categories").json()) == 1


def test_names_with_one_slug_are_kept_apart(client: httpx.Client) -> None:
    slugs = {new_category(client, name)["slug"] for name in ("Café", "Cafe", "cafe!")}
    assert len(slugs) == 3


def test_category_tree(client: httpx.Client) -> None:
    assert client.get("/categories/tree").json() == []
    top = new_category(client, "Books")["id"]
    below = new_category(client, "Novels", parent_id=top)["id"]
    new_category(client, "Crime", parent_id=below)
    new_category(client, "Music")
    tree = client.get("/categories/tree").json()
    assert [node["name"] for node in tree] == ["Books", "Music"]
    assert tree[0]["children"][0]["children"][0]["name"] == "Crime"
    assert tree[1]["children"] == []


def test_a_category_does_not_become_its_own_ancestor(client: httpx.Client) -> None:
    new_category(client, "One")
    new_category(client, "Two", parent_id=1)
    new_category(client, "Three", parent_id=2)
    for parent in (1, 2, 3):
        response = client.patch("/categories/1", json={"parent_id": parent})
        assert response.status_code == 400
        assert response.json() == {"detail": "A category cannot become its own ancestor"}
    assert client.patch("/categories/3", json={"parent_id": 1}).json()["parent_id"] == 1
    assert client.patch("/categories/3", json={"parent_id": None}).json()["parent_id"] is None
    assert client.patch("/categories/3", json={"parent_id": 9}).status_code == 404
    assert client.patch("/categories/9", json={"name": "Nine"}).status_code == 404
    assert client.patch("/categories/1", json={"name": None}).status_code == 422


def test_categories_nest_to_a_bound(client: httpx.Client) -> None:
    parent = None
    for depth in range(50):
        parent = new_category(client, f"Level {depth}", parent_id=parent)["id"]
    response = client.post("/categories", json={"name": "Too deep", "parent_id": parent})
    assert response.status_code == 400
    new_category(client, "Top")
    assert client.patch("/categories/1", json={"parent_id": 51}).status_code == 400
    assert client.get("/categories/tree").status_code == 200


def test_delete_category_keeps_products_and_children(client: httpx.Client) -> None:
    new_category(client, "Books")
    new_category(client, "Novels", parent_id=1)
    new_product(client, category_id=1)
    assert client.delete("/categories/1").status_code == 204
    assert client.get("/products/1").json()["category"] is None
    assert client.get("/categories").json()[0]["parent_id"] is None
    gone = client.delete("/categories/1")
    assert (gone.status_code, gone.json()) == (404, {"detail": "Category not found"})


def test_create_products_bulk(client: httpx.Client) -> None:
    category = new_category(client, "Music")["id"]
    body = [
        {"name": "Guitar", "price": 199.9, "stock_quantity": 3, "sku": "gt-1"},
        {"name": "Drum", "price": 99, "category_id": category, "slug": "drum"},
        {"name": "Guitar", "price": 1, "category_id": category},
    ]
    response = client.post("/products/bulk", json=body)
    assert response.status_code == 201, response.text
    made = response.json()
    assert [product["name"] for product in made] == ["Guitar", "Drum", "Guitar"]
    assert [product["stock"] for product in made] == [3, 0, 0]
    assert (made[0]["sku"], made[1]["slug"]) == ("GT-1", "drum")
    assert len({product["slug"] for product in made}) == 3
    assert client.get("/products").json() == sorted(made, key=lambda product: product["id"])


def test_create_products_bulk_all_or_none(client: httpx.Client) -> None:
    new_product(client, name="Taken", sku="TAKEN")
    good = {"name": "Good", "price": 1}
    for wrong, status, detail in [
        ({"name": "Bad", "price": 1, "sku": "taken"}, 409, "SKU already taken"),
        ({"name": "Bad", "price": 1, "category_id": 9}, 404, "Category not found"),
    ]:
        response = client.post("/products/bulk", json=[good, wrong])
        assert (response.status_code, response.json()) == (status, {"detail": detail})
    for invalid in ([], [good] * 1001, [good, {"name": "Bad", "price": 0}], good):
        assert client.post("/products/bulk", json=invalid).status_code == 422
    assert len(client.get("/products").json()) == 1


def test_create_product(client: httpx.Client) -> None:
    category = new_category(client, "Electronics")
    body = {
        "name": "Wireless Headphones",
        "slug": "wireless-headphones",
        "price": 79.99,
        "sku": "wh-001",
        "stock_quantity": 50,
        "category_id": 1,
    }
    response = client.post("/products/", json=body)
    assert response.status_code == 201
    product = response.json()
    assert (product["price"], product["stock"], product["sku"]) == (79.99, 50, "WH-001")
    assert product["is_active"] is True
    assert client.get("/products/1").json() == product | {"category": category}
    assert client.get("/products/by-sku/wh-001").json() == product
    unknown = client.get("/products/by-sku/none")
    assert (unknown.status_code, unknown.json()) == (404, {"detail": "Product not found"})
    inside = client.get("/categories/1/products").json()
    assert inside == {"category": "Electronics", "product_count": 1, "products": [product]}
    assert client.get("/categories/9/products").status_code == 404


def test_prices_are_exact(client: httpx.Client) -> None:
    prices: list[Any] = [0.01, 0.1, 1.005, 19.99, 99999999.99, "5.50", 1e-3, 0, -1, 1e8]
    for n, price in enumerate(prices):
        response = client.post("/products", json={"name": f"P{n}", "price": price})
        cents = Decimal(str(price)).as_tuple().exponent
        valid = 0 < Decimal(str(price)) < 10**8 and isinstance(cents, int) and cents >= -2
        assert response.status_code == (201 if valid else 422), price
        if valid:
            stored = client.get(f"/products/{response.json()['id']}").json()["price"]
            assert stored == response.json()["price"] == float(price)


def test_create_product_refuses(client: httpx.Client) -> None:
    new_category(client, "Books")
    new_product(client, name="SQL", slug="sql", sku="B-1", category_id=1)
    refused: list[tuple[dict[str, object], int, str]] = [
        ({"name": "SQL", "category_id": 1}, 409, "Product name already taken in this category"),
        ({"name": "Other", "slug": "sql"}, 409, "Slug already taken"),
        ({"name": "Other", "sku": "b-1"}, 409, "SKU already taken"),
        ({"name": "Other", "category_id": 9}, 404, "Category not found"),
    ]
    for body, status, detail in refused:
        response = client.post("/products", json={"price": 1, **body})
        assert (response.status_code, response.json()) == (status, {"detail": detail}), body
    wrong: list[dict[str, object]] = [
        {"name": ""},
        {"name": "N" * 201},
        {"name": "A", "stock": -1},
        {"name": "A", "stock": 2**31},
        {"name": "A", "stock": 1.5},
        {"name": "A", "sku": "no spaces"},
        {"name": "A", "category_id": 0},
        {"name": "A", "price": None},
        {"name": "A", "price": True},
    ]
    for body in wrong:
        assert client.post("/products", json={"price": 1, **body}).status_code == 422, body
    assert len(client.get("/products").json()) == 1
    assert new_product(client, name="SQL")["slug"].startswith("sql-")


def test_read_products_filters(client: httpx.Client) -> None:
    new_category(client, "Books")
    new_product(client, name="Cheap", price=1, stock=0, category_id=1)
    new_product(client, name="Fair", price=10.5, stock=3, sku="F-1")
    new_product(client, name="Dear", price=100, description="Worth every cent")

    def ids(query: str) -> list[int]:
        response = client.get(f"/products?{query}")
        assert response.status_code == 200, response.text
        return [product["id"] for product in response.json()]

    assert ids("") == [1, 2, 3]
    assert ids("category_id=1") == [1]
    assert ids("min_price=10.5") == [2, 3]
    assert ids("max_price=10.50") == [1, 2]
    assert ids("in_stock=true") == [2, 3]
    assert ids("in_stock=false") == [1]
    assert ids("search=FAIR") == [2]
    assert ids("search=f-1") == [2]
    assert ids("search=cent") == [3]
    assert ids("after_id=1&limit=1") == [2]
    assert client.get("/products?min_price=1e30").status_code == 422
    nested = client.get("/products/with-categories").json()
    assert [product["category"] and product["category"]["name"] for product in nested] == [
        "Books",
        None,
        None,
    ]


def test_update_product(client: httpx.Client) -> None:
    old = new_product(client, stock=5)
    response = client.patch("/products/1", json={"price": 12.5, "stock_quantity": 7})
    assert response.status_code == 200
    new = response.json()
    assert new == old | {"price": 12.5, "stock": 7, "updated_at": new["updated_at"]}
    for field in ("name", "price", "stock", "is_active", "slug"):
        assert client.patch("/products/1", json={field: None}).status_code == 422, field
    assert client.patch("/products/1", json={"category_id": 9}).status_code == 404
    assert client.patch("/products/9", json={}).status_code == 404


def test_adjust_stock(client: httpx.Client) -> None:
    new_product(client, stock=5, name="Pen")
    assert client.post("/products/1/stock", json={"change": -5}).json()["stock"] == 0
    short = client.post("/products/1/stock", json={"change": -1})
    assert short.status_code == 400
    assert short.json() == {"detail": "Insufficient stock for 'Pen'. Available: 0, requested: 1"}
    assert client.post("/products/1/stock", json={"change": 2147483647}).status_code == 200
    assert client.post("/products/1/stock", json={"change": 1}).status_code == 400
    assert client.post("/products/9/stock", json={"change": 1}).status_code == 404
    for wrong in (2**31, "1", 1.5, None, True):
        assert client.post("/products/1/stock", json={"change": wrong}).status_code == 422


def test_low_stock(client: httpx.Client) -> None:
    for stock in (11, 10, 0, 3):
        new_product(client, stock=stock)
    new_product(client, stock=1)
    client.patch("/products/5", json={"is_active": False})

    def stocks(query: str) -> list[int]:
        return [p["stock"] for p in client.get(f"/products/low-stock{query}").json()]

    assert stocks("") == [0, 3, 10]
    assert stocks("?threshold=3") == [0, 3]
    assert stocks("?skip=1&limit=1") == [3]


def test_delete_product(client: httpx.Client) -> None:
    user, product = new_user(client)["id"], new_product(client)["id"]
    new_order(client, user, {product: 1})
    kept = client.delete(f"/products/{product}")
    assert kept.status_code == 409
    assert kept.json() == {"detail": "Product was ordered; deactivate it instead"}
    free = new_product(client)["id"]
    assert client.delete(f"/products/{free}").status_code == 204
    assert client.delete(f"/products/{free}").status_code == 404


def test_category_stats(client: httpx.Client) -> None:
    assert client.get("/products/by-category-stats").json() == []
    for name in ("Books", "Music", "Empty"):
        new_category(client, name)
    for price in (0.01, 0.02):
        new_product(client, price=price, category_id=1)
    new_product(client, price=99999999.99, category_id=2)
    new_product(client, price=5)
    hidden = new_product(client, price=7, category_id=2)["id"]
    client.patch(f"/products/{hidden}", json={"is_active": False})
    assert client.get("/products/by-category-stats").json() == [
        {
            "category": "Books",
            "product_count": 2,
            "avg_price": 0.02,
            "min_price": 0.01,
            "max_price": 0.02,
        },
        {
            "category": "Music",
            "product_count": 1,
            "avg_price": 99999999.99,
            "min_price": 99999999.99,
            "max_price": 99999999.99,
        },
    ]


def test_products_of_a_category_come_in_pages_and_are_all_counted(client: httpx.Client) -> None:
    client.post("/categories", json={"name": "Books"})
    for _ in range(3):
        new_product(client, category_id=1)
    page = client.get("/categories/1/products?skip=1&limit=1").json()
    assert page["product_count"] == 3
    assert [product["id"] for product in page["products"]] == [2]
    assert client.get("/categories/1/products?limit=101").status_code == 422


def test_skus_are_ascii(client: httpx.Client) -> None:
    for sku in ("\u00df1", "\u017f2", "\u01313", "\ufb014", "a b", ""):
        body = {"name": "P", "price": 1, "sku": sku}
        assert client.post("/products", json=body).status_code == 422, sku
    assert new_product(client, sku=" ab-1 ")["sku"] == "AB-1"


def test_a_tree_of_too_many_categories_is_refused(client: httpx.Client, url: str) -> None:
    names = [{"name": f"c{n}", "slug": f"c{n}", "now": models.utc_now()} for n in range(2001)]
    insert = sa.text("INSERT INTO categories (name, slug, created_at) VALUES (:name, :slug, :now)")
    with migration_engine(parse_url(url)).begin() as connection:
        connection.execute(insert, names[:2000])
    assert len(client.get("/categories/tree").json()) == 2000
    with migration_engine(parse_url(url)).begin() as connection:
        connection.execute(insert, names[2000:])
    assert client.get("/categories/tree").status_code == 400
