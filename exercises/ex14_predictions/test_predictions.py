"""Checks of exercise 14; each version of the model is known to one check only."""

import json
import re
import time
from datetime import datetime
from typing import Any

import pytest

from exercises.checks import NO_SUCH_ID, Api, Reply, fail, same, shorten, unique

NO_COMMIT = "no session.commit() after session.add(); each request has a session of its own."
NOT_JSON = (
    "the column is a string and str() filled it: Python's text for a dict is not JSON. Give it "
    "the type JSON."
)
FAILED = (
    "`if failed:` leaves failed=false out (compare with None); the terms are joined by OR; IS NULL "
    "is asked of a JSON column, where None is stored as JSON's null; or rows are left out in "
    "Python, after the limit."
)
AGGREGATE = re.compile(r"\b(count|sum|avg|total)\s*\(|group by")
INPUT = {"rooms": 3, "area": 70.5, "owner": "Zoë", "tags": ["a", None, {"new": True}]}


def a_call(**changes: Any) -> dict[str, Any]:
    """Describe a call that went well."""
    call = {"model_version": unique("house-"), "input_data": INPUT, "latency_ms": 12.5}
    return call | {"result": {"price": 241500}} | changes


def a_failure(**changes: Any) -> dict[str, Any]:
    """Describe a call that failed."""
    call = a_call(error="area is negative", **changes)
    del call["result"]
    return call


def create(api: Api, sent: dict[str, Any]) -> int:
    """Log a call; give its id."""
    return api.post("/predictions", sent).expect(201, 200).id


@pytest.mark.step(1)
def test_create_prediction(api: Api) -> None:
    """POST /predictions answers the stored call; input and result are the JSON that was sent."""
    sent = a_call()
    why = (
        "the input class takes less than it should: input_data is any JSON object, "
        "dict[str, Any], and the call is the body; what is not in it has a default."
    )
    body = api.post("/predictions", sent).expect(201, 200, why=why).has(NOT_JSON, **sent)
    why = NO_COMMIT + " Or: " + NOT_JSON
    api.get(f"/predictions/{body.get('id')}").expect(200, why=NO_COMMIT).has(why, **sent)


@pytest.mark.step(1)
def test_prediction_survives_a_restart(api: Api) -> None:
    """A call is still there when the server has been restarted."""
    sent = a_call()
    path = f"/predictions/{create(api, sent)}"
    api.restart()
    api.get(path).expect(200, why=NO_COMMIT).has(NOT_JSON, **sent)


@pytest.mark.step(1)
def test_create_prediction_sets_the_time(api: Api) -> None:
    """The server sets created_at, whatever the client sends."""
    reply = api.post("/predictions", a_call(created_at="2001-01-01T00:00:00Z"))
    if reply.status == 422:
        reply = api.post("/predictions", a_call())
    created_at = reply.expect(201, 200).object().get("created_at")
    try:
        year = datetime.fromisoformat(str(created_at)).year
    except ValueError:
        reply.wrong("there is no time under 'created_at'.", "a default_factory in the table class.")
    if year == 2001:
        reply.wrong("the client's created_at was stored.", "the table class is the request body.")
    end = time.monotonic() + 1.2  # a clock may count whole seconds
    while time.monotonic() < end:
        reply = api.post("/predictions", a_call()).expect(201, 200)
        if reply.object().get("created_at") != created_at:
            return
    reply.wrong(
        "the time is that of an earlier call.",
        "`default=datetime.now(UTC)` is computed once, at the start; `default_factory=lambda: "
        "datetime.now(UTC)` is for each row.",
    )


@pytest.mark.step(1)
@pytest.mark.parametrize(
    ("field", "value"),
    [("latency_ms", -1), ("latency_ms", "fast"), ("input_data", "rooms=3"), ("model_version", "")],
    ids=["latency-below", "latency-word", "input-text", "empty-version"],
)
def test_create_prediction_refuses_invalid_input(api: Api, field: str, value: Any) -> None:
    """POST /predictions answers 422 to a value out of bounds or of the wrong type."""
    why = (
        "the bound is missing in the input class, or the table class is the request body: a class "
        "with table=True does not validate."
    )
    api.post("/predictions", a_call(**{field: value})).expect(422, why=why)


@pytest.mark.step(1)
def test_read_prediction_not_found(api: Api) -> None:
    """GET /predictions/{id} answers 404 when there is no such call."""
    why = "session.get() gave None, and None was answered or used."
    api.get(f"/predictions/{NO_SUCH_ID}").expect(404, why=why)


@pytest.mark.step(2)
def test_create_failure(api: Api) -> None:
    """A call that failed is stored with its error, without a result."""
    for sent in (a_failure(), a_failure() | {"result": None}):
        path = f"/predictions/{create(api, sent)}"
        reply = api.get(path).expect(200, why=NO_COMMIT)
        if reply.has("the failure is not stored as it was sent.", **sent).get("result") is not None:
            reply.wrong("there is a result.", "a default other than None.")


