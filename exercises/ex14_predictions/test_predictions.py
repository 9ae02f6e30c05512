"""Checks of exercise 14; each version of the model is known to one check only."""

import json
import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from exercises.checks import (
    AWKWARD_TEXTS,
    NO_SUCH_ID,
    Api,
    Reply,
    fail,
    same,
    same_row,
    shorten,
    unique,
)

NO_COMMIT = "no session.commit() after session.add(); each request has a session of its own."
NOT_JSON = (
    "the column is a string and str() filled it: Python's text for a dict is not JSON; or a text "
    "that looks like JSON was read as JSON. Give the column the type JSON, and it does both ways."
)
NO_BOUND = (
    "the bound is missing in the input class, or the table class is the request body: a class "
    "with table=True does not validate."
)
FAILED = (
    "`if failed:` leaves failed=false out (compare with None); the terms are joined by OR; IS NULL "
    "is asked of a JSON column, where None is stored as JSON's null; or rows are left out in "
    "Python, after the limit."
)
LIKE = "the versions are compared with LIKE, startswith() or in lower case, not with `==`."
IN_MEMORY = (
    "the answer comes from the memory of one process, a dictionary or a cache; another process "
    "has written meanwhile. Only the database is shared."
)
INPUT = {
    "rooms": 3,
    "area": 70.5,
    "owner": "Zoë",
    "tags": ["a", None, {"new": True}, 1, 0],
    "texts": list(AWKWARD_TEXTS),
    "numbers": [0.1, 1e-7, 9007199254740993, -1],
    "Nothing": {"null": None, "zero": 0, "text": "", "list": [], "object": {}},
    "none": None,
    "empty": [],
}
LONG_ERROR = "Traceback:\n" + "  the model's input has 71 columns, 70 were expected\n" * 200
NOTHING = [0, False, "", [], {}]  # results all the same


def a_call(**changes: Any) -> dict[str, Any]:
    """Describe a call that went well."""
    call = {"model_version": unique("house-"), "input_data": INPUT, "latency_ms": 12.5}
    return call | {"result": {"price": 241500}} | changes


def a_failure(**changes: Any) -> dict[str, Any]:
    """Describe a call that failed."""
    call = a_call()
    del call["result"]
    return call | {"error": "area is negative"} | changes


def create(api: Api, sent: dict[str, Any]) -> int:
    """Log a call; give its id."""
    return api.post("/predictions", sent).expect(201, 200).id


@pytest.mark.step(1)
def test_create_prediction(api: Api) -> None:
    """POST /predictions answers the stored call; input and result are the JSON that was sent."""
    sent = a_call(result=INPUT)
    why = (
        "the input class takes less than it should: input_data is any JSON object, "
        "dict[str, Any], and the call is the body; what is not in it has a default."
    )
    made = api.post("/predictions", sent).expect(201, 200, why={4: why})
    made.has(NOT_JSON, **sent)
    why = f"{NO_COMMIT} Or: {NOT_JSON}"
    for reader in (api, api.second()):
        reader.get(f"/predictions/{made.id}").expect(200, why=NO_COMMIT).has(why, **sent)


@pytest.mark.step(1)
def test_prediction_survives_a_restart(api: Api) -> None:
    """A call is still there when the server has been restarted, and its row is the same."""
    sent = a_call()
    path = f"/predictions/{create(api, sent)}"
    before = api.get(path).expect(200, why=NO_COMMIT).object()
    api.restart()
    reply = api.get(path).expect(200, why=NO_COMMIT)
    reply.has(NOT_JSON, **sent)
    same_row(before, reply, why="a part of the answer is not stored, but made for each answer.")


def created_at(reply: Reply) -> datetime:
    """Read the time in an answer; one without an offset may be local or UTC."""
    try:
        value = reply.object().get("created_at")
        return datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        reply.wrong(
            "there is no time with its date under 'created_at'.",
            "a default_factory in the table class makes one; isoformat() writes all of it.",
        )


