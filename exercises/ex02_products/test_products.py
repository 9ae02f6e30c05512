"""Checks of exercise 02; each speaks to the app over HTTP only."""

from decimal import Decimal, InvalidOperation
from typing import Any

import pytest

from exercises.checks import (
    AS_IT_IS,
    AWKWARD_PRICES,
    AWKWARD_TEXTS,
    MISSING_REMEMBERED,
    NO_SUCH_ID,
    SWAPPED,
    WHOLE_ROW,
    WILDCARD_TWINS,
    Api,
    Reply,
    ask_ahead,
    fail,
    multiplied,
    one_letter,
    one_wins,
    same_row,
    shorten,
    unique,
    why_accepted,
)

NO_COMMIT = "no session.commit() after session.add(); each request has a session of its own."
NOT_STORED_ROW = "the answer is not what was sent: another row, or a text that the app changes."
CENT_LOST = (
    "the price goes through a float, and int() cuts it: int(0.29 * 100) is 28. A Decimal is exact."
)
NOT_FOUND = (
    "session.get() gave None, and None was answered or used; or the error was returned: "
    "`raise HTTPException(404)`."
)
NOT_UNIQUE = "the column has no unique=True, or its IntegrityError is not caught."
IN_ONE_PROCESS = (
    "a dictionary, a list or a cache in memory belongs to one process: another one, and the one "
    "after a restart, know only what is in the database."
)
OWN_BOUND = "a bound of the app's own refuses what the task allows."
FIRST_ID = "a bound refuses the smallest id that there is: ge=1 and not gt=1."
CUT_SHORT = "a limit cuts the list, and no skip and limit of the client's reach what is behind it."
NOT_VALIDATED = (
    "the table class is the request body: a class with table=True does not validate. Or the field "
    "has a default, or no type; or the app makes a text of a number."
)
NOT_CONVERTED = (
    "a value of the wrong type comes as far as the route, and its conversion fails there: a type "
    "in the input class is answered 422 by FastAPI."
)
WRONG_TYPE: dict[int | str, str] = dict.fromkeys(
    ("InvalidOperation", "ValueError", "TypeError"), NOT_CONVERTED
)
BY_HAND = "the app looks at it by hand; a type in the input class is answered 422 by FastAPI."
NOT_NULL = "an explicit null is let through by a field that allows None, to the column."
CHANGES = (
    "fields that were not sent are written with a default, or 0 is taken for nothing: "
    "model_dump(exclude_unset=True) holds what was sent, 0 included."
)
REQUIRED = "fields that were not sent are required: an update class of its own has defaults."
PRICE_BOUNDS = (
    "the price is a float or has no bounds: a Decimal with gt=0, max_digits=10 and "
    "decimal_places=2, in the input class and in the update class."
)
STOCK_BOUNDS = (
    "the stock has no bounds: ge=0 and le=2147483647, in the input class and in the update class."
)
OUT_OF_BOUNDS = pytest.mark.parametrize(
    ("field", "value"),
    [
        ("price", -1),
        ("price", 0),
        ("price", 0.001),
        ("price", 9.999),
        ("price", 0.1 + 0.2),
        ("price", 100_000_000),
        ("stock", -1),
        ("stock", 2_147_483_648),
        ("stock", 2.5),
        ("price", "cheap"),
        ("price", "NaN"),
        ("stock", "many"),
    ],
    ids=[
        "negative-price",
        "price-of-0",
        "below-a-cent",
        "three-decimals",
        "sum-of-floats",
        "price-above",
        "negative-stock",
        "stock-above-integer",
        "half-a-piece",
        "price-word",
        "no-number",
        "stock-word",
    ],
)
CENT = Decimal("0.01")
AT_THE_BOUNDS: list[dict[str, Any]] = [
    *({"price": float(price)} for price in AWKWARD_PRICES),
    {"price": 100},
    {"stock": 0},
    {"stock": 1},
    {"stock": 2_147_483_647},
]


def create_category(api: Api, name: str = "") -> dict[str, Any]:
    """Create a category through the API; give the answered row."""
    api.second()  # it starts before there is anything to be lost
    name = name or unique("Mugs ")
    reply = api.post("/categories", {"name": name}).expect(201, 200)
    return {"id": id_of(reply, name=name), "name": name}


def categories(api: Api) -> dict[int, str]:
    """List the names of the categories by id."""
    return {row["id"]: str(row.get("name")) for row in api.list_all("/categories")}


