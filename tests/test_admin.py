"""/admin: every table, the API's rules, and nobody else."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

from app import app
from conftest import new_order, new_post, new_product, new_user, serve

ROOT = Path(__file__).parent.parent
PASSWORD = "open sesame"


def origin(client: httpx.Client) -> dict[str, str]:
    """Return the header that a browser sends with a form of our own page."""
    return {"Origin": str(client.base_url).rstrip("/")}


def login(client: httpx.Client, password: str = PASSWORD) -> httpx.Response:
    return client.post("/admin/login", data={"password": password}, headers=origin(client))


@pytest.fixture
def server(url: str) -> Iterator[httpx.Client]:
    """Yield a client of an app that has /admin, not logged in."""
    with serve(url, ADMIN_PASSWORD=PASSWORD) as client:
        yield client


@pytest.fixture
def admin(server: httpx.Client) -> httpx.Client:
    """Return a client that is logged in."""
    assert login(server).status_code == 302
    return server


def words(response: httpx.Response) -> str:
    """Return the text of a page."""
    return " ".join(re.sub(r"<[^>]+>", " ", response.text).split())


def save(client: httpx.Client, path: str, **changed: str) -> httpx.Response:
    """Open a form, change some of its fields, and send it as a browser does."""
    page = client.get(path)
    assert page.status_code == 200, page.text
    form = {"save": "Save"}
    for tag in re.findall(r"<input[^>]+>", page.text):
        fields = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        checked = fields.get("type") != "checkbox" or " checked" in tag
        if checked and fields.get("name") not in (None, "save"):
            form[fields["name"]] = fields.get("value", "")
    areas = re.findall(r'<textarea[^>]* name="(\w+)"[^>]*>\s*(.*?)</textarea>', page.text, re.S)
    selects = re.findall(r'<select[^>]* name="(\w+)".*?selected value="(\w+)"', page.text, re.S)
    form = {name: unescape(value) for name, value in (form | dict(areas) | dict(selects)).items()}
    return client.post(path, data=form | changed, headers=origin(client))


def test_without_a_password_there_is_no_admin_and_nothing_is_imported(tmp_path: Path) -> None:
    with serve(f"sqlite:///{tmp_path}/a.db") as client:
        assert client.get("/admin").status_code == 404
        assert client.get("/admin/login").status_code == 404
    code = "import app, sys; print({'sqladmin', 'wtforms', 'jinja2'} & set(sys.modules))"
    printed = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True)
    assert printed.strip() == "set()"


def test_a_short_password_is_refused(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "uvicorn", "app:app", "--port", "0"],
        cwd=ROOT,
        env={"PATH": "", "ADMIN_PASSWORD": "short", "DATABASE_URL": f"sqlite:///{tmp_path}/a.db"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "The setting ADMIN_PASSWORD is unusable" in result.stderr
    assert "short" not in result.stderr


def test_login(server: httpx.Client) -> None:
    for path in ("/admin/", "/admin/user/list", "/admin/user/edit/1", "/admin/order/details/1"):
        answer = server.get(path)
        assert (answer.status_code, answer.headers["location"][-12:]) == (302, "/admin/login")
    assert server.get("/admin").headers["location"] == "/admin/"
    assert "This is not the password" in login(server, "wrong").text
    answer = login(server)
    cookie = answer.headers["set-cookie"].lower()
    assert answer.status_code == 302
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    page = server.get("/admin/")
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    server.get("/admin/logout")
    assert server.get("/admin/").status_code == 302
    server.cookies.set("admin", "forged")
    assert server.get("/admin/").status_code == 302


def test_attempts_are_limited(server: httpx.Client) -> None:
    answers = [login(server, f"guess {n}").status_code for n in range(6)]
    assert answers == [400] * 5 + [429]
    assert login(server).status_code == 429


def test_another_site_cannot_change_anything(admin: httpx.Client) -> None:
    user = new_user(admin)["id"]
    for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "a://["}, {}):
        answers = [
            admin.post("/admin/user/create", data={"name": "Eve"}, headers=headers),
            admin.request("DELETE", f"/admin/user/delete?pks={user}", headers=headers),
            admin.post("/admin/login", data={"password": PASSWORD}, headers=headers),
        ]
        assert [answer.status_code for answer in answers] == [403] * 3
    assert admin.get(f"/users/{user}").status_code == 200


@pytest.mark.parametrize("before", ["{", "[]", "null", "1", "[" * 100_000])
def test_a_form_that_was_tampered_with_is_no_bug(admin: httpx.Client, before: str) -> None:
    user = new_user(admin)["id"]
    for path in (f"/admin/user/edit/{user}", "/admin/user/create"):
        answer = save(admin, path, before=before, name="", email="no address")
        assert answer.status_code == 400
        assert "not a valid email address" in words(answer)


def fill(client: httpx.Client) -> dict[str, Any]:
    user = new_user(client, name="Grace Hopper", password="Secret123", email="grace@example.com")
    category = client.post("/categories", json={"name": "Books"}).json()["id"]
    tag = client.post("/tags", json={"name": "python"}).json()["id"]
    product = new_product(client, name="SQL by hand", price=19.9, category_id=category)["id"]
    post = new_post(client, author_id=user["id"], tag_ids=[tag], title="On compilers")["id"]
    client.post(f"/posts/{post}/comments", json={"body": "Fine", "author_id": user["id"]})
    order = new_order(client, user["id"], {product: 2})["id"]
    return {"user": user["id"], "category": category, "tag": tag, "product": product} | {
        "post": post,
        "order": order,
    }


def test_every_table_is_shown_without_secrets(admin: httpx.Client) -> None:
    ids = fill(admin)
    shown = {
        "user": "grace@example.com",
        "tag": "python",
        "post": "Grace Hopper",
        "post-tag": "1",
        "comment": "On compilers",
        "category": "Books",
        "product": "19.90",
        "order": "39.80",
        "order-item": "SQL by hand",
        "notification": "was placed",
    }
    pages = []
    for table, expected in shown.items():
        page = admin.get(f"/admin/{table}/list")
        assert expected in words(page), table
        pages.append(page.text)
        key = "1;1" if table == "post-tag" else ids.get(table, 1)
        detail = admin.get(f"/admin/{table}/details/{key}")
        assert detail.status_code == 200, (table, detail.text)
        pages.append(detail.text)
    pages.append(admin.get(f"/admin/user/edit/{ids['user']}").text)
    for text in pages:
        for secret in ("argon2", "hashed", "request_hash", "idempotency_key"):
            assert secret not in text


def test_search_filter_and_sort(admin: httpx.Client) -> None:
    fill(admin)
    new_user(admin, name="100% Ada", email="ada@example.com")
    for query, found, missing in [
        ("search=GRACE", "grace@", "ada@"),
        ("search=100%25", "ada@", "grace@"),
        ("search=%25", "ada@", "grace@"),
        ("search=%00", "Users", "ada@"),
        ("is_active=false", "Users", "ada@"),
        ("sortBy=name&sort=desc", "ada@", "nobody"),
    ]:
        page = admin.get(f"/admin/user/list?{query}")
        assert page.status_code == 200, query
        assert found in page.text, query
        assert missing not in page.text, query
    assert "ORD-" in admin.get("/admin/order/list?status=pending").text
    assert "ORD-" not in admin.get("/admin/order/list?status=shipped").text


def test_nothing_that_is_asked_for_gives_a_500(admin: httpx.Client) -> None:
    fill(admin)
    for path in [
        "user/details/abc",
        "user/details/99999999999999999999",
        "user/details/0",
        "user/edit/2147483648",
        "user/details/7",
        "nothing/list",
        "user/list?page=x",
        "user/list?page=99999999999999999999",
        "user/list?pageSize=0",
        "user/list?sortBy=hashed_password",
        "order/list?status=nonsense",
        "user/list?is_active=nonsense",
        "post-tag/details/1",
        "tag/edit/1",
        "user/export/csv",
        "user/ajax/lookup?name=posts&term=x",
        "user/1/bio/download/",
        "comment/create",
    ]:
        assert admin.get(f"/admin/{path}").status_code < 500, path
    for pks in ("", "?pks=", "?pks=abc", "?pks=99999999999999999999", "?pks=1,x"):
        answer = admin.request("DELETE", f"/admin/tag/delete{pks}", headers=origin(admin))
        assert answer.status_code < 500, pks
    for body in (b"", b"\xff=%ff", b"name=%00&email=x"):
        headers = origin(admin) | {"Content-Type": "application/x-www-form-urlencoded"}
        answer = admin.post("/admin/user/create", content=body, headers=headers)
        assert answer.status_code == 400, body


def test_create_and_edit_as_the_api_does(admin: httpx.Client) -> None:
    answer = save(
        admin,
        "/admin/user/create",
        name="Ada Lovelace",
        email=" ADA@example.com",
        password="Secret123",
    )
    assert answer.status_code == 302, words(answer)
    user = admin.get("/users/by-email/ada@example.com").json()
    assert (user["city"], user["age"], user["is_active"]) == ("Unknown", None, True)
    path = f"/admin/user/edit/{user['id']}"
    assert save(admin, path, age="36", bio="First").status_code == 302
    changed = admin.get(f"/users/{user['id']}").json()
    assert (changed["age"], changed["bio"], changed["name"]) == (36, "First", "Ada Lovelace")
    for wrong, told in [
        ({"age": "old"}, "Input should be a valid integer"),
        ({"email": "nonsense"}, "value is not a valid email address"),
        ({"name": ""}, "Text must not be blank"),
        ({"name": "A"}, "String should have at least 2 characters"),
        ({"password": "weak"}, "at least 8 characters"),
    ]:
        answer = save(admin, path, **wrong)
        assert answer.status_code == 400, wrong
        assert told in words(answer), wrong
    new_user(admin, email="taken@example.com")
    assert "Email already registered" in words(save(admin, path, email="taken@example.com"))
    assert admin.get(f"/users/{user['id']}").json() == changed


def test_edit_shop_as_the_api_does(admin: httpx.Client) -> None:
    ids = fill(admin)
    path = f"/admin/product/edit/{ids['product']}"
    assert save(admin, path, price="20.10").status_code == 302
    assert admin.get(f"/products/{ids['product']}").json()["price"] == 20.1
    for wrong, told in [
        ({"price": "20.123"}, "no more than 2 decimal places"),
        ({"price": "0"}, "greater than 0"),
        ({"category_id": "99"}, "Category not found"),
        ({"stock": "-1"}, "valid integer"),
    ]:
        answer = save(admin, path, **wrong)
        assert (answer.status_code, told in words(answer)) == (400, True), (wrong, words(answer))
    post = f"/admin/post/edit/{ids['post']}"
    assert save(admin, post, tag_ids="").status_code == 302
    assert admin.get(f"/posts/{ids['post']}").json()["tags"] == []
    assert "Some tags not found" in words(save(admin, post, tag_ids="1, 77"))
    order = f"/admin/order/edit/{ids['order']}"
    assert "cannot go from pending to delivered" in words(save(admin, order, status="delivered"))
    assert save(admin, order, status="cancelled").status_code == 302
    assert admin.get(f"/products/{ids['product']}").json()["stock"] == 100


def test_edit_leaves_alone_what_somebody_else_has_changed(admin: httpx.Client) -> None:
    ids = fill(admin)
    path = f"/admin/product/edit/{ids['product']}"
    page = admin.get(path).text
    before = re.search(r'name="before"[^>]* value="([^"]*)"', page)
    assert before
    stock = admin.get(f"/products/{ids['product']}").json()["stock"]
    new_order(admin, ids["user"], {ids["product"]: 5})
    shown = json.loads(unescape(before[1]))
    form = {k: v for k, v in shown.items() if v is not False} | {
        "before": unescape(before[1]),
        "name": "Renamed",
        "save": "Save",
    }
    assert admin.post(path, data=form, headers=origin(admin)).status_code == 302
    product = admin.get(f"/products/{ids['product']}").json()
    assert (product["name"], product["stock"]) == ("Renamed", stock - 5)


def test_delete_as_the_api_does(admin: httpx.Client) -> None:
    ids = fill(admin)

    def delete(table: str, key: int) -> str:
        path = f"/admin/{table}/delete?pks={key}"
        answer = admin.request("DELETE", path, headers=origin(admin))
        return words(admin.get(answer.text))

    assert "User has orders; use soft delete" in delete("user", ids["user"])
    assert "Product was ordered; deactivate it instead" in delete("product", ids["product"])
    for table in ("tag", "category", "post"):
        assert "error" not in delete(table, ids[table]).lower()
        assert admin.get(f"/admin/{table}/details/{ids[table]}").status_code == 404
    assert (
        admin.request("DELETE", "/admin/order/delete?pks=1", headers=origin(admin)).status_code
        == 403
    )
    assert admin.get(f"/products/{ids['product']}").json()["category"] is None


def test_the_api_key_is_asked_for_before_the_login(url: str) -> None:
    key = "a key of some length"
    with serve(url, ADMIN_PASSWORD=PASSWORD, API_KEY=key) as client:
        assert login(client).status_code == 401
        client.auth = ("", key)
        assert client.get("/admin/user/list").status_code == 302  # the login is still to come
        assert login(client).status_code == 302
        tag = save(client, "/admin/tag/create", name="python")
        assert tag.status_code == 302
        assert client.post("/tags", json={"name": "sql"}).status_code == 401


def test_the_app_is_as_before_when_admin_is_gone(url: str) -> None:
    before = len(app.routes)
    with serve(url, ADMIN_PASSWORD=PASSWORD):
        assert len(app.routes) > before
    assert len(app.routes) == before
