"""What is changed to make a mutant; each function is one kind of mistake.

An operator looks at one node and gives the texts that may stand in its place.
"""

import ast
from collections.abc import Callable, Iterator
from decimal import Decimal

from mutants.source import Function, Source

Texts = Iterator[str]
Operator = Callable[[ast.AST, Source], Texts]
OPERATORS: dict[str, Operator] = {}


def words(text: str) -> set[str]:
    """Read names that are separated by spaces."""
    return set(text.split())


COMPARISONS: dict[type[ast.cmpop], tuple[str, ...]] = {
    ast.Eq: ("!=",),
    ast.NotEq: ("==",),
    ast.Lt: ("<=", ">="),
    ast.LtE: ("<", ">"),
    ast.Gt: (">=", "<="),
    ast.GtE: (">", "<"),
    ast.Is: ("is not",),
    ast.IsNot: ("is",),
    ast.In: ("not in",),
    ast.NotIn: ("in",),
}
ARITHMETIC: dict[type[ast.operator], tuple[str, ...]] = {
    ast.Add: ("-",),
    ast.Sub: ("+",),
    ast.Mult: ("+",),
    ast.FloorDiv: ("/",),
    ast.Div: ("*",),
}
STATUSES = {
    200: (201,),
    201: (204,),
    204: (202,),
    400: (404, 422),
    401: (403,),
    403: (401, 404),
    404: (400, 409),
    409: (400, 404),
    422: (400,),
    503: (500,),
}
# Parts of a query or of a value that can be left out: `x.where(y)` becomes `x`.
CLAUSES = words(
    """where having distinct group_by order_by desc asc limit offset options join outerjoin
    with_for_update execution_options with_variant values lower strip casefold"""
)
OTHER_NAMES = {
    "icontains": ("contains", "istartswith"),
    "contains": ("startswith",),
    "startswith": ("contains",),
    "replace": ("strip",),
    "lower": ("upper",),
    "first": ("one",),
    "one": ("first",),
    "join": ("outerjoin",),
    "desc": ("asc",),
    "in_": ("not_in",),
    "is_": ("is_not",),
    "is_not": ("is_",),
    "commit": ("flush",),
    "flush": ("commit",),
    "rollback": ("commit",),
    "or_": ("and_",),
    "and_": ("or_",),
    "min": ("max",),
    "max": ("min",),
    "sum": ("max",),
    "avg": ("max",),
    "any": ("all",),
    "all": ("any",),
    "round": ("floor",),
    "now": ("today",),
}
OTHER_KEYWORDS = {
    "exclude_unset": "exclude_none",
    "ge": "gt",
    "gt": "ge",
    "le": "lt",
    "lt": "le",
    "min_length": "max_length",
}
# Functions that take any number of things; most others fail without one of their arguments.
SEVERAL = words(
    "where having or_ and_ select order_by group_by options values round now count replace"
)
FOR_PEOPLE = ("title", "index")  # an index makes a query faster, and changes no answer
LEFT_OUT = (ast.Raise, ast.Delete, ast.AugAssign, ast.For, ast.AsyncFor, ast.If)
NOT_WRITING = ("commit", "rollback", "refresh", "session.get", "get_", "select(")
UNWRAPPED = words("sorted set list tuple dict abs round str int func.round")


def operator(function: Operator) -> Operator:
    """Register a kind of mistake by its name."""
    OPERATORS[function.__name__] = function
    return function


def name_of(call: ast.AST) -> str:
    """Give the name that is called, without what stands before its dot."""
    func = call.func if isinstance(call, ast.Call) else call
    return func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")


def without(items: list[str], index: int) -> list[str]:
    """Give all items but one."""
    return items[:index] + items[index + 1 :]


# Conditions


