"""The checks of exercises/ accept what is right, reject what is wrong, and say so in sentences."""

import gc
import os
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from exercises import runner
from exercises.__main__ import STARTERS, Recorder, exercises, files_in, hints_of, steps_of
from exercises.checks import Api, Reply, capital
from exercises.conftest import BROKEN_CHECK
from exercises.runner import Server, embedded_postgres, fresh_database, fresh_folder

TESTS = Path(__file__).parent
ROOT = TESTS.parent
EXERCISES = ROOT / "exercises"


@dataclass
class Mistake:
    """Text replacements that make a wrong solution of the right one."""

    name: str
    step: int
    replace: dict[str, str]
    says: str
    database: str = "sqlite"


def read_mistakes() -> list[tuple[str, Mistake]]:
    """Collect tests/mistakes/exNN_name.py."""
    return [
        (path.stem, Mistake(**fields))
        for path in sorted((TESTS / "mistakes").glob("ex*.py"))
        for fields in runpy.run_path(str(path))["MISTAKES"]
    ]


MISTAKES = read_mistakes()


@dataclass
class Outcome:
    """A run of the checks: its exit code, and its messages by step."""

    code: int
    failures: dict[int, list[str]]
    passed: list[int]
    complete: bool

    @property
    def text(self) -> str:
        """All messages."""
        return "\n".join(m for messages in self.failures.values() for m in messages)


def run_checks(exercise: str, *options: str) -> Outcome:
    """Run an exercise's checks in this process: half the time of another interpreter."""
    recorder = Recorder()
    current = os.environ["PYTEST_CURRENT_TEST"]  # the inner pytest removes it
    # No rewritten asserts, no quoted source: the checks' messages need neither.
    quick = ["-q", "-pno:cacheprovider", "--assert=plain", "--tb=native"]
    code = pytest.main([str(EXERCISES / exercise), *quick, *options], plugins=[recorder])
    os.environ["PYTEST_CURRENT_TEST"] = current
    failures, passed = recorder.failures[exercise], recorder.passed_steps(exercise)
    return Outcome(int(code), dict(failures), passed, recorder.complete)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Give one PostgreSQL server to all runs."""
    if url := os.environ.get("TEST_POSTGRES_URL"):
        yield url
    else:
        with embedded_postgres() as url:
            yield url


@pytest.fixture(scope="session")
def prefork_socket() -> Iterator[str]:
    """Give the socket of a Python that has imported the libraries; see prefork.py."""
    with fresh_folder() as folder:
        path = str(folder / "prefork")
        options = {"PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, str(TESTS / "prefork.py"), path]
        process = subprocess.Popen(command, env=os.environ | options, stdout=subprocess.PIPE)
        with process:
            assert process.stdout
            assert process.stdout.readline() == b"ready\n"
            yield path
            process.kill()


@pytest.fixture
def prefork(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Save the servers their imports, which take longer than most checks."""
    gc.freeze()  # each inner run collects garbage twice, and need not look at what is old
    if hasattr(os, "fork"):
        path = request.getfixturevalue("prefork_socket")
        client = [sys.executable, "-IS", str(TESTS / "prefork.py"), path]
        monkeypatch.setattr(runner, "PYTHON", client)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """Give what --database takes, for each database."""
    return request.getfixturevalue("postgres") if request.param == "postgresql" else "sqlite"


# Proof: starters, solutions, mistakes


@pytest.mark.parametrize("exercise", exercises())
def test_exercise_is_complete(exercise: str) -> None:
    folder = EXERCISES / exercise
    steps = steps_of(exercise)
    hints = hints_of(exercise)

    assert steps == list(range(1, len(steps) + 1))
    assert sorted(hints) == steps
    assert all(len(of_step) >= 2 for of_step in hints.values())
    assert files_in(STARTERS / exercise)
    assert (folder / "solution.py").exists() != (folder / "solution" / "app.py").exists()
    assert [name for name, _ in MISTAKES].count(exercise) >= 3


@pytest.mark.usefixtures("prefork")
@pytest.mark.parametrize("exercise", exercises())
def test_starter_runs_and_fails(exercise: str) -> None:
    outcome = run_checks(exercise, "--app-dir", str(STARTERS / exercise))

    assert outcome.code == pytest.ExitCode.TESTS_FAILED
    assert BROKEN_CHECK not in outcome.text
    assert "before it could answer" not in outcome.text
    assert set(outcome.failures) <= set(steps_of(exercise))


@pytest.mark.usefixtures("prefork")
@pytest.mark.parametrize("exercise", exercises())
def test_solution_passes(exercise: str, database: str) -> None:
    outcome = run_checks(exercise, "--solution", "--database", database)

    assert outcome.text == ""
    assert outcome.code == 0
    assert outcome.passed == steps_of(exercise)


