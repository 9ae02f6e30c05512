"""The command line: python -m exercises [check | hint | solution | reset | watch]."""

import argparse
import json
import re
import shlex
import shutil
import sys
from collections import defaultdict
from collections.abc import Generator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.markdown import Markdown
from rich.syntax import Syntax
from rich.table import Table
from watchfiles import PythonFilter, watch

FOLDER = Path(__file__).resolve().parent
STARTERS = FOLDER / ".starters"
STATE = FOLDER.parent / ".exercises.json"
OURS = ("README.md", "__init__.py", "hints.md", "solution", "solution.py")
SHOWN_MESSAGES = 3
console = Console(soft_wrap=True, highlight=False, markup=False)


class Progress:
    """What was passed and which hints were shown, kept in a file between calls."""

    def __init__(self) -> None:
        self._data: dict[str, dict[str, Any]] = {}
        # A file that somebody broke is worth no more than none: another check brings it back.
        try:
            for exercise, kept in json.loads(STATE.read_text(encoding="utf-8")).items():
                passed = [int(step) for step in kept.get("passed", [])]
                hints = {step: int(shown) for step, shown in kept.get("hints", {}).items()}
                self._data[exercise] = {"passed": passed, "hints": hints}
        except (FileNotFoundError, ValueError, TypeError, AttributeError):
            self._data = {}

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
        STATE.write_text(json.dumps(self._data, indent=1) + "\n", encoding="utf-8")