@pytest.mark.step(2)
@pytest.mark.parametrize("result", [0, False, "", [], 0.25, "spam"], ids=json.dumps)
def test_create_prediction_with_any_result(api: Api, result: Any) -> None:
    """Every JSON value but null is a result, also 0, false and what is empty."""
    why = (
        "`if result` or `not result` takes 0, false and what is empty for nothing: `is None`; or "
        "the type of result takes objects only: JsonValue takes all."
    )
    reply = api.post("/predictions", a_call(result=result)).expect(201, 200, why=why)
    path = f"/predictions/{reply.object().get('id')}"
    api.get(path).expect(200, why=NO_COMMIT).has(f"{NOT_JSON} Or: {why}", result=result)


@pytest.mark.step(2)
@pytest.mark.parametrize(
    "outcome",
    [{}, {"result": None}, {"result": None, "error": None}, {"result": 1, "error": "slow"}],
    ids=["neither", "null-result", "nulls", "both"],
)
def test_create_prediction_wants_one_outcome(api: Api, outcome: dict[str, Any]) -> None:
    """POST /predictions answers 422 to a call with neither result nor error, and with both."""
    sent = a_call()
    del sent["result"]
    why = "nobody compares the two fields: a model_validator on the input class can."
    api.post("/predictions", sent | outcome).expect(422, 400, why=why)


def found(api: Api, query: str) -> list[int]:
    """List calls; give their ids."""
    reply = api.get(f"/predictions?{query}")
    why = "a filter is required, or min_latency_ms is an int: `float | None = None`."
    reply.expect(200, why=why if reply.status == 422 else "")
    return [row["id"] for row in reply.items()]


@pytest.mark.step(3)
def test_list_predictions_newest_first(api: Api) -> None:
    """GET /predictions lists the newest call first; skip and limit cut the list."""
    version = unique("house-")
    newest_first = [create(api, a_call(model_version=version)) for _ in range(4)][::-1]
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
            "no ORDER BY, or without desc().",
        )
    create(api, a_call())
    part = found(api, f"{query}&skip=1&limit=2")
    if part != newest_first[1:3]:
        fail(
            f"with skip=1&limit=2 came the calls {part}, not {newest_first[1:3]}.",
            "skip or limit does not reach the query, or what it cut is filtered in Python: first "
            ".where(…), then .offset(skip).limit(limit).",
        )


@pytest.mark.step(3)
def test_list_predictions_without_filter(api: Api) -> None:
    """GET /predictions without a filter begins with the call that was logged last."""
    create(api, a_failure())
    for sent in (a_call(latency_ms=0), a_failure(latency_ms=0)):
        last = create(api, sent)
        got = found(api, "limit=1")
        if got != [last]:
            fail(
                f"GET /predictions?limit=1 answered the calls {got}, not [{last}].",
                "a filter that was not given filters all the same, or the oldest come first.",
            )


@pytest.mark.step(3)
@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("failed=true", [3, 1]),
        ("failed=false", [2, 0]),
        ("min_latency_ms=100", [3, 2]),
        ("min_latency_ms=100.5&failed=true", [3]),
    ],
)
def test_list_predictions_filters(api: Api, query: str, wanted: list[int]) -> None:
    """GET /predictions filters by failure and by latency, also by both."""
    version = unique("house-")
    sent = [a_call(latency_ms=1), a_failure(latency_ms=99.5)]
    sent += [a_call(latency_ms=100, result=0), a_failure(latency_ms=250)]
    ids = [create(api, call | {"model_version": version}) for call in sent]
    got = found(api, f"model_version={version}&{query}&limit={len(wanted)}")
    if got != [ids[n] for n in wanted]:
        took = [sent[ids.index(i)]["latency_ms"] for i in got if i in ids]
        fail(
            f"of calls that took 1, 99.5 (failed), 100 and 250 (failed) ms, {query} found {took}.",
            FAILED if "failed" in query else "the latency is not compared with `>=`.",
        )


def stats_of(api: Api, version: str, query: str = "") -> dict[str, Any]:
    """Read the numbers of one version."""
    reply = api.get(f"/predictions/stats?model_version={version}{query}")
    below = (
        "the route stands below /predictions/{id}, which takes 'stats' for an id: move it above."
    )
    rows = reply.expect(200, why=below if reply.status == 422 else "").items()
    if len(rows) != 1 or not isinstance(rows[0], dict):
        reply.wrong(
            f"there are {len(rows)} rows for one version.",
            "GROUP BY is missing or wrong, or model_version does not reach the WHERE.",
        )
    return dict(rows[0])


