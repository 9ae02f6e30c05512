"""Options, the `api` fixture, and failures told in sentences."""

import inspect
import shlex
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from exercises.catalog import work_in
from exercises.checks import Api, CheckError
from exercises.runner import (
    Server,
    StartError,
    embedded_postgres,
    fresh_database,
    fresh_folder,
    usable_database,
)

BROKEN_CHECK = "This check itself stopped"
OTHER_DATABASE = "note: the app ran on SQLite, not on PostgreSQL; it does not read DATABASE_URL"

Check = tuple[str, str]  # its id, and how a message refers to it
notes = pytest.StashKey[set[str]]()
told = pytest.StashKey[dict[tuple[str, str], Check]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Say which app is checked, and on which database."""
    group = parser.getgroup("exercises")
    group.addoption("--app", metavar="MODULE:NAME", help="check this app, e.g. main:app")
    group.addoption("--app-dir", metavar="DIR", help="the folder that the app is imported from")
    group.addoption("--url", help="check a running server, e.g. http://localhost:8000")
    group.addoption("--solution", action="store_true", help="check the exercise's solution")
    group.addoption(
        "--database",
        default="sqlite",
        help="sqlite, postgresql (embedded) or the URL of a PostgreSQL server",
    )
    group.addoption("--migrate", action="store_true", help="run `alembic upgrade head` first")
    group.addoption("--step", type=int, help="only the checks of this step")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker; refuse options that contradict each other."""
    config.stash[notes] = set()
    config.stash[told] = {}
    config.addinivalue_line("markers", "step(n): the numbered step of the task that this checks")
    own_app = config.getoption("app") or config.getoption("app_dir")
    if sum(map(bool, (own_app, config.getoption("url"), config.getoption("solution")))) > 1:
        raise pytest.UsageError("choose one of --app/--app-dir, --url and --solution")
    try:
        usable_database(config.getoption("database"))
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Note each check's step for reports; drop other steps when --step is given."""
    wanted = config.getoption("step")
    steps, dropped = set(), []
    for item in items:
        marker = item.get_closest_marker("step")
        if marker:
            steps.add(marker.args[0])
            item.user_properties.append(("step", marker.args[0]))
        if wanted is not None and not (marker and marker.args[0] == wanted):
            dropped.append(item)
    if wanted is not None and steps and wanted not in steps:
        raise pytest.UsageError(f"there is no step {wanted}: the last one is {max(steps)}")
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = [item for item in items if item not in dropped]


def target(config: pytest.Config, exercise: Path) -> tuple[str, Path]:
    """Decide which app is checked: the exercise's own unless an option says otherwise."""
    app, app_dir = config.getoption("app"), config.getoption("app_dir")
    if app or app_dir:
        folder = work_in(Path(app_dir or "."), exercise.name)
        names = [name for name in ("app", "main") if (folder / f"{name}.py").is_file()]
        return app or f"{[*names, 'app'][0]}:app", folder
    if config.getoption("solution"):
        folder = exercise / "solution"
        return ("app:app", folder) if folder.is_dir() else ("solution:app", exercise)
    return "app:app", exercise


@pytest.fixture(scope="session")
def postgres_url(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """Give the PostgreSQL server to make databases on; None means SQLite."""
    database = request.config.getoption("database")
    if database == "postgresql":
        with embedded_postgres() as url:
            yield url
    else:
        yield None if database == "sqlite" else database


def migrate(server: Server) -> None:
    """Bring the empty database to the app's newest revision."""
    done = server.alembic("upgrade", "head")
    if done.returncode:
        lines = "\n".join(f"    {line}" for line in done.stderr.splitlines()[-8:])
        raise StartError(f"`alembic upgrade head` failed. Its last lines:\n{lines}")


@pytest.fixture(scope="module")
def api(request: pytest.FixtureRequest, postgres_url: str | None) -> Iterator[Api]:
    """Give the app under test, started on an empty database (or the one at --url)."""
    url = request.config.getoption("url")
    with ExitStack() as stack:
        if url:
            api = Api(url.rstrip("/"))
        else:
            app, app_dir = target(request.config, request.path.parent)
            folder = stack.enter_context(fresh_folder())
            database_url = stack.enter_context(fresh_database(postgres_url, folder))
            server = Server(app, app_dir, database_url, folder)
            try:
                if request.config.getoption("migrate"):
                    migrate(server)
                api = Api(server=stack.enter_context(server))
            except StartError as error:
                api = Api(broken=str(error))
        stack.callback(api.close)
        yield api
        request.config.stash[notes] |= api.notes
        if postgres_url and "sqlite" in api.dialects:
            request.config.stash[notes].add(OTHER_DATABASE)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put sentences in the place of a traceback."""
    report = yield
    error = call.excinfo.value if call.excinfo else None
    marker = item.get_closest_marker("step")
    if error is None or not report.failed or marker is None:
        return report
    exercise = item.path.parent.name
    promise = (inspect.getdoc(getattr(item, "function", None)) or item.name).partition("\n")[0]
    if isinstance(error, CheckError):
        check = item.nodeid, f"step {marker.args[0]}, “{promise.rstrip('.')}”"
        text = tell(error, exercise, check, item.config.stash[told])
        api = getattr(item, "funcargs", {}).get("api")
        if isinstance(api, Api) and error.reply and api.has_no_route_for(error.reply):
            report.user_properties.append(("begun", False))
    else:
        line = call.excinfo.traceback[-1] if call.excinfo else ""
        text = f"{BROKEN_CHECK}: {type(error).__name__}: {error}\n(at {line})"
    report.longrepr = (
        f"Step {marker.args[0]} of {exercise}: {promise}\n{text}\n"
        f"Hint:       {hint_call(item.config, exercise)}"
    )
    return report


def hint_call(config: pytest.Config, exercise: str) -> str:
    """Write the command for a hint, for the project that is checked."""
    named = {"--app": config.getoption("app"), "--app-dir": config.getoption("app_dir")}
    options = [f"{name}={value}" for name, value in named.items() if value]
    return shlex.join(["python", "-m", "exercises", "hint", exercise, *options])


def tell(
    error: CheckError, exercise: str, check: Check, told_before: dict[tuple[str, str], Check]
) -> str:
    """Tell a failure with its cause, and refer to an earlier check that told the same."""
    first, place = told_before.setdefault((exercise, error.symptom), check)
    if first != check[0]:
        return f"{error.told}\nFollows from: {place}, where the same went wrong."
    if error.cause:
        first, place = told_before.setdefault((exercise, error.cause), check)
    if first != check[0]:
        return f"{error.told}\nUsual cause: As in {place}."
    return str(error)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what no check fails for, and the checks that were left out."""
    noted: set[str] = terminalreporter.config.stash[notes]
    for note in sorted(noted):
        terminalreporter.write_line(note)
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = [r.longrepr[2] for r in skipped if isinstance(r.longrepr, tuple)]
    for reason in sorted(set(reasons)):
        count = reasons.count(reason)
        words = reason.removeprefix("Skipped: ")
        terminalreporter.write_line(f"left out: {count} check{'s'[: count > 1]}, {words}")