def id_of(reply: Reply, **sent: Any) -> int:
    """Give the id of the answered row; fail unless the row is what was sent."""
    reply.has(CENT_LOST if a_cent_less(reply, sent.get("price")) else NOT_STORED_ROW, **sent)
    return reply.id


def a_cent_less(reply: Reply, price: Decimal | None) -> bool:
    """Tell whether the answered price is a cent below this one."""
    try:
        return price is not None and Decimal(str(reply.object().get("price"))) == price - CENT
    except InvalidOperation:
        return False


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


def path_of(product: dict[str, Any]) -> str:
    """Name the product's path."""
    return f"/products/{product['id']}"


def read(api: Api, product: dict[str, Any]) -> dict[str, Any]:
    """Read the product; give every field that the app answers."""
    return api.get(path_of(product)).expect(200).object()


def is_listed(api: Api, product: dict[str, Any], why: str) -> None:
    """Fail unless the list of its category has the product once, as it was answered."""
    reply = api.get(f"/products?category_id={product['category_id']}&limit=100").expect(200)
    rows = [row for row in reply.rows() if row.get("id") == product["id"]]
    if len(rows) != 1:
        reply.wrong(f"product {product['id']} is listed {len(rows)} times, not once.", why)
    same_row(product, {name: rows[0].get(name) for name in product}, why=why)


def expect_closed(reply: Reply) -> None:
    """Fail when the request kept a connection."""
    if reply.seen.get("open"):
        reply.wrong(
            "the request kept its connection; after a few more the pool is empty.",
            "the session is never closed, or not after an error: `with Session(engine) as "
            "session: yield session`, or session.close() in a `finally`.",
        )


@pytest.mark.step(1)
def test_create_category(api: Api) -> None:
    """POST /categories stores a category and answers the row with its id."""
    create_category(api)


@pytest.mark.step(1)
def test_create_category_of_any_name(api: Api) -> None:
    """A name is text: no sign in it means anything to the app, and no other name is it."""
    end = unique(" ")
    twins = [name for pair in WILDCARD_TWINS for name in pair[::-1]]
    wanted = {}
    names = [text + end for text in dict.fromkeys([*twins, *AWKWARD_TEXTS])]
    for name in (*names, f"(a){end}", f"(a){end}?!"):
        reply = api.post("/categories", {"name": name})
        twin = "another name counts as this one: == and not like()."
        reply.expect(201, 200, why={422: OWN_BOUND, "": twin})
        wanted[id_of(reply, name=name)] = name
    listed = categories(api)
    if wanted.items() - listed.items():
        fail(
            f"of the names {shorten(list(wanted.values()))} not all are listed as they were sent.",
            without_products(api, *wanted) or f"{NO_COMMIT} Or {CUT_SHORT}",
        )


def without_products(api: Api, *ids: int) -> str:
    """Say so if a category that the list leaves out is there when it has a product."""
    number = next((each for each in ids if each not in categories(api)), 0)
    made = api.post("/products", a_product(number))
    if number and made.ok and number in categories(api):
        return "an inner join leaves out categories without products; the list needs no join."
    return ""


@pytest.mark.step(1)
def test_create_category_at_the_bounds(api: Api) -> None:
    """A name has 1 to 50 characters, 1 and 50 too."""
    why = "a bound that is itself refused, or another one: min_length=1, max_length=50."
    for name in (one_letter(), unique("é").ljust(50, "é")):
        reply = api.post("/categories", {"name": name})
        # The one letter may be taken, by an earlier run on the same server.
        reply.expect(201, 200, *[400, 409] * (len(name) == 1), why=why)
        if reply.ok:
            reply.has(why, name=name)


@pytest.mark.step(1)
def test_create_category_refuses_invalid_name(api: Api) -> None:
    """POST /categories answers 422 to a name that is missing, null or a number."""
    for sent in ({}, {"name": None}, {"name": 7}):
        api.post("/categories", sent).expect(422, why={2: NOT_VALIDATED, 4: BY_HAND})


@pytest.mark.step(1)
def test_list_categories(api: Api) -> None:
    """GET /categories lists all categories, in every process."""
    categories(api.second())  # a cache of the other process has them now
    made = [create_category(api) for _ in range(12)]
    for process in (api, api.second()):
        listed = categories(process)
        missing = [category for category in made if listed.get(category["id"]) != category["name"]]
        if missing:
            why = NO_COMMIT if len(missing) == len(made) else CUT_SHORT
            fail(
                f"of 12 categories that were made GET /categories does not list {len(missing)}, "
                f"the first of them {missing[0]['name']!r}.",
                without_products(api, missing[0]["id"]) or f"{why} Or {IN_ONE_PROCESS}",
            )


