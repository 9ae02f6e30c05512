"""Run the checks on mutants, in several processes, and remember what came out."""

import contextlib
import hashlib
import io
import itertools
import json
import os
import re
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from types import FrameType

import pytest

from exercise_runs import EXERCISES, ROOT, prefork_server, preforked, run_checks, write_files
from exercises.conftest import BROKEN_CHECK
from exercises.runner import embedded_postgres, fresh_folder
from mutants.mutant import Mutant, place_of

CACHE = ROOT / ".mutants.jsonl"
# The checks that rejected most mutants of a place, for those who start with an empty memory.
LIKELY_FILE = Path(__file__).with_name("likely.json")
LIKELY: dict[str, list[str]] = json.loads(LIKELY_FILE.read_text(encoding="utf-8"))
MOST_LIKELY = 6
SECONDS = 120  # for all checks of an exercise on one database; a mutant that needs more hangs


@dataclass(frozen=True)
class Verdict:
    """What the checks said about a mutant: which one rejected it, on which database, and how."""

    key: str
    digest: str
    rejected_by: str = ""
    database: str = ""
    says: str = ""

    @property
    def survived(self) -> bool:
        """Tell whether all checks passed."""
        return not self.rejected_by

    @property
    def at_start(self) -> bool:
        """Tell whether the app did not even start, which takes no check to notice."""
        return "before it could answer" in self.says


class FirstFailure:
    """A pytest plugin that notes the first check that fails; it may run some checks only."""

    def __init__(self, only: Sequence[str] = (), backwards: bool = False) -> None:
        self.only = only
        self.backwards = backwards
        self.name = ""
        self.text = ""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the chosen checks, in the order in which they were named; all if there are none."""
        places = {name: place for place, name in enumerate(self.only)}
        chosen = [item for item in items if item.name in places]
        items[:] = sorted(chosen, key=lambda item: places[item.name]) or items
        if self.backwards:
            items.reverse()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note the failure."""
        if report.failed and not self.name:
            self.name = report.nodeid.rpartition("::")[2]
            self.text = report.longreprtext


@cache
def checks_digest(exercise: str) -> str:
    """Say which checks a verdict is about: the exercise's, and all that they are made with."""
    waiting = [*(EXERCISES / exercise).glob("test_*.py")]
    waiting += [EXERCISES / "conftest.py", EXERCISES / "serve.py"]
    texts: dict[Path, str] = {}
    while waiting:
        path = waiting.pop()
        if path not in texts:
            texts[path] = path.read_text(encoding="utf-8")
            imported = set(re.findall(r"from exercises\.(\w+) import", texts[path]))
            # What failed is failed, whatever causes.py says about it.
            waiting += [EXERCISES / f"{name}.py" for name in imported - {"causes"}]
    return hashlib.sha256("\0".join(texts[p] for p in sorted(texts)).encode()).hexdigest()


def digest_of(mutant: Mutant) -> str:
    """Say what a verdict is about: this mutant and these checks."""
    return hashlib.sha256(f"{mutant.digest}{checks_digest(mutant.exercise)}".encode()).hexdigest()


# One mutant


def judge(mutant: Mutant, databases: Sequence[str], likely: Sequence[str]) -> Verdict:
    """Run checks until one fails: the likely ones alone, then all of them on each database."""
    runs = [(databases[0], likely)] * bool(likely) + [(database, ()) for database in databases]
    with fresh_folder() as folder:
        write_files(mutant.files, folder)
        for database, only in runs:
            first = FirstFailure(only)
            options = ["-x", "--app-dir", str(folder), "--database", database]
            with quiet(), deadline():
                outcome = run_checks(mutant.exercise, *options, plugins=(first,))
            if outcome.code != pytest.ExitCode.OK:
                name = "sqlite" if database == "sqlite" else "postgresql"
                by, says = first.name or "pytest", sentence(first.text)
                return Verdict(mutant.key, digest_of(mutant), by, name, says)
    return Verdict(mutant.key, digest_of(mutant))


