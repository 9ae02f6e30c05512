"""/sql: what each request asked of the database, if SQL_LENS is set, on one's own machine."""

import asyncio
import re
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_address
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import Any

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from jinja2 import Environment, FileSystemLoader
from sqlalchemy import Engine, event
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.middleware import own_path
from core.settings import StartupError
from database import Database

REQUESTS = 200  # that are kept
STATEMENTS = 200  # of one request
SHAPE = 5  # so many statements of one shape are worth a word
NO_STATEMENT = ("BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK")


@dataclass
class Statement:
    """One statement that was sent."""

    sql: str
    parameters: Any
    shown: str
    milliseconds: float = 0
    rows: int = 0


@dataclass
class Entry:
    """One request and its statements."""

    number: int
    method: str
    path: str
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    status: int = 0
    milliseconds: float = 0
    count: int = 0
    database: float = 0
    statements: list[Statement] = field(default_factory=list)

    @property
    def hint(self) -> str:
        """Say what is wrong with the statements, if anything is."""
        shapes = Counter(shape_of(statement.sql) for statement in self.statements)
        for _, times in shapes.most_common(1):
            if times >= SHAPE:
                return f"{times} statements of one shape: look at eager loading"
        return ""


def shape_of(sql: str) -> str:
    """Return a statement without its numbers, so that the same one for another row is equal."""
    return re.sub(r"\s+", " ", re.sub(r"\b\d+\b", "?", sql))


CURRENT: ContextVar[Entry | None] = ContextVar("entry", default=None)


class Lens:
    """The requests that were seen, and the middleware that sees them."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.entries: deque[Entry] = deque(maxlen=REQUESTS)
        self.numbers = count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Note a request, and tell its times in the header Server-Timing."""
        if scope["type"] != "http" or own_path(scope).startswith(("/sql", "/docs/files")):
            await self.app(scope, receive, send)
            return
        query = scope["query_string"].decode("latin-1")
        path = own_path(scope) + (f"?{query}" if query else "")
        entry = Entry(next(self.numbers), scope["method"], path)
        self.entries.append(entry)
        start = perf_counter()

        async def send_with_times(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry.status = message["status"]
                entry.milliseconds = (perf_counter() - start) * 1000
                timing = (
                    f'db;dur={entry.database:.2f};desc="{entry.count} statements", '
                    f"total;dur={entry.milliseconds:.2f}"
                )
                header = (b"server-timing", timing.encode())
                message["headers"] = [*message["headers"], header]
            await send(message)

        token = CURRENT.set(entry)
        try:
            await self.app(scope, receive, send_with_times)
        finally:
            CURRENT.reset(token)


# ── Statements ───────────────────────────────────────────────────────────────────────────────────


class CountingCursor:
    """A driver's cursor that counts the rows that are fetched: SQLite tells no number."""

    def __init__(self, cursor: Any, statement: Statement) -> None:
        self._cursor, self._statement = cursor, statement

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)

    def _counted(self, rows: Any) -> Any:
        self._statement.rows += len(rows)
        return rows

    def fetchone(self) -> Any:
        """Fetch a row and count it."""
        row = self._cursor.fetchone()
        self._statement.rows += row is not None
        return row

    def fetchmany(self, *size: int) -> Any:
        """Fetch rows and count them."""
        return self._counted(self._cursor.fetchmany(*size))

    def fetchall(self) -> Any:
        """Fetch all rows and count them."""
        return self._counted(self._cursor.fetchall())


def _before(_c: object, _u: object, _s: str, _p: object, context: Any, _m: bool) -> None:
    if context is not None:
        context.lens_start = perf_counter()


def _after(_: object, cursor: Any, sql: str, parameters: Any, context: Any, _m: bool) -> None:
    entry = CURRENT.get()
    if entry is None or context is None or sql.startswith(NO_STATEMENT):
        return
    one = parameters[0] if isinstance(parameters, list) else parameters  # a list: executemany()
    statement = Statement(sql, one, _shown(parameters, context))
    statement.milliseconds = (perf_counter() - context.lens_start) * 1000
    entry.count += 1
    entry.database += statement.milliseconds
    if len(entry.statements) < STATEMENTS:
        entry.statements.append(statement)
    if cursor.description:
        context.cursor = CountingCursor(cursor, statement)
    else:
        statement.rows = max(cursor.rowcount, 0)


