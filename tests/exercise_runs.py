"""Run the checks of an exercise on any solution, for the proofs in these tests and for mutants."""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from exercises import runner
from exercises.recorder import Recorder

TESTS = Path(__file__).parent
ROOT = TESTS.parent
EXERCISES = ROOT / "exercises"


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


def run_checks(exercise: str, *options: str, plugins: tuple[object, ...] = ()) -> Outcome:
    """Run an exercise's checks in this process: half the time of another interpreter."""
    recorder = Recorder()
    current = os.environ.get("PYTEST_CURRENT_TEST")  # the inner pytest removes it
    # No rewritten asserts, no quoted source: the checks' messages need neither.
    plugins_out = ("cacheprovider", "unraisableexception")
    quick = ["-q", *(f"-pno:{name}" for name in plugins_out), "--assert=plain", "--tb=native"]
    code = pytest.main([str(EXERCISES / exercise), *quick, *options], plugins=[recorder, *plugins])
    if current is not None:
        os.environ["PYTEST_CURRENT_TEST"] = current
    failures, passed = recorder.failures[exercise], recorder.passed_steps(exercise)
    return Outcome(int(code), dict(failures), passed, recorder.complete)


class StopWhenTold:
    """A pytest plugin that ends a run when a failure says this: the other checks can be saved."""

    def __init__(self, says: str) -> None:
        self.says = says.lower()

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Keep what has to be stopped."""
        self.session = session

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Stop, if it is said."""
        if report.failed and self.says in report.longreprtext.lower():
            self.session.shouldstop = "told"


def solution_of(exercise: str) -> dict[str, str]:
    """Read the exercise's own solution."""
    return solution_files(EXERCISES / exercise / "solution")


def solution_files(path: Path) -> dict[str, str]:
    """Read a solution, a folder or one .py file, as files of a folder that holds nothing else."""
    if not path.is_dir():
        return {"app.py": path.with_suffix(".py").read_text(encoding="utf-8")}
    files = [p for p in sorted(path.rglob("*")) if p.is_file() and "__pycache__" not in p.parts]
    return {p.relative_to(path).as_posix(): p.read_text(encoding="utf-8") for p in files}


def write_files(files: dict[str, str], folder: Path) -> None:
    """Write a solution into a folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


# More than the runner imports for a learner, who waits for it.
LIBRARIES = (*runner.LIBRARIES, "aiosqlite", "alembic.config", "psycopg")


@contextmanager
def prefork_server(*more: str) -> Iterator[list[str]]:
    """Give what runs a program in a fork of a Python that has imported the libraries."""
    with runner.forking_python(*LIBRARIES, *more) as python:
        yield python


@contextmanager
def preforked(python: list[str]) -> Iterator[None]:
    """Let servers start as forks of that Python, which saves them their imports."""
    gc.freeze()  # each run collects garbage twice, and need not look at what is old
    before = runner.PYTHON
    runner.PYTHON = python
    try:
        yield
    finally:
        runner.PYTHON = before
