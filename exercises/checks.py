"""What the checks are written with: ask the app, expect an answer, fail with a sentence."""

import base64
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import Decimal, InvalidOperation
from threading import Barrier
from typing import Any, NoReturn, Self
from uuid import uuid4

import httpx
import pytest

from exercises.causes import Guesses, Why, capital, choose
from exercises.runner import Server, StartError

NO_SUCH_ID = 2_000_000_000  # a valid INTEGER that no table here ever reaches
LARGEST_INTEGER = 2_147_483_647

# Data that an answer which is only nearly right gets wrong.
AWKWARD_TEXTS = (
    "0",
    "null",
    "[]",
    '{"a": 1}',
    "100%",
    "under_score",
    "back\\slash",
    "O'Brien",
    'the "second"',
    "Élodie",
    "日本語",
    "🙂🙂",
    "Straße ½",
    "two  spaces",
    "<b>1 & 2</b>",
    "a, b; c = d",
)
# Cut off in binary, each of these is a cent less: int(0.29 * 100) is 28.
AWKWARD_PRICES = ("0.01", "0.29", "0.57", "1.15", "19.99", "99999999.99")
# What is stored and what is not, when the first is searched and its signs are no wildcards.
WILDCARD_TWINS = (("100%", "1000"), ("a_b", "axb"), ("c\\d", "cd"))
FROM_MEMORY = (
    "no SQL was run for this answer: it comes from the memory of one process, a dictionary or a "
    "cache, and another process, or another request, has written meanwhile."
)
OTHER_KIND = (
    "numbers, or true and false, have become others on the way: as a float a whole number beyond "
    "2**53 loses digits, and true that is stored as a number is 1."
)
AS_IT_IS = (
    "what is sent and equals what is there counts as an error, or ends the change of what stands "
    "beside it."
)
# Why one of two changes that came at one moment is lost, or refused.
WHOLE_ROW: Guesses = {
    409: "the app refuses a change because another one came first. Where only the fields that were "
    "sent are in the UPDATE, both can be kept.",
    "": "the whole row is written, and what was not sent as it was read before: only the fields "
    "that were sent belong into the UPDATE. Or a variable that all requests share holds it.",
}
MISSING_REMEMBERED = (
    "it is remembered in memory that there was no such row, when there was none yet: ask the "
    "database each time."
)
SWAPPED = (
    "the two bounds are exchanged when the lower one is above the upper one: nothing lies between "
    "them then."
)
SLOW_WRITE_SECONDS = 0.02
CERTIFICATES = httpx.create_ssl_context(trust_env=False)  # read once: it takes 20 ms
BLOCKED_LOOP = (
    "note: SQL ran on the event loop, where every other request waits for it: give the routes "
    "`def`, or an async session"
)
NO_SLOW_WRITES = (
    "note: with --url writes are not held back, so a race that is possible may go unseen"
)


class CheckError(AssertionError):
    """A check failed; the text is complete sentences for the learner."""

    def __init__(self, sentence: str, why: str = "", reply: "Reply | None" = None) -> None:
        self.reply = reply
        asked = f"{reply.exchange}\n" if reply else ""
        self.symptom = f"{reply.signature if reply else ''} {alike(sentence)}"
        self.cause = capital(why)
        self.told = f"{asked}Wrong:      {capital(sentence)}"
        super().__init__(self.told + (f"\nUsual cause: {self.cause}" if why else ""))


def alike(text: str) -> str:
    """Leave out what differs from one request to the next: numbers and invented names."""
    return re.sub(r"[0-9a-f]{10}|\d+", "N", text)


def fail(sentence: str, why: str = "") -> NoReturn:
    """Fail the check: what is wrong, and what usually causes it."""
    raise CheckError(sentence, why)


def left_out(reason: str) -> NoReturn:
    """End a check that cannot be made on this target; it is counted and named at the end."""
    pytest.skip(reason)


def unique(stem: str) -> str:
    """Make a name that no other test and no earlier run has used."""
    return f"{stem}{uuid4().hex[:10]}"


def one_letter() -> str:
    """Choose a name of one letter, one of twenty thousand that have no case."""
    return chr(0x4E00 + uuid4().int % 20_000)