def _shown(parameters: Any, context: Any) -> str:
    named = getattr(context, "compiled_parameters", None)
    if named:
        sets = [
            {name: "***" if "password" in name else value for name, value in given.items()}
            for given in named[:3]
        ]
        more = f" and {len(named) - 3} more" if len(named) > 3 else ""
        return ", ".join(map(repr, sets))[:2000] + more
    return repr(parameters)[:2000]


# ── Pages ────────────────────────────────────────────────────────────────────────────────────────

PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)
LOCAL_HOSTS = {"localhost", "127.0.0.1", "[::1]"}


def is_local(request: Request) -> bool:
    """Tell whether somebody at this machine asks, by its own name and not through a proxy."""
    host = Headers(scope=request.scope).get("host", "")
    name = host.rpartition(":")[0] if re.search(r":\d+$", host) else host
    forwarded = {"forwarded", "x-forwarded-for"} & set(request.headers)
    return name in LOCAL_HOSTS and not forwarded and _is_loopback(request.client)


def _is_loopback(client: Any) -> bool:
    try:
        return ip_address(client.host).is_loopback
    except (AttributeError, ValueError):
        return False


def explain(database: Database, statement: Statement) -> str:
    """Return the plan of a statement, which is not run."""
    words = {"sqlite": "EXPLAIN QUERY PLAN"}.get(database.writer.dialect.name, "EXPLAIN")
    try:
        with database.writer.connect() as connection:
            sql = f"{words} {statement.sql}"
            rows = connection.exec_driver_sql(sql, statement.parameters or ()).all()
            connection.rollback()
    except SQLAlchemyError as error:
        return f"There is no plan: {getattr(error, 'orig', error)}"
    if database.writer.dialect.name == "sqlite":
        return "\n".join(str(row[3]) for row in rows)
    return "\n".join(" | ".join(map(str, row)) for row in rows)


def pages(lens: Lens, database: Database) -> list[Route]:
    """Return the page of all requests, and the page of one with the plans of its statements."""

    def show(request: Request, **values: Any) -> Response:
        if not is_local(request):
            return PlainTextResponse("Open this page on the machine itself.", 403)
        entries = list(reversed(lens.entries))
        page = PAGES.get_template("sql.html").render(entries=entries, **values)
        return HTMLResponse(page, headers={"Cache-Control": "no-store"})

    async def show_all(request: Request) -> Response:
        return show(request, live="live" in request.query_params)

    async def show_one(request: Request) -> Response:
        number = request.path_params["number"]
        entry = next((entry for entry in lens.entries if str(entry.number) == number), None)
        if entry is None:
            return PlainTextResponse("This request is too long ago, or was none.", 404)
        if not is_local(request):
            return show(request)
        plans = [await run_in_threadpool(explain, database, s) for s in entry.statements]
        return show(request, entry=entry, plans=plans)

    return [Route("/sql", show_all), Route("/sql/{number}", show_one)]


def check_address() -> None:
    """Raise StartupError unless uvicorn listens to this machine alone."""
    task = asyncio.current_task()
    coroutine: Any = task.get_coro() if task else None
    # The task of the lifespan runs a method of uvicorn, which knows its configuration.
    names = getattr(getattr(coroutine, "cr_frame", None), "f_locals", {})
    config = getattr(names.get("self"), "config", None)
    host = getattr(config, "host", None)
    other = getattr(config, "uds", None) or getattr(config, "fd", None) is not None
    try:
        local = host == "localhost" or ip_address(str(host)).is_loopback
    except ValueError:
        local = False
    if not local or other:
        raise StartupError(
            "SQL_LENS shows the data to whoever can reach the app: use it with uvicorn on "
            "127.0.0.1, or take it out of the settings."
        )


@contextmanager
def sql_lens(app: FastAPI, database: Database) -> Iterator[None]:
    """Watch all requests and engines; put the pages into the app."""
    stack: Any = app.middleware_stack  # built already: the lifespan is inside of it
    app.middleware_stack = lens = Lens(stack)
    app.router.routes.extend(pages(lens, database))
    event.listen(Engine, "before_cursor_execute", _before)
    event.listen(Engine, "after_cursor_execute", _after)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", _before)
        event.remove(Engine, "after_cursor_execute", _after)
