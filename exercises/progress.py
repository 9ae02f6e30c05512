"""What a learner has passed and which hints were shown, kept in a file between calls."""

import json
from pathlib import Path
from typing import Any

from exercises.catalog import FOLDER, steps_of

STATE = FOLDER.parent / ".exercises.json"
PROJECTS = "projects"


class Progress:
    """The progress of the exercises' own folders or, apart from it, of another project."""

    def __init__(self, project: Path | None = None) -> None:
        self._file = read()
        kept = self._file
        if project:
            kept = self._file.setdefault(PROJECTS, {}).setdefault(str(project.resolve()), {})
        self._data: dict[str, Any] = kept

    def passed(self, exercise: str) -> list[int]:
        """List the steps that passed when last checked."""
        return list(self._data.get(exercise, {}).get("passed", []))

    def is_done(self, exercise: str) -> bool:
        """Tell whether every step passed."""
        return set(steps_of(exercise)) <= set(self.passed(exercise))

    def first_open_step(self, exercise: str) -> int | None:
        """Find the step to work on."""
        return next((n for n in steps_of(exercise) if n not in self.passed(exercise)), None)

    def note_passed(self, exercise: str, passed: list[int]) -> None:
        """Keep the result of a check."""
        self._data.setdefault(exercise, {})["passed"] = passed
        self._save()

    def next_hint(self, exercise: str, step: int, available: int) -> int:
        """Count one hint on, up to the last; give its index."""
        shown = self._data.setdefault(exercise, {}).setdefault("hints", {})
        number = min(shown.get(str(step), 0), available - 1)
        shown[str(step)] = number + 1
        self._save()
        return int(number)

    def _save(self) -> None:
        STATE.write_text(json.dumps(self._file, indent=1) + "\n", encoding="utf-8")


def read() -> dict[str, Any]:
    """Read the file; one that somebody broke is worth no more than none."""
    try:
        data = json.loads(STATE.read_text(encoding="utf-8"))
        projects = data.pop(PROJECTS, {})
        read_exercises = {project: read_kept(kept) for project, kept in projects.items()}
        return {**read_kept(data), PROJECTS: read_exercises}
    except (FileNotFoundError, ValueError, TypeError, AttributeError):
        return {}


def read_kept(data: dict[str, Any]) -> dict[str, Any]:
    """Check what is kept of one project's exercises; raise an error when it makes no sense."""
    return {
        exercise: {
            "passed": [int(step) for step in kept.get("passed", [])],
            "hints": {step: int(shown) for step, shown in kept.get("hints", {}).items()},
        }
        for exercise, kept in data.items()
    }