@pytest.mark.step(1)
def test_create_category_with_taken_name(api: Api) -> None:
    """POST /categories answers 400 or 409 to a name that is taken, and changes nothing."""
    category = create_category(api)
    for process in (api, api.second(), api):
        reply = process.post("/categories", {"name": category["name"]})
        expect_closed(reply.expect(409, 400, why=why_accepted(reply, category["id"])))
        create_category(process)
    rows = [number for number, name in categories(api).items() if name == category["name"]]
    if rows != [category["id"]]:
        fail(
            f"{category['name']!r} has the id {category['id']}; after it was refused the ids with "
            f"this name are {rows}.",
            NOT_UNIQUE,
        )


@pytest.mark.step(2)
def test_create_product(api: Api) -> None:
    """POST /products stores a product and answers the row with its id."""
    create(api)


@pytest.mark.step(2)
def test_create_product_with_a_long_name(api: Api) -> None:
    """POST /products takes a name of 100 characters."""
    category_id = create_category(api)["id"]
    sent = a_product(category_id, name=unique("Blue mug ").ljust(100, "é"))
    reply = api.post("/products", sent).expect(201, 200, why=OWN_BOUND)
    api.get(f"/products/{id_of(reply, **exact(sent))}").expect(200).has(
        "this is not what POST answered; is the name cut?", **exact(sent)
    )


@pytest.mark.step(2)
def test_read_product_with_category(api: Api) -> None:
    """GET /products/{id} answers the product with its category in it."""
    category = create_category(api)
    product, other = create(api, category["id"]), create(api)
    reply = api.get(path_of(product)).expect(200, why={404: NO_COMMIT})
    body = reply.has("this is another row, or not what POST answered.", **product)
    why = (
        "a table class as response model answers its columns only: a relationship needs a response "
        "class with `category: Category`."
    )
    nested = body.get("category")
    if not isinstance(nested, dict):
        reply.wrong("there is no object under 'category'.", why)
    if (nested.get("id"), nested.get("name")) != (category["id"], category["name"]):
        why = "its id or name is left out, or the join finds the category of another product."
        reply.wrong(f"the category is not {category['name']!r} with its id.", why)
    reply = api.get(path_of(other)).expect(200)
    nested = reply.has("this is another row.", **other).get("category")
    if not isinstance(nested, dict) or nested.get("id") != other["category_id"]:
        reply.wrong("this is the category of another product.", "the join has no condition.")


@pytest.mark.step(2)
def test_first_category_and_first_product(api: Api) -> None:
    """The category and the product with the id 1 are like any others."""
    create(api)
    # Only on a database that was empty is it certain that nobody has deleted them.
    api.get("/products/1").expect(200, 404, why={422: FIRST_ID})
    api.post("/products", a_product(1)).expect(201, 200, 404, why={422: FIRST_ID})


@pytest.mark.step(2)
def test_create_product_ignores_id(api: Api) -> None:
    """POST /products leaves alone the product whose id the client sends."""
    product = create(api)
    before = read(api, product)
    sent = a_product(product["category_id"], id=product["id"])
    api.post("/products", sent).expect(201, 200, 422, 400, 409)
    why = "the id is taken from the body, and the row is written over: the input class has no id."
    same_row(before, api.get(path_of(product)), why=why)


@pytest.mark.step(2)
def test_product_is_stored_for_all_processes(api: Api) -> None:
    """A product is there for each process, and still there when the server was restarted."""
    ask_ahead(api, create(api)["id"], lambda process, number: process.get(f"/products/{number}"))
    product, category = create(api, name=unique("日本 'mug' 100% ")), create_category(api)
    before, sold_out = read(api, product), create(api, stock=0)
    why = f"{NO_COMMIT} Or {IN_ONE_PROCESS}"
    for process in (api, api.second()):
        same_row(before, process.get(path_of(product)).expect(200, why=why), why=why)
    create(api.second(), category["id"])
    api.restart()
    why = "the data lives in memory, or the tables are dropped when the app starts."
    same_row(before, api.get(path_of(product)).expect(200, why=why), why=why)
    api.get(path_of(sold_out)).expect(200, why=why).has(why, **sold_out)
    if categories(api).get(category["id"]) != category["name"]:
        fail(f"{category['name']!r} is not listed after a restart.", why)
    if create(api)["id"] <= product["id"]:
        fail("a product that is made later has a smaller id.", "the ids are counted in memory.")
    same_row(before, api.get(path_of(product)), why="another product was written over it.")


