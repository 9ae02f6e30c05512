"""Checks of exercise 02; each speaks to the app over HTTP only."""

from decimal import Decimal
from typing import Any

import pytest

from exercises.checks import NO_SUCH_ID, Api, Reply, fail, unique

NO_COMMIT = "no session.commit() after session.add(); each request has a session of its own."
NOT_STORED_ROW = "the answer is not what was sent; is it the stored row?"
NOT_NULL = "an explicit null is let through by a field that allows None, to the column."

OUT_OF_BOUNDS = pytest.mark.parametrize(
    ("field", "value"),
    [
        ("price", -1),
        ("price", 0),
        ("price", 9.999),
        ("price", 0.1 + 0.2),
        ("price", 100_000_000),
        ("stock", -1),
        ("stock", 2_147_483_648),
    ],
    ids=[
        "negative-price",
        "price-of-0",
        "three-decimals",
        "sum-of-floats",
        "price-above",
        "negative-stock",
        "stock-above-integer",
    ],
)
BOUNDS = {
    "price": "the price is a float or has no bounds: a Decimal with gt=0, max_digits=10 and "
    "decimal_places=2, in the input class and in the update class.",
    "stock": "the stock has no bounds: ge=0 and le=2147483647, in the input class and in the "
    "update class.",
}


def create_category(api: Api) -> dict[str, Any]:
    """Create a category through the API; give the answered row."""
    name = unique("Mugs ")
    reply = api.post("/categories", {"name": name}).expect(201, 200)
    return {"id": id_of(reply, name=name), "name": name}


def id_of(reply: Reply, **sent: Any) -> int:
    """Give the id of the answered row; fail unless the row is what was sent."""
    reply.has(NOT_STORED_ROW, **sent)
    return reply.id


def a_product(category_id: int, **changes: Any) -> dict[str, Any]:
    """Describe a product that no other check knows."""
    product = {"name": unique("Blue mug "), "price": 9.9, "stock": 3, "category_id": category_id}
    return product | changes


def exact(product: dict[str, Any]) -> dict[str, Any]:
    """Give the product with the price that its answers have to carry."""
    return product | {"price": Decimal(str(product["price"]))}


def create(api: Api, category_id: int = 0, **changes: Any) -> dict[str, Any]:
    """Create a product through the API, in a new category unless one is given."""
    sent = a_product(category_id or create_category(api)["id"], **changes)
    reply = api.post("/products", sent).expect(201, 200)
    return exact(sent) | {"id": id_of(reply, **exact(sent))}


@pytest.mark.step(1)
def test_create_category(api: Api) -> None:
    """POST /categories stores a category and answers the row with its id."""
    create_category(api)


@pytest.mark.step(1)
def test_list_categories(api: Api) -> None:
    """GET /categories lists the categories."""
    made = [create_category(api) for _ in range(2)]
    listed = {row["id"]: row["name"] for row in api.list_all("/categories")}
    for category in made:
        if listed.get(category["id"]) != category["name"]:
            fail(f"GET /categories does not list {category['name']!r}, which was made.", NO_COMMIT)


@pytest.mark.step(1)
def test_create_category_with_taken_name(api: Api) -> None:
    """POST /categories answers 400 or 409 to a name that is taken."""
    name = create_category(api)["name"]
    why = "the column has no unique=True, or its IntegrityError is not caught."
    api.post("/categories", {"name": name}).expect(409, 400, why=why)
    create_category(api)
    if [row["name"] for row in api.list_all("/categories")].count(name) != 1:
        fail(f"{name!r} is not listed exactly once after it was refused.", why)


@pytest.mark.step(2)
def test_create_product(api: Api) -> None:
    """POST /products stores a product and answers the row with its id."""
    create(api)


@pytest.mark.step(2)
def test_read_product_with_category(api: Api) -> None:
    """GET /products/{id} answers the product with its category in it."""
    category = create_category(api)
    product, other = create(api, category["id"]), create(api)
    reply = api.get(f"/products/{product['id']}").expect(200, why=NO_COMMIT)
    body = reply.has("this is another row.", **product)
    why = (
        "a table class as response model answers its columns only: a relationship needs a response "
        "class with `category: Category`."
    )
    nested = body.get("category")
    if not isinstance(nested, dict):
        reply.wrong("there is no object under 'category'.", why)
    if (nested.get("id"), nested.get("name")) != (category["id"], category["name"]):
        reply.wrong(f"the category is not {category['name']!r} with its id.", why)
    api.get(f"/products/{other['id']}").expect(200).has("this is another row.", **other)


