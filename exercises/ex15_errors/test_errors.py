"""Checks of exercise 15; each error answer is looked through for what should not be there."""

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import MetaData, NullPool, create_engine, make_url, select, text

from exercises.causes import Why
from exercises.checks import (
    NO_SUCH_ID,
    Api,
    CheckError,
    Reply,
    fail,
    unique,
    why_accepted,
    why_not_one,
)
from exercises.runner import Server, StartError

INSIDE = re.compile(
    r"traceback|sqlalche|sqlite3\.|psycopg|asyncpg|\.py\b|\[sql|\[parameters|constraint failed"
    r"|insert into \w+ \(|update \w+ set|delete from \w+ where|select \w+\.\w+|key \(\w+\)="
    r"|violates (unique|foreign|check|not-null)|(sqlite|postgresql)\S*://|\$argon2|\$2[aby]\$"
    r"|(?=\d*[a-f])(?=[a-f]*\d)[0-9a-f]{40,}"  # a hash of a password
    r"|\b(uq|ix|fk|ck|pk)_\w+|\b\w+_(key|fkey|pkey)\b|\b(users|categories|products)\.[a-z]\w+",
    re.IGNORECASE,
)
LEAK = (
    "the exception's own text is the answer, as str(error), or a name out of it. Write a sentence "
    "of yours; the exception belongs in the log."
)
UNCAUGHT = "the IntegrityError is not caught, in every route that commits: 409 and a sentence."
LOOKED_FIRST = (
    "nobody catches the IntegrityError; a SELECT before the INSERT does not help, for all look "
    "before one has written."
)
FOREIGN_KEYS = (
    "SQLite keeps foreign keys only after PRAGMA foreign_keys = ON, on each connection; or the "
    "IntegrityError of the commit is not caught."
)
UNBOUNDED = (
    "the bound is missing in the input class, and the database is the first to notice. The change "
    "of a stock, and the sum, need an upper one too."
)
CANNOT_BE_WRITTEN = (
    "JSON has no NaN, and neither UTF-8 nor a database takes half of a surrogate pair: refuse "
    "them. An answer that repeats what was sent, as FastAPI's own 422 does, fails at it: a "
    "handler for RequestValidationError answers type, loc and msg alone."
)
HASH_SHOWN = (
    "the answer is the row with all its columns: Field(exclude=True) in the table class, or a "
    "response_model without them."
)
NUL = "Ada\x00"


def keep_inside(reply: Reply, *secrets: str) -> Reply:
    """Fail if an answer shows what belongs inside."""
    if reply.ok:
        return reply
    headers = [value for name, value in reply.headers.items() if name != "x-seen"]
    hit = INSIDE.search("\n".join([reply.text, *headers]))
    if hit:
        reply.wrong(f"the answer shows the inside of the app: {hit[0]!r}.", LEAK)
    # The names of constraints and columns, as the database told them to the app.
    told = reply.database_error.partition(": ")[2].partition("DETAIL")[0]
    for name in re.findall(r"\w+[._]\w+", told.partition(") ")[2]):
        if name in reply.text:
            reply.wrong(f"the answer shows the inside of the app: {name!r}.", LEAK)
    if any(secret in reply.text for secret in secrets):
        reply.wrong("the answer shows what is secret.", LEAK)
    return reply


def refused(reply: Reply, *statuses: int, why: Why) -> None:
    """Fail unless this is a refusal in a plain sentence that shows nothing of the inside."""
    keep_inside(reply)
    reply.expect(*statuses, why=why)
    changes_nothing(reply)


def changes_nothing(reply: Reply) -> None:
    """Fail unless a refusal has a sentence, changes nothing, and gives its connection back."""
    says_something(reply)
    if reply.commits:
        reply.wrong("the request was refused, and has committed a change.", "refuse, then write.")
    if reply.seen.get("open"):
        why = "the session is not closed after an error: `with Session(engine) as session: yield`."
        reply.wrong("the request kept its connection; after a few more the pool is empty.", why)


def invalid(reply: Reply, *more: int, why: Why) -> None:
    """Fail unless the input is refused with 422 or 400, or one of these, whatever it was."""
    keep_inside(reply.expect(422, 400, *more, why=why))
    if not reply.ok:
        changes_nothing(reply)


