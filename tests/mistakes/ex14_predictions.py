"""Wrong solutions of exercise 14 that learners write."""

STATS = """    summary = summary.group_by(call.model_version).order_by(call.model_version)
    return session.exec(summary).all()
"""
LIST = """        calls = calls.order_by(col(Prediction.id).desc()).limit(last)
    call ="""

VERSION = """        statement = statement.where(Prediction.model_version == model_version)
"""
CACHED = {
    "MAX_INTEGER = 2": "CACHE: dict[Any, Any] = {}\nMAX_INTEGER = 2",
    "    calls = select(Prediction.model_version, Prediction.error": (
        "    key = (model_version, last)\n    if key in CACHE:\n        return CACHE[key]\n"
        "    calls = select(Prediction.model_version, Prediction.error"
    ),
    STATS: STATS.replace("return ", "CACHE[key] = ") + "    return CACHE[key]\n",
    "    session.add(prediction)": "    CACHE.clear()\n    session.add(prediction)",
}
IN_PYTHON = """    session.exec(select(func.count(col(Prediction.id)))).all()
    rows = session.exec(calls).all()
    answer = []
    for name in {row[0] for row in rows}:
        own = [row for row in rows if row[0] == name]
        failed = sum(row[1] is not None for row in own)
        answer.append(
            VersionStats(
                model_version=name,
                total=len(own),
                errors=failed,
                error_rate=failed / len(own),
                avg_latency_ms=sum(row[2] for row in own) / len(own),
            )
        )
    return answer
"""
SQLALCHEMY = "tests/right/ex14_sqlalchemy.py"
RAW_SQL = "tests/right/ex14_raw_sql.py"

