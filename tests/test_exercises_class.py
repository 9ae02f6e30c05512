"""python -m exercises class: real submissions, some of which hang, crash or end the process."""

import csv
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest
import sqlalchemy as sa

from command_line import COMMAND, copy_exercises, forked_command, short_checks
from exercise_runs import ROOT
from exercises.catalog import STARTERS, exercises, steps_of
from exercises.classroom import Submission
from exercises.grades import COLUMNS
from exercises.teacher import show

SOLUTION = (ROOT / "exercises" / "ex01_users" / "solution.py").read_text(encoding="utf-8")
STARTER = (STARTERS / "ex01_users" / "app.py").read_text(encoding="utf-8")

# Added to a right solution: it does this when somebody is to be deleted, in step 5.
IN_DELETE = """

@app.middleware("http")
async def stop(request, call_next):
    if request.method == "DELETE":
        {}
    return await call_next(request)
"""

WITHOUT_SQLALCHEMY = """
import sqlite3

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

COLUMNS = "name, email, age, city"
app = FastAPI()
with sqlite3.connect("app.db") as database:
    database.execute(f"CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY, {COLUMNS})")


class User(BaseModel):
    name: str
    email: str
    age: int
    city: str = "Unknown"


@app.post("/users", status_code=201)
def create_user(user: User):
    row = user.model_dump()
    with sqlite3.connect("app.db") as database:
        sql = f"INSERT INTO users ({COLUMNS}) VALUES (:name, :email, :age, :city)"
        return {"id": database.execute(sql, row).lastrowid, **row}


@app.get("/users/{user_id}")
def read_user(user_id: int):
    with sqlite3.connect("app.db") as database:
        database.row_factory = sqlite3.Row
        row = database.execute("SELECT * FROM users WHERE id = ?", [user_id]).fetchone()
    if row is None:
        raise HTTPException(404)
    return dict(row)
"""

# Its open end of the pipe shows the test whether it, or the process that it starts, still lives.
HANGS = """
import os
import subprocess
import sys

pipe = os.open({fifo!r}, os.O_WRONLY)
os.write(pipe, b"started")
subprocess.run([sys.executable, "-c", "import time; time.sleep(3600)"], pass_fds=[pipe])
"""


# The check is the process whose arguments name the folder for its temporary files.
KILLS_ITS_CHECK = """
import contextlib, os, pathlib, signal
for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
    with contextlib.suppress(OSError):
        if os.environ["TMPDIR"].encode() in path.read_bytes():
            os.kill(int(path.parent.name), signal.SIGKILL)
"""


@pytest.fixture(scope="module", autouse=True)
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Call the command in forks, in a copy with short checks."""
    folder = copy_exercises(
        tmp_path_factory.mktemp("onemodel") / "copy", "ex01_users", "ex02_products"
    )
    with forked_command(), pytest.MonkeyPatch.context() as patch:
        patch.chdir(short_checks(folder))
        yield


@dataclass
class Outcome:
    """What a class run printed and wrote."""

    code: int
    printed: str
    folder: Path

    @property
    def rows(self) -> list[dict[str, str]]:
        """The rows of the CSV."""
        with (self.folder / "results.csv").open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))

    def steps(self, learner: str, exercise: str = "ex01_users") -> dict[int, str]:
        """The result of each step, as the CSV has it."""
        return {
            int(row["step"]): row["result"]
            for row in self.rows
            if (row["learner"], row["exercise"]) == (learner, exercise)
        }

    def messages(self, learner: str) -> str:
        """What the CSV says about a learner's steps."""
        return "\n".join(row["message"] for row in self.rows if row["learner"] == learner)

    def suite(self, name: str) -> ElementTree.Element:
        """A suite of the JUnit file."""
        root = ElementTree.parse(self.folder / "results.xml").getroot()
        return next(suite for suite in root if suite.get("name") == name)