def says_something(reply: Reply) -> None:
    """Fail unless an error has a sentence under `detail`, or several in a list or an object."""
    said = [reply.body.get("detail") if isinstance(reply.body, dict) else None]
    for value in said:  # which grows by what is inside
        said += value if isinstance(value, list) else []
        said += value.values() if isinstance(value, dict) else []
    if not any(isinstance(value, str) and len(value.split()) > 1 for value in said):
        why = "HTTPException(409, 'a sentence'), or JSONResponse({'detail': 'a sentence'}, 409)."
        reply.wrong("there is no sentence under 'detail'.", why)


def a_user(**changes: Any) -> dict[str, Any]:
    """Describe a user whom no other check knows."""
    email = f"{unique('ada.')}@example.com"
    return {"name": "Ada Lovelace", "email": email, "password": unique("Pw1-")} | changes


def create(api: Api, path: str, sent: dict[str, Any]) -> int:
    """Store something; give its id."""
    return api.post(path, sent).expect(201, 200).id


def a_product(api: Api, **changes: Any) -> dict[str, Any]:
    """Describe a product, in a category of its own."""
    if "category_id" not in changes:
        changes["category_id"] = create(api, "/categories", {"name": unique("Cups ")})
    return {"name": unique("Mug "), "price": 9.9, "stock": 5} | changes


@pytest.mark.step(1)
def test_user_without_secrets(api: Api) -> None:
    """POST and GET /users answer a user without password and hash."""
    sent = a_user()
    made = api.post("/users", sent).expect(201, 200)
    body = made.has(name=sent["name"], email=sent["email"])
    read = api.get(f"/users/{body.get('id')}").expect(200, why="no commit, or no refresh.")
    for reply in (made, read):
        names = [name for name in reply.object() if "password" in name or "hash" in name]
        if names or sent["password"] in reply.text or re.search(r"\$argon2|\$2[aby]\$", reply.text):
            reply.wrong(
                "password or hash are in the answer.",
                HASH_SHOWN,
            )


@pytest.mark.step(1)
def test_password_is_stored_as_a_hash(api: Api) -> None:
    """The database holds a salted hash of the password, and the password itself nowhere."""
    before, sent = stored_texts(api), a_user()
    reply = api.post("/users", sent).expect(201, 200)
    new = stored_texts(api) - before
    if any(sent["password"] in stored for stored in new):
        fail("the database holds the password itself.", "store PasswordHash…hash(password).")
    hashes = {stored for stored in new - {sent["name"], sent["email"]} if len(stored) >= 16}
    if not hashes:
        fail(
            "the database holds nothing of the password, so nobody can log in with it later.",
            "the hash is not stored, or cut off: the table class needs a column for it.",
        )
    for answer in (reply, api.get(f"/users/{reply.id}").expect(200)):
        if any(len(stored) >= 40 and stored in answer.text for stored in hashes):
            answer.wrong("the answer holds the hash of the password.", HASH_SHOWN)
    other = a_user(password=sent["password"])
    create(api, "/users", other)
    if not any(len(stored) >= 16 for stored in stored_texts(api) - before - new - {other["email"]}):
        fail(
            "another user with the same password has the same hash.",
            "a hash without salt, or base64, which is none: PasswordHash.recommended() salts.",
        )


def stored_texts(api: Api) -> set[str]:
    """Read all texts of all tables in the database, whatever these are called."""
    engine, tables = create_engine(api.server.database_url, poolclass=NullPool), MetaData()
    with engine.connect() as connection:
        tables.reflect(connection)
        rows = [row for table in tables.sorted_tables for row in connection.execute(select(table))]
    values = [value for row in rows for value in row]
    texts = {value for value in values if isinstance(value, str)}
    return texts | {value.decode("latin-1") for value in values if isinstance(value, bytes)}


@pytest.mark.step(1)
def test_user_not_found(api: Api) -> None:
    """GET /users/{id} answers 404 when there is no such user."""
    why = "nobody looks whether the row is there."
    refused(api.get(f"/users/{NO_SUCH_ID}"), 404, why=why)