def apart(first: datetime, second: datetime) -> bool:
    """Tell two times apart; where an offset is left out, it may be that of any time zone."""
    if first.tzinfo and second.tzinfo:
        return first != second
    between = (first.replace(tzinfo=UTC) - second.replace(tzinfo=UTC)).total_seconds()
    return between % 900 != 0


@pytest.mark.step(1)
def test_create_prediction_sets_the_time(api: Api) -> None:
    """The server sets created_at, whatever the client sends."""
    reply = api.post("/predictions", a_call(created_at="2001-01-01T00:00:00Z"))
    if reply.status == 422:
        reply = api.post("/predictions", a_call())
    first = created_at(reply.expect(201, 200))
    if first.year == 2001:
        why = "the class of the request body has the field: it is the table class, or names it too."
        reply.wrong("the client's created_at was stored.", why)
    known = first.tzinfo is not None
    off = abs(datetime.now(UTC) - (first if known else first.replace(tzinfo=UTC)))
    if off > timedelta(minutes=10, hours=0 if known else 14):
        reply.wrong("this is not the time of now.", "another clock, or local time given as UTC.")
    stored = created_at(api.get(f"/predictions/{reply.id}").expect(200, why=NO_COMMIT))
    if apart(first, stored):
        told = f"POST answered the time {first}, and GET answers {stored}."
        fail(told, "the answer has a time of its own, and not that of the stored row.")
    end = time.monotonic() + 1.2  # a clock may count whole seconds
    while time.monotonic() < end:
        reply = api.post("/predictions", a_call()).expect(201, 200)
        if created_at(reply) != first:
            return
    reply.wrong(
        "the time is that of an earlier call.",
        "`default=datetime.now(UTC)` is computed once, at the start; `default_factory=lambda: "
        "datetime.now(UTC)` is for each row.",
    )


@pytest.mark.step(1)
@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("latency_ms", [-1, -0.001, "fast", None, [1], {"ms": 1}]),
        ("input_data", ["rooms=3", [1], 7, None]),
        ("model_version", ["", "v" * 51, None]),
    ],
    ids=["latency", "input", "version"],
)
def test_create_prediction_refuses_invalid_input(api: Api, field: str, values: list[Any]) -> None:
    """POST /predictions answers 422 to a value out of bounds, of the wrong type, or missing."""
    for value in values:
        api.post("/predictions", a_call(**{field: value})).expect(422, why=NO_BOUND)
    sent = a_call()
    del sent[field]
    why = f"{field} has a default, so it may be left out."
    api.post("/predictions", sent).expect(422, why=why)


@pytest.mark.step(1)
@pytest.mark.parametrize(
    "bounds",
    [
        {"latency_ms": 0, "input_data": {}},
        {"model_version": "v"},
        {"model_version": "1.10"},
        {"model_version": "é" * 50, "latency_ms": 0.001},
        {"latency_ms": 123456.789},
        {"input_data": {"pixels": [[number / 4 for number in range(99)]] * 99}},
    ],
    ids=["nothing", "short", "number", "long", "slow", "large"],
)
def test_create_prediction_at_the_bounds(api: Api, bounds: dict[str, Any]) -> None:
    """POST /predictions takes long and short values: a version of 1 or 50 signs, a latency of 0."""
    why = "the bound itself is allowed: ge=0, not gt; min_length=1, max_length=50; `{}` is a dict."
    sent = a_call(**bounds)
    made = api.post("/predictions", sent).expect(201, 200, why=why)
    why = (
        "the app rounds or cuts the value, or the column holds fewer digits, or signs, than were "
        "sent (SQLAlchemy's Float has enough), or makes a number of a text, as STRING in SQLite."
    )
    for reply in (made, api.get(f"/predictions/{made.id}").expect(200, why=NO_COMMIT)):
        reply.has(why, **sent)


