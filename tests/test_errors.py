"""Input that no form would send: a 4xx with a reason, nothing changed, nothing given away."""

import logging
import sys

import httpx
import pytest
import sqlalchemy as sa

from app import app
from conftest import DIALECTS, new_post, new_user, serve
from core.schema import migration_engine
from core.settings import parse_url
from database import Db

JSON = {"Content-Type": "application/json"}
BIG = 10**30


def test_bodies_that_are_no_json_object(client: httpx.Client) -> None:
    for body, status in [
        (b"", 422),
        (b"null", 422),
        (b"[]", 422),
        (b"{", 422),
        (b'"text"', 422),
        (b'{"name": NaN, "email": "a@example.com"}', 422),
        (b'{"name": "Ada", "email": "a@example.com", "age": 1e400}', 422),
        (b'{"name": "Ada", "email": "a@example.com", "age": ' + b"9" * 5000 + b"}", 400),
        (b'{"name": "\xff\xfe", "email": "a@example.com"}', 400),
        (b'{"name": "\\ud800", "email": "a@example.com"}', 422),
        (b'{"name": "A\\u0000a", "email": "a@example.com"}', 422),
        (b"[" * 100_000, 400),
        (b'{"name": "' + b"A" * 2 * 1024 * 1024 + b'"}', 413),
    ]:
        for method, path in [("POST", "/users"), ("POST", "/async/users"), ("PUT", "/users/1")]:
            response = client.request(method, path, content=body, headers=JSON)
            assert response.status_code == status, (body[:60], response.text)
            assert response.json()["detail"]
    assert client.get("/users").json() == []


def test_a_long_body_without_content_length_is_413(client: httpx.Client) -> None:
    chunks = (b"[" + b" " * 65536 for _ in range(20))
    assert client.post("/users", content=chunks, headers=JSON).status_code == 413


def test_a_long_body_that_no_route_reads_is_413_too(client: httpx.Client) -> None:
    new_post(client)
    response = client.post("/posts/1/publish", content=b" " * 2 * 1024 * 1024)
    assert (response.status_code, response.json()) == (
        413,
        {"detail": "The body is larger than 1 MiB"},
    )
    assert client.get("/posts/1").json()["published"] is False


@pytest.mark.parametrize("number", [0, -1, 2**31, BIG, "abc", "1.5", "9" * 5000, "%00"])
def test_ids_out_of_range(client: httpx.Client, number: object) -> None:
    for path in (f"/users/{number}", f"/posts/{number}", f"/async/users/{number}"):
        assert client.get(path).status_code == 422, path
    for path in (f"/users?after_id={number}", f"/posts?author_id={number}"):
        assert client.get(path).status_code == 422, path
    if isinstance(number, int):
        new_user(client)
        body = {"title": "Title", "content": "Twenty characters at the least."}
        assert client.post("/posts", json=body | {"author_id": number}).status_code == 422
        assert client.post("/posts", json=body | {"tag_ids": [number]}).status_code == 422
        data = {"user_ids": [number]}
        assert client.patch("/users/bulk/deactivate", json=data).status_code == 422


def test_queries_out_of_range(client: httpx.Client) -> None:
    for query in (
        "skip=-1",
        f"skip={BIG}",
        "limit=0",
        "limit=101",
        "limit=many",
        "min_age=-1",
        f"max_age={BIG}",
        "is_active=perhaps",
        "search=%00",
        f"search={'s' * 255}",
    ):
        response = client.get(f"/users?{query}")
        assert response.status_code == 422, query
        assert response.json()["detail"][0]["loc"][0] == "query"
    assert client.get("/users/page?page=2147483647&page_size=100").status_code == 200
    assert client.get(f"/users/page?page={BIG}").status_code == 422
    assert client.get("/users?search=%ff%fe").status_code == 200
    assert client.get("/posts?tag=%00").status_code == 422
    assert client.get("/users/by-email/%00").status_code == 422