class Recorder:
    """A pytest plugin that sorts the results of a run by exercise and step."""

    def __init__(self) -> None:
        self.failures: dict[str, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
        self.passed: dict[str, set[int]] = defaultdict(set)
        self.collected = False
        self.waiting: dict[str, tuple[str, int]] = {}

    @property
    def complete(self) -> bool:
        """Tell whether every check ran; unknown, so False, when xdist's workers collect them."""
        return self.collected and not self.waiting

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_make_collect_report(
        self,
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Note the checks before any option leaves some of them out."""
        report = yield
        for item in report.result or []:
            marker = item.get_closest_marker("step")
            if isinstance(item, pytest.Item) and marker:
                self.collected = True
                self.waiting[item.nodeid] = (item.path.parent.name, marker.args[0])
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note one result."""
        step = dict(report.user_properties).get("step")
        exercise = Path(report.location[0]).parent.name
        if not isinstance(step, int):
            return
        if report.failed:
            self.failures[exercise][step].append(report.longreprtext)
        elif report.when == "call" and report.passed:
            self.passed[exercise].add(step)
        if report.when == "teardown":
            self.waiting.pop(report.nodeid, None)

    def passed_steps(self, exercise: str) -> list[int]:
        """List the steps of which a check passed, none failed and none has yet to run."""
        waiting = {step for name, step in self.waiting.values() if name == exercise}
        return sorted(self.passed[exercise] - set(self.failures[exercise]) - waiting)


def exercises() -> list[str]:
    """Name the exercises in their order."""
    return sorted(p.name for p in FOLDER.glob("ex[0-9][0-9]_*") if p.is_dir())


def steps_of(exercise: str) -> list[int]:
    """List the numbers of the task's steps."""
    text = (FOLDER / exercise / "README.md").read_text(encoding="utf-8")
    return [int(n) for n in re.findall(r"^## Step (\d+)", text, re.MULTILINE)]


def find(name: str) -> str:
    """Find an exercise by "1", "01", "ex01", "users" or "ex01_users"."""
    number = re.fullmatch(r"(?:ex)?0*(\d+)", name)
    for exercise in exercises():
        prefix, _, stem = exercise.partition("_")
        if name in (exercise, stem) or (number and prefix == f"ex{int(number[1]):02}"):
            return exercise
    raise argparse.ArgumentTypeError(f"no exercise {name!r}; there are {', '.join(exercises())}")


def next_exercise(progress: Progress) -> str | None:
    """Find the first exercise that is not done."""
    return next((name for name in exercises() if not progress.is_done(name)), None)


def show_table() -> int:
    """Show what is done and what comes next."""
    progress = Progress()
    names = exercises()
    done = [name for name in names if progress.is_done(name)]
    coming = next_exercise(progress)
    full, empty = "█░" if console.encoding.startswith("utf") else "#-"
    filled = round(20 * len(done) / len(names))
    bar = full * filled + empty * (20 - filled)
    console.print(f"{bar} {len(done)} of {len(names)} exercises done")
    table = Table("exercise", "steps", "", box=None, pad_edge=False)
    for name in names:
        state = "done" if name in done else "next" if name == coming else ""
        style = {"done": "green", "next": "bold"}.get(state)
        table.add_row(
            name, f"{len(progress.passed(name))}/{len(steps_of(name))}", state, style=style
        )
    console.print(table)
    if coming:
        console.print(f"python -m exercises check {coming}")
    return 0


def check(names: list[str], options: list[str]) -> int:
    """Run the checks of these exercises, keep and report the result; give the exit code."""
    recorder = Recorder()
    folders = [str(FOLDER / name) for name in names]
    quiet = ["-q", "--no-header", "--tb=no", "-rN", "-Wignore::pytest.PytestAssertRewriteWarning"]
    code = pytest.main([*folders, *quiet, *options], plugins=[recorder])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        return 2 if code in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.NO_TESTS_COLLECTED) else 1
    progress = Progress()
    for name in names:
        if recorder.complete and "--solution" not in options:
            progress.note_passed(name, recorder.passed_steps(name))
        report(name, recorder, options)
    if not recorder.complete:
        console.print("Not kept as progress: that takes a run of all checks in one process.")
    return int(code)


def report(exercise: str, recorder: Recorder, options: list[str]) -> None:
    """Say how each step stands, and what is wrong with the first one that fails."""
    failures = recorder.failures[exercise]
    passed = recorder.passed_steps(exercise)
    for step in steps_of(exercise):
        state = "ok" if step in passed else "wrong" if step in failures else "not checked"
        style = {"ok": "green", "wrong": "red"}.get(state)
        console.print(f"Step {step}: {state}", style=style)
    if not failures:
        if len(passed) == len(steps_of(exercise)):
            console.print(f"{exercise} passed. See ours: python -m exercises solution {exercise}")
        return
    # What comes back unchanged from one check to the next is told once.
    distinct: dict[str, str] = {}
    for text in failures[min(failures)]:
        distinct.setdefault(text.partition("Came back")[2] or text, text)
    messages = list(distinct.values())[:SHOWN_MESSAGES]
    for message in messages:
        console.print(f"\n{message}")
    rest = sum(map(len, failures.values())) - len(messages)
    if rest:
        again = shlex.join(["pytest", f"exercises/{exercise}", *options])
        console.print(f"\n{rest} more failed; all of them: {again}")


def hint(exercise: str) -> int:
    """Show the next hint for the first step that is not passed."""
    progress = Progress()
    step = progress.first_open_step(exercise)
    if step is None:
        console.print(f"{exercise} is done; there is nothing to hint at.")
        return 0
    hints = hints_of(exercise)[step]
    number = progress.next_hint(exercise, step, len(hints))
    console.print(f"{exercise}, step {step}, hint {number + 1} of {len(hints)}:\n")
    console.print(Markdown(hints[number]) if console.is_terminal else hints[number])
    if number + 1 == len(hints):
        console.print(f"\nThe last one. All of it: python -m exercises solution {exercise} --show")
    return 0


def hints_of(exercise: str) -> dict[int, list[str]]:
    """Read hints.md: the bullets below each "## Step n"."""
    text = (FOLDER / exercise / "hints.md").read_text(encoding="utf-8")
    _, *parts = re.split(r"^## Step (\d+).*\n", text, flags=re.MULTILINE)
    hints = {}
    for step, body in zip(parts[::2], parts[1::2], strict=True):
        bullets = re.split(r"^- ", body, flags=re.MULTILINE)[1:]
        hints[int(step)] = [re.sub(r"^  ", "", b, flags=re.MULTILINE).strip() for b in bullets]
    return hints


def solution(exercise: str, show: bool) -> int:
    """Show the solution of an exercise that is done, or whenever asked to."""
    if not show and not Progress().is_done(exercise):
        console.print(f"{exercise} is not done yet; add --show to see the solution all the same.")
        return 1
    folder = FOLDER / exercise / "solution"
    single = FOLDER / exercise / "solution.py"
    for path in files_in(folder) if folder.is_dir() else [single]:
        text = path.read_text(encoding="utf-8")
        console.rule(path.relative_to(FOLDER).as_posix())
        lexer = Syntax.guess_lexer(str(path), text)
        console.print(Syntax(text, lexer) if console.is_terminal else text)
    return 0


def files_in(folder: Path) -> list[Path]:
    """List the files below a folder, without Python's caches."""
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return [p for p in files if "__pycache__" not in p.parts]


def reset(exercise: str, sure: bool) -> int:
    """Put the starter back; the learner's files stay beside it under another name."""
    if not sure:
        console.print(
            f"Put {exercise} back to its starter? A copy of yours is kept. [y/N] ", end=""
        )
        answer = sys.stdin.readline()
        if answer.strip().lower() not in ("y", "yes"):
            console.print("Nothing was changed.")
            return 1
    stamp = datetime.now().strftime("%Y%m%d-%H%M%S-%f")
    for starter in files_in(STARTERS / exercise):
        own = FOLDER / exercise / starter.relative_to(STARTERS / exercise)
        if own.exists() and own.read_bytes() != starter.read_bytes():
            copy = own.with_name(f"{own.name}.bak-{stamp}")
            own.replace(copy)
            console.print(f"Kept {copy.relative_to(FOLDER.parent)}")
        own.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(starter, own)
    Progress().note_passed(exercise, [])
    console.print(f"{exercise} is back to its starter.")
    return 0


def contents(folder: Path) -> dict[Path, bytes]:
    """Read the files below a folder, all but those that an exercise comes with."""
    files = {path.relative_to(folder): path.read_bytes() for path in files_in(folder)}
    return {
        path: content
        for path, content in files.items()
        if path.parts[0] not in OURS and not path.match("test_*.py")
    }


def check_reset() -> int:
    """Tell maintainers whether every exercise is as a learner should first find it."""
    code = 0
    for exercise in exercises():
        own, starter = contents(FOLDER / exercise), contents(STARTERS / exercise)
        for path in sorted(own.keys() | starter.keys()):
            if own.get(path) != starter.get(path):
                console.print(f"Not as in the starter: {exercise}/{path.as_posix()}")
                code = 1
    return code


def watch_exercise(exercise: str, options: list[str], poll: bool) -> int:
    """Check now and after every save, until Ctrl-C."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--app")
    parser.add_argument("--app-dir", type=Path)
    own = parser.parse_known_args(options)[0]
    own_project = own.app_dir or (Path() if own.app else None)
    folder = own_project or FOLDER / exercise
    # File events do not arrive in every container, and to poll one small folder costs nothing.
    poll = poll or own_project is None
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
            code = check([exercise], options)
            console.print(f"\nWatching {folder}; Ctrl-C ends it.")
    return code or 0


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; what follows "--" goes to pytest."""
    parser = argparse.ArgumentParser(prog="python -m exercises", description=__doc__)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    check_ = commands.add_parser("check", help="check the next exercise, a named one, or all")
    check_.add_argument("name", nargs="?", metavar="NAME|all")
    watch_ = commands.add_parser("watch", help="check again after every save")
    watch_.add_argument("name", nargs="?", type=find, metavar="NAME")
    watch_.add_argument("--poll", action="store_true", help="look at the files, trust no events")
    hint_ = commands.add_parser("hint", help="the next hint for the first step that fails")
    hint_.add_argument("name", type=find, metavar="NAME")
    solution_ = commands.add_parser("solution", help="our solution, once yours passes")
    solution_.add_argument("name", type=find, metavar="NAME")
    solution_.add_argument("--show", action="store_true", help="show it in any case")
    reset_ = commands.add_parser("reset", help="put the starter back, keeping a copy of yours")
    reset_.add_argument("name", nargs="?", type=find, metavar="NAME")
    reset_.add_argument("--yes", action="store_true", help="do not ask")
    reset_.add_argument("--check", action="store_true", help="only tell what is not a starter")

    split = arguments.index("--") if "--" in arguments else len(arguments)
    parsed = parser.parse_args(arguments[:split])
    parsed.options = arguments[split + 1 :]
    if parsed.options and parsed.command not in ("check", "watch"):
        parser.error("only check and watch take options for pytest")
    if parsed.command == "reset" and bool(parsed.name) == parsed.check:
        parser.error("reset takes a NAME, or --check")
    if parsed.command == "check" and parsed.name not in (None, "all"):
        try:
            parsed.name = find(parsed.name)
        except argparse.ArgumentTypeError as error:
            parser.error(str(error))
    return parsed


def main(arguments: list[str]) -> int:
    """Run one command; give the exit code: 0 passed, 1 failed, 2 wrong call."""
    args = parse(arguments)
    if args.command in ("check", "watch"):
        name = args.name or next_exercise(Progress())
        if name is None:
            console.print("All exercises are done; `check all` checks them again.")
            return 0
        if args.command == "watch":
            return watch_exercise(name, args.options, args.poll)
        return check(exercises() if name == "all" else [name], args.options)
    if args.command == "hint":
        return hint(args.name)
    if args.command == "solution":
        return solution(args.name, args.show)
    if args.command == "reset":
        return check_reset() if args.check else reset(args.name, args.yes)
    return show_table()


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