@pytest.mark.step(1)
def test_read_prediction_not_found(api: Api) -> None:
    """GET /predictions/{id} answers 404 when there is no such call."""
    why = "session.get() gave None, and None was answered or used."
    api.get(f"/predictions/{NO_SUCH_ID}").expect(404, why=why)


@pytest.mark.step(2)
def test_create_failure(api: Api) -> None:
    """A call that failed is stored with its error, without a result."""
    why = "an error is a text of any length."
    errors = [a_failure(error=error) for error in (LONG_ERROR, "404", "1e3")]
    for sent in (a_failure(), a_failure() | {"result": None}, *errors):
        made = api.post("/predictions", sent).expect(201, 200, why={422: why})
        path = f"/predictions/{made.id}"
        why = (
            "fields that are null are left out of the answer (response_model_exclude_none), the "
            "result has another default than None, or the text of the error is cut, or the column "
            "makes a number of it."
        )
        for reply in (made, api.get(path).expect(200, why=NO_COMMIT)):
            reply.has(why, **(sent | {"result": None}))


@pytest.mark.step(2)
@pytest.mark.parametrize(
    "result",
    [*NOTHING, 0.25, "spam", "null", '{"a": 1}', [0, None], True, {"error": "slow"}],
    ids=json.dumps,
)
def test_create_prediction_with_any_result(api: Api, result: Any) -> None:
    """Every JSON value but null is a result, also 0, false and what is empty."""
    why = (
        "`if result` or `not result` takes 0, false and what is empty for nothing: `is None`; or "
        "the type of result takes objects only: JsonValue takes all."
    )
    sent = a_call(result=result, error=None)
    made = api.post("/predictions", sent).expect(201, 200, why=why)
    why = f"{NOT_JSON} Or: {why}"
    made.has(why, result=result)
    api.get(f"/predictions/{made.id}").expect(200, why=NO_COMMIT).has(why, result=result)


@pytest.mark.step(2)
@pytest.mark.parametrize(
    "outcome",
    [{}, {"result": None}, {"result": None, "error": None}, {"result": 1, "error": "slow"}]
    + [{"result": result, "error": "slow"} for result in NOTHING]
    + [{"result": 1, "error": ""}],
    ids=json.dumps,
)
def test_create_prediction_wants_one_outcome(api: Api, outcome: dict[str, Any]) -> None:
    """POST /predictions answers 422 to a call with neither result nor error, and with both."""
    sent = a_call()
    del sent["result"]
    why = (
        "nobody compares the two fields, or with `if result`, which takes 0 and what is empty for "
        "nothing: a model_validator on the input class can, with `is None`."
    )
    api.post("/predictions", sent | outcome).expect(422, 400, why=why)


@pytest.mark.step(2)
@pytest.mark.parametrize("error", [{"code": 1}, ["slow"]], ids=json.dumps)
def test_create_failure_refuses_what_is_no_text(api: Api, error: Any) -> None:
    """POST /predictions answers 422 to an error that is no text."""
    why = "an error is a text: `error: str | None = None` in the input class."
    api.post("/predictions", a_failure(error=error)).expect(422, 400, why=why)


EMPTY = "an empty text is taken for no error: `is not None` in Python, IS NOT NULL in SQL."


@pytest.mark.step(2)
def test_create_failure_with_empty_error(api: Api) -> None:
    """An empty text as error is refused, or stored like any other."""
    sent = a_failure(error="")
    made = api.post("/predictions", sent).expect(201, 200, 422, 400)
    if made.ok:
        api.get(f"/predictions/{made.id}").expect(200).has(EMPTY, **sent, result=None)


def page(api: Api, query: str) -> Reply:
    """List calls."""
    why = "a filter is required, or min_latency_ms is an int: `float | None = None`."
    none = "a page without calls is an empty list, and no error."
    reply = api.get(f"/predictions?{query}")
    if reply.status == 422 and '"limit"' in reply.text:
        why = "a hundred calls can be asked for."
    return reply.expect(200, why={422: why, 404: none})


