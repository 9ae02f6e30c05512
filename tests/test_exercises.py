"""The checks of exercises/ accept what is right, reject what is wrong, and say so in sentences."""

import ast
import os
import re
import runpy
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from exercise_runs import (
    EXERCISES,
    ROOT,
    TESTS,
    StopWhenTold,
    prefork_server,
    preforked,
    run_checks,
    solution_files,
    write_files,
)
from exercises.catalog import STARTERS, exercises, files_in, hints_of, steps_of
from exercises.conftest import BROKEN_CHECK
from exercises.runner import Server, embedded_postgres, fresh_database, fresh_folder

RIGHT = TESTS / "right"


@dataclass
class Mistake:
    """Text replacements that make a wrong solution of a right one."""

    name: str
    step: int
    replace: dict[str, str]
    says: str
    database: str = "sqlite"
    base: str = ""  # a right solution of another style, tests/right/…; else the exercise's own

    def files(self, exercise: str) -> dict[str, str]:
        """Write the wrong solution."""
        files = solution_files(ROOT / self.base if self.base else EXERCISES / exercise / "solution")
        for old, new in self.replace.items():
            found = sum(text.count(old) for text in files.values())
            assert found == 1, f"{found} times, not once: {old}"
            files = {name: text.replace(old, new) for name, text in files.items()}
        return files


def read_mistakes() -> list[tuple[str, Mistake]]:
    """Collect tests/mistakes/exNN_name.py."""
    return [
        (path.stem, Mistake(**fields))
        for path in sorted((TESTS / "mistakes").glob("ex*.py"))
        for fields in runpy.run_path(str(path))["MISTAKES"]
    ]


MISTAKES = read_mistakes()
RIGHT_SOLUTIONS = sorted(path.stem for path in RIGHT.glob("ex[0-9][0-9]_*"))


