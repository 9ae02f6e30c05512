"""Text that wants to be something else, in every field, parameter and header, on every database."""

import json
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from app import app
from conftest import DIALECTS, NewDatabase, new_post, new_product, new_user, serve

TEXTS = {
    "SQL": "x'; DROP TABLE users; --",
    "SQL in double quotes": 'x" OR "1"="1',
    "LIKE": "100%_/\\%",
    "HTML": "<script>alert(1)</script>",
    "a template": "{{7*7}}${7*7}%s%(x)s{0}",
    "four bytes": "🦄𝒜𝒟𝒜",
    "right to left": "\u202eada\u202c שלום",
    "composed": "Zoë café",
    "decomposed": "Zoe\u0308 cafe\u0301",
    "zero width": "a\u200bb\ufeffc\u00add",
    "other digits": "１２３ ²³ Ⅷ",
    "controls": "a\tb\r\nX-Evil: 1\x1b[31m\x7f",
    "white space": "  a \u00a0\u2003 ",
    "NUL": "a\0b",
    "lone surrogate": "a\ud800b",
    "long": "ab " * 10_000,
    "letters that grow": "ßŉİǰΐﬁ",
}
ADA = {"name": "Ada Lovelace", "email": "ada@example.com", "username": "ada", "bio": "x"}
POST = {"title": "A long title", "content": "Twenty characters at the least.", "slug": "a-slug"}
PRODUCT = {"name": "Lamp", "price": 1, "sku": "L-1", "slug": "lamp", "description": "x"}
CATEGORY = {"name": "Books", "slug": "books", "description": "x"}
ORDER = {"user_id": 1, "items": [{"product_id": 1, "quantity": 1}], "shipping_address": "Here"}
# The routes that take text, with a body that is valid.
WRITING: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "/users"): ADA | {"city": "London", "password": "Secret123"},
    ("PUT", "/users/{id}"): ADA | {"city": "London"},
    ("PATCH", "/users/{id}"): ADA | {"city": "London"},
    ("POST", "/async/users"): ADA,
    ("PUT", "/async/users/{id}"): ADA,
    ("POST", "/posts"): POST,
    ("PUT", "/posts/{id}"): POST,
    ("PATCH", "/posts/{id}"): POST,
    ("POST", "/posts/{id}/comments"): {"body": "x"},
    ("POST", "/tags"): {"name": "x"},
    ("POST", "/categories"): CATEGORY,
    ("PATCH", "/categories/{id}"): CATEGORY,
    ("POST", "/products"): PRODUCT,
    ("PATCH", "/products/{id}"): PRODUCT,
    ("POST", "/orders"): ORDER,
}
TIDIED = {"name", "email", "sku"}  # stripped and composed, some in one case


def as_json(value: object) -> bytes:
    """Return JSON as no library writes it: a lone surrogate stays one."""
    return json.dumps(value).encode()


def send(client: httpx.Client, method: str, path: str, body: object) -> httpx.Response:
    """Send a body as JSON."""
    headers = {"Content-Type": "application/json"}
    return client.request(method, path, content=as_json(body), headers=headers)


def check(answer: httpx.Response, what: object) -> None:
    """Check that an answer is a success or says in JSON why not."""
    assert answer.status_code in (200, 201, 204, 400, 404, 409, 422), (what, answer.text)
    if answer.content:
        assert answer.headers["Content-Type"] == "application/json", what
        answer.json()
    assert "X-Evil" not in answer.headers


@pytest.fixture
def clients(request: pytest.FixtureRequest) -> Iterator[dict[str, httpx.Client]]:
    """Yield a client for each kind of database, with a row of each table."""
    with ExitStack() as stack:
        found = {}
        for dialect in DIALECTS:
            new_database: NewDatabase = request.getfixturevalue(f"{dialect}_databases")
            client = stack.enter_context(serve(stack.enter_context(new_database())))
            new_user(client, email="first@example.com")
            new_post(client)
            new_product(client, name="First", stock=10_000)
            client.post("/categories", json={"name": "First"})
            found[dialect] = client
        yield found


