"""What the checks of exercises/ see of an app, and how they tell it."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from exercise_runs import ROOT, prefork_server, preforked, run_checks
from exercises.catalog import STARTERS
from exercises.causes import Why, capital
from exercises.checks import Api, CheckError, Reply, one_wins, same_row
from exercises.conftest import tell
from exercises.runner import Server

PRELUDE = """
import os
import sqlite3
import threading
from fastapi import FastAPI, HTTPException
from fastapi.responses import JSONResponse
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import Session

url = os.environ["DATABASE_URL"]
engine = create_engine(url)
async_engine = create_async_engine(url.replace("sqlite:", "sqlite+aiosqlite:"))
by_itself = engine.execution_options(isolation_level="AUTOCOMMIT")
app = FastAPI()
with engine.begin() as connection:
    connection.execute(text("CREATE TABLE IF NOT EXISTS t (n INTEGER UNIQUE)"))


def insert(n):
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO t VALUES (:n)"), {"n": n})


@app.get("/rows")
def rows():
    with engine.connect() as connection:
        return list(connection.scalars(text("SELECT n FROM t ORDER BY n")))
"""

Serve = Callable[[str], Api]


@pytest.fixture(scope="module")
def forks() -> Iterator[list[str]]:
    """Start one Python from which servers are forked."""
    with prefork_server() as path:
        yield path


@pytest.fixture
def serve(tmp_path: Path, forks: list[str]) -> Iterator[Serve]:
    """Give what serves an app; its source follows the prelude."""
    with ExitStack() as stack:
        stack.enter_context(preforked(forks))

        def start(source: str) -> Api:
            (tmp_path / "app.py").write_text(PRELUDE + source, encoding="utf-8")
            server = Server("app:app", tmp_path, f"sqlite:///{tmp_path}/app.db", tmp_path)
            api = Api(server=stack.enter_context(server))
            stack.callback(api.close)
            return api

        yield start


# What a request did


def test_statements_and_rows_are_counted_per_request(serve: Serve) -> None:
    long = "x" * 300
    api = serve(
        f"""
@app.get("/sync")
def sync_route(n: int = 3):
    with engine.connect() as connection:
        for _ in range(n):
            connection.execute(text("SELECT 1")).all()
        connection.execute(text("/* last */ SELECT '{long}'"))


@app.get("/async")
async def async_route():
    async with async_engine.connect() as connection:
        (await connection.execute(text("SELECT 1 UNION SELECT 2"))).all()
        (await connection.execute(text("SELECT 2"))).first()
"""
    )

    replies = api.at_once(8, lambda number: api.get(f"/sync?n={number}"))
    awaited = api.get("/async")

    assert [reply.statements for reply in replies] == list(range(1, 9))
    assert [reply.rows_fetched for reply in replies] == list(range(8))
    assert (awaited.statements, awaited.rows_fetched, awaited.ran) == (2, 3, {"awaited"})
    assert f"    3 x SELECT 1\n    1 x /* last */ SELECT '{long}'" == api.get("/sync").sql


WAYS_TO_COMMIT = """
@app.post("/once")
def once():
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO t VALUES (1), (2)"))
        connection.execute(text("UPDATE t SET n = n + 2 WHERE n < 3"))
        connection.execute(text("UPDATE t SET n = 0 WHERE n = 99"))


@app.post("/twice")
def twice():
    insert(5)
    insert(6)


@app.post("/each")
def each():
    with by_itself.connect() as connection:
        for n in (7, 8, 9):
            connection.execute(text("INSERT INTO t VALUES (:n)"), {"n": n})


@app.post("/by-hand")
def by_hand():
    with by_itself.connect() as connection:
        for n in (10, 11):
            connection.exec_driver_sql("BEGIN")
            connection.execute(text("INSERT INTO t VALUES (:n)"), {"n": n})
            connection.exec_driver_sql("COMMIT")


@app.post("/returning")
def returning():
    for n in (20, 21):
        with engine.begin() as connection:
            connection.execute(text("INSERT INTO t VALUES (:n) RETURNING n"), {"n": n}).all()
    with engine.begin() as connection:
        connection.execute(text("UPDATE t SET n = 0 WHERE n = 99 RETURNING n")).all()


@app.post("/rolled-back")
def rolled_back():
    with engine.connect() as connection:
        connection.execute(text("INSERT INTO t VALUES (12)"))
        connection.rollback()
        connection.commit()


@app.post("/in-threads")
def in_threads():
    for n in (13, 14):
        thread = threading.Thread(target=insert, args=(n,))
        thread.start()
        thread.join()


