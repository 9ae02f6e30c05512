"""The pages as a browser shows them: Chromium, a real server, and nothing from anywhere else."""

import os
import shutil
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, ElementHandle, Page, Request, sync_playwright

from app import app
from conftest import NewDatabase, new_product, new_user, serve
from core.docs import SECTIONS
from desk import ROOT

PASSWORD = "open sesame"
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or ""
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="needs Chromium: apt install chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Yield Chromium. Not for the session: its event loop would be in the way of other tests."""
    arguments = ["--no-sandbox"] * (hasattr(os, "geteuid") and os.geteuid() == 0)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def server(sqlite_databases: NewDatabase) -> Iterator[httpx.Client]:
    """Yield a client of the app on an empty SQLite database."""
    with sqlite_databases() as url, serve(url, ADMIN_PASSWORD=PASSWORD, SQL_LENS="1") as client:
        yield client


@pytest.fixture
def page(browser: Browser, server: httpx.Client) -> Iterator[Page]:
    """Yield a page that fails the test when it asks anybody but our server, or logs an error."""
    strangers: list[str] = []
    home = str(server.base_url)
    with browser.new_context(base_url=home, viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: strangers.append(str(error)))

        def note(request: Request) -> None:
            if not request.url.startswith((home, "blob:", "data:")) and request.failure != "csp":
                strangers.append(f"{request.url} {request.failure}")

        page.on("requestfinished", note)
        page.on("requestfailed", note)  # "csp": our page forbade it, and it was not sent
        yield page
    assert strangers == []


def execute(operation: ElementHandle) -> tuple[str, str]:
    """Click "Try it out" and "Execute"; return what was asked and the status of the answer."""
    for button in (".opblock-summary-control", ".try-out__btn", ".execute"):
        find(operation, button).evaluate("button => button.click()")
    status = find(operation, ".live-responses-table tbody .response-col_status").inner_text()
    asked = [
        find(operation, f".opblock-summary-{part}").inner_text() for part in ("method", "path")
    ]
    # What stays open makes the next one slower.
    find(operation, ".opblock-summary-control").evaluate("button => button.click()")
    return " ".join(asked).replace("\u200b", ""), status


def find(place: Page | ElementHandle, selector: str) -> ElementHandle:
    """Wait for an element and return it."""
    element = place.wait_for_selector(selector, state="attached")
    assert element, selector
    return element


@pytest.mark.long
def test_docs_from_top_to_bottom_on_an_empty_database(
    page: Page, request: pytest.FixtureRequest
) -> None:
    """Whoever clicks through all operations, with what is proposed, sees them all succeed.

    Each takes Chromium a second: without --all-proofs only the first dozen are clicked, and
    test_docs.py sends what all of them propose.
    """
    page.goto("/docs")
    find(page, ".opblock")
    assert [tag.inner_text().split("\n")[0] for tag in page.query_selector_all(".opblock-tag")] == (
        list(SECTIONS)
    )
    operations = page.query_selector_all(".opblock")
    assert len(operations) == sum(map(len, app.openapi()["paths"].values()))
    clicked = operations if request.config.getoption("--all-proofs") else operations[:12]
    answers = list(map(execute, clicked))
    assert [answer for answer in answers if answer[1][:1] != "2"] == []


def test_redoc_without_internet(page: Page) -> None:
    page.goto("/redoc")
    assert "onemodel" in find(page, "h1").inner_text()
    find(page, "text=Create User")


def keep_picture(page: Page, name: str) -> None:
    """Save what README shows, if it is asked for anew."""
    if "TEST_WRITE_PICTURES" in os.environ:
        page.screenshot(path=ROOT / "docs" / name)


def test_pictures_of_readme(page: Page, server: httpx.Client) -> None:
    """/docs and the tables with a few rows in them."""
    for name, city in (("Ada Lovelace", "London"), ("Grace Hopper", "New York")):
        new_user(server, name=name, city=city, email=f"{name.split()[0].lower()}@example.com")
    page.goto("/docs")
    find(page, ".opblock")
    keep_picture(page, "docs.png")
    page.goto("/admin")
    page.fill("#password", PASSWORD)
    page.click("button[type=submit]")
    page.goto("/admin/user/list")
    find(page, "text=ada@example.com")
    keep_picture(page, "admin.png")
    page.goto("/sql")
    find(page, "text=GET /admin/user/list")
    for name in ("docs.png", "admin.png"):
        assert (ROOT / "docs" / name).stat().st_size > 10_000
        assert f"docs/{name}" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_admin_changes_and_deletes_by_click(page: Page, server: httpx.Client) -> None:
    product = new_product(server, name="SQL by hand", price=19.9)["id"]
    page.goto("/admin/")
    page.fill("#password", "wrong password")
    page.click("button[type=submit]")
    assert find(page, "[role=alert]").inner_text() == "This is not the password."
    page.fill("#password", PASSWORD)
    page.click("button[type=submit]")
    page.goto(f"/admin/product/edit/{product}")
    page.fill("#price", "0")
    page.click("input[value=Save]")
    assert "greater than 0" in find(page, ".invalid-feedback").inner_text()
    page.fill("#price", "20.10")
    page.click("input[value=Save]")
    find(page, "text=20.10")
    assert server.get(f"/products/{product}").json()["price"] == 20.1
    page.goto(f"/admin/product/details/{product}")
    page.click("text=Delete")
    page.click("#modal-delete-button[data-url*=pks]")  # its address is there when it has slid in
    page.wait_for_url("**/admin/product/list")
    assert server.get(f"/products/{product}").status_code == 404


def test_lens_by_keyboard_and_on_a_phone(page: Page, server: httpx.Client) -> None:
    new_user(server, email="ada@example.com")
    page.set_viewport_size({"width": 360, "height": 700})
    page.goto("/sql")
    page.focus("summary")
    page.keyboard.press("Enter")
    assert page.is_visible("text=INSERT INTO users")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.click("text=Plans of POST /users")
    assert "Statement 1" in page.inner_text("h2")
    page.click("text=All requests")
    page.wait_for_url("**/sql")


def test_with_the_key_a_browser_gets_into_admin_and_lens(
    browser: Browser, sqlite_databases: NewDatabase
) -> None:
    key = "correct-horse-battery-staple"
    settings = {"API_KEY": key, "ADMIN_PASSWORD": PASSWORD, "SQL_LENS": "1"}
    with sqlite_databases() as url, serve(url, **settings) as client:
        client.headers["Authorization"] = f"Bearer {key}"
        tag = client.post("/tags", json={"name": "python"}).json()["id"]
        with browser.new_context(
            base_url=str(client.base_url), http_credentials={"username": "", "password": key}
        ) as context:
            page = context.new_page()
            page.goto("/admin/")
            page.fill("#password", PASSWORD)
            page.click("button[type=submit]")
            page.goto(f"/admin/tag/details/{tag}")
            page.click("text=Delete")
            page.click("#modal-delete-button[data-url*=pks]")
            page.wait_for_url("**/admin/tag/list")
            assert client.get("/tags").json() == []
            page.goto("/sql")
            assert "DELETE FROM tags" in page.content()