@pytest.mark.step(1)
def test_taken(api: Api) -> None:
    """An address or a category's name that is taken is answered 409 or 400, in every process."""
    api.second()  # it starts before there is anything to be lost
    user, category = a_user(), {"name": unique("Cups ")}
    user_id, category_id = create(api, "/users", user), create(api, "/categories", category)
    for process in (api, api.second()):
        reply = process.post("/users", a_user(email=user["email"]))
        refused(reply, 409, 400, why=why_accepted(reply, user_id))
        reply = process.post("/categories", category)
        refused(reply, 409, 400, why=why_accepted(reply, category_id))
        create(process, "/categories", {"name": unique("Cups ")})
    why = "the refused request was written over the row that was there."
    api.get(f"/users/{user_id}").expect(200).has(why, name=user["name"], email=user["email"])
    api.delete(f"/categories/{category_id}").expect(204, 200, why=why)
    create(api, "/categories", category)


@pytest.mark.step(1)
def test_taken_at_once(api: Api) -> None:
    """Of equal POST at one moment one is stored, the others are 409 or 400."""
    name, user = unique("Cups "), a_user()
    one_is_stored(api.at_once(8, lambda _: api.post("/categories", {"name": name})))
    longer = {"x-slow-writes": "0.2"}  # no two passwords take the same time to hash
    one_is_stored(api.at_once(4, lambda _: api.post("/users", user, longer)))


def one_is_stored(replies: list[Reply]) -> None:
    """Fail unless one of the equal requests won and the others were refused."""
    wins = [number for number, reply in enumerate(replies) if reply.ok]
    for reply in replies:
        if not reply.ok:
            refused(reply, 409, 400, why={"IntegrityError": LOOKED_FIRST})
    if len(wins) != 1:
        statuses = sorted(reply.status for reply in replies)
        why = why_not_one(wins, len({replies[number].id for number in wins}))
        fail(f"equal {replies[0].asked} at one moment were answered {statuses}.", why)


@pytest.mark.step(2)
def test_product_in_no_category(api: Api) -> None:
    """POST /products answers 404, 409 or 400 when there is no such category."""
    why: Why = {2: FOREIGN_KEYS, "IntegrityError": FOREIGN_KEYS}
    gone = create(api, "/categories", {"name": unique("Cups ")})
    api.delete(f"/categories/{gone}").expect(204, 200)
    for process, category_id in ((api, NO_SUCH_ID), (api.second(), gone), (api, gone)):
        sent = a_product(api, category_id=category_id)
        refused(process.post("/products", sent), 404, 409, 400, why=why)


@pytest.mark.step(2)
def test_delete_category_in_use(api: Api) -> None:
    """DELETE /categories/{id} answers 409 or 400 while a product is in it, and changes nothing."""
    sent = a_product(api, stock=0)  # out of stock, and still a product
    path = f"/products/{create(api, '/products', sent)}"
    why = "foreign keys are off (PRAGMA foreign_keys = ON, for each connection), or " + UNCAUGHT
    reply = api.delete(f"/categories/{sent['category_id']}")
    if reply.ok:
        why = (
            "foreign keys are off (PRAGMA foreign_keys = ON), or a cascade deletes the products, "
            "or takes them out of the category."
        )
    refused(reply, 409, 400, why=why)
    why = "the product went with its category, or was taken out of it."
    api.get(path).expect(200, why=why).has(why, category_id=sent["category_id"])
    create(api, "/products", a_product(api, category_id=sent["category_id"]))


@pytest.mark.step(2)
def test_delete_category(api: Api) -> None:
    """DELETE /categories/{id} deletes an empty one; 404 when there is none."""
    path = f"/categories/{create(api, '/categories', {'name': unique('Cups ')})}"
    api.delete(path).expect(204, 200)
    refused(api.delete(path), 404, why="nobody looks whether the row is there, or no commit.")


@pytest.mark.step(2)
def test_product_while_its_category_is_deleted(api: Api) -> None:
    """A new product and the deletion of its category, at one moment: only one succeeds."""
    why = (
        "both look first, find nothing in the way, and write. Only the foreign key has no gap: "
        "PRAGMA foreign_keys = ON for SQLite, and catch its IntegrityError."
    )
    for _ in range(4):
        sent = a_product(api)
        replies = products_and_deletions_at_once(api, sent)
        for reply in replies:
            if not reply.ok:
                refused(reply, 404, 409, 400, why=why)
        created, deleted = replies[::2], replies[1::2]
        if any(reply.ok for reply in created) and any(reply.ok for reply in deleted):
            fail("a product was stored in a category, and the category was deleted.", why)
        if any(reply.ok for reply in created):
            refused(api.delete(f"/categories/{sent['category_id']}"), 409, 400, why=why)


