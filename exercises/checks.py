"""What the checks are written with: ask the app, expect an answer, fail with a sentence."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from decimal import Decimal, InvalidOperation
from threading import Barrier
from typing import Any, NoReturn
from urllib.parse import unquote
from uuid import uuid4

import httpx
import pytest

from exercises.runner import Server, StartError

NO_SUCH_ID = 2_000_000_000  # a valid INTEGER that no table here ever reaches
SLOW_WRITE_SECONDS = 0.02
CERTIFICATES = httpx.create_ssl_context(trust_env=False)  # read once: it takes 20 ms
BLOCKED_LOOP = (
    "note: SQL ran on the event loop, where every other request waits for it: give the routes "
    "`def`, or an async session"
)
NO_SLOW_WRITES = (
    "note: with --url writes are not held back, so a race that is possible may go unseen"
)

# What an exception in the server's answer usually means, by words that it contains.
NULL = (
    "null reached a column that may not be null: an explicit null, a field that was not sent, a "
    "key that is not there before session.flush(), or the children of a deleted row."
)
DUPLICATE = (
    "The database refused a duplicate and nobody caught the IntegrityError: roll back and answer "
    "409."
)
BOUND = "The database refused a value out of bounds: bound it in the input class, or answer 4xx."
NO_TABLE = (
    "The tables were not created: are the models imported before create_all(), is it awaited in "
    "async code, and does FastAPI know of the lifespan?"
)
EXCEPTIONS = {
    "PendingRollbackError": "A session is used after an error without session.rollback(); one "
    "session per request, and a rollback in every `except`, keep one failure from the next.",
    "NOT NULL constraint": NULL,
    "null value in column": NULL,
    "UNIQUE constraint": DUPLICATE,
    "unique constraint": DUPLICATE,
    "FOREIGN KEY constraint": "A row points at a row that is not there; answer 404 before it.",
    "foreign key constraint": "A row points at a row that is not there, or is still in use.",
    "CHECK constraint": BOUND,
    "check constraint": BOUND,
    "OverflowError": BOUND,
    "out of range": BOUND,
    "database is locked": "Another transaction holds SQLite's write lock for too long: keep "
    "transactions short and begin writing ones with BEGIN IMMEDIATE.",
    "QueuePool limit": "Sessions are opened and never closed, so the pool ran dry: `with "
    "Session(engine) as session: yield session`.",
    "no such table": NO_TABLE,
    "UndefinedTable": NO_TABLE,
    "DetachedInstanceError": "A relationship is loaded after the session was closed: load it with "
    "selectinload() while the session is open.",
    "MissingGreenlet": "A lazy load in async code: load relationships with selectinload(), and "
    "make sessions with expire_on_commit=False.",
    "closed transaction": "commit() or rollback() inside of `with session.begin_nested():` ends "
    "the whole transaction, and the savepoint with it.",
    "coroutine": "An `await` is missing.",
    "NoResultFound": "`.one()` raises where there is no row; `.first()` gives None.",
    "Boolean value of this clause": "Python's `and`, `or` and `a <= x <= b` do not work between "
    "conditions: or_(), and_(), or several terms in where().",
    "must have timezone information": "`datetime.now()` knows no time zone: `datetime.now(UTC)`.",
    "ResponseValidationError": "The returned object does not fit the response model.",
}


class CheckError(AssertionError):
    """A check failed; the text is complete sentences for the learner."""

    def __init__(self, sentence: str, why: str = "", reply: "Reply | None" = None) -> None:
        asked = f"{reply.exchange}\n" if reply else ""
        cause = f"\nUsual cause: {capital(why)}" if why else ""
        super().__init__(f"{asked}Wrong:      {capital(sentence)}{cause}")


def fail(sentence: str, why: str = "") -> NoReturn:
    """Fail the check: what is wrong, and what usually causes it."""
    raise CheckError(sentence, why)


def left_out(reason: str) -> NoReturn:
    """End a check that cannot be made on this target; it is counted and named at the end."""
    pytest.skip(reason)


def capital(sentence: str) -> str:
    """Begin a sentence with a capital letter, unless code is its first word."""
    code = set("._(=").intersection(sentence.partition(" ")[0].rstrip(".,"))
    return sentence if code else sentence[:1].upper() + sentence[1:]


def unique(stem: str) -> str:
    """Make a name that no other test and no earlier run has used."""
    return f"{stem}{uuid4().hex[:10]}"


def same(expected: Any, got: Any) -> bool:
    """Compare as JSON means it: Decimal('9.90') equals 9.9 and "9.90"."""
    if isinstance(expected, Decimal):
        try:
            return not isinstance(got, bool) and Decimal(str(got)) == expected
        except InvalidOperation:
            return False
    return bool(expected == got) and isinstance(expected, bool) == isinstance(got, bool)


def shorten(value: Any, length: int = 300) -> str:
    """Write a value as JSON, cut to a readable length."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= length else f"{text[:length]} … ({len(text)} characters)"


