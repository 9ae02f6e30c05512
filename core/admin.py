"""/admin: the tables in the browser, if ADMIN_PASSWORD is set.

sqladmin makes the pages. What is entered goes through the input classes of models.py and the
functions of crud.py, so nobody can store here what the API would refuse.
"""

import json
import logging
from collections import defaultdict, deque
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from hashlib import pbkdf2_hmac
from pathlib import Path
from secrets import compare_digest
from time import monotonic
from typing import Annotated, Any, ClassVar, get_args, get_origin

from fastapi import FastAPI, HTTPException
from pydantic import ValidationError
from sqladmin import Admin, ModelView
from sqladmin.authentication import AuthenticationBackend
from sqladmin.filters import BooleanFilter, StaticValuesFilter
from sqladmin.formatters import BASE_FORMATTERS
from sqlalchemy import Select, String, cast, false, func, literal, or_
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session, sessionmaker
from starlette.datastructures import Headers
from starlette.middleware import Middleware as Use
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from wtforms import (
    BooleanField,
    Form,
    HiddenField,
    PasswordField,
    SelectField,
    StringField,
    TextAreaField,
)

import crud
import models
from core.deadline import BusyError
from core.errors import answer_fault, may_pass, without_input
from core.rows import Pattern
from database import Database, get_database

logger = logging.getLogger("uvicorn.error")
Change = Callable[[Session], Any]


# ── Forms ────────────────────────────────────────────────────────────────────────────────────────

LONG = {"content", "description", "bio", "shipping_address"}


def type_of(annotation: Any) -> Any:
    """Return the type inside Annotated[…] and beside None."""
    if get_origin(annotation) is Annotated:
        return type_of(get_args(annotation)[0])
    others = [part for part in get_args(annotation) if part is not type(None)]
    if get_origin(annotation) is list or not others:
        return get_origin(annotation) or annotation
    return type_of(others[0])


def takes_null(annotation: Any) -> bool:
    """Tell whether None is a value of a field."""
    return annotation is type(None) or any(map(takes_null, get_args(annotation)))


class InputForm(Form):  # type: ignore[misc]  # WTForms has no types
    """A form of the fields of an input class, which also checks what is entered."""

    input_class: ClassVar[type[models.Input]]

    def validate(self, extra_validators: Any = None) -> bool:
        """Put what the input class finds wrong beside the fields."""
        try:
            parse(self.input_class, self.data)
        except ValidationError as error:
            for wrong in error.errors():
                field = self._fields.get(str(wrong["loc"][0]))
                if field is not None:
                    message = without_input(wrong)["msg"].removeprefix("Value error, ")
                    field.errors = [*field.errors, message]
            return False
        return True


def form_for(input_class: type[models.Input]) -> type[InputForm]:
    """Return the form of an input class."""
    fields: dict[str, Any] = {"input_class": input_class, "before": HiddenField()}
    look = {"class": "form-control"}
    for name, field in input_class.model_fields.items():
        kind, label = type_of(field.annotation), label_of(name)
        if kind is bool:
            fields[name] = BooleanField(label, render_kw={"class": "form-check-input"})
        elif isinstance(kind, type) and issubclass(kind, StrEnum):
            choices = [(str(value), str(value)) for value in kind]
            fields[name] = SelectField(
                label, choices=choices, validate_choice=False, render_kw={"class": "form-select"}
            )
        elif kind is list:
            hint = "numbers, with commas between them"
            fields[name] = StringField(label, description=hint, render_kw=look)
        else:
            kinds = {"password": PasswordField} | dict.fromkeys(LONG, TextAreaField)
            fields[name] = kinds.get(name, StringField)(label, render_kw=look)
    return type(f"{input_class.__name__}Form", (InputForm,), fields)


def parse(input_class: type[models.Input], data: dict[str, Any]) -> Any:
    """Return an instance of an input class; raises ValidationError.

    Of a row that is edited, only what was changed: somebody may have changed the rest since.
    """
    before = object_of(data.get("before"))
    values = {}
    for name, field in input_class.model_fields.items():
        text = "" if data[name] is None else data[name]
        if text != before.get(name, "") or (not before and text != ""):
            values[name] = value_of(field.annotation, text)
    return input_class.model_validate(values)


def object_of(text: str | None) -> dict[str, Any]:
    """Return the JSON object that is in a hidden field; an empty one if somebody has changed it."""
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError):
        value = {}
    return value if isinstance(value, dict) else {}