def outcome(client: httpx.Client, method: str, path: str, field: str, text: str) -> Any:
    """Send a body with a hostile field; return status and what is stored."""
    body = WRITING[method, path] | {field: text}
    address = path.replace("{id}", "1")
    answer = send(client, method, address, body)
    check(answer, (method, path, field, text))
    if not answer.is_success:
        return answer.status_code
    stored = answer.json()
    if field != "password" and field not in TIDIED:
        assert stored[field] == text, (path, field)
    if method == "POST" and "comments" not in path and path != "/tags":
        read = client.get(f"{path}/{stored['id']}" if path != "/categories" else path)
        assert stored.get(field) in (None, *find(read.json(), field)), (path, field)
        if path not in ("/orders", "/categories"):
            assert client.delete(f"{path}/{stored['id']}").status_code == 204
    return answer.status_code, stored.get(field)


def find(value: Any, field: str) -> list[Any]:
    """Return what a field has, in an object or in a list of them."""
    rows = value if isinstance(value, list) else [value]
    return [row.get(field) for row in rows]


@pytest.mark.long
def test_every_string_field_is_stored_exactly_or_refused_alike_on_every_database(
    clients: dict[str, httpx.Client],
) -> None:
    described = {
        (method.upper(), path)
        for path, operations in app.openapi()["paths"].items()
        for method, operation in operations.items()
        if "application/json" in operation.get("requestBody", {}).get("content", {})
    }
    no_text = {"/users/bulk", "/products/bulk", "/users/bulk/deactivate", "/products/{id}/stock"}
    assert {one for one in described if one[1] not in no_text} == set(WRITING)
    for (method, path), body in WRITING.items():
        for field in [name for name, value in body.items() if isinstance(value, str)]:
            for name, text in TEXTS.items():
                seen = {d: outcome(c, method, path, field, text) for d, c in clients.items()}
                assert len({str(value) for value in seen.values()}) == 1, (path, field, name, seen)
    for client in clients.values():
        assert client.get("/health").status_code == 200


def reading_parameters() -> Iterator[tuple[str, str]]:
    """Yield each text that a GET takes in its query or path: path and name."""
    for path, operations in app.openapi()["paths"].items():
        for parameter in operations.get("get", {}).get("parameters", []):
            schema = parameter["schema"]
            kinds = {part.get("type") for part in [schema, *schema.get("anyOf", [])]}
            if "string" in kinds or "{" + parameter["name"] + "}" in path:
                yield path, parameter["name"]


def test_every_parameter_is_answered_alike_on_every_database(
    clients: dict[str, httpx.Client],
) -> None:
    for path, name in reading_parameters():
        for text in TEXTS.values():
            value = text[:3000].encode("utf-8", "surrogatepass")
            quoted = "".join(f"%{byte:02X}" for byte in value)
            in_path = "{" + name + "}" in path
            address = (
                path.replace("{" + name + "}", quoted) if in_path else f"{path}?{name}={quoted}"
            )
            seen = set()
            for client in clients.values():
                answer = client.get(address.replace("{id}", "1"))
                check(answer, (path, name, text))
                seen.add((answer.status_code, len(answer.json())))
            assert len(seen) == 1, (path, name, text)


# ── Below HTTP ───────────────────────────────────────────────────────────────────────────────────


def raw(client: httpx.Client, request: bytes) -> bytes:
    """Send bytes; return the whole answer."""
    assert client.base_url.port
    address = (client.base_url.host, client.base_url.port)
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(request)
        return connection.makefile("rb").read()