@pytest.mark.usefixtures("prefork")
@pytest.mark.parametrize(
    ("exercise", "mistake"), MISTAKES, ids=[f"{name}-{mistake.name}" for name, mistake in MISTAKES]
)
def test_mistake_is_rejected(
    exercise: str, mistake: Mistake, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    write_mistake(exercise, mistake, tmp_path)
    on_postgres = mistake.database == "postgresql"
    database = request.getfixturevalue("postgres") if on_postgres else "sqlite"

    outcome = run_checks(
        exercise, "--app-dir", str(tmp_path), f"--step={mistake.step}", "--database", database
    )

    assert mistake.step in outcome.failures
    assert mistake.says.lower() in outcome.text.lower()
    assert BROKEN_CHECK not in outcome.text


def write_mistake(exercise: str, mistake: Mistake, folder: Path) -> None:
    """Write the solution with the mistake in it, as app.py."""
    source = EXERCISES / exercise / "solution"
    if source.is_dir():
        shutil.copytree(source, folder, dirs_exist_ok=True)
    else:
        shutil.copyfile(source.with_suffix(".py"), folder / "app.py")
    texts = {path: path.read_text(encoding="utf-8") for path in files_in(folder)}
    for old, new in mistake.replace.items():
        assert sum(text.count(old) for text in texts.values()) == 1, f"not exactly once: {old}"
        texts = {path: text.replace(old, new) for path, text in texts.items()}
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")


def test_the_table_of_mistakes_names_checks_that_exist() -> None:
    readme = (EXERCISES / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| .+ \| (\d\d, [^|]+) \| (.+) \|$", readme, re.M)
    assert len(rows) > 100
    for where, checks in rows:
        folders = [next(EXERCISES.glob(f"ex{n}_*")) for n in re.findall(r"(\d\d),", where)]
        paths = [path for folder in folders for path in folder.glob("test_*.py")]
        source = "".join(path.read_text(encoding="utf-8") for path in paths)
        for name in re.findall(r"`(test_\w+)`", checks):
            assert f"def {name}(" in source, (where, name)


# What counts as progress


@pytest.mark.usefixtures("prefork")
def test_step_without_some_of_its_checks_is_not_passed() -> None:
    outcome = run_checks("ex01_users", "--solution", "-k", "not_found")

    assert (outcome.code, outcome.passed, outcome.complete) == (0, [], False)


@pytest.mark.usefixtures("prefork")
def test_checks_that_xdist_collected_are_not_complete() -> None:
    outcome = run_checks("ex01_users", "--solution", "-n1", "--step=2")

    assert (outcome.code, outcome.complete) == (0, False)


@pytest.mark.usefixtures("prefork")
def test_stopped_checks_are_not_complete(tmp_path: Path) -> None:
    source = (EXERCISES / "ex01_users" / "solution.py").read_text(encoding="utf-8")
    app = source.replace('default="Unknown"', 'default="unknown"')
    (tmp_path / "app.py").write_text(app, encoding="utf-8")

    outcome = run_checks("ex01_users", "--app-dir", str(tmp_path), "-x")

    assert (list(outcome.failures), outcome.passed, outcome.complete) == ([1], [], False)


# Any target


@pytest.mark.usefixtures("prefork")
@pytest.mark.parametrize("exercise", [name for name in exercises() if name < "ex09"])
def test_reference_app_passes(exercise: str) -> None:
    outcome = run_checks(exercise, "--app-dir", str(ROOT))

    assert outcome.text == ""
    assert outcome.passed == steps_of(exercise)


def test_migrate_prepares_the_database(postgres: str) -> None:
    options = ["--app-dir", str(ROOT), "--database", postgres, "--step=2"]

    assert run_checks("ex01_users", *options, "--migrate").passed == [2]
    assert "stopped before it could answer" in run_checks("ex01_users", *options).text


def test_flat_project_with_plain_sqlalchemy() -> None:
    project = str(TESTS / "flat_project")

    outcome = run_checks("ex01_users", "--app", "main:app", "--app-dir", project)

    assert outcome.passed == [1, 2, 3, 4, 5, 6, 7]
    assert list(outcome.failures) == [8]
    assert "SELECT before the INSERT is the only guard" in outcome.text
    assert not (TESTS / "flat_project" / "app.db").exists()


def test_fixed_sqlite_on_postgresql_is_told(
    postgres: str, capfd: pytest.CaptureFixture[str]
) -> None:
    project = ["--app", "main:app", "--app-dir", str(TESTS / "flat_project")]

    run_checks("ex01_users", *project, "--database", postgres, "--step=2")

    assert "the app ran on SQLite, not on PostgreSQL" in capfd.readouterr().out


def test_url_checks_a_running_server(capfd: pytest.CaptureFixture[str]) -> None:
    with fresh_folder() as folder, fresh_database(None, folder) as database_url:
        solution = Server("solution:app", EXERCISES / "ex01_users", database_url, folder)
        with solution as server:
            first = run_checks("ex01_users", "--url", server.url)
            again = run_checks("ex01_users", "--url", server.url + "/")

    assert (first.code, first.text) == (0, "")
    assert (again.code, again.text) == (0, "")
    printed = capfd.readouterr().out
    assert "left out: 1 check, a server given by --url" in printed
    assert "note: with --url writes are not held back" in printed


def test_url_without_a_server() -> None:
    outcome = run_checks("ex01_users", "--url", "http://127.0.0.1:9", "--step=2")

    assert "GET /users/2000000000 got no answer: ConnectError" in outcome.text
    assert BROKEN_CHECK not in outcome.text


@pytest.mark.parametrize(
    ("source", "advice"),
    [
        ("def broken(:\n    pass\n", "Python cannot read the file"),
        ("if True:\n\u00a0   app = 1\n", "copied from a web page"),
        ("import fastapi\napi = fastapi.FastAPI()\n", "no variable named 'app'; it has api"),
        ("import no_such_package\n", "no_such_package is neither a file"),
        ("settings = {}\nsettings['DATABASE']\n", "KeyError: 'DATABASE'"),
        ("raise SystemExit('no config')\n", "no config"),
        ("import os\nos._exit(3)\n", "stopped before it could answer"),
        (
            "import contextlib, fastapi\n"
            "@contextlib.asynccontextmanager\n"
            "async def lifespan(app):\n"
            "    raise ValueError('no database')\n"
            "    yield\n"
            "app = fastapi.FastAPI(lifespan=lifespan)\n",
            "ValueError: no database",
        ),
        (None, "There is no app.py in"),
    ],
    ids=[
        "syntax-error",
        "pasted-spaces",
        "missing-app",
        "missing-package",
        "crash-at-import",
        "exit-at-import",
        "killed-at-import",
        "crash-at-startup",
        "missing-file",
    ],
)
def test_app_that_does_not_start(
    source: str | None, advice: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    if source is not None:
        (tmp_path / "app.py").write_text(source, encoding="utf-8")

    outcome = run_checks("ex01_users", "--app-dir", str(tmp_path))

    assert advice in outcome.text
    assert "serve.py" not in outcome.text
    assert sum(map(len, outcome.failures.values())) == 1
    assert outcome.passed == []
    assert "--url" not in capfd.readouterr().out


def test_settings_file_of_the_project_is_found(tmp_path: Path) -> None:
    source = (EXERCISES / "ex01_users" / "solution.py").read_text(encoding="utf-8")
    settings = """
class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_file=".env")

    database_url: str
    title: str


settings = Settings()
engine = create_engine(settings.database_url)
"""
    old = 'engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///./app.db"))\n'
    imports = "from pydantic_settings import BaseSettings, SettingsConfigDict\n"
    app = imports + source.replace(old, settings)
    (tmp_path / "app.py").write_text(app, encoding="utf-8")
    dotenv = "DATABASE_URL=sqlite:////nowhere/app.db\nTITLE=Users\n"
    (tmp_path / ".env").write_text(dotenv, encoding="utf-8")

    outcome = run_checks("ex01_users", "--app-dir", str(tmp_path), "--step=1")

    assert (outcome.text, outcome.passed) == ("", [1])


def test_response_model_needs_no_from_attributes(tmp_path: Path) -> None:
    shutil.copytree(TESTS / "flat_project", tmp_path, dirs_exist_ok=True)
    schemas = tmp_path / "schemas.py"
    text = schemas.read_text(encoding="utf-8")
    setting = "    model_config = ConfigDict(from_attributes=True)\n"
    assert text.count(setting) == 1
    schemas.write_text(text.replace(setting, ""), encoding="utf-8")

    outcome = run_checks("ex01_users", "--app", "main:app", "--app-dir", str(tmp_path))

    assert outcome.passed == [1, 2, 3, 4, 5, 6, 7]


def test_database_is_dropped_though_its_user_fails(postgres: str) -> None:
    with (
        fresh_folder() as folder,
        pytest.raises(ZeroDivisionError),
        fresh_database(postgres, folder) as url,
    ):
        raise ZeroDivisionError

    with sa.create_engine(postgres, poolclass=sa.NullPool).connect() as connection:
        names = connection.scalars(sa.text("SELECT datname FROM pg_database")).all()
    assert sa.make_url(url).database not in names


# What the runner sees inside the app

COUNTING_APP = """
import asyncio
import os

from fastapi import FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine

url = os.environ["DATABASE_URL"]
engine = create_engine(url)
async_engine = create_async_engine(url.replace("sqlite:", "sqlite+aiosqlite:"))
app = FastAPI()
with engine.begin() as connection:
    connection.execute(text("CREATE TABLE IF NOT EXISTS t (n INTEGER)"))
    connection.execute(text("INSERT INTO t SELECT 0 WHERE NOT EXISTS (SELECT n FROM t)"))


@app.get("/sync")
def sync_route(n: int = 3):
    with engine.connect() as connection:
        for _ in range(n):
            connection.execute(text("SELECT 1"))


@app.get("/async")
async def async_route():
    async with async_engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
        await connection.execute(text("SELECT 2"))


@app.post("/sync")
def add_one():
    with engine.connect() as connection:
        n = connection.execute(text("SELECT n FROM t")).scalar_one()
    with engine.begin() as connection:
        connection.execute(text("UPDATE t SET n = :n"), {"n": n + 1})
    return n + 1


@app.post("/async")
async def add_one_async():
    async with async_engine.connect() as connection:
        n = (await connection.execute(text("SELECT n FROM t"))).scalar_one()
    async with async_engine.begin() as connection:
        await connection.execute(text("UPDATE t SET n = :n"), {"n": n + 1})
    return n + 1


@app.get("/broken")
def broken():
    raise ValueError("what the learner's code said")
"""


@pytest.fixture(scope="module")
def counting_api() -> Iterator[Api]:
    """Run an app whose statements are known."""
    with fresh_folder() as folder, fresh_database(None, folder) as database_url:
        (folder / "app.py").write_text(COUNTING_APP, encoding="utf-8")
        with Server("app:app", folder, database_url, folder) as server:
            api = Api(server=server)
            yield api
            api.close()


def test_statements_are_counted_per_request(counting_api: Api) -> None:
    counts = counting_api.at_once(8, lambda number: counting_api.get(f"/sync?n={number}"))

    assert [reply.statements for reply in counts] == list(range(8))
    assert counting_api.get("/async").statements == 2
    assert "3 x SELECT 1" in counting_api.get("/sync").sql


@pytest.mark.parametrize("path", ["/sync", "/async"])
def test_at_once_makes_a_possible_race_happen(counting_api: Api, path: str) -> None:
    replies = counting_api.at_once(4, lambda number: counting_api.post(path))

    assert len({reply.body for reply in replies}) < 4


def test_server_error_is_told(counting_api: Api) -> None:
    reply = counting_api.get("/broken")

    assert reply.status == 500
    assert "ValueError: what the learner's code said (app.py, line" in reply.exchange


def test_restart_keeps_the_database(counting_api: Api) -> None:
    before = counting_api.post("/sync").body

    counting_api.restart()

    assert counting_api.post("/sync").body == before + 1


# Messages


def test_failing_check_shows_no_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    starter = str(STARTERS / "ex01_users")
    outcome = run_checks("ex01_users", "--app-dir", starter, "--step=1", "--tb=auto")

    printed = capfd.readouterr().out
    assert outcome.failures[1][0].startswith("Step 1 of ex01_users: POST /users stores a user")
    assert "Asked:      POST /users with {" in printed
    assert "Hint:       python -m exercises hint ex01_users" in printed
    assert "Traceback" not in printed
    assert "test_users.py:" not in printed.partition("short test summary")[0]


def test_reply_accepts_an_envelope_with_one_list() -> None:
    def reply(body: object) -> Reply:
        return Reply("GET", "/", None, httpx.Response(200, json=body))

    assert reply({"total": 1, "rows": [1]}).items() == [1]
    assert reply([1]).items() == [1]
    with pytest.raises(AssertionError, match="neither a list"):
        reply({"a": [1], "b": [2]}).items()


@pytest.mark.parametrize(
    ("status", "text", "cause"),
    [
        (422, '{"detail": []}', "Usual cause: The body or a parameter is declared otherwise"),
        (400, '{"detail": "404: User not found"}', "has caught the HTTPException too"),
        (405, "{}", "not for this method, or with a slash at its end"),
    ],
)
def test_unexpected_status_has_a_cause(status: int, text: str, cause: str) -> None:
    reply = Reply("GET", "/", None, httpx.Response(status, text=text))

    with pytest.raises(AssertionError, match=cause):
        reply.expect(200)


def test_cause_that_begins_with_code_keeps_its_case() -> None:
    assert capital("deleted_at is null.") == "deleted_at is null."
    assert capital("session.get() gave None.") == "session.get() gave None."
    assert capital("the row is gone.") == "The row is gone."
