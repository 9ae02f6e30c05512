"""A solution with one small mistake in it."""

import ast
import difflib
import hashlib
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from exercise_runs import solution_of
from exercises.catalog import STARTERS
from mutants.operators import FOR_PEOPLE, OPERATORS, in_annotation, name_of
from mutants.source import Function, Source

# What these are given never reaches an answer.
NOT_ANSWERED = ("logger.", "logging.", "os.environ", "ValueError", "TypeVar")
JUSTIFIED = Path(__file__).with_name("justified.toml")


@dataclass(frozen=True)
class Mutant:
    """One change in one file of a solution."""

    exercise: str
    file: str
    key: str
    text: str

    @property
    def files(self) -> dict[str, str]:
        """The whole solution with the change in it."""
        return solution_of(self.exercise) | {self.file: self.text}

    @property
    def place(self) -> str:
        """The exercise, the file, and the function or class: what its key begins with."""
        return place_of(self.key)

    @property
    def digest(self) -> str:
        """What it says, apart from where: it changes when anything in the solution does."""
        files = "\0".join(f"{name}\0{text}" for name, text in sorted(self.files.items()))
        return hashlib.sha256(f"{self.key}\0{files}".encode()).hexdigest()

    @property
    def diff(self) -> str:
        """Show the lines that differ."""
        before = solution_of(self.exercise)[self.file].splitlines()
        lines = difflib.unified_diff(before, self.text.splitlines(), lineterm="", n=1)
        return "\n".join(list(lines)[2:])


def place_of(key: str) -> str:
    """Give the first three words of a key: exercise, file, function or class."""
    exercise, file, scope, _ = key.split(" ", 3)
    return f"{exercise} {file} {scope.partition('.')[0]}"


@cache
def mutants_of(exercise: str, given: bool = False) -> tuple[Mutant, ...]:
    """Make the mutants of what a learner writes, and if asked to of what the starter gives."""
    left_out = frozenset[str]() if given else pieces_of_starter(exercise)
    return tuple(
        Mutant(exercise, file, key, changed)
        for file, text in solution_of(exercise).items()
        if file.endswith(".py") and not file.endswith("env.py")
        for key, changed in changes(exercise, file, text, left_out)
    )


def pieces_of_starter(exercise: str) -> frozenset[str]:
    """Give the functions, classes and other lines that a learner finds written already."""
    texts = [path.read_text(encoding="utf-8") for path in (STARTERS / exercise).rglob("*.py")]
    return frozenset(ast.dump(node) for text in texts for node in ast.parse(text).body)


def changes(
    exercise: str, file: str, text: str, left_out: frozenset[str] = frozenset()
) -> Iterator[tuple[str, str]]:
    """Give each change of a file, each meaning once: its key and the text with it."""
    source = Source(text)
    known = {None, *(meaning_of(node, source, source.code(node)) for node in source.tree.body)}
    keys: Counter[str] = Counter()
    for node in source.nodes(left_out):
        for name, operator in OPERATORS.items():
            for new in operator(node, source):
                if is_beside_the_point(name, node, source):
                    break
                meaning = meaning_of(node, source, new)
                if meaning in known:
                    continue
                known.add(meaning)
                old, other = " ".join(source.code(node).split()), " ".join(new.split())
                key = f"{exercise[:4]} {file} {source.scope(node)} {name}: {shortened(old, other)}"
                keys[key] += 1
                yield f"{key} #{keys[key]}" if keys[key] > 1 else key, changed(node, source, new)


def changed(node: ast.AST, source: Source, new: str) -> str:
    """Give the text of the file with other words in the place of a node."""
    start, end = source.span(node)
    return source.slice(0, start) + new + source.slice(end)


def meaning_of(node: ast.AST, source: Source, new: str) -> str | None:
    """Give the tree of the function or class around a changed node; None if it is no Python."""
    (first, last), (start, end) = source.piece(node), source.span(node)
    text = source.slice(first, start) + new + source.slice(end, last)
    try:
        tree = ast.parse(text)
        compile(tree, "app.py", "exec")
    except SyntaxError:
        return None
    return f"{first} {ast.dump(tree)}"


def shortened(old: str, new: str) -> str:
    """Write a change in one line; a removed statement is named by its first words."""
    if new == "pass":
        return old[:70].rstrip()
    if len(old) + len(new) > 110:
        # What both begin and end with says nothing.
        pre = len(commonprefix(old, new))
        post = len(commonprefix(old[pre:][::-1], new[pre:][::-1]))
        cut = max(pre - 25, 0)
        old, new = old[cut : len(old) - max(post - 10, 0)], new[cut : len(new) - max(post - 10, 0)]
    return f"{old[:110]} -> {new[:110]}"


def commonprefix(one: str, other: str) -> str:
    """Give what both texts begin with."""
    pairs = zip(one, other, strict=False)
    return one[: next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))]


# What no check could or should notice, and is therefore not changed


def is_beside_the_point(operator: str, node: ast.AST, source: Source) -> bool:
    """Tell what is not mutated: words for people, types for mypy, imports, paths of routes."""
    if operator in ("text", "number") and in_annotation(node, source):
        return True
    around = [node, *source.ancestors(node)]
    return any(is_for_people(p, source) or is_route_path(p, source) for p in around)


def is_for_people(node: ast.AST, source: Source) -> bool:
    """Tell what is an import, a docstring, a title, a log entry, the sentence of an error."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) or is_for_people(node.value, source)
    if isinstance(node, ast.Assign):
        return source.code(node.targets[0]) == "__tablename__"
    if isinstance(node, ast.keyword):
        return node.arg in FOR_PEOPLE
    if isinstance(node, ast.Call) and source.code(node.func).startswith(NOT_ANSWERED):
        return True
    if isinstance(node, ast.expr):
        call = source.parent(node)
        if isinstance(call, ast.Call) and name_of(call) == "HTTPException":
            return node in call.args[1:]
    return isinstance(node, ast.Import | ast.ImportFrom)


def is_route_path(node: ast.AST, source: Source) -> bool:
    """Tell whether a node is the path of a route, without which nothing works."""
    if not isinstance(node, ast.Constant):
        return False
    call = source.parent(node)
    return isinstance(call, ast.Call) and any(
        isinstance(p, Function) and call in p.decorator_list and node in call.args
        for p in source.ancestors(node)
    )


def justified() -> dict[str, str]:
    """Read which mutants are right all the same, and why."""
    groups = tomllib.loads(JUSTIFIED.read_text(encoding="utf-8")).get("justified", [])
    return {key: group["reason"] for group in groups for key in group["mutants"]}
