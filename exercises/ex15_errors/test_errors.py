"""Checks of exercise 15; each error answer is looked through for what should not be there."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url

from exercises.checks import NO_SUCH_ID, Api, CheckError, Reply, fail, unique
from exercises.runner import Server, StartError

INSIDE = re.compile(
    r"traceback|sqlalche|sqlite3\.|psycopg|asyncpg|\.py\b|\[sql|\[parameters|constraint failed"
    r"|insert into \w+ \(|update \w+ set|delete from \w+ where|select \w+\.\w+|key \(\w+\)="
    r"|violates (unique|foreign|check|not-null)|(sqlite|postgresql)\S*://|\$argon2|\$2[aby]\$",
    re.IGNORECASE,
)
LEAK = (
    "the exception's own text is the answer, as str(error). Write a sentence of yours; the "
    "exception belongs in the log."
)
UNCAUGHT = "the IntegrityError is not caught, in every route that commits: 409 and a sentence."
NUL = "Ada\x00"


def keep_inside(reply: Reply, *secrets: str) -> Reply:
    """Fail if an answer shows what belongs inside."""
    hit = INSIDE.search(reply.text)
    if hit and not reply.ok:
        reply.wrong(f"the answer shows the inside of the app: {hit[0]!r}.", LEAK)
    if any(secret in reply.text for secret in secrets):
        reply.wrong("the answer shows what is secret.", LEAK)
    return reply


def refused(reply: Reply, *statuses: int, why: str) -> None:
    """Fail unless this is a refusal in a plain sentence that shows nothing of the inside."""
    keep_inside(reply)
    reply.expect(*statuses, why=why)
    body = reply.body if isinstance(reply.body, dict) else {}
    said = [body.get(name) for name in ("detail", "message", "error")]
    said += [text for value in said if isinstance(value, dict) for text in value.values()]
    if not any(isinstance(text, str) and len(text.split()) > 1 for text in said):
        reply.wrong("there is no sentence under 'detail'.", "HTTPException(409, 'a sentence').")


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
                "the table class is the answer, with all its fields: Field(exclude=True), or a "
                "response_model without them.",
            )


@pytest.mark.step(1)
def test_user_not_found(api: Api) -> None:
    """GET /users/{id} answers 404 when there is no such user."""
    why = "nobody looks whether the row is there."
    refused(api.get(f"/users/{NO_SUCH_ID}"), 404, why=why)


@pytest.mark.step(1)
def test_taken(api: Api) -> None:
    """An address or a category's name that is taken is answered 409 or 400."""
    user, category = a_user(), {"name": unique("Cups ")}
    create(api, "/users", user)
    create(api, "/categories", category)
    why = "the column is not unique=True, or " + UNCAUGHT
    refused(api.post("/users", a_user(email=user["email"])), 409, 400, why=why)
    refused(api.post("/categories", category), 409, 400, why=why)
    create(api, "/users", a_user())


@pytest.mark.step(1)
def test_taken_at_once(api: Api) -> None:
    """Of eight equal POST /categories at one moment one is stored, the others are 409 or 400."""
    for _ in range(6):
        create_eight_times_at_once(api, {"name": unique("Cups ")})


def create_eight_times_at_once(api: Api, sent: dict[str, Any]) -> None:
    """Race eight equal requests; fail unless one of them wins."""
    why = "a SELECT before the INSERT is the only guard: all look before one has written."
    replies = api.at_once(8, lambda number: api.post("/categories", sent))
    for reply in replies:
        if not reply.ok:
            refused(reply, 409, 400, why=why)
    statuses = sorted(reply.status for reply in replies)
    if sum(reply.ok for reply in replies) != 1:
        fail(f"eight equal POST /categories at one moment were answered {statuses}.", why)


@pytest.mark.step(2)
def test_product_in_no_category(api: Api) -> None:
    """POST /products answers 404, 409 or 400 when there is no such category."""
    why = (
        "SQLite keeps foreign keys only after PRAGMA foreign_keys = ON, on each connection; or the "
        "IntegrityError of the commit is not caught."
    )
    refused(api.post("/products", a_product(api, category_id=NO_SUCH_ID)), 404, 409, 400, why=why)


