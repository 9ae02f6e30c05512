"""Wrong solutions of exercise 06 that learners write."""

SQLALCHEMY = "tests/right/ex06_sqlalchemy.py"
ASYNC = "tests/right/ex06_async.py"

CREATE_MANY = """    users = [User.model_validate(one) for one in data]
    save(session, *users)
    return users
"""
LIST = "session.exec(select(User).order_by(col(User.id)).offset(skip).limit(limit)).all()"
DEACTIVATE = """    active = update(User).where(col(User.id).in_(user_ids), col(User.is_active))
    count = session.exec(active.values(is_active=False)).rowcount
    session.commit()
"""

MISTAKES = [
    {
        "name": "no commit",
        "step": 1,
        "replace": {
            "    save(session, *users)\n": "    session.add_all(users)\n    session.flush()\n"
        },
        "says": "no session.commit() after session.add_all()",
    },
    {
        "name": "no refresh",
        "step": 1,
        "replace": {"Session(engine, expire_on_commit=False)": "Session(engine)"},
        "says": "expire_on_commit=False",
    },
    {
        "name": "table class as body",
        "step": 2,
        "replace": {
            "Annotated[list[UserCreate], Body(max_length=1000)]": "list[User]",
            "    users = [User.model_validate(one) for one in data]\n": "    users = data\n",
        },
        "says": "table class, which does not validate",
    },
    {
        "name": "commit for each user",
        "step": 2,
        "replace": {
            "    save(session, *users)\n": "    for one in users:\n        save(session, one)\n"
        },
        "says": "inside the loop",
    },
    {
        "name": "commit for each user, deleted again",
        "step": 2,
        "replace": {
            CREATE_MANY: """    users = []
    for one in data:
        try:
            users.append(create_user(one, session))
        except HTTPException:
            for user in users:
                session.delete(user)
            session.commit()
            raise
    return users
"""
        },
        "says": "stored and deleted again",
    },
    {
        "name": "taken addresses skipped",
        "step": 2,
        "replace": {
            CREATE_MANY: """    users = []
    for one in data:
        user = User.model_validate(one)
        try:
            with session.begin_nested():
                session.add(user)
        except IntegrityError:
            continue
        users.append(user)
    session.commit()
    return users
"""
        },
        "says": "skipped in silence, and the rest is stored",
    },
    {
        "name": "IntegrityError not caught",
        "step": 2,
        "replace": {"except IntegrityError:": "except ZeroDivisionError:"},
        "says": "nobody caught the IntegrityError",
    },
    {
        "name": "one session for all and no rollback",
        "step": 2,
        "replace": {
            "        session.rollback()\n": "",
            """    with Session(engine, expire_on_commit=False) as session:
        yield session""": "    yield only_session",
            "SessionDep =": "only_session = Session(engine, expire_on_commit=False)\nSessionDep =",
        },
        "says": "session.rollback()",
    },
    {
        "name": "select before insert as the only guard",
        "step": 3,
        "replace": {
            ", unique=True": "",
            "    users = [User": """    emails = [one.email for one in data]
    if session.exec(select(User).where(col(User.email).in_(emails))).first():
        raise HTTPException(409, "Email already registered")
    users = [User""",
        },
        "says": "SELECT before the INSERT is the only guard",
    },
    {
        "name": "deactivate without commit",
        "step": 4,
        "replace": {".rowcount\n    session.commit()\n": ".rowcount\n"},
        "says": "no session.commit() after the UPDATE",
    },
    {
        "name": "no WHERE",
        "step": 4,
        "replace": {
            "where(col(User.id).in_(user_ids), col(User.is_active))": "where(col(User.is_active))"
        },
        "says": "the WHERE of the UPDATE is missing",
    },
    {
        "name": "ids counted",
        "step": 4,
        "replace": {'"deactivated_count": count': '"deactivated_count": len(user_ids)'},
        "says": "counted are the ids that were sent",
    },
    {
        "name": "inactive counted again",
        "step": 4,
        "replace": {".in_(user_ids), col(User.is_active))": ".in_(user_ids))"},
        "says": "only active users",
    },
    {
        "name": "get in a loop, unknown id not looked for",
        "step": 4,
        "replace": {
            DEACTIVATE: """    count = 0
    for user_id in user_ids:
        user = session.get(User, user_id)
        count += user.is_active
        user.is_active = False
        session.commit()
"""
        },
        "says": "session.get() gives None for an unknown id",
    },
    {
        "name": "turned around",
        "step": 4,
        "replace": {
            DEACTIVATE: """    count = 0
    for user in session.exec(select(User).where(col(User.id).in_(user_ids))):
        count += user.is_active
        user.is_active = not user.is_active
    session.commit()
"""
        },
        "says": "it has to become false",
    },
    {
        "name": "refresh in a loop",
        "step": 5,
        "replace": {
            "    save(session, *users)\n": (
                "    save(session, *users)\n    for user in users:\n        session.refresh(user)\n"
            )
        },
        "says": "session.refresh() in a loop",
    },
    {
        "name": "get in a loop",
        "step": 5,
        "replace": {
            DEACTIVATE: """    count = 0
    for user_id in user_ids:
        user = session.get(User, user_id)
        if user and user.is_active:
            user.is_active = False
            count += 1
    session.commit()
"""
        },
        "says": "session.get() or update() in a loop",
    },
    {
        "name": "rows in the order of their names",
        "step": 1,
        "replace": {
            CREATE_MANY: CREATE_MANY.replace("return users", "return sorted(users, key=name)"),
            "NewUsers =": "def name(user: User) -> str:\n    return user.name\n\n\nNewUsers =",
        },
        "says": "in their order",
    },
    {
        "name": "rows read back in the order of their addresses",
        "step": 1,
        "base": SQLALCHEMY,
        "replace": {
            "insert(User).returning(User, sort_by_parameter_order=True)": "insert(User)",
            "        users = db.scalars(statement, [row.model_dump() for row in rows]).all()\n": (
                "        db.execute(statement, [row.model_dump() for row in rows])\n"
                "        emails = [row.email for row in rows]\n"
                "        found = select(User).where(User.email.in_(emails)).order_by(User.email)\n"
                "        users = db.scalars(found).all()\n"
            ),
        },
        "says": "in their order",
    },
    {
        "name": "what was sent is answered, with ids that are counted",
        "step": 1,
        "base": ASYNC,
        "replace": {
            "    await store(db, users)\n    return users\n": (
                "    await store(db, users[::-1])\n"
                "    first = min(user.id for user in users)\n"
                "    return [one.model_dump() | {'id': first + n, 'is_active': True}\n"
                "            for n, one in enumerate(data)]\n"
            ),
            "async def create_users(data: list[UserIn], db: Db) -> list[User]:": (
                "async def create_users(data: list[UserIn], db: Db) -> Any:"
            ),
        },
        "says": "put together in the wrong order",
    },
    {
        "name": "the first 25 only",
        "step": 1,
        "replace": {"for one in data]\n    save": "for one in data[:25]]\n    save"},
        "says": "not the users that were sent",
    },
    {
        "name": "status 200",
        "step": 1,
        "base": ASYNC,
        "replace": {'@app.post("/users/bulk", status_code=201)': '@app.post("/users/bulk")'},
        "says": "the status is 200, not 201",
    },
    {
        "name": "inactive from the start",
        "step": 1,
        "replace": {
            "    users = [User.model_validate(one) for one in data]\n": (
                "    users = [User(**one.model_dump(), is_active=False) for one in data]\n"
            )
        },
        "says": '"is_active": false',
    },
    {
        "name": "addresses of a list are not tidied",
        "step": 1,
        "base": SQLALCHEMY,
        "replace": {
            "def create_users(data: list[UserIn],": "def create_users(data: list[Raw],",
            "class UserOut(UserIn)": (
                "class Raw(BaseModel):\n"
                "    name: str = Field(min_length=2, max_length=50)\n"
                "    email: str = Field(min_length=3, max_length=254)\n\n\n"
                "class UserOut(UserIn)"
            ),
            "        answer = [UserOut.model_validate(user) for user in users]\n": (
                "        answer = [UserOut.model_construct(id=u.id, name=u.name, email=u.email, "
                "is_active=u.is_active) for u in users]\n"
            ),
        },
        "says": "another way into the table",
    },
    {
        "name": "id of the client overwrites a user",
        "step": 1,
        "replace": {
            "Annotated[list[UserCreate], Body(max_length=1000)]": "list[dict[str, Any]]",
            "from typing import": "from typing import Any,",
            "    users = [User.model_validate(one) for one in data]\n": (
                "    known = User.model_fields\n"
                "    rows = [{k: v for k, v in one.items() if k in known} for one in data]\n"
                "    users = [session.merge(User.model_validate(row)) for row in rows]\n"
            ),
        },
        "says": "is overwritten",
    },
    {
        "name": "spaces taken from names",
        "step": 1,
        "base": SQLALCHEMY,
        "replace": {
            "[row.model_dump() for row in rows]": (
                '[row.model_dump() | {"name": row.name.replace(" ", "")} for row in rows]'
            )
        },
        "says": "not {",
    },
    {
        "name": "names in other bounds than one by one",
        "step": 2,
        "base": ASYNC,
        "replace": {
            "data: list[UserIn], db: Db": "data: list[Listed], db: Db",
            "class User(UserIn, table=True):": (
                "class Listed(UserIn):\n    name: str = Field(min_length=2)\n\n\n"
                "class User(UserIn, table=True):"
            ),
        },
        "says": "not checked like the body of POST /users",
    },
    {
        "name": "invalid entries are left out",
        "step": 2,
        "base": ASYNC,
        "replace": {
            "data: list[UserIn], db: Db": "data: list[Any], db: Db",
            "    if len({one.email": (
                "    data = [UserIn.model_validate(one) for one in data if is_valid(one)]\n"
                "    if len({one.email"
            ),
            "Db = Annotated": (
                "def is_valid(one: Any) -> bool:\n"
                "    try:\n"
                "        UserIn.model_validate(one)\n"
                "    except ValueError:\n"
                "        return False\n"
                "    return True\n\n\n"
                "Db = Annotated"
            ),
        },
        "says": "skipped in silence",
    },
    {
        "name": "validated and stored one after the other",
        "step": 2,
        "replace": {
            "Annotated[list[UserCreate], Body(max_length=1000)]": "list[Any]",
            "from typing import": "from typing import Any,",
            CREATE_MANY: """    users = []
    for one in data:
        try:
            user = User.model_validate(UserCreate.model_validate(one))
        except ValueError:
            raise HTTPException(422, "invalid") from None
        save(session, user)
        users.append(user)
    return users
""",
        },
        "says": "committed on its own",
    },
    {
        "name": "committed in batches of 25",
        "step": 2,
        "replace": {
            "    save(session, *users)\n": (
                "    for n in range(0, len(users), 25):\n"
                "        save(session, *users[n : n + 25])\n"
            )
        },
        "says": "each batch of users, is committed on its own",
    },
    {
        "name": "INSERT OR IGNORE",
        "step": 2,
        "base": SQLALCHEMY,
        "replace": {
            "insert(User).returning(User, sort_by_parameter_order=True)": (
                'insert(User).prefix_with("OR IGNORE")'
            ),
            "        users = db.scalars(statement, [row.model_dump() for row in rows]).all()\n": (
                "        db.execute(statement, [row.model_dump() for row in rows])\n"
                "        emails = [row.email for row in rows]\n"
                "        users = db.scalars(select(User).where(User.email.in_(emails))).all()\n"
            ),
        },
        "says": "skipped in silence",
    },
    {
        "name": "ON CONFLICT DO UPDATE",
        "step": 2,
        "base": SQLALCHEMY,
        "replace": {
            "import String, create_engine, insert, select, true, update": (
                "import String, create_engine, select, true, update"
            ),
            "from sqlalchemy.exc import": (
                "from sqlalchemy.dialects.sqlite import insert\nfrom sqlalchemy.exc import"
            ),
            "    statement = insert(User)": (
                '    upsert = insert(User).on_conflict_do_update(["email"], '
                "set_={'name': insert(User).excluded.name})\n"
                "    statement = upsert"
            ),
        },
        "says": "ON CONFLICT DO UPDATE",
    },
    {
        "name": "taken addresses remembered in memory",
        "step": 2,
        "replace": {
            ", unique=True": "",
            "    session.add_all(users)\n": (
                "    emails = [user.email for user in users]\n"
                "    if TAKEN & set(emails) or len(set(emails)) < len(emails):\n"
                '        raise HTTPException(409, "Email already registered")\n'
                "    TAKEN.update(emails)\n"
                "    session.add_all(users)\n"
            ),
            "NewUsers =": "TAKEN: set[str] = set()\nNewUsers =",
        },
        "says": "remembered in memory",
    },
    {
        "name": "an address is asked for, but not those of the list",
        "step": 2,
        "replace": {
            ", unique=True": "",
            "    session.add_all(users)\n": (
                "    for user in users:\n"
                "        with session.no_autoflush:\n"
                "            same = select(User).where(User.email == user.email)\n"
                "            if session.exec(same).first():\n"
                '                raise HTTPException(409, "Email already registered")\n'
                "    session.add_all(users)\n"
            ),
        },
        "says": "cannot see what is twice in the list",
    },
    {
        "name": "taken is answered with 422",
        "step": 2,
        "replace": {"HTTPException(409, ": "HTTPException(422, "},
        "says": "the app itself answers 422",
    },
    {
        "name": "taken is answered with 500",
        "step": 2,
        "replace": {"HTTPException(409, ": "HTTPException(500, "},
        "says": "answers 500 of its own accord",
    },
    {
        "name": "an empty list is an error of the server",
        "step": 2,
        "replace": {
            "    save(session, *users)\n": "    users[0].name += ''\n    save(session, *users)\n"
        },
        "says": "IndexError",
    },
    {
        "name": "commit before the check, deleted again by SQL",
        "step": 2,
        "base": ASYNC,
        "replace": {
            """        async with db.begin():
            db.add_all(users)
    except IntegrityError:
""": """        ids = []
        for user in users:
            db.add(user)
            await db.commit()
            ids.append(user.id)
    except IntegrityError:
        await db.rollback()
        await db.exec(delete(User).where(col(User.id).in_(ids)))
        await db.commit()
""",
            "select, update": "delete, select, update",
        },
        "says": "stored and deleted again by hand",
    },
    {
        "name": "a lock in place of the constraint",
        "step": 3,
        "replace": {
            ", unique=True": "",
            "    session.add_all(users)\n": (
                "    with LOCK:\n"
                "        insert_all(session, users)\n\n\n"
                "def insert_all(session: Session, users: tuple[User, ...]) -> None:\n"
                "    emails = [user.email for user in users]\n"
                "    taken = select(User).where(col(User.email).in_(emails))\n"
                "    if session.exec(taken).first() or len(set(emails)) < len(emails):\n"
                '        raise HTTPException(409, "Email already registered")\n'
                "    session.add_all(users)\n"
            ),
            "NewUsers =": "LOCK = threading.Lock()\nNewUsers =",
            "import os\n": "import os\nimport threading\n",
        },
        "says": "holds in one process only",
    },
    {
        "name": "a lock of asyncio in place of the constraint",
        "step": 3,
        "base": ASYNC,
        "replace": {
            ", unique=True": "",
            "    try:\n        async with db.begin():\n            db.add_all(users)\n": (
                "    emails = [user.email for user in users]\n"
                "    try:\n"
                "        async with LOCK, db.begin():\n"
                "            found = select(User).where(col(User.email).in_(emails))\n"
                "            if (await db.exec(found)).first():\n"
                '                raise HTTPException(409, "Email already registered")\n'
                "            db.add_all(users)\n"
            ),
            "Db = Annotated": "LOCK = asyncio.Lock()\nDb = Annotated",
            "import os\n": "import asyncio\nimport os\n",
        },
        "says": "holds in one process only",
    },
    {
        "name": "all addresses asked for, then batches",
        "step": 3,
        "replace": {
            "    save(session, *users)\n": (
                "    emails = [user.email for user in users]\n"
                "    taken = select(User).where(col(User.email).in_(emails))\n"
                "    if session.exec(taken).first() or len(set(emails)) < len(emails):\n"
                '        raise HTTPException(409, "Email already registered")\n'
                "    for n in range(0, len(users), 25):\n"
                "        save(session, *users[n : n + 25])\n"
            )
        },
        "says": "committed its changes in",
    },
    {
        "name": "users first, their flag in a second transaction",
        "step": 3,
        "base": ASYNC,
        "replace": {
            "        async with db.begin():\n            db.add_all(users)\n": (
                "        for user in users:\n"
                "            user.is_active = False\n"
                "        db.add_all(users)\n"
                "        await db.commit()\n"
                "        for user in users:\n"
                "            user.is_active = True\n"
                "        await db.commit()\n"
            )
        },
        "says": "committed its changes in 2 parts",
    },
    {
        "name": "who is active is remembered in memory",
        "step": 4,
        "replace": {
            DEACTIVATE: """    found = select(User.id).where(col(User.id).in_(user_ids))
    ids = set(session.exec(found).all()) - INACTIVE
    INACTIVE.update(ids)
    count = len(ids)
""",
            f"    return {LIST}\n": (
                f"    users = {LIST}\n"
                "    for user in users:\n"
                "        user.is_active = user.id not in INACTIVE\n"
                "    return users\n"
            ),
            "NewUsers =": "INACTIVE: set[int] = set()\nNewUsers =",
        },
        "says": "another process does not see it",
    },
    {
        "name": "deleted in place of deactivated",
        "step": 4,
        "replace": {
            "active.values(is_active=False)": "active",
            "active = update(User)": "active = delete(User)",
            "create_engine, select, update": "create_engine, delete, select",
        },
        "says": "the row is deleted",
    },
    {
        "name": "from the first id to the last",
        "step": 4,
        "replace": {"in_(user_ids), col": "between(min(user_ids), max(user_ids)), col"},
        "says": "finds more than these ids",
    },
    {
        "name": "all of them when the list is empty",
        "step": 4,
        "replace": {
            "    active = update(User).where(": (
                "    some = [col(User.id).in_(user_ids)] if user_ids else []\n"
                "    active = update(User).where("
            ),
            "where(col(User.id).in_(user_ids), col": "where(*some, col",
        },
        "says": "the WHERE of the UPDATE is missing",
    },
    {
        "name": "the name goes too",
        "step": 4,
        "replace": {"values(is_active=False)": 'values(is_active=False, name="(inactive)")'},
        "says": "only is_active changes",
    },
    {
        "name": "wrong ids left out",
        "step": 4,
        "replace": {
            "list[ListedId], Body": "list[Any], Body",
            "from typing import": "from typing import Any,",
            "    active = update": (
                "    user_ids = [one for one in user_ids if type(one) is int]\n    active = update"
            ),
        },
        "says": "not declared as list[int]",
    },
    {
        "name": "deactivated until the first wrong id",
        "step": 4,
        "replace": {
            "list[ListedId], Body": "list[Any], Body",
            "from typing import": "from typing import Any,",
            DEACTIVATE: """    count = 0
    for user_id in user_ids:
        if type(user_id) is not int:
            raise HTTPException(422, "not an id")
        one = update(User).where(col(User.id) == user_id, col(User.is_active))
        count += session.exec(one.values(is_active=False)).rowcount
        session.commit()
""",
        },
        "says": "was not to be deactivated",
    },
    {
        "name": "unknown id is 404",
        "step": 4,
        "replace": {
            "    session.commit()\n    return": (
                "    if count < len(set(user_ids)):\n"
                '        raise HTTPException(404, "Some users not found")\n'
                "    session.commit()\n    return"
            )
        },
        "says": "the status is 404",
    },
    {
        "name": "each of them committed",
        "step": 4,
        "replace": {
            DEACTIVATE: """    count = 0
    for user_id in set(user_ids):
        one = update(User).where(col(User.id) == user_id, col(User.is_active))
        count += session.exec(one.values(is_active=False)).rowcount
        session.commit()
"""
        },
        "says": "each user is committed on its own",
    },
    {
        "name": "only addresses of active users are taken",
        "step": 4,
        "replace": {
            ", unique=True": "",
            "    session.add_all(users)\n": (
                "    emails = [user.email for user in users]\n"
                "    taken = select(User).where(col(User.email).in_(emails), col(User.is_active))\n"
                "    if session.exec(taken).first() or len(set(emails)) < len(emails):\n"
                '        raise HTTPException(409, "Email already registered")\n'
                "    session.add_all(users)\n"
            ),
        },
        "says": "among active users only",
    },
    {
        "name": "each address asked for, in SQL of its own",
        "step": 5,
        "replace": {
            "    save(session, *users)\n": (
                "    for user in users:\n"
                "        found = text(f\"SELECT id FROM users WHERE email = '{user.email}'\")\n"
                "        if session.connection().execute(found).first():\n"
                '            raise HTTPException(409, "Email already registered")\n'
                "    save(session, *users)\n"
            ),
            "create_engine, select, update": "create_engine, select, text, update",
        },
        "says": "a look for each address",
    },
    {
        "name": "an UPDATE for each, in SQL of its own",
        "step": 5,
        "replace": {
            DEACTIVATE: """    count = 0
    for user_id in set(user_ids):
        sql = f"UPDATE users SET is_active = false WHERE id = {user_id} AND is_active"
        count += session.connection().execute(text(sql)).rowcount
    session.commit()
""",
            "create_engine, select, update": "create_engine, select, text",
        },
        "says": "update() in a loop",
    },
    {
        "name": "only the first 25 are active",
        "step": 1,
        "replace": {
            """    users = [User.model_validate(one) for one in data]
""": """    users = [User.model_validate(one) for one in data]
    for u in users[25:]:
        u.is_active = False
"""
        },
        "says": "put together in the wrong order",
    },
    {
        "name": "a savepoint for each user, whose failure is passed over",
        "step": 2,
        "replace": {
            """    session.add_all(users)
    try:
        session.commit()
""": """    for user in users:
        try:
            with session.begin_nested():
                session.add(user)
        except IntegrityError:
            pass
    try:
        session.commit()
"""
        },
        "says": "skipped in silence",
    },
    {
        "name": "rows answered in the order of their addresses",
        "step": 1,
        "replace": {
            """    save(session, *users)
    return users""": """    save(session, *users)
    return sorted(users, key=lambda u: u.email)"""
        },
        "says": "in their order",
    },
    {
        "name": "no more than 100 users",
        "step": 1,
        "replace": {
            "Body(max_length=1000)]": "Body(max_length=100)]",
        },
        "says": "a bound of the app's own",
    },
    {
        "name": "the first 100 only",
        "step": 1,
        "base": "tests/right/ex06_sqlalchemy",
        "replace": {
            "UsersOut(users=create(db, data))": "UsersOut(users=create(db, data[:100]))",
        },
        "says": "not the users that were sent",
    },
    {
        "name": "committed in batches of 50",
        "step": 3,
        "replace": {
            ("    session.add_all(users)\n    try:\n        session.commit()\n"): (
                "    try:\n"
                "        for start in range(0, len(users), 50):\n"
                "            session.add_all(users[start : start + 50])\n"
                "            session.commit()\n"
            ),
        },
        "says": "each batch of users",
    },
    {
        "name": "deactivated in batches of 25, each committed",
        "step": 5,
        "replace": {
            (
                "    active = update(User).where(col(User.id).in_(user_ids), col(User.is_active))\n"
                "    count = session.exec(active.values(is_active=False)).rowcount\n"
                "    session.commit()\n"
            ): (
                "    count = 0\n"
                "    for start in range(0, len(user_ids), 25):\n"
                "        active = update(User).where(col(User.id).in_(user_ids[start : start + 25]), col(User.is_active))\n"
                "        count += session.exec(active.values(is_active=False)).rowcount\n"
                "        session.commit()\n"
            ),
        },
        "says": "each batch of users is committed",
    },
    {
        "name": "the list makes lower case but keeps spaces",
        "step": 2,
        "base": "tests/right/ex06_sqlalchemy",
        "replace": {
            "def create_users(data: list[UserIn],": "def create_users(data: list[BulkIn],",
            "class UserOut(UserIn):\n": (
                "class BulkIn(BaseModel):\n"
                "    name: str = Field(min_length=2, max_length=50)\n"
                "    email: str = Field(min_length=3, max_length=254)\n"
                "\n"
                "    @field_validator('email')\n"
                "    @classmethod\n"
                "    def tidy(cls, email: str) -> str:\n"
                "        return email.lower()\n"
                "\n"
                "\n"
                "class UserOut(UserIn):\n"
            ),
        },
        "says": "does not tidy addresses",
    },
    {
        "name": "the client says in the list who is active",
        "step": 1,
        "base": "tests/right/ex06_async",
        "replace": {
            "async def create_users(data: list[UserIn], db: Db)": "async def create_users(data: list[BulkIn], db: Db)",
            "class User(UserIn, table=True):\n": (
                "class BulkIn(UserIn):\n"
                "    is_active: bool = True\n"
                "\n"
                "\n"
                "class User(UserIn, table=True):\n"
            ),
        },
        "says": "that of POST /users has not",
    },
    {
        "name": "the first id refused",
        "step": 4,
        "replace": {
            "ListedId = Annotated[StrictInt, Field(le=": "ListedId = Annotated[StrictInt, Field(gt=1, le=",
        },
        "says": "Input should be greater than 1",
    },
    {
        "name": "no more than 80 ids",
        "step": 5,
        "replace": {
            "Body(embed=True, max_length=1000)]": "Body(embed=True, max_length=80)]",
        },
        "says": "user_ids",
    },
    {
        "name": "ids of a list counted from the largest",
        "step": 3,
        "base": "tests/right/ex06_sqlalchemy",
        "replace": {
            "        users = db.scalars(statement, [row.model_dump() for row in rows]).all()\n": (
                "        from sqlalchemy import func\n"
                "        last = db.scalar(select(func.max(User.id))) or 0\n"
                "        users = db.scalars(statement, [row.model_dump() | {'id': last + n} for n, row in enumerate(rows, 1)]).all()\n"
            ),
        },
        "says": "the app counts the ids itself",
    },
    {
        "name": "refused when most are inactive",
        "step": 4,
        "base": "tests/right/ex06_sqlalchemy",
        "replace": {
            "    db.commit()\n    return {": (
                "    if users and len(users) * 3 < len(data.user_ids):\n"
                "        raise HTTPException(409, 'too many are inactive')\n"
                "    db.commit()\n    return {"
            ),
        },
        "says": "is no error",
    },
    {
        "name": "addresses of a list with casefold()",
        "step": 1,
        "replace": {
            "    save(session, *users)\n": (
                "    for user in users:\n"
                "        user.email = user.email.casefold()\n"
                "    save(session, *users)\n"
            ),
        },
        "says": "another way into the table",
    },
    {
        "name": "names of a list stripped",
        "step": 1,
        "replace": {
            "    users = [User.model_validate(one) for one in data]\n": (
                "    users = [User(name=one.name.strip(), email=one.email) for one in data]\n"
            ),
        },
        "says": "another way into the table",
    },
    {
        "name": "addresses of a list tidied after their length was looked at",
        "step": 1,
        "replace": {
            "NewUsers = Annotated[list[UserCreate],": (
                "class Listed(SQLModel):\n"
                "    name: str = Field(min_length=2, max_length=50)\n"
                "    email: str = Field(min_length=3, max_length=254)\n"
                "\n"
                "\n"
                "NewUsers = Annotated[list[Listed],"
            ),
            "User.model_validate(one) for one in data": (
                "User(name=one.name, email=tidy(one.email)) for one in data"
            ),
        },
        "says": "before its length is looked at",
    },
    {
        "name": "committed in batches of 500",
        "step": 3,
        "replace": {
            "Body(max_length=1000)]": "Body()]",
            "    save(session, *users)\n": (
                "    for start in range(0, len(users), 500):\n"
                "        save(session, *users[start : start + 500])\n"
            ),
        },
        "says": "each batch of users, is committed",
    },
    {
        "name": "who is active is counted before",
        "step": 4,
        "base": "tests/right/ex06_sqlalchemy",
        "replace": {
            "    users = db.scalars(active.values(is_active=False).returning(User.id)).all()\n": (
                "    users = db.scalars(select(User).where(User.id.in_(data.user_ids), User.is_active)).all()\n"
                "    db.execute(active.values(is_active=False))\n"
            ),
        },
        "says": "all requests count before one has written",
    },
    {
        "name": "a user who was read is remembered",
        "step": 4,
        "replace": {
            "    user = session.get(User, user_id)\n": (
                "    seen = read_user.__dict__\n"
                "    user = seen.get(user_id) or session.get(User, user_id)\n"
                "    seen[user_id] = user\n"
            ),
            "    session.commit()\n    return {": (
                "    session.commit()\n"
                "    for user_id in user_ids:\n"
                "        read_user.__dict__.pop(user_id, None)\n"
                "    return {"
            ),
        },
        "says": "where another process does not see it",
    },
    {
        "name": "only the first 150 ids",
        "step": 4,
        "replace": {"col(User.id).in_(user_ids)": "col(User.id).in_(user_ids[:150])"},
        "says": "only so many of the list are looked at",
    },
    {
        "name": "404 when nobody was active",
        "step": 4,
        "replace": {
            "    session.commit()\n    return {": (
                "    session.commit()\n"
                "    if not count:\n"
                "        raise HTTPException(404, 'No active users found')\n"
                "    return {"
            ),
        },
        "says": "is no error",
    },
    {
        "name": "rows found again by their names",
        "step": 1,
        "replace": {
            "    save(session, *users)\n    return users\n": (
                "    save(session, *users)\n"
                "    by_name = {user.name: user for user in users}\n"
                "    return [by_name[user.name] for user in users]\n"
            ),
        },
        "says": "answer the objects",
    },
    {
        "name": "users who are not there remembered",
        "step": 1,
        "replace": {
            "    user = session.get(User, user_id)\n    if user is None:\n": (
                "    gone = read_user.__dict__\n"
                "    user = None if user_id in gone else session.get(User, user_id)\n"
                "    if user is None:\n"
                "        gone[user_id] = True\n"
            ),
        },
        "says": "it is remembered in memory that there was no such row",
    },
    {
        "name": "addresses looked for with LIKE",
        "step": 1,
        "replace": {
            CREATE_MANY: (
                "    for one in data:\n"
                "        same = select(User).where(col(User.email).ilike(one.email))\n"
                "        if session.exec(same).first():\n"
                "            raise HTTPException(409, 'Email already registered')\n" + CREATE_MANY
            ),
        },
        "says": "compare with ==",
    },
    {
        "name": "no ids are an empty list",
        "step": 4,
        "replace": {
            "Annotated[list[ListedId], Body(embed=True, max_length=1000)]": (
                "Annotated[list[ListedId] | None, Body(embed=True, max_length=1000)]"
            ),
            "col(User.id).in_(user_ids)": "col(User.id).in_(user_ids or [])",
        },
        "says": "the ids are not declared as list[int]",
    },
    {
        "name": "deactivated in batches of 500, each committed",
        "step": 4,
        "replace": {
            DEACTIVATE: (
                "    count = 0\n"
                "    for start in range(0, len(user_ids), 500):\n"
                "        batch = user_ids[start : start + 500]\n"
                "        active = update(User).where(col(User.id).in_(batch), col(User.is_active))\n"
                "        count += session.exec(active.values(is_active=False)).rowcount\n"
                "        session.commit()\n"
            ),
        },
        "says": "each batch of users is committed",
    },
    {
        "name": "one list at a time, the next is refused",
        "step": 3,
        "replace": {
            "app = FastAPI(": "import threading\n\nRUNNING = threading.Lock()\napp = FastAPI(",
            "    save(session, *users)\n    return users\n": (
                "    if not RUNNING.acquire(blocking=False):\n"
                "        raise HTTPException(409, 'Another import is running')\n"
                "    try:\n"
                "        save(session, *users)\n"
                "    finally:\n"
                "        RUNNING.release()\n"
                "    return users\n"
            ),
        },
        "says": "a request that meets another one is refused",
    },
    {
        "name": "the same list again answered as the first time",
        "step": 2,
        "replace": {
            CREATE_MANY: (
                "    key = repr(data)\n"
                "    seen = create_users.__dict__\n"
                "    if key not in seen:\n"
                "        users = [User.model_validate(one) for one in data]\n"
                "        save(session, *users)\n"
                "        seen[key] = users\n"
                "    return seen[key]\n"
            ),
        },
        "says": "the same list again is answered",
    },
    {
        "name": "stored after the answer",
        "step": 3,
        "replace": {
            "        yield session\n": "        yield session\n        session.commit()\n",
            "        session.commit()\n    except IntegrityError": "        session.flush()\n    except IntegrityError",
        },
        "says": "the commit stands after the `yield`",
    },
    {
        "name": "deactivated in the background",
        "step": 4,
        "replace": {
            "from fastapi import Body": "from fastapi import BackgroundTasks, Body",
            "def deactivate_users(user_ids: UserIds, session: SessionDep)": (
                "def deactivate_users(user_ids: UserIds, session: SessionDep, tasks: BackgroundTasks)"
            ),
            DEACTIVATE: (
                "    active = select(User).where(col(User.id).in_(user_ids), col(User.is_active))\n"
                "    count = len(session.exec(active).all())\n"
                "    tasks.add_task(later, user_ids)\n"
            ),
            "app = FastAPI(": (
                "def later(user_ids):\n"
                "    with Session(engine) as session:\n"
                "        listed = update(User).where(col(User.id).in_(user_ids))\n"
                "        session.exec(listed.values(is_active=False))\n"
                "        session.commit()\n\n\n"
                "app = FastAPI("
            ),
        },
        "says": "the work is left to a background task",
    },
]
