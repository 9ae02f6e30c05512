"""Wrong solutions of exercise 04 that learners write."""

NEWEST = "newest = select(User).order_by(col(User.id).desc())"

MISTAKES = [
    {
        "name": "limit forgotten",
        "step": 1,
        "replace": {".offset(skip).limit(limit)": ".offset(skip)"},
        "says": "skip or limit does not reach the query",
    },
    {
        "name": "no bounds",
        "step": 1,
        "replace": {
            "limit: Annotated[int, Query(ge=1, le=100)] = 10": "limit: int = 10",
            "skip: Annotated[int, Query(ge=0)] = 0": "skip: int = 0",
        },
        "says": "has no bounds",
    },
    {
        "name": "no ORDER BY",
        "step": 2,
        "replace": {"statement.order_by(col(User.id)).offset": "statement.offset"},
        "says": "no ORDER BY",
    },
    {
        "name": "0 is taken for not given",
        "step": 2,
        "replace": {"if max_age is not None:": "if max_age:"},
        "says": "false for 0",
    },
    {
        "name": "an age by default",
        "step": 2,
        "replace": {"max_age: int | None = None": "max_age: int = 100"},
        "says": "though it is not given",
    },
    {
        "name": "filtered after the limit, in Python",
        "step": 2,
        "replace": {
            "statement = statement.where(col(User.age) >= min_age)": "pass",
            "    return session.exec(statement).all()": (
                "    users = session.exec(statement).all()\n"
                "    return [user for user in users if user.age >= (min_age or 0)]"
            ),
        },
        "says": "removed afterwards, in Python",
    },
    {
        "name": "total after the limit",
        "step": 2,
        "replace": {
            ") -> Sequence[User]:": ") -> dict[str, int | Sequence[User]]:",
            "    return session.exec(statement).all()": (
                "    users = session.exec(statement).all()\n"
                '    return {"total": len(users), "skip": skip, "limit": limit, "users": users}'
            ),
        },
        "says": "after the limit",
    },
    {
        "name": "one column only",
        "step": 3,
        "replace": {"columns = (col(User.name), col(User.email))": "columns = (col(User.name),)"},
        "says": "one column only",
    },
    {
        "name": "in both columns",
        "step": 3,
        "replace": {"or_(*found)": "*found"},
        "says": "has to be in both",
    },
    {
        "name": "case matters",
        "step": 3,
        "replace": {"column.icontains(": "column.contains("},
        "says": "case matters",
        "database": "postgresql",
    },
    {
        "name": "search replaces the ages",
        "step": 3,
        "replace": {
            "statement = statement.where(or_(*found))": (
                "statement = select(User).where(or_(*found))"
            )
        },
        "says": "one replaces the other",
    },
    {
        "name": "page below the route with an id",
        "step": 4,
        "replace": {
            '@app.get("/users/page")': '@app.get("/users/{user_id}/../page")',
            """        raise HTTPException(404, "User not found")
    return user
""": """        raise HTTPException(404, "User not found")
    return user


app.get("/users/page")(read_page)
""",
        },
        "says": "move it above",
    },
    {
        "name": "total is the length of the page",
        "step": 4,
        "replace": {"session.exec(select(func.count()).select_from(User)).one()": "len(items)"},
        "says": "the total is the length of the page",
    },
    {
        "name": "pages counted from 0",
        "step": 4,
        "replace": {"offset((page - 1) * page_size)": "offset(page * page_size)"},
        "says": "the offset of page 1 is not 0",
    },
    {
        "name": "created_at decides alone",
        "step": 4,
        "replace": {
            """    __tablename__ = "users"

    id: int""": """    __tablename__ = "users"

    created_at: str = Field(default_factory=lambda: __import__("time").strftime("%x %X"))
    id: int""",
            NEWEST: "newest = select(User).order_by(col(User.created_at).desc())",
        },
        "says": "the same second",
    },
    {
        "name": "total_pages rounded down",
        "step": 5,
        "replace": {"-(-total // page_size)": "total // page_size"},
        "says": "rounds down",
    },
    {
        "name": "total_pages rounded to the nearest",
        "step": 5,
        "replace": {"-(-total // page_size)": "round(total / page_size)"},
        "says": "or to the nearest",
    },
    {
        "name": "total_pages always one more",
        "step": 5,
        "replace": {"-(-total // page_size)": "total // page_size + 1"},
        "says": "adds 1 where nothing is left over",
    },
    {
        "name": "a full page has a next one",
        "step": 5,
        "replace": {"has_next=page < total_pages": "has_next=len(items) == page_size"},
        "says": "that a page is full does not say",
    },
    {
        "name": "no bounds for pages",
        "step": 5,
        "replace": {"page: Annotated[int, Query(ge=1)] = 1": "page: int = 1"},
        "says": "page or page_size has no bounds",
    },
    {
        "name": "wildcards",
        "step": 6,
        "replace": {"icontains(search, autoescape=True)": "icontains(search)"},
        "says": "stands for other characters",
    },
    {
        "name": "all rows read for a page of them",
        "step": 7,
        "replace": {
            "newest.offset((page - 1) * page_size).limit(page_size)).all()": (
                "newest).all()[(page - 1) * page_size : page * page_size]"
            )
        },
        "says": "Python cuts the page out",
    },
    {
        "name": "all rows read for their number",
        "step": 7,
        "replace": {
            "session.exec(select(func.count()).select_from(User)).one()": (
                "len(session.exec(select(User)).all())"
            )
        },
        "says": "read for their number",
    },
]
