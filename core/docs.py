"""/docs and /redoc, with the files of the package fastapi-offline: they need no internet."""

from pathlib import Path
from typing import Any

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

# What /docs proposes for each body: one after the other they work, on an empty database.
BODIES: dict[str, dict[str, Any]] = {
    "UserCreate": {
        "name": "Ada Lovelace",
        "username": "ada_1815",
        "email": "ada@example.com",
        "age": 36,
        "city": "London",
        "bio": "Wrote the first program",
        "password": "Secret123",
    },
    "UserUpdate": {"age": 37, "city": "Paris"},
    "TagCreate": {"name": "python"},
    "PostCreate": {
        "title": "Learning FastAPI",
        "content": "FastAPI is a fine framework for building APIs",
        "author_id": 1,
        "tag_ids": [1],
    },
    "PostUpdate": {"title": "Learning FastAPI and SQLModel", "tag_ids": [1]},
    "CommentCreate": {"body": "A fine post!", "author_id": 1},
    "CategoryCreate": {"name": "Electronics", "description": "All that needs a plug"},
    "CategoryUpdate": {"description": "All that needs a plug or a battery"},
    "ProductCreate": {
        "name": "Wireless Headphones",
        "sku": "WH-001",
        "description": "They last a day",
        "price": 79.99,
        "stock": 50,
        "category_id": 1,
    },
    "ProductUpdate": {"price": 69.99},
    "OrderCreate": {
        "user_id": 1,
        "items": [{"product_id": 1, "quantity": 2}],
        "shipping_address": "12 St James's Square, London",
    },
}
# The bodies of single routes, where the one of its class is taken or there is no class.
BODIES_OF_ROUTES: dict[str, Any] = {
    "POST /users/bulk": [
        {"name": "Grace Hopper", "email": "grace@example.com", "age": 85, "city": "New York"},
        {"name": "Alan Turing", "email": "alan@example.com", "age": 41, "city": "London"},
        {"name": "Linus Torvalds", "email": "linus@example.com", "age": 56, "city": "Portland"},
    ],
    "PATCH /users/bulk/deactivate": {"user_ids": [4]},
    "POST /products/bulk": [
        {"name": "Mouse", "sku": "MO-001", "price": 19.5, "stock": 5, "category_id": 1},
        {"name": "Keyboard", "sku": "KB-001", "price": 49, "stock": 20, "category_id": 1},
    ],
    "POST /products/{id}/stock": {"change": -3},
    "POST /async/users": {
        "name": "Guido van Rossum",
        "email": "guido@example.com",
        "age": 70,
        "city": "Haarlem",
    },
}
PARAMETERS = {"id": 1, "email": "ada@example.com", "sku": "WH-001", "new_status": "confirmed"}
# The rows that are deleted: the first user and the first product have orders.
IDS = {"DELETE /users/{id}": 2, "DELETE /products/{id}": 2, "DELETE /async/users/{id}": 3}


def propose(document: dict[str, Any]) -> None:
    """Write the proposals into an OpenAPI document."""
    for name, body in BODIES.items():
        document["components"]["schemas"][name]["examples"] = [body]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            route = f"{method.upper()} {path}"
            for parameter in operation.get("parameters", ()):
                name = parameter["name"]
                if name in PARAMETERS and (parameter["in"] == "path" or parameter["required"]):
                    value = IDS.get(route) if name == "id" else None
                    parameter["schema"]["example"] = value or PARAMETERS[name]
            if route in BODIES_OF_ROUTES:
                content = operation["requestBody"]["content"]["application/json"]
                content["example"] = BODIES_OF_ROUTES[route]


async def show_docs(request: Request) -> HTMLResponse:
    """Answer with Swagger UI."""
    app, root = request.app, request.scope.get("root_path", "")
    return get_swagger_ui_html(
        openapi_url=f"{root}{app.openapi_url}",
        title=f"{app.title}: try it out",
        swagger_js_url=f"{root}{FILES}/swagger-ui-bundle.js",
        swagger_css_url=f"{root}{FILES}/swagger-ui.css",
        swagger_favicon_url=f"{root}{FILES}/favicon.png",
    )


async def show_redoc(request: Request) -> HTMLResponse:
    """Answer with Redoc."""
    app, root = request.app, request.scope.get("root_path", "")
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


def add_docs(app: FastAPI) -> None:
    """Add the pages to an app; their scripts are read only when somebody opens one."""
    describe = app.openapi

    def describe_and_propose() -> dict[str, Any]:
        if not app.openapi_schema:
            propose(describe())
        return describe()

    # FastAPI's way to extend its document is to replace the method.
    app.openapi = describe_and_propose  # type: ignore[method-assign]
    app.mount(FILES, StaticFiles(directory=Path(fastapi_offline.__file__).with_name("static")))
    app.add_route("/docs", show_docs, include_in_schema=False)
    app.add_route("/redoc", show_redoc, include_in_schema=False)