def found(api: Api, query: str) -> list[int]:
    """List calls; give their ids."""
    return [row["id"] for row in page(api, query).items()]


@pytest.mark.step(3)
def test_list_predictions_newest_first(api: Api) -> None:
    """GET /predictions lists the newest call first; skip and limit cut the list."""
    version = unique("house-")
    sent = [a_call(model_version=version, latency_ms=ms) for ms in (5, 9, 1, 7, 3, 8, 2)]
    sent.append(a_failure(model_version=version, error=LONG_ERROR))
    newest_first = [create(api, call) for call in sent][::-1]
    create(api, a_call())
    query = f"model_version={version}"
    got = found(api, query)
    if set(got) != set(newest_first):
        fail(
            f"GET /predictions?{query} answered the calls {got}, not {newest_first}.",
            "model_version does not reach the WHERE, or there was no commit.",
        )
    if got != newest_first:
        fail(
            f"GET /predictions?{query} answered the calls {got}, not {newest_first}.",
            "no ORDER BY, or without desc(), or by a time that several calls share.",
        )
    for skip, limit in ((1, 2), (6, 10), (0, 1), (8, 3)):
        part = found(api, f"{query}&skip={skip}&limit={limit}")
        wanted = newest_first[skip : skip + limit]
        if part != wanted:
            fail(
                f"with skip={skip}&limit={limit} came the calls {part}, not {wanted}.",
                "skip or limit does not reach the query, or what it cut is filtered in Python: "
                "first .where(…), then .offset(skip).limit(limit).",
            )
    for row in page(api, f"{query}&limit=2").items():
        alone = api.get(f"/predictions/{row['id']}").expect(200)
        same_row(alone.object(), row, why="the list answers a part of each call.")


@pytest.mark.step(3)
def test_list_predictions_without_refused_ones(api: Api) -> None:
    """A call that is refused, with a result and an error or with neither, is not listed."""
    version = a_call()["model_version"]
    for outcome in ({"result": 1, "error": "slow"}, {"result": None}):
        sent = a_call(model_version=version) | outcome
        api.post("/predictions", sent).expect(422, 400, why="see step 2.")
    if found(api, f"model_version={version}"):
        fail("a call that was refused is in the list.", "it was stored before it was looked at.")


@pytest.mark.step(3)
def test_list_predictions_in_the_database(api: Api) -> None:
    """GET /predictions fetches no more calls than it answers."""
    version = unique("house-")
    call = a_failure(model_version=version, input_data={}, latency_ms=70)
    if len({create(api, call) for _ in range(102)}) < 102:
        fail("several calls have one id.", "a call like an earlier one is another call.")
    filters = (f"model_version={version}", "failed=true", "min_latency_ms=60")
    for query in (*filters, f"model_version={version}&skip=60"):
        reply = page(api, f"{query}&limit=2")
        if reply.rows_fetched >= 12:
            reply.wrong(
                f"for two calls {reply.rows_fetched} rows were fetched:\n{reply.sql}",
                "all are loaded, and filtered or cut in Python. .where(), .offset() and .limit() "
                "let the database do it.",
            )
    for limit in (100, 60):
        listed = len(found(api, f"model_version={version}&limit={limit}"))
        if listed != limit:
            why = "limit does not reach the query, or the app has a lower limit of its own."
            fail(f"with limit={limit} came {listed} of 102 calls.", why)
    if len(found(api, f"model_version={version}&skip=100&limit=100")) != 2:
        fail("with skip=100 not 2 of 102 calls came.", "the list is cut before skip is looked at.")
    if len(found(api, f"model_version={version}")) != 10:
        fail("without a limit not 10 of 102 calls came.", "the limit is 10 when it is not given.")