@app.post("/async")
async def awaited():
    for n in (15, 16):
        async with async_engine.begin() as connection:
            await connection.execute(text("INSERT INTO t VALUES (:n)"), {"n": n})
"""


def test_commits_are_counted_per_request(serve: Serve) -> None:
    api = serve(WAYS_TO_COMMIT)
    counts = {
        "once": 1,
        "twice": 2,
        "each": 3,
        "by-hand": 2,
        "returning": 2,
        "rolled-back": 0,
        "in-threads": 2,
    }

    got = {path: api.post(f"/{path}").expect(200).commits for path in counts}

    assert got == counts
    assert api.post("/async").commits == 2
    assert api.get("/rows").commits == 0
    with pytest.raises(CheckError, match="committed its changes in 2 parts"):
        replay(api.post("/async"), commits=2).commits_once("")


def replay(reply: Reply, **seen: Any) -> Reply:
    """Give the reply as if its request had done this."""
    reply.seen |= {"statements": 1, **seen}
    return reply


@pytest.mark.parametrize(
    ("path", "left"), [("once", [3, 4]), ("twice", [5]), ("each", [7]), ("async", [15])]
)
def test_kill_during_leaves_the_first_commit(serve: Serve, path: str, left: list[int]) -> None:
    api = serve(WAYS_TO_COMMIT)

    answer = api.kill_during("POST", f"/{path}")

    assert answer is None
    assert api.get("/rows").body == left


def test_kill_during_gives_the_answer_when_nothing_was_committed(serve: Serve) -> None:
    api = serve(WAYS_TO_COMMIT)

    answer = api.kill_during("POST", "/rolled-back")

    assert answer
    assert answer.status == 200
    assert api.get("/rows").body == []


def test_sqlite_does_not_wait_for_the_disk(serve: Serve) -> None:
    api = serve(
        """
@app.get("/sync")
def sync_route():
    with engine.connect() as connection:
        return connection.scalar(text("PRAGMA synchronous"))


@app.get("/async")
async def async_route():
    async with async_engine.connect() as connection:
        return await connection.scalar(text("PRAGMA synchronous"))


class Busy(sqlite3.Connection):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.execute("BEGIN")


@app.get("/in-a-transaction")
def in_a_transaction():
    with create_engine(url, connect_args={"factory": Busy}).connect() as connection:
        return connection.scalar(text("PRAGMA synchronous"))
"""
    )

    off, full = 0, 2
    assert api.get("/sync").expect(200).body == off
    assert api.get("/async").expect(200).body == off
    assert api.get("/in-a-transaction").expect(200).body == full


def test_restart_keeps_the_database(serve: Serve) -> None:
    api = serve(WAYS_TO_COMMIT)
    api.post("/once").expect(200)

    api.restart()

    assert api.get("/rows").body == [3, 4]


# Processes


def test_forks_end_with_the_process_that_asked_for_them(tmp_path: Path) -> None:
    script = """
import os
from pathlib import Path
from exercises.runner import Server
Path("app.py").write_text("import fastapi; app = fastapi.FastAPI()")
Server("app:app", Path(), "sqlite://", Path()).start()
os._exit(0)
"""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", script]

    # It waits until nobody has the pipes open any more, the forks included.
    subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, check=True, timeout=30)


@pytest.mark.parametrize("path", ["/sync", "/async"])
def test_at_once_makes_a_possible_race_happen(serve: Serve, path: str) -> None:
    api = serve(
        """
@app.post("/sync")
def add_one():
    with engine.connect() as connection:
        n = connection.scalar(text("SELECT coalesce(max(n), 0) FROM t"))
    with engine.begin() as connection:
        connection.execute(text("UPDATE t SET n = :n"), {"n": n + 1})
    return n + 1


@app.post("/async")
async def add_one_async():
    async with async_engine.connect() as connection:
        n = await connection.scalar(text("SELECT coalesce(max(n), 0) FROM t"))
    async with async_engine.begin() as connection:
        await connection.execute(text("UPDATE t SET n = :n"), {"n": n + 1})
    return n + 1


