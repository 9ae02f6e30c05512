"""Wrong solutions of exercise 14 that learners write."""

STATS = """    summary = summary.group_by(call.model_version).order_by(call.model_version)
    return session.exec(summary).all()
"""
LIST = """        calls = calls.order_by(col(Prediction.id).desc()).limit(last)
    call ="""

MISTAKES = [
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
    versions = session.exec(select(Prediction.model_version).distinct()).all()
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
        "says": "limits the groups",
    },
]