def products_and_deletions_at_once(api: Api, sent: dict[str, Any]) -> list[Reply]:
    """Create a product four times, and delete its category four times, at one moment."""

    def call(number: int) -> Reply:
        if number % 2:
            return api.delete(f"/categories/{sent['category_id']}")
        return api.post("/products", sent)

    return api.at_once(8, call)


@pytest.mark.step(3)
def test_change_stock(api: Api) -> None:
    """POST /products/{id}/stock changes the stock, never below 0."""
    category_id = create(api, "/categories", {"name": unique("Cups ")})
    path = f"/products/{create(api, '/products', a_product(api, category_id=category_id))}"
    other = f"/products/{create(api, '/products', a_product(api, category_id=category_id))}"
    why = "a bound refuses what the stock allows: it may grow to 1000 at the least."
    for change, left in ((-2, 3), (1, 4), (-4, 0), (1000, 1000), (-997, 3)):
        reply = api.post(f"{path}/stock", {"change": change})
        reply.expect(200, 201, why={"": why, 422: why})
        reply.has("the answer is the product, with its new stock.", stock=left, id=id_in(path))
        stored = api.second().get(path).expect(200)
        stored.has(stored.stale("not committed."), stock=left)
    for change in (-4, -1000):
        why = "the table has no CheckConstraint, or it is never reached, or 0 is stored instead."
        both = (
            "an UPDATE that changes no row finds no product, or not enough of it: only the first "
            "is a 404."
        )
        reply = api.post(f"{path}/stock", {"change": change})
        refused(reply, 409, 400, why={2: why, 404: both, "": UNCAUGHT})
        why = "a refused change was stored all the same, or an accepted one was not."
        api.get(path).expect(200).has(why, stock=3)
        more = "the UPDATE changes more than the stock."
        api.get(path).expect(200).has(more, price=Decimal("9.9"), category_id=category_id)
    api.get(other).expect(200).has("the UPDATE has no WHERE.", stock=5)
    missing = api.post(f"/products/{NO_SUCH_ID}/stock", {"change": 1})
    refused(missing, 404, why="nobody looks whether the row is there.")
    refused(api.get(f"/products/{NO_SUCH_ID}"), 404, why="nobody looks whether the row is there.")


def id_in(path: str) -> int:
    """Give the number at the end of a path."""
    return int(path.rpartition("/")[2])


@pytest.mark.step(3)
@pytest.mark.parametrize("stock", [5, 0], ids=["five", "none"])
def test_change_stock_at_once(api: Api, stock: int) -> None:
    """Of eight sales at one moment as many succeed as there are pieces."""
    path = f"/products/{create(api, '/products', a_product(api, stock=stock))}"
    why = (
        "the new stock is computed in Python, from a number that others have changed meanwhile: "
        "values(stock=Product.stock + change) lets the database compute it."
    )
    replies = api.at_once(8, lambda number: api.post(f"{path}/stock", {"change": -1}))
    for reply in replies:
        if not reply.ok:
            refused(reply, 409, 400, why=UNCAUGHT)
    now = api.get(path).expect(200)
    left = now.object().get("stock")
    sold = sum(reply.ok for reply in replies)
    if (sold, left) != (stock, 0):
        fail(f"of {stock} pieces {sold} were sold, and {left} are left.", now.stale(why))
    answered = [reply.object().get("stock") for reply in replies if reply.ok]
    if answered and 0 not in answered:
        told = (
            "the answer is the product as it was read before the change: session.refresh(product)."
        )
        fail(f"the last piece was sold, and the stocks in the answers are {answered}.", told)
    replies = api.at_once(8, lambda number: api.post(f"{path}/stock", {"change": number}))
    for reply in replies:
        reply.expect(200, 201, *[422] * reply.asked.endswith(": 0}"), why=why)
    now = api.get(path).expect(200)
    now.has(now.stale(why), stock=28)


HUGE = "9" * 400
ROW_IDS = [0, -1, 2**31, 2**63, 10**20, HUGE, "1.5", "one", "%00", "%F0%9F%99%82", "null"]


