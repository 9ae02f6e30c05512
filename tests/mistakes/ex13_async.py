"""Wrong solutions of exercise 13 that learners write."""

MISTAKES = [
    {
        "name": "no commit",
        "step": 1,
        "replace": {
            "await session.commit()\n    except": "await session.flush()\n    except",
        },
        "says": "no commit",
    },
    {
        "name": "commit not awaited",
        "step": 1,
        "replace": {
            "        await session.commit()\n    except": "        session.commit()\n    except"
        },
        "says": "an `await` is missing",
    },
    {
        "name": "rows expire at the commit",
        "step": 1,
        "replace": {", expire_on_commit=False": ""},
        "says": "expire_on_commit=False",
    },
    {
        "name": "session never closed",
        "step": 1,
        "replace": {
            "    async with AsyncSession(engine, expire_on_commit=False) as session:\n"
            "        yield session": "    yield AsyncSession(engine, expire_on_commit=False)",
        },
        "says": "the session is never closed",
    },
    {
        "name": "delete not awaited",
        "step": 3,
        "replace": {"await session.delete(user)": "session.delete(user)"},
        "says": "without await does nothing",
    },
    {
        "name": "lazy load",
        "step": 4,
        "replace": {", options=loaded": ""},
        "says": "a lazy load in async code",
    },
    {
        "name": "one statement for each post",
        "step": 4,
        "replace": {
            "    user = await session.get(User, user_id, options=loaded)\n": (
                "    user = await session.get(User, user_id, options=loaded)\n"
                "    for post in user.posts if user else []:\n"
                "        await session.refresh(post)\n"
            )
        },
        "says": "N+1",
    },
    {
        "name": "posts left behind",
        "step": 4,
        "replace": {
            "    await session.delete(user)\n": (
                "    from sqlmodel import delete\n\n"
                "    await session.exec(delete(User).where(col(User.id) == user.id))\n"
            )
        },
        "says": "still point at the user",
    },
    {
        "name": "sync session in an async route",
        "step": 5,
        "replace": {
            "    return (await session.exec(statement)).all()": (
                "    from sqlmodel import Session, create_engine\n\n"
                "    with Session(create_engine(url)) as sync_session:\n"
                "        return sync_session.exec(statement).all()"
            )
        },
        "says": "blocked the event loop",
    },
    {
        "name": "sync session in a plain route",
        "step": 5,
        "replace": {
            "async def list_users(": "def list_users(",
            "    return (await session.exec(statement)).all()": (
                "    from sqlmodel import Session, create_engine\n\n"
                "    with Session(create_engine(url)) as sync_session:\n"
                "        return sync_session.exec(statement).all()"
            ),
        },
        "says": "in a worker thread",
    },
    {
        "name": "one session for all",
        "step": 6,
        "replace": {
            """    async with AsyncSession(engine, expire_on_commit=False) as session:
        yield session""": "    yield only_session",
            "SessionDep =": (
                "only_session = AsyncSession(engine, expire_on_commit=False)\nSessionDep ="
            ),
        },
        "says": "one AsyncSession for all requests",
    },
    {
        "name": "select before insert as the only guard",
        "step": 6,
        "replace": {
            "async def create_user(data: UserCreate, session: SessionDep) -> User:": (
                "async def create_user(data: UserCreate, session: SessionDep) -> User:\n"
                "    taken = select(User).where(User.email == data.email)\n"
                "    if (await session.exec(taken)).first():\n"
                '        raise HTTPException(409, "Email already registered")'
            ),
            "except IntegrityError:": "except ZeroDivisionError:",
        },
        "says": "nobody caught the IntegrityError",
    },
    {
        "name": "commit after the answer",
        "step": 7,
        "replace": {
            "        yield session": "        yield session\n        await session.commit()",
            "await session.commit()\n    except": "await session.flush()\n    except",
        },
        "says": "before the commit",
    },
]
