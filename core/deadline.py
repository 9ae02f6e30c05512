"""One deadline for what a request waits for: a body, a turn, a lock, a server that hangs."""

import asyncio
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar, Token
from time import monotonic
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from psycopg import Error as PsycopgError
from sqlalchemy import Engine, event
from sqlalchemy.exc import SQLAlchemyError

from core.logs import first_line, logger

STATEMENT = 300  # characters of a slow statement that the log shows
GRACE = 0.5  # seconds that a request has to answer after its connections were cut
SLOW = 1.0  # seconds with one connection after which the log tells of a request


class BusyError(Exception):
    """The request waited too long."""

    def __str__(self) -> str:
        """Say so in the log."""
        return "no connection became free within DATABASE_LOCK_TIMEOUT"


class Deadline:
    """Ends what is inside of `with` after some seconds; `passed` tells whether it did.

    First it cuts the connections that were taken from a pool meanwhile, in whatever thread: a
    thread cannot be stopped, but what it waits for can. What still goes on then is cancelled.
    """

    current: ContextVar["Deadline | None"] = ContextVar("deadline", default=None)

    def __init__(self, seconds: float, name: str = "") -> None:
        self.seconds, self.name = seconds, name
        self.records: dict[Any, float] = {}  # of the connections that are taken, and since when
        self.slowest = (0.0, "")  # the seconds of a statement, and its text
        self.is_over = self.passed = False

    def __enter__(self) -> Self:
        """Start the clock."""
        self.task: Any = asyncio.current_task()
        self.loop = asyncio.get_running_loop()
        self.timer = self.loop.call_later(self.seconds, self._cut)
        self.before: Token[Deadline | None] = self.current.set(self)
        return self

    def __exit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> bool:
        """Stop the clock, and an exception that comes from it."""
        self.timer.cancel()
        self.current.reset(self.before)
        if self.passed:
            self.task.uncancel()
        return self.passed and error is not None

    def stop(self) -> None:
        """Let what is inside take all the time that it needs from now on."""
        self.timer.cancel()

    def _cut(self) -> None:
        self.is_over = True
        records = list(self.records)
        for record in records:
            cut(record.driver_connection)
        self.timer = self.loop.call_later(GRACE if records else 0, self._cancel)

    def _cancel(self) -> None:
        self.passed = True
        self.task.cancel()


@contextmanager
def probe(seconds: float, name: str) -> Iterator[None]:
    """Bound a look at the database; go on if it fails or takes longer, with a line in the log."""
    with Deadline(seconds, name) as deadline:
        try:
            yield
        except SQLAlchemyError as error:
            logger.warning("503 %s: %s", name, first_line(error))
    if deadline.passed:
        logger.warning("503 %s: no answer within %s s", name, seconds)


def watch_connections(engine: Engine) -> None:
    """Let deadlines know which connections of an engine are taken."""
    event.listen(engine, "connect", _note_new)
    event.listen(engine, "checkout", _note_taken)
    event.listen(engine, "checkin", _note_given_back)


def _note_new(connection: object, record: Any) -> None:
    _note_taken(connection, record, None)  # what it is told first may have to wait as well


def _note_taken(_: object, record: Any, __: object) -> None:
    record.info["deadline"] = deadline = Deadline.current.get()
    if deadline:
        deadline.records[record] = monotonic()
        if deadline.is_over:  # nobody waits for the answer any more
            raise BusyError


def _note_given_back(_: object, record: Any) -> None:
    if deadline := record.info.pop("deadline", None):
        seconds = monotonic() - deadline.records.pop(record)
        if seconds > SLOW:
            name = quote(deadline.name, safe="/ ")
            longest, statement = deadline.slowest
            shown = _without_values(statement)
            message = "%s used a connection for %.1f s, %.1f s of it for: %s"
            logger.warning(message, name, seconds, longest, shown)


def time_statement(
    execute: Callable[..., None], cursor: Any, statement: str, values: Any, context: Any
) -> bool:
    """Run a statement, and remember it if it is the slowest of its request.

    As SQLAlchemy's do_execute, that costs half a microsecond. Events like before_cursor_execute
    cost each statement much more.
    """
    start = monotonic()
    try:
        execute(cursor, statement, values, context)
    finally:
        deadline, seconds = Deadline.current.get(), monotonic() - start
        if deadline and seconds > deadline.slowest[0]:
            deadline.slowest = seconds, statement
    return True


def _without_values(statement: str) -> str:
    shown = re.sub(r"'(?:[^']|'')*'", "'…'", " ".join(statement.split()))
    return shown if len(shown) <= STATEMENT else f"{shown[:STATEMENT]}…"


def cut(driver: Any) -> None:
    """End what another thread or task does with a driver's connection, whatever it waits for."""
    if driver is None:
        return
    with suppress(OSError, AttributeError, PsycopgError):  # it is closed already
        sqlite = getattr(driver, "_conn", driver)  # below aiosqlite's connection is the real one
        if hasattr(sqlite, "interrupt"):
            sqlite.interrupt()
        else:
            _shut_socket(descriptor(driver))


def descriptor(driver: Any) -> int:
    """Return the number of a connection's socket."""
    if hasattr(driver, "fileno"):
        return int(driver.fileno())  # psycopg
    if hasattr(driver, "_sock"):
        return int(driver._sock.fileno())  # PyMySQL
    return int(driver._writer.get_extra_info("socket").fileno())  # aiomysql


def _shut_socket(descriptor: int) -> None:
    # Who waits for it wakes up and finds the connection lost. The driver closes it, not we.
    borrowed = socket.socket(fileno=descriptor)
    try:
        borrowed.shutdown(socket.SHUT_RDWR)
    finally:
        borrowed.detach()