@pytest.mark.step(4)
@pytest.mark.parametrize("row_id", ROW_IDS, ids=lambda value: str(value)[:12])
def test_id_that_no_row_has(api: Api, row_id: int | str) -> None:
    """An id that no column holds is answered 422 or 404."""
    why = "the database was asked for a number it cannot hold: Path(ge=1, le=2_147_483_647)."
    for reply in (
        api.get(f"/users/{row_id}"),
        api.get(f"/products/{row_id}"),
        api.delete(f"/categories/{row_id}"),
        api.post(f"/products/{row_id}/stock", {"change": 1}),
    ):
        invalid(reply, 404, why={"": why, "OverflowError": why, "out of range": why})


# As JSON, where it may be what no encoder writes: NaN, or half of a surrogate pair.
NO_TEXTS = ["null", "7", "[]", "{}", "NaN", r'"\ud800"', r'"Ada\udc00 Lovelace"']
NO_NUMBERS = ["null", '"many"', "[]", "{}", "NaN", "Infinity", "-Infinity", "1e400", HUGE]
# What an app may store in the place of a value that it should refuse.
IN_ITS_PLACE = {
    "null": "null is taken for what was not sent, `int | None`: there is no such value.",
    **dict.fromkeys(
        ("0.001", "9.999", "99999999.991"),
        "the price is rounded, or takes any number of decimals: a Decimal with decimal_places=2.",
    ),
    "2.5": "what is no whole number is cut to one.",
}
WRONG_FIELDS = {
    "/users": {"name": NO_TEXTS, "email": NO_TEXTS, "password": NO_TEXTS},
    "/categories": {"name": NO_TEXTS},
    "/products": {
        "name": NO_TEXTS,
        "price": [*NO_NUMBERS, "0", "-1", "0.001", "9.999", "100000000", "99999999.991", "1e-400"],
        "stock": [*NO_NUMBERS, "-1", "2.5", "2147483648", "100000000000000000000"],
        "category_id": [*NO_NUMBERS, "0", "-1", "2147483648", "100000000000000000000"],
    },
    "/stock": {"change": [*NO_NUMBERS, "2.5", "100000000000000000000", "-100000000000000000000"]},
}


@pytest.mark.step(4)
@pytest.mark.parametrize(
    ("path", "field"),
    [(path, field) for path, fields in WRONG_FIELDS.items() for field in fields],
    ids=lambda name: name.strip("/"),
)
def test_value_that_no_column_holds(api: Api, path: str, field: str) -> None:
    """Each POST answers 422 to a value that its column cannot hold, and to what is none at all."""
    texts, sent = WRONG_FIELDS[path][field], right_body(api, path)
    if path == "/stock":
        path = f"/products/{create(api, '/products', a_product(api))}/stock"
    for value in texts:
        body = json.dumps(sent | {field: "here"}).replace('"here"', value).encode()
        reply = api.post(path, body)
        why: Why = {2: UNBOUNDED, "OverflowError": UNBOUNDED, "out of range": UNBOUNDED}
        if value in ("NaN", "Infinity", "-Infinity", "1e400") or "ud" in value:
            why = {2: UNBOUNDED, "OverflowError": CANNOT_BE_WRITTEN, "": CANNOT_BE_WRITTEN}
        if reply.ok and value in IN_ITS_PLACE:
            why = IN_ITS_PLACE[value]
        more = {"category_id": (404, 409), "change": (409,)}.get(field, ())
        invalid(reply, *more, why=why)


def right_body(api: Api, path: str) -> dict[str, Any]:
    """Describe what the route takes."""
    if path == "/products":
        return a_product(api)
    bodies = {"/users": a_user(), "/categories": {"name": unique("Cups ")}, "/stock": {"change": 1}}
    return bodies[path]


@pytest.mark.step(4)
@pytest.mark.parametrize(("price", "stock"), [("0.01", 0), ("99999999.99", 1000), ("0.29", 1)])
def test_product_at_the_bounds(api: Api, price: str, stock: int) -> None:
    """POST /products stores the lowest and the highest price, and a product out of stock."""
    reply = api.post("/products", a_product(api, price=float(price), stock=stock))
    why = "the bound itself is allowed: ge and le, not gt and lt."
    if price == "0.29":
        why = (
            "decimals are counted in floats, where 0.29 * 100 is 28.999999999999996: the field is "
            "a Decimal with max_digits and decimal_places."
        )
    reply.expect(201, 200, why={"": why, 4: why, 422: why})
    for answer in (reply, api.get(f"/products/{reply.id}").expect(200)):
        answer.has("the column is too small, or a float.", price=Decimal(price), stock=stock)