@pytest.mark.step(2)
def test_read_product_not_found(api: Api) -> None:
    """GET /products/{id} answers 404 when there is no such product."""
    expect_closed(api.get(f"/products/{NO_SUCH_ID}").expect(404, why=NOT_FOUND))


@pytest.mark.step(2)
def test_create_product_in_missing_category(api: Api) -> None:
    """POST /products answers 404 when there is no such category."""
    why = "nobody looks whether the category is there, and SQLite does not either by default."
    sent = a_product(NO_SUCH_ID)
    for category_id in (NO_SUCH_ID, 0):
        reply = api.post("/products", sent | {"category_id": category_id})
        reply.expect(404, *[422] * (category_id == 0), why={2: why, 4: "it is to be a 404."})
    last = create_category(api)["id"]
    ask_ahead(api, last, lambda process, n: process.post("/products", a_product(n)))
    sent = a_product(create_category(api)["id"])
    for process in (api, api.second()):
        name = unique("Blue mug ")
        reply = process.post("/products", sent | {"name": name})
        reply.expect(201, 200, why={404: MISSING_REMEMBERED})


@pytest.mark.step(2)
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ...),
        ("name", None),
        ("name", 7),
        ("price", ...),
        ("price", None),
        ("price", "cheap"),
        ("stock", "many"),
        ("category_id", "mugs"),
    ],
    ids=[
        "no-name",
        "null-name",
        "name-number",
        "no-price",
        "null-price",
        "price-word",
        "stock-word",
        "category-word",
    ],
)
def test_create_product_refuses_invalid_input(api: Api, field: str, value: Any) -> None:
    """POST /products answers 422 to a missing field or one of the wrong type."""
    sent = a_product(create_category(api)["id"]) | {field: value}
    if value is ...:
        del sent[field]
    api.post("/products", sent).expect(422, why={2: NOT_VALIDATED, 4: BY_HAND, 5: NOT_VALIDATED})


@pytest.mark.step(2)
def test_create_product_without_category(api: Api) -> None:
    """A product without a category is refused, or can be read."""
    made = post_without_category(api)
    if made.ok:
        why = "the response class takes no null: category: Category | None. Or it is left out of "
        why += "the answer: response_model_exclude_none."
        reply = api.get(f"/products/{id_of(made)}")
        reply.expect(200, why={"ResponseValidationError": why, "": why}).has(why, category=None)


def post_without_category(api: Api) -> Reply:
    """Send a product without a category, which an app may refuse."""
    sent = a_product(0)
    del sent["category_id"]
    return api.post("/products", sent).expect(201, 200, 422, 400)


@pytest.mark.step(2)
def test_products_may_share_a_name(api: Api) -> None:
    """Two categories may have products of one name; a second one in a category is never the first.

    Whether a category may have two products of one name is for the app to decide.
    """
    first = create(api)
    before = read(api, first)
    again = {name: first[name] for name in ("name", "category_id")} | {"price": 5, "stock": 2}
    reply = api.post("/products", again).expect(201, 200, 400, 409)
    why = "a product that is there is taken for the new one: each POST stores a row of its own."
    if reply.ok and reply.id == first["id"]:
        reply.wrong(f"the id {first['id']} is that of another product.", why)
    same_row(before, api.get(path_of(first)), why=why)
    why = "a unique constraint on the name of a product; only names of categories are there once."
    sent = a_product(create_category(api)["id"], name=first["name"])
    api.post("/products", sent).expect(201, 200, why={409: why, 400: why, "UNIQUE": why})


@pytest.mark.step(3)
def test_list_products_without_refused_ones(api: Api) -> None:
    """A product of a category that does not exist is not stored."""
    sent = a_product(NO_SUCH_ID)
    api.post("/products", sent).expect(404, why="see step 2.")
    create(api)
    if sent["name"] in [row.get("name") for row in api.list_all("/products")]:
        fail("the product was refused, and is listed.", "stored, then looked for its category.")