insert(0)
""".replace("\ninsert(0)", "\nif not rows():\n    insert(0)")
    )

    replies = api.at_once(4, lambda _: api.post(path))

    assert len({reply.body for reply in replies}) < 4


def test_at_once_takes_turns_between_two_processes(serve: Serve) -> None:
    api = serve('@app.get("/process")\ndef process():\n    return os.getpid()\n')

    numbers = [reply.body for reply in api.at_once(8, lambda _: api.get("/process"))]

    first, second = api.get("/process").body, api.second().get("/process").body
    assert first != second
    assert numbers == [first, second] * 4


ONE_WINS = {
    "right": ("insert(1)", None),
    "no guard": (
        "if not rows():\n            insert(len(rows()) * 1000 + threading.get_native_id())",
        "SELECT",
    ),
    "lock of one process": (
        "with lock:\n            1 / (not taken)\n            taken.append(1)\n"
        "            insert(os.getpid())",
        "a lock, a set or a dictionary holds in one process only",
    ),
    "ignored": (
        "with engine.begin() as c:\n"
        "            c.execute(text('INSERT OR IGNORE INTO t VALUES (1)'))",
        "the app answers success to the others, too",
    ),
    "never": ("insert(1)\n        raise HTTPException(409)", "is refused like the others"),
    "nowhere": ("1 / (not taken)\n        taken.append(1)", "is not committed"),
}


@pytest.mark.parametrize(("body", "cause"), ONE_WINS.values(), ids=ONE_WINS.keys())
def test_one_wins_names_what_lets_others_win(serve: Serve, body: str, cause: str | None) -> None:
    api = serve(
        f"""
taken, lock = [], threading.Lock()


@app.post("/rows", status_code=201)
def create():
    try:
        {body}
    except (IntegrityError, ZeroDivisionError):
        raise HTTPException(409, "taken")
"""
    )
    if cause is None:
        one_wins(api, "/rows", None, lambda: len(api.get("/rows").body))
    else:
        with pytest.raises(CheckError, match=cause):
            one_wins(api, "/rows", None, lambda: len(api.get("/rows").body))


# The cause that is told


def test_failing_check_shows_no_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    starter = str(STARTERS / "ex01_users")
    outcome = run_checks("ex01_users", "--app-dir", starter, "--step=1", "--tb=auto")

    printed = capfd.readouterr().out
    assert outcome.failures[1][0].startswith("Step 1 of ex01_users: POST /users stores a user")
    assert "Asked:      POST /users with {" in printed
    assert "Hint:       python -m exercises hint ex01_users" in printed
    assert "Traceback" not in printed
    assert "test_users.py:" not in printed.partition("short test summary")[0]


def test_a_cause_is_told_once() -> None:
    starter = str(STARTERS / "ex01_users")
    outcome = run_checks("ex01_users", "--app-dir", starter, "--step=1")

    assert outcome.text.count("this step is yet to be written") == 1
    assert "Follows from: step 1, “POST /users stores a user" in outcome.text
    assert "Usual cause: As in step 1, “POST /users stores a user" in outcome.text


def test_each_exercise_tells_its_causes() -> None:
    before: dict[tuple[str, str], tuple[str, str]] = {}
    error = CheckError("the status is 500.", "no commit.")

    first = tell(error, "ex01", ("one", "step 1"), before)
    again = tell(error, "ex01", ("two", "step 2"), before)
    other = tell(error, "ex02", ("three", "step 1"), before)

    assert first == other == str(error)
    assert again.endswith("Follows from: step 1, where the same went wrong.")


BROKEN_ROUTES = """
@app.post("/raises")
def raises():
    raise ValueError("what the learner's code said")


@app.post("/duplicate")
def duplicate():
    insert(1)
    insert(1)


@app.post("/hidden")
def hidden():
    try:
        duplicate()
    except Exception:
        raise HTTPException(500, "Something went wrong")


@app.post("/in-the-body")
def in_the_body():
    raise HTTPException(500, "(sqlite3.OperationalError) database is locked")


@app.post("/by-hand")
def by_hand():
    raise HTTPException(500, "Something went wrong")


@app.post("/swallowed")
def swallowed():
    try:
        duplicate()
    except IntegrityError:
        return {"id": 1}


@app.post("/another-status")
def another_status():
    try:
        duplicate()
    except IntegrityError:
        raise HTTPException(404, "taken")


@app.post("/unavailable")
def unavailable():
    try:
        duplicate()
    except IntegrityError:
        raise HTTPException(503, "Try again")


class Handled(Exception):
    pass


@app.exception_handler(Handled)
def handle(request, error):
    return JSONResponse({"detail": "Something went wrong"}, 500)


@app.post("/handled")
def handled():
    try:
        duplicate()
    except IntegrityError as error:
        raise Handled from error


@app.post("/commit-in-begin")
def commit_in_begin():
    with Session(engine) as session, session.begin():
        session.commit()
        session.execute(text("SELECT 1"))