@pytest.mark.step(3)
def test_list_predictions_without_filter(api: Api) -> None:
    """GET /predictions without a filter begins with the call that was logged last."""
    create(api, a_failure())
    for sent in (a_call(latency_ms=0), a_failure(latency_ms=0)):
        last = create(api, sent)
        for reader, why in (
            (api, "a filter that was not given filters all the same, or the oldest come first."),
            (api.second(), IN_MEMORY),
        ):
            got = found(reader, "limit=1")
            if got != [last]:
                fail(f"GET /predictions?limit=1 answered the calls {got}, not [{last}].", why)


@pytest.mark.step(3)
@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("failed=true", [3, 1]),
        ("failed=false", [4, 2, 0]),
        ("min_latency_ms=100", [4, 3]),
        ("min_latency_ms=99.5", [4, 3, 1]),
        ("min_latency_ms=0", [4, 3, 2, 1, 0]),
        ("min_latency_ms=99.75&failed=true", [3]),
        ("min_latency_ms=50&failed=false", [4]),
    ],
)
def test_list_predictions_filters(api: Api, query: str, wanted: list[int]) -> None:
    """GET /predictions filters by failure and by latency, also by both."""
    version = unique("house-")
    sent = [a_call(latency_ms=1), a_failure(latency_ms=99.5), a_call(latency_ms=0, result=[])]
    sent += [a_failure(latency_ms=250), a_call(latency_ms=100, result=0)]
    ids = [create(api, call | {"model_version": version}) for call in sent]
    create(api, a_failure(latency_ms=500))
    for limit in (50, len(wanted)):
        got = found(api, f"model_version={version}&{query}&limit={limit}")
        if got == [ids[n] for n in wanted]:
            continue
        took = [sent[ids.index(i)]["latency_ms"] for i in got if i in ids]
        fail(
            f"of calls that took 1, 99.5 (failed), 0, 250 (failed) and 100 ms, {query} with "
            f"limit={limit} found {took}{' and others' if len(took) < len(got) else ''}.",
            FAILED
            if "failed" in query and "." not in query
            else "the latency is not compared with `>=`, or with a number without its decimals.",
        )


@pytest.mark.step(3)
def test_list_predictions_without_an_error(api: Api) -> None:
    """With failed=false come the calls whose result is 0, false or empty, too."""
    version = unique("house-")
    ids = [create(api, a_call(model_version=version, result=result)) for result in NOTHING]
    create(api, a_failure(model_version=version))
    got = found(api, f"model_version={version}&failed=false")
    if got != ids[::-1]:
        fail(f"of calls with the results {NOTHING}, failed=false found {len(got)}.", FAILED)


def alike() -> list[str]:
    """Name versions that are nearly the same."""
    version = unique("house_")
    others = [f"{version}5", version.upper(), version.replace("_", "-"), f"x{version}"]
    return [version, *others]


@pytest.mark.step(3)
def test_list_predictions_of_one_version(api: Api) -> None:
    """With model_version=house-1.2 comes no call of house-1.25 or House-1.2."""
    versions = alike()
    ids = [create(api, a_call(model_version=version)) for version in versions]
    for version, wanted in zip(versions, ids, strict=True):
        got = found(api, f"model_version={version}")
        if got != [wanted]:
            names = [versions[ids.index(i)] for i in got if i in ids]
            fail(f"GET /predictions?model_version={version} found calls of {names}.", LIKE)


@pytest.mark.step(3)
@pytest.mark.parametrize("end", ["'", '"', "%", "' OR '1'='1", "'; --", ":x", "\\"])
def test_list_predictions_of_a_version_with_signs(api: Api, end: str) -> None:
    """A version is a text, whatever stands in it: it finds its own calls, and no others."""
    version = unique("h-") + end
    why = "the version is pasted into the SQL text: let the driver bind it, as a parameter."
    before = api.get(f"/predictions?model_version={quote(version)}").expect(200, why=why)
    if before.items():
        before.wrong("it found calls of other versions.", why)
    made = create(api, a_call(model_version=version))
    reply = api.get(f"/predictions?model_version={quote(version)}").expect(200, why=why)
    if [row["id"] for row in reply.items()] != [made]:
        reply.wrong(f"these are not the calls of the version {version}.", why)