@pytest.mark.step(3)
def test_list_products(api: Api) -> None:
    """GET /products lists all products, those without stock too, as they were answered."""
    api.second().list_all("/products")  # a cache of the other process is old soon
    made = [create(api), create(api, stock=0), create(api, price=99_999_999.99)]
    for process in (api, api.second()):
        listed = {row["id"]: row for row in process.list_all("/products")}
        for product in made:
            if product["id"] not in listed:
                fail(
                    f"GET /products does not list {product['name']!r}, which costs "
                    f"{product['price']}, with a stock of {product['stock']}.",
                    "a filter works though it is not given: its default has to be None, and None "
                    f"adds no condition. Or {IN_ONE_PROCESS}",
                )
            row = {name: listed[product["id"]].get(name) for name in product}
            same_row(product, row, why="the list answers other rows than POST.")
        made = [create(api, made[0]["category_id"])]  # a cache of the other process is old now
    lone = post_without_category(api)
    for query in ("", "?min_price=9.9", "?max_price=9.9", "?in_stock=true"):
        listed = {row["id"]: row for row in api.list_all(f"/products{query}")}
        if lone.ok and id_of(lone) not in listed:
            fail(
                f"GET /products{query} does not list the product of 9.90 that POST /products took "
                "without a category.",
                "an inner join leaves out rows without a partner: join(…, isouter=True), or none.",
            )


@pytest.mark.step(3)
def test_list_all_products(api: Api) -> None:
    """GET /products and GET /categories list all that there are, however many these are."""
    made = [create(api) for _ in range(51)]
    made += [create(api, made[0]["category_id"]) for _ in range(50)]
    for path, field in (("/products?min_price=1", "id"), ("/categories", "category_id")):
        missing = {product[field] for product in made} - {row["id"] for row in api.list_all(path)}
        if missing:
            fail(f"of those that were made GET {path} does not list {len(missing)}.", CUT_SHORT)
    path = f"/products?category_id={made[0]['category_id']}"
    listed = len(api.list_all(path, limit=7))
    if listed != 51:
        why = "where prices or names are equal, the order is left to the database: order by id too."
        fail(f"of 51 products that cost the same GET {path} lists {listed}, read by sevens.", why)


@pytest.mark.step(3)
def test_list_a_thousand(api: Api) -> None:
    """GET /products and GET /categories list all that there are, a thousand as well."""
    category = create_category(api)
    product = create(api, category["id"])
    for path, row in (("/categories", category), ("/products?max_price=20", product)):
        with multiplied(api, row, "name", 10) as copies:
            listed = [each.get("name") for each in api.list_all(path)]
            found = sum(str(name).endswith(row["name"]) for name in listed)
            if found != copies:
                fail(f"of {copies} that are there GET {path} lists {found}.", CUT_SHORT)


FILTERS: list[dict[str, str]] = [
    {},
    {"min_price": "10"},
    {"max_price": "10"},
    {"min_price": "0.29"},
    {"max_price": "0.29"},
    {"min_price": "9.9"},
    {"max_price": "9.9"},
    {"min_price": "9.91", "max_price": "99.99"},
    {"min_price": "10", "max_price": "10"},
    {"in_stock": "true"},
    {"in_stock": "true", "min_price": "10"},
    {"in_stock": "true", "max_price": "10"},
    {"in_stock": "true", "min_price": "10", "max_price": "10.01"},
    {"min_price": "100.01"},
    {"min_price": "0"},
    {"min_price": "0", "max_price": "99999999.99"},
]


def fits(product: dict[str, Any], filters: dict[str, str]) -> bool:
    """Tell whether a product fits all of the filters."""
    return (
        product["price"] >= Decimal(filters.get("min_price", 0))
        and product["price"] <= Decimal(filters.get("max_price", "1e10"))
        and ("in_stock" not in filters or product["stock"] > 0)
        and product["category_id"] == int(filters.get("category_id", product["category_id"]))
    )