def value_of(annotation: Any, text: Any) -> Any:
    """Return what a text of a form stands for; what it cannot be stays text, and is refused."""
    kind = type_of(annotation)
    if text == "" and takes_null(annotation):
        return None
    if kind is list:
        return [value_of(int, part.strip()) for part in text.split(",") if part.strip()]
    if kind is int and text.isascii() and text.isdigit() and len(text) < 20:
        return int(text)
    return text


def text_of(value: Any) -> Any:
    """Return how a value stands in a form."""
    if isinstance(value, list):
        return ", ".join(str(row.id) for row in value)
    return value if isinstance(value, bool) else "" if value is None else str(value)


def label_of(name: str) -> str:
    """Return a field's name as people write it."""
    return name.replace("_", " ").capitalize()


# ── Tables ───────────────────────────────────────────────────────────────────────────────────────


class Refusal(Exception):  # noqa: N818 - sqladmin shows it as a sentence
    """Why a change was not made."""


async def write(request: Request, change: Change) -> Any:
    """Run a function of crud.py in a transaction, as a route does; raises Refusal."""
    database = get_database(request)

    def run() -> Any:
        with Session(database.writer, expire_on_commit=False) as db:
            result = change(db)
            db.commit()
        return result

    try:
        return await database.threads[database.writer].run(run)
    except crud.DomainError as error:
        raise Refusal(str(error)) from None
    except IntegrityError as error:
        raise Refusal(str(crud.as_domain_error(error))) from None
    except Exception as error:
        logger.exception("/admin could not write")
        busy = "The database is busy or away; try again"
        raise Refusal(busy if may_pass(error) else "This failed; the log says why") from None


def row_id(text: str) -> int:
    """Return an id of the address; raises HTTPException."""
    if not (text.isascii() and text.isdigit() and 0 < int(text[:11]) <= models.MAX_INTEGER):
        raise HTTPException(404, "There is no such row")
    return int(text)


class Choices(StaticValuesFilter):
    """A filter by an enum, which leaves out of account what is none of its values."""

    async def get_filtered_query(self, query: Select[Any], value: Any, model: Any) -> Any:
        """Narrow the list if the value is one."""
        known = value in dict(self.values)
        return await super().get_filtered_query(query, value, model) if known else query


class Table(ModelView):
    """A table to look at; what a subclass names can be changed, too."""

    can_create = can_edit = can_delete = can_export = False
    page_size_options: ClassVar = [10, 25, 50, 100]
    form_create_rules: ClassVar = ["create"]
    form_edit_rules: ClassVar = ["edit"]
    column_type_formatters: ClassVar = {
        **BASE_FORMATTERS,
        Decimal: "{:.2f}".format,
        datetime: "{:%Y-%m-%d %H:%M:%S} UTC".format,
    }
    create_class: ClassVar[type[models.Input]]
    edit_class: ClassVar[type[models.Input]]
    # The names of related rows, and how each of them is to be called.
    names: ClassVar[dict[str, Callable[[Any], str]]] = {}

    def __init__(self) -> None:
        table: Any = type(self)
        fields = [name for name, field in table.model.model_fields.items() if not field.exclude]
        hidden = {*LONG, *(f"{name}_id" for name in self.names)}
        table.column_details_list = [*fields, *self.names]
        table.column_list = [n for n in table.column_details_list if n not in hidden]
        table.column_sortable_list = [name for name in table.column_list if name in fields]
        table.column_labels = {name: label_of(name) for name in table.column_details_list}
        table.column_formatters = table.column_formatters_detail = {
            name: lambda row, name: (other := getattr(row, name)) and self.names[name](other)
            for name in self.names
        }
        super().__init__()

    async def scaffold_form(self, rules: Any = None) -> type[InputForm]:
        """Return the form to create or to edit a row, made of the input class."""
        return form_for(self.edit_class if rules == self.form_edit_rules else self.create_class)

    async def get_form_data_for_edit(self, row: Any) -> dict[str, Any]:
        """Return a row as the form shows it, and once more to see what is changed."""
        shown = {
            name: text_of(getattr(row, "tags" if name == "tag_ids" else name, None))
            for name in self.edit_class.model_fields
        }
        return shown | {"before": json.dumps(shown)}

    def create_row(self, db: Session, data: Any) -> Any:
        """Insert what was entered."""
        return crud.add(db, self.model, data.columns())

    def edit_row(self, db: Session, id: int, data: Any) -> Any:
        """Change what was changed."""
        return crud.change(db, self.model, id, data.columns())

    def delete_row(self, db: Session, id: int) -> None:
        """Delete a row."""
        crud.remove(db, self.model, id)

    async def insert_model(self, request: Request, data: dict[str, Any]) -> Any:
        """Insert a row as the API does."""
        entered = parse(self.create_class, data)
        row = await write(request, lambda db: self.create_row(db, entered))
        return await self.get_object_for_delete(str(row.id))

    async def update_model(self, request: Request, pk: str, data: dict[str, Any]) -> Any:
        """Change a row as the API does."""
        entered = parse(self.edit_class, data)
        await write(request, lambda db: self.edit_row(db, row_id(pk), entered))
        return await self.get_object_for_delete(pk)

    async def delete_model(self, request: Request, pk: str) -> None:
        """Delete a row as the API does."""
        await write(request, lambda db: self.delete_row(db, row_id(pk)))

    def _stmt_by_identifier(self, identifier: str) -> Select[Any]:
        ids = [row_id(part) for part in identifier.split(";")]
        if len(ids) != len(self.pk_columns):  # the link of a post and a tag has two
            raise HTTPException(404, "There is no such row")
        return super()._stmt_by_identifier(identifier)

    def search_query(self, stmt: Select[Any], term: str) -> Select[Any]:
        """Find the term in one of the columns, in any case and literally, like the API."""
        if "\0" in term:
            return stmt.where(false())
        pattern = func.lower(literal(term, Pattern()))
        columns = [cast(getattr(self.model, name), String) for name in self._search_fields]
        return stmt.where(or_(*(func.lower(c).like(pattern, escape="/") for c in columns)))


