"""Serve a learner's app; runs in its own process, where runner.py starts it.

The app answers exactly as under plain uvicorn, with headers more: how many SQL statements the
request took, how they ran, whether one was committed after the answer, how many connections it kept
after that, and the exception behind a 500.
"""

import asyncio
import importlib
import json
import os
import socket
import sys
import threading
import time
import traceback
from collections import Counter
from contextvars import ContextVar
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote

import uvicorn
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.pool import Pool
from sqlalchemy.util.concurrency import await_only, in_greenlet

READY = "exercise server listens on port"
VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")


class Seen:
    """What one request did; mutable, because anyio's threads get a copy of the context."""

    def __init__(self, pause: float) -> None:
        self.pause = pause
        self.statements: list[str] = []
        self.ran: set[str] = set()
        self.dialect = ""
        self.wrote = False
        self.answered = False
        self.late_commit = False
        self.connections: set[int] = set()


request_seen: ContextVar[Seen | None] = ContextVar("request_seen", default=None)
uses_sqlalchemy = False


@event.listens_for(Engine, "before_cursor_execute")
def note_statement(
    connection: Any, _cursor: Any, statement: str, _parameters: Any, _context: Any, _many: bool
) -> None:
    """Count the statement for the request that runs it."""
    global uses_sqlalchemy
    uses_sqlalchemy = True
    seen = request_seen.get()
    verb = statement.lstrip(" \n\t(")[:6].upper()
    if seen is None or not verb.startswith(VERBS):
        return
    seen.dialect = connection.dialect.name
    seen.statements.append(" ".join(statement.split()))
    seen.ran.add(how_it_runs(connection))
    if verb not in ("INSERT", "UPDATE", "DELETE"):
        return
    seen.wrote = True
    if seen.pause:
        # A slow disk: what two requests read before either wrote is what a race is made of.
        if in_greenlet():
            await_only(asyncio.sleep(seen.pause))
        else:
            time.sleep(seen.pause)


@event.listens_for(Engine, "commit")
def note_commit(_connection: Any) -> None:
    """Note a commit that comes when the answer is already on its way."""
    seen = request_seen.get()
    if seen and seen.wrote and seen.answered:
        seen.late_commit = True


@event.listens_for(Pool, "checkout")
def note_checkout(_connection: Any, record: Any, _proxy: Any) -> None:
    """Note a connection that the request takes from the pool."""
    if seen := request_seen.get():
        seen.connections.add(id(record))


@event.listens_for(Pool, "checkin")
def note_checkin(_connection: Any, record: Any) -> None:
    """Note that it is back, which closing the session sees to."""
    if seen := request_seen.get():
        seen.connections.discard(id(record))


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
    """Wrap an ASGI app; report statements and exceptions of each request in its headers."""

    def __init__(self, app: Any, app_dir: Path) -> None:
        self.app = app
        self.app_dir = app_dir

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request as the app does, with the headers more."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        pause = float(dict(scope["headers"]).get(b"x-slow-writes", b"0"))
        seen = Seen(pause)
        request_seen.set(seen)
        # FastAPI ends its `yield` dependencies after the answer. Sent at once, the next request
        # would sometimes come before a commit there and sometimes after it.
        held: list[Any] = []

        async def observe(message: Any) -> None:
            seen.answered = True
            held.append(message)

        try:
            await self.app(scope, receive, observe)
        except Exception as error:
            if held:
                text = quote(describe(error, self.app_dir)).encode()
                held[0]["headers"] = [*held[0].get("headers", []), (b"x-server-error", text)]
            raise  # uvicorn logs it as always
        finally:
            if held:
                held[0]["headers"] = [*held[0].get("headers", []), *statement_headers(seen)]
            for message in held:
                await send(message)


def statement_headers(seen: Seen) -> list[tuple[bytes, bytes]]:
    """Sum up the request's statements, the most frequent first."""
    if not uses_sqlalchemy:
        return []
    often = Counter(text[:160] for text in seen.statements).most_common(5)
    return [
        (b"x-sql-statements", str(len(seen.statements)).encode()),
        (b"x-sql-log", quote(json.dumps(often)).encode()),
        (b"x-sql-dialect", seen.dialect.encode()),
        (b"x-sql-ran", ",".join(sorted(seen.ran)).encode()),
        (b"x-sql-late-commit", b"1" if seen.late_commit else b"0"),
        (b"x-sql-open", str(len(seen.connections)).encode()),
    ]


def describe(error: BaseException, app_dir: Path) -> str:
    """Name the exception and the learner's line that raised it, in one line."""
    message = " ".join(str(error).partition("[SQL:")[0].partition("(Background on")[0].split())
    text = f"{type(error).__name__}: {message[:400]}"
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