@pytest.mark.step(3)
def test_list_products_filters(api: Api) -> None:
    """GET /products answers the products that fit every filter that is given."""
    mugs, cups, none = (create_category(api)["id"] for _ in range(3))
    pairs = [(9.9, 0), (10, 3), (10.01, 1), (100, 0), (0.28, 4), (0.29, 7), (99.99, 250)]
    made = [create(api, mugs, price=price, stock=stock) for price, stock in pairs]
    made += [create(api, cups, price=10, stock=3), create(api, cups, price=5, stock=0)]
    for category in ({}, {"category_id": str(mugs)}, {"category_id": str(cups)}):
        for filters in ({**category, **more} for more in FILTERS):
            expect_those_that_fit(api, made, filters)
    for finer in ({"max_price": "9.899"}, {"min_price": "99.991"}):
        if api.get("/products?" + "".join(f"{name}={finer[name]}" for name in finer)).ok:
            expect_those_that_fit(api, made, finer)  # else an app whose bounds are prices
    for nothing in (f"category_id={none}", f"category_id={mugs}&min_price=20&max_price=10"):
        reply = api.get(f"/products?{nothing}").expect(200, 404, 422)
        if reply.ok and reply.items():
            prices = [Decimal(str(row.get("price"))) for row in reply.rows()]
            swapped = "max_price" in nothing and all(10 <= price <= 20 for price in prices)
            why = SWAPPED if swapped else "a filter is left out."
            reply.wrong("no product fits, and some are listed.", why)


def expect_those_that_fit(api: Api, made: list[dict[str, Any]], filters: dict[str, str]) -> None:
    """Fail unless those of the products are listed that fit all of the filters."""
    path = "/products?" + "&".join(f"{name}={value}" for name, value in filters.items())
    wanted = {product["id"] for product in made if fits(product, filters)}
    listed = {row["id"] for row in api.list_all(path)}
    wrong = [product for product in made if (product["id"] in wanted) != (product["id"] in listed)]
    for product in wrong:
        bounds = [Decimal(filters[name]) for name in ("min_price", "max_price") if name in filters]
        # A bound that leaves itself out has been seen at 10, the first of them.
        off = all(
            any(abs(each["price"] - bound) <= CENT and bound % 1 for bound in bounds)
            for each in wrong
        )
        fail(
            f"GET {path} {'lists' if product['id'] in listed else 'does not list'} a product "
            f"that costs {product['price']}, with a stock of {product['stock']}, in category "
            f"{product['category_id']}.",
            "the bound is not compared to the cent, it is cut or rounded: as a float, int(0.29 * "
            "100) is 28. As a Decimal it is exact."
            if off
            else "in_stock=true leaves out what has no stock; a stock of 1 is one."
            if filters == {"in_stock": "true"} and {each["stock"] for each in wrong} == {1}
            else "a filter does not reach the query, replaces another one, or leaves out its own "
            "bound: one .where() for each that is given, with >= and <=. Prices are numbers.",
        )


@pytest.mark.step(3)
def test_list_products_once(api: Api) -> None:
    """GET /products lists each product once."""
    product = create(api)
    create(api, product["category_id"])
    for query in ("", "&in_stock=true", "&min_price=1", "&max_price=20"):
        reply = api.get(f"/products?category_id={product['category_id']}{query}").expect(200)
        if len(reply.items()) != 2:
            reply.wrong(
                f"{len(reply.items())} products are listed, not 2.",
                "the query joins or multiplies rows, or a filter does not reach it.",
            )
    reply = api.get("/products?category_id=1").expect(200, 404, why={422: FIRST_ID})
    if reply.ok and {row.get("category_id") for row in reply.rows()} - {1}:
        reply.wrong("products of other categories are listed.", "the filter leaves out the id 1.")


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
    [{"price": 12.5}, {"stock": 7}, {"stock": 0}, {"price": 1.01, "stock": 0}, {}],
    ids=["price", "stock", "stock-of-0", "both", "nothing"],
)
def test_update_product(api: Api, change: dict[str, Any]) -> None:
    """PATCH /products/{id} changes what is sent and leaves alone what is not, for good."""
    product = create(api)
    others = [create(api, product["category_id"]), create(api, name=product["name"])]
    path, before = path_of(product), read(api, product)
    read(api.second(), product)  # a cache of the other process has it now
    is_listed(api.second(), product, IN_ONE_PROCESS)
    wanted = exact(product | change)
    reply = api.patch(path, change)
    if change or reply.status not in (400, 422):
        reply.expect(200, why={422: REQUIRED, "NOT NULL": CHANGES, "": CHANGES})
        reply.has(CHANGES, **wanted)
    reply.commits_once("each field is committed on its own: one commit at the end for both.")
    for process in (api, api.second()):
        stored = process.get(path).expect(200, why={404: "a product is there, also without stock."})
        why = "no session.commit() after the change."
        stored.has(why if process is api else IN_ONE_PROCESS, **wanted)
        same_row(before, stored, but=("updated_at", *change), why=CHANGES)
    is_listed(api, wanted, "the change did not reach the list.")
    is_listed(api.second(), wanted, IN_ONE_PROCESS)
    for other in others:
        is_listed(api, other, "the WHERE of the UPDATE is missing, or finds more than this id.")