def test_invalid_input_is_not_repeated_in_the_answer(client: httpx.Client) -> None:
    body = {"name": "A", "email": "ada@example.com", "password": "OpenSesame"}
    response = client.post("/users", json=body)
    assert response.status_code == 422
    assert "OpenSesame" not in response.text
    assert {error["loc"][1] for error in response.json()["detail"]} == {"name", "password"}


def test_unknown_paths_and_methods(client: httpx.Client) -> None:
    assert client.get("/nothing").json() == {"detail": "Not Found"}
    response = client.put("/tags")
    assert (response.status_code, response.json()) == (405, {"detail": "Method Not Allowed"})


def test_every_path_answers_with_a_slash_at_its_end(client: httpx.Client) -> None:
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        for method in methods:
            for number in ("1", "0"):
                address = path.replace("{id}", number).replace("{email}", "a@example.com")
                plain = client.request(method, address)
                slashed = client.request(method, address + "/" if address != "/" else "/")
                assert slashed.status_code == plain.status_code, (method, address)
                assert not plain.has_redirect_location


def test_a_row_that_another_client_locks_is_503(url: str, dialect: str) -> None:
    with serve(url, DATABASE_LOCK_TIMEOUT="1") as client:
        post = new_post(client)
        with migration_engine(parse_url(url)).begin() as connection:
            connection.execute(sa.text("UPDATE posts SET title = 'Mine for now'"))
            response = client.patch("/posts/1", json={"title": "Mine instead"})
            assert response.status_code == 503, dialect
            assert response.headers["Retry-After"] == "1"
            assert response.json() == {"detail": "The database is busy or away; try again"}
            assert client.get("/posts/1").json() == post  # readers do not wait
            connection.rollback()
        assert client.patch("/posts/1", json={"title": "Mine at last"}).status_code == 200


