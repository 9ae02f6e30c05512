"""A solution's file as a tree: where each node stands, and what surrounds it."""

import ast
from collections.abc import Iterator
from functools import cached_property

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Source:
    """The text and the tree of one file."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tree = ast.parse(text)
        self._bytes = text.encode()  # ast counts columns in bytes
        self._lines = [0]
        for line in self._bytes.splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))
        self._parents = {
            child: parent
            for parent in ast.walk(self.tree)
            for child in ast.iter_child_nodes(parent)
        }

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Give the first byte of a node and the one after its last."""
        assert isinstance(node, ast.expr | ast.stmt | ast.excepthandler | ast.keyword)
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start = self._lines[node.lineno - 1] + node.col_offset
        return start, self._lines[node.end_lineno - 1] + node.end_col_offset

    def code(self, node: ast.AST) -> str:
        """Give the text of a node."""
        return self.slice(*self.span(node))

    def slice(self, start: int, end: int | None = None) -> str:
        """Give the text between two bytes."""
        return self._bytes[start:end].decode()

    def nodes(self, left_out: frozenset[str] = frozenset()) -> Iterator[ast.AST]:
        """Give what is code in the order of the file, without functions and classes left out."""
        tops = [top for top in self.tree.body if ast.dump(top) not in left_out]
        found = [n for top in tops for n in ast.walk(top) if isinstance(n, ast.expr | ast.stmt)]
        return iter(sorted(found, key=lambda node: (*self.span(node), type(node).__name__)))

    def parent(self, node: ast.AST) -> ast.AST:
        """Give the node that this one is a part of."""
        return self._parents[node]

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """Give the nodes around this one, the nearest first."""
        while node in self._parents:
            node = self._parents[node]
            yield node

    def piece(self, node: ast.AST) -> tuple[int, int]:
        """Give the span of the whole class, function or line of the file that the node is in."""
        top = next(a for a in [node, *self.ancestors(node)] if self._parents.get(a) is self.tree)
        lines = [d.lineno for d in getattr(top, "decorator_list", [])]
        start, end = self.span(top)
        return min([start, *(self._lines[line - 1] for line in lines)]), end

    def function(self, node: ast.AST) -> Function | None:
        """Give the function that the node is in."""
        return next((a for a in self.ancestors(node) if isinstance(a, Function)), None)

    def scope(self, node: ast.AST) -> str:
        """Name what the node is in, the outermost first: classes, functions, fields, keywords."""
        names: list[str] = []
        for parent in [node, *self.ancestors(node)]:
            if isinstance(parent, ast.keyword):
                names.append(f"{parent.arg}=")
            elif isinstance(parent, ast.AnnAssign | ast.Assign):
                target = parent.target if isinstance(parent, ast.AnnAssign) else parent.targets[0]
                names.append(self.code(target))
            elif isinstance(parent, Function | ast.ClassDef) and parent is not node:
                names.append(parent.name)
        return ".".join(reversed(names)) or "module"

    @cached_property
    def fields(self) -> dict[str, dict[str, str]]:
        """List the fields of each class with their types, inherited ones first."""
        found: dict[str, dict[str, str]] = {}
        for node in self.tree.body:
            if not isinstance(node, ast.ClassDef):
                continue
            own: dict[str, str] = {}
            for base in node.bases:
                own |= found.get(self.code(base), {})
            for line in node.body:
                if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
                    own[line.target.id] = self.code(line.annotation)
            found[node.name] = own
        return found

    @cached_property
    def tables(self) -> set[str]:
        """Name the classes that are tables."""
        return {
            node.name
            for node in ast.walk(self.tree)
            if isinstance(node, ast.ClassDef) and any(k.arg == "table" for k in node.keywords)
        }