@pytest.mark.step(2)
def test_delete_category_in_use(api: Api) -> None:
    """DELETE /categories/{id} answers 409 or 400 while a product is in it, and changes nothing."""
    sent = a_product(api)
    path = f"/products/{create(api, '/products', sent)}"
    why = "foreign keys are off (PRAGMA foreign_keys = ON, for each connection), or " + UNCAUGHT
    reply = api.delete(f"/categories/{sent['category_id']}")
    if reply.ok:
        why = "foreign keys are off (PRAGMA foreign_keys = ON), or a cascade deletes the products."
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
    for _ in range(6):
        replies = products_and_deletions_at_once(api, a_product(api))
        for reply in replies:
            if not reply.ok:
                refused(reply, 404, 409, 400, why=why)
        created, deleted = replies[::2], replies[1::2]
        if any(reply.ok for reply in created) and any(reply.ok for reply in deleted):
            fail("a product was stored in a category, and the category was deleted.", why)


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
    path = f"/products/{create(api, '/products', a_product(api, stock=5))}"
    api.post(f"{path}/stock", {"change": -2}).expect(200, 201).has("not committed.", stock=3)
    why = "the table has no CheckConstraint, or " + UNCAUGHT
    refused(api.post(f"{path}/stock", {"change": -4}), 409, 400, why=why)
    why = "a refused change was stored all the same, or an accepted one was not."
    api.get(path).expect(200).has(why, stock=3, price=Decimal("9.9"))
    missing = api.post(f"/products/{NO_SUCH_ID}/stock", {"change": 1})
    refused(missing, 404, why="nobody looks whether the row is there.")


@pytest.mark.step(3)
def test_change_stock_at_once(api: Api) -> None:
    """Of eight sales of the last five pieces at one moment, five succeed."""
    for _ in range(3):
        path = f"/products/{create(api, '/products', a_product(api, stock=5))}"
        sell_eight_of_five(api, path)


def sell_eight_of_five(api: Api, path: str) -> None:
    """Race eight sales; fail unless five succeed."""
    why = (
        "the new stock is computed in Python, from a number that others have changed meanwhile: "
        "values(stock=Product.stock + change) lets the database compute it."
    )
    replies = api.at_once(8, lambda number: api.post(f"{path}/stock", {"change": -1}))
    for reply in replies:
        if not reply.ok:
            refused(reply, 409, 400, why=UNCAUGHT)
    left = api.get(path).expect(200).object().get("stock")
    sold = sum(reply.ok for reply in replies)
    if (sold, left) != (5, 0):
        fail(f"of 5 pieces {sold} were sold, and {left} are left.", why)


@pytest.mark.step(4)
@pytest.mark.parametrize("row_id", [2**31, 10**20], ids=["one-too-large", "huge"])
def test_id_too_large(api: Api, row_id: int) -> None:
    """An id that no column holds is answered 422 or 404."""
    why = "the database was asked for a number it cannot hold: Path(ge=1, le=2_147_483_647)."
    for reply in (
        api.get(f"/users/{row_id}"),
        api.get(f"/products/{row_id}"),
        api.delete(f"/categories/{row_id}"),
        api.post(f"/products/{row_id}/stock", {"change": 1}),
    ):
        keep_inside(reply.expect(422, 404, 400, why=why))


@pytest.mark.step(4)
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("price", 0),
        ("price", 100_000_000),
        ("price", 9.999),
        ("price", None),
        ("stock", -1),
        ("stock", None),
        ("stock", 10**20),
        ("name", None),
        ("category_id", 2**31),
        ("category_id", 10**20),
    ],
    ids=lambda value: repr(value)[:12],
)
def test_product_out_of_bounds(api: Api, field: str, value: Any) -> None:
    """POST /products answers 422 to what no column holds."""
    why = "the bound is missing in the input class, and the database is the first to notice."
    reply = api.post("/products", a_product(api) | {field: value})
    wanted = (422, 400, 404) if field == "category_id" else (422, 400)
    keep_inside(reply.expect(*wanted, why=why))