@pytest.mark.step(2)
def test_read_product_not_found(api: Api) -> None:
    """GET /products/{id} answers 404 when there is no such product."""
    why = (
        "session.get() gave None, and None was answered or used; or the error was returned: "
        "`raise HTTPException(404)`."
    )
    api.get(f"/products/{NO_SUCH_ID}").expect(404, why=why)


@pytest.mark.step(2)
def test_create_product_in_missing_category(api: Api) -> None:
    """POST /products answers 404 when there is no such category."""
    why = "nobody looks whether the category is there, and SQLite does not either by default."
    api.post("/products", a_product(NO_SUCH_ID)).expect(404, 400, 422, why=why)


@pytest.mark.step(2)
@pytest.mark.parametrize(
    ("field", "value"),
    [("name", None), ("price", None), ("price", "cheap"), ("stock", "many")],
    ids=["no-name", "no-price", "price-word", "stock-word"],
)
def test_create_product_refuses_invalid_input(api: Api, field: str, value: Any) -> None:
    """POST /products answers 422 to a missing field or one of the wrong type."""
    sent = a_product(create_category(api)["id"], **{field: value})
    if value is None:
        del sent[field]
    why = (
        "the table class is the request body: a class with table=True does not validate. Or the "
        "field has a default, or no type."
    )
    api.post("/products", sent).expect(422, why=why)


@pytest.mark.step(2)
def test_create_product_without_category(api: Api) -> None:
    """A product without a category is refused, or can be read."""
    made = post_without_category(api)
    if made.ok:
        why = "the response class takes no null: category: Category | None."
        api.get(f"/products/{id_of(made)}").expect(200, why=why).has(why, category=None)


def post_without_category(api: Api) -> Reply:
    """Send a product without a category, which an app may refuse."""
    sent = a_product(0)
    del sent["category_id"]
    return api.post("/products", sent).expect(201, 200, 422, 400)


@pytest.mark.step(3)
def test_list_products(api: Api) -> None:
    """GET /products lists all products, those without stock too."""
    made = [create(api), create(api, stock=0)]
    listed = {row["id"] for row in api.list_all("/products")}
    for product in made:
        if product["id"] not in listed:
            fail(
                f"GET /products does not list {product['name']!r} with a stock of "
                f"{product['stock']}.",
                "a filter works though it is not given: its default has to be None, and None "
                "adds no condition.",
            )
    lone = post_without_category(api)
    if lone.ok and id_of(lone) not in {row["id"] for row in api.list_all("/products")}:
        fail(
            "GET /products does not list the product that POST /products took without a category.",
            "an inner join leaves out rows without a partner: join(…, isouter=True), or no join.",
        )


@pytest.mark.step(3)
@pytest.mark.parametrize(
    ("query", "prices"),
    [
        ("", {5, 10, 20}),
        ("&min_price=10", {10, 20}),
        ("&max_price=10", {5, 10}),
        ("&min_price=5.01&max_price=19.99", {10}),
        ("&in_stock=true", {10, 20}),
        ("&in_stock=true&max_price=10", {10}),
        ("&min_price=20.01", set()),
    ],
    ids=["category", "min", "max", "min-and-max", "in-stock", "in-stock-and-max", "none-fits"],
)
def test_list_products_filters(api: Api, query: str, prices: set[int]) -> None:
    """GET /products answers the products that fit every filter that is given."""
    category_id = create_category(api)["id"]
    made = {
        price: create(api, category_id, price=price, stock=stock)["id"]
        for price, stock in ((5, 0), (10, 3), (20, 1))
    }
    create(api, price=10)
    reply = api.get(f"/products?category_id={category_id}{query}").expect(200)
    wanted = sorted(made[price] for price in prices)
    got = sorted(row["id"] for row in reply.items())
    if got != wanted:
        reply.wrong(
            f"products {got} are listed, not {wanted}: of three in this category, the first costs "
            "5 and has no stock, the others cost 10 and 20 and have some.",
            "a filter does not reach the query, replaces another one, or leaves out its own bound: "
            "one .where() for each that is given, with >= and <=.",
        )


