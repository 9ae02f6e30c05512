"""Wrong solutions of exercise 06 that learners write."""

CREATE_MANY = """    users = [User.model_validate(one) for one in data]
    save(session, *users)
    return users
"""
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
        "says": "are skipped and the rest is stored",
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
]