def as_json(value: Any) -> str:
    """Write a value as JSON, a text with its quotes, cut to a readable length."""
    return (
        str(value) if isinstance(value, Decimal) else shorten(json.dumps(value, ensure_ascii=False))
    )


class Reply:
    """One answer, and the request it answers."""

    def __init__(self, method: str, path: str, sent: Any, response: httpx.Response) -> None:
        self.asked = f"{method} {path}" + ("" if sent is None else f" with {shorten(sent)}")
        self.status = response.status_code
        self.headers = response.headers
        self.text = response.text
        self.error = unquote(response.headers.get("x-server-error", ""))
        try:
            self.body: Any = response.json()
        except ValueError:
            self.body = None

    @property
    def exchange(self) -> str:
        """Say what was asked and what came back."""
        told = f"\nServer:     {self.error}" if self.error else ""
        return f"Asked:      {self.asked}\nCame back:  {self.status} {shorten(self.text)}{told}"

    @property
    def ok(self) -> bool:
        """Tell whether the status is a 2xx."""
        return 200 <= self.status < 300

    def wrong(self, sentence: str, why: str = "") -> NoReturn:
        """Fail the check because of this answer."""
        raise CheckError(sentence, why, self)

    def expect(self, *statuses: int, why: str = "") -> "Reply":
        """Fail unless the status is one of these."""
        if self.status not in statuses:
            wanted = " or ".join(map(str, statuses))
            self.wrong(f"the status is {self.status}, not {wanted}.", self._status_cause(why))
        return self

    def _status_cause(self, why: str) -> str:
        if self.status == 501:
            return "the starter's placeholder is still there; this step is yet to be written."
        if self.status == 405:
            return "the path is there, but not for this method, or with a slash at its end."
        if self.status == 404 and self.body == {"detail": "Not Found"}:
            return "there is no such route; compare method and path, letter for letter."
        if self.status == 422 and not why:
            return "the body or a parameter is declared otherwise; `detail` names which."
        if "404: " in self.text:
            return "an `except Exception` has caught the HTTPException too, and answers it anew."
        known = [cause for words, cause in EXCEPTIONS.items() if words in self.error]
        return " ".join([*known[:1], capital(why)]).strip()

    def object(self, why: str = "") -> dict[str, Any]:
        """Give the JSON object in the body; fail when there is something else."""
        if self.body == {}:
            self.wrong(
                "the body is an empty object.",
                "commit() empties a table object; session.refresh(row) after it, or "
                "expire_on_commit=False, fills it again.",
            )
        if not isinstance(self.body, dict):
            self.wrong("the body is not a JSON object.", why or "does the route return the row?")
        return self.body

    @property
    def id(self) -> int:
        """The id of the answered row; fails the check when there is none."""
        number = self.object().get("id")
        if type(number) is not int:
            self.wrong(
                "there is no whole number under 'id'.",
                "the input is answered and not the stored row, the response class has no id, or "
                "the row was neither flushed nor refreshed.",
            )
        return number

    def has(self, why: str = "", **fields: Any) -> dict[str, Any]:
        """Give the object in the body; fail unless it has these values.

        Where a Decimal is expected, a number may come as a string.
        """
        body = self.object(why)
        for name, value in fields.items():
            if name not in body:
                self.wrong(f"the field {name!r} is missing.", why)
            if not same(value, body[name]):
                got, wanted = as_json(body[name]), as_json(value)
                self.wrong(f"the field {name!r} is {got}, not {wanted}.", why)
        return body

    def items(self, why: str = "") -> list[Any]:
        """Give the list in the body, bare or as the only list of an envelope object."""
        if isinstance(self.body, list):
            return self.body
        values = self.body.values() if isinstance(self.body, dict) else []
        lists = [value for value in values if isinstance(value, list)]
        if len(lists) != 1:
            self.wrong("the body is neither a list nor an object with one list in it.", why)
        return lists[0]

    @property
    def statements(self) -> int:
        """How many SQL statements the request took; leaves the check out when unknown."""
        if "x-sql-statements" not in self.headers:
            left_out("SQL statements can only be counted in an app that the check starts itself")
        return int(self.headers["x-sql-statements"])

    @property
    def ran(self) -> set[str]:
        """How its SQL ran: "awaited", in a "thread", or blocking the event "loop"."""
        if not self.statements:
            return set()
        return set(self.headers["x-sql-ran"].split(","))

    @property
    def late_commit(self) -> bool:
        """Tell whether the app committed after it had answered; leaves out when unknown."""
        return bool(self.statements) and self.headers["x-sql-late-commit"] == "1"

    @property
    def open_connections(self) -> int:
        """How many database connections the request kept; leaves the check out when unknown."""
        if not self.statements:
            return 0
        return int(self.headers["x-sql-open"])

    @property
    def sql(self) -> str:
        """The request's most frequent statements, one a line."""
        often = json.loads(unquote(self.headers.get("x-sql-log", "[]")))
        return "\n".join(f"    {count} x {text}" for text, count in often)


