"""Wrong solutions of exercise 07 that learners write."""

SQLALCHEMY = "tests/right/ex07_sqlalchemy.py"
REPOSITORY = "tests/right/ex07_repository.py"

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
        "name": "who is deleted is remembered in memory",
        "step": 1,
        "base": REPOSITORY,
        "replace": {
            "user.deleted_at, user.is_active = datetime.now(UTC), False\n        return self.put(user)": (
                "HIDDEN[user_id] = datetime.now(UTC)\n        return user"
            ),
            "return self.session.exec(statement).all()": (
                "users = self.session.exec(statement).all()\n"
                "        for user in users:\n"
                "            user.deleted_at = HIDDEN.get(user.id)\n"
                "            user.is_active = user.deleted_at is None\n"
                "            self.session.expunge(user)\n"
                "        return [user for user in users if deleted or user.is_active]"
            ),
            "class NotFound": "HIDDEN: dict[int | None, datetime] = {}\n\n\nclass NotFound",
        },
        "says": "remembered in memory",
    },
    {
        "name": "row deleted and kept in memory",
        "step": 1,
        "replace": {
            SOFT_DELETE: """    user = get_user(user_id, session)
    DELETED[user_id] = user.model_dump() | {"deleted_at": datetime.now(UTC), "is_active": False}
    session.delete(user)
    session.commit()
""",
            LIST: """    users = session.exec(statement.order_by(col(User.id)).offset(skip).limit(limit)).all()
    return [*users, *map(User.model_construct, DELETED)] if include_deleted else users
""",
            "UserDep = ": "DELETED: dict[int, dict[str, object]] = {}\nUserDep = ",
        },
        "says": "GET /users",
    },
    {
        "name": "two commits for the mark",
        "step": 1,
        "replace": {
            SOFT_DELETE: """    user = get_user(user_id, session)
    user.deleted_at = datetime.now(UTC)
    session.commit()
    user.is_active = False
    session.commit()
"""
        },
        "says": "in two transactions",
    },
    {
        "name": "time of the import",
        "step": 1,
        "base": SQLALCHEMY,
        "replace": {
            "user.deleted_at, user.is_active = func.now(), False": (
                "user.deleted_at, user.is_active = NOW, False"
            ),
            "def get_db(": "NOW = datetime.now()\n\n\ndef get_db(",
        },
        "says": "deleted_at",
    },
    {
        "name": "midnight",
        "step": 1,
        "replace": {"datetime.now(UTC)": "datetime.now(UTC).replace(hour=0, minute=0, second=0)"},
        "says": "or midnight",
    },
    {
        "name": "seconds since 1970",
        "step": 1,
        "replace": {
            "deleted_at: datetime | None": "deleted_at: float | None",
            "datetime.now(UTC)": "datetime.now(UTC).timestamp()",
        },
        "says": "not a time",
    },
    {
        "name": "time made anew for each answer",
        "step": 1,
        "base": REPOSITORY,
        "replace": {
            "    deleted_at: datetime | None = None\n    is_active: bool = True\n": (
                "    deleted_at: datetime | None = None\n    is_active: bool = True\n\n"
                '    @field_serializer("deleted_at")\n'
                "    def now(self, value: datetime | None) -> datetime | None:\n"
                "        return value and datetime.now(UTC)\n"
            ),
            "import AfterValidator": "import AfterValidator, field_serializer",
        },
        "says": "made anew for each answer",
    },
    {
        "name": "client chooses deleted_at",
        "step": 1,
        "replace": {
            "unique=True)\n\n\nclass User(": (
                "unique=True)\n    deleted_at: datetime | None = None\n\n\nclass User("
            )
        },
        "says": "the client decides",
    },
    {
        "name": "client changes deleted_at",
        "step": 1,
        "base": REPOSITORY,
        "replace": {
            "class UserChange(SQLModel):\n": (
                "class UserChange(SQLModel):\n    deleted_at: datetime | None = None\n"
            ),
        },
        "says": "that the client sent",
    },
    {
        "name": "name and address wiped",
        "step": 1,
        "replace": {"is_active=False)": 'is_active=False, name="(deleted)")'},
        "says": "only deleted_at and is_active change",
    },
    {
        "name": "deleted users behind the others",
        "step": 1,
        "base": SQLALCHEMY,
        "replace": {
            "select(User).order_by(User.id).offset": (
                "select(User).order_by(User.deleted_at.is_not(None), User.id).offset"
            )
        },
        "says": "listed apart",
    },
    {
        "name": "only the deleted are listed",
        "step": 1,
        "replace": {
            SHOWN: (
                "    condition = ~NOT_DELETED if include_deleted else NOT_DELETED\n"
                "    statement = select(User).where(condition)\n"
            )
        },
        "says": "chooses the deleted only",
    },
    {
        "name": "deleted_at from the start",
        "step": 1,
        "base": SQLALCHEMY,
        "replace": {
            "deleted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))": (
                "deleted_at: Mapped[datetime | None] = mapped_column(default=func.now())"
            ),
            "import DateTime, String": "import String",
            "user.deleted_at is None:\n        user.deleted_at, user.is_active = func": (
                "user.is_active:\n        user.deleted_at, user.is_active = func"
            ),
        },
        "says": "the column has a default",
    },
    {
        "name": "200 without a message",
        "step": 1,
        "base": SQLALCHEMY,
        "replace": {
            '/soft", status_code=204)': '/soft")',
            "    return Response(status_code=204)": "    return None",
            "-> Response:": "-> None:",
        },
        "says": "the answer is empty",
    },
    {
        "name": "PATCH finds deleted users",
        "step": 2,
        "base": SQLALCHEMY,
        "replace": {
            "    user = find(db, user_id)\n    for name": (
                "    user = find(db, user_id, deleted=True)\n    for name"
            )
        },
        "says": "PATCH finds its user by another way",
    },
    {
        "name": "PATCH of nothing finds deleted users",
        "step": 2,
        "base": REPOSITORY,
        "replace": {
            "    user = users.get(user_id)\n    user.sqlmodel": (
                "    user = users.get(user_id, deleted=not changes)\n    user.sqlmodel"
            )
        },
        "says": "PATCH finds its user by another way",
    },
    {
        "name": "PATCH without commit",
        "step": 2,
        "base": SQLALCHEMY,
        "replace": {
            "        setattr(user, name, value)\n    return commit(db, user)": (
                "        setattr(user, name, value)\n    db.flush()\n    return user"
            )
        },
        "says": "no session.commit()",
    },
    {
        "name": "active users are the deleted ones",
        "step": 2,
        "base": REPOSITORY,
        "replace": {
            "users.all(skip, limit, deleted=False, active=True)": (
                "users.all(skip, limit, deleted=True, active=False)"
            )
        },
        "says": "the query does not look at deleted_at",
    },
    {
        "name": "deleted users remembered for reading",
        "step": 2,
        "replace": {
            "if user is None or user.deleted_at:": "if user is None or user_id in HIDDEN:",
            SOFT_DELETE: SOFT_DELETE + "    HIDDEN.add(user_id)\n",
            "UserDep = ": "HIDDEN: set[int] = set()\nUserDep = ",
        },
        "says": "remembered in memory",
    },
    {
        "name": "found by a cache of those who are there",
        "step": 2,
        "replace": {
            "    user = session.get(User, user_id)\n    if": (
                "    user = SEEN.get(user_id) or session.get(User, user_id)\n"
                "    SEEN[user_id] = user\n    if"
            ),
            "    if user is None or user.deleted_at:": (
                "    if user:\n        session.expunge_all()\n"
                "    if user is None or user.deleted_at:"
            ),
            "SessionDep = ": "SEEN: dict[int, User | None] = {}\nSessionDep = ",
        },
        "says": "finds deleted users too",
    },
    {
        "name": "restore as the user was when the server started",
        "step": 3,
        "replace": {
            RESTORE: """    user = session.get(User, user_id)
    if user is None:
        raise HTTPException(404, "User not found")
    user.sqlmodel_update(KEPT.pop(user_id, {}))
    return save(session, user)
""",
            SOFT_DELETE: (
                "    KEPT[user_id] = get_user(user_id, session).model_dump()\n"
                "    session.expunge_all()\n"
            )
            + SOFT_DELETE,
            "UserDep = ": "KEPT: dict[int, dict[str, object]] = {}\nUserDep = ",
        },
        "says": "remembered in memory",
    },
    {
        "name": "everybody restored",
        "step": 3,
        "replace": {"col(User.id) == user_id, ~NOT_DELETED": "~NOT_DELETED"},
        "says": "the WHERE is missing",
    },
    {
        "name": "restore without commit",
        "step": 3,
        "replace": {
            "is_active=True))\n    session.commit()\n": "is_active=True))\n",
        },
        "says": "and to commit",
    },
    {
        "name": "restore answers what it was",
        "step": 3,
        "base": REPOSITORY,
        "replace": {
            "def restore_user(user_id: int, users: UsersDep) -> User:\n    return users": (
                "def restore_user(user_id: int, users: UsersDep) -> dict[str, object]:\n"
                "    before = users.get(user_id, deleted=True).model_dump()\n"
                "    users.show(user_id)\n"
                "    return before\n\n\n"
                "def unused(user_id: int, users: UsersDep) -> User:\n    return users"
            )
        },
        "says": "another state than the restored one",
    },
    {
        "name": "restore answers an emptied object",
        "step": 3,
        "replace": {
            "    session.commit()\n    return get_user(user_id, session)": (
                "    user = get_user(user_id, session)\n    session.commit()\n    return user"
            )
        },
        "says": "empty object",
    },
    {
        "name": "restore is 201",
        "step": 3,
        "base": REPOSITORY,
        "replace": {
            '@app.post("/users/{user_id}/restore")': (
                '@app.post("/users/{user_id}/restore", status_code=201)'
            )
        },
        "says": "the status is 201, not 200",
    },
    {
        "name": "restore in two commits",
        "step": 3,
        "base": SQLALCHEMY,
        "replace": {
            "    user.deleted_at, user.is_active = None, True\n": (
                "    user.deleted_at = None\n    db.commit()\n    user.is_active = True\n"
            )
        },
        "says": "in two transactions",
    },
    {
        "name": "restore makes a copy",
        "step": 3,
        "base": SQLALCHEMY,
        "replace": {
            "    user.deleted_at, user.is_active = None, True\n": (
                "    db.delete(user)\n    db.flush()\n"
                "    db.add(User(name=user.name, email=user.email))\n"
            )
        },
        "says": "undo both",
    },
    {
        "name": "name as it was at the first",
        "step": 3,
        "base": REPOSITORY,
        "replace": {
            "            user.deleted_at, user.is_active = None, True\n": (
                "            user.deleted_at, user.is_active = None, True\n"
                "            user.name = 'Ada Lovelace'\n"
            )
        },
        "says": "the field 'name'",
    },
    {
        "name": "second delete restores",
        "step": 4,
        "base": REPOSITORY,
        "replace": {
            "        user = self.get(user_id)\n        user.deleted_at, user.is_active = ": (
                "        user = self.get(user_id, deleted=True)\n"
                "        if user.deleted_at:\n"
                "            return self.show(user_id)\n"
                "        user.deleted_at, user.is_active = "
            )
        },
        "says": "the field 'deleted_at' is null",
    },
    {
        "name": "second delete is an error of the server",
        "step": 4,
        "base": SQLALCHEMY,
        "replace": {
            "    if user.deleted_at is None:\n        user.deleted_at, user.is_active": (
                "    assert user.deleted_at is None\n"
                "    if user.deleted_at is None:\n        user.deleted_at, user.is_active"
            )
        },
        "says": "AssertionError",
    },
    {
        "name": "restore of somebody who is there deletes",
        "step": 4,
        "base": REPOSITORY,
        "replace": {
            "        if user.deleted_at is not None:\n            user.deleted_at, user.is_active": (
                "        if user.deleted_at is None:\n"
                "            return self.hide(user_id)\n"
                "        if user.deleted_at is not None:\n"
                "            user.deleted_at, user.is_active"
            )
        },
        "says": "restore takes for granted",
    },
    {
        "name": "POST restores",
        "step": 5,
        "base": SQLALCHEMY,
        "replace": {
            "    user = User(**data.model_dump())\n    db.add(user)\n": (
                "    user = db.scalar(select(User).where(User.email == data.email))\n"
                "    if user is None or user.deleted_at is None:\n"
                "        user = User(**data.model_dump())\n"
                "    user.deleted_at, user.is_active = None, True\n"
                "    db.add(user)\n"
            )
        },
        "says": "the address is looked for",
    },
    {
        "name": "POST refuses, and restores",
        "step": 5,
        "base": SQLALCHEMY,
        "replace": {
            "    user = User(**data.model_dump())\n    db.add(user)\n": (
                "    user = db.scalar(select(User).where(User.email == data.email))\n"
                "    if user:\n"
                "        user.deleted_at = None\n"
                "        db.commit()\n"
                '        raise HTTPException(409, "Email already registered")\n'
                "    user = User(**data.model_dump())\n"
                "    db.add(user)\n"
            )
        },
        "says": "POST changes the deleted user",
    },
    {
        "name": "constraint over those who are there",
        "step": 5,
        "base": SQLALCHEMY,
        "replace": {
            "    email: Mapped[str] = mapped_column(String(254), unique=True)\n": (
                "    email: Mapped[str] = mapped_column(String(254))\n"
            ),
            "class UserIn(": (
                'Index("uq", User.email, unique=True, sqlite_where=User.deleted_at.is_(None))\n\n\n'
                "class UserIn("
            ),
            "import DateTime, String": "import DateTime, Index, String",
        },
        "says": "the unique constraint is gone",
    },
    {
        "name": "taken addresses remembered in memory",
        "step": 5,
        "base": REPOSITORY,
        "replace": {
            ", unique=True": "",
            "    return users.put(User.model_validate(data))": (
                "    if data.email in TAKEN:\n"
                "        raise Taken\n"
                "    TAKEN.add(data.email)\n"
                "    return users.put(User.model_validate(data))"
            ),
            "class NotFound": "TAKEN: set[str] = set()\n\n\nclass NotFound",
        },
        "says": "the unique constraint is gone",
    },
    {
        "name": "address of a deleted user changed to set it free",
        "step": 5,
        "replace": {
            "    return save(session, User.model_validate(data))": (
                "    old = select(User).where(User.email == data.email, ~NOT_DELETED)\n"
                "    if user := session.exec(old).first():\n"
                '        user.email = f"deleted-{user.id}-{user.email}"\n'
                "        session.commit()\n"
                "    return save(session, User.model_validate(data))"
            )
        },
        "says": "the address is looked for",
    },
    {
        "name": "PATCH takes the address of a deleted user",
        "step": 5,
        "base": SQLALCHEMY,
        "replace": {
            "String(254), unique=True": "String(254)",
            "    user = User(**data.model_dump())\n    db.add(user)\n": (
                "    if db.scalar(select(User).where(User.email == data.email)):\n"
                '        raise HTTPException(400, "Email already registered")\n'
                "    user = User(**data.model_dump())\n"
                "    db.add(user)\n"
            ),
            "    user = find(db, user_id)\n    for name": (
                "    user = find(db, user_id)\n"
                "    same = select(User).where(User.email == data.email, User.id != user_id)\n"
                "    if db.scalar(same.where(User.deleted_at.is_(None))):\n"
                '        raise HTTPException(400, "Email already registered")\n'
                "    for name"
            ),
        },
        "says": "the unique constraint is gone",
    },
    {
        "name": "one's own address is taken",
        "step": 5,
        "base": SQLALCHEMY,
        "replace": {
            "    user = find(db, user_id)\n    for name": (
                "    user = find(db, user_id)\n"
                "    if db.scalar(select(User).where(User.email == data.email)):\n"
                '        raise HTTPException(400, "Email already registered")\n'
                "    for name"
            ),
        },
        "says": "it is the user's own address",
    },
    {
        "name": "the name is stored though the address is refused",
        "step": 5,
        "base": SQLALCHEMY,
        "replace": {
            "        setattr(user, name, value)\n": (
                "        setattr(user, name, value)\n        commit(db, user)\n"
            )
        },
        "says": "the refused PATCH changed the row",
    },
]