BELOW = "the route stands below /predictions/{id}, which takes 'stats' for an id: move it above."


def stats(api: Api, query: str = "", why: str = "") -> Reply:
    """Read the numbers."""
    return api.get(f"/predictions/stats{query}").expect(200, why={422: BELOW, "": why})


def compare(api: Api, version: str, query: str = "", why: str = "", **expected: float) -> None:
    """Fail unless a version's numbers are these; a rate may be rounded to two decimals."""
    reply = stats(api, f"?model_version={quote(version)}{query}")
    rows = reply.items()
    if not rows:
        few = "or versions with few calls are left out."
        reply.wrong("there are no numbers of this version.", f"{why.removesuffix('.')}, {few}")
    others = [row for row in rows if not same(version, row.get("model_version"))]
    if others or len(rows) != 1:
        reply.wrong(
            f"there are {len(rows)} rows, {len(others)} of them of other versions.",
            f"model_version does not reach the WHERE, or {LIKE}"
            if others
            else "GROUP BY is missing, or has more in it than model_version.",
        )
    for name, value in expected.items():
        if not close(rows[0].get(name), value):
            reply.wrong(f"the field {name!r} is {rows[0].get(name)!r}, not {value}.", why)


def close(got: Any, value: float) -> bool:
    """Compare a number, which may be rounded to two decimals."""
    try:
        return abs(float(got) - value) < 0.006
    except (TypeError, ValueError):
        return False


@pytest.mark.step(4)
def test_read_stats(api: Api) -> None:
    """GET /predictions/stats counts calls and errors of each version."""
    version, other, failing = unique("house-"), unique("house-"), unique("house-")
    for latency, result in zip((10, 10, 41), NOTHING, strict=False):
        create(api, a_call(model_version=version, latency_ms=latency, result=result))
    create(api, a_failure(model_version=version, latency_ms=40))
    create(api, a_call(model_version=other, latency_ms=7))
    for _ in range(2):
        create(api, a_failure(model_version=failing, latency_ms=0))
    why = "a version's calls are counted without its failures, or with those of others."
    compare(api, version, why=why, total=4)
    why = "the average leaves out the failures or equal latencies, or is made a whole number."
    compare(api, version, why=why, avg_latency_ms=25.25)
    why = (
        "errors are looked for where there are none: None in a JSON column is stored as JSON's "
        "null, which IS NULL does not find, and a result may be 0. Count the rows with an error."
    )
    compare(api, version, why=why, errors=1)
    why = (
        "whole numbers were divided, in SQL 1 / 4 is 0; or it is a percentage, not 0 to 1; or the "
        "errors were divided by the successes, not by all calls."
    )
    compare(api, version, why=why, error_rate=0.25)
    compare(api, other, why=why, total=1, errors=0, error_rate=0, avg_latency_ms=7)
    why = "equal errors are counted as one, or a latency of 0 is left out of the average."
    compare(api, failing, why=why, total=2, errors=2, error_rate=1, avg_latency_ms=0)


@pytest.mark.step(4)
@pytest.mark.parametrize("end", ["'", "%", "' OR '1'='1"])
def test_read_stats_of_a_version_with_signs(api: Api, end: str) -> None:
    """A version is a text for the statistics as well."""
    version = unique("h-") + end
    create(api, a_call(model_version=version))
    create(api, a_call())
    why = "the version is pasted into the SQL text: let the driver bind it, as a parameter."
    reply = stats(api, f"?model_version={quote(version)}", why)
    if [row.get("model_version") for row in reply.items()] != [version]:
        reply.wrong(f"these are not the numbers of the version {version} alone.", why)
    compare(api, version, why=why, total=1, errors=0)