def name_of(row: Any) -> str:
    """Return the name of a related row."""
    return str(row.name)


class Users(Table, model=models.User):
    """Users, without their hashes."""

    can_create = can_edit = can_delete = True
    create_class, edit_class = models.UserCreate, models.UserUpdate
    column_searchable_list: ClassVar = ["name", "username", "email"]
    column_filters: ClassVar = [BooleanFilter("is_active")]


class Tags(Table, model=models.Tag):
    """Tags, which the API does not change either."""

    can_create = can_delete = True
    create_class = models.TagCreate
    column_searchable_list: ClassVar = ["name"]


class Posts(Table, model=models.Post):
    """Posts with the names of their authors."""

    can_create = can_edit = can_delete = True
    create_class, edit_class = models.PostCreate, models.PostUpdate
    names: ClassVar = {"author": name_of}
    form_columns: ClassVar = ["tags"]
    column_searchable_list: ClassVar = ["title", "content"]
    column_filters: ClassVar = [BooleanFilter("published")]

    def create_row(self, db: Session, data: models.PostCreate) -> Any:
        """Write a post, tags included."""
        return crud.create_post(db, data)

    def edit_row(self, db: Session, id: int, data: models.PostUpdate) -> Any:
        """Change a post, tags included."""
        return crud.update_post(db, id, data)


class PostTags(Table, model=models.PostTag):
    """Which post has which tag."""

    name_plural = "Post Tags"


class Comments(Table, model=models.Comment):
    """Comments with the titles of their posts."""

    names: ClassVar = {"post": lambda post: str(post.title)}
    column_searchable_list: ClassVar = ["body"]


class Categories(Table, model=models.Category):
    """Categories, which form a tree."""

    name_plural = "Categories"
    can_create = can_edit = can_delete = True
    create_class, edit_class = models.CategoryCreate, models.CategoryUpdate
    column_searchable_list: ClassVar = ["name", "slug"]

    def create_row(self, db: Session, data: models.CategoryCreate) -> Any:
        """Add a category below its parent."""
        return crud.create_category(db, data)

    def edit_row(self, db: Session, id: int, data: models.CategoryUpdate) -> Any:
        """Change a category, which cannot go below itself."""
        return crud.update_category(db, id, data)

    def delete_row(self, db: Session, id: int) -> None:
        """Delete a category; what is in it stays."""
        crud.delete_category(db, id)


class Products(Table, model=models.Product):
    """Products with the names of their categories."""

    can_create = can_edit = can_delete = True
    create_class, edit_class = models.ProductCreate, models.ProductUpdate
    names: ClassVar = {"category": name_of}
    column_searchable_list: ClassVar = ["name", "sku"]
    column_filters: ClassVar = [BooleanFilter("is_active")]

    def create_row(self, db: Session, data: models.ProductCreate) -> Any:
        """Add a product to its category."""
        return crud.create_product(db, data)

    def edit_row(self, db: Session, id: int, data: models.ProductUpdate) -> Any:
        """Change a product."""
        return crud.update_product(db, id, data)


class OrderStatusUpdate(models.Update):
    """All that can be changed of an order."""

    status: models.OrderStatus