@pytest.mark.step(3)
def test_list_products_up_to_price_0(api: Api) -> None:
    """GET /products?max_price=0 finds nothing, or is refused."""
    category_id = create(api)["category_id"]
    reply = api.get(f"/products?category_id={category_id}&max_price=0").expect(200, 422)
    if reply.ok and reply.items():
        reply.wrong(
            "a product that costs 9.90 is listed.",
            "`if max_price:` is false for 0 too: `if max_price is not None:`.",
        )


@pytest.mark.step(4)
@pytest.mark.parametrize(
    "change",
    [{"price": 12.5}, {"stock": 7}, {"stock": 0}, {"price": 1.01, "stock": 1}],
    ids=["price", "stock", "stock-of-0", "both"],
)
def test_update_product(api: Api, change: dict[str, Any]) -> None:
    """PATCH /products/{id} changes what is sent and leaves alone what is not, for good."""
    product = create(api)
    path = f"/products/{product['id']}"
    wanted = exact(product | change)
    why = (
        "fields that were not sent are written with a default, or 0 is taken for nothing: "
        "model_dump(exclude_unset=True) holds what was sent, 0 included."
    )
    required = "fields that were not sent are required: an update class of its own has defaults."
    reply = api.patch(path, change)
    reply.expect(200, why=required if reply.status == 422 else why).has(why, **wanted)
    api.get(path).expect(200).has("no session.commit() after the change.", **wanted)


@pytest.mark.step(4)
@pytest.mark.parametrize("field", ["price", "stock"])
def test_update_product_never_stores_null(api: Api, field: str) -> None:
    """An explicit null is refused or ignored, never stored."""
    product = create(api)
    path = f"/products/{product['id']}"
    api.patch(path, {field: None}).expect(422, 400, 200, why=NOT_NULL)
    api.get(path).expect(200, why=NOT_NULL).has(NOT_NULL, **product)


@pytest.mark.step(4)
def test_update_product_not_found(api: Api) -> None:
    """PATCH /products/{id} answers 404 when there is no such product."""
    why = "the row is changed without looking whether it is there."
    api.patch(f"/products/{NO_SUCH_ID}", {"stock": 7}).expect(404, why=why)


@pytest.mark.step(5)
def test_delete_product(api: Api) -> None:
    """DELETE /products/{id} removes the product, and only this one."""
    product = create(api)
    other = create(api, product["category_id"])
    path = f"/products/{product['id']}"
    api.delete(path).expect(204, 200)
    api.get(path).expect(404, why="no session.commit() after session.delete().")
    api.get(f"/products/{other['id']}").expect(200, why="the WHERE of the DELETE is missing.")


@pytest.mark.step(5)
def test_delete_product_not_found(api: Api) -> None:
    """DELETE /products/{id} answers 404 when there is no such product."""
    why = "the row is deleted without looking whether it is there."
    api.delete(f"/products/{NO_SUCH_ID}").expect(404, why=why)


@pytest.mark.step(6)
@pytest.mark.parametrize("price", [0.01, 19.99, 99999999.99])
def test_price_is_exact(api: Api, price: float) -> None:
    """A price within the bounds comes back to the cent."""
    product = create(api, price=price, stock=2_147_483_647)
    why = "the column has too few digits, or is a float: NUMERIC(10, 2) is exact."
    api.get(f"/products/{product['id']}").expect(200, why=why).has(why, **product)


@pytest.mark.step(6)
@OUT_OF_BOUNDS
def test_create_product_refuses_values_out_of_bounds(api: Api, field: str, value: float) -> None:
    """POST /products answers 422 to a price or stock that cannot be."""
    sent = a_product(create_category(api)["id"], **{field: value})
    api.post("/products", sent).expect(422, 400, why=BOUNDS[field])


@pytest.mark.step(6)
@OUT_OF_BOUNDS
def test_update_product_refuses_values_out_of_bounds(api: Api, field: str, value: float) -> None:
    """PATCH /products/{id} answers 422 to a price or stock that cannot be, and changes nothing."""
    product = create(api)
    path = f"/products/{product['id']}"
    api.patch(path, {field: value}).expect(422, 400, why=BOUNDS[field])
    api.get(path).expect(200).has(BOUNDS[field], **product)
