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
    {
        "name": "PUT changes every name",
        "step": 3,
        "replace": {
            "    return await save(session, user.sqlmodel_update(data.model_dump()))": """    await session.exec(__import__('sqlmodel').update(User).values(name=data.name))
    return await save(session, user.sqlmodel_update(data.model_dump()))"""
        },
        "says": "without a WHERE for this one user",
    },
    {
        "name": "posts deleted in a commit of their own",
        "step": 4,
        "replace": {
            """    await session.delete(user)
    await session.commit()""": """    from sqlmodel import delete
    await session.exec(delete(Post).where(col(Post.author_id) == user.id))
    await session.commit()
    await session.delete(user)
    await session.commit()"""
        },
        "says": "committed",
    },
    {
        "name": "each post read once more",
        "step": 4,
        "replace": {
            """options=loaded)
""": """options=loaded)
    for post in (user.posts if user else []):
        await session.exec(select(Post).where(Post.id == post.id))
"""
        },
        "says": "statements",
    },
    {
        "name": "PUT creates who is not there",
        "step": 3,
        "replace": {
            "async def update_user(user: UserDep, data: UserCreate, session: SessionDep)": "async def update_user(user_id: Id, data: UserCreate, session: SessionDep)",
            "    return await save(session, user.sqlmodel_update(data.model_dump()))": """    user = await session.get(User, user_id) or User(id=user_id)
    return await save(session, user.sqlmodel_update(data.model_dump()))""",
        },
        "says": "404",
    },
]