class Orders(Table, model=models.Order):
    """Orders, which can go from status to status."""

    can_edit = True
    edit_class = OrderStatusUpdate
    names: ClassVar = {"user": name_of}
    column_searchable_list: ClassVar = ["order_number"]
    column_filters: ClassVar = [
        Choices("status", [(str(value), str(value)) for value in models.OrderStatus])
    ]

    def edit_row(self, db: Session, id: int, data: OrderStatusUpdate) -> Any:
        """Move an order on; cancelling it puts the stock back."""
        if "status" in data.model_fields_set:
            crud.change_status(db, id, data.status)


class OrderItems(Table, model=models.OrderItem):
    """What was ordered."""

    names: ClassVar = {"product": name_of}


class Notifications(Table, model=models.Notification):
    """What users were told."""

    column_searchable_list: ClassVar = ["message"]


TABLES: list[type[Table]] = [
    Users,
    Tags,
    Posts,
    PostTags,
    Comments,
    Categories,
    Products,
    Orders,
    OrderItems,
    Notifications,
]


# ── Login ────────────────────────────────────────────────────────────────────────────────────────

ATTEMPTS, SECONDS = 5, 60


class Login(AuthenticationBackend):
    """One password, in a cookie's stead a signature; few attempts a minute from one address."""

    def __init__(self, password: str) -> None:
        # Of the password, so that all workers have the same; slow, so that nobody finds it out.
        key = pbkdf2_hmac("sha256", password.encode(), b"onemodel /admin", 300_000).hex()
        cookie = {"session_cookie": "admin", "same_site": "strict", "max_age": 8 * 3600}
        super().__init__(secret_key=key, **cookie, path="/")  # HttpOnly, always
        self.password = password.encode()
        self.failures: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=ATTEMPTS))

    async def login(self, request: Request) -> bool | PlainTextResponse:
        """Check the password; 429 after five wrong ones in a minute."""
        address = request.client.host if request.client else ""
        failures, now = self.failures[address], monotonic()
        if len(failures) == ATTEMPTS and now - failures[0] < SECONDS:
            wait = {"Retry-After": str(SECONDS)}
            return PlainTextResponse("Too many attempts: wait a minute.", 429, wait)
        entered = str((await request.form()).get("password", "")).encode()
        if not compare_digest(entered, self.password):
            failures.append(now)
            logger.warning("/admin: a wrong password from %s", address)
            return False
        self.failures.clear()
        request.session["admin"] = True
        return True

    async def logout(self, request: Request) -> bool:
        """Forget who this is."""
        request.session.clear()
        return False

    async def authenticate(self, request: Request) -> bool:
        """Tell whether the cookie is one of ours."""
        return request.session.get("admin") is True


class OnlyFromOurPages:
    """Refuse what another site's page sends, and to be kept by a cache."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Compare the Origin, which browsers send with each change, to the host."""
        headers = Headers(scope=scope)

        async def send_uncached(message: Message) -> None:
            if message["type"] == "http.response.start" and "/statics/" not in scope["path"]:
                message["headers"] = [*message["headers"], (b"cache-control", b"no-store")]
            await send(message)

        changes = scope["method"] not in ("GET", "HEAD")
        if changes and headers.get("origin", "").partition("://")[2] != headers.get("host"):
            refusal = PlainTextResponse("This was not sent by a page of /admin.", 403)
            await refusal(scope, receive, send)
        else:
            await self.app(scope, receive, send_uncached)


class TableAdmin(Admin):
    """The pages."""

    async def delete(self, request: Request) -> Any:
        """Delete the rows that are named."""
        if not request.query_params.get("pks"):
            raise HTTPException(400, "Which rows?")
        return await super().delete(request)


def add_admin(app: FastAPI, database: Database, password: str) -> None:
    """Add the pages to the app."""
    admin = TableAdmin(
        app,
        session_maker=sessionmaker(database.reader),
        title="onemodel",
        templates_dir=str(Path(__file__).with_name("templates")),
        authentication_backend=Login(password),
        middlewares=[Use(OnlyFromOurPages)],
    )
    unused = {"export", "import", "file_download", "file_preview"}
    for fault in (DBAPIError, PoolTimeoutError, BusyError):
        admin.admin.add_exception_handler(fault, answer_fault)
    routes = admin.admin.router.routes
    routes[:] = [route for route in routes if getattr(route, "name", "") not in unused]
    for table in TABLES:
        admin.add_view(table)

    async def add_slash(request: Request) -> RedirectResponse:
        return RedirectResponse(f"{request.scope.get('root_path', '')}/admin/")

    app.router.routes.append(Route("/admin", add_slash))
    logging.getLogger("sqladmin.application").disabled = True  # it logs each refusal as a crash
    logger.info("The tables are at /admin: log in with ADMIN_PASSWORD")