@pytest.mark.step(4)
def test_read_stats_of_this_moment(api: Api) -> None:
    """GET /predictions/stats counts what another process has logged since it was asked last."""
    version = unique("house-")
    create(api, a_call(model_version=version))
    compare(api, version, why=NO_COMMIT, total=1, errors=0)
    create(api.second(), a_failure(model_version=version))
    compare(api, version, why=IN_MEMORY, total=2, errors=1)


@pytest.mark.step(4)
def test_read_stats_of_calls_at_once(api: Api) -> None:
    """GET /predictions/stats counts all of eight calls that are logged at one moment."""
    version = unique("house-")
    calls = [a_call, a_failure, a_failure, a_call] * 2
    why = (
        "the numbers are counted up as calls arrive, by a number that is read, raised in Python "
        "and written: calls of the same moment are lost. Let the database count the calls."
    )
    for turn in (1, 2):
        replies = api.at_once(
            8, lambda number: api.post("/predictions", calls[number](model_version=version))
        )
        for reply in replies:
            reply.expect(201, 200, why={"UNIQUE": why, "unique": why})
        compare(api, version, why=why, total=8 * turn, errors=4 * turn, avg_latency_ms=12.5)


@pytest.mark.step(4)
def test_read_stats_of_all_versions(api: Api) -> None:
    """GET /predictions/stats without a version has one row for each, however many they are."""
    versions = alike() + [unique("house-") for _ in range(100)]
    for version in versions:
        create(api, a_failure(model_version=version))
        create(api, a_call(model_version=version))
    reply = stats(api)
    rows = {row.get("model_version"): row for row in reply.items() if isinstance(row, dict)}
    if len(rows) < len(reply.items()):
        reply.wrong("a version is there twice.", "GROUP BY has more in it than model_version.")
    missing = [version for version in versions if version not in rows]
    if missing:
        reply.wrong(
            f"{shorten(missing)} are not there.", "GROUP BY is missing, or the list has a limit."
        )
    for version in versions:
        if not close(rows[version].get("total"), 2) or not close(rows[version].get("errors"), 1):
            reply.wrong(f"{version} has two calls, one with an error: {rows[version]}.", LIKE)


@pytest.mark.step(4)
def test_read_stats_of_one_version(api: Api) -> None:
    """With model_version=house-1.2 no call of house-1.25 or House-1.2 is counted."""
    versions = alike()
    for version in versions:
        create(api, a_call(model_version=version))
    for version in versions:
        compare(api, version, why=LIKE, total=1)


@pytest.mark.step(4)
def test_read_stats_of_unknown_version(api: Api) -> None:
    """GET /predictions/stats answers an empty list (or 404) for a version without calls."""
    why = "the rate of no calls is a division by zero."
    reply = api.get(f"/predictions/stats?model_version={unique('none-')}")
    reply.expect(200, 404, why={422: BELOW, "": why})
    if reply.ok and reply.items():
        reply.wrong("there are numbers of a version without calls.", "no GROUP BY, or no WHERE.")


@pytest.mark.step(4)
def test_empty_error(api: Api) -> None:
    """An empty text as error, if it is not refused, is an error in every list and number."""
    sent = a_failure(error="")
    made = api.post("/predictions", sent).expect(201, 200, 422, 400)
    if not made.ok:
        return
    query = f"model_version={sent['model_version']}"
    if found(api, f"{query}&failed=true") != [made.id] or found(api, f"{query}&failed=false"):
        fail("a call with an empty error is not listed by failed=true, or by failed=false.", EMPTY)
    compare(api, sent["model_version"], why=EMPTY, total=1, errors=1)


