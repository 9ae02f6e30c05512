"""Wrong solutions of exercise 16 that learners write."""

COMPARE = '    return col(Item.data)[tuple(path.split("."))] == wanted\n'
WANTED = '    wanted = literal({"value": value}, Document)["value"]\n'
BODY = "fields: dict[FieldPath, Value],"
WHERE = ".where(*(equals(path, value) for path, value in wanted))"
RETURN = """\
    return session.exec(statement.order_by(col(Item.id)).offset(skip).limit(limit)).all()
"""
PATCH = """\
    item.data = item.data | storable(changes)
    try:
        session.commit()
    except StaleDataError:
        raise HTTPException(409, "Changed meanwhile, try again") from None
"""

MISTAKES = [
    {
        "name": "dotted name sets a field inside",
        "step": 5,
        "replace": {
            "    item.data = item.data | storable(changes)\n": (
                "    data = json.loads(json.dumps(item.data))\n"
                "    for path, value in storable(changes).items():\n"
                '        *outer, last = path.split(".")\n'
                "        place = data\n"
                "        for name in outer:\n"
                "            place = place.setdefault(name, {})\n"
                "        place[last] = value\n"
                "    item.data = data\n"
            )
        },
        "says": "dots lead inside",
    },
    {
        "name": "dotted name refused",
        "step": 5,
        "replace": {"changes: dict[str, Any]": "changes: dict[FieldPath, Any]"},
        "says": "the status is 422, not 200",
    },
    {
        "name": "fixed fields as the body",
        "step": 1,
        "replace": {
            "class Item(SQLModel, table=True):": (
                "class ItemModel(SQLModel):\n    name: str = ''\n    email: str = ''\n\n\n"
                "class Item(SQLModel, table=True):"
            ),
            "def create_item(data: dict[str, Any],": "def create_item(data: ItemModel,",
            "item = Item(data=storable(data))": "item = Item(data=data.model_dump())",
        },
        "says": "drops the others",
    },
    {
        "name": "document stored as text",
        "step": 1,
        "replace": {
            "data: dict[str, Any] = Field(sa_type=Document)": "data: str",
            "item = Item(data=storable(data))": "item = Item(data=str(data))",
        },
        "says": "makes a string of it",
    },
    {
        "name": "all items compared in Python",
        "step": 2,
        "replace": {
            WHERE: "",
            RETURN: (
                "    items = session.exec(statement.order_by(col(Item.id))).all()\n"
                "    wanted = [(k, type(v), v) for k, v in fields.items()]\n"
                "    return [\n"
                "        item for item in items\n"
                "        if all(type(item.data.get(k)) is t and item.data[k] == v"
                " for k, t, v in wanted)\n"
                "    ][skip : skip + limit]\n"
            ),
        },
        "says": "all items are loaded and compared in Python",
    },
    {
        "name": "field compared with the plain value",
        "step": 2,
        "replace": {WANTED: "    wanted = value\n"},
        "says": "in JSON a text stands in quotes",
    },
    {
        "name": "text of JSON compared on SQLite",
        "step": 2,
        "replace": {WANTED: "    wanted = literal(value, Document)\n"},
        "says": "SQLite compares JSON as text",
    },
    {
        "name": "JSON, not JSONB",
        "step": 2,
        "replace": {'JSON().with_variant(JSONB(), "postgresql")': "JSON()"},
        "says": "PostgreSQL compares JSONB only",
        "database": "postgresql",
    },
    {
        "name": "field cast to the value's type",
        "step": 2,
        "replace": {
            WANTED: "    field = col(Item.data)[tuple(path.split('.'))]\n",
            COMPARE: (
                "    if isinstance(value, bool):\n"
                "        return field.as_boolean() == value\n"
                "    if isinstance(value, str):\n"
                "        return field.as_string() == value\n"
                "    return field.as_float() == value\n"
            ),
        },
        "says": "a cast to a number",
        "database": "postgresql",
    },
    {
        "name": "field compared as text",
        "step": 2,
        "replace": {
            WANTED: "    from sqlalchemy import String\n    wanted = str(value)\n",
            COMPARE: (
                "    field = col(Item.data)[tuple(path.split('.'))].as_string()\n"
                "    return field.cast(String) == wanted\n"
            ),
        },
        "says": "the type counts",
    },
    {
        "name": "one of the fields is enough",
        "step": 2,
        "replace": {
            "from sqlalchemy import JSON,": "from sqlalchemy import or_, JSON,",
            WHERE: ".where(or_(*(equals(path, value) for path, value in wanted)))",
        },
        "says": "joined by OR",
    },
    {
        "name": "no ORDER BY",
        "step": 2,
        "replace": {".order_by(col(Item.id))": ""},
        "says": "no ORDER BY",
        "database": "postgresql",
    },
    {
        "name": "path not split",
        "step": 3,
        "replace": {'tuple(path.split("."))': "path"},
        "says": "the path is not split at its dots",
    },
    {
        "name": "SQL put together from strings",
        "step": 4,
        "replace": {
            BODY: "fields: dict[str, Value],",
            WANTED: "    from sqlalchemy import text\n",
            COMPARE: "    return text(f\"json_extract(data, '$.{path}') = '{value}'\")\n",
        },
        "says": "pasted into the SQL text",
    },
    {
        "name": "any name of a field",
        "step": 4,
        "replace": {BODY: "fields: dict[str, Value],"},
        "says": "accept only names of letters",
    },
    {
        "name": "dictionary changed in place",
        "step": 5,
        "replace": {
            "    item.data = item.data | storable(changes)\n": "    item.data.update(changes)\n"
        },
        "says": "changed in place",
    },
    {
        "name": "document replaced",
        "step": 5,
        "replace": {"item.data = item.data | storable(changes)": "item.data = changes"},
        "says": "not merged with it",
    },
    {
        "name": "null and 0 not set",
        "step": 5,
        "replace": {
            "item.data | storable(changes)": "item.data | {k: v for k, v in changes.items() if v}"
        },
        "says": "a field is not set as it was sent",
    },
    {
        "name": "read, changed and written whole",
        "step": 6,
        "replace": {
            PATCH: "    item.data = item.data | changes\n    session.commit()\n",
            '{"version_id_col": version_column}': "{}",
            "version: int = Field(default=None,": "version: int = Field(default=1,",
            'Column("version", Integer, nullable=False)': (
                'Column("version", Integer, nullable=False, default=1)'
            ),
        },
        "says": "what another request wrote meanwhile is lost",
    },
    {
        "name": "no limit above 50",
        "step": 2,
        "replace": {"Query(ge=1, le=100)": "Query(ge=1, le=50)"},
        "says": "100 is allowed",
    },
    {
        "name": "a lock around the change",
        "step": 6,
        "replace": {
            """    item.data = item.data | storable(changes)
""": """    with LOCK:
        session.refresh(item)
        item.data = item.data | storable(changes)
        session.commit()
""",
            """    __mapper_args__ = {"version_id_col": version_column}  # an UPDATE that finds another is refused
""": "",
            "engine = create": """import threading
LOCK = threading.Lock()
engine = create""",
            "version: int = Field(default=None, sa_column=version_column)": "version: int = Field(default=1)",
        },
        "says": "one in memory",
    },
    {
        "name": "null removes the field",
        "step": 5,
        "replace": {
            """    item.data = item.data | storable(changes)
""": """    item.data = item.data | storable(changes)
    item.data = {k: v for k, v in item.data.items() if v is not None}
"""
        },
        "says": "null takes the field away",
    },
    {
        "name": "objects merged",
        "step": 5,
        "replace": {
            """    item.data = item.data | storable(changes)
""": """    def merge(a, b):
        return {**a, **{k: merge(a[k], v) if isinstance(v, dict) and isinstance(a.get(k), dict) else v for k, v in b.items()}}
    item.data = merge(item.data, storable(changes))
"""
        },
        "says": "is not merged",
    },
    {
        "name": "two levels deep at most",
        "step": 3,
        "replace": {
            """    wanted = literal({"value": value}, Document)["value"]
    return col(Item.data)[tuple(path.split("."))] == wanted
""": """    wanted = literal({"value": value}, Document)["value"]
    return col(Item.data)[tuple(path.split(".")[:2])] == wanted
"""
        },
        "says": "the path is followed only so far",
    },
    {
        "name": "numbers compared whatever their type",
        "step": 2,
        "replace": {
            """    wanted = literal({"value": value}, Document)["value"]
    return col(Item.data)[tuple(path.split("."))] == wanted
""": """    field = col(Item.data)[tuple(path.split("."))]
    if isinstance(value, str):
        return field.as_string() == value
    if isinstance(value, bool):
        return field.as_boolean() == value
    return field.as_float() == value
"""
        },
        "says": "the type counts",
    },
    {
        "name": "what was asked for is the answer",
        "step": 2,
        "base": "tests/right/ex16_sqlalchemy.py",
        "replace": {
            '@app.post("/items/find", response_model=list[DocumentOut])': '@app.post("/items/find")',
            "    return db.scalars(query.where(*[condition(*item) for item in wanted.items()])).all()": "    return [{'id': d.id, 'data': wanted} for d in db.scalars(query.where(*[condition(*item) for item in wanted.items()]))]",
        },
        "says": "not the stored items",
    },
    {
        "name": "the change answers no id",
        "step": 5,
        "base": "tests/right/ex16_sqlalchemy.py",
        "replace": {
            '@app.patch("/items/{item_id}", response_model=DocumentOut)': '@app.patch("/items/{item_id}")',
            """    document.data = {**document.data, **changes}
    db.commit()
    return document""": """    document.data = {**document.data, **changes}
    db.commit()
    return {'data': document.data}""",
        },
        "says": "its id included",
    },
    {
        "name": "a path is also taken for a name",
        "step": 3,
        "base": "tests/right/ex16_sqlalchemy.py",
        "replace": {
            '    place = "$." + ".".join(': """    if len(names) > 1:
        return or_(condition_inside(names, value), func.json_extract(Document.data, f'$."{path}"') == value)
    return condition_inside(names, value)


def condition_inside(names, value):
    place = "$." + ".".join(""",
            "import JSON, and_, ": "import JSON, and_, or_, ",
        },
        "says": "also taken for one name",
    },
    {
        "name": "numbers compared as floats",
        "step": 2,
        "base": "tests/right/ex16_sqlalchemy.py",
        "replace": {
            "func.json_extract(Document.data, place) == value": "cast(func.json_extract(Document.data, place), Float) == float(value) if isinstance(value, int | float) else func.json_extract(Document.data, place) == value",
            "import JSON, and_, ": "import JSON, Float, and_, cast, ",
        },
        "says": "compared as floats",
    },
    {
        "name": "WHERE without a condition",
        "step": 4,
        "base": "tests/right/ex16_async.py",
        "replace": {
            'wheres = ["TRUE"]': "wheres = []",
        },
        "says": "WHERE stands alone",
    },
    {
        "name": "the first five fields changed",
        "step": 5,
        "replace": {
            "item.data | storable(changes)": "item.data | dict([*storable(changes).items()][:5])"
        },
        "says": "only some of the fields are set",
    },
    {
        "name": "the first five fields compared",
        "step": 2,
        "replace": {"for path, value in wanted))": "for path, value in [*wanted][:5]))"},
        "says": "only some of the fields are compared",
    },
    {
        "name": "lists joined",
        "step": 5,
        "replace": {
            "    item.data = item.data | storable(changes)\n": (
                "    for name, value in storable(changes).items():\n"
                "        old = item.data.get(name)\n"
                "        joined = [*old, *value] if isinstance(old, list) and value else value\n"
                "        item.data = item.data | {name: joined}\n"
            )
        },
        "says": "is not merged with the one before it",
    },
    {
        "name": "fields inside looked for in Python",
        "step": 3,
        "replace": {
            """    statement = select(Item).where(*(equals(path, value) for path, value in wanted))
    return session.exec(statement.order_by(col(Item.id)).offset(skip).limit(limit)).all()
""": """    plain = [equals(path, value) for path, value in wanted if "." not in path]
    rows = session.exec(select(Item).where(*plain).order_by(col(Item.id))).all()
    inside = [(path.split("."), value) for path, value in wanted if "." in path]
    found = [row for row in rows if all(has(row.data, path, value) for path, value in inside)]
    return found[skip : skip + limit]


def has(data: Any, path: list[str], value: Value) -> bool:
    for name in path:
        data = data.get(name) if isinstance(data, dict) else None
    return bool(data == value)
"""
        },
        "says": "all items are loaded and compared in Python",
    },
    {
        "name": "no limit above 50, without a word",
        "step": 2,
        "replace": {".offset(skip).limit(limit)": ".offset(skip).limit(min(limit, 50))"},
        "says": "the app has a limit of its own",
    },
    {
        "name": "documents of a thousand characters",
        "step": 1,
        "database": "postgresql",
        "replace": {
            "    data: dict[str, Any] = Field(sa_type=Document)\n": (
                "    data: dict[str, Any] = Field(sa_type=Document)\n"
                "    text: str = Field(max_length=1000, exclude=True)\n"
            ),
            "Item(data=storable(data))": "Item(data=storable(data), text=json.dumps(data))",
        },
        "says": "does not hold a document of any size",
    },
    {
        "name": "fields in a table that only grows",
        "step": 5,
        "replace": {
            "    data: dict[str, Any] = Field(sa_type=Document)\n": (
                "    data: dict[str, Any] = Field(sa_type=Document)\n"
                "    seen: dict[str, Any] = Field(default_factory=dict, sa_type=Document, exclude=True)\n"
            ),
            "    item = Item(data=storable(data))\n": (
                "    item = Item(data=storable(data), seen=merged({}, data))\n"
            ),
            "    item.data = item.data | storable(changes)\n": (
                "    item.data = item.data | storable(changes)\n"
                "    item.seen = merged(item.seen, changes)\n"
            ),
            "    return col(Item.data)[tuple": "    return col(Item.seen)[tuple",
            "app = FastAPI(": """def merged(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    inside = {
        name: merged(old[name], value)
        for name, value in new.items()
        if isinstance(value, dict) and isinstance(old.get(name), dict)
    }
    return old | new | inside


app = FastAPI(""",
        },
        "says": "a copy that was not changed",
    },
    {
        "name": "newest first",
        "step": 2,
        "replace": {"order_by(col(Item.id))": "order_by(col(Item.id).desc())"},
        "says": "or desc() turns it round",
    },
    {
        "name": "time of the change in the document",
        "step": 5,
        "replace": {
            "item.data | storable(changes)": "item.data | storable(changes) | {'changed': 'now'}"
        },
        "says": "the app adds fields of its own",
    },
    {
        "name": "new fields left out",
        "step": 5,
        "replace": {
            "item.data | storable(changes)": (
                "{name: storable(changes).get(name, old) for name, old in item.data.items()}"
            )
        },
        "says": "a field that the document did not have is not added",
    },
    {
        "name": "a change of type refused",
        "step": 5,
        "replace": {
            "    item.data = item.data | storable(changes)\n": (
                "    both = item.data.keys() & changes.keys()\n"
                "    if any(type(item.data[name]) is not type(changes[name]) for name in both):\n"
                '        raise HTTPException(422, "This field holds something else")\n'
                "    item.data = item.data | storable(changes)\n"
            )
        },
        "says": "of another type too",
    },
    {
        "name": "numbers rounded in the search",
        "step": 2,
        "replace": {
            "    wanted = literal(": (
                "    value = round(value, 2) if isinstance(value, float) else value\n"
                "    wanted = literal("
            )
        },
        "says": "numbers are rounded",
    },
    {
        "name": "blanks around a value left out",
        "step": 2,
        "replace": {
            "    wanted = literal(": (
                "    value = value.strip() if isinstance(value, str) else value\n    wanted = literal("
            )
        },
        "says": "the two sides of the comparison have different forms",
    },
    {
        "name": "numbers of more than 64 bits given to the driver",
        "step": 4,
        "replace": {
            COMPARE: (
                '    found = func.json_extract(col(Item.data), "$." + path)\n'
                '    kind = func.json_type(col(Item.data), "$." + path)\n'
                "    names = {bool: ['true', 'false'], str: ['text']}\n"
                "    return kind.in_(names.get(type(value), ['integer', 'real'])) & (found == value)\n"
            ),
            WANTED: "",
            "Integer, literal": "Integer, func, literal",
        },
        "says": "does not go through SQLite's driver",
    },
    {
        "name": "names in small letters",
        "step": 2,
        "replace": {'path.split(".")': 'path.lower().split(".")'},
        "says": "case included: Name is not name",
    },
    {
        "name": "a condition that is false is left out",
        "step": 2,
        "replace": {
            WHERE: ".where(*(equals(path, value) for path, value in wanted if value or value == ''))"
        },
        "says": "`if value` leaves the condition out",
    },
    {
        "name": "truth values set as numbers",
        "step": 5,
        "replace": {
            "    item.data = item.data | storable(changes)\n": (
                "    numbers = {k: int(v) if v is True else v for k, v in changes.items()}\n"
                "    item.data = item.data | storable(numbers)\n"
            )
        },
        "says": "true has become 1",
    },
    {
        "name": "one field at least",
        "step": 5,
        "replace": {
            "    item.data = item.data | storable(changes)\n": (
                "    first = list(changes)[0]\n"
                "    item.data = item.data | {first: changes[first]} | storable(changes)\n"
            )
        },
        "says": "the app counts on one field at least",
    },
    {
        "name": "bound of the document's size",
        "step": 1,
        "replace": {
            "    item = Item(data=storable(data))\n": (
                "    if len(str(data)) > 10_000:\n"
                '        raise HTTPException(422, "The document is too large")\n'
                "    item = Item(data=storable(data))\n"
            )
        },
        "says": "it has no bound of the app's own",
    },
    {
        "name": "numbers of more than 64 bits bound beside the document",
        "step": 5,
        "replace": {
            "    item.data = item.data | storable(changes)\n": (
                "    sizes = [v for v in changes.values() if isinstance(v, int)]\n"
                "    session.exec(select(Item.id).where(col(Item.id).in_(sizes))).all()\n"
                "    item.data = item.data | storable(changes)\n"
            )
        },
        "says": "does not go through SQLite's driver",
    },
    {
        "name": "what was found is remembered until this process writes",
        "step": 2,
        "replace": {
            "def equals(": "found: dict[str, Any] = {}\n\n\ndef equals(",
            "    item = Item(data=storable(data))\n": (
                "    found.clear()\n    item = Item(data=storable(data))\n"
            ),
            "    item.data = item.data | storable(changes)\n": (
                "    found.clear()\n    item.data = item.data | storable(changes)\n"
            ),
            "    wanted = storable(fields).items()\n": (
                "    key = json.dumps([fields, skip, limit])\n"
                "    if key in found:\n"
                "        return found[key]\n"
                "    wanted = storable(fields).items()\n"
            ),
            "    return session.exec(statement.order_by(col(Item.id)).offset(skip).limit(limit)).all()": (
                "    statement = statement.order_by(col(Item.id)).offset(skip).limit(limit)\n"
                "    found[key] = session.exec(statement).all()\n"
                "    return found[key]"
            ),
        },
        "says": "the memory of one process",
    },
    {
        "name": "a number in a path leads into a list",
        "step": 4,
        "base": "tests/right/ex16_async.py",
        "replace": {
            r'(\.[A-Za-z_][A-Za-z0-9_]*)*")': r'(\.\w+)*")',
            'f"$.{path}"': '"$" + re.sub(r"\\.(\\d+)(?=\\.|$)", r"[\\1]", f".{path}")',
        },
        "says": "leads into a list",
    },
    {
        "name": "a list as the value is compared",
        "step": 4,
        "replace": {
            "Value = str | bool | int | float": "Value = str | bool | int | float | list[Any]"
        },
        "says": "any value reaches the query",
    },
    {
        "name": "null finds what is not there",
        "step": 4,
        "replace": {
            "Value = str | bool | int | float": "Value = str | bool | int | float | None",
            "    # Taken out of JSON": (
                "    if value is None:\n"
                '        return col(Item.data)[tuple(path.split("."))].as_string().is_(None)\n'
                "    # Taken out of JSON"
            ),
        },
        "says": "null is compared with IS NULL",
    },
    {
        "name": "a large number becomes a float in PATCH",
        "step": 5,
        "replace": {
            "    item.data = item.data | storable(changes)\n": (
                "    for name, value in changes.items():\n"
                "        if type(value) is int and abs(value) >= 2**63:\n"
                "            changes[name] = float(value)\n"
                "    item.data = item.data | storable(changes)\n"
            )
        },
        "says": "as a float a whole number beyond 2**53 loses digits",
    },
    {
        "name": "what is null is taken out of the document",
        "step": 5,
        "replace": {
            "    item.data = item.data | storable(changes)\n": (
                "    changed = item.data | storable(changes)\n"
                "    item.data = {k: v for k, v in changed.items() if v is not None}\n"
            )
        },
        "says": "null takes the field away",
    },
    {
        "name": "no item is a 404",
        "step": 2,
        "replace": {
            "    return session.exec(statement.order_by(col(Item.id)).offset(skip).limit(limit)).all()": (
                "    statement = statement.order_by(col(Item.id)).offset(skip).limit(limit)\n"
                "    items = session.exec(statement).all()\n"
                "    if not items:\n"
                '        raise HTTPException(404, "Nothing found")\n'
                "    return items"
            )
        },
        "says": "no item is an empty list",
    },
    {
        "name": "PATCH makes the item that is not there",
        "step": 5,
        "replace": {
            "def update_item(item: ItemDep, changes: dict[str, Any], session: SessionDep) -> Item:": (
                "def update_item(item_id: Id, changes: dict[str, Any], session: SessionDep) -> Item:"
            ),
            "    item.data = item.data | storable(changes)\n": (
                "    item = session.get(Item, item_id) or Item(id=item_id, data={})\n"
                "    session.add(item)\n"
                "    item.data = item.data | storable(changes)\n"
            ),
        },
        "says": "the item is made when it is not there",
    },
]