@pytest.mark.step(4)
def test_update_product_with_what_it_has(api: Api) -> None:
    """PATCH /products/{id} takes what a field has already, alone and beside a change."""
    product = create(api)
    path, same = path_of(product), {"price": float(product["price"]), "stock": product["stock"]}
    for field, value in {"price": 12.5, "stock": 7}.items():
        api.patch(path, {field: same[field]}).expect(200).has(AS_IT_IS, **exact(product))
        same[field] = product[field] = value
        api.patch(path, same).expect(200).has(AS_IT_IS, **exact(product))
    api.get(path).expect(200).has(AS_IT_IS, **exact(product))


@pytest.mark.step(4)
def test_update_product_keeps_its_id(api: Api) -> None:
    """PATCH /products/{id} leaves the id alone, whatever is sent."""
    product = create(api)
    why = "the id is taken from the body: an update class of its own has no id."
    api.patch(path_of(product), {"id": NO_SUCH_ID, "stock": 7}).expect(200, 422, why=why)
    api.get(path_of(product)).expect(200, why=why).has(why, id=product["id"])


@pytest.mark.step(4)
@pytest.mark.parametrize("field", ["price", "stock"])
def test_update_product_never_stores_null(api: Api, field: str) -> None:
    """An explicit null is refused or ignored, never stored."""
    product = create(api)
    before, path = read(api, product), path_of(product)
    api.patch(path, {field: None}).expect(422, 200, why=NOT_NULL)
    stored = api.get(path).expect(200, why=NOT_NULL)
    same_row(before, stored, but=("updated_at",), why=NOT_NULL)
    other = {"price": 12.5, "stock": 7}
    del other[field]
    beside = api.patch(path, {field: None, **other}).expect(422, 200, why=NOT_NULL)
    wanted = exact(product | other) if beside.ok else product
    why = "a null is ignored, and what was sent beside it too; or half of a refused change stays."
    api.get(path).expect(200, why=why).has(why, **wanted)


@pytest.mark.step(4)
def test_update_product_not_found(api: Api) -> None:
    """PATCH /products/{id} answers 404 when there is no such product."""
    why = "the row is changed without looking whether it is there."
    expect_closed(api.patch(f"/products/{NO_SUCH_ID}", {"stock": 7}).expect(404, why=why))


@pytest.mark.step(5)
def test_delete_product(api: Api) -> None:
    """DELETE /products/{id} removes the product, and only this one."""
    product = create(api)
    category_id = product["category_id"]
    other, path = create(api, category_id), path_of(product)
    namesake = create(api, name=product["name"])
    read(api.second(), product)  # a cache of the other process has it now
    is_listed(api.second(), product, IN_ONE_PROCESS)
    api.second().list_all("/products")
    reply = api.delete(path).expect(204, 200)
    why = "the row is emptied or marked, and still there: session.delete()."
    if not reply.commits:
        why = "no session.commit() after session.delete()."
    api.get(path).expect(404, why=why)
    api.second().get(path).expect(404, why=IN_ONE_PROCESS)
    for each in (other, namesake):
        is_listed(api, each, "the WHERE of the DELETE is missing, or finds more than this id.")
    api.delete(path_of(other)).expect(204, 200)
    if category_id not in categories(api):
        fail("a category whose products were deleted is gone.", "a cascade that goes too far.")
    for listed in (f"/products?category_id={category_id}", "/products"):
        for process in (api, api.second()):
            if product["id"] in [row["id"] for row in process.list_all(listed)]:
                why = "it is only marked as deleted." if process is api else IN_ONE_PROCESS
                fail(f"GET {listed} still lists the deleted product.", why)


@pytest.mark.step(5)
def test_delete_product_not_found(api: Api) -> None:
    """DELETE and PATCH /products/{id} answer 404 when there is no such product, or no longer."""
    why = "the row is deleted without looking whether it is there."
    expect_closed(api.delete(f"/products/{NO_SUCH_ID}").expect(404, why=why))
    path = path_of(create(api))
    api.delete(path).expect(204, 200)
    expect_closed(api.delete(path).expect(404, why=why))
    api.patch(path, {"stock": 7}).expect(404, why="the row is changed though it is not there.")


