"""SQL_LENS: what each request asked of the database, on one's own machine."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

import models
from app import app
from conftest import new_post, new_product, new_user, serve
from database import ReadDb

ROOT = Path(__file__).parent.parent


@pytest.fixture
def client(url: str) -> Iterator[httpx.Client]:
    """Yield a client of an app with the lens."""
    with serve(url, SQL_LENS="1") as client:
        yield client


def shown(client: httpx.Client, path: str = "/sql") -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return unescape(
        re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]+>", " ", answer.text, flags=re.S))
    )


def test_without_the_setting_there_is_no_lens(url: str) -> None:
    with serve(url) as client:
        assert client.get("/sql").status_code == 404
        assert "server-timing" not in client.get("/users").headers
    code = "import app, sys; print('core.sql_lens' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True) == "False\n"


def test_answers_tell_their_times(client: httpx.Client) -> None:
    new_user(client)
    timing = client.get("/users").headers["server-timing"]
    found = re.fullmatch(r'db;dur=(\d+\.\d\d);desc="1 statements", total;dur=(\d+\.\d\d)', timing)
    assert found, timing
    assert 0 < float(found[1]) < float(found[2])
    assert 'desc="0 statements"' in client.get("/").headers["server-timing"]
    for path in ("/async/users", "/users/1/posts", "/orders/stats/summary"):
        assert 'desc="0 ' not in client.get(path).headers["server-timing"], path


@pytest.mark.parametrize("asked", ["", "/api/v1"])  # a proxy that takes the prefix away, or not
@pytest.mark.parametrize("dialect", ["sqlite"])
def test_page_below_a_prefix_does_not_show_itself(url: str, asked: str) -> None:
    with serve(url, root_path="/api/v1", SQL_LENS="1") as client:
        client.get(f"{asked}/users")
        client.get(f"{asked}/sql")
        page = shown(client, f"{asked}/sql")
    assert "GET /users" in page
    assert "/sql" not in page.replace("/sql/", "")


def test_page_shows_statements_parameters_and_rows(client: httpx.Client) -> None:
    for n in range(3):
        new_user(client, name=f"Ada {n}", password="Secret123", email=f"ada{n}@example.com")
    client.get("/users?search=ada&limit=2")
    client.get("/async/users")
    page = shown(client)
    newest = page.index("GET /async/users")
    assert newest < page.index("GET /users?search=ada") < page.index("POST /users")
    assert "INSERT INTO users" in page
    assert "'email': 'ada2@example.com'" in page
    assert "2 rows" in page
    assert "3 rows" in page
    assert "argon2" not in page
    assert "Secret123" not in page
    assert "1 statement," in page


def test_plan_of_a_statement(client: httpx.Client, dialect: str) -> None:
    user = new_user(client)["id"]
    post = new_post(client, author_id=user)["id"]
    client.get(f"/posts/{post}")
    client.patch(f"/users/{user}", json={"age": 5})
    words = {"sqlite": "USING INTEGER PRIMARY KEY", "postgresql": "Index Scan", "mysql": "const"}
    numbers = re.findall(r'href="sql/(\d+)"', client.get("/sql").text)
    pages = [shown(client, f"/sql/{number}") for number in numbers]
    assert len(pages) == 4
    assert all("The database's plan" in page for page in pages)
    assert words[dialect] in pages[1]
    for number in ("99", "9" * 5000, "x"):
        assert client.get(f"/sql/{number}").status_code == 404
    assert client.get(f"/users/{user}").json()["age"] == 5


def test_statements_of_several_rows_have_plans(client: httpx.Client) -> None:
    people = [{"name": "Ada", "email": f"{n}@example.com"} for n in range(3)]
    assert client.post("/users/bulk", json=people).status_code == 201
    products = [new_product(client, stock=5)["id"] for _ in range(2)]
    items = [{"product_id": product, "quantity": 1} for product in products]
    assert client.post("/orders", json={"user_id": 1, "items": items}).status_code == 201
    numbers = re.findall(r'href="sql/(\d+)"', client.get("/sql").text)
    pages = [shown(client, f"/sql/{number}") for number in (numbers[0], numbers[-1])]
    assert not any("There is no plan" in page for page in pages)


def test_many_statements_of_one_shape_are_named(client: httpx.Client) -> None:
    user = new_user(client)["id"]
    for n in range(6):
        new_post(client, author_id=user, title=f"Title number {n}")

    @app.get("/n-plus-one")
    def read_slowly(db: ReadDb) -> list[str]:
        names = []
        for author in [post.author_id for post in db.scalars(sa.select(models.Post))]:
            db.expunge_all()  # the session would ask for the same author only once
            names.append(db.get_one(models.User, author).name)
        return names

    try:
        assert len(client.get("/n-plus-one").json()) == 6
        client.get("/posts")
    finally:
        app.router.routes[:] = [r for r in app.routes if getattr(r, "path", "") != "/n-plus-one"]
    page = shown(client)
    assert page.count("6 statements of one shape: look at eager loading") == 1
    assert page.index("GET /posts") < page.index("6 statements of one shape")


def test_the_last_200_requests_are_kept(client: httpx.Client) -> None:
    for _ in range(205):
        client.get("/")
    assert client.get("/sql").text.count("<details>") == 200
    assert 'http-equiv="refresh"' in client.get("/sql?live").text


def test_the_page_is_for_this_machine_alone(client: httpx.Client) -> None:
    client.get("/users")
    for headers in ({"Host": "evil.example"}, {"X-Forwarded-For": "10.0.0.1"}):
        for path in ("/sql", "/sql/1"):
            assert client.get(path, headers=headers).status_code == 403
    name = str(client.base_url).replace("127.0.0.1", "localhost").removeprefix("http://")
    assert client.get("/sql", headers={"Host": name}).status_code == 200


def test_a_path_of_a_client_is_text_on_the_page(client: httpx.Client) -> None:
    client.get("/<script>alert(1)</script>?<b>")
    assert "<script>" not in client.get("/sql").text


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_lens_refuses_to_start_on_another_address(tmp_path: Path, host: str) -> None:
    environment = os.environ | {"SQL_LENS": "1", "DATABASE_URL": f"sqlite:///{tmp_path}/a.db"}
    result = subprocess.run(
        [sys.executable, "-m", "uvicorn", "app:app", "--port", "0", "--host", host],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "use it with uvicorn on 127.0.0.1" in result.stderr
    assert "Everyone who reaches" in result.stderr
    assert "can change everything" in result.stderr
    assert "Traceback" not in result.stderr