@pytest.mark.step(4)
def test_product_without_stock(api: Api) -> None:
    """POST /products without a stock stores a product that is out of stock, or answers 422."""
    sent = a_product(api)
    del sent["stock"]
    reply = api.post("/products", sent).expect(201, 200, 422, 400)
    if reply.ok:
        reply.has("the stock has another default than 0: there is what nobody sent.", stock=0)


@pytest.mark.step(4)
def test_stock_that_grows_too_large(api: Api) -> None:
    """POST /products/{id}/stock refuses a change that leads beyond 2147483647."""
    path = f"/products/{create(api, '/products', a_product(api, stock=5))}"
    for change in (2**31 - 1, 2**31 - 5, 2**31, 10**20, -(2**31), -(10**20)):
        reply = api.post(f"{path}/stock", {"change": change})
        why: Why = {"": UNBOUNDED, "OverflowError": UNBOUNDED, "out of range": UNBOUNDED}
        invalid(reply, 409, why=why)
        api.get(path).expect(200).has("the refused change is stored.", stock=5)


@pytest.mark.step(4)
@pytest.mark.parametrize("name", [NUL, "\x00Ada", "A\x00da"], ids=["end", "begin", "middle"])
def test_text_with_nul(api: Api, name: str) -> None:
    """A name or an address with the character NUL is answered 422, a password is no 5xx."""
    why = "nobody looks for NUL in this text: an AfterValidator in each input class."
    for reply in (
        api.post("/users", a_user(name=name)),
        api.post("/users", a_user(email=f"{name}@example.com")),
        api.post("/categories", {"name": name}),
        api.post("/products", a_product(api) | {"name": name}),
    ):
        invalid(reply, why={"": why, "NUL": why})
    reply = api.post("/users", a_user(password=f"{name} 1234567"))
    why = "bcrypt takes no NUL: refuse it, or hash with argon2."
    invalid(reply, 201, 200, why={"": why, "ValueError": why})


@pytest.mark.step(4)
@pytest.mark.parametrize(
    "name", ["O'Brien", 'the "second"', "Zoë & E\u0301lodie", "日本語", "🙂🙂"]
)
def test_text_of_any_letters(api: Api, name: str) -> None:
    """A name is stored as it was sent, whatever its letters are."""
    why = "what is no NUL, and not too long, is a name: nothing else is refused or changed."
    text = unique(f"{name} ")
    for path, sent in (
        ("/users", a_user(name=text)),
        ("/categories", {"name": text}),
        ("/products", a_product(api, name=text)),
    ):
        made = api.post(path, sent).expect(201, 200, why=why)
        read = [api.get(f"{path}/{made.id}").expect(200)] if path != "/categories" else []
        for reply in (made, *read):
            reply.has(why, name=text)


@pytest.mark.step(4)
def test_text_that_is_too_long(api: Api) -> None:
    """A text of 5000 characters is stored or refused, and never an error of the server."""
    why: Why = {5: UNBOUNDED, "DataError": UNBOUNDED}
    for path, sent in (
        ("/users", a_user(name="x" * 5000)),
        ("/users", a_user(email=f"{'x' * 5000}@example.com")),
        ("/users", a_user(password="Pw1-" * 1250)),
        ("/categories", {"name": unique("Cups " * 1000)}),
        ("/products", a_product(api, name="🙂" * 5000)),
    ):
        reply = api.post(path, sent)
        invalid(reply, 201, 200, why=why)
        if reply.ok:
            texts = {name: sent[name] for name in ("name", "email") if name in sent}
            reply.has(
                "the text was cut: a text that is too long is stored whole, or refused.", **texts
            )


BODIES = [
    b"",
    b"null",
    b"[]",
    b"{}",
    b'"words"',
    b"7",
    b"{",
    b'{"name": "Ada",}',
    b'{"name": "\xff\xfe"}',
    b"\xff\xfe{\x00}\x00",
    b"NaN",
    b'{"\\ud800": NaN}',
    b"[" * 5000,
    b"9" * 5000,
]