class Api:
    """The app under test, spoken to over HTTP."""

    def __init__(self, url: str = "", server: Server | None = None, broken: str = "") -> None:
        self._server = server
        self._broken = broken
        self._told = False
        self._slow: ContextVar[bool] = ContextVar("slow", default=False)
        self._url = url
        self.dialects: set[str] = set()
        self.notes: set[str] = set()
        # uvicorn closes a connection whose request ended in an exception: reuse none. No proxy,
        # no .netrc: the app is on this machine or where --url says.
        self._client = httpx.Client(
            timeout=15,
            follow_redirects=True,
            trust_env=False,
            verify=CERTIFICATES,
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    @property
    def server(self) -> Server:
        """The server's process, folder and database; leaves the check out with --url."""
        self._must_run()
        if self._server is None:
            left_out("a server given by --url can be neither restarted nor looked into")
        return self._server

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _must_run(self) -> None:
        if self._broken:
            if self._told:
                left_out("the app does not start")
            self._told = True
            raise CheckError(self._broken)

    def request(
        self,
        method: str,
        path: str,
        json: Any = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """Send one request; give whatever comes back."""
        self._must_run()
        headers = dict(headers or {})
        if self._slow.get():
            headers["x-slow-writes"] = str(SLOW_WRITE_SECONDS)
        url = (self._server.url if self._server else self._url) + path
        try:
            response = self._client.request(method, url, json=json, headers=headers)
        except httpx.HTTPError as error:
            sent = "" if json is None else f" with {shorten(json)}"
            told = f" Its last lines:\n{self._server.tail(12)}" if self._server else ""
            raise CheckError(
                f"{method} {path}{sent} got no answer: {type(error).__name__}.{told}",
                "the server stopped, or waits for itself: a lock or a connection never given back.",
            ) from None
        self.dialects.add(response.headers.get("x-sql-dialect", ""))
        if "loop" in response.headers.get("x-sql-ran", "").split(","):
            self.notes.add(BLOCKED_LOOP)
        return Reply(method, path, json, response)

    def get(self, path: str) -> Reply:
        """GET path."""
        return self.request("GET", path)

    def post(self, path: str, json: Any = None, headers: dict[str, str] | None = None) -> Reply:
        """POST json to path."""
        return self.request("POST", path, json, headers)

    def put(self, path: str, json: Any) -> Reply:
        """PUT json to path."""
        return self.request("PUT", path, json)

    def patch(self, path: str, json: Any = None) -> Reply:
        """PATCH path with json."""
        return self.request("PATCH", path, json)

    def delete(self, path: str, json: Any = None) -> Reply:
        """DELETE path."""
        return self.request("DELETE", path, json)

    def restart(self) -> None:
        """Kill the server and start it again on the same database."""
        try:
            self.server.restart()
        except StartError as error:
            why = "create_all() and migrations have to leave alone what is already there."
            raise CheckError(str(error), why) from None

    def list_all(self, path: str, limit: int = 100) -> list[dict[str, Any]]:
        """Read a list to its end with skip and limit, also where these are not built yet."""
        rows: dict[Any, dict[str, Any]] = {}
        mark = "&" if "?" in path else "?"
        for _ in range(1000):
            reply = self.get(f"{path}{mark}skip={len(rows)}&limit={limit}").expect(200)
            new = {row["id"]: row for row in reply.items() if row["id"] not in rows}
            rows |= new
            if len(new) < limit:
                break
        return list(rows.values())

    def at_once(self, times: int, call: Callable[[int], Reply]) -> list[Reply]:
        """Run call(0) … call(times - 1) at the same moment, with writes that take a little longer.

        Every request pauses before each of its writes, so all have read before the first has
        written: a race that is possible happens.
        """
        self._must_run()
        if self._server is None:
            self.notes.add(NO_SLOW_WRITES)
        gate = Barrier(times)

        def run(number: int) -> Reply:
            self._slow.set(True)
            gate.wait()
            return call(number)

        with ThreadPoolExecutor(times) as threads:
            return list(threads.map(run, range(times)))
