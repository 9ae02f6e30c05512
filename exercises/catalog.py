"""The exercises' folders: which there are, and what their README.md and hints.md say."""

import argparse
import re
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
STARTERS = FOLDER / ".starters"


class RecipeError(Exception):
    """An exercise lacks a part; the text says which."""


def exercises() -> list[str]:
    """Name the exercises in their order."""
    return sorted(p.name for p in FOLDER.glob("ex[0-9][0-9]_*") if p.is_dir())


def find(name: str) -> str:
    """Find an exercise by "1", "01", "ex01", "users" or "ex01_users"."""
    number = re.fullmatch(r"(?:ex)?0*(\d+)", name)
    for exercise in exercises():
        prefix, _, stem = exercise.partition("_")
        if name in (exercise, stem) or (number and prefix == f"ex{int(number[1]):02}"):
            return exercise
    raise argparse.ArgumentTypeError(f"no exercise {name!r}; there are {', '.join(exercises())}")


def read(exercise: str, name: str) -> str:
    """Read a page of an exercise."""
    try:
        return (FOLDER / exercise / name).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise RecipeError(f"{exercise} has no {name}") from None


def title_of(exercise: str) -> str:
    """Give the first heading of the task, without its number."""
    return read(exercise, "README.md").partition("\n")[0].rpartition(" · ")[2]


def steps_of(exercise: str) -> list[int]:
    """List the numbers of the task's steps."""
    text = read(exercise, "README.md")
    steps = [int(n) for n in re.findall(r"^## Step (\d+)", text, re.MULTILINE)]
    if not steps:
        raise RecipeError(f"{exercise}/README.md has no heading `## Step 1`")
    return steps


def hints_of(exercise: str) -> dict[int, list[str]]:
    """Read hints.md: the bullets below each "## Step n"."""
    _, *parts = re.split(r"^## Step (\d+).*\n", read(exercise, "hints.md"), flags=re.MULTILINE)
    hints: dict[int, list[str]] = {}
    for step, body in zip(parts[::2], parts[1::2], strict=True):
        bullets = re.split(r"^- ", body, flags=re.MULTILINE)[1:]
        hints[int(step)] = [re.sub(r"^  ", "", b, flags=re.MULTILINE).strip() for b in bullets]
    for step in steps_of(exercise):
        if not hints.get(step):
            raise RecipeError(f"{exercise}/hints.md has no hints below a heading `## Step {step}`")
    return hints


def starter_of(exercise: str) -> Path:
    """Find the files that a learner begins with."""
    folder = STARTERS / exercise
    if not folder.is_dir():
        raise RecipeError(f"{exercise} has no starter: exercises/.starters/{exercise} is missing")
    return folder


def defect(exercise: str) -> str:
    """Say what an exercise lacks; empty when it is complete."""
    try:
        hints_of(exercise)
        starter_of(exercise)
    except RecipeError as error:
        return str(error)
    if not list((FOLDER / exercise).glob("test_*.py")):
        return f"{exercise} has no checks: a file test_….py is missing"
    return ""


def files_in(folder: Path) -> list[Path]:
    """List the files below a folder, without Python's caches."""
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return [p for p in files if "__pycache__" not in p.parts]


def work_in(project: Path, exercise: str) -> Path:
    """Find the answer to an exercise: a folder of its name, or the whole project."""
    own = project / exercise
    return own if own.is_dir() else project
