"""The command line: python -m exercises, called as learners and teachers call it."""

import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from exercises.catalog import hints_of

ROOT = Path(__file__).parent.parent
EXERCISES = ROOT / "exercises"

Cli = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Copy the exercises, so that a command may change them."""
    unwanted = shutil.ignore_patterns("__pycache__", "ex0[2-9]_*", "ex1?_*")
    shutil.copytree(EXERCISES, tmp_path / "exercises", ignore=unwanted)
    shutil.copyfile(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    starter = tmp_path / "exercises" / ".starters" / "ex01_users" / "app.py"
    shutil.copyfile(starter, tmp_path / "exercises" / "ex01_users" / "app.py")
    return tmp_path


@pytest.fixture
def cli(project: Path) -> Cli:
    """Give `python -m exercises` in the copy."""

    def run(*arguments: str, answer: str = "") -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "exercises", *arguments]
        return subprocess.run(
            command, cwd=project, input=answer, capture_output=True, encoding="utf-8", check=False
        )

    return run


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


def test_cli_part_of_the_checks_is_no_progress(cli: Cli, project: Path) -> None:
    own = solve(project)
    text = own.read_text(encoding="utf-8")
    own.write_text(text.replace('default="Unknown"', 'default="unknown"'), encoding="utf-8")

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


def test_cli_watch_checks_again_after_a_save(project: Path) -> None:
    command = [sys.executable, "-m", "exercises", "watch", "1", "--", "--step=2"]
    process = subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, encoding="utf-8")
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


def read_until_watching(process: "subprocess.Popen[str]") -> str:
    """Read what one check printed; ends also when the process does."""
    lines: list[str] = []
    assert process.stdout
    for line in process.stdout:
        lines.append(line)
        if line.startswith("Watching"):
            break
    return "".join(lines)
