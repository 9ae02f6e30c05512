"""Wrong solutions of exercise 07 that learners write."""

SOFT_DELETE = """    user = update(User).where(col(User.id) == user_id, NOT_DELETED)
    if not session.exec(user.values(deleted_at=datetime.now(UTC), is_active=False)).rowcount:
        raise HTTPException(404, "User not found")
    session.commit()
"""
RESTORE = """    deleted = update(User).where(col(User.id) == user_id, ~NOT_DELETED)
    session.exec(deleted.values(deleted_at=None, is_active=True))
    session.commit()
    return get_user(user_id, session)
"""
LIST = """    return session.exec(statement.order_by(col(User.id)).offset(skip).limit(limit)).all()
"""
SHOWN = "    statement = select(User) if include_deleted else select(User).where(NOT_DELETED)\n"

MISTAKES = [
    {
        "name": "hard delete",
        "step": 1,
        "replace": {
            SOFT_DELETE: "    session.delete(get_user(user_id, session))\n    session.commit()\n"
        },
        "says": "session.delete() removed the row",
    },
    {
        "name": "no commit",
        "step": 1,
        "replace": {
            'raise HTTPException(404, "User not found")\n    session.commit()\n': (
                'raise HTTPException(404, "User not found")\n'
            )
        },
        "says": "no session.commit()",
    },
    {
        "name": "is_active forgotten",
        "step": 1,
        "replace": {
            "deleted_at=datetime.now(UTC), is_active=False": "deleted_at=datetime.now(UTC)"
        },
        "says": "the other field is forgotten",
    },
    {
        "name": "a flag in place of the time",
        "step": 1,
        "replace": {
            "deleted_at: datetime | None = Field(default=None, index=True)": (
                "deleted_at: bool | None = None"
            ),
            "deleted_at=datetime.now(UTC)": "deleted_at=True",
        },
        "says": "not a time",
    },
    {
        "name": "a day in place of the time",
        "step": 1,
        "replace": {
            "deleted_at: datetime | None": "deleted_at: date | None",
            "import UTC, datetime": "import date",
            "datetime.now(UTC)": "date.today()",
        },
        "says": "not a time",
    },
    {
        "name": "deleted user can be read",
        "step": 2,
        "replace": {"if user is None or user.deleted_at:": "if user is None:"},
        "says": "finds deleted users too",
    },
    {
        "name": "deleted user is listed",
        "step": 2,
        "replace": {SHOWN: "    statement = select(User)\n"},
        "says": "the query has no .where(",
    },
    {
        "name": "include_deleted without a type",
        "step": 2,
        "replace": {"include_deleted: bool = False": "include_deleted = False"},
        "says": "the text 'false' is true",
    },
    {
        "name": "left out after the limit",
        "step": 2,
        "replace": {
            SHOWN: "    statement = select(User)\n",
            LIST: """    page = statement.order_by(col(User.id)).offset(skip).limit(limit)
    users = session.exec(page).all()
    return [user for user in users if include_deleted or not user.deleted_at]
""",
        },
        "says": "after OFFSET and LIMIT",
    },
    {
        "name": "Python's is in place of SQL's",
        "step": 2,
        "replace": {
            SHOWN: SHOWN.replace("NOT_DELETED", "User.deleted_at is None"),
        },
        "says": "is Python, and False",
    },
    {
        "name": "route below the one with an id",
        "step": 2,
        "replace": {
            '@app.get("/users/active")': '@app.get("/users/{user_id}/../active")',
            '@app.patch("/users/{user_id}")': (
                'app.get("/users/active")(list_active_users)\n\n\n@app.patch("/users/{user_id}")'
            ),
        },
        "says": "move it above",
    },
    {
        "name": "restore looks among the visible",
        "step": 3,
        "replace": {
            RESTORE: """    user = get_user(user_id, session)
    user.deleted_at, user.is_active = None, True
    return save(session, user)
"""
        },
        "says": "cannot find the one to restore",
    },
    {
        "name": "restored but inactive",
        "step": 3,
        "replace": {"deleted_at=None, is_active=True": "deleted_at=None"},
        "says": "undo both",
    },
    {
        "name": "second delete writes the time anew",
        "step": 4,
        "replace": {"col(User.id) == user_id, NOT_DELETED": "col(User.id) == user_id"},
        "says": "writes the time anew",
    },
    {
        "name": "second delete writes the time anew, in whole seconds",
        "step": 4,
        "replace": {
            "import UTC, datetime": "import datetime",
            "from sqlmodel import Field,": "from sqlmodel import Field, func,",
            "col(User.id) == user_id, NOT_DELETED": "col(User.id) == user_id",
            "datetime.now(UTC)": "func.now()",
        },
        "says": "writes the time anew",
    },
    {
        "name": "limit that does not reach the query",
        "step": 2,
        "replace": {
            "order_by(col(User.id)).offset(skip).limit(limit)": "order_by(col(User.id)).offset(skip)"
        },
        "says": "limit does not reach the query",
    },
    {
        "name": "list of all by another column",
        "step": 1,
        "replace": {
            "statement.order_by(col(User.id)).offset": "statement.order_by(col(User.is_active)).offset"
        },
        "says": "it is one list, by id",
    },
    {
        "name": "address looked for among the visible",
        "step": 5,
        "replace": {
            "    return save(session, User.model_validate(data))": (
                "    taken = select(User).where(User.email == data.email, NOT_DELETED)\n"
                "    if session.exec(taken).first():\n"
                '        raise HTTPException(409, "Email already registered")\n'
                "    return save(session, User.model_validate(data))"
            ),
            "except IntegrityError:": "except ZeroDivisionError:",
        },
        "says": "nobody caught the IntegrityError",
    },
    {
        "name": "no unique constraint",
        "step": 5,
        "replace": {
            ", unique=True": "",
            "    return save(session, User.model_validate(data))": (
                "    taken = select(User).where(User.email == data.email, NOT_DELETED)\n"
                "    if session.exec(taken).first():\n"
                '        raise HTTPException(409, "Email already registered")\n'
                "    return save(session, User.model_validate(data))"
            ),
        },
        "says": "unique constraint is gone",
    },
    {
        "name": "first user left out by default",
        "step": 2,
        "replace": {
            "skip: Skip = 0, limit: Limit = 10, include_deleted": "skip: Skip = 1, limit: Limit = 10, include_deleted",
        },
        "says": "skip has a default other than 0",
    },
    {
        "name": "active users in pages without an order",
        "step": 2,
        "database": "postgresql",
        "replace": {
            "col(User.is_active)).order_by(col(User.id))": "col(User.is_active))",
        },
        "says": "no ORDER BY the id",
    },
    {
        "name": "users in a cache that one process empties",
        "step": 2,
        "base": "tests/right/ex07_sqlalchemy.py",
        "replace": {
            "app = FastAPI()": "app = FastAPI()\ncache = {}",
            "    return find(db, user_id)\n": """    if user_id not in cache:
        cache[user_id] = UserOut.model_validate(find(db, user_id))
    return cache[user_id]
""",
            "        user.deleted_at, user.is_active = func.now(), False\n": """        user.deleted_at, user.is_active = func.now(), False
        cache.pop(user_id, None)
""",
        },
        "says": "remembered in memory",
    },
    {
        "name": "the first id refused",
        "step": 1,
        "replace": {
            "UserId = Annotated[int, Path(ge=1,": "UserId = Annotated[int, Path(gt=1,",
        },
        "says": "smallest id",
    },
    {
        "name": "list of active cut at a hundred",
        "step": 2,
        "base": "tests/right/ex07_sqlalchemy",
        "replace": {
            "db.scalars(users.order_by(User.name)).all()": "db.scalars(users.order_by(User.name).limit(100)).all()",
        },
        "says": "a limit cuts the list",
    },
    {
        "name": "list of active cut at ten",
        "step": 2,
        "base": "tests/right/ex07_sqlalchemy",
        "replace": {
            "db.scalars(users.order_by(User.name)).all()": "db.scalars(users.order_by(User.id.desc()).limit(10)).all()",
        },
        "says": "a limit cuts the list",
    },
    {
        "name": "names tidied by the deletion",
        "step": 1,
        "base": "tests/right/ex07_repository",
        "replace": {
            (
                "        user = self.get(user_id)\n"
                "        user.deleted_at, user.is_active = datetime.now(UTC), False\n"
                "        return self.put(user)"
            ): (
                "        user = self.get(user_id)\n"
                "        user.deleted_at, user.is_active = datetime.now(UTC), False\n"
                "        user.name = user.name.strip().title()\n"
                "        return self.put(user)"
            ),
        },
        "says": "only deleted_at and is_active change",
    },
    {
        "name": "include_deleted only without skip",
        "step": 2,
        "base": "tests/right/ex07_sqlalchemy",
        "replace": {
            "    if not include_deleted:\n": "    if not include_deleted or skip > 50:\n",
        },
        "says": "include_deleted does not reach",
    },
    {
        "name": "deleted_at of the first deletion again",
        "step": 3,
        "base": "tests/right/ex07_repository",
        "replace": {
            "    deleted_at: datetime | None = None\n": (
                "    deleted_at: datetime | None = None\n"
                "    first_time: datetime | None = Field(default=None, exclude=True)\n"
            ),
            "            user.deleted_at, user.is_active = None, True\n": (
                "            user.first_time = user.deleted_at\n"
                "            user.deleted_at, user.is_active = None, True\n"
            ),
            "user.deleted_at, user.is_active = datetime.now(UTC), False": "user.deleted_at, user.is_active = user.first_time or datetime.now(UTC), False",
        },
        "says": "the time of the first deletion is kept",
    },
    {
        "name": "a second deletion removes the row",
        "step": 4,
        "base": "tests/right/ex07_sqlalchemy",
        "replace": {
            (
                "    if user.deleted_at is None:\n"
                "        user.deleted_at, user.is_active = func.now(), False\n"
                "    db.commit()"
            ): (
                "    if user.deleted_at is None:\n"
                "        user.deleted_at, user.is_active = func.now(), False\n"
                "    elif user.name != 'Ada Lovelace':\n"
                "        db.delete(user)\n"
                "    db.commit()"
            ),
        },
        "says": "session.delete() removed the row",
    },
    {
        "name": "a hidden user makes way for an address alone",
        "step": 5,
        "base": "tests/right/ex07_repository",
        "replace": {
            "    user.sqlmodel_update(changes)\n": (
                "    if 'email' in changes and len(changes) == 1:\n"
                "        hidden = users.session.exec(select(User).where(User.email == changes['email'], col(User.deleted_at).is_not(None))).first()\n"
                "        if hidden:\n"
                "            users.session.delete(hidden)\n"
                "            users.session.flush()\n"
                "    user.sqlmodel_update(changes)\n"
            ),
        },
        "says": "the constraint sees hidden rows too",
    },
    {
        "name": "no limit for the list of all",
        "step": 1,
        "base": "tests/right/ex07_repository",
        "replace": {
            "        statement = select(User).order_by(col(User.id)).offset(skip).limit(limit)\n": (
                "        statement = select(User).order_by(col(User.id)).offset(skip)\n"
                "        statement = statement if deleted else statement.limit(limit)\n"
            ),
        },
        "says": "skip or limit does not reach",
    },
    {
        "name": "PATCH writes all columns",
        "step": 2,
        "replace": {
            "    user.sqlmodel_update(data.model_dump(exclude_unset=True))\n": (
                "    row = user.model_dump() | data.model_dump(exclude_unset=True)\n"
                "    session.exec(update(User).where(col(User.id) == user.id).values(**row))\n"
            ),
        },
        "says": "PATCH writes the whole row",
    },
    {
        "name": "local time written as UTC",
        "step": 1,
        "base": "tests/right/ex07_sqlalchemy",
        "replace": {
            "Mapped[datetime | None] = mapped_column(DateTime(timezone=True))": "Mapped[str | None]",
            "    deleted_at: datetime | None\n": "    deleted_at: str | None\n",
            "func.now(), False": (
                "(datetime.utcnow() + __import__('datetime').timedelta(hours=2)).strftime("
                "'%Y-%m-%dT%H:%M:%SZ'), False"
            ),
        },
        "says": "Z says UTC",
    },
    {
        "name": "moved to another table, and the id is free",
        "step": 1,
        "base": "tests/right/ex07_sqlalchemy",
        "replace": {
            "def get_db()": (
                "class Gone(Base):\n"
                "    __tablename__ = 'gone'\n"
                "    id: Mapped[int] = mapped_column(primary_key=True)\n"
                "    name: Mapped[str]\n"
                "    email: Mapped[str] = mapped_column(unique=True)\n"
                "    is_active: Mapped[bool]\n"
                "    deleted_at: Mapped[datetime]\n"
                "\n"
                "\n"
                "def get_db()"
            ),
            "    return db.scalars(users).all()\n": (
                "    if include_deleted:\n"
                "        rows = [*db.scalars(select(User)), *db.scalars(select(Gone))]\n"
                "        return sorted(rows, key=lambda row: row.id)[skip : skip + limit]\n"
                "    return db.scalars(users).all()\n"
            ),
            "        user.deleted_at, user.is_active = func.now(), False\n": (
                "        db.delete(user)\n"
                "        now = datetime.utcnow()\n"
                "        row = {'name': user.name, 'email': user.email, 'deleted_at': now}\n"
                "        db.add(Gone(id=user.id, is_active=False, **row))\n"
            ),
        },
        "says": "frees its id",
    },
    {
        "name": "users who are not there remembered",
        "step": 2,
        "replace": {
            "    user = session.get(User, user_id)\n    if user is None or user.deleted_at:\n": (
                "    gone = get_user.__dict__\n"
                "    user = None if user_id in gone else session.get(User, user_id)\n"
                "    if user is None:\n"
                "        gone[user_id] = True\n"
                "    if user is None or user.deleted_at:\n"
            ),
        },
        "says": "it is remembered in memory that there was no such row",
    },
    {
        "name": "deleted users remembered until they are restored",
        "step": 3,
        "replace": {
            "    user = session.get(User, user_id)\n    if user is None or user.deleted_at:\n": (
                "    gone = get_user.__dict__\n"
                "    if user_id in gone:\n"
                "        raise HTTPException(404, 'User not found')\n"
                "    user = session.get(User, user_id)\n"
                "    if user and user.deleted_at:\n"
                "        gone[user_id] = True\n"
                "    if user is None or user.deleted_at:\n"
            ),
            "    return get_user(user_id, session)\n": (
                "    get_user.__dict__.pop(user_id, None)\n    return get_user(user_id, session)\n"
            ),
        },
        "says": "no SQL was run for this answer",
    },
    {
        "name": "addresses looked for with LIKE",
        "step": 5,
        "replace": {
            '    """Store a new user."""\n': (
                '    """Store a new user."""\n'
                "    same = select(User).where(col(User.email).ilike(data.email))\n"
                "    if session.exec(same).first():\n"
                "        raise HTTPException(409, 'Email already registered')\n"
            ),
        },
        "says": "compare with ==",
    },
    {
        "name": "addresses of others looked for with LIKE in PATCH",
        "step": 5,
        "replace": {
            '    """Change the fields that are sent."""\n': (
                '    """Change the fields that are sent."""\n'
                "    like = col(User.email).ilike(data.email or '')\n"
                "    if session.exec(select(User).where(like, col(User.id) != user.id)).first():\n"
                "        raise HTTPException(409, 'Email already registered')\n"
            ),
        },
        "says": "compare with ==",
    },
    {
        "name": "deleted users are gone",
        "step": 2,
        "replace": {
            "    if user is None or user.deleted_at:\n": (
                "    if user and user.deleted_at:\n"
                "        raise HTTPException(410, 'User is deleted')\n"
                "    if user is None:\n"
            ),
        },
        "says": "the status is 410, not 404",
    },
    {
        "name": "a new user brings the deleted one back",
        "step": 5,
        "replace": {
            '    """Store a new user."""\n': (
                '    """Store a new user."""\n'
                "    gone = select(User).where(User.email == data.email, ~NOT_DELETED)\n"
                "    if user := session.exec(gone).first():\n"
                "        user.deleted_at, user.is_active = None, True\n"
                "        return save(session, user)\n"
            ),
        },
        "says": "the deleted user was brought back",
    },
    {
        "name": "time of the first deletion kept, in whole seconds",
        "step": 3,
        "replace": {
            "    deleted_at: datetime | None = Field(default=None, index=True)\n": (
                "    deleted_at: datetime | None = Field(default=None, index=True)\n"
                "    first: datetime | None = Field(default=None, exclude=True)\n"
            ),
            "    user = update(User).where(col(User.id) == user_id, NOT_DELETED)\n": (
                "    user = update(User).where(col(User.id) == user_id, NOT_DELETED)\n"
                "    now = func.coalesce(User.first, datetime.now(UTC).replace(microsecond=0))\n"
            ),
            "user.values(deleted_at=datetime.now(UTC), is_active=False)": (
                "user.values(deleted_at=now, first=now, is_active=False)"
            ),
            "from sqlmodel import Field": "from sqlmodel import func, Field",
        },
        "says": "the time of the first deletion is kept",
    },
    {
        "name": "deleted after the answer",
        "step": 1,
        "base": "tests/right/ex07_repository",
        "replace": {'Depends(get_users, scope="function")': "Depends(get_users)"},
        "says": "the commit stands after the `yield`",
    },
    {
        "name": "deleted in the background",
        "step": 1,
        "replace": {
            "from fastapi import Depends": "from fastapi import BackgroundTasks, Depends",
            "def soft_delete_user(user_id: UserId, session: SessionDep)": (
                "def soft_delete_user(user: UserDep, user_id: UserId, tasks: BackgroundTasks)"
            ),
            SOFT_DELETE: "    tasks.add_task(later, user_id)\n",
            "app = FastAPI(": (
                "def later(user_id):\n"
                "    with Session(engine) as session:\n"
                "        user = update(User).where(col(User.id) == user_id, NOT_DELETED)\n"
                "        session.exec(user.values(deleted_at=datetime.now(UTC), is_active=False))\n"
                "        session.commit()\n\n\n"
                "app = FastAPI("
            ),
        },
        "says": "the work is left to a background task",
    },
    {
        "name": "the address that the user has is taken",
        "step": 2,
        "replace": {
            "    user.sqlmodel_update(data": """    same = select(User).where(User.email == data.email)
    if data.email and session.exec(same).first():
        raise HTTPException(409, "Email already registered")
    user.sqlmodel_update(data"""
        },
        "says": "the one that the user has already",
    },
]