@operator
def compare(node: ast.AST, source: Source) -> Texts:
    """Compare otherwise."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        left, right = source.code(node.left), source.code(node.comparators[0])
        for sign in COMPARISONS[type(node.ops[0])]:
            yield f"{left} {sign} {right}"


@operator
def logic(node: ast.AST, source: Source) -> Texts:
    """Confuse `and` and `or`, forget a condition, a `not` or a branch."""
    if isinstance(node, ast.BoolOp):
        terms = [source.code(value) for value in node.values]
        both = isinstance(node.op, ast.And)
        yield (" or " if both else " and ").join(terms)
        for index in range(len(terms)):
            yield (" and " if both else " or ").join(without(terms, index))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.Invert | ast.USub):
        if not isinstance(node.operand, ast.Constant):
            yield source.code(node.operand)
    elif isinstance(node, ast.IfExp):
        yield source.code(node.body)
        yield source.code(node.orelse)


@operator
def condition(node: ast.AST, source: Source) -> Texts:
    """Take a condition for always true, or turn it round."""
    parent = source.parent(node)
    if isinstance(parent, ast.If | ast.IfExp) and parent.test is node:
        yield "True"
        if not isinstance(node, ast.Compare | ast.UnaryOp):
            yield f"not ({source.code(node)})"
    if isinstance(parent, ast.comprehension) and node in parent.ifs:
        yield "True"
        yield f"not ({source.code(node)})"


# Values


@operator
def number(node: ast.AST, source: Source) -> Texts:
    """Miss a number by one."""
    if not isinstance(node, ast.Constant) or is_status(node, source):
        return
    if type(node.value) is int:
        yield str(node.value + 1)
        yield str(node.value - 1)
    elif isinstance(node.value, str) and name_of(source.parent(node)) == "Decimal":
        value = Decimal(node.value)
        step = Decimal(1).scaleb(int(value.as_tuple().exponent))
        yield f'"{value + step}"'
        yield f'"{value - step}"'


def is_status(node: ast.Constant, source: Source) -> bool:
    """Tell whether a number is the status of an answer."""
    parent = source.parent(node)
    if isinstance(parent, ast.keyword):
        return parent.arg == "status_code"
    return node.value in STATUSES and name_of(parent) in ("HTTPException", "JSONResponse")


@operator
def status(node: ast.AST, source: Source) -> Texts:
    """Answer with another status."""
    if isinstance(node, ast.Constant) and is_status(node, source):
        for other in STATUSES[node.value]:  # type: ignore[index]
            yield str(other)


@operator
def text(node: ast.AST, source: Source) -> Texts:
    """Misspell a text."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        if isinstance(source.parent(node), ast.JoinedStr | ast.FormattedValue):
            return
        if name_of(source.parent(node)) != "Decimal":
            yield repr(f"{node.value}x")


@operator
def flag(node: ast.AST, source: Source) -> Texts:
    """Confuse true and false; an argument that is left out does the same."""
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        parent = source.parent(node)
        if isinstance(parent, ast.keyword) and parent.arg not in ("default", "is_active"):
            return
        yield str(not node.value)


@operator
def arithmetic(node: ast.AST, source: Source) -> Texts:
    """Compute with another sign, or with one side only."""
    if not isinstance(node, ast.BinOp) or in_annotation(node, source):
        return
    left, right = source.code(node.left), source.code(node.right)
    for sign in ARITHMETIC.get(type(node.op), ()):
        yield f"{left} {sign} {right}"
    if isinstance(node.op, ast.BitOr):
        yield f"{right} | {left}"
    yield left
    yield right


@operator
def element(node: ast.AST, source: Source) -> Texts:
    """Forget one of several things in a list, a tuple, a dict or a Literal."""
    parent = source.parent(node)
    if isinstance(node, ast.Dict):
        pairs = [
            f"{source.code(k)}: {source.code(v)}" if k else f"**{source.code(v)}"
            for k, v in zip(node.keys, node.values, strict=True)
        ]
        for index in range(len(pairs)):
            yield "{" + ", ".join(without(pairs, index)) + "}"
    elif isinstance(node, ast.List | ast.Tuple | ast.Set):
        items = [source.code(item) for item in node.elts]
        literal = isinstance(parent, ast.Subscript) and name_of(parent.value) == "Literal"
        if isinstance(node.ctx if not isinstance(node, ast.Set) else None, ast.Store):
            return
        if isinstance(parent, ast.Subscript) and not literal:
            return
        for index in range(len(items) if len(items) > 1 or not literal else 0):
            rest = ", ".join(without(items, index))
            yield rest if literal else bracketed(node, rest, len(items) - 1)


def bracketed(node: ast.List | ast.Tuple | ast.Set, rest: str, count: int) -> str:
    """Put the brackets of a literal around what is left of it."""
    if isinstance(node, ast.List):
        return f"[{rest}]"
    if isinstance(node, ast.Set):
        return f"{{{rest}}}" if count else "set()"
    return f"({rest},)" if count == 1 else f"({rest})"