# A SQLite file has no connections that it could lose.
@pytest.mark.parametrize("dialect", [name for name in DIALECTS if name != "sqlite"])
def test_lost_connections_are_503_or_replaced(client: httpx.Client, url: str, dialect: str) -> None:
    new_user(client)
    client.get("/users/1")
    with migration_engine(parse_url(url)).connect() as connection:
        if dialect == "postgresql":
            connection.execute(
                sa.text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
        else:
            processes = connection.execute(
                sa.text(
                    "SELECT id FROM information_schema.processlist"
                    " WHERE db = database() AND id <> connection_id()"
                )
            )
            for (number,) in processes.all():
                connection.execute(sa.text(f"KILL {number}"))
    for path in ("/users/1", "/users", "/async/users"):
        assert client.get(path).status_code in (200, 503)
        assert client.get(path).status_code == 200
    assert client.patch("/users/1", json={"age": 7}).status_code == 200


@pytest.mark.parametrize("dialect", ["postgresql"])  # the one that can be closed for a while
def test_a_database_that_goes_away_is_503_and_unhealthy(
    url: str, postgresql_server: sa.URL
) -> None:
    database = parse_url(url).database
    server = sa.create_engine(postgresql_server, isolation_level="AUTOCOMMIT")
    with serve(url, ADMIN_PASSWORD="open sesame") as client, server.connect() as admin:
        assert client.get("/health").status_code == 200
        own_page = {"Origin": str(client.base_url).rstrip("/")}
        client.post("/admin/login", data={"password": "open sesame"}, headers=own_page)
        assert client.get("/admin/user/list").status_code == 200
        admin.exec_driver_sql(f"ALTER DATABASE {database} ALLOW_CONNECTIONS false")
        admin.exec_driver_sql(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"
        )
        health = client.get("/health")
        assert (health.status_code, health.json()["status"]) == (503, "unhealthy")
        body = {"name": "Ada Lovelace", "email": "ada@example.com"}
        for response in (
            client.get("/users"),
            client.post("/users", json=body),
            client.get("/async/users"),
            client.post("/async/users", json=body),
            client.get("/health/db"),
            client.get("/admin/user/list"),
        ):
            assert response.status_code == 503, response.text
            assert response.headers["Retry-After"] == "1"
            assert "onemodel" not in response.text
        admin.exec_driver_sql(f"ALTER DATABASE {database} ALLOW_CONNECTIONS true")
        assert client.post("/users", json=body).status_code == 201
        assert client.get("/health").json()["status"] == "healthy"
    server.dispose()


def test_a_bug_gives_nothing_away(client: httpx.Client, url: str) -> None:
    """A schema that somebody broke stands for any exception that nobody expected."""
    with migration_engine(parse_url(url)).begin() as connection:
        connection.exec_driver_sql("ALTER TABLE tags RENAME TO elsewhere")
    try:
        response = client.get("/tags")
        assert response.status_code == 500
        assert set(response.json()) == {"detail"}
        for secret in ("tags", "SELECT", "Traceback", "sqlalchemy"):
            assert secret not in response.text
    finally:
        with migration_engine(parse_url(url)).begin() as connection:
            connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO tags")


def test_a_json_syntax_error_says_what_and_where(client: httpx.Client) -> None:
    answer = client.post("/users", content=b"{'name': 'Ada'}", headers=JSON)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["msg"] == (
        "Invalid JSON at character 1: Expecting property name enclosed in double quotes"
    )


@pytest.mark.parametrize("id", ["%E2%80%831", "1%0B", "%EF%BC%91", "+1", "1_0", "%D9%A1"])
def test_ids_are_the_digits_0_to_9(client: httpx.Client, id: str) -> None:
    new_post(client)
    for path in (f"/posts/{id}", f"/posts/{id}/comments?limit=1", f"/users/{id}"):
        assert client.get(path).status_code == 422, path


def test_every_503_leaves_its_cause_in_the_log(url: str, caplog: pytest.LogCaptureFixture) -> None:
    with serve(url, DATABASE_LOCK_TIMEOUT="1") as client:
        logging.getLogger("uvicorn.error").addHandler(caplog.handler)
        new_user(client)
        with migration_engine(parse_url(url)).connect() as other:
            other.exec_driver_sql("UPDATE users SET age = 7")
            assert client.patch("/users/1", json={"age": 5}).status_code == 503
            other.rollback()
    lines = [record.getMessage() for record in caplog.records if "503" in record.getMessage()]
    assert len(lines) == 1
    assert lines[0].startswith("503 PATCH /users/1: ")
    assert "lock" in lines[0].lower()


def test_a_column_that_the_app_does_not_fill_is_a_bug(
    client: httpx.Client, url: str, dialect: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A table has a column that no class knows: the client cannot help it, the log must tell."""
    change, undo = "ALTER TABLE tags ADD note INTEGER NOT NULL", "ALTER TABLE tags DROP note"
    with migration_engine(parse_url(url)).begin() as connection:
        if dialect == "sqlite":  # which adds no such column to a table that there is
            connection.exec_driver_sql("DROP TABLE tags")
            change = "CREATE TABLE tags (id INTEGER PRIMARY KEY, name TEXT, note INTEGER NOT NULL)"
        connection.exec_driver_sql(change)
    try:
        assert client.post("/tags", json={"name": "python"}).status_code == 500
        assert "500 POST /tags" in caplog.text
    finally:
        with migration_engine(parse_url(url)).begin() as connection:
            connection.exec_driver_sql(undo)


@pytest.mark.parametrize("dialect", ["postgresql"])
@pytest.mark.parametrize(
    ("last", "cause"), [(1, "duplicate key"), (2**31 - 1, "reached maximum value of sequence")]
)
def test_ids_that_are_taken_or_used_up_are_a_bug(
    client: httpx.Client, url: str, last: int, cause: str, caplog: pytest.LogCaptureFixture
) -> None:
    """As after a restore: the sequence stands behind the rows, or at its end."""
    for name in ("python", "sql"):
        client.post("/tags", json={"name": name})
    with migration_engine(parse_url(url)).begin() as connection:
        connection.exec_driver_sql(f"SELECT setval('tags_id_seq', {last})")
    assert client.post("/tags", json={"name": "fastapi"}).status_code == 500
    (message,) = [m for m in caplog.messages if "500 POST /tags" in m]
    assert cause in message


def test_a_key_of_ones_own_that_is_taken_is_409(url: str) -> None:
    """A learner's table may have a primary key that clients choose."""
    routes = list(app.router.routes)

    @app.post("/countries/{code}", status_code=201)
    def add(code: str, db: Db) -> None:
        db.connection().execute(sa.text("INSERT INTO countries VALUES (:code)"), {"code": code})

    engine = migration_engine(parse_url(url))
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE countries (code varchar(2), CONSTRAINT pk_countries PRIMARY KEY (code))"
        )
    try:
        with serve(url) as client:
            statuses = [client.post("/countries/fr").status_code for _ in range(2)]
        assert statuses == [201, 409]
    finally:
        app.router.routes[:] = routes
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE countries")


@pytest.mark.parametrize("dialect", [name for name in DIALECTS if name != "sqlite"])
def test_a_value_that_the_database_refuses_leaves_a_line_in_the_log(
    client: httpx.Client, url: str, dialect: str, caplog: pytest.LogCaptureFixture
) -> None:
    kind = "MODIFY name" if dialect == "mysql" else "ALTER name TYPE"
    with migration_engine(parse_url(url)).begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE tags {kind} varchar(3)")
    try:
        assert client.post("/tags", json={"name": "python"}).status_code == 400
        assert "400 POST /tags: " in caplog.text
    finally:
        with migration_engine(parse_url(url)).begin() as connection:
            connection.exec_driver_sql(f"ALTER TABLE tags {kind} varchar(50)")


def test_a_startup_error_changes_nothing_in_the_process() -> None:
    assert not hasattr(sys, "tracebacklimit")


def test_rows_that_tables_of_ones_own_refer_to(client: httpx.Client, url: str) -> None:
    """A learner adds a table; what it refers to can no longer be deleted, and this is no bug."""
    new_post(client)
    with migration_engine(parse_url(url)).begin() as connection:
        kind = "INTEGER REFERENCES posts (id)"
        if connection.dialect.name == "mysql":
            kind = "INTEGER, FOREIGN KEY (post_id) REFERENCES posts (id)"
        connection.exec_driver_sql(f"CREATE TABLE reviews (post_id {kind})")
        connection.exec_driver_sql("INSERT INTO reviews VALUES (1)")
    try:
        answer = client.delete("/posts/1")
        assert (answer.status_code, answer.json()) == (
            409,
            {"detail": "It is still in use by other rows"},
        )
    finally:
        with migration_engine(parse_url(url)).begin() as connection:
            connection.exec_driver_sql("DROP TABLE reviews")


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_bulk_that_breaks_a_rule_of_ones_own(client: httpx.Client, url: str) -> None:
    with migration_engine(parse_url(url)).begin() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER adults BEFORE INSERT ON users WHEN NEW.age < 18"
            " BEGIN SELECT RAISE(ABORT, 'too young'); END"
        )
    child = {"name": "Ada", "email": "ada@example.com", "age": 10}
    one, many = client.post("/users", json=child), client.post("/users/bulk", json=[child])
    assert (one.status_code, one.json()) == (many.status_code, many.json())
    assert many.status_code == 409


def test_lengths_of_texts_are_told_in_characters(client: httpx.Client) -> None:
    told = {}
    for name in ("A", "A" * 51):
        answer = client.post("/users", json={"name": name, "email": "ada@example.com"})
        assert answer.status_code == 422
        (error,) = answer.json()["detail"]
        told[error["type"]] = error["msg"]
    assert told == {
        "string_too_short": "String should have at least 2 characters",
        "string_too_long": "String should have at most 50 characters",
    }