@pytest.mark.step(6)
@pytest.mark.parametrize("value", AT_THE_BOUNDS, ids=str)
def test_price_is_exact(api: Api, value: dict[str, Any]) -> None:
    """A price within the bounds comes back to the cent, and a stock as it is."""
    why = "the column has too few digits, or is a float: NUMERIC(10, 2) is exact. Or it is cut: "
    why += "int(0.29 * 100) is 28. Or a bound that is itself refused: ge and le, not gt and lt."
    sent = a_product(create_category(api)["id"], **value)
    reply = api.post("/products", sent).expect(201, 200, why=why)
    reply.has(why, **exact(sent))
    changed = create(api, sent["category_id"])
    api.patch(path_of(changed), value).expect(200, why=why).has(why, **exact(changed | value))
    for product in (exact(sent) | {"id": reply.id}, exact(changed | value)):
        api.get(path_of(product)).expect(200, why=why).has(why, **product)


@pytest.mark.step(6)
@OUT_OF_BOUNDS
def test_create_product_refuses_values_out_of_bounds(api: Api, field: str, value: float) -> None:
    """POST /products answers 422 to a price or stock that cannot be, and stores nothing."""
    sent = a_product(create_category(api)["id"], **{field: value})
    why = PRICE_BOUNDS if field == "price" else STOCK_BOUNDS
    reply = api.post("/products", sent)
    reply.expect(422, why={2: why, 4: BY_HAND, 5: why, **WRONG_TYPE})
    if api.list_all(f"/products?category_id={sent['category_id']}"):
        fail("the product was refused, and is listed.", "it is stored before it is looked at.")


@pytest.mark.step(6)
@OUT_OF_BOUNDS
def test_update_product_refuses_values_out_of_bounds(api: Api, field: str, value: float) -> None:
    """PATCH /products/{id} answers 422 to a price or stock that cannot be, and changes nothing."""
    product = create(api)
    before = read(api, product)
    why = PRICE_BOUNDS if field == "price" else STOCK_BOUNDS
    for change in ({field: value}, {"price": 12.5, "stock": 7, field: value}):
        reply = api.patch(path_of(product), change)
        reply.expect(422, why={2: why, 4: BY_HAND, 5: why, **WRONG_TYPE})
        same_row(before, api.get(path_of(product)), why="a part of a refused change was stored.")


@pytest.mark.step(6)
def test_create_product_without_stock(api: Api) -> None:
    """A product whose stock is left out is refused, or has a stock that can be."""
    sent = a_product(create_category(api)["id"])
    del sent["stock"]
    why = "a default is not validated: it has to be 0 or more."
    reply = api.post("/products", sent)
    reply.expect(201, 200, 422, why={"ValidationError": why, "": why})
    stock = reply.object().get("stock") if reply.ok else 0
    if type(stock) is not int or stock < 0:
        reply.wrong(f"the stock is {stock}.", why)


@pytest.mark.step(6)
def test_answered_means_committed(api: Api) -> None:
    """The commit is done when the answer is sent."""
    api.post("/categories", {"name": unique("Mugs ")}).committed_first()
    product = create(api)
    api.post("/products", a_product(product["category_id"])).committed_first()
    api.patch(path_of(product), {"price": 12.5}).committed_first()
    api.delete(path_of(product)).committed_first()


@pytest.mark.step(6)
def test_update_price_and_stock_at_once(api: Api) -> None:
    """PATCH of the price and PATCH of the stock at one moment both leave their mark."""
    product = create(api)
    new = {"price": 12.5, "stock": 7}
    changes = [{"price": 12.5}, {"stock": 7}] * 2
    for reply in api.at_once(4, lambda n: api.patch(path_of(product), changes[n // 2])):
        reply.expect(200, why=WHOLE_ROW)
    api.get(path_of(product)).expect(200).has(WHOLE_ROW[""], **exact(product | new))


@pytest.mark.step(6)
def test_create_category_twice_at_once(api: Api) -> None:
    """Of eight equal POST /categories at one moment, one is answered 201, the others 400 or 409."""
    for _ in range(2):
        name = unique("Mugs ")
        one_wins(
            api,
            "/categories",
            {"name": name},
            lambda: list(categories(api).values()).count(name),  # noqa: B023 - called at once
        )