MISTAKES = [
    {
        "name": "empty error beside a result taken for nothing",
        "step": 2,
        "replace": {
            "(self.result is None) == (self.error is None)": "(self.result is None) == (not self.error)"
        },
        "says": "takes 0 and what is empty for nothing",
    },
    {
        "name": "empty error not counted",
        "step": 4,
        "replace": {"func.count(call.error)": 'func.count(func.nullif(call.error, ""))'},
        "says": "an empty text is taken for no error",
    },
    {
        "name": "input as text",
        "step": 1,
        "replace": {
            """    id: int = Field(default=None, primary_key=True)
    #""": """    id: int = Field(default=None, primary_key=True)
    input_data: str
    #""",
            "prediction = Prediction.model_validate(data)": (
                "prediction = Prediction(**data.model_dump())\n"
                "    prediction.input_data = str(data.input_data)"
            ),
        },
        "says": "Python's text for a dict is not JSON",
    },
    {
        "name": "no commit",
        "step": 1,
        "replace": {"    session.commit()\n": "    session.flush()\n"},
        "says": "no session.commit()",
    },
    {
        "name": "table class as body",
        "step": 1,
        "replace": {
            "(data: PredictionCreate,": "(data: Prediction,",
            "prediction = Prediction.model_validate(data)": "prediction = data",
        },
        "says": "table class is the request body",
    },
    {
        "name": "time of the start",
        "step": 1,
        "replace": {"default_factory=lambda: datetime.now(UTC)": "default=datetime.now(UTC)"},
        "says": "computed once, at the start",
    },
    {
        "name": "0 and false taken for no result",
        "step": 2,
        "replace": {
            "if (self.result is None) == (self.error is None):": (
                "if bool(self.result) == bool(self.error):"
            )
        },
        "says": "takes 0, false and what is empty for nothing",
    },
    {
        "name": "neither result nor error",
        "step": 2,
        "replace": {
            "if (self.result is None) == (self.error is None):": (
                "if self.result is not None and self.error is not None:"
            )
        },
        "says": "nobody compares the two fields",
    },
    {
        "name": "failed=false not seen",
        "step": 3,
        "replace": {
            "    if failed is not None:\n": "    if failed:\n",
        },
        "says": "`if failed:` leaves failed=false out",
    },
    {
        "name": "filtered after the limit",
        "step": 3,
        "replace": {
            "        statement = statement.where(col(Prediction.error).is_not(None) == failed)\n": (
                "        rows = session.exec(statement.offset(skip).limit(limit)).all()\n"
                "        return [row for row in rows if (row.error is not None) == failed]\n"
            )
        },
        "says": "in Python, after the limit",
    },
    {
        "name": "oldest first",
        "step": 3,
        "replace": {
            "select(Prediction).order_by(col(Prediction.id).desc())": (
                "select(Prediction).order_by(col(Prediction.id))"
            )
        },
        "says": "without desc()",
    },
    {
        "name": "division of whole numbers",
        "step": 4,
        "replace": {"(errors / total)": "(errors // total)"},
        "says": "whole numbers were divided",
    },
    {
        "name": "errors counted as IS NULL of a JSON column",
        "step": 4,
        "replace": {
            "JSON(none_as_null=True)": "JSON",
            "from sqlmodel import Field": "from sqlalchemy import case\nfrom sqlmodel import Field",
            "select(Prediction.model_version, Prediction.error, Prediction.latency_ms)": (
                "select(Prediction.model_version, Prediction.latency_ms,"
                " case((col(Prediction.result).is_(None), 1)).label('error'))"
            ),
        },
        "says": "IS NULL does not find",
    },
    {
        "name": "computed in Python",
        "step": 4,
        "replace": {
            STATS: """    rows: dict[str, list[Prediction]] = {}
    for row in session.exec(select(Prediction)):
        if model_version in (None, row.model_version):
            rows.setdefault(row.model_version, []).append(row)
    return [
        {
            "model_version": version,
            "total": len(calls),
            "errors": sum(call.error is not None for call in calls),
            "error_rate": sum(call.error is not None for call in calls) / len(calls),
            "avg_latency_ms": sum(call.latency_ms for call in calls) / len(calls),
        }
        for version, calls in rows.items()
    ]
"""
        },
        "says": "the numbers are computed in Python",
    },
    {
        "name": "one statement for each version",
        "step": 4,
        "replace": {
            STATS: """    summary = summary.group_by(call.model_version)
    versions = session.exec(select(call.model_version).distinct()).all()
    return [session.exec(summary.where(call.model_version == name)).first() for name in versions]
"""
        },
        "says": "N+1",
    },
    {
        "name": "stats below the route with an id",
        "step": 4,
        "replace": {
            '@app.get("/predictions/stats", response_model=list[VersionStats])\n': "",
            '"Prediction not found")\n    return prediction\n': (
                '"Prediction not found")\n    return prediction\n\n\n'
                'app.get("/predictions/stats", response_model=list[VersionStats])(read_stats)\n'
            ),
        },
        "says": "move it above",
    },
    {
        "name": "limit of the groups",
        "step": 5,
        "replace": {
            LIST: "        calls = calls.order_by(col(Prediction.id).desc())\n    call =",
            "order_by(call.model_version)": "order_by(call.model_version).limit(last)",
        },
        "says": "cuts the groups",
    },
    {
        "name": "versions compared with startswith()",
        "step": 3,
        "replace": {
            VERSION: VERSION.replace(
                "Prediction.model_version == model_version",
                "col(Prediction.model_version).startswith(model_version)",
            )
        },
        "says": "the versions are compared with LIKE",
    },
    {
        "name": "version LIKE",
        "step": 3,
        "base": SQLALCHEMY,
        "replace": {
            "PredictionModel.model_version == model_version)\n    if failed is True": (
                "PredictionModel.model_version.like(model_version))\n    if failed is True"
            )
        },
        "says": "the versions are compared with LIKE",
    },
    {
        "name": "list cut in Python",
        "step": 3,
        "replace": {
            "session.exec(statement.offset(skip).limit(limit)).all()": (
                "session.exec(statement).all()[skip : skip + limit]"
            )
        },
        "says": "all are loaded, and filtered or cut in Python",
    },
    {
        "name": "latency above, not from",
        "step": 3,
        "replace": {"latency_ms >= min_latency_ms": "latency_ms > min_latency_ms"},
        "says": "the latency is not compared with `>=`",
    },
    {
        "name": "one filter, not both",
        "step": 3,
        "replace": {"    if min_latency_ms is not None:": "    elif min_latency_ms is not None:"},
        "says": "min_latency_ms=50&failed=false",
    },
    {
        "name": "both an error and a result that is 0",
        "step": 2,
        "replace": {
            "if (self.result is None) == (self.error is None):": (
                "if self.result is self.error is None or (self.result and self.error):"
            )
        },
        "says": "with `if result`, which takes 0",
    },
    {
        "name": "truth of the outcomes",
        "step": 2,
        "base": SQLALCHEMY,
        "replace": {"if value is not None]": "if value]"},
        "says": "takes 0, false and what is empty for nothing",
    },
    {
        "name": "time made for each answer",
        "step": 1,
        "replace": {
            "    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC))": (
                "    @computed_field\n    @property\n    def created_at(self) -> datetime:\n"
                "        return datetime.now(UTC)"
            ),
            "from pydantic import": "from pydantic import computed_field,",
        },
        "says": "made for each answer",
    },
    {
        "name": "empty input refused",
        "step": 1,
        "replace": {
            "        if (self.result is None)": (
                "        if not self.input_data:\n            raise ValueError('no input')\n"
                "        if (self.result is None)"
            )
        },
        "says": "the bound itself is allowed",
    },
    {
        "name": "text that looks like JSON read as JSON",
        "step": 2,
        "replace": {
            "    prediction = Prediction.model_validate(data)": (
                "    if isinstance(data.result, str) and data.result[:1] in 'n{':\n"
                "        data.result = json.loads(data.result or '[]')\n"
                "    prediction = Prediction.model_validate(data)"
            ),
            "import os\n": "import json\nimport os\n",
        },
        "says": "a text that looks like JSON was read as JSON",
    },
    {
        "name": "JSON answered as text",
        "step": 1,
        "base": RAW_SQL,
        "replace": {"json.loads(answer[name])": "answer[name]"},
        "says": "Give the column the type JSON",
    },
    {
        "name": "numbers in a cache",
        "step": 4,
        "replace": CACHED,
        "says": "from the memory of one process",
    },
    {
        "name": "numbers computed in Python beside a count",
        "step": 4,
        "replace": {STATS: IN_PYTHON},
        "says": "the numbers are computed in Python",
    },
    {
        "name": "ten versions at most",
        "step": 4,
        "replace": {"order_by(call.model_version)": "order_by(call.model_version).limit(10)"},
        "says": "or the list has a limit",
    },
    {
        "name": "average of the calls without an error",
        "step": 4,
        "replace": {
            "func.avg(call.latency_ms)": (
                "func.coalesce(func.avg(call.latency_ms).filter(call.error.is_(None)), 0)"
            )
        },
        "says": "the average leaves out the failures",
    },
    {
        "name": "whole numbers divided by hand",
        "step": 4,
        "base": RAW_SQL,
        "replace": {"1.0 * COUNT(error)": "COUNT(error)"},
        "says": "whole numbers were divided",
    },
    {
        "name": "some calls in place of the newest",
        "step": 5,
        "base": RAW_SQL,
        "replace": {"ORDER BY id DESC LIMIT :last": "LIMIT :last"},
        "says": "other calls were summed up",
    },
    {
        "name": "another limit by default",
        "step": 3,
        "replace": {"Query(ge=1, le=100)] = 10": "Query(ge=1, le=100)] = 20"},
        "says": "10 when it is not given",
    },
    {
        "name": "error rate rounded to one digit",
        "step": 4,
        "replace": {"(errors / total).label": "func.round(errors / total, 1).label"},
        "says": "whole numbers were divided",
    },
    {
        "name": "statistics kept in a dictionary",
        "step": 4,
        "replace": {
            "    return session.exec(summary).all()": """    key = (model_version, last)
    if key not in CACHE:
        CACHE[key] = session.exec(summary).all()
    return CACHE[key]""",
            "app = FastAPI": """CACHE: dict = {}
app = FastAPI""",
        },
        "says": "the memory of one process",
    },
    {
        "name": "a text that looks like JSON is parsed",
        "step": 2,
        "replace": {
            """    prediction = Prediction.model_validate(data)
""": """    import json
    if isinstance(data.result, str) and data.result[:1] in ('{', '['):
        data.result = json.loads(data.result)
    prediction = Prediction.model_validate(data)
"""
        },
        "says": "read as JSON",
    },
    {
        "name": "the list answers summaries",
        "step": 3,
        "base": "tests/right/ex14_sqlalchemy.py",
        "replace": {
            '@app.get("/predictions", response_model=list[PredictionOut])': '@app.get("/predictions")',
            "    return db.scalars(query.order_by(PredictionModel.id.desc()).offset(skip).limit(limit)).all()": """    rows = db.scalars(query.order_by(PredictionModel.id.desc()).offset(skip).limit(limit)).all()
    return [{'id': r.id, 'model_version': r.model_version, 'latency_ms': r.latency_ms} for r in rows]""",
        },
        "says": "answers a part of each call",
    },
    {
        "name": "latency in seven digits",
        "step": 1,
        "base": "tests/right/ex14_sqlalchemy.py",
        "database": "postgresql",
        "replace": {
            """latency_ms: Mapped[float]
""": """latency_ms: Mapped[float] = mapped_column(REAL)
""",
            "JSON, String": "JSON, REAL, String",
        },
        "says": "fewer digits",
    },
    {
        "name": "an empty page is not found",
        "step": 3,
        "base": "tests/right/ex14_sqlalchemy.py",
        "replace": {
            "    return db.scalars(query.order_by(PredictionModel.id.desc()).offset(skip).limit(limit)).all()": """    rows = db.scalars(query.order_by(PredictionModel.id.desc()).offset(skip).limit(limit)).all()
    if skip and not rows:
        raise HTTPException(404, 'No predictions')
    return rows""",
        },
        "says": "an empty list, and no error",
    },
    {
        "name": "equal errors counted as one",
        "step": 4,
        "base": "tests/right/ex14_sqlalchemy.py",
        "replace": {
            'func.sum(failed).label("errors")': 'func.count(recent.c.error.distinct()).label("errors")',
        },
        "says": "equal errors are counted as one",
    },
    {
        "name": "version pasted into the SQL of the list",
        "step": 3,
        "base": "tests/right/ex14_raw_sql.py",
        "replace": {
            'wheres.append("model_version = :model_version")': "wheres.append(f\"model_version = '{model_version}'\")",
        },
        "says": "pasted into the SQL text",
    },
    {
        "name": "version pasted into the SQL of the statistics",
        "step": 4,
        "base": "tests/right/ex14_raw_sql.py",
        "replace": {
            'where = "WHERE model_version = :model_version" if model_version else ""': 'where = f"WHERE model_version = \'{model_version}\'" if model_version else ""',
        },
        "says": "pasted into the SQL text",
    },
    {
        "name": "failures and latencies filtered in Python",
        "step": 3,
        "replace": {
            """    if failed is not None:
        statement = statement.where(col(Prediction.error).is_not(None) == failed)
    if min_latency_ms is not None:
        statement = statement.where(Prediction.latency_ms >= min_latency_ms)
    return session.exec(statement.offset(skip).limit(limit)).all()
""": """    if failed is None and min_latency_ms is None:
        return session.exec(statement.offset(skip).limit(limit)).all()
    rows = [
        row
        for row in session.exec(statement).all()
        if failed in (None, row.error is not None) and row.latency_ms >= (min_latency_ms or 0)
    ]
    return rows[skip : skip + limit]
"""
        },
        "says": "all are loaded, and filtered or cut in Python",
    },
    {
        "name": "no limit above 50, without a word",
        "step": 3,
        "replace": {
            "session.exec(statement.offset(skip).limit(limit))": (
                "session.exec(statement.offset(skip).limit(min(limit, 50)))"
            )
        },
        "says": "with limit=100 came 50 of 102 calls",
    },
    {
        "name": "a time for the answer and one for the row",
        "step": 1,
        "replace": {
            """    session.refresh(prediction)
    return prediction
""": """    session.refresh(prediction)
    return prediction.model_copy(update={"created_at": datetime.now(UTC)})
"""
        },
        "says": "the answer has a time of its own",
    },
    {
        "name": "empty fields of the input left out",
        "step": 1,
        "replace": {
            "    prediction = Prediction.model_validate(data)\n": (
                "    prediction = Prediction.model_validate(data)\n"
                "    filled = {name: value for name, value in data.input_data.items() if value}\n"
                "    prediction.input_data = filled\n"
            )
        },
        "says": "the field 'input_data' is",
    },
    {
        "name": "average of different latencies",
        "step": 4,
        "replace": {"func.avg(call.latency_ms)": "func.avg(call.latency_ms.distinct())"},
        "says": "leaves out the failures or equal latencies",
    },
    {
        "name": "a call like an earlier one is not stored",
        "step": 3,
        "replace": {
            "    session.add(prediction)\n": (
                "    same = select(Prediction).where(Prediction.model_version == data.model_version)\n"
                "    for old in session.exec(same).all():\n"
                "        if (old.input_data, old.error) == (data.input_data, data.error):\n"
                "            return old\n"
                "    session.add(prediction)\n"
            )
        },
        "says": "a call like an earlier one is another call",
    },
    {
        "name": "versions with one call left out",
        "step": 4,
        "replace": {
            "summary.group_by(call.model_version)": (
                "summary.group_by(call.model_version).having(total > 1)"
            )
        },
        "says": "versions with few calls are left out",
    },
    {
        "name": "errors divided by successes",
        "step": 4,
        "replace": {
            "(errors / total).label": "(1.0 * errors / func.nullif(total - errors, 0)).label",
            "    error_rate: float\n": "    error_rate: float | None\n",
        },
        "says": "the errors were divided by the successes",
    },
    {
        "name": "the last hundred by default",
        "step": 4,
        "replace": {
            "    last: Annotated[int | None, Query(ge=1, le=MAX_INTEGER)] = None": (
                "    last: Annotated[int | None, Query(ge=1, le=MAX_INTEGER)] = 100"
            )
        },
        "says": "the numbers are of the newest calls only",
    },
    {
        "name": "large input refused",
        "step": 1,
        "replace": {
            "    prediction = Prediction.model_validate(data)\n": (
                "    if len(str(data.input_data)) > 1000:\n"
                '        raise HTTPException(422, "The input is too large")\n'
                "    prediction = Prediction.model_validate(data)\n"
            )
        },
        "says": "the app itself answers 422",
    },
    {
        "name": "counters raised in Python",
        "step": 4,
        "replace": {
            "class VersionStats(SQLModel):": (
                "class Counter(SQLModel, table=True):\n"
                "    model_version: str = Field(primary_key=True, max_length=50)\n"
                "    total: int = 0\n    errors: int = 0\n    latency: float = 0\n\n\n"
                "class VersionStats(SQLModel):"
            ),
            "    session.add(prediction)\n": (
                "    counter = session.get(Counter, data.model_version)\n"
                "    counter = counter or Counter(model_version=data.model_version)\n"
                "    counter.total += 1\n    counter.errors += data.error is not None\n"
                "    counter.latency += data.latency_ms\n"
                "    session.merge(counter)\n    session.add(prediction)\n"
            ),
            "    calls = select(Prediction.model_version, Prediction.error": (
                "    if last is None:\n"
                "        counters = select(Counter).order_by(Counter.model_version)\n"
                "        if model_version is not None:\n"
                "            counters = counters.where(Counter.model_version == model_version)\n"
                "        return [\n"
                "            VersionStats(\n"
                "                model_version=c.model_version,\n"
                "                total=c.total,\n"
                "                errors=c.errors,\n"
                "                error_rate=c.errors / c.total,\n"
                "                avg_latency_ms=c.latency / c.total,\n"
                "            )\n"
                "            for c in session.exec(counters)\n"
                "        ]\n"
                "    calls = select(Prediction.model_version, Prediction.error"
            ),
        },
        "says": "counted up as calls arrive",
    },
    {
        "name": "whole numbers read as floats",
        "step": 1,
        "replace": {
            "    prediction = Prediction.model_validate(data)\n": (
                "    import json\n"
                "    data.input_data = json.loads(json.dumps(data.input_data), parse_int=float)\n"
                "    prediction = Prediction.model_validate(data)\n"
            )
        },
        "says": "as a float a whole number beyond 2**53 loses digits",
    },
    {
        "name": "latency rounded",
        "step": 1,
        "replace": {
            "    prediction = Prediction.model_validate(data)\n": (
                "    data.latency_ms = round(data.latency_ms, 2)\n"
                "    prediction = Prediction.model_validate(data)\n"
            )
        },
        "says": "the app rounds or cuts the value",
    },
    {
        "name": "fields that are null are left out",
        "step": 2,
        "replace": {
            '@app.post("/predictions", status_code=201': (
                '@app.post("/predictions", status_code=201, response_model_exclude_none=True'
            )
        },
        "says": "left out of the answer",
    },
    {
        "name": "the text of an error is cut",
        "step": 2,
        "replace": {
            "    session.add(prediction)\n": (
                "    prediction.error = prediction.error and prediction.error[:2000]\n"
                "    session.add(prediction)\n"
            )
        },
        "says": "the text of the error is cut",
    },
    {
        "name": "an error of any type",
        "step": 2,
        "replace": {
            "    error: str | None = None\n": (
                "    error: JsonValue = Field(default=None, sa_column=Column(JSON(True)))\n"
            )
        },
        "says": "an error is a text",
    },
    {
        "name": "the list is cut after skip in Python",
        "step": 3,
        "replace": {
            "statement.offset(skip).limit(limit)).all()": "statement.limit(skip + limit)).all()[skip:]"
        },
        "says": ".offset()",
    },
    {
        "name": "latency compared without its decimals",
        "step": 3,
        "replace": {">= min_latency_ms": ">= int(min_latency_ms)"},
        "says": "without its decimals",
    },
    {
        "name": "list leaves a part of the error out",
        "step": 3,
        "base": RAW_SQL,
        "replace": {
            "return [as_answer(row) for row in db.execute(text(sql), values)]": (
                "found = [as_answer(row) for row in db.execute(text(sql), values)]\n"
                '        return [row | {"error": row["error"] and row["error"][:80]} '
                "for row in found]"
            )
        },
        "says": "a part of each call",
    },
    {
        "name": "latencies joined by the database, the average made in Python",
        "step": 4,
        "base": RAW_SQL,
        "replace": {
            "AVG(latency_ms) AS avg_latency_ms": "GROUP_CONCAT(latency_ms) AS latencies",
            "        return [dict(row._mapping) for row in rows]": (
                "        answer = []\n"
                "        for row in rows:\n"
                "            found = dict(row._mapping)\n"
                '            each = [float(n) for n in found.pop("latencies").split(",")]\n'
                '            answer.append(found | {"avg_latency_ms": sum(each) / len(each)})\n'
                "        return answer"
            ),
        },
        "says": "computed in Python: func.count()",
    },
]