@pytest.mark.step(4)
@pytest.mark.parametrize("path", ["/users", "/categories", "/products", "/products/{id}/stock"])
def test_body_that_is_none(api: Api, path: str) -> None:
    """Each POST answers 422 to a body that is not what it should be."""
    if "{id}" in path:
        path = path.format(id=create(api, "/products", a_product(api)))
    for body in BODIES:
        why: Why = {"": "the body is read by hand.", "ValueError": CANNOT_BE_WRITTEN}
        invalid(api.post(path, body), why=why)
    form = {"content-type": "application/x-www-form-urlencoded"}
    invalid(api.post(path, b"name=Ada&price=9", headers=form), 415, why="the body is read by hand.")


PASSWORD = 'Sécr3t "quoted" pass'  # noqa: S105 - made up
SHORT, NUMBER = "Sh0rt!", 918273645
WITHOUT_PASSWORD = {
    "missing address": {"email": ...},
    "null address": {"email": None},
    "short name": {"name": "A"},
    "NUL in the name": {"name": NUL},
    "long password": {"password": PASSWORD * 10},
    "password in a list": {"password": [PASSWORD]},
    "password in an object": {"password": {"is": PASSWORD}},
    "password as the address": {"email": [PASSWORD]},
}
MAY_FIT, FITS = ({"name": "A"}, {"password": PASSWORD * 10}), (201, 200)  # bounds of the app's own


@pytest.mark.step(6)
@pytest.mark.parametrize("changes", WITHOUT_PASSWORD.values(), ids=WITHOUT_PASSWORD.keys())
def test_password_is_not_repeated(api: Api, changes: dict[str, Any]) -> None:
    """POST /users answers 422 without the password that was sent."""
    sent = a_user(password=PASSWORD) | changes
    sent = {field: value for field, value in sent.items() if value is not ...}
    shows_no_password(api.post("/users", sent), PASSWORD, *(FITS if changes in MAY_FIT else ()))


@pytest.mark.step(6)
def test_password_of_any_kind_is_not_repeated(api: Api) -> None:
    """POST /users repeats neither a password that is too short, nor a number, nor a list of all."""
    shows_no_password(api.post("/users", a_user(password=SHORT)), SHORT, *FITS)
    shows_no_password(api.post("/users", a_user(password=NUMBER)), str(NUMBER))
    shows_no_password(api.post("/users", [a_user(password=PASSWORD)]), PASSWORD)
    broken = json.dumps(a_user(password=PASSWORD))[:-1].encode()
    shows_no_password(api.post("/users", broken), PASSWORD)
    user = a_user(password=PASSWORD)
    create(api, "/users", user)
    reply = api.post("/users", user).expect(409, 400)
    shows_no_password(reply, PASSWORD, 409)


def shows_no_password(reply: Reply, password: str, *more: int) -> None:
    """Fail unless the request is refused in an answer that does not hold the password."""
    invalid(reply, *more, why=UNBOUNDED)
    if password in reply.text or password in json.dumps(reply.body, ensure_ascii=False).replace(
        '\\"', '"'
    ):
        why = (
            "FastAPI's own answer repeats the input, and so may a message of the app's own. A "
            "handler for RequestValidationError can answer type, loc and msg alone."
        )
        if 409 in more:
            why = "the sentence of the refusal holds what was sent."
        reply.wrong("the password is in the answer.", why)


ASKS_NOTHING = (
    "the health check asks the database nothing, session.exec(select(1)) does, each time; or it "
    "catches the error and answers 200."
)


@pytest.mark.step(5)
def test_healthy(api: Api) -> None:
    """GET /health asks the database, each time, and answers 200 while it is there."""
    for process in (api, api.second(), api, api):
        reply = process.get("/health").expect(200)
        if reply.seen.get("statements") == 0:
            reply.wrong("the answer was given without a statement to the database.", ASKS_NOTHING)
        if re.search(r"(sqlite|postgres|mysql|mariadb)\S*://", reply.text):
            why = "say that it is healthy, and no more."
            reply.wrong("the answer shows the address of the database.", why)
        if reply.seen.get("open"):
            reply.wrong("the request kept its connection.", "the connection is not closed.")