def exercise_of(right_solution: str) -> str:
    """Name the exercise of tests/right/exNN_style.py."""
    return next(name for name in exercises() if name[:5] == right_solution[:5])


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Give one PostgreSQL server to all runs."""
    if url := os.environ.get("TEST_POSTGRES_URL"):
        yield url
    else:
        with embedded_postgres() as url:
            yield url


@pytest.fixture(scope="session")
def prefork_socket() -> Iterator[list[str]]:
    """Start one Python from which servers are forked."""
    with prefork_server() as path:
        yield path


@pytest.fixture
def prefork(request: pytest.FixtureRequest) -> Iterator[None]:
    """Save the servers their imports, which take longer than most checks."""
    if not hasattr(os, "fork"):
        yield
        return
    with preforked(request.getfixturevalue("prefork_socket")):
        yield


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


@pytest.mark.sample(3)
@pytest.mark.usefixtures("prefork")
@pytest.mark.parametrize("exercise", exercises())
def test_starter_runs_and_fails(exercise: str) -> None:
    outcome = run_checks(exercise, "--app-dir", str(STARTERS / exercise))

    assert outcome.code == pytest.ExitCode.TESTS_FAILED
    assert BROKEN_CHECK not in outcome.text
    assert "before it could answer" not in outcome.text
    assert set(outcome.failures) <= set(steps_of(exercise))


@pytest.mark.sample(4)
@pytest.mark.usefixtures("prefork")
@pytest.mark.parametrize("exercise", exercises())
def test_solution_passes(exercise: str, database: str) -> None:
    outcome = run_checks(exercise, "--solution", "--database", database)

    assert outcome.text == ""
    assert outcome.code == 0
    assert outcome.passed == steps_of(exercise)


def route_steps(exercise: str, source: str) -> dict[ast.AST, int]:
    """Return each route of a solution with the first step whose text asks for it; 0 if given."""
    _, *texts = re.split(
        r"^## Step ", (EXERCISES / exercise / "README.md").read_text("utf-8"), flags=re.M
    )
    starter = (STARTERS / exercise / "app.py").read_text("utf-8")
    given = {
        getattr(node, "name", "")
        for node in ast.parse(starter).body
        if "yet to be written" not in ast.unparse(node)
    }
    tree = ast.parse(source)
    paths = {
        ast.unparse(node.targets[0]): node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
    }
    steps: dict[ast.AST, int] = {}
    for route in tree.body:
        for decorator in getattr(route, "decorator_list", ()):
            called = re.fullmatch(
                r"app\.(get|post|put|patch|delete)\((.*)\)", ast.unparse(decorator)
            )
            if called and isinstance(decorator, ast.Call):
                path = paths.get(ast.unparse(decorator.args[0]), decorator.args[0])
                asked = re.escape(f"{called[1].upper()} {ast.literal_eval(path)}") + r"(?![\w/{])"
                found = [n for n, text in enumerate(texts, 1) if re.search(asked, text)]
                is_given = getattr(route, "name", "") in given
                steps[route] = 0 if is_given else min(found, default=0)
    return steps


def begun(exercise: str, step: int) -> str:
    """Return the solution as it is for somebody who has got as far as this step."""
    source = (EXERCISES / exercise / "solution.py").read_text("utf-8")
    lines = source.splitlines(keepends=True)
    for route, of in route_steps(exercise, source).items():
        if of > step and isinstance(route, ast.FunctionDef | ast.AsyncFunctionDef):
            for n in range(route.decorator_list[0].lineno - 1, route.end_lineno or 0):
                lines[n] = ""
    return "".join(lines)


BEGUN = [
    (exercise, step)
    for exercise in exercises()
    if (EXERCISES / exercise / "solution.py").exists()
    for step in steps_of(exercise)
    if begun(exercise, step) != begun(exercise, 99)
]


@pytest.mark.sample(12)
@pytest.mark.usefixtures("prefork")
@pytest.mark.parametrize(("exercise", "step"), BEGUN)
def test_a_step_needs_no_route_of_a_later_one(exercise: str, step: int, tmp_path: Path) -> None:
    write_files({"app.py": begun(exercise, step)}, tmp_path)

    outcome = run_checks(exercise, "--app-dir", str(tmp_path), f"--step={step}")

    assert outcome.text == ""
    assert outcome.passed == [step]


@pytest.mark.sample(3)
@pytest.mark.usefixtures("prefork")
@pytest.mark.parametrize("name", RIGHT_SOLUTIONS)
def test_right_solution_of_another_style_passes(name: str, database: str, tmp_path: Path) -> None:
    exercise = exercise_of(name)
    write_files(solution_files(RIGHT / name), tmp_path)

    outcome = run_checks(exercise, "--app-dir", str(tmp_path), "--database", database)

    assert outcome.text == ""
    assert outcome.passed == steps_of(exercise)


@pytest.mark.sample(12)
@pytest.mark.usefixtures("prefork")
@pytest.mark.parametrize(
    ("exercise", "mistake"), MISTAKES, ids=[f"{name}-{mistake.name}" for name, mistake in MISTAKES]
)
def test_mistake_is_rejected(
    exercise: str, mistake: Mistake, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    write_files(mistake.files(exercise), tmp_path)
    on_postgres = mistake.database == "postgresql"
    database = request.getfixturevalue("postgres") if on_postgres else "sqlite"

    options = ["--app-dir", str(tmp_path), f"--step={mistake.step}", "--database", database]
    outcome = run_checks(exercise, *options, plugins=(StopWhenTold(mistake.says),))

    assert mistake.step in outcome.failures
    assert mistake.says.lower() in outcome.text.lower()
    assert BROKEN_CHECK not in outcome.text


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
    app = source.replace('"Unknown"', '"unknown"')
    (tmp_path / "app.py").write_text(app, encoding="utf-8")

    outcome = run_checks("ex01_users", "--app-dir", str(tmp_path), "-x")

    assert (list(outcome.failures), outcome.passed, outcome.complete) == ([1], [], False)


# Any target


@pytest.mark.sample(1)
@pytest.mark.usefixtures("prefork")
@pytest.mark.parametrize("exercise", [name for name in exercises() if name < "ex09"])
def test_reference_app_passes(exercise: str) -> None:
    outcome = run_checks(exercise, "--app-dir", str(ROOT))

    assert outcome.text == ""
    assert outcome.passed == steps_of(exercise)


@pytest.mark.long
@pytest.mark.usefixtures("prefork")
def test_migrate_prepares_the_database(postgres: str) -> None:
    options = ["--app-dir", str(ROOT), "--database", postgres, "--step=2"]

    assert run_checks("ex01_users", *options, "--migrate").passed == [2]
    assert "stopped before it could answer" in run_checks("ex01_users", *options).text


@pytest.mark.long
def test_flat_project_with_plain_sqlalchemy() -> None:
    project = str(TESTS / "flat_project")

    outcome = run_checks("ex01_users", "--app", "main:app", "--app-dir", project)

    assert outcome.passed == [1, 2, 3, 4, 5, 6, 7]
    assert list(outcome.failures) == [8]
    assert "nobody caught the IntegrityError" in outcome.text
    assert not (TESTS / "flat_project" / "app.db").exists()


def test_fixed_sqlite_on_postgresql_is_told(
    postgres: str, capfd: pytest.CaptureFixture[str]
) -> None:
    project = ["--app", "main:app", "--app-dir", str(TESTS / "flat_project")]

    run_checks("ex01_users", *project, "--database", postgres, "--step=2")

    assert "the app ran on SQLite, not on PostgreSQL" in capfd.readouterr().out


@pytest.mark.long
def test_url_checks_a_running_server(capfd: pytest.CaptureFixture[str]) -> None:
    with fresh_folder() as folder, fresh_database(None, folder) as database_url:
        solution = Server("solution:app", EXERCISES / "ex01_users", database_url, folder)
        with solution as server:
            first = run_checks("ex01_users", "--url", server.url)
            again = run_checks("ex01_users", "--url", server.url + "/", "--step=3")

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

    project = ["--app", "main:app", "--app-dir", str(tmp_path)]
    outcome = run_checks("ex01_users", *project, "--step=3")

    assert outcome.passed == [3]


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