BODY = as_json({"name": "Ada Lovelace", "email": "ada@example.com"})
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
JSON = b"Content-Type: application/json\r\n"
REQUESTS: dict[str, tuple[bytes, set[int]]] = {
    "a Content-Length that is no number": (JSON + b"Content-Length: ten\r\n", {400}),
    "a negative Content-Length": (JSON + b"Content-Length: -1\r\n", {400}),
    "two Content-Lengths": (JSON + LENGTH + b"Content-Length: 5\r\n", {400}),
    "a Content-Length of twenty digits": (
        JSON + b"Content-Length: " + b"9" * 20 + b"\r\n",
        {400, 413},
    ),
    "both lengths": (JSON + LENGTH + b"Transfer-Encoding: chunked\r\n", {400}),
    "a chunk that is no number": (JSON + b"Transfer-Encoding: chunked\r\n", {400}),
    "gzip": (JSON + LENGTH + b"Content-Encoding: gzip\r\n", {201, 400, 415, 422}),
    "text": (b"Content-Type: text/plain\r\n" + LENGTH, {422}),
    "a form": (b"Content-Type: application/x-www-form-urlencoded\r\n" + LENGTH, {422}),
    "no type": (LENGTH, {201, 422}),
    "64 KiB of headers": (JSON + LENGTH + b"X-Long: " + b"x" * 65536 + b"\r\n", {201, 400, 431}),
    "a header that is not text": (JSON + LENGTH + b"X-Odd: \xff\xfe\r\n", {201, 400}),
    "a wrong key": (JSON + LENGTH + b"Authorization: \xff\r\n", {201}),
    "two hosts": (JSON + LENGTH + b"Host: other\r\n", {201, 400}),
}


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize("name", REQUESTS)
def test_an_odd_request_is_refused_or_served(client: httpx.Client, name: str) -> None:
    headers, statuses = REQUESTS[name]
    start = b"POST /users HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    answer = raw(client, start + headers + b"\r\n" + BODY)
    assert int(answer[9:12]) in statuses, answer
    assert client.get("/health").status_code == 200


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize("key", ["k" * 65, "", "é", "a'b\"c;--", "%00", "k" * 64])
def test_an_odd_idempotency_key_is_used_or_refused(client: httpx.Client, key: str) -> None:
    new_user(client)
    new_product(client)
    headers = [(b"Idempotency-Key", key.encode())]
    answers = [client.post("/orders", json=ORDER, headers=headers) for _ in range(2)]
    assert {answer.status_code for answer in answers} <= {201, 422}
    assert answers[0].json() == answers[1].json()


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_odd_paths_are_404_or_422(client: httpx.Client) -> None:
    new_post(client)
    for path in (
        *("/users/%00", "/users/..%2f..%2fetc%2fpasswd", "/%2e%2e/users", "/..;/users", "//users"),
        *(
            "/users/1%2f2",
            "/users/%C0%AE",
            "/posts/%D9%A1",
            "/posts/1%20",
            "/users/-0",
            "/users/0x1",
        ),
        *(
            "/products/by-sku/%0d%0aX-Evil:%201",
            "/users/by-email/%ff",
            "/%",
            "/users/" + "9" * 9000,
        ),
    ):
        answer = raw(
            client, b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % path.encode()
        )
        assert int(answer[9:12]) in (400, 404, 422), (path, answer)
        assert b"\r\nX-Evil" not in answer


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_every_method_on_every_path_is_no_bug(client: httpx.Client) -> None:
    methods = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
    for path, operations in app.openapi()["paths"].items():
        for method in methods:
            answer = client.request(method, re.sub(r"{\w+}", "1", path))
            assert answer.status_code < 500, (method, path)
            if method.lower() not in operations and method != "HEAD":
                assert answer.status_code == 405 or "{" in path or answer.status_code == 422
                if answer.status_code == 405:
                    assert answer.json() == {"detail": "Method Not Allowed"}


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_odd_json_is_refused(client: httpx.Client) -> None:
    price = '{"name": "Lamp", "price": %s}'
    for body, statuses in {
        price % "NaN": {422},
        price % "Infinity": {422},
        price % "1e400": {422},
        price % "1e-400": {422},
        price % "-0.0": {422},
        price % "0.005": {422},
        price % "true": {422},
        price % '"1"': {201, 422},
        '{"name": "Lamp", "price": 1, "price": -1}': {422},
        "[" * 100_000: {400, 422},
        '{"a":' * 100_000: {400, 422},
        "\ufeff{}": {400, 422},
        '{"name": "\\ud83d", "price": 1}': {422},
    }.items():
        headers = {"Content-Type": "application/json"}
        answer = client.post("/products", content=body.encode(), headers=headers)
        assert answer.status_code in statuses, (body[:50], answer.text)
        assert answer.status_code == 201 or answer.json()["detail"]
