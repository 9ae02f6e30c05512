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
    {
        "name": "PUT deletes the row and stores a new one",
        "step": 4,
        "replace": {
            "    return await save(session, user.sqlmodel_update(data.model_dump()))": (
                "    user_id = user.id\n"
                "    await session.delete(user)\n"
                "    await session.flush()\n"
                "    return await save(session, User(id=user_id, **data.model_dump()))"
            )
        },
        "says": "the posts go with the old",
    },
    {
        "name": "no limit above 50, without a word",
        "step": 2,
        "replace": {".offset(skip).limit(limit)": ".offset(skip).limit(min(limit, 50))"},
        "says": "the app has a limit of its own",
    },
    {
        "name": "DELETE with a session that nobody closes",
        "step": 3,
        "replace": {
            "async def delete_user(user: UserDep, session: SessionDep) -> None:\n": (
                "async def delete_user(user_id: Id) -> None:\n"
            ),
            "    await session.delete(user)\n": (
                "    session = AsyncSession(engine)\n"
                "    kept.append(session)\n"
                "    await session.delete(await get_user(user_id, session))\n"
            ),
            "app = FastAPI(": "kept: list[AsyncSession] = []\napp = FastAPI(",
        },
        "says": "the request kept its connection",
    },
    {
        "name": "posts by their titles",
        "step": 4,
        "replace": {
            "class UserWithPosts(UserCreate):": (
                "class Title(SQLModel):\n    title: str\n\n\nclass UserWithPosts(UserCreate):"
            ),
            "    posts: list[Post]\n": "    posts: list[Title]\n",
        },
        "says": "a post has its id, its title and its content",
    },
    {
        "name": "ten posts at most",
        "step": 4,
        "replace": {
            "    return user\n\n\nUserDep": "    return user\n\n\nUserDep",
            "async def read_user_with_posts(user_id: Id, session: SessionDep) -> User:": (
                "async def read_user_with_posts(user_id: Id, session: SessionDep) -> Any:"
            ),
            "from typing import Annotated": "from typing import Annotated, Any",
            """    user = await session.get(User, user_id, options=loaded)
    if user is None:
        raise HTTPException(404, "User not found")
    return user
""": """    user = await session.get(User, user_id, options=loaded)
    if user is None:
        raise HTTPException(404, "User not found")
    return user.model_dump() | {"posts": user.posts[:10]}
""",
        },
        "says": "the list of posts has a limit",
    },
    {
        "name": "commit in a task that nobody awaits",
        "step": 1,
        "replace": {
            "        await session.commit()\n    except IntegrityError:": (
                "        await session.flush()\n"
                "        asyncio.get_running_loop().create_task(session.commit())\n"
                "    except IntegrityError:"
            ),
            "import os\n": "import asyncio\nimport os\n",
        },
        "says": "the commit is not awaited, and still runs",
    },
    {
        "name": "tables dropped at the start",
        "step": 1,
        "replace": {
            "        await connection.run_sync(SQLModel.metadata.create_all)": (
                "        await connection.run_sync(SQLModel.metadata.drop_all)\n"
                "        await connection.run_sync(SQLModel.metadata.create_all)"
            )
        },
        "says": "the tables are dropped, or made anew",
    },
    {
        "name": "the own address found by the look for it",
        "step": 3,
        "replace": {
            "    session.add(user)\n    try:": (
                "    same = select(User.id).where(User.email == user.email)\n"
                "    if (await session.exec(same)).first():\n"
                '        raise HTTPException(409, "Email already registered")\n'
                "    session.add(user)\n"
                "    try:"
            )
        },
        "says": "which autoflush has written already",
    },
    {
        "name": "author taken for there when the number is low",
        "step": 4,
        "replace": {
            "    await get_user(data.author_id, session)\n": (
                "    newest = (await session.exec(select(User.id).order_by(col(User.id).desc()))).first()\n"
                "    if data.author_id > (newest or 0):\n"
                '        raise HTTPException(404, "User not found")\n'
            )
        },
        "says": "the user is not looked for",
    },
    {
        "name": "posts deleted by their titles",
        "step": 4,
        "replace": {
            "    await session.delete(user)\n": (
                "    titles = select(Post.title).where(Post.author_id == user.id)\n"
                "    for post in await session.exec(select(Post).where(col(Post.title).in_(titles))):\n"
                "        await session.delete(post)\n"
                "    await session.delete(user)\n"
            )
        },
        "says": "without a WHERE for this one user",
    },
    {
        "name": "one user of each name",
        "step": 1,
        "replace": {
            "    name: str = Field(min_length=2, max_length=50)": (
                "    name: str = Field(min_length=2, max_length=50, unique=True)"
            )
        },
        "says": "only the address is unique",
    },
    {
        "name": "at most twenty posts",
        "step": 4,
        "replace": {
            "    user = await session.get(User, user_id, options=loaded)\n": (
                "    user = await session.get(User, user_id, options=loaded)\n"
                "    if user is not None:\n"
                "        first = user.posts[:20]\n"
                "        return UserWithPosts(**user.model_dump(), posts=first)\n"
            )
        },
        "says": "the list of posts has a limit",
    },
    {
        "name": "skip compared with ids",
        "step": 2,
        "replace": {
            "select(User).order_by(col(User.id)).offset(skip)": (
                "select(User).where(User.id > skip).order_by(col(User.id))"
            )
        },
        "says": "skip is compared with ids",
    },
    {
        "name": "name and address changed in two transactions",
        "step": 6,
        "replace": {
            "    return await save(session, user.sqlmodel_update(data.model_dump()))": (
                "    user.name = data.name\n    await save(session, user)\n"
                "    user.email = data.email\n    return await save(session, user)"
            )
        },
        "says": "committed one after the other",
    },
    {
        "name": "length of the name in bytes",
        "step": 1,
        "replace": {
            "    return await save(session, User.model_validate(data))": (
                "    if len(data.name.encode()) > 50:\n"
                '        raise HTTPException(422, "The name is too long")\n'
                "    return await save(session, User.model_validate(data))"
            )
        },
        "says": "the app itself answers 422",
    },
    {
        "name": "one connection for all",
        "step": 6,
        "replace": {
            'engine = create_async_engine(url.replace("sqlite:", "sqlite+aiosqlite:", 1))': (
                "from sqlalchemy.pool import StaticPool\n\n"
                "engine = create_async_engine(\n"
                '    url.replace("sqlite:", "sqlite+aiosqlite:", 1), poolclass=StaticPool\n)'
            )
        },
        "says": "or one connection (StaticPool)",
    },
    {
        "name": "autocommit",
        "step": 4,
        "replace": {
            'url.replace("sqlite:", "sqlite+aiosqlite:", 1))': (
                'url.replace("sqlite:", "sqlite+aiosqlite:", 1), isolation_level="AUTOCOMMIT")'
            )
        },
        "says": "or with AUTOCOMMIT",
    },
    {
        "name": "content of a post cut",
        "step": 4,
        "replace": {
            "    post = Post.model_validate(data)\n": (
                "    data.content = data.content[:255]\n    post = Post.model_validate(data)\n"
            )
        },
        "says": "not the stored row",
    },
    {
        "name": "PUT creates who is not there",
        "step": 3,
        "replace": {
            "async def update_user(user: UserDep, data: UserCreate, session: SessionDep) -> User:": (
                "async def update_user(user_id: Id, data: UserCreate, session: SessionDep) -> User:"
            ),
            "    return await save(session, user.sqlmodel_update(data.model_dump()))": (
                "    user = await session.get(User, user_id) or User(id=user_id)\n"
                "    return await save(session, user.sqlmodel_update(data.model_dump()))"
            ),
        },
        "says": "creates nobody",
    },
    {
        "name": "addresses kept in a set",
        "step": 3,
        "replace": {
            "async def save(": "known: set[str] = set()\n\n\nasync def save(",
            "    return await save(session, User.model_validate(data))": (
                "    if data.email in known:\n"
                '        raise HTTPException(409, "Email already registered")\n'
                "    user = await save(session, User.model_validate(data))\n"
                "    known.add(user.email)\n"
                "    return user"
            ),
        },
        "says": "in a list of its own",
    },
    {
        "name": "an address that is taken gives the user who has it",
        "step": 6,
        "replace": {
            '        await session.rollback()\n        raise HTTPException(409, "Email already '
            'registered") from None\n': (
                "        email = user.email\n"
                "        await session.rollback()\n"
                "        found = await session.exec(select(User).where(User.email == email))\n"
                "        return found.one()\n"
            )
        },
        "says": "caught and passed over",
    },
]
