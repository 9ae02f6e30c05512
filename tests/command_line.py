"""Call `python -m exercises` in copies of the exercises, quickly: in forks, with short checks."""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from exercise_runs import EXERCISES, ROOT, TESTS, prefork_server
from exercises.catalog import STARTERS

COMMAND = [sys.executable, "-m", "exercises"]
IMPORTED = ("httpx", "pytest", "pytest_cov.plugin", "rich.markdown", "rich.syntax", "watchfiles")


@contextmanager
def forked_command() -> Iterator[None]:
    """Let COMMAND be a fork of a Python that has imported the libraries; it saves 3 seconds."""
    if not hasattr(os, "fork"):
        yield
        return
    before = COMMAND[:]
    with prefork_server(*IMPORTED, "xdist.plugin") as python:
        COMMAND[:] = [*python, str(TESTS / "forked_cli.py"), json.dumps(python)]
        yield
    COMMAND[:] = before


def copy_exercises(folder: Path, *names: str) -> Path:
    """Copy some of the exercises with their starters, so that a command may change them."""
    others = shutil.ignore_patterns("__pycache__", "ex*_*")
    shutil.copytree(EXERCISES, folder / "exercises", ignore=others)
    for name in names:
        own = folder / "exercises" / name
        shutil.copytree(EXERCISES / name, own, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(STARTERS / name, own, dirs_exist_ok=True)
        shutil.copytree(STARTERS / name, folder / "exercises" / ".starters" / name)
    shutil.copyfile(ROOT / "pyproject.toml", folder / "pyproject.toml")
    return folder


def short_checks(folder: Path) -> Path:
    """Replace the checks of exercise 01 in a copy by one for each step."""
    checks = folder / "exercises" / "ex01_users" / "test_users.py"
    shutil.copyfile(TESTS / "short_checks.py", checks)
    return folder
