"""Who gets in, and what nobody gets to see."""

import json
import logging
import re
from collections.abc import Iterator
from http.client import HTTPConnection
from threading import Thread
from time import monotonic
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from fastapi.responses import StreamingResponse

import models
from app import app
from conftest import new_post, new_product, new_user, serve, server_process
from core.access import prepare_access
from core.schema import migration_engine
from core.settings import Settings, parse_url

KEY = "correct-horse-battery-staple"
PASSWORD = "Open-Sesame-1"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
}


def break_down() -> None:
    """Fail like a route with a bug."""
    raise ZeroDivisionError("no such luck")


def break_down_halfway() -> StreamingResponse:
    """Fail when the answer has begun."""

    def chunks() -> Iterator[bytes]:
        yield b"half"
        break_down()

    return StreamingResponse(chunks())


@pytest.fixture
def guarded(url: str) -> Any:
    """Yield a client of an app that has an API key and one host name."""
    with serve(url, API_KEY=KEY, ALLOWED_HOSTS="127.0.0.1, shop.example.com,") as client:
        yield client


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_every_writing_route_needs_the_key(guarded: httpx.Client) -> None:
    keys = (b"x", KEY[:-1].encode(), KEY.encode() + b"x", "ключ".encode())
    wrong: list[Any] = [
        {},
        {"Authorization": KEY.encode()},
        {"Authorization": b"Basic " + KEY.encode()},
    ]
    wrong += [{"Authorization": b"Bearer " + key} for key in keys]
    for path, operations in app.openapi()["paths"].items():
        address = re.sub(r"{\w+}", "1", path)
        for method in operations:
            if method != "get" or path == "/health/db":
                for headers in wrong:
                    answer = guarded.request(method, address, headers=headers)
                    assert answer.status_code == 401, (method, path, headers)
                    assert answer.headers["WWW-Authenticate"] == "Bearer"
                    assert KEY not in answer.text
            else:
                assert guarded.get(address).status_code != 401, path
    for path in ("/health/db/", "//health/db", "/health/%64b"):
        assert guarded.get(path).status_code in (401, 404), path
    assert guarded.head("/health/db").status_code == 401
    right = {"Authorization": f"Bearer {KEY}"}
    ada = {"name": "Ada", "email": "ada@example.com"}
    assert guarded.post("/users", json=ada, headers=right).status_code == 201
    assert guarded.get("/health/db", headers={"Authorization": f"bearer {KEY}"}).status_code == 200


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_pages_take_the_key_as_the_password_that_a_browser_asks_for(guarded: httpx.Client) -> None:
    for path in ("/admin", "/admin/", "/admin/login", "/admin/statics/x.js", "/sql", "/sql/1"):
        for wrong in (None, ("", ""), ("admin", KEY[:-1]), (KEY, "")):
            answer = guarded.get(path, auth=wrong)
            assert (path, answer.status_code) == (path, 401)
            assert answer.headers["WWW-Authenticate"] == 'Basic realm="API key"'
        for malformed in ("Basic ?", f"Basic {KEY}", "Basic", KEY):
            assert guarded.get(path, headers={"Authorization": malformed}).status_code == 401
        assert guarded.get(path, auth=("anybody", KEY)).status_code == 404  # none is open here
        assert guarded.get(path, headers={"Authorization": f"Bearer {KEY}"}).status_code == 404
    for path in ("/tags", "/admins"):  # the second is none of the pages
        assert guarded.post(path, json={"name": "sql"}, auth=("anybody", KEY)).status_code == 401
    assert guarded.get("/sqlalchemy").status_code == 404
    assert guarded.get("/health/db", auth=("anybody", KEY)).status_code == 401


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_docs_ask_for_the_key_only_if_there_is_one(url: str, guarded: httpx.Client) -> None:
    schema = guarded.get("/openapi.json").json()
    assert schema["components"]["securitySchemes"] == {
        "ApiKey": {"type": "http", "scheme": "bearer"}
    }
    assert schema["paths"]["/users"]["post"]["security"] == [{"ApiKey": []}]
    assert "security" not in schema["paths"]["/users"]["get"]
    with serve(url) as client:
        assert "securitySchemes" not in client.get("/openapi.json").text


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_only_allowed_hosts_are_answered(guarded: httpx.Client) -> None:
    for host, status in {
        "shop.example.com": 200,
        "SHOP.example.com:8000": 200,
        "127.0.0.1": 200,
        "evil.example.com": 400,
        "shop.example.com.evil.com": 400,
        "": 400,
        ":8000": 400,
    }.items():
        assert guarded.get("/users", headers={"Host": host}).status_code == status, host
    both = HTTPConnection(guarded.base_url.host, guarded.base_url.port)
    both.putrequest("GET", "/users", skip_host=True)
    for host in ("127.0.0.1", "evil.example.com"):
        both.putheader("Host", host)
    both.endheaders()
    assert both.getresponse().status == 400
    both.close()