def sentence(text: str) -> str:
    """Give what is wrong, out of the message of a check."""
    if BROKEN_CHECK in text:
        return text[text.index(BROKEN_CHECK) :][:300]
    found = re.search(r"^Wrong: +(.*)", text, re.MULTILINE)
    return found[1] if found else " ".join(text.split())[:300]


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Let nothing be printed."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


@contextlib.contextmanager
def deadline() -> Iterator[None]:
    """Interrupt a check that hangs; it fails then. Windows has no such signal."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        signal.alarm(5)  # once more, if something swallows the first
        raise TimeoutError(f"not ready after {SECONDS} seconds")

    signal.signal(signal.SIGALRM, interrupt)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)


# Many mutants


class Memory:
    """Verdicts in a file to which each run appends, so that one that was stopped can go on."""

    def __init__(self, path: Path = CACHE) -> None:
        self.path = path
        self.last: dict[str, Verdict] = {}
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                verdict = Verdict(**json.loads(line))
                self.last[verdict.key] = verdict

    def add(self, verdict: Verdict) -> None:
        """Keep a verdict."""
        self.last[verdict.key] = verdict
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(verdict)) + "\n")

    def known(self, mutant: Mutant) -> Verdict | None:
        """Give the verdict on this very mutant by these very checks, if there is one."""
        verdict = self.last.get(mutant.key)
        return verdict if verdict and verdict.digest == digest_of(mutant) else None

    def likely(self, mutant: Mutant) -> list[str]:
        """Name the checks that rejected this mutant by other checks, then those near to it."""
        own = self.last.get(mutant.key)
        near = [v.rejected_by for key, v in self.last.items() if key.startswith(mutant.place)]
        often = [name for name, _ in Counter(near).most_common()] or LIKELY.get(mutant.place, [])
        names = dict.fromkeys([own.rejected_by, *often] if own else often)
        return [name for name in names if name][:MOST_LIKELY]

    def write_likely(self) -> None:
        """Write which checks rejected most mutants of each place into likely.json."""
        places: dict[str, Counter[str]] = {}
        for key, verdict in self.last.items():
            if verdict.rejected_by.startswith("test_"):
                places.setdefault(place_of(key), Counter())[verdict.rejected_by] += 1
        most = {place: [n for n, _ in places[place].most_common(MOST_LIKELY)] for place in places}
        text = json.dumps(most, indent=1, sort_keys=True, ensure_ascii=False)
        LIKELY_FILE.write_text(text + "\n", encoding="utf-8")


@contextlib.contextmanager
def forks() -> Iterator[None]:
    """Save the servers their imports, where a process can fork."""
    if not hasattr(os, "fork"):
        yield
        return
    with prefork_server() as path, preforked(path):
        yield


class SolutionRejectedError(Exception):
    """The checks reject the solution as it is; then they say nothing about its mutants."""


def judge_all(mutants: list[Mutant], memory: Memory, count: int) -> Iterator[Verdict]:
    """Judge mutants in several processes; give each verdict as it comes, and remember it."""
    with embedded_postgres() as url, forks(), ProcessPoolExecutor(count) as pool:
        any_order = orders(pool, sorted({mutant.exercise for mutant in mutants}))
        waiting, running = iter(mutants), set[Future[Verdict]]()
        while True:
            for mutant in itertools.islice(waiting, 2 * count - len(running)):
                likely = memory.likely(mutant) if any_order[mutant.exercise] else []
                running.add(pool.submit(judge, mutant, ("sqlite", url), likely))
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                memory.add(future.result())
                yield future.result()


def orders(pool: Executor, names: list[str]) -> dict[str, bool]:
    """Tell whose checks may run in any order; all must accept the solution in their own order."""
    forwards = pool.map(passes, names)
    backwards = pool.map(passes, names, [True] * len(names))
    for name, good in zip(names, forwards, strict=True):
        if not good:
            raise SolutionRejectedError(name)
    return dict(zip(names, backwards, strict=True))


def passes(exercise: str, backwards: bool = False) -> bool:
    """Run the checks on the solution as it is."""
    with quiet():
        order = FirstFailure(backwards=backwards)
        return run_checks(exercise, "--solution", "-x", plugins=(order,)).code == 0