def same(expected: Any, got: Any) -> bool:
    """Compare as JSON means it: true is not 1, at any depth; Decimal('9.90') is 9.9 and "9.90"."""
    if isinstance(expected, Decimal):
        try:
            return not isinstance(got, bool) and Decimal(str(got)) == expected
        except InvalidOperation:
            return False
    if isinstance(expected, dict) and isinstance(got, dict):
        return expected.keys() == got.keys() and all(same(expected[k], got[k]) for k in expected)
    if isinstance(expected, list) and isinstance(got, list):
        return len(expected) == len(got) and all(map(same, expected, got))
    return bool(expected == got) and isinstance(expected, bool) == isinstance(got, bool)


def as_floats(value: Any) -> Any:
    """Give a JSON value with each number, and true and false, as the nearest float."""
    if isinstance(value, dict):
        return {name: as_floats(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [as_floats(inner) for inner in value]
    return float(value) if isinstance(value, int) and abs(value) < 10**300 else value


def shorten(value: Any, length: int = 300) -> str:
    """Write a value as JSON, cut to a readable length."""
    if isinstance(value, bytes):
        value = value.decode(errors="backslashreplace")
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
        self.path = path.partition("?")[0]
        self.status = response.status_code
        self.headers = response.headers
        self.text = response.text
        self.seen = unpack(response.headers.get("x-seen", ""))
        self.error: str = self.seen.get("error", "")
        self.database_error: str = self.seen.get("database_error", "")
        self.signature = alike(f"{method} {self.path} {self.status} {self.error}")
        try:
            self.body: Any = response.json()
        except ValueError:
            self.body = None

    @property
    def exchange(self) -> str:
        """Say what was asked and what came back."""
        error = self.error or (self.database_error if self.status >= 500 else "")
        told = f"\nServer:     {error}" if error else ""
        return f"Asked:      {self.asked}\nCame back:  {self.status} {shorten(self.text)}{told}"

    @property
    def ok(self) -> bool:
        """Tell whether the status is a 2xx."""
        return 200 <= self.status < 300

    @property
    def unrouted(self) -> bool:
        """Tell FastAPI's own 404 from an HTTPException(404) without a text, if any SQL ran."""
        not_found = (self.status, self.body) == (404, {"detail": "Not Found"})
        return not_found and not self.seen.get("statements")

    def wrong(self, sentence: str, why: str = "") -> NoReturn:
        """Fail the check because of this answer."""
        raise CheckError(sentence, why, self)

    def expect(self, *statuses: int, why: Why = "") -> Self:
        """Fail unless the status is one of these; causes.py chooses what is said to cause it."""
        if self.status not in statuses:
            wanted = " or ".join(map(str, statuses))
            cause = choose(self, statuses, why)
            self.wrong(f"the status is {self.status}, not {wanted}.", cause)
        return self

    def object(self, why: str = "") -> dict[str, Any]:
        """Give the JSON object in the body; fail when there is something else."""
        if self.body == {}:
            self.wrong(
                "the body is an empty object.",
                "commit() empties a table object; session.refresh(row) after it, or "
                "expire_on_commit=False, fills it again.",
            )
        if isinstance(self.body, list):
            self.wrong("the body is a list and not an object.", "here, one row is the answer.")
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
        if len(fields) > 1 and not (fields.keys() - {"id"}) & body.keys():
            self.wrong(
                f"none of these fields is there: {', '.join(fields)}.",
                "the route answers a message or an envelope, and not the row itself.",
            )
        for name, value in fields.items():
            if name not in body:
                self.wrong(f"the field {name!r} is missing.", why)
            if not same(value, body[name]):
                if isinstance(value, dict | list) and as_floats(value) == as_floats(body[name]):
                    why = OTHER_KIND
                got, wanted = as_json(body[name]), as_json(value)
                self.wrong(f"the field {name!r} is {got}, not {wanted}.", why)
        return body

    def items(self, why: str = "") -> list[Any]:
        """Give the list in the body, bare or as the only list of an envelope object."""
        if isinstance(self.body, list):
            return self.body
        values = self.body.values() if isinstance(self.body, dict) else []
        lists = [value for value in values if isinstance(value, list)]
        if self.text.strip() == "null":
            why = "None was returned: a list without rows is [] and not null."
        if len(lists) != 1:
            self.wrong("the body is neither a list nor an object with one list in it.", why)
        return lists[0]

    def rows(self, items: list[Any] | None = None) -> list[dict[str, Any]]:
        """Give the list in the body, or this one; fail unless each item is an object with an id."""
        items = self.items() if items is None else items
        for row in items:
            if not isinstance(row, dict) or "id" not in row:
                self.wrong(
                    f"the list holds {shorten(row)}, which is no object with an 'id'.",
                    "the query selects single columns, or the response class leaves the id out.",
                )
        return items

    def _known(self, name: str) -> Any:
        if "statements" not in self.seen:
            left_out("SQL statements can only be counted in an app that the check starts itself")
        return self.seen[name]

    @property
    def statements(self) -> int:
        """How many SQL statements the request took; leaves the check out when unknown."""
        return int(self._known("statements"))

    def stale(self, why: str) -> str:
        """Say why the answer is not of this moment: it needed no SQL, or what the check knows."""
        return FROM_MEMORY if self.seen.get("statements") == 0 else why

    @property
    def rows_fetched(self) -> int:
        """How many rows the app fetched from the database; leaves the check out when unknown."""
        return int(self._known("rows"))

    @property
    def commits(self) -> int | None:
        """How many commits made a change permanent; None when unknown."""
        return self.seen.get("commits") if self.seen.get("statements") else None

    def commits_once(self, why: str) -> Self:
        """Fail when the request made its changes permanent in more than one part."""
        if self.commits is not None and self.commits > 1:
            self.wrong(f"the request committed its changes in {self.commits} parts.", why)
        return self

    def committed_first(self) -> Self:
        """Fail when a change became permanent only after the answer."""
        if self.ok and self.seen.get("late_commit"):
            self.wrong(
                "the answer was sent before the commit: who is told of success can find nothing.",
                "the commit stands after the `yield` of a dependency, or the work is left to a "
                "background task. Commit in the route, or write "
                'Depends(get_session, scope="function").',
            )
        return self

    @property
    def ran(self) -> set[str]:
        """How its SQL ran: "awaited", in a "thread", or blocking the event "loop"."""
        return set(self._known("ran"))

    @property
    def late_commit(self) -> bool:
        """Tell whether the app committed after it had answered; leaves out when unknown."""
        return bool(self._known("late_commit"))

    @property
    def open_connections(self) -> int:
        """How many database connections the request kept; leaves the check out when unknown."""
        return int(self._known("open"))

    @property
    def sql(self) -> str:
        """The request's statements, uncut, one a line with its number, most frequent first."""
        return "\n".join(f"    {count} x {text}" for text, count in self.seen.get("sql", []))


def unpack(header: str) -> dict[str, Any]:
    """Read what serve.py says about a request; nothing when another server answered."""
    return json.loads(zlib.decompress(base64.b64decode(header))) if header else {}


def same_row(
    before: Mapping[str, Any],
    after: "Reply | Mapping[str, Any]",
    *,
    but: tuple[str, ...] = (),
    why: str = "",
) -> None:
    """Fail unless both are the same stored row, field by field; `but` names those that may differ.

    `before` is what was answered earlier, every field that the app showed then.
    """
    body = after.object() if isinstance(after, Reply) else after
    for name in sorted(before.keys() | body.keys()):
        missing = "nothing" if name not in before or name not in body else ""
        if name in but or (not missing and same(before[name], body[name])):
            continue
        old, new = (as_json(row[name]) if name in row else missing for row in (before, body))
        sentence = f"the field {name!r} is {new} and was {old}."
        if isinstance(after, Reply):
            after.wrong(sentence, why)
        fail(sentence, why)


class Api:
    """The app under test, spoken to over HTTP."""

    def __init__(self, url: str = "", server: Server | None = None, broken: str = "") -> None:
        self._server = server
        self._broken = broken
        self._told = False
        self._second: Api | None = None
        self._slow: ContextVar[bool] = ContextVar("slow", default=False)
        self._turn: ContextVar[Api] = ContextVar("turn", default=self)
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
        """Close the connections; stop the second process."""
        self._client.close()
        if self._second:
            self._second.server.stop()
            self._second.close()

    def _must_run(self) -> None:
        """Fail when the app does not start, once; leave out what is asked of it later."""
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
        turn = self._turn.get()
        if turn is not self:
            return turn.request(method, path, json, headers)
        if self._slow.get():
            headers = {"x-slow-writes": str(SLOW_WRITE_SECONDS), **(headers or {})}
        try:
            response = self._send(method, path, json, headers)
        except httpx.HTTPError as error:
            sent = "" if json is None else f" with {shorten(json)}"
            told = f" Its last lines:\n{self._server.tail(12)}" if self._server else ""
            raise CheckError(
                f"{method} {path}{sent} got no answer: {type(error).__name__}.{told}",
                "the server stopped, or waits for itself: a lock or a connection never given back.",
            ) from None
        reply = Reply(method, path, json, response)
        self.dialects.add(reply.seen.get("dialect", ""))
        if "loop" in reply.seen.get("ran", []):
            self.notes.add(BLOCKED_LOOP)
        return reply

    def _send(
        self, method: str, path: str, json: Any, headers: dict[str, str] | None
    ) -> httpx.Response:
        url = (self._server.url if self._server else self._url) + path
        if isinstance(json, bytes):  # a body that no encoder would write
            headers = {"content-type": "application/json", **(headers or {})}
            return self._client.request(method, url, content=json, headers=headers)
        return self._client.request(method, url, json=json, headers=headers)

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
        start(self.server.restart)

    def second(self) -> "Api":
        """Give a second process of the same app on the same database, started when first asked for.

        What one process holds in memory, a lock or a cache, the other does not see. With --url it
        is the one server again.
        """
        self._must_run()
        if self._server is None:
            return self
        if self._second is None:
            twin = Server(
                self._server.target,
                self._server.app_dir,
                self._server.database_url,
                self._server.workdir,
            )
            start(twin.start)
            self._second = Api(server=twin)
            self._second._slow = self._slow
        return self._second

    def kill_during(
        self, method: str, path: str, json: Any = None, headers: dict[str, str] | None = None
    ) -> Reply | None:
        """Send a writing request, kill the server right after its first commit, start it again.

        Gives None then: all of the request is in the database or, when it commits in parts, the
        first part. Gives the answer when it came first, because nothing was committed or because
        the app does without SQLAlchemy.
        """
        server = self.server
        try:
            response = self._send(method, path, json, {**(headers or {}), "x-die-at-commit": "1"})
        except httpx.TransportError:
            response = None
        start(server.restart)
        return None if response is None else Reply(method, path, json, response)

    def has_no_route_for(self, reply: Reply) -> bool:
        """Tell whether nothing but the starter's placeholder, or another route, has answered."""
        if reply.status in (501, 405) or reply.unrouted:
            return True
        name = reply.path.rpartition("/")[2]
        if reply.status != 422 or name.isdigit() or '"path"' not in reply.text:
            return False
        # /users/search has come to /users/{user_id}: is it missing, or below it in the file?
        try:
            documented = self._send("GET", "/openapi.json", None, None).json()["paths"]
        except (httpx.HTTPError, ValueError, LookupError, TypeError):
            return False  # this server does not say which routes it has
        return reply.path not in documented

    def list_all(self, path: str, limit: int = 100) -> list[dict[str, Any]]:
        """Read a list to its end with skip and limit, also where these are not built yet."""
        rows: dict[Any, dict[str, Any]] = {}
        mark = "&" if "?" in path else "?"
        for _ in range(1000):
            reply = self.get(f"{path}{mark}skip={len(rows)}&limit={limit}").expect(200)
            new = {row["id"]: row for row in reply.rows() if row["id"] not in rows}
            rows |= new
            if len(new) < limit:
                break
        return list(rows.values())

    def at_once(self, times: int, call: Callable[[int], Reply]) -> list[Reply]:
        """Run call(0) … call(times - 1) at the same moment, with writes that take a little longer.

        Every request pauses before each of its writes, so all have read before the first has
        written: a race that is possible happens. What call(n) asks of this Api goes to the first
        process when n is even and to the second() when it is odd: no lock in memory holds all.
        """
        self._must_run()
        if self._server is None:
            self.notes.add(NO_SLOW_WRITES)
        processes = (self, self.second())
        gate = Barrier(times)

        def run(number: int) -> Reply:
            self._slow.set(True)
            self._turn.set(processes[number % 2])
            gate.wait()
            return call(number)

        with ThreadPoolExecutor(times) as threads:
            return list(threads.map(run, range(times)))


def start(how: Callable[[], None]) -> None:
    """Start a server on a database that holds data already."""
    try:
        how()
    except StartError as error:
        why = "create_all() and migrations have to leave alone what is already there."
        raise CheckError(str(error), why) from None


def ask_ahead(api: Api, last_id: int, ask: Callable[[Api, int], Reply]) -> None:
    """Ask each process for the rows that are made next, whose ids follow this one.

    A cache that keeps a "not found" answers it again when the rows are there.
    """
    for process in (api, api.second()):
        for number in range(last_id + 1, last_id + 4):
            ask(process, number)


@contextmanager
def multiplied(api: Api, row: Mapping[str, Any], field: str, doublings: int) -> Iterator[int]:
    """Copy a stored row until there are 2**doublings of it; give that number, remove the copies.

    The copies differ in this field, a text that no other row has in it, and end as it ends. They
    are made in the database: as many requests would take seconds. Leaves the check out where the
    row is in no table, or the table has something else that is there once.
    """
    import sqlalchemy as sa  # takes a quarter of a second, which few checks need

    engine = sa.create_engine(api.server.database_url, poolclass=sa.NullPool)
    tables, value = sa.MetaData(), row[field]
    try:
        with engine.connect() as connection:
            tables.reflect(connection)
            table = next(
                each
                for each in tables.sorted_tables
                if {"id", field} <= set(each.columns.keys())
                and connection.scalar(sa.select(each.c.id).where(each.c[field] == value))
                == row["id"]
            )
        others = [column for column in table.columns if column.name not in ("id", field)]
        text, stored = table.c[field], table.c[field].endswith(value, autoescape=True)
        with engine.begin() as connection:
            for number in range(doublings):
                copy = sa.select(*others, sa.literal(f"{number}.").concat(text)).where(stored)
                connection.execute(sa.insert(table).from_select([*others, text], copy))
    except (StopIteration, sa.exc.SQLAlchemyError):
        left_out("rows can only be copied in a table that is like the one of the task")
    try:
        yield 2**doublings
    finally:
        with engine.begin() as connection:
            connection.execute(sa.delete(table).where(stored, text != value))


def found(reply: Reply) -> Reply:
    """Fail unless a row is found now that ask_ahead() has asked for; the route is known to work."""
    if reply.status == 404:
        reply.wrong("the status is 404, not 200.", MISSING_REMEMBERED)
    return reply.expect(200)


def addresses_nearly(taken: str) -> list[str]:
    """Give addresses that a look for this one may find, though each is another."""
    name, at, domain = taken.partition("@")
    return [
        taken.replace("_", "x", 1),
        taken.replace("_", "", 1),
        f"b{taken}",
        f"{taken}.org",
        f"{name}+1{at}{domain}",
    ]


def why_not_all(reply: Reply) -> str:
    """Say why one of several requests that have nothing in common was refused."""
    if "IntegrityError" in reply.database_error:
        return (
            "the app counts the ids itself, max(id) + 1, and two requests get the same one: the "
            "database gives each row its own."
        )
    return (
        "a request that meets another one is refused, though they have nothing in common: let it "
        "wait, and let the database decide."
    )


def one_wins(api: Api, path: str, sent: Any, stored: Callable[[], int]) -> None:
    """Race eight equal POST requests; fail unless one is answered 201, the others 400 or 409.

    `stored` counts the rows that came of it.
    """
    replies = api.at_once(8, lambda _: api.post(path, sent))
    for reply in replies:
        reply.expect(201, 200, 400, 409)
    wins = [number for number, reply in enumerate(replies) if reply.ok]
    rows = stored()
    if (len(wins), rows) != (1, 1):
        statuses = sorted(reply.status for reply in replies)
        fail(
            f"eight equal POST {path} at one moment were answered {statuses}, and {rows} "
            f"{'row is' if rows == 1 else 'rows are'} stored.",
            why_not_one(wins, rows),
        )


def why_not_one(wins: list[int], rows: int) -> str:
    """Say what lets several equal requests win, or none."""
    if rows == 0:
        return "the winner's row is not committed, or the refusal of another takes it away again."
    if not wins:
        return "the request whose row is stored is refused like the others."
    if rows == 1:
        return (
            "the database keeps one row, and the app answers success to the others, too: "
            "INSERT OR IGNORE, or an IntegrityError that is caught and passed over."
        )
    if rows == 2 and wins[0] % 2 != wins[-1] % 2:
        return (
            "each of two server processes let one request through: a lock, a set or a dictionary "
            "holds in one process only, and a SELECT sees only what is committed. "
            "Let a unique constraint decide, and catch its IntegrityError."
        )
    return (
        "a SELECT before the INSERT is the only guard: all requests look before one has written. "
        "Let the unique constraint decide, and catch its IntegrityError."
    )


def why_accepted(reply: Reply, first_id: int) -> Why:
    """Say why a name was accepted a second time; the first has this id."""
    if reply.ok and reply.id == first_id:
        return {2: "the row that was there is answered, as if it had been made: refuse it."}
    if reply.commits == 0:
        return {2: "no session.commit() after session.add(); each request has its own session."}
    return {
        2: "the column has no unique=True, or its IntegrityError is not caught; or the names are "
        "kept in memory, which belongs to one process."
    }