PAGE = {"Origin": "https://page.example.com"}
BEFORE = PAGE | {"Access-Control-Request-Method": "POST"}


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_every_answer_has_security_headers_and_an_id(url: str) -> None:
    requests = [
        ("GET", "/users", 200),
        ("GET", "/users/0", 422),
        ("GET", "/x", 404),
        ("POST", "/tags", 401),
        ("GET", "/broken", 500),
        ("HEAD", "/broken", 500),
        ("GET", "/half", 200),
        ("OPTIONS", "/tags", 200),
    ]
    routes = list(app.router.routes)
    app.add_api_route("/broken", break_down)
    app.add_api_route("/half", break_down_halfway)
    with serve(url, API_KEY=KEY, CORS_ORIGINS=PAGE["Origin"]) as client:
        ids = set()
        for method, path, status in requests:
            with client.stream(method, path, headers=BEFORE) as answer:
                assert (method, path, answer.status_code) == (method, path, status)
            for name, value in HEADERS.items():
                assert answer.headers.get_list(name) == [value], path
            assert answer.headers["Access-Control-Allow-Origin"] == PAGE["Origin"]
            (own_id,) = answer.headers.get_list("X-Request-ID")
            ids.add(own_id)
    app.router.routes[:] = routes
    assert len(ids) == len(requests)


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_the_log_names_the_answer_to_a_bug(url: str, capfd: pytest.CaptureFixture[str]) -> None:
    routes = list(app.router.routes)
    app.add_api_route("/broken", break_down)
    with serve(url) as client:
        answer = client.get("/broken")
    app.router.routes[:] = routes
    assert answer.json() == {"detail": "Internal server error"}
    lines = [line for line in capfd.readouterr().err.splitlines() if " 500 " in line]
    own_id = answer.headers["X-Request-ID"]
    assert lines == [f"ERROR:    500 GET /broken: ZeroDivisionError: no such luck [{own_id}]"]