@pytest.mark.step(5)
def test_database_is_away(api: Api, postgres_url: str | None) -> None:
    """Without its database the app starts and answers 503; with it, all is well again."""
    server = api.server
    user_id = create(api, "/users", a_user())
    product_id = create(api, "/products", a_product(api))
    server.stop()
    try:
        with database_away(server, postgres_url):
            start(server)
            answers_503(api, user_id, product_id)
        is_well(api, user_id, product_id)
        if postgres_url:  # an open SQLite file cannot be taken away from a process
            with database_away(server, postgres_url):
                answers_503(api, user_id, product_id)
            is_well(api, user_id, product_id)
    except CheckError:
        server.restart()  # for the checks that follow
        raise


def is_well(api: Api, user_id: int, product_id: int) -> None:
    """Fail unless every route works as if nothing had happened."""
    kept = "the error is kept: a session or an engine that is used again, or a flag."
    why: Why = {5: kept, "": kept}
    api.get("/health").expect(200, why=why)
    api.get(f"/users/{user_id}").expect(200, why=why)
    api.get(f"/products/{product_id}").expect(200, why=why)
    api.post(f"/products/{product_id}/stock", {"change": 1}).expect(200, 201, why=why)
    create(api, "/users", a_user())
    create(api, "/products", a_product(api))


def start(server: Server) -> None:
    """Start the app, or say why it should start."""
    try:
        server.start()
    except StartError:
        fail(
            f"the app does not start while its database is away. Its last lines:\n{server.tail(4)}",
            "OperationalError, raised by create_all() at import or in lifespan: nobody catches it.",
        )


def answers_503(api: Api, user_id: int, product_id: int) -> None:
    """Fail unless routes and health check say 503, and nothing of where the database is."""
    database = make_url(api.server.database_url)
    parts = (api.server.workdir.name, database.database, database.host, database.password)
    secrets = [part for part in parts if part]
    why = (
        "OperationalError is not answered by an exception handler for it, which catches what every "
        "route raises; or an `except Exception` catches it first. A client may try again after a "
        "503; a 500 says that the app is broken."
    )
    for reply in (
        api.get(f"/users/{user_id}"),
        api.post("/users", a_user()),
        api.post("/categories", {"name": unique("Cups ")}),
        api.delete(f"/categories/{NO_SUCH_ID}"),
        api.get(f"/products/{product_id}"),
        api.post("/products", a_product(api, category_id=1)),
        api.post(f"/products/{product_id}/stock", {"change": 1}),
    ):
        if reply.ok or reply.status == 404:
            reply.wrong(
                "this was answered while the database was away.",
                "the URL of the database is written into the code, so it is not the one that "
                'DATABASE_URL names: os.environ["DATABASE_URL"]. Or an `except` takes the error '
                "for a row that is not there.",
            )
        died = "a connection that died with the database is used: pool_pre_ping=True replaces it."
        refused(reply, 503, why={5: why, "": why, "Can't reconnect": died})
        keep_inside(reply, *secrets)
    health = api.get("/health").expect(503, why=ASKS_NOTHING)
    says_something(keep_inside(health, *secrets))


@contextmanager
def database_away(server: Server, postgres_url: str | None) -> Iterator[None]:
    """Take the stopped server's database away; put it back at the end."""
    if postgres_url is None:
        with file_away(server):
            yield
        return
    engine = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    try:
        name = make_url(server.database_url).database
        allow = f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS"
        with engine.connect() as connection:
            connection.exec_driver_sql(f"{allow} false")
            end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
            connection.execute(text(end), {"name": name})
            try:
                yield
            finally:
                connection.exec_driver_sql(f"{allow} true")
    finally:
        engine.dispose()


@contextmanager
def file_away(server: Server) -> Iterator[None]:
    """Name a SQLite file in a folder that is not there; at the end it is, with the database."""
    old, folder = Path(make_url(server.database_url).database or ""), server.workdir / "later"
    server.database_url = f"sqlite:///{(folder / old.name).as_posix()}"
    try:
        yield
    finally:
        folder.mkdir()
        for part in old.parent.glob(f"{old.name}*"):  # with what a killed server left in the WAL
            shutil.copy(part, folder)