def hand_in(folder: Path, learner: str, app: str, exercise: str = "ex01_users") -> Path:
    """Write a submission; give its folder."""
    own = folder / learner / exercise
    own.mkdir(parents=True)
    (own / "app.py").write_text(app, encoding="utf-8")
    return own


def check_class(folder: Path, *arguments: str, **environment: str) -> Outcome:
    """Check a class."""
    done = subprocess.run(
        [*COMMAND, "class", str(folder), *arguments],
        env=os.environ | {"PYTHONUTF8": "1"} | environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert "Traceback" not in done.stderr
    return Outcome(done.returncode, done.stdout + done.stderr, folder)


ALL_PASSED = dict.fromkeys(steps_of("ex01_users"), "passed")


@pytest.mark.long
def test_class_goes_on_to_the_end(tmp_path: Path) -> None:
    hand_in(tmp_path, "anna", SOLUTION)
    hand_in(tmp_path, "crash", "1 / 0\n")
    hand_in(tmp_path, "exit", "import sys\nsys.exit(0)\n")
    hand_in(tmp_path, "kills-its-check", KILLS_ITS_CHECK)
    (tmp_path / "no-app").mkdir()

    outcome = check_class(tmp_path, "1", "-j", "2")

    assert outcome.code == 1
    table = [line.split() for line in outcome.printed.splitlines()]
    for row in (["learner", "01"], ["anna", "8/8"], ["crash", "0/8!"], ["all", "steps", "1"]):
        assert row in table
    assert outcome.steps("anna") == ALL_PASSED
    for learner, message in {
        "crash": "ZeroDivisionError",
        "exit": "The file stops while it is being imported",
        "kills-its-check": "the checks ended early",
        "no-app": "There is no app.py in",
    }.items():
        assert "passed" not in outcome.steps(learner).values()
        assert message in outcome.messages(learner)
        assert f"\n{learner}, ex01_users: the " in outcome.printed


def test_class_passes_when_all_is_right(tmp_path: Path) -> None:
    hand_in(tmp_path, "anna", SOLUTION)

    outcome = check_class(tmp_path, "users")

    assert outcome.code == 0
    assert outcome.steps("anna") == ALL_PASSED


@pytest.mark.long
def test_class_writes_learner_and_step(tmp_path: Path) -> None:
    app = SOLUTION.replace("exclude_unset=True", "exclude_unset=False")
    assert app != SOLUTION
    hand_in(tmp_path, "Zoë", app)

    outcome = check_class(tmp_path, "1")

    assert tuple(outcome.rows[0]) == COLUMNS
    assert outcome.steps("Zoë")[1] == "passed"
    assert outcome.steps("Zoë")[4] == "failed"
    row = outcome.rows[3]
    assert int(row["checks_passed"]) < int(row["checks"])
    assert row["message"].startswith("Step 4 of ex01_users: ")
    suite = outcome.suite("Zoë.ex01_users")
    cases = suite.findall("testcase")
    properties = [{p.get("name"): p.get("value") for p in case[0]} for case in cases]
    assert {p["learner"] for p in properties} == {"Zoë"}
    assert {p["step"] for p in properties} == {str(step) for step in ALL_PASSED}
    failed = [p["step"] for p, case in zip(properties, cases, strict=True) if len(case) > 1]
    assert "4" in failed
    assert "1" not in failed
    assert (suite.get("tests"), suite.get("failures")) == (str(len(cases)), str(len(failed)))


@pytest.mark.long
def test_class_finds_folders_projects_and_copies(tmp_path: Path) -> None:
    app = "raise SystemExit('I am at ' + __file__)\n"
    hand_in(tmp_path, "folders", app)
    hand_in(tmp_path, "copy/exercises", app)
    hand_in(tmp_path, ".hidden", app)
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "main.py").write_text(app, encoding="utf-8")

    outcome = check_class(tmp_path, "1", "-j", "2", "2")

    assert {row["learner"] for row in outcome.rows} == {"folders", "copy", "project"}
    assert f"I am at {tmp_path}/folders/ex01_users/app.py" in outcome.messages("folders")
    assert f"I am at {tmp_path}/copy/exercises/ex01_users/app.py" in outcome.messages("copy")
    assert outcome.messages("project").count(f"I am at {tmp_path}/project/main.py") == 2
    table = [line.split() for line in outcome.printed.splitlines()]
    for row in (["folders", "0/8!", "-"], ["copy", "0/8!", "-"], ["project", "0/8!", "0/6!"]):
        assert row in table