@pytest.mark.step(4)
@pytest.mark.parametrize(("price", "stock"), [("0.01", 0), ("99999999.99", 1000)])
def test_product_at_the_bounds(api: Api, price: str, stock: int) -> None:
    """POST /products stores the lowest and the highest price, and a product out of stock."""
    reply = api.post("/products", a_product(api, price=float(price), stock=stock))
    reply.expect(201, 200, why="the bound itself is allowed: ge and le, not gt and lt.")
    reply.has("the column is too small, or a float.", price=Decimal(price), stock=stock)


@pytest.mark.step(4)
@pytest.mark.parametrize("change", [10**20, -(10**20), 2**31 - 1, None], ids=repr)
def test_change_out_of_bounds(api: Api, change: int | None) -> None:
    """POST /products/{id}/stock refuses a change that leads to what no column holds."""
    path = f"/products/{create(api, '/products', a_product(api, stock=5))}"
    why = "the change, or the sum, has no upper bound, and the database is the first to notice."
    reply = api.post(f"{path}/stock", {"change": change})
    if change == 2**31 - 1 and reply.ok and reply.object().get("stock") == change + 5:
        return  # SQLite has room for it
    keep_inside(reply.expect(422, 409, 400, why=why))


@pytest.mark.step(4)
def test_text_with_nul(api: Api) -> None:
    """A name or an address with the character NUL is answered 422."""
    why = "nobody looks for NUL in this text: an AfterValidator in each input class."
    for reply in (
        api.post("/users", a_user(name=NUL)),
        api.post("/users", a_user(email=f"{NUL}@example.com")),
        api.post("/categories", {"name": NUL}),
        api.post("/products", a_product(api) | {"name": NUL}),
    ):
        keep_inside(reply.expect(422, 400, why=why))


@pytest.mark.step(4)
@pytest.mark.parametrize("body", [None, [], {}, "words"], ids=repr)
def test_no_object_in_the_body(api: Api, body: Any) -> None:
    """POST /users answers 422 to a body that is not what it should be."""
    keep_inside(api.post("/users", body).expect(422, 400, why="the body is read by hand."))


@pytest.mark.step(6)
@pytest.mark.parametrize("mistake", ["short password", "missing address"])
def test_password_is_not_repeated(api: Api, mistake: str) -> None:
    """POST /users answers 422 without the password that was sent."""
    sent = a_user()
    if mistake == "missing address":
        del sent["email"]
    else:
        sent["password"] = sent["password"][-6:]
    reply = api.post("/users", sent).expect(422, 400)
    if sent["password"] in reply.text:
        reply.wrong(
            "the password is in the answer.",
            "FastAPI's own answer repeats the input. A handler for RequestValidationError can "
            "answer type, loc and msg alone.",
        )


@pytest.mark.step(5)
def test_healthy(api: Api) -> None:
    """GET /health answers 200 while the database is there."""
    api.get("/health").expect(200)


@pytest.mark.step(5)
def test_database_is_away(api: Api, postgres_url: str | None) -> None:
    """Without its database the app starts and answers 503; with it, all is well again."""
    server = api.server
    user_id = create(api, "/users", a_user())
    server.stop()
    try:
        with database_away(server, postgres_url):
            start(server)
            answers_503(api, user_id)
        why = "the error is kept: a session or an engine that is used again, or a flag."
        api.get("/health").expect(200, why=why)
        api.get(f"/users/{user_id}").expect(200, why=why)
        create(api, "/users", a_user())
    except CheckError:
        server.restart()  # for the checks that follow
        raise


def start(server: Server) -> None:
    """Start the app, or say why it should start."""
    try:
        server.start()
    except StartError:
        fail(
            f"the app does not start while its database is away. Its last lines:\n{server.tail(4)}",
            "OperationalError, raised by create_all() at import or in lifespan: nobody catches it.",
        )


def answers_503(api: Api, user_id: int) -> None:
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
    ):
        if reply.ok or reply.status == 404:
            reply.wrong(
                "this was answered while the database was away.",
                "the URL of the database is written into the code, so it is not the one that "
                'DATABASE_URL names: os.environ["DATABASE_URL"].',
            )
        refused(reply, 503, why=why)
        keep_inside(reply, *secrets)
    why = (
        "the health check asks the database nothing, session.exec(select(1)) does; or it catches "
        "the error and answers 200."
    )
    keep_inside(api.get("/health").expect(503, why=why), *secrets)


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