def compare(api: Api, version: str, query: str = "", why: str = "", **expected: float) -> None:
    """Fail unless a version's numbers are these; a rate may be rounded to two decimals."""
    row = stats_of(api, version, query)
    for name, value in expected.items():
        try:
            close = abs(float(row[name]) - value) < 0.006
        except (KeyError, TypeError, ValueError):
            close = False
        if not close:
            fail(f"GET /predictions/stats answers {name} {row.get(name)!r}, not {value}.", why)


@pytest.mark.step(4)
def test_read_stats(api: Api) -> None:
    """GET /predictions/stats counts calls and errors of each version."""
    version, other = unique("house-"), unique("house-")
    for latency in (10, 20, 30):
        create(api, a_call(model_version=version, latency_ms=latency, result=0))
    create(api, a_failure(model_version=version, latency_ms=40))
    create(api, a_call(model_version=other, latency_ms=7))
    why = "a version's calls are counted without its failures, or with those of others."
    compare(api, version, why=why, total=4, avg_latency_ms=25)
    why = (
        "errors are looked for where there are none: None in a JSON column is stored as JSON's "
        "null, which IS NULL does not find, and a result may be 0. Count the rows with an error."
    )
    compare(api, version, why=why, errors=1)
    why = "whole numbers were divided, in SQL 1 / 4 is 0; or it is a percentage, not 0 to 1."
    compare(api, version, why=why, error_rate=0.25)
    compare(api, other, total=1, errors=0, error_rate=0, avg_latency_ms=7)


@pytest.mark.step(4)
def test_read_stats_of_all_versions(api: Api) -> None:
    """GET /predictions/stats without a version has one row for each."""
    versions = [unique("house-") for _ in range(3)]
    for version in versions:
        create(api, a_failure(model_version=version))
        create(api, a_call(model_version=version))
    reply = api.get("/predictions/stats").expect(200)
    names = [row.get("model_version") for row in reply.items() if isinstance(row, dict)]
    if any(names.count(version) != 1 for version in versions):
        reply.wrong(f"not each of {versions} is there once.", "GROUP BY model_version is missing.")


@pytest.mark.step(4)
def test_read_stats_of_unknown_version(api: Api) -> None:
    """GET /predictions/stats answers an empty list (or 404) for a version without calls."""
    why = "the rate of no calls is a division by zero."
    api.get(f"/predictions/stats?model_version={unique('none-')}").expect(200, 404, why=why)


@pytest.mark.step(4)
def test_stats_are_computed_by_the_database(api: Api) -> None:
    """GET /predictions/stats loads no calls, and takes no more statements for more versions."""
    create(api, a_call())
    before = api.get("/predictions/stats").expect(200)
    create(api, a_call())
    create(api, a_failure())
    reply = api.get("/predictions/stats").expect(200)
    if reply.statements > before.statements:
        reply.wrong(
            f"it took {reply.statements} statements, {before.statements} with two versions fewer:\n"
            f"{reply.sql}",
            "N+1: a query for each version. GROUP BY makes one row for each in one statement.",
        )
    if loads_calls(reply):
        reply.wrong(
            f"the calls themselves were loaded:\n{reply.sql}",
            "the numbers are computed in Python. func.count(), func.avg() and GROUP BY let the "
            "database do it, and one row for each version comes back.",
        )


def loads_calls(reply: Reply) -> bool:
    """Tell whether a request loaded rows to count them in Python, as far as its SQL shows."""
    lines = reply.sql.lower().splitlines()  # each cut at 160 characters
    plain = [line for line in lines if not AGGREGATE.search(line)]
    return any("input_data" in line for line in plain) or (
        plain == lines and all(len(line) < 160 for line in lines)
    )


@pytest.mark.step(5)
def test_read_stats_of_late(api: Api) -> None:
    """With last=2, GET /predictions/stats is about the newest two calls only."""
    version = unique("house-")
    for latency in (400, 300):
        create(api, a_call(model_version=version, latency_ms=latency))
    create(api, a_failure(model_version=version, latency_ms=10))
    create(api, a_call(model_version=version, latency_ms=20))
    create(api, a_call())
    why = (
        ".limit() on the query with GROUP BY limits the groups. Select the newest calls in a "
        "subquery, with WHERE, ORDER BY and LIMIT, all three, and sum that up."
    )
    compare(api, version, "&last=2", why, total=2, errors=1, error_rate=0.5, avg_latency_ms=15)
    compare(api, version, "&last=1000", why, total=4, avg_latency_ms=182.5)


@pytest.mark.step(5)
def test_read_stats_of_late_of_all_versions(api: Api) -> None:
    """With last=1 and no version, the numbers are those of the one call logged last."""
    create(api, a_failure())
    sent = a_call(latency_ms=5)
    create(api, sent)
    rows = api.get("/predictions/stats?last=1").expect(200).items()
    if len(rows) != 1 or not same(sent["model_version"], rows[0].get("model_version")):
        fail(
            f"with last=1, {shorten(rows)} is not about the one call that was logged last.",
            "the limit counts versions, is used only with a version, or has no ORDER BY.",
        )