@pytest.mark.step(4)
def test_stats_are_computed_by_the_database(api: Api) -> None:
    """GET /predictions/stats loads no calls, and takes no more statements for more versions."""
    version = unique("house-")
    for _ in range(102):
        create(api, a_call(model_version=version, input_data={}))
    why = "the numbers are of the newest calls only: `last` has a default, or there is a limit."
    compare(api, version, why=why, total=102)
    fetches_no_calls(stats(api, f"?model_version={version}"))
    before = stats(api)
    for _ in range(3):
        create(api, a_call())
    reply = stats(api)
    if reply.statements > before.statements:
        reply.wrong(
            f"it took {reply.statements} statements, {before.statements} with 3 versions fewer:\n"
            f"{reply.sql}",
            "N+1: a query for each version. GROUP BY makes one row for each in one statement.",
        )


def fetches_no_calls(reply: Reply) -> None:
    """Fail if the request fetched fifteen calls to answer one row."""
    if not reply.statements:
        reply.wrong("no SQL was run.", IN_MEMORY)
    joined = re.search(
        r"\b(group_concat|(string|array|jsonb?)_agg|json_group\w+)\(", reply.sql, re.I
    )
    if joined:
        reply.wrong(
            f"{joined[1]}() hands over the calls of a version as one value:\n{reply.sql}",
            "the numbers are computed in Python: func.count() and func.avg() let the database do "
            "it.",
        )
    if reply.rows_fetched >= 15:
        reply.wrong(
            f"{reply.rows_fetched} rows were fetched for one:\n{reply.sql}",
            "the numbers are computed in Python. func.count(), func.avg() and GROUP BY let the "
            "database do it, and one row for each version comes back.",
        )


@pytest.mark.step(5)
def test_read_stats_of_late(api: Api) -> None:
    """With last=2, GET /predictions/stats is about the newest two calls only."""
    version = unique("house-")
    for latency in (400, 300):
        create(api, a_call(model_version=version, latency_ms=latency))
    create(api, a_failure(model_version=version, latency_ms=20))
    create(api, a_call())
    create(api, a_call(model_version=version, latency_ms=10))
    for _ in range(2):
        create(api, a_call(latency_ms=1))
    why = (
        "other calls were summed up than the newest ones of this version. Select these in a "
        "subquery, with WHERE, ORDER BY … DESC and LIMIT, all three. A limit beside GROUP BY cuts "
        "the groups, one before the WHERE takes in other versions, and ids have gaps between them."
    )
    compare(api, version, "&last=1", why, total=1, errors=0, error_rate=0, avg_latency_ms=10)
    compare(api, version, "&last=2", why, total=2, errors=1, error_rate=0.5, avg_latency_ms=15)
    compare(api, version, "&last=3", why, total=3, errors=1, avg_latency_ms=110)
    compare(api, version, "&last=1000", why, total=4, errors=1, avg_latency_ms=182.5)


@pytest.mark.step(5)
def test_read_stats_of_late_of_all_versions(api: Api) -> None:
    """With last=4 and no version, the numbers are those of the four calls logged last."""
    first, second = unique("house-"), unique("house-")
    for latency, version in enumerate((first, second, first, second, second), start=1):
        create(api, a_call(model_version=version, latency_ms=latency))
    why = (
        "the limit counts versions, or calls of each, is used only with a version, or no ORDER BY."
    )
    for last, wanted in ((1, {second: (1, 5.0)}), (4, {first: (1, 3.0), second: (3, 11 / 3)})):
        reply = stats(api, f"?last={last}")
        rows = {row.get("model_version"): row for row in reply.items() if isinstance(row, dict)}
        if rows.keys() != wanted.keys():
            reply.wrong(f"these are not the versions of the last {last} calls.", why)
        for version, (total, average) in wanted.items():
            row = rows[version]
            if not (close(row.get("total"), total) and close(row.get("avg_latency_ms"), average)):
                reply.wrong(f"of the last {last} calls {total} were of {version}.", why)


@pytest.mark.step(5)
def test_stats_of_late_are_computed_by_the_database(api: Api) -> None:
    """With last=15, GET /predictions/stats loads no calls either."""
    version = unique("house-")
    for _ in range(15):
        create(api, a_call(model_version=version))
    fetches_no_calls(stats(api, f"?model_version={version}&last=15"))
