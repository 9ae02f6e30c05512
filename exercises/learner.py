"""What a learner does: see the table, check, watch, get hints, see solutions, begin again."""

import shlex
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from rich.console import Console
from rich.markdown import Markdown
from rich.syntax import Syntax
from rich.table import Table
from watchfiles import PythonFilter, watch

from exercises import starters
from exercises.catalog import (
    FOLDER,
    RecipeError,
    defect,
    exercises,
    files_in,
    hints_of,
    steps_of,
    title_of,
    work_in,
)
from exercises.progress import Progress
from exercises.recorder import FAILED, NOT_BEGUN, Recorder

SHOWN_MESSAGES = 3
console = Console(soft_wrap=True, highlight=False, markup=False)


@dataclass
class Target:
    """What is checked, as the options say it; `project` is None for the exercises' own folders."""

    project: Path | None = None
    named: list[str] = field(default_factory=list)  # the options that name the project
    options: list[str] = field(default_factory=list)  # all options for pytest, these included
    has_progress: bool = True

    def work(self, exercise: str) -> Path:
        """Find the folder with the answer to an exercise."""
        return work_in(self.project, exercise) if self.project else FOLDER / exercise

    def call(self, command: str) -> str:
        """Write a command for the same project."""
        return shlex.join(["python", "-m", "exercises", *command.split(), *self.named])


def next_exercise(progress: Progress) -> str | None:
    """Find the first exercise that is complete and not done."""
    names = [name for name in exercises() if not defect(name)]
    return next((name for name in names if not progress.is_done(name)), None)


def show_table(target: Target) -> int:
    """Show what is done and what comes next."""
    progress = Progress(target.project)
    names = exercises()
    defects = {name: defect(name) for name in names}
    done = [name for name in names if not defects[name] and progress.is_done(name)]
    coming = next_exercise(progress)
    full, empty = "█░" if console.encoding.startswith("utf") else "#-"
    filled = round(20 * len(done) / max(1, len(names)))
    bar = full * filled + empty * (20 - filled)
    console.print(f"{bar} {len(done)} of {len(names)} exercises done")
    table = Table("exercise", "steps", "", box=None, pad_edge=False)
    for name in names:
        state = "done" if name in done else "next" if name == coming else ""
        style = {"done": "green", "next": "bold"}.get(state)
        of = "?" if defects[name] else len(steps_of(name))
        table.add_row(name, f"{len(progress.passed(name))}/{of}", state, style=style)
    console.print(table)
    for sentence in filter(None, defects.values()):
        console.print(f"Cannot be checked: {sentence}.", style="red")
    if coming:
        console.print(target.call(f"check {coming}"))
    return 0


def check(names: list[str], target: Target) -> int:
    """Run the checks of these exercises, keep and report the result; give the exit code."""
    defects = [sentence for name in names if (sentence := defect(name))]
    names = [name for name in names if not defect(name)]
    code = run_checks(names, target) if names else 1
    for sentence in defects:
        console.print(f"\nNot checked: {sentence}.", style="red")
    return code or int(bool(defects))


def run_checks(names: list[str], target: Target) -> int:
    """Run the checks of complete exercises."""
    recorder = Recorder()
    folders = [str(FOLDER / name) for name in names]
    quiet = ["-q", "--no-header", "--tb=no", "-rN", "-Wignore::pytest.PytestAssertRewriteWarning"]
    options = [*quiet, "--continue-on-collection-errors", *target.options]
    code = pytest.main([*folders, *options], plugins=[recorder])
    if code in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.NO_TESTS_COLLECTED):
        return 2
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        return 1
    progress = Progress(target.project)
    for name in names:
        if recorder.complete and target.has_progress:
            progress.note_passed(name, recorder.passed_steps(name))
        report(name, recorder, target)
    if not target.has_progress:
        console.print("\nYour progress stays as it was: this was not your exercise.")
    elif not recorder.complete:
        console.print("\nNot kept as progress: that takes a run of all checks in one process.")
    return int(code)


def state_of(exercise: str, step: int, recorder: Recorder, untouched: bool) -> str:
    """Say how a step stands: ok, wrong, not begun or not checked."""
    results = recorder.results(exercise, step)
    if step in recorder.passed_steps(exercise):
        return "ok"
    if FAILED in results and not untouched:
        return "wrong"
    return NOT_BEGUN if {FAILED, NOT_BEGUN} & results else "not checked"


