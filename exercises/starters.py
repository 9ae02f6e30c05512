"""Starters: put one back, and tell what differs from it."""

import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from exercises.catalog import files_in, starter_of

OURS = ("README.md", "__init__.py", "hints.md", "solution", "solution.py")


def put_back(exercise: str, folder: Path) -> Iterator[Path]:
    """Copy the starter into a folder; yield what each file that differs was renamed to."""
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S-%f")
    starters = starter_of(exercise)
    for starter in files_in(starters):
        own = folder / starter.relative_to(starters)
        if own.exists() and own.read_bytes() != starter.read_bytes():
            copy = own.with_name(f"{own.name}.bak-{stamp}")
            own.replace(copy)
            yield copy
        own.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(starter, own)


def differences(exercise: str, folder: Path) -> list[Path]:
    """List the files that are not as in the starter, leaving out what an exercise comes with."""
    own, starter = contents(folder), contents(starter_of(exercise))
    return sorted(
        path for path in own.keys() | starter.keys() if own.get(path) != starter.get(path)
    )


def contents(folder: Path) -> dict[Path, bytes]:
    """Read the files below a folder, all but those that an exercise comes with."""
    files = {path.relative_to(folder): path for path in files_in(folder)}
    return {
        path: file.read_bytes()
        for path, file in files.items()
        if path.parts[0] not in OURS and not path.match("test_*.py")
    }


def is_untouched(exercise: str, folder: Path) -> bool:
    """Tell whether a folder holds the starter as it is, without any Python file more."""
    starters = starter_of(exercise)
    for starter in files_in(starters):
        own = folder / starter.relative_to(starters)
        if not own.is_file() or own.read_bytes() != starter.read_bytes():
            return False
    return all(path.suffix != ".py" for path in differences(exercise, folder))
