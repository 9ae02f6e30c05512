SQLA="tests/right/ex16_sqlalchemy.py"; AS="tests/right/ex16_async.py"
def w(name, replace, base=None):
    d={"name":name,"replace":replace}
    if base: d["base"]=base
    return d
EQ='''    return col(Item.data)[tuple(path.split("."))] == wanted
'''
FIND='''    return session.exec(statement.order_by(col(Item.id)).offset(skip).limit(limit)).all()
'''
COND='''        func.json_type(Document.data, place).in_(types),
        func.json_extract(Document.data, place) == value,
'''
PATCH='''    item.data = item.data | storable(changes)
'''
TRIALS=[
 w("LIKE prefilter + python", {"    wanted = storable(fields).items()\n    statement = select(Item).where(*(equals(path, value) for path, value in wanted))\n": "    wanted = storable(fields)\n    statement = select(Item)\n    for value in wanted.values():\n        statement = statement.where(func.cast(Item.data, String).contains(json.dumps(value), autoescape=True))\n", FIND: "    def get(data, path):\n        for name in path.split('.'):\n            data = data.get(name) if isinstance(data, dict) else None\n        return data\n    rows = session.exec(statement.order_by(col(Item.id))).all()\n    return [r for r in rows if all(get(r.data, p) == v and isinstance(get(r.data, p), type(v)) for p, v in wanted.items())][skip : skip + limit]\n", "ColumnElement, Integer": "ColumnElement, String, Integer", "create_engine, select":"create_engine, func, select"}),
 w("cut in python", {FIND: "    return session.exec(statement.order_by(col(Item.id))).all()[skip : skip + limit]\n"}),
 w("sqla type ignored", {"        func.json_type(Document.data, place).in_(types),\n": ""}, SQLA),
 w("sqla like", {"func.json_extract(Document.data, place) == value": "func.json_extract(Document.data, place).like(value)"}, SQLA),
 w("sqla nocase", {"func.json_extract(Document.data, place) == value": "func.lower(func.json_extract(Document.data, place)) == (value.lower() if isinstance(value, str) else value)"}, SQLA),
 w("sqla only last name", {"names = path.split(\".\")": "names = path.split(\".\")[-2:]"}, SQLA),
 w("sqla unquoted any name", {"    if not all(map(is_name, names)):\n        raise HTTPException(422, \"There can be no field of this name\")\n": "", """'"{name}"' for name""": "f'{name}' for name"} if False else {"    if not all(map(is_name, names)):\n        raise HTTPException(422, \"There can be no field of this name\")\n": ""}, SQLA),
 w("sqla no lock", {"    def lock_at_the_begin(connection):\n        connection.exec_driver_sql(\"BEGIN IMMEDIATE\")": "    def lock_at_the_begin(connection):\n        connection.exec_driver_sql(\"BEGIN\")"}, SQLA),
 w("sqla threading lock", {"    def lock_at_the_begin(connection):\n        connection.exec_driver_sql(\"BEGIN IMMEDIATE\")": "    def lock_at_the_begin(connection):\n        connection.exec_driver_sql(\"BEGIN\")", "    document = db.get(Document, item_id, with_for_update=True)\n    if document is None:\n        raise HTTPException(404, \"No such document\")\n    document.data = {**document.data, **changes}\n    db.commit()\n    return document": "    with LOCK:\n        document = db.get(Document, item_id)\n        if document is None:\n            raise HTTPException(404, \"No such document\")\n        document.data = {**document.data, **changes}\n        db.commit()\n        return document", "app = FastAPI()": "import threading\nLOCK = threading.Lock()\napp = FastAPI()"}, SQLA),
 w("async no version", {" AND version = :version RETURNING": " RETURNING"}, AS),
 w("async asyncio lock", {" AND version = :version RETURNING": " RETURNING", "    async with engine.connect() as connection:\n        row = await find_row(connection, item_id)\n        data = answer(row)[\"data\"] | changes\n    values = {\"id\": item_id, \"version\": row.version, \"data\": json.dumps(data)}\n    async with engine.begin() as connection:\n        if done": "    async with LOCK, engine.begin() as connection:\n        row = await find_row(connection, item_id)\n        data = answer(row)[\"data\"] | changes\n        values = {\"id\": item_id, \"version\": row.version, \"data\": json.dumps(data)}\n        if done", "app = FastAPI(lifespan=lifespan)":"import asyncio\nLOCK = asyncio.Lock()\napp = FastAPI(lifespan=lifespan)"}, AS),
 w("json_patch", {"SET data = :data, version": "SET data = json_patch(data, :data), version", '''answer(row)["data"] | changes''': "changes"}, AS),
 w("async update without where", {"WHERE id = :id AND version = :version RETURNING": "WHERE version = :version RETURNING"}, AS),
 w("async fstring value", {"json(:v{number})\")": "json('{json.dumps(value, ensure_ascii=False)}')\")"}, AS),
 w("async compare text", {"json_quote(json_extract(data, :p{number})) = json(:v{number})": "json_extract(data, :p{number}) = :v{number}", "values[f\"v{number}\"] = json.dumps(value, ensure_ascii=False)": "values[f\"v{number}\"] = str(value)"}, AS),
 w("async array allowed", {"            wheres.append(f\"json_type(data, :p{number}) NOT IN ('array', 'object')\")\n": ""}, AS),
 w("bool to int when patched", {PATCH: "    item.data = item.data | {k: int(v) if isinstance(v, bool) else v for k, v in storable(changes).items()}\n"}),
 w("patch any", {"changes: dict[str, Any], session": "changes: Any, session", PATCH: "    item.data = item.data | dict(changes)\n"}),
 w("patch drops empty", {PATCH: "    item.data = item.data | {k: v for k, v in storable(changes).items() if v not in ('', [], {})}\n"}),
 w("cache get", {"    item = session.get(Item, item_id)\n    if item is None:\n        raise": "    item = CACHE.get(item_id) or session.get(Item, item_id)\n    if item is None:\n        raise", "def read_item(item: ItemDep) -> Item:\n    \"\"\"Read one document.\"\"\"\n    return item": "def read_item(item_id: Id, session: SessionDep) -> dict[str, Any]:\n    \"\"\"Read one document.\"\"\"\n    if item_id not in CACHE:\n        item = get_item(item_id, session)\n        CACHE[item_id] = {'id': item.id, 'data': item.data}\n    return CACHE[item_id]", "MAX_INTEGER = 2": "CACHE = {}\nMAX_INTEGER = 2"}) ,
 w("list accepted", {"def create_item(data: dict[str, Any], ": "def create_item(data: dict[str, Any] | list[dict[str, Any]], ", "item = Item(data=storable(data))": "item = Item(data=storable(data if isinstance(data, dict) else {}))"}),
 w("texts parsed", {"item = Item(data=storable(data))": "item = Item(data={k: json.loads(v) if isinstance(v, str) and v[:1] in '[{' else v for k, v in storable(data).items()})"}),
 w("stringified keys/values nested", {"item = Item(data=storable(data))": "item = Item(data={k: v if not isinstance(v, float) else round(v, 6) for k, v in storable(data).items()})"}),
 w("null dropped", {"item = Item(data=storable(data))": "item = Item(data={k: v for k, v in storable(data).items() if v is not None})"}),
 w("first two fields only", {"for path, value in wanted)": "for path, value in list(wanted)[:1])"}),
 w("order desc", {"order_by(col(Item.id))": "order_by(col(Item.id).desc())"}),
 w("order version", {"order_by(col(Item.id))": "order_by(col(Item.version), col(Item.id))"}),
 w("skip ignored", {".offset(skip)": ""}),
 w("find returns ids of python scan", {FIND: "    rows = session.exec(select(Item).where(col(Item.id) > 0)).all()\n    ids = {i for i in session.exec(select(Item.id).where(*(equals(path, value) for path, value in wanted)))}\n    return [r for r in rows if r.id in ids][skip : skip + limit]\n"}),
 w("retry in process w/o version", {"    __mapper_args__ = {\"version_id_col\": version_column}  # an UPDATE that finds another is refused\n": "", "version: int = Field(default=None,": "version: int = Field(default=1,", }),
]