@operator
def column(node: ast.AST, source: Source) -> Texts:
    """Take another column: of a table its neighbours, of an object one of the same type."""
    if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
        return
    owner = node.value.id
    if owner in source.tables and node.attr in source.fields[owner]:
        names = list(source.fields[owner])
        here = names.index(node.attr)
        for other in dict.fromkeys((names[(here + 1) % len(names)], names[here - 1])):
            if other != node.attr:
                yield f"{owner}.{other}"
    elif owner not in source.fields:
        fits = [f for f in source.fields.values() if node.attr in f]
        own = source.fields.get(owner.capitalize(), {})
        fields = own if node.attr in own else next(iter(fits), {})
        same = [name for name, kind in fields.items() if kind == fields[node.attr]]
        yield from (f"{owner}.{name}" for name in same if name != node.attr)


# Calls


@operator
def clause(node: ast.AST, source: Source) -> Texts:
    """Leave out a part of a query."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        yield from [source.code(node.func.value)] if node.func.attr in CLAUSES else []


@operator
def argument(node: ast.AST, source: Source) -> Texts:
    """Leave out an argument: a named one, or one of several conditions or columns."""
    if not isinstance(node, ast.Call) or name_of(node) in ("HTTPException", "TypeVar"):
        return
    positional = [source.code(item) for item in node.args]
    named = [source.code(item) for item in node.keywords]
    first = source.code(node.func)
    if name_of(node) in SEVERAL and (len(positional) > 1 or name_of(node) in ("now", "count")):
        for index in range(len(positional)):
            yield f"{first}({', '.join([*without(positional, index), *named])})"
    for index, word in enumerate(node.keywords):
        if word.arg not in FOR_PEOPLE:
            yield f"{first}({', '.join([*positional, *without(named, index)])})"


@operator
def keyword(node: ast.AST, source: Source) -> Texts:
    """Take one keyword for another; of whole numbers, `number` moves the bounds."""
    if not isinstance(node, ast.Call):
        return
    whole = any(
        source.code(parent).startswith("Annotated[int")
        or (isinstance(parent, ast.AnnAssign) and source.code(parent.annotation).startswith("int"))
        for parent in source.ancestors(node)
        if isinstance(parent, ast.expr | ast.stmt)
    )
    for index, word in enumerate(node.keywords):
        other = OTHER_KEYWORDS.get(word.arg or "")
        if other and not (whole and other in ("ge", "gt", "le", "lt")):
            texts = [source.code(item) for item in [*node.args, *node.keywords]]
            texts[len(node.args) + index] = f"{other}={source.code(word.value)}"
            if other not in [k.arg for k in node.keywords]:
                yield f"{source.code(node.func)}({', '.join(texts)})"


@operator
def method(node: ast.AST, source: Source) -> Texts:
    """Call another function of the same kind."""
    if isinstance(node, ast.Call):
        start, end = source.span(node.func)
        arguments = source.slice(end, source.span(node)[1])
        func = source.slice(start, end)
        for other in OTHER_NAMES.get(name_of(node), ()):
            if not (name_of(node) == "all" and not node.args):
                yield func[: len(func) - len(name_of(node))] + other + arguments


@operator
def unwrap(node: ast.AST, source: Source) -> Texts:
    """Leave out a function around a value."""
    if isinstance(node, ast.Call) and node.args and source.code(node.func) in UNWRAPPED:
        yield source.code(node.args[0])


# Statements


@operator
def statement(node: ast.AST, source: Source) -> Texts:
    """Leave out a statement; a name that nothing else sets would only be missing."""
    if isinstance(node, ast.Expr):
        left_out = not isinstance(node.value, ast.Constant | ast.Yield)
    elif isinstance(node, ast.Assign):
        target, function = node.targets[0], source.function(node)
        set_twice = function and isinstance(target, ast.Name) and is_set_twice(target.id, function)
        left_out = bool(set_twice) or isinstance(target, ast.Attribute | ast.Subscript)
    else:
        left_out = isinstance(node, LEFT_OUT)
    if left_out:
        yield "pass"


def is_set_twice(name: str, function: Function) -> bool:
    """Tell whether a function sets a name in more than one place."""
    names = [n for n in ast.walk(function) if isinstance(n, ast.Name) and n.id == name]
    arguments = [a.arg for a in ast.walk(function) if isinstance(a, ast.arg)]
    return sum(isinstance(n.ctx, ast.Store) for n in names) > 1 or name in arguments


@operator
def field(node: ast.AST, source: Source) -> Texts:
    """Leave out a field of a class, or its default; let null through where it is refused."""
    if not isinstance(source.parent(node), ast.ClassDef):
        return
    if isinstance(node, ast.Assign):
        yield "pass"
    elif isinstance(node, ast.AnnAssign):
        yield "pass"
        declared, value = source.code(node.annotation), node.value
        target = source.code(node.target)
        if value is None:
            return
        if not isinstance(value, ast.Call):
            yield f"{target}: {declared}"
        optional = "None" in declared or source.parent(node).name in source.tables  # type: ignore[attr-defined]
        if "default=None" in source.code(value) and not optional:
            yield f"{target}: {declared} | None = {source.code(value)}"


@operator
def bounds(node: ast.AST, source: Source) -> Texts:
    """Leave out what Annotated adds to a type."""
    if not isinstance(node, ast.Subscript) or source.code(node.value) != "Annotated":
        return
    assert isinstance(node.slice, ast.Tuple)
    parts = [source.code(part) for part in node.slice.elts]
    for index in range(1, len(parts)):
        if not parts[index].startswith("Depends("):
            rest = ", ".join(without(parts, index))
            yield rest if len(parts) == 2 else f"Annotated[{rest}]"


@operator
def block(node: ast.AST, source: Source) -> Texts:
    """Run what stands in a `try` or a `with` without it."""
    if isinstance(node, ast.With | ast.AsyncWith):
        if any(item.optional_vars for item in node.items):
            return
        parts = [node.body]
    elif isinstance(node, ast.Try) and node.handlers:
        parts = [node.body, node.orelse]
    else:
        return
    indent = " " * parts[0][0].col_offset
    lines = [source.code(line) for part in parts for line in part]
    yield "if True:\n" + "\n".join(indent + line for line in lines)


@operator
def loop(node: ast.AST, source: Source) -> Texts:
    """Stop after the first, or leave it out."""
    parent = source.parent(node)
    if isinstance(parent, ast.For | ast.comprehension) and parent.iter is node:
        yield f"list({source.code(node)})[:1]"
        yield f"list({source.code(node)})[1:]"


@operator
def decorator(node: ast.AST, source: Source) -> Texts:
    """Leave out what changes a function; without its route a function is not found at all."""
    parent = source.parent(node)
    routes = ("get", "post", "put", "patch", "delete")
    if isinstance(parent, Function) and node in parent.decorator_list:
        yield from () if name_of(node) in routes else ("(lambda function: function)",)


@operator
def result(node: ast.AST, source: Source) -> Texts:
    """Return nothing."""
    if isinstance(node, ast.Return) and node.value is not None:
        yield "return None"


@operator
def early_commit(node: ast.AST, source: Source) -> Texts:
    """Commit in the middle of what belongs together."""
    function = source.function(node)
    if not isinstance(node, ast.Expr | ast.Assign) or function is None:
        return
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    code = source.code(node)
    if "session" not in code or any(word in code for word in NOT_WRITING):
        return
    if following(node, source).startswith(("session.commit", "await session.commit")):
        return
    if any(a.arg == "session" for a in ast.walk(function) if isinstance(a, ast.arg)):
        wait = "await " if isinstance(function, ast.AsyncFunctionDef) else ""
        yield f"{code}; {wait}session.commit()"


def following(node: ast.AST, source: Source) -> str:
    """Give the text of the statement after this one, or of the first one in a `try` or `with`."""
    parent = source.parent(node)
    for block in ("body", "orelse"):
        lines = getattr(parent, block, [])
        if node in lines[:-1]:
            after = lines[lines.index(node) + 1]
            while isinstance(after, ast.Try | ast.With):
                after = after.body[0]
            return source.code(after)
    return ""


def in_annotation(node: ast.AST, source: Source) -> bool:
    """Tell whether a node is part of a type and not of a call within one."""
    child = node
    for parent in source.ancestors(node):
        if isinstance(parent, ast.Call):
            return False
        if isinstance(parent, ast.AnnAssign):
            return parent.annotation is child
        if isinstance(parent, ast.arg):
            return True
        if isinstance(parent, Function):
            return parent.returns is child
        child = parent
    return False