def test_class_knows_what_was_not_begun(tmp_path: Path) -> None:
    hand_in(tmp_path, "ben", STARTER)

    outcome = check_class(tmp_path, "1", "2")

    assert set(outcome.steps("ben").values()) == {"not begun"}
    assert set(outcome.steps("ben", "ex02_products").values()) == {"not begun"}
    assert "The starter is unchanged" in outcome.messages("ben")
    assert "There is no folder ex02_products" in outcome.messages("ben")


@pytest.mark.long
def test_class_keeps_what_passed_before_the_check_was_killed(tmp_path: Path) -> None:
    hand_in(tmp_path, "anna", SOLUTION + IN_DELETE.format(f"exec({KILLS_ITS_CHECK!r})"))
    hand_in(tmp_path, "ben", SOLUTION + IN_DELETE.format("os._exit(0)"))

    outcome = check_class(tmp_path, "1", "-j", "2")

    killed, stopped = outcome.steps("anna"), outcome.steps("ben")
    assert {killed[step] for step in (1, 2, 3, 4)} == {"passed"}
    assert {killed[step] for step in (5, 6, 7, 8)} == {"not run"}
    assert {stopped[step] for step in (1, 2, 3, 4)} == {"passed"}
    assert stopped[5] == "failed"
    errors = [case for case in outcome.suite("anna.ex01_users") if case.find("error") is not None]
    assert {error.findall("properties/property")[2].get("value") for error in errors} == set("5678")


@pytest.mark.long
def test_class_counts_checks_that_are_left_out_as_not_passed(tmp_path: Path) -> None:
    hand_in(tmp_path, "anna", WITHOUT_SQLALCHEMY)

    outcome = check_class(tmp_path, "1")

    assert outcome.steps("anna")[2] == "not run"
    assert outcome.suite("anna.ex01_users").findall("testcase/skipped") == []
    assert "anna, ex01_users: SQL statements can only be counted" in outcome.printed


def test_class_passes_no_secrets_on(tmp_path: Path) -> None:
    source = (
        "import os\nraise SystemExit('TEACHERS_TOKEN' in os.environ and 'told' or 'no token')\n"
    )
    hand_in(tmp_path, "anna", source)

    outcome = check_class(tmp_path, "1", TEACHERS_TOKEN="secret")

    assert "no token" in outcome.messages("anna")