@app.post("/rollback-in-begin")
def rollback_in_begin():
    with engine.begin() as connection:
        connection.rollback()
        connection.execute(text("SELECT 1"))


@app.post("/commit-in-savepoint")
def commit_in_savepoint():
    with Session(engine) as session, session.begin_nested():
        session.commit()
        session.execute(text("SELECT 1"))


@app.post("/one-session")
def one_session():
    shared, inside, done = Session(engine), threading.Event(), threading.Event()

    @event.listens_for(shared, "before_commit")
    def wait(session):
        inside.set()
        done.wait()

    shared.execute(text("SELECT 1"))
    other = threading.Thread(target=shared.commit)
    other.start()
    inside.wait()
    try:
        shared.commit()
    finally:
        done.set()
        other.join()


@app.post("/404-by-hand")
def not_found():
    rows()
    raise HTTPException(404)


@app.post("/422-by-hand")
def unprocessable():
    raise HTTPException(422, "taken")


@app.post("/validated")
def validated(n: int):
    pass
"""


def test_the_cause_comes_from_the_answer(serve: Serve) -> None:
    api = serve(BROKEN_ROUTES)
    causes = {
        "/raises": "The guess.",
        "/duplicate": "The database refused a duplicate and nobody caught",
        "/hidden": "the app catches that error, and answers 500 of its own accord",
        "/unavailable": "the app catches that error, and answers 503 of its own accord",
        "/handled": "the app catches that error, and answers 500 of its own accord",
        "/commit-in-begin": "The block ends by itself what it began",
        "/rollback-in-begin": "The block ends by itself what it began",
        "/commit-in-savepoint": "The block ends by itself what it began",
        "/one-session": "in which several work at the same moment",
        "/in-the-body": "Another transaction holds SQLite's write lock",
        "/by-hand": "The app answers 500 of its own accord",
        "/swallowed": "its IntegrityError is caught and passed over",
        "/another-status": "answer 409 where that IntegrityError is caught",
        "/404-by-hand": "The guess.",
        "/422-by-hand": "The app itself answers 422",
        "/validated": "Validation refuses query.n: Field required. The guess.",
    }
    for path, cause in causes.items():
        reply = api.post(path)
        with pytest.raises(CheckError) as failure:
            reply.expect(409, 400, why="the guess.")
        assert cause in failure.value.cause, path
    assert "ValueError: what the learner's code said (app.py, line" in api.post("/raises").exchange


@pytest.mark.parametrize(
    ("status", "text", "cause"),
    [
        (400, '{"detail": "404: User not found"}', "has caught the httpexception too"),
        (405, "{}", "not for this method, or with a slash at its end"),
        (404, '{"detail": "Not Found"}', "there is no such route"),
        (400, "{}", "all else"),
        (403, "{}", "four-oh-three"),
        (301, "{}", "a three"),
        (500, "ZeroDivisionError", "by zero"),
    ],
)
def test_unexpected_status_has_a_cause(status: int, text: str, cause: str) -> None:
    reply = Reply("GET", "/", None, httpx.Response(status, text=text))
    why: Why = {"ZeroDivision": "by zero", 403: "four-oh-three", 3: "a three", "": "all else"}

    with pytest.raises(CheckError) as failure:
        reply.expect(200, why=why)
    assert cause in failure.value.cause.lower()


def test_cause_that_begins_with_code_keeps_its_case() -> None:
    assert capital("deleted_at is null.") == "deleted_at is null."
    assert capital("session.get() gave None.") == "session.get() gave None."
    assert capital("the row is gone.") == "The row is gone."


# What an answer holds


def test_reply_accepts_an_envelope_with_one_list() -> None:
    def reply(body: object) -> Reply:
        return Reply("GET", "/", None, httpx.Response(200, json=body))

    assert reply({"total": 1, "rows": [1]}).items() == [1]
    assert reply([1]).items() == [1]
    with pytest.raises(CheckError, match="neither a list"):
        reply({"a": [1], "b": [2]}).items()


def test_same_row_names_the_field_that_differs() -> None:
    before = {"id": 1, "name": "Ada", "updated_at": 1}

    same_row(before, before | {"updated_at": 2}, but=("updated_at",))
    with pytest.raises(CheckError, match=r"The field 'name' is \"Bob\" and was \"Ada\""):
        same_row(before, before | {"name": "Bob"})
    with pytest.raises(CheckError, match="The field 'name' is nothing and was"):
        same_row(before, {"id": 1, "updated_at": 1})
    with pytest.raises(CheckError, match="GET /"):
        same_row(before, Reply("GET", "/", None, httpx.Response(200, json={"id": 2})))
