"""Serve a learner's app; runs in its own process, where runner.py starts it.

The app answers exactly as under plain uvicorn, with one header more: what the request did to the
database, and the exceptions that it met. A request may ask for slow writes, or for the process to
end at its first commit.
"""

import asyncio
import base64
import importlib
import json
import os
import re
import signal
import socket
import sqlite3
import sys
import threading
import time
import traceback
import zlib
from collections import Counter
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from types import ModuleType
from typing import Any

import uvicorn
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.engine import cursor as strategies
from sqlalchemy.pool import Pool
from sqlalchemy.util.concurrency import await_only, in_greenlet

READY = "exercise server listens on port"
COMMENTS = re.compile(r"\s*(/\*.*?\*/|--[^\n]*\n)?\s*", re.DOTALL)
SETTINGS = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "PRAGMA", "SET", "SHOW")
WRITES = re.compile(r"\b(INSERT|UPDATE|DELETE|REPLACE|MERGE)\b")
MAX_SQL_BYTES = 40_000  # compressed; httpx refuses headers above 100 KB


class Seen:
    """What one request did; mutable, because anyio's threads get a copy of the context."""

    def __init__(self, headers: dict[bytes, bytes]) -> None:
        self.pause = float(headers.get(b"x-slow-writes", b"0"))
        self.dies_at_commit = b"x-die-at-commit" in headers
        self.statements: list[str] = []
        self.rows = 0
        self.ran: set[str] = set()
        self.dialect = ""
        self.written = 0  # rows, on databases that do not count them themselves
        self.open_writes: dict[int, int] = {}  # connections, and their rows written before
        self.commits = 0
        self.answered = False
        self.late_commit = False
        self.connections: set[int] = set()
        self.error = ""
        self.database_error = ""

    def rows_written(self, driver: Any) -> int:
        """Count the rows that were written: SQLite's driver knows of RETURNING only this way."""
        return getattr(driver, "total_changes", self.written)

    def note_write(self, driver: Any) -> None:
        """Note that a statement which may change rows begins."""
        self.open_writes.setdefault(id(driver), self.rows_written(driver))

    def note_commit(self, driver: Any) -> None:
        """Count the commit when it makes a change permanent."""
        before = self.open_writes.pop(id(driver), None)
        if before is not None and self.rows_written(driver) != before:
            self.commits += 1
            self.late_commit |= self.answered

    def die_if_due(self) -> None:
        """End the process at the first sign of life after the first commit, if so asked."""
        if self.dies_at_commit and self.commits:
            os._exit(9)

    def header(self) -> bytes:
        """Sum it up, the most frequent statements first."""
        counted = Counter(self.statements).most_common()
        report = {
            "statements": len(self.statements),
            "rows": self.rows,
            "commits": self.commits,
            "dialect": self.dialect,
            "ran": sorted(self.ran),
            "late_commit": self.late_commit,
            "open": len(self.connections),
            "database_error": self.database_error,
        }
        if not uses_sqlalchemy:
            report = {}
        report |= {"error": self.error, "sql": counted}
        while len(packed := zlib.compress(json.dumps(report).encode())) > MAX_SQL_BYTES:
            report["sql"] = counted = counted[: len(counted) // 2]
        return base64.b64encode(packed)


request_seen: ContextVar[Seen | None] = ContextVar("request_seen", default=None)
under_way: set[Seen] = set()
uses_sqlalchemy = False


def current() -> Seen | None:
    """Find the request that runs this; a thread of the app's own knows of none, so guess then."""
    seen = request_seen.get()
    return next(iter(under_way.copy()), None) if seen is None and len(under_way) == 1 else seen


@event.listens_for(Engine, "before_cursor_execute")
def note_statement(
    connection: Any, _cursor: Any, statement: str, _parameters: Any, _context: Any, _many: bool
) -> None:
    """Count the statement for the request that runs it."""
    global uses_sqlalchemy
    uses_sqlalchemy = True
    seen = current()
    if seen is None:
        return
    seen.die_if_due()
    if begins_with(statement, *SETTINGS):
        return
    seen.dialect = connection.dialect.name
    seen.statements.append(" ".join(statement.split()))
    seen.ran.add(how_it_runs(connection))
    if is_write(statement):
        seen.note_write(connection.connection.driver_connection)
    if seen.pause and begins_with(statement, "INSERT", "UPDATE", "DELETE"):
        # A slow disk: what two requests read before either wrote is what a race is made of.
        if in_greenlet():
            await_only(asyncio.sleep(seen.pause))
        else:
            time.sleep(seen.pause)


def begins_with(statement: str, *verbs: str) -> bool:
    """Compare the statement's first word."""
    return COMMENTS.sub("", statement, count=1).upper().startswith(verbs)


@event.listens_for(Engine, "after_cursor_execute")
def note_change(
    connection: Any, cursor: Any, statement: str, _parameters: Any, _context: Any, _many: bool
) -> None:
    """Note that rows were changed, and a commit of which SQLAlchemy does not know."""
    seen = current()
    if seen is None:
        return
    driver = connection.connection.driver_connection
    if is_write(statement):
        seen.written += max(cursor.rowcount, 0)
    if begins_with(statement, "ROLLBACK") and not begins_with(statement, "ROLLBACK TO"):
        seen.open_writes.pop(id(driver), None)
    elif not in_transaction(driver):
        seen.note_commit(driver)


def is_write(statement: str) -> bool:
    """Tell what may change rows, a WITH … INSERT included."""
    return bool(WRITES.search(statement.upper())) and not begins_with(statement, "SELECT")


def in_transaction(driver: Any) -> bool:
    """Ask the driver whether what was written still waits for a commit."""
    if hasattr(driver, "in_transaction"):  # sqlite3 and aiosqlite
        return bool(driver.in_transaction)
    if hasattr(driver, "info"):  # psycopg
        return bool(driver.info.transaction_status)
    return True


@event.listens_for(Engine, "commit")
def note_commit(connection: Any) -> None:
    """Note a commit, and whether it comes when the answer is already on its way."""
    if seen := current():
        seen.note_commit(connection.connection.driver_connection)


@event.listens_for(Engine, "rollback")
def note_rollback(connection: Any) -> None:
    """Note that nothing waits for a commit any longer."""
    if seen := current():
        seen.open_writes.pop(id(connection.connection.driver_connection), None)


@event.listens_for(Engine, "handle_error")
def note_error(context: Any) -> None:
    """Note what the database refused, whatever the app makes of it."""
    seen = current()
    if seen is None:
        return
    seen.database_error = in_one_line(context.sqlalchemy_exception or context.original_exception)
    if context.statement is None and seen.commits:  # it was the commit that failed
        seen.commits -= 1


@event.listens_for(Pool, "connect")
def wait_for_no_disk(connection: Any, record: Any) -> None:
    """Let SQLite leave it to the operating system when a commit reaches the disk.

    Waiting for the disk took most of a writing request. What a killed process has committed is in
    the file all the same; only a power failure would lose it.
    """
    driver = record.driver_connection
    if hasattr(driver, "total_changes") and not driver.in_transaction:  # sqlite3 or aiosqlite
        cursor = connection.cursor()
        cursor.execute("PRAGMA synchronous = OFF")
        cursor.close()


@event.listens_for(Pool, "checkout")
def note_checkout(_connection: Any, record: Any, _proxy: Any) -> None:
    """Note a connection that the request takes from the pool."""
    if seen := current():
        seen.die_if_due()
        seen.connections.add(id(record))


@event.listens_for(Pool, "checkin")
def note_checkin(_connection: Any, record: Any) -> None:
    """Note that it is back, which closing the session sees to."""
    if seen := current():
        seen.die_if_due()
        seen.connections.discard(id(record))


def tell_statements(connect: Callable[..., Any]) -> Callable[..., Any]:
    """Make sqlite3.connect() open connections that tell what they are about to run."""

    def connecting(*arguments: Any, **options: Any) -> Any:
        connection = connect(*arguments, **options)
        connection.set_trace_callback(hold_back)
        return connection

    return connecting


def hold_back(statement: str) -> None:
    """Slow down the write of an app that does without SQLAlchemy, before it locks anything."""
    seen = None if uses_sqlalchemy else current()
    if seen and seen.pause and begins_with(statement, "INSERT", "UPDATE", "DELETE"):
        time.sleep(seen.pause)


sqlite3.connect = tell_statements(sqlite3.connect)


def count_rows(fetch: Callable[..., Any]) -> Callable[..., Any]:
    """Make a fetch method of SQLAlchemy count its rows for the request."""

    def counting(*arguments: Any, **options: Any) -> Any:
        rows = fetch(*arguments, **options)
        if seen := current():
            seen.rows += len(rows) if isinstance(rows, list) else rows is not None
        return rows

    return counting


for strategy in (
    strategies.CursorFetchStrategy,
    strategies.BufferedRowCursorFetchStrategy,
    strategies.FullyBufferedCursorFetchStrategy,
):
    # A method is replaced on purpose: rows that are fetched are counted here, whoever asks.
    strategy.fetchall = count_rows(strategy.fetchall)  # type: ignore[method-assign]
    strategy.fetchmany = count_rows(strategy.fetchmany)  # type: ignore[method-assign]
    strategy.fetchone = count_rows(strategy.fetchone)  # type: ignore[method-assign]


def how_it_runs(connection: Any) -> str:
    """Tell a statement that is awaited from one in a thread and one that blocks the event loop."""
    if connection.dialect.is_async:
        return "awaited"
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return "thread"
    return "loop"


class Observed:
    """Wrap an ASGI app; report what each request did in a header of its answer."""

    def __init__(self, app: Any, app_dir: Path) -> None:
        self.app = app
        self.app_dir = app_dir

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request as the app does, with the header more."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        seen = Seen(dict(scope["headers"]))
        request_seen.set(seen)
        under_way.add(seen)
        # FastAPI ends its `yield` dependencies after the answer. Sent at once, the next request
        # would sometimes come before a commit there and sometimes after it.
        held: list[Any] = []

        async def observe(message: Any) -> None:
            seen.die_if_due()
            seen.answered = True
            held.append(message)

        try:
            await self.app(scope, receive, observe)
        except Exception as error:
            seen.error = describe(error, self.app_dir)
            raise  # uvicorn logs it as always
        finally:
            under_way.discard(seen)
            if held:
                held[0]["headers"] = [*held[0].get("headers", []), (b"x-seen", seen.header())]
            for message in held:
                await send(message)


def in_one_line(error: BaseException) -> str:
    """Name the exception, without the statement and the link that SQLAlchemy adds."""
    message = " ".join(str(error).partition("[SQL:")[0].partition("(Background on")[0].split())
    return f"{type(error).__name__}: {message[:400]}"


def describe(error: BaseException, app_dir: Path) -> str:
    """Name the exception and the learner's line that raised it, in one line."""
    text = in_one_line(error)
    own = [f for f in traceback.extract_tb(error.__traceback__) if is_own(f.filename, app_dir)]
    if own:
        place = own[-1]
        text += f" ({Path(place.filename).name}, line {place.lineno}, in {place.name}: "
        text += f"{place.line})"
    return text


def is_own(filename: str, app_dir: Path) -> bool:
    """Tell the learner's files from libraries, also when the environment lies in the folder."""
    path = Path(filename)
    return path.is_relative_to(app_dir) and "site-packages" not in path.parts


def load(target: str, app_dir: Path) -> Any:
    """Import the app, or leave with advice in place of a traceback through this file."""
    module_name, _, name = target.partition(":")
    name = name or "app"
    try:
        module = importlib.import_module(module_name)
    except BaseException as error:  # noqa: BLE001 - whatever a file does, SystemExit too, is told
        frames = traceback.TracebackException.from_exception(error)
        own = [f for f in frames.stack if is_own(f.filename, app_dir)]
        last_lines = [*traceback.format_list(own[-2:]), *frames.format_exception_only()]
        sys.exit("".join(last_lines) + "Advice: " + import_advice(error, module_name, app_dir))
    if not hasattr(module, name):
        sys.exit(
            f"Advice: {module_name}.py has no variable named {name!r}; it has {names(module)}. "
            f"Write `{name} = FastAPI()`, or say --app {module_name}:THE_NAME."
        )
    return getattr(module, name)


def import_advice(error: BaseException, module_name: str, app_dir: Path) -> str:
    """Say what to do about an import that failed."""
    if isinstance(error, SyntaxError) and "non-printable character" in str(error):
        return (
            "The code was copied from a web page, with spaces that only look like spaces: replace "
            "them all by plain ones."
        )
    if isinstance(error, SyntaxError):
        return "Python cannot read the file; mend the line above, or the one before it."
    if isinstance(error, ModuleNotFoundError) and error.name == module_name.partition(".")[0]:
        files = ", ".join(sorted(p.name for p in app_dir.glob("*.py"))) or "no .py file"
        return (
            f"There is no {error.name}.py in {app_dir}; there is {files}. "
            "Say --app FILE:VARIABLE --app-dir FOLDER."
        )
    if isinstance(error, ModuleNotFoundError):
        return f"{error.name} is neither a file in the folder nor installed: pip install it?"
    return "The file stops while it is being imported, at the line above."


def names(module: ModuleType) -> str:
    """List what the module defines itself, apps first."""
    own = [n for n in vars(module) if not n.startswith("_")]
    apps = [n for n in own if type(getattr(module, n)).__name__ in ("FastAPI", "Starlette")]
    return ", ".join(apps or own[:8]) or "no names at all"


class Server(uvicorn.Server):
    """Tell the parent the port that the operating system chose."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Bind, then print the port."""
        await super().startup(sockets)
        if not self.should_exit:
            print(READY, self.servers[0].sockets[0].getsockname()[1], flush=True)


def exit_with_parent() -> None:
    """Stop when the parent's end of the pipe closes, so that no server outlives its check."""
    sys.stdin.read()
    if sys.platform != "win32" and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)  # a fork of prefork.py, and what the app has started
    os._exit(0)


def main() -> None:
    """Serve TARGET from FOLDER, both given on the command line."""
    target, folder = sys.argv[1:]
    sys.path[0] = folder  # this script's folder makes way for the learner's
    threading.Thread(target=exit_with_parent, daemon=True).start()
    app = Observed(load(target, Path(folder)), Path(folder))
    # psycopg's async connections refuse the event loop that Windows has by default.
    loop = "asyncio:SelectorEventLoop" if sys.platform == "win32" else "auto"
    Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", loop=loop)).run()


if __name__ == "__main__":
    main()