# Time, processes, interruption


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    """Give a pipe on which submissions meet each other, or this test."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    return path


@pytest.fixture
def reader(fifo: Path) -> Iterator[int]:
    """Give the end of the pipe that reads."""
    end = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    yield end
    os.close(end)


def read(end: int) -> bytes:
    """Wait for what is written, or for the end of all that have the pipe open: nothing."""
    ready, _, _ = select.select([end], [], [], 60)
    assert ready, "nothing was written, and somebody still has the pipe open"
    return os.read(end, 100)


@pytest.mark.long
def test_class_stops_what_takes_too_long(tmp_path: Path, fifo: Path, reader: int) -> None:
    folder = tmp_path / "class"
    hand_in(folder, "anna", HANGS.format(fifo=str(fifo)))

    outcome = check_class(folder, "1", "--time-limit", "8")

    assert read(reader) == b"started"
    assert read(reader) == b""
    assert set(outcome.steps("anna").values()) == {"not run"}
    assert "stopped after 8 seconds" in outcome.messages("anna")
    assert "anna, ex01_users: stopped after 8 seconds" in outcome.printed


@pytest.mark.long
def test_class_interrupted_leaves_results_and_no_process(
    tmp_path: Path, fifo: Path, reader: int
) -> None:
    folder = tmp_path / "class"
    hand_in(folder, "anna", HANGS.format(fifo=str(fifo)))
    for n in range(20):
        hand_in(folder, f"waiting-{n}", SOLUTION)
    command = [sys.executable, "-m", "exercises", "class", str(folder), "1", "-j", "1"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    with process:
        try:
            assert read(reader) == b"started"
            process.send_signal(signal.SIGINT)
            code = process.wait(30)
        finally:
            process.kill()

    assert code == 130
    assert read(reader) == b""
    results = Outcome(code, "", folder)
    assert {row["result"] for row in results.rows} == {"not run"}
    assert results.suite("waiting-19.ex01_users").get("errors") == "8"


@pytest.mark.long
def test_class_checks_several_at_once(tmp_path: Path, fifo: Path) -> None:
    folder = tmp_path / "class"
    hand_in(folder, "anna", f"open({str(fifo)!r}, 'w').close()\nraise SystemExit('we met')\n")
    hand_in(folder, "ben", f"open({str(fifo)!r}).close()\nraise SystemExit('we met')\n")

    outcome = check_class(folder, "1", "-j", "2")

    assert "we met" in outcome.messages("anna")
    assert "we met" in outcome.messages("ben")


@pytest.mark.long
def test_class_runs_on_one_postgresql_server(tmp_path: Path) -> None:
    source = "import os\nraise SystemExit(os.environ['DATABASE_URL'])\n"
    hand_in(tmp_path, "anna", source)
    hand_in(tmp_path, "ben", source)
    database = os.environ.get("TEST_POSTGRES_URL", "postgresql")

    outcome = check_class(tmp_path, "1", "--database", database)

    told = outcome.messages("anna") + outcome.messages("ben")
    urls = [sa.make_url(url) for url in re.findall(r"postgresql://\S+", told)]
    assert len({url.database for url in urls}) == 2
    assert len({(url.host, url.port, url.query.get("host")) for url in urls}) == 1


def test_class_shows_all_of_a_wide_table(capsys: pytest.CaptureFixture[str]) -> None:
    learner = "Ada King, Countess of Lovelace"
    submissions = [Submission(learner, name, Path()) for name in exercises()]
    show(submissions)
    cells = re.escape(learner) + "".join(rf" +0/{len(steps_of(name))}" for name in exercises())
    assert re.search(f"^{cells} *$", capsys.readouterr().out, re.MULTILINE)


def test_class_shows_a_bar_on_a_terminal(tmp_path: Path) -> None:
    hand_in(tmp_path, "ben", STARTER)

    outcome = check_class(tmp_path, "1", FORCE_COLOR="1")

    assert "1/1" in outcome.printed
    assert "━" in outcome.printed


def test_class_writes_where_it_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "class"
    hand_in(folder, "ben", STARTER)
    paths = [tmp_path / "steps.csv", tmp_path / "checks.xml"]

    check_class(folder, "users", "--csv", str(paths[0]), f"--junitxml={paths[1]}")

    assert [path.stat().st_size > 100 for path in paths] == [True, True]
    assert [path.name for path in folder.iterdir()] == ["ben"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["1", "-j", "0"],
        ["1", "--time-limit", "soon"],
        ["17"],
        ["1", "--database", "oracle"],
        ["1", "--step", "2"],
        ["-j", "2", "1", "-x"],
        ["1", "--csv", "no-such-folder/results.csv"],
        [],
    ],
    ids=" ".join,
)
def test_class_wrong_call(tmp_path: Path, arguments: list[str]) -> None:
    folder = tmp_path / "class"
    if arguments:
        hand_in(folder, "ben", STARTER)

    outcome = check_class(folder, *arguments)

    assert outcome.code == 2
    assert not (folder / "results.xml").exists()
