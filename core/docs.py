"""/docs and /redoc, with the files of the package fastapi-offline: they need no internet."""

from pathlib import Path

import fastapi_offline
from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

FILES = "/docs/files"
# The order of the sections in /docs: whoever tries one after the other has what the next one needs.
SECTIONS = {
    "Service": "Does it run?",
    "Users": "One table: create, read, change, hide; one by one and many at once.",
    "Tags": "A table of one column, for the posts.",
    "Posts": "Many to one (author) and many to many (tags).",
    "Comments": "Rows that belong to a row.",
    "Categories": "A table that points to itself.",
    "Products": "Money, stock and filters.",
    "Orders": "Transactions: all of it or nothing.",
    "Async": "Some routes of Users again, by async code.",
    "Deletes": "Last, as the sections above need what these delete.",
}

# What a request proposes is beside its class in models.py; these two take many rows ...
MORE_USERS = [
    {"name": "Grace Hopper", "email": "grace@example.com", "age": 85, "city": "New York"},
    {"name": "Alan Turing", "email": "alan@example.com", "age": 41, "city": "London"},
    {"name": "Linus Torvalds", "email": "linus@example.com", "age": 56, "city": "Portland"},
]
MORE_PRODUCTS = [
    {"name": "Mouse", "sku": "MO-001", "price": 19.5, "stock": 5, "category_id": 1},
    {"name": "Keyboard", "sku": "KB-001", "price": 49, "stock": 20, "category_id": 1},
]
# ... and this one comes when the e-mail of its class's example is taken.
USER = {"name": "Guido van Rossum", "email": "guido@example.com", "age": 70, "city": "Haarlem"}
ANOTHER_USER = {"requestBody": {"content": {"application/json": {"example": USER}}}}


def add_docs(app: FastAPI) -> None:
    """Add the pages to an app; their scripts are read only when somebody opens one."""
    app.mount(FILES, StaticFiles(directory=Path(fastapi_offline.__file__).with_name("static")))

    async def show_docs(request: Request) -> HTMLResponse:
        root = request.scope.get("root_path", "")
        return get_swagger_ui_html(
            openapi_url=f"{root}{app.openapi_url}",
            title=f"{app.title}: try it out",
            swagger_js_url=f"{root}{FILES}/swagger-ui-bundle.js",
            swagger_css_url=f"{root}{FILES}/swagger-ui.css",
            swagger_favicon_url=f"{root}{FILES}/favicon.png",
        )

    async def show_redoc(request: Request) -> HTMLResponse:
        root = request.scope.get("root_path", "")
        page = get_redoc_html(
            openapi_url=f"{root}{app.openapi_url}",
            title=f"{app.title}: the API",
            redoc_js_url=f"{root}{FILES}/redoc.standalone.js",
            redoc_favicon_url=f"{root}{FILES}/favicon.png",
            with_google_fonts=False,
        )
        # Redoc would load its maker's logo from a CDN.
        page.headers["Content-Security-Policy"] = "img-src 'self' data:"
        return page

    app.add_route("/docs", show_docs, include_in_schema=False)
    app.add_route("/redoc", show_redoc, include_in_schema=False)
