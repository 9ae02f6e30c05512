"""The checks of exercises/ reject mutants of the solutions: others each day, see mutants/."""

import os
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest

from exercise_runs import EXERCISES
from exercises.catalog import exercises
from exercises.runner import embedded_postgres
from mutants import run
from mutants.mutant import Mutant, changes, justified, mutants_of
from mutants.operators import OPERATORS
from mutants.run import LIKELY, Memory, Verdict, digest_of, forks, judge
from mutants.source import Source

IN_A_DAY = 100


@cache
def all_mutants() -> dict[str, Mutant]:
    """Make the mutants of all solutions; only when asked for, as it takes two seconds."""
    return {m.key: m for name in exercises() for m in mutants_of(name, given=True)}


@cache
def sample(day: int) -> list[Mutant]:
    """Choose mutants of what learners write by a hash of their names, others each day."""
    reasons = justified()
    mutants = [m for name in exercises() for m in mutants_of(name) if m.key not in reasons]
    return sorted(mutants, key=lambda m: sha256(f"{day} {m.key}".encode()).digest())[:IN_A_DAY]


@pytest.fixture(scope="session", name="forks")
def give_forks() -> Iterator[None]:
    """Save the servers their imports."""
    with forks():
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Give a PostgreSQL server, for the mutants that SQLite cannot tell from the solution."""
    if url := os.environ.get("TEST_POSTGRES_URL"):
        yield url
    else:
        with embedded_postgres() as url:
            yield url


@pytest.mark.long
@pytest.mark.usefixtures("forks")
@pytest.mark.parametrize("number", range(IN_A_DAY))
def test_mutant_is_rejected(number: int, request: pytest.FixtureRequest) -> None:
    mutant = sample(request.config.getoption("sample"))[number]
    verdict = judge(mutant, ["sqlite"], Memory().likely(mutant))
    if verdict.survived:
        verdict = judge(mutant, [request.getfixturevalue("postgres")], [])

    assert not verdict.survived, f"{mutant.key}\n{mutant.diff}"


def test_every_reason_is_about_a_mutant_that_there_is() -> None:
    assert sorted(justified().keys() - all_mutants()) == []
    assert all(len(reason.split()) > 3 for reason in justified().values())


def test_likely_checks_are_those_of_places_that_there_are() -> None:
    assert sorted(LIKELY.keys() - {mutant.place for mutant in all_mutants().values()}) == []
    for place, names in LIKELY.items():
        (path,) = EXERCISES.glob(f"{place[:4]}_*/test_*.py")
        text = path.read_text(encoding="utf-8")
        assert [name for name in names if f"def {name.partition('[')[0]}(" not in text] == []


# What is changed

EXAMPLES = {
    "compare": ("a < b", ["a <= b", "a >= b"]),
    "logic": ("a and not b", ["a or not b", "not b", "a", "b"]),
    "condition": ("x = [i for i in y if i]", ["True", "not (i)"]),
    "number": ('f(7, Decimal("0.10"))', ["8", "6", '"0.11"', '"0.09"']),
    "status": ("HTTPException(401)", ["403"]),
    "text": ('f("a")', ["'ax'"]),
    "flag": ("x = True", ["False"]),
    "arithmetic": ("a + b", ["a - b", "a", "b"]),
    "element": ('x: Literal["a", "b"] = y', ['"b"', '"a"']),
    "clause": ("q.where(a).limit(3)", ["q", "q.where(a)"]),
    "argument": ("q.where(a, b); Field(ge=0)", ["q.where(b)", "q.where(a)", "Field()"]),
    "keyword": ("Field(gt=0)", ["Field(ge=0)"]),
    "method": ("session.flush()", ["session.commit()"]),
    "unwrap": ("sorted(a)", ["a"]),
    "statement": ("raise x", ["pass"]),
    "bounds": ("x: Annotated[int, Query(ge=1)]", ["int"]),
    "block": ("try:\n    a\nexcept E:\n    b", ["if True:\n    a"]),
    "loop": ("for a in b: c", ["list(b)[:1]", "list(b)[1:]"]),
    "result": ("def f():\n    return a", ["return None"]),
    "decorator": ("@cache\ndef f(): a", ["(lambda function: function)"]),
    "field": (
        "class A(B):\n    x: int = Field(default=None)",
        ["pass", "x: int | None = Field(default=None)"],
    ),
    "column": ("class A(B, table=True):\n    x: int\n    y: int\nA.x", ["A.y"]),
    "early_commit": (
        "def f(session):\n    session.add(a)\n    b",
        ["session.add(a); session.commit()"],
    ),
}


@pytest.mark.parametrize("operator", OPERATORS)
def test_operator(operator: str) -> None:
    text, expected = EXAMPLES[operator]
    source = Source(text)

    assert [new for n in source.nodes() for new in OPERATORS[operator](n, source)] == expected


def test_what_only_people_read_is_left_alone() -> None:
    text = (
        'def f():\n    """Do."""\n    raise HTTPException(n, "no")\n'
        'app = FastAPI(title="A")\nx: str = Field(index=True)'
    )

    assert [key for key, _ in changes("ex00", "app.py", text)] == [
        'ex00 app.py f statement: raise HTTPException(n, "no")'
    ]


# What is remembered


def test_verdict_is_kept_until_the_checks_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant = mutants_of("ex01_users")[0]
    path = tmp_path / "memory"
    Memory(path).add(Verdict(mutant.key, digest_of(mutant), "test_x", "sqlite", "The status is 1."))

    memory = Memory(path)
    known, likely = memory.known(mutant), memory.likely(mutant)
    monkeypatch.setattr(run, "checks_digest", lambda _exercise: "others")

    assert known is not None
    assert (known.rejected_by, known.survived, likely) == ("test_x", False, ["test_x"])
    assert memory.known(mutant) is None
    assert memory.likely(mutant) == ["test_x"]
