"""Wrong solutions of exercise 04 that learners write."""

SQLALCHEMY = "tests/right/ex04_sqlalchemy.py"
RAW_SQL = "tests/right/ex04_raw_sql.py"
TOTAL = "session.exec(select(func.count()).select_from(User)).one()"
ITEMS = "session.exec(newest.offset((page - 1) * page_size).limit(page_size)).all()"
LIST = "    return session.exec(statement).all()\n"
ORDERED = "statement.order_by(col(User.id)).offset(skip).limit(limit)"
FOUND = "(column.icontains(search, autoescape=True) for column in columns)"

NEWEST = "newest = select(User).order_by(col(User.id).desc())"

MISTAKES = [
    {
        "name": "search that looks at the id too",
        "step": 3,
        "replace": {
            "columns = (col(User.name), col(User.email))": (
                "columns = (col(User.name), col(User.email), cast(User.id, String))"
            ),
            "from sqlmodel import ": "from sqlalchemy import String, cast\nfrom sqlmodel import ",
        },
        "says": "the id is searched as well",
    },
    {
        "name": "search that looks at the age too",
        "step": 3,
        "replace": {
            "columns = (col(User.name), col(User.email))": (
                "columns = (col(User.name), col(User.email), cast(User.age, String))"
            ),
            "from sqlmodel import ": "from sqlalchemy import String, cast\nfrom sqlmodel import ",
        },
        "says": "the age is searched as well",
    },
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
            "skip: Annotated[int, Query(ge=0, le=LAST)] = 0": "skip: int = 0",
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
        "replace": {"max_age: Age = None": "max_age: int = 100"},
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
        "replace": {"page: Annotated[int, Query(ge=1, le=LAST)] = 1": "page: int = 1"},
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
    {
        "name": "ordered by name",
        "step": 1,
        "replace": {"order_by(col(User.id)).offset": "order_by(col(User.name)).offset"},
        "says": "by another column",
    },
    {
        "name": "ordered by age, then id",
        "step": 1,
        "replace": {
            "order_by(col(User.id)).offset": "order_by(col(User.age), col(User.id)).offset"
        },
        "says": "by another column",
    },
    {
        "name": "ordered as text",
        "step": 1,
        "base": RAW_SQL,
        "replace": {"ORDER BY id LIMIT": "ORDER BY CAST(id AS TEXT) LIMIT"},
        "says": "by another column",
    },
    {
        "name": "limit capped in silence",
        "step": 1,
        "replace": {".offset(skip).limit(limit)": ".offset(skip).limit(min(limit, 50))"},
        "says": "a smaller number than the limit",
    },
    {
        "name": "limit of 100 refused",
        "step": 1,
        "replace": {"Query(ge=1, le=100)] = 10": "Query(ge=1, lt=100)] = 10"},
        "says": "query.limit",
    },
    {
        "name": "limit of 1 refused",
        "step": 1,
        "replace": {"Query(ge=1, le=100)] = 10": "Query(gt=1, le=100)] = 10"},
        "says": "query.limit",
    },
    {
        "name": "limit up to 1000",
        "step": 1,
        "replace": {"Query(ge=1, le=100)] = 10": "Query(ge=1, le=1000)] = 10"},
        "says": "has no bounds",
    },
    {
        "name": "skip of -1 allowed",
        "step": 1,
        "replace": {"Query(ge=0, le=LAST)] = 0": "Query(ge=-1, le=LAST)] = 0"},
        "says": "has no bounds",
    },
    {
        "name": "another limit by default",
        "step": 1,
        "replace": {"Query(ge=1, le=100)] = 10": "Query(ge=1, le=100)] = 20"},
        "says": "by default",
    },
    {
        "name": "skip counts pages",
        "step": 1,
        "base": SQLALCHEMY,
        "replace": {".offset(skip).limit(limit)": ".offset(skip * limit).limit(limit)"},
        "says": "skip or limit does not reach the query",
    },
    {
        "name": "list remembered in memory",
        "step": 4,
        "replace": {
            TOTAL: "KNOWN.setdefault('total', session.exec(select(func.count(User.id))).one())",
            "T = TypeVar": "KNOWN: dict[str, int] = {}\nT = TypeVar",
            "    session.refresh(user)\n": "    session.refresh(user)\n    KNOWN.clear()\n",
        },
        "says": "remembered in memory",
    },
    {
        "name": "field left out of the answer",
        "step": 1,
        "base": RAW_SQL,
        "replace": {
            'sql = "SELECT id, name, email, age FROM users WHERE 1': (
                'sql = "SELECT id, name, email FROM users WHERE 1'
            )
        },
        "says": "leaves a field out",
    },
    {
        "name": "total without skip and limit in their place",
        "step": 1,
        "base": SQLALCHEMY,
        "replace": {'"skip": skip, "limit": limit': '"skip": skip, "limit": len(users)'},
        "says": "the window that was asked for",
    },
    {
        "name": "lower bound left out",
        "step": 2,
        "replace": {"col(User.age) >= min_age": "col(User.age) > min_age"},
        "says": "leaves out its own bound",
    },
    {
        "name": "upper bound left out",
        "step": 2,
        "base": RAW_SQL,
        "replace": {"AND age <= :max_age": "AND age < :max_age"},
        "says": "leaves out its own bound",
    },
    {
        "name": "ages filter only together",
        "step": 2,
        "base": SQLALCHEMY,
        "replace": {
            "if min_age is not None:": "if min_age is not None and max_age is not None:",
        },
        "says": "a filter does not reach the query",
    },
    {
        "name": "ages swapped when they are the wrong way round",
        "step": 2,
        "replace": {
            "    statement = select(User)\n    if min_age": (
                "    if min_age is not None and max_age is not None:\n"
                "        min_age, max_age = sorted((min_age, max_age))\n"
                "    statement = select(User)\n    if min_age"
            )
        },
        "says": "the two bounds are exchanged",
    },
    {
        "name": "ages compared as text",
        "step": 2,
        "replace": {
            "min_age: Age": "min_age: str | None",
        },
        "says": "not declared as an int",
    },
    {
        "name": "total without the filter",
        "step": 2,
        "base": SQLALCHEMY,
        "replace": {'{"total": count(db, statement)': '{"total": count(db, select(User))'},
        "says": "counted without the filter",
    },
    {
        "name": "total of the window",
        "step": 2,
        "base": SQLALCHEMY,
        "replace": {'{"total": count(db, statement)': '{"total": len(users)'},
        "says": "after the limit",
    },
    {
        "name": "skip before the filter",
        "step": 2,
        "base": RAW_SQL,
        "replace": {
            'FROM users WHERE 1 = 1"': (
                'FROM (SELECT * FROM users ORDER BY id LIMIT 1000 OFFSET :skip) AS u WHERE 1 = 1"'
            ),
            "ORDER BY id LIMIT :limit OFFSET :skip": "ORDER BY id LIMIT :limit",
        },
        "says": "skip and limit cut first",
    },
    {
        "name": "beginning only",
        "step": 3,
        "replace": {"column.icontains(": "column.istartswith("},
        "says": "compared exactly",
    },
    {
        "name": "lower case in Python",
        "step": 3,
        "replace": {
            FOUND: (
                "(func.lower(column).contains(search.lower(), autoescape=True) "
                "for column in columns)"
            )
        },
        "says": "str.lower() changes",
    },
    {
        "name": "name and e-mail glued together",
        "step": 3,
        "base": SQLALCHEMY,
        "replace": {
            'or_(User.name.ilike(term, escape="!"), User.email.ilike(term, escape="!"))': (
                '(User.name + " " + User.email).ilike(term, escape="!")'
            ),
            "create_engine, func, or_, select": "create_engine, func, select",
        },
        "says": "each on its own",
    },
    {
        "name": "each word on its own",
        "step": 3,
        "replace": {
            "        found = (column": (
                "        words = search.split()\n"
                "        found = [col(User.name).icontains(word) for word in words]\n"
                "        statement = statement.where(*found)\n"
                "        found = (column"
            ),
            "        statement = statement.where(or_(*found))\n": "",
        },
        "says": "whole term",
    },
    {
        "name": "found rows ordered by name",
        "step": 3,
        "replace": {
            ORDERED: (
                "statement.order_by(col(User.name if search else User.id))"
                ".offset(skip).limit(limit)"
            )
        },
        "says": "by another column",
    },
    {
        "name": "search in Python after the limit",
        "step": 3,
        "replace": {
            "        statement = statement.where(or_(*found))\n": "        del found\n",
            LIST: (
                "    users, term = session.exec(statement).all(), (search or '').lower()\n"
                "    return [user for user in users if term in (user.name + user.email).lower()]\n"
            ),
        },
        "says": "skip and limit cut first",
    },
    {
        "name": "search without the upper age",
        "step": 3,
        "replace": {"if max_age is not None:": "if max_age is not None and not search:"},
        "says": "one replaces the other",
    },
    {
        "name": "total without the search",
        "step": 3,
        "base": SQLALCHEMY,
        "replace": {
            "    statement = statement.filter(found)\n": (
                "    total = count(db, statement)\n    statement = statement.filter(found)\n"
            ),
            '{"total": count(db, statement)': '{"total": total',
        },
        "says": "counted without the filter",
    },
    {
        "name": "total counts names",
        "step": 4,
        "replace": {TOTAL: "session.exec(select(func.count(func.distinct(User.name)))).one()"},
        "says": "counted is not each row",
    },
    {
        "name": "total counted in memory",
        "step": 4,
        "replace": {
            TOTAL: "len(CREATED)",
            "T = TypeVar": "CREATED: list[int] = []\nT = TypeVar",
            "    session.refresh(user)\n": (
                "    session.refresh(user)\n    CREATED.append(user.id)\n"
            ),
        },
        "says": "remembered in memory",
    },
    {
        "name": "pages remembered in memory",
        "step": 4,
        "base": RAW_SQL,
        "replace": {
            "def read_page(": "@lru_cache\ndef read_page(",
            "from typing import": "from functools import lru_cache\nfrom typing import",
        },
        "says": "remembered in memory",
    },
    {
        "name": "page_size capped in silence",
        "step": 4,
        "replace": {".limit(page_size)).all()": ".limit(min(page_size, 50))).all()"},
        "says": "the limit is not page_size",
    },
    {
        "name": "page_size by default is another than the answer says",
        "step": 4,
        "replace": {
            "newest.offset((page - 1) * page_size).limit(page_size)": (
                "newest.offset((page - 1) * page_size).limit(10 if page_size == 20 else page_size)"
            )
        },
        "says": "page_size 20 by default",
    },
    {
        "name": "newest by name",
        "step": 4,
        "replace": {NEWEST: "newest = select(User).order_by(col(User.name).desc())"},
        "says": "newest first",
    },
    {
        "name": "oldest first",
        "step": 4,
        "replace": {NEWEST: "newest = select(User).order_by(col(User.id))"},
        "says": "newest first",
    },
    {
        "name": "a page turned around",
        "step": 4,
        "base": SQLALCHEMY,
        "replace": {'"items": users,': '"items": users[::-1],'},
        "says": "the order is not newest first",
    },
    {
        "name": "offset one too far",
        "step": 4,
        "replace": {"offset((page - 1) * page_size)": "offset((page - 1) * (page_size + 1))"},
        "says": "the offset is not",
    },
    {
        "name": "has_next is a number",
        "step": 4,
        "base": RAW_SQL,
        "replace": {'"has_next": skip + page_size < total': '"has_next": total - skip - page_size'},
        "says": "there is no bool",
    },
    {
        "name": "item without its e-mail",
        "step": 4,
        "base": RAW_SQL,
        "replace": {
            'for name in ("id", "name", "email", "age")': 'for name in ("id", "name", "age")'
        },
        "says": "leaves a field out",
    },
    {
        "name": "total_pages of half a page more",
        "step": 5,
        "replace": {"-(-total // page_size)": "int(total / page_size + 0.5)"},
        "says": "or to the nearest",
    },
    {
        "name": "total_pages one too many for full pages",
        "step": 5,
        "base": RAW_SQL,
        "replace": {"(total + page_size - 1) // page_size": "(total + page_size) // page_size"},
        "says": "adds 1 where nothing is left over",
    },
    {
        "name": "page 2 has no previous one",
        "step": 5,
        "replace": {"has_previous=page > 1": "has_previous=page > 2"},
        "says": "has_previous is page > 1",
    },
    {
        "name": "next page at the last user",
        "step": 5,
        "base": RAW_SQL,
        "replace": {"skip + page_size < total": "skip + page_size <= total"},
        "says": "has_next is page < total_pages",
    },
    {
        "name": "next page while there are items",
        "step": 5,
        "replace": {"has_next=page < total_pages": "has_next=bool(items)"},
        "says": "has_next is page < total_pages",
    },
    {
        "name": "behind the last page is the last one",
        "step": 5,
        "base": SQLALCHEMY,
        "replace": {
            """    if page > max(total_pages, 1):
        raise HTTPException(404, "There is no such page")
""": "    page = min(page, total_pages)\n"
        },
        "says": "the last page is answered in its place",
    },
    {
        "name": "total of the rows of the page, behind the last one",
        "step": 5,
        "base": RAW_SQL,
        "replace": {
            'items or rows("SELECT COUNT(*) AS total FROM users")': 'items or [{"total": 0}]'
        },
        "says": "the total comes from the rows of the page",
    },
    {
        "name": "index error in an empty table",
        "step": 5,
        "base": RAW_SQL,
        "replace": {
            'items or rows("SELECT COUNT(*) AS total FROM users")': (
                'items or rows("SELECT COUNT(*) AS total FROM users GROUP BY 1 = 1")'
            )
        },
        "says": "IndexError",
    },
    {
        "name": "page_size of 1000",
        "step": 5,
        "replace": {"Query(ge=1, le=100)] = 20": "Query(ge=1, le=1000)] = 20"},
        "says": "page or page_size has no bounds",
    },
    {
        "name": "page_size of 100 refused",
        "step": 5,
        "replace": {"Query(ge=1, le=100)] = 20": "Query(ge=1, le=50)] = 20"},
        "says": "query.page_size",
    },
    {
        "name": "_ is still a wildcard",
        "step": 6,
        "replace": {
            FOUND: (
                "(column.ilike('%' + search.replace('%', r'\\%') + '%', escape='\\\\') "
                "for column in columns)"
            )
        },
        "says": "'_' stands for other characters",
    },
    {
        "name": "the escape is not escaped",
        "step": 6,
        "base": SQLALCHEMY,
        "replace": {'for sign in "!%_":': 'for sign in "%_":'},
        "says": "is not escaped itself",
    },
    {
        "name": "the backslash is not escaped",
        "step": 6,
        "base": RAW_SQL,
        "replace": {'for sign in ("\\\\", "%", "_"):': 'for sign in ("%", "_"):'},
        "says": "is not escaped itself",
    },
    {
        "name": "escaped without saying by what",
        "step": 6,
        "base": RAW_SQL,
        "replace": {r"LIKE LOWER(:term) ESCAPE '\'": "LIKE LOWER(:term)"},
        "says": "autoescape=True",
    },
    {
        "name": "signs left out of the term",
        "step": 6,
        "base": SQLALCHEMY,
        "replace": {
            'search = search.replace(sign, f"!{sign}")': 'search = search.replace(sign, "")'
        },
        "says": "autoescape=True",
    },
    {
        "name": "signs refused",
        "step": 6,
        "replace": {
            "    if search is not None:\n": (
                "    if search and not search.isalnum():\n"
                '        raise HTTPException(422, "letters and digits only")\n'
                "    if search is not None:\n"
            )
        },
        "says": "the app itself answers 422",
    },
    {
        "name": "all pages up to this one read",
        "step": 7,
        "replace": {
            ITEMS: "session.exec(newest.limit(page * page_size)).all()[(page - 1) * page_size :]"
        },
        "says": "Python cuts the page out",
    },
    {
        "name": "ids read for their number",
        "step": 7,
        "base": SQLALCHEMY,
        "replace": {
            "total = count(db, select(User))": (
                "total = len(db.scalars(select(User.id).limit(1_000_000)).all())"
            )
        },
        "says": "read for their number",
    },
    {
        "name": "counted, and read all the same",
        "step": 7,
        "replace": {
            "    total = session": "    rows = session.exec(newest).all()\n    total = session",
            "items=items": "items=rows[(page - 1) * page_size : page * page_size]",
        },
        "says": "Python cuts the page out",
    },
    {
        "name": "the highest id is the total",
        "step": 7,
        "replace": {TOTAL: "session.exec(select(func.max(User.id))).one() or 0"},
        "says": "the highest id is not it",
    },
    {
        "name": "an item at a time",
        "step": 7,
        "replace": {
            "items=items": "items=[session.get(User, i, populate_existing=True) for i in ids]",
            "    total = session": "    ids = [item.id for item in items]\n    total = session",
        },
        "says": "a query for each item",
    },
    {
        "name": "the search leaves out spaces",
        "step": 3,
        "replace": {
            "column.icontains(search, autoescape=True)": "column.icontains(search.strip(), autoescape=True)"
        },
        "says": "the whole term",
    },
    {
        "name": "backslash not escaped in a LIKE by hand",
        "step": 6,
        "replace": {
            "column.icontains(search, autoescape=True)": "column.ilike('%' + search.replace('%', chr(92) + '%').replace('_', chr(92) + '_') + '%', escape=chr(92))"
        },
        "says": "not escaped itself",
    },
    {
        "name": "users counted in memory as they are created",
        "step": 4,
        "replace": {
            "    total = session.exec(select(func.count()).select_from(User)).one()": "    total = len(COUNT)",
            """    session.refresh(user)
""": """    session.refresh(user)
    COUNT.append(1)
""",
            "engine = create": """COUNT: list = []
engine = create""",
        },
        "says": "remembered in memory",
    },
    {
        "name": "no page behind the third",
        "step": 4,
        "replace": {
            "    newest = select": """    page = min(page, 3)
    newest = select"""
        },
        "says": "the offset is not",
    },
    {
        "name": "searches remembered",
        "step": 3,
        "base": "tests/right/ex04_sqlalchemy",
        "replace": {
            """    users = db.scalars(statement.order_by(User.id).offset(skip).limit(limit)).all()
    return {"total": count(db, statement), "skip": skip, "limit": limit, "users": users}""": """    key = (skip, limit, min_age, max_age, search)
    if search and key in FOUND:
        return FOUND[key]
    users = db.scalars(statement.order_by(User.id).offset(skip).limit(limit)).all()
    FOUND[key] = {"total": count(db, statement), "skip": skip, "limit": limit, "users": users}
    return FOUND[key]""",
            "app = FastAPI()": """FOUND: dict = {}
app = FastAPI()""",
        },
        "says": "what was found is remembered in memory",
    },
    {
        "name": "filtered lists remembered until a POST",
        "step": 3,
        "base": "tests/right/ex04_raw_sql",
        "replace": {
            "    return rows(sql, **parameters, skip=skip, limit=limit)": """    key = (sql, str(parameters), skip, limit)
    if parameters and key in FOUND:
        return FOUND[key]
    FOUND[key] = rows(sql, **parameters, skip=skip, limit=limit)
    return FOUND[key]""",
            "app = FastAPI()": """FOUND: dict = {}
app = FastAPI()""",
            """        with engine.begin() as connection:
            return""": """        FOUND.clear()
        with engine.begin() as connection:
            return""",
        },
        "says": "what was found is remembered in memory",
    },
    {
        "name": "search cut at 20 signs",
        "step": 3,
        "base": "tests/right/ex04_sqlalchemy",
        "replace": {
            '    term = f"%{search}%"': '    term = f"%{search[:20]}%"',
        },
        "says": "the whole term",
    },
    {
        "name": "a search of more than 50 signs is refused",
        "step": 3,
        "replace": {
            "    search: str | None = None,\n": "    search: Annotated[str | None, Query(max_length=50)] = None,\n",
        },
        "says": "refuses the term",
    },
    {
        "name": "a search of one letter is refused",
        "step": 3,
        "replace": {
            "    if search is not None:\n": (
                "    if search is not None and len(search) < 2:\n"
                "        raise HTTPException(422, 'too short')\n"
                "    if search is not None:\n"
            ),
        },
        "says": "refuses the term",
    },
    {
        "name": "a term with @ is a whole address",
        "step": 3,
        "replace": {
            "    if search is not None:\n": (
                "    if search is not None and '@' in search:\n"
                "        statement = statement.where(col(User.email) == search.lower())\n"
                "    elif search is not None:\n"
            ),
        },
        "says": "compared exactly",
    },
    {
        "name": "search in the part before the @",
        "step": 3,
        "base": "tests/right/ex04_raw_sql",
        "replace": {
            "LOWER(email) {like})": "LOWER(SUBSTR(email, 1, INSTR(email, '@') - 1)) {like})",
        },
        "says": "compared with one column only",
    },
    {
        "name": "items in batches of fifty",
        "step": 7,
        "base": "tests/right/ex04_raw_sql",
        "replace": {
            "    items = rows(sql, size=page_size, skip=skip)\n": (
                "    items = []\n"
                "    for start in range(0, page_size, 50):\n"
                "        items += rows(sql, size=min(50, page_size - start), skip=skip + start)\n"
            ),
        },
        "says": "for each batch of items",
    },
    {
        "name": "the page by arithmetic with ids",
        "step": 4,
        "database": "postgresql",
        "replace": {
            "    items = session.exec(newest.offset((page - 1) * page_size).limit(page_size)).all()\n": (
                "    top = session.exec(select(func.max(User.id))).one() or 0\n"
                "    items = session.exec(newest.where(col(User.id) <= top - (page - 1) * page_size).limit(page_size)).all()\n"
            ),
        },
        "says": "the offset is not",
    },
    {
        "name": "page of ids between two",
        "step": 4,
        "database": "postgresql",
        "replace": {
            "    items = session.exec(newest.offset((page - 1) * page_size).limit(page_size)).all()\n": (
                "    top = session.exec(select(func.max(User.id))).one() or 0\n"
                "    high = top - (page - 1) * page_size\n"
                "    items = session.exec(newest.where(col(User.id).between(high - page_size + 1, high))).all()\n"
            ),
        },
        "says": "the offset is not",
    },
    {
        "name": "spaces at the end of a search are lost",
        "step": 3,
        "base": "tests/right/ex04_sqlalchemy",
        "replace": {
            '    term = f"%{search}%"\n': '    term = f"%{search.rstrip()}%"\n',
        },
        "says": "the whole term",
    },
    {
        "name": "users of age 0 left out of a search",
        "step": 3,
        "replace": {
            "        statement = statement.where(or_(*found))\n": "        statement = statement.where(or_(*found), col(User.age) > 0)\n",
        },
        "says": "works though it is not given",
    },
    {
        "name": "search by union, found in both comes twice",
        "step": 3,
        "base": "tests/right/ex04_raw_sql",
        "replace": {
            '        sql += f" AND (LOWER(name) {like} OR LOWER(email) {like})"\n': '        sql = f"SELECT id, name, email, age FROM (SELECT * FROM users WHERE LOWER(name) {like} UNION ALL SELECT * FROM users WHERE LOWER(email) {like}) AS found" + sql[sql.index(" WHERE"):]\n',
        },
        "says": "comes twice",
    },
    {
        "name": "max_age without min_age is ignored above 100",
        "step": 2,
        "replace": {
            "    if max_age is not None:\n": "    if max_age is not None and (min_age is not None or max_age <= 100):\n",
        },
        "says": "a filter does not reach the query",
    },
    {
        "name": "long searches are cut",
        "step": 3,
        "base": "tests/right/ex04_sqlalchemy",
        "replace": {
            '    term = f"%{search}%"\n': '    term = f"%{search}%" if len(search) < 60 else f"%{search[:40]}%"\n',
        },
        "says": "does not reach the WHERE as it is",
    },
    {
        "name": "search with min_age 0 is no search",
        "step": 3,
        "replace": {
            "    if search is not None:\n": "    if search is not None and not (min_age == 0 and max_age is None):\n",
        },
        "says": "one replaces the other",
    },
    {
        "name": "term in the text of the statement",
        "step": 6,
        "base": RAW_SQL,
        "replace": {
            "LIKE LOWER(:term) ESCAPE": "LIKE LOWER('%{term}%') ESCAPE",
            '        sql += f" AND (LOWER(name) {like} OR LOWER(email) {like})"\n': "",
            '            search = search.replace(sign, "\\\\" + sign)\n': (
                '            search = search.replace(sign, "\\\\" + sign)\n'
                '        like = like.replace("{term}", search.replace("\'", "\'\'"))\n'
                '        sql += f" AND (LOWER(name) {like} OR LOWER(email) {like})"\n'
            ),
        },
        "says": "the statement is put together from texts",
    },
    {
        "name": "a search of more than 100 signs is refused",
        "step": 3,
        "replace": {
            "    search: str | None = None,\n": (
                "    search: Annotated[str | None, Query(max_length=100)] = None,\n"
            ),
        },
        "says": "at most 100 characters",
    },
    {
        "name": "total of ten thousand at most",
        "step": 7,
        "replace": {TOTAL: f"min(10_000, {TOTAL})"},
        "says": "a number of the app's own ends the count",
    },
    {
        "name": "a thousand rows counted",
        "step": 7,
        "replace": {
            TOTAL: "session.exec(select(func.count()).select_from("
            "select(User.id).limit(1000).subquery())).one()"
        },
        "says": "a number of the app's own ends the count",
    },
    {
        "name": "search among the first thousand",
        "step": 7,
        "replace": {
            "columns = (col(User.name), col(User.email))": (
                "columns = (col(User.name), col(User.email))\n"
                "        statement = statement.where(col(User.id) <= 1000)"
            ),
        },
        "says": "a number of the app's own ends the count",
    },
    {
        "name": "place of a page computed from ids",
        "step": 7,
        "replace": {
            ITEMS: "session.exec(newest.where(col(User.id) <= top - (page - 1) * page_size)"
            ".limit(page_size)).all()",
            NEWEST: f"top = session.exec(select(func.max(User.id))).one() or 0\n    {NEWEST}",
        },
        "says": "computed from ids",
    },
    {
        "name": "spaces of a search squeezed",
        "step": 3,
        "replace": {
            FOUND: FOUND.replace("(search,", '(re.sub(" +", " ", search),', 1),
            "import os": "import os\nimport re",
        },
        "says": "does not reach the WHERE as it is",
    },
    {
        "name": "oldest users turned round",
        "step": 4,
        "replace": {
            ITEMS: f"{ITEMS}[::-1]",
            NEWEST: "newest = select(User).order_by(col(User.id))",
        },
        "says": "turned round then",
    },
    {
        "name": "has_next where no page is",
        "step": 5,
        "replace": {"has_next=page < total_pages": "has_next=page != total_pages"},
        "says": "has_next is page < total_pages",
    },
    {
        "name": "a thousand pages at most",
        "step": 5,
        "replace": {
            "page: Annotated[int, Query(ge=1, le=LAST)]": "page: Annotated[int, Query(ge=1, le=1000)]"
        },
        "says": "a bound of the app's own",
    },
]