@pytest.mark.parametrize(
    ("options", "settings", "warns"),
    [
        (["--host", "0.0.0.0"], {}, True),
        (["--host=::"], {}, True),
        ([], {"UVICORN_HOST": "0.0.0.0"}, True),
        (["--host", "0.0.0.0"], {"API_KEY": KEY}, False),
        (["--host", "localhost"], {}, False),
        ([], {}, False),
    ],
)
def test_a_start_that_lets_other_machines_in_warns(
    options: list[str], settings: dict[str, str], warns: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        records: list[logging.LogRecord] = []
        for name, value in settings.items():
            patch.setenv(name, value)
        patch.setattr("sys.argv", ["uvicorn", "app:app", *options])
        patch.setattr(logging.getLogger("uvicorn.error"), "handle", records.append)
        prepare_access(app, Settings(_env_file=None))  # type: ignore[call-arg]
    assert bool(records) is warns


# ── Passwords and their hashes ───────────────────────────────────────────────────────────────────


def test_the_hash_of_a_password_is_nowhere(
    url: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    with serve(url, DATABASE_ECHO="true") as client:
        logging.getLogger("uvicorn.error").addHandler(caplog.handler)
        ada = {"name": "Ada", "email": "ada@example.com", "password": PASSWORD}
        seen = [
            client.post("/users", json=ada),
            client.post("/users", json=ada),
            client.post("/users/bulk", json=[ada | {"email": "b@example.com"}]),
            client.post("/users/bulk", json=[ada]),
            client.patch("/users/1", json={"password": PASSWORD}),
            client.put("/users/1", json=ada),
            client.post("/async/users", json=ada | {"email": "c@example.com"}),
            client.post("/users", json=ada | {"email": "not one"}),
        ]
        product = new_product(client)["id"]
        new_post(client, author_id=1)
        order = {"user_id": 1, "items": [{"product_id": product, "quantity": 1}]}
        seen.append(client.post("/orders", json=order))
        for path, operations in app.openapi()["paths"].items():
            if "get" in operations:
                address = path.replace("{email}", "ada@example.com").replace("{sku}", "A")
                seen.append(client.get(re.sub(r"{\w+}", "1", address)))
        seen += [
            client.get("/openapi.json"),
            client.get("/docs"),
            client.get("/users?search=argon2"),
        ]
        with migration_engine(parse_url(url)).begin() as connection:  # a bug, while it is inserted
            hashes = (
                connection.execute(sa.text("SELECT hashed_password FROM users")).scalars().all()
            )
            connection.exec_driver_sql("ALTER TABLE users RENAME COLUMN bio TO elsewhere")
        try:
            seen.append(client.post("/users", json=ada | {"email": "d@example.com"}))
            assert seen[-1].status_code == 500
        finally:
            with migration_engine(parse_url(url)).begin() as connection:
                connection.exec_driver_sql("ALTER TABLE users RENAME COLUMN elsewhere TO bio")
    assert len(hashes) == 3
    assert all(str(one).startswith("$argon2id$") for one in hashes)
    output = capfd.readouterr()
    for text in [*(answer.text for answer in seen), caplog.text, output.out, output.err]:
        for secret in ("argon2id", 'hashed_password":', PASSWORD):
            assert secret not in text
    assert "d@example.com" not in caplog.text + output.out + output.err


class CountingHash:
    """The real hash, counted."""

    def __init__(self, real: Any) -> None:
        self.real, self.count = real, 0

    def hash(self, password: str) -> str:
        """Hash and count."""
        self.count += 1
        return str(self.real.hash(password))


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_no_hash_is_made_in_vain(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    counting = CountingHash(models.PASSWORDS)
    monkeypatch.setattr(models, "PASSWORDS", counting)
    ada = {"name": "Ada", "email": "ada@example.com", "password": PASSWORD}
    many = [ada | {"email": f"{n}@example.com"} for n in range(21)]
    with serve(url) as client:
        new_user(client)
        for path in ("/users/99", "/async/users/99"):
            assert client.put(path, json=ada).status_code == 404
        assert client.patch("/users/99", json={"password": PASSWORD}).status_code == 404
        refused = client.post("/users/bulk", json=many)
        assert refused.status_code == 422
        assert "At most 20 users with a password" in refused.text
        assert counting.count == 0
        assert client.patch("/users/1", json={"password": PASSWORD}).status_code == 200
        assert counting.count == 1


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_many_passwords_do_not_stop_users_without_one(url: str) -> None:
    ada = {"name": "Ada", "password": PASSWORD}
    with serve(url, REQUEST_TIMEOUT="60") as client:

        def post(worker: int) -> None:
            many = [ada | {"email": f"{worker}-{n}@example.com"} for n in range(5)]
            assert client.post("/users/bulk", json=many).status_code == 201

        workers = [Thread(target=post, args=(n,)) for n in range(3)]
        start = monotonic()
        for worker in workers:
            worker.start()
        longest = 0.0
        while any(worker.is_alive() for worker in workers):
            before = monotonic()
            new_user(client)
            longest = max(longest, monotonic() - before)
        for worker in workers:
            worker.join()
        assert longest < (monotonic() - start) / 2, "they waited for the passwords"


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_json_logs_hold_the_id_of_each_failed_request(url: str) -> None:
    settings = {"LOG_FORMAT": "json", "DATABASE_LOCK_TIMEOUT": "1"}
    with server_process(url, **settings) as (process, address, log):
        with httpx.Client(base_url=address) as client:
            new_user(client)
            with migration_engine(parse_url(url)).connect() as other:
                other.exec_driver_sql("UPDATE users SET age = 7")
                busy = client.patch("/users/1", json={"age": 5})
                other.rollback()
            with migration_engine(parse_url(url)).begin() as other:
                other.exec_driver_sql("ALTER TABLE tags RENAME TO elsewhere")
            for _ in range(20):  # with a traceback each, more than a pipe holds
                bug = client.get("/tags")
        process.terminate()
        entries = [json.loads(line) for line in log]
    assert (busy.status_code, bug.status_code) == (503, 500)
    for answer, cause in [(busy, "503 PATCH /users/1: "), (bug, "500 GET /tags: ")]:
        own = [e for e in entries if e["request_id"] == answer.headers["X-Request-ID"]]
        told = [entry for entry in own if entry["message"].startswith(cause)]
        assert [entry["level"] for entry in told] == ["WARNING" if answer is busy else "ERROR"]
    assert any("no such table" in entry.get("traceback", "") for entry in entries)