def report(exercise: str, recorder: Recorder, target: Target) -> None:
    """Say how each step stands, and what is wrong with the first one that fails."""
    console.print(f"\n{exercise} · {title_of(exercise)}", style="bold")
    if why := recorder.unreadable.get(exercise):
        console.print(f"Its checks cannot be read: {why}", style="red")
        return
    untouched = target.has_progress and starters.is_untouched(exercise, target.work(exercise))
    states = {n: state_of(exercise, n, recorder, untouched) for n in steps_of(exercise)}
    for step, state in states.items():
        style = {"ok": "green", "wrong": "red"}.get(state)
        console.print(f"Step {step}: {state}", style=style)
    failures = recorder.failures[exercise]
    if not failures:
        if set(states.values()) == {"ok"}:
            console.print(f"All of it passed. Our solution: {target.call(f'solution {exercise}')}")
        return
    first = min(failures)
    told = [text for text in failures[first] if "\nFollows from: " not in text]
    messages = told[: 1 if states[first] == NOT_BEGUN else SHOWN_MESSAGES]
    for message in messages:
        console.print(f"\n{message}")
    rest = sum(len(failures[step]) for step in failures if states[step] == "wrong") - len(messages)
    if rest > 0:
        again = shlex.join(["pytest", f"exercises/{exercise}", *target.options])
        console.print(f"\n{rest} more failed; all of them: {again}")


def hint(exercise: str, target: Target) -> int:
    """Show the next hint for the first step that is not passed."""
    progress = Progress(target.project)
    step = progress.first_open_step(exercise)
    if step is None:
        console.print(f"{exercise} is done; there is nothing to hint at.")
        return 0
    hints = hints_of(exercise)[step]
    number = progress.next_hint(exercise, step, len(hints))
    console.print(f"{exercise}, step {step}, hint {number + 1} of {len(hints)}:\n")
    console.print(Markdown(hints[number]) if console.is_terminal else hints[number])
    if number + 1 == len(hints):
        call = target.call(f"solution {exercise} --show")
        console.print(f"\nThe last one. All of it: {call}")
    return 0


def solution(exercise: str, show: bool, target: Target) -> int:
    """Show the solution of an exercise that is done, or whenever asked to."""
    if not show and not Progress(target.project).is_done(exercise):
        console.print(f"{exercise} is not done yet; add --show to see the solution all the same.")
        return 1
    folder = FOLDER / exercise / "solution"
    files = files_in(folder) if folder.is_dir() else [folder.with_suffix(".py")]
    if not all(path.is_file() for path in files):
        raise RecipeError(f"{exercise} has no solution here: ask your teacher")
    for path in files:
        text = path.read_text(encoding="utf-8")
        console.rule(path.relative_to(FOLDER).as_posix())
        lexer = Syntax.guess_lexer(str(path), text)
        console.print(Syntax(text, lexer) if console.is_terminal else text)
    return 0


def reset(exercise: str, sure: bool, target: Target) -> int:
    """Put the starter back; the learner's files stay beside it under another name."""
    folder = (target.project or FOLDER) / exercise
    if not sure and folder.exists():
        console.print(
            f"Put {exercise} back to its starter? A copy of yours is kept. [y/N] ", end=""
        )
        answer = sys.stdin.readline()
        if answer.strip().lower() not in ("y", "yes"):
            console.print("Nothing was changed.")
            return 1
    for copy in starters.put_back(exercise, folder):
        console.print(f"Kept {copy}")
    Progress(target.project).note_passed(exercise, [])
    console.print(f"{exercise} is back to its starter, in {folder}")
    return 0


def check_reset() -> int:
    """Tell maintainers what an exercise lacks, and what is not as a learner should find it."""
    code = 0
    for exercise in exercises():
        if sentence := defect(exercise):
            console.print(f"Not complete: {sentence}")
            code = 1
            continue
        for path in starters.differences(exercise, FOLDER / exercise):
            console.print(f"Not as in the starter: {exercise}/{path.as_posix()}")
            code = 1
    return code


def watch_exercise(exercise: str, target: Target, poll: bool) -> int:
    """Check now and after every save, until Ctrl-C."""
    folder = target.project or FOLDER / exercise
    # File events do not arrive in every container, and to poll one small folder costs nothing.
    poll = poll or target.project is None
    code = None
    # The watcher runs before the first check, so that a save during it is not missed.
    for changes in watch(
        folder,
        watch_filter=PythonFilter(),
        force_polling=poll or None,
        debounce=100,
        rust_timeout=200,
        yield_on_timeout=True,
    ):
        if changes or code is None:
            console.clear()
            code = check([exercise], target)
            console.print(f"\nWatching {folder}; Ctrl-C ends it.")
    return code or 0
