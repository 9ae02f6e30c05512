"""Wrong solutions of exercise 01 that learners write."""

MISTAKES = [
    {
        "name": "no commit",
        "step": 2,
        "replace": {
            """    try:
        session.commit()
    except""": """    try:
        session.flush()
    except"""
        },
        "says": "no session.commit()",
    },
    {
        "name": "no refresh",
        "step": 1,
        "replace": {"    session.refresh(user)\n": ""},
        "says": "session.refresh(row)",
    },
    {
        "name": "response class without id",
        "step": 1,
        "replace": {
            "data: UserCreate, session: SessionDep) -> User:": (
                "data: UserCreate, session: SessionDep) -> UserCreate:"
            )
        },
        "says": "the response class has no id",
    },
    {
        "name": "table class as body",
        "step": 1,
        "replace": {
            "def create_user(data: UserCreate,": "def create_user(data: User,",
            "return save(session, User.model_validate(data))": "return save(session, data)",
        },
        "says": "table class is the request body",
    },
    {
        "name": "data in memory",
        "step": 2,
        "replace": {
            'create_engine(os.environ.get("DATABASE_URL", "sqlite:///./app.db"))': (
                'create_engine("sqlite://", poolclass=__import__("sqlalchemy").StaticPool,'
                ' connect_args={"check_same_thread": False})'
            )
        },
        "says": "the data lives in memory",
    },
    {
        "name": "tables created before the model is known",
        "step": 1,
        "replace": {
            '"sqlite:///./app.db"))\n': (
                '"sqlite:///./app.db"))\nSQLModel.metadata.create_all(engine)\n'
            ),
            "    SQLModel.metadata.create_all(engine)\n    yield": "    yield",
        },
        "says": "are the models imported before create_all()",
    },
    {
        "name": "transaction left open",
        "step": 1,
        "replace": {
            # SQLite waits 5 s for a lock; so long the proof need not.
            '"sqlite:///./app.db"))\n': ('"sqlite:///./app.db"), connect_args={"timeout": 0.1})\n'),
            """    with Session(engine) as session:
        yield session""": "    yield Session(engine)",
            """    try:
        session.commit()
    except""": """    try:
        session.flush()
    except""",
        },
        "says": "Another transaction holds SQLite's write lock",
    },
    {
        "name": "missing row not looked for",
        "step": 2,
        "replace": {
            """    if user is None:
        raise HTTPException(404, "User not found")
""": "    assert user\n"
        },
        "says": "session.get() gave None",
    },
    {
        "name": "session never closed",
        "step": 2,
        "replace": {
            """    with Session(engine) as session:
        yield session""": "    yield Session(engine)"
        },
        "says": "the session is never closed",
    },
    {
        "name": "session not closed after an error",
        "step": 2,
        "replace": {
            """    with Session(engine) as session:
        yield session""": """    session = Session(engine)
    yield session
    session.close()"""
        },
        "says": "or not after an error",
    },
    {
        "name": "no ORDER BY",
        "step": 3,
        "replace": {"select(User).order_by(col(User.id))": "select(User)"},
        "says": "no ORDER BY",
        "database": "postgresql",
    },
    {
        "name": "limit forgotten",
        "step": 3,
        "replace": {"statement.offset(skip).limit(limit)": "statement.offset(skip)"},
        "says": "does not reach the query",
    },
    {
        "name": "exclude_unset forgotten",
        "step": 4,
        "replace": {
            "model_dump(exclude_unset=True)": "model_dump()",
            """class UserUpdate(SQLModel):
    \"\"\"What a client may change; no field takes null.\"\"\"

    name: str =""": """class UserUpdate(SQLModel):
    name: str | None =""",
        },
        "says": "exclude_unset=True is missing",
    },
    {
        "name": "update loses 0",
        "step": 4,
        "replace": {
            "user.sqlmodel_update(data.model_dump(exclude_unset=True))": (
                "user.sqlmodel_update({k: v for k, v in data.model_dump().items() if v})"
            )
        },
        "says": "is false for 0",
    },
    {
        "name": "update takes the class of POST",
        "step": 4,
        "replace": {"data: UserUpdate,": "data: UserCreate,"},
        "says": "fields that were not sent are required",
    },
    {
        "name": "explicit null",
        "step": 4,
        "replace": {
            "    name: str = Field(default=None,": "    name: str | None = Field(default=None,"
        },
        "says": "explicit null",
    },
    {
        "name": "delete without commit",
        "step": 5,
        "replace": {
            """    session.delete(user)
    session.commit()""": "    session.delete(user)"
        },
        "says": "no session.commit() after session.delete()",
    },
    {
        "name": "search below the route with an id",
        "step": 6,
        "replace": {
            '@app.get("/users/search")': '@app.get("/users/{user_id}/../search")',
            '@app.delete("/users/{user_id}", status_code=204)': (
                'app.get("/users/search")(search_users)\n\n\n'
                '@app.delete("/users/{user_id}", status_code=204)'
            ),
        },
        "says": "move it above",
    },
    {
        "name": "search wants a name",
        "step": 6,
        "replace": {'session: SessionDep, name: str = ""': "session: SessionDep, name: str"},
        "says": "a term has no default",
    },
    {
        "name": "no unique constraint",
        "step": 7,
        "replace": {", unique=True": ""},
        "says": "no unique=True",
    },
    {
        "name": "one session for all and no rollback",
        "step": 7,
        "replace": {
            "        session.rollback()\n": "",
            """    with Session(engine) as session:
        yield session""": "    yield only_session",
            "SessionDep =": "only_session = Session(engine)\nSessionDep =",
            "SQLModel.metadata.create_all(engine)": "SQLModel.metadata.create_all(engine)",
        },
        "says": "session.rollback()",
    },
    {
        "name": "update does not tidy the address",
        "step": 8,
        "replace": {"email: Email = Field(default=None": "email: str = Field(default=None"},
        "says": "to tidy the address",
    },
    {
        "name": "select before insert as the only guard",
        "step": 8,
        "replace": {
            "def create_user(data: UserCreate, session: SessionDep) -> User:": (
                "def create_user(data: UserCreate, session: SessionDep) -> User:\n"
                "    if session.exec(select(User).where(User.email == data.email)).first():\n"
                '        raise HTTPException(409, "Email already registered")'
            ),
            ", unique=True": "",
        },
        "says": "SELECT before the INSERT",
    },
    {
        "name": "select before insert, constraint not caught",
        "step": 8,
        "replace": {
            "def create_user(data: UserCreate, session: SessionDep) -> User:": (
                "def create_user(data: UserCreate, session: SessionDep) -> User:\n"
                "    if session.exec(select(User).where(User.email == data.email)).first():\n"
                '        raise HTTPException(409, "Email already registered")'
            ),
            "except IntegrityError:": "except ZeroDivisionError:",
        },
        "says": "nobody caught the IntegrityError",
    },
    # State of one process
    {
        "name": "addresses in a set",
        "step": 7,
        "base": "tests/right/ex01_sqlalchemy.py",
        "replace": {
            "unique=True, index=True": "index=True",
            "    user = User(**data.model_dump())\n": (
                "    if data.email in taken:\n"
                '        raise HTTPException(status_code=400, detail="Email already registered")\n'
                "    taken.add(data.email)\n"
                "    user = User(**data.model_dump())\n"
            ),
            "app = FastAPI()": "taken = set()\napp = FastAPI()",
        },
        "says": "belongs to one process",
    },
    {
        "name": "addresses looked up under a lock",
        "step": 8,
        "base": "tests/right/ex01_sqlalchemy.py",
        "replace": {
            "unique=True, index=True": "index=True",
            """    user = User(**data.model_dump())
    db.add(user)
    commit(db)
""": """    with lock:
        if db.scalar(select(User).where(User.email == data.email)):
            raise HTTPException(status_code=400, detail="Email already registered")
        user = User(**data.model_dump())
        db.add(user)
        commit(db)
""",
            "app = FastAPI()": "lock = __import__('threading').Lock()\napp = FastAPI()",
        },
        "says": "holds in one process only",
    },
    {
        "name": "users in a cache",
        "step": 4,
        "base": "tests/right/ex01_raw_sql.py",
        "replace": {
            """    return users.one("SELECT * FROM users WHERE id = :id", id=number)
""": """    if number not in cache:
        cache[number] = users.one("SELECT * FROM users WHERE id = :id", id=number)
    return cache[number]
""",
            "    changes = data.model_dump(": (
                "    cache.pop(number, None)\n    changes = data.model_dump("
            ),
            "app = FastAPI(": "cache = {}\napp = FastAPI(",
        },
        "says": "belongs to one process",
    },
    {
        "name": "deleted user stays in the cache of another process",
        "step": 5,
        "base": "tests/right/ex01_raw_sql.py",
        "replace": {
            """    return users.one("SELECT * FROM users WHERE id = :id", id=number)
""": """    if number not in cache:
        cache[number] = users.one("SELECT * FROM users WHERE id = :id", id=number)
    return cache[number]
""",
            '    users.write("DELETE': '    cache.pop(number, None)\n    users.write("DELETE',
            "app = FastAPI(": "cache = {}\napp = FastAPI(",
        },
        "says": "belongs to one process",
    },
    {
        "name": "search in a cache",
        "step": 6,
        "base": "tests/right/ex01_sqlalchemy.py",
        "replace": {
            "    query = select(User)\n    if name:": (
                "    if (name, city) in found:\n"
                "        return found[name, city]\n"
                "    query = select(User)\n    if name:"
            ),
            "    return db.scalars(query).all()": (
                "    found[name, city] = db.scalars(query).all()\n    return found[name, city]"
            ),
            "app = FastAPI()": "found = {}\napp = FastAPI()",
        },
        "says": "belongs to one process",
    },
    {
        "name": "ids counted in memory",
        "step": 2,
        "base": "tests/right/ex01_sqlalchemy.py",
        "replace": {
            "User(**data.model_dump())": "User(id=next(ids), **data.model_dump())",
            "app = FastAPI()": "ids = __import__('itertools').count(1)\napp = FastAPI()",
        },
        "says": "Email already registered",
    },
    {
        "name": "ids counted with max",
        "step": 8,
        "base": "tests/right/ex01_raw_sql.py",
        "replace": {
            "INSERT INTO users (name, email, age, city) VALUES (:name, :email, :age, :city) ": (
                "INSERT INTO users (id, name, email, age, city) "
                "VALUES (:id, :name, :email, :age, :city) "
            ),
            "        **data.model_dump(),\n": (
                '        id=users.one("SELECT coalesce(max(id), 0) + 1 AS id FROM users")["id"],\n'
                "        **data.model_dump(),\n"
            ),
        },
        "says": "the app counts the ids itself",
    },
    # Bounds, types and names
    {
        "name": "bounds exclusive",
        "step": 1,
        "replace": {"    age: int = Field(ge=0, le=150)\n": "    age: int = Field(gt=0, lt=150)\n"},
        "says": "2, 50, 0 and 150 are allowed",
    },
    {
        "name": "name of 49",
        "step": 1,
        "replace": {
            "    name: str = Field(min_length=2, max_length=50)": (
                "    name: str = Field(min_length=2, max_length=49)"
            )
        },
        "says": "2, 50, 0 and 150 are allowed",
    },
    {
        "name": "age is a float",
        "step": 1,
        "replace": {
            "    age: int = Field(ge=0, le=150)\n    city": (
                "    age: float = Field(ge=0, le=150)\n    city"
            )
        },
        "says": "the bound is missing in the input class",
    },
    {
        "name": "rules checked by hand",
        "step": 1,
        "replace": {
            "    age: int = Field(ge=0, le=150)\n    city": "    age: int\n    city",
            "    return save(session, User.model_validate(data))": (
                "    if not 0 <= data.age <= 150:\n"
                '        raise HTTPException(400, "age")\n'
                "    return save(session, User.model_validate(data))"
            ),
        },
        "says": "the app looks at the value itself",
    },
    {
        "name": "name has a default",
        "step": 1,
        "replace": {
            "    name: str = Field(min_length=2, max_length=50)\n    email: Email = Field(unique": (
                '    name: str = Field(default="Nobody", min_length=2, max_length=50)\n'
                "    email: Email = Field(unique"
            )
        },
        "says": "the field has a default",
    },
    {
        "name": "names made pretty",
        "step": 2,
        "base": "tests/right/ex01_sqlalchemy.py",
        "replace": {
            "User(**data.model_dump())": "User(**data.model_dump() | {'city': data.city.title()})"
        },
        "says": "is it the stored row",
    },
    {
        "name": "refused after it was stored",
        "step": 3,
        "replace": {
            "    age: int = Field(ge=0, le=150)\n    city": "    age: int\n    city",
            "    return save(session, User.model_validate(data))": (
                "    user = save(session, User.model_validate(data))\n"
                "    if not 0 <= data.age <= 150:\n"
                '        raise HTTPException(422, "age")\n'
                "    return user"
            ),
        },
        "says": "stored, then checked",
    },
    # Lists and search
    {
        "name": "ordered by name",
        "step": 3,
        "replace": {"select(User).order_by(col(User.id))": "select(User).order_by(col(User.name))"},
        "says": "Or it is ordered by something else",
    },
    {
        "name": "newest first",
        "step": 3,
        "base": "tests/right/ex01_sqlalchemy.py",
        "replace": {"order_by(User.id)": "order_by(User.id.desc())"},
        "says": "Or it is ordered by something else",
    },
    {
        "name": "ordered by the id as text",
        "step": 3,
        "base": "tests/right/ex01_raw_sql.py",
        "replace": {"ORDER BY id LIMIT": "ORDER BY CAST(id AS TEXT) LIMIT"},
        "says": "Or it is ordered by something else",
    },
    {
        "name": "limit of ten at most",
        "step": 3,
        "base": "tests/right/ex01_sqlalchemy.py",
        "replace": {".limit(limit)": ".limit(min(limit, 10))"},
        "says": "a limit of 100 is cut to less",
    },
    {
        "name": "skip counts pages",
        "step": 3,
        "base": "tests/right/ex01_sqlalchemy.py",
        "replace": {".offset(skip)": ".offset(skip * limit)"},
        "says": "a limit of 100 is cut to less",
    },
    {
        "name": "list without the city",
        "step": 3,
        "base": "tests/right/ex01_raw_sql.py",
        "replace": {
            '"SELECT * FROM users ORDER BY': '"SELECT id, name, email, age FROM users ORDER BY'
        },
        "says": "the list answers other rows than POST",
    },
    {
        "name": "search joined by OR",
        "step": 6,
        "base": "tests/right/ex01_raw_sql.py",
        "replace": {
            "LIKE lower(:name) AND lower(city)": "LIKE lower(:name) OR lower(city)",
        },
        "says": "the terms are joined by OR",
    },
    {
        "name": "search by name looks at the city too",
        "step": 6,
        "base": "tests/right/ex01_sqlalchemy.py",
        "replace": {
            'User.name.ilike(f"%{name}%")': (
                'User.name.ilike(f"%{name}%") | User.city.ilike(f"%{name}%")'
            )
        },
        "says": "is looked for in another column",
    },
    {
        "name": "search by name looks at the address too",
        "step": 6,
        "base": "tests/right/ex01_sqlalchemy.py",
        "replace": {
            'User.name.ilike(f"%{name}%")': (
                'User.name.ilike(f"%{name}%") | User.email.ilike(f"%{name[4:]}%")'
            )
        },
        "says": "is looked for in another column",
    },
    {
        "name": "search lowers on one side in Python",
        "step": 6,
        "base": "tests/right/ex01_raw_sql.py",
        "replace": {
            "lower(name) LIKE lower(:name)": "lower(name) LIKE :name",
            'name=f"%{name}%",': 'name=f"%{name.lower()}%",',
        },
        "says": "let one of them treat both sides",
    },
    {
        "name": "search gives ten",
        "step": 6,
        "base": "tests/right/ex01_sqlalchemy.py",
        "replace": {
            "    return db.scalars(query).all()": "    return db.scalars(query.limit(10)).all()"
        },
        "says": "a limit cuts the search",
    },
    {
        "name": "search only at the beginning",
        "step": 6,
        "base": "tests/right/ex01_sqlalchemy.py",
        "replace": {'ilike(f"%{city}%")': 'ilike(f"{city}%")'},
        "says": "with % on both sides",
    },
    # Updates
    {
        "name": "city cannot be changed",
        "step": 4,
        "base": "tests/right/ex01_sqlalchemy.py",
        "replace": {
            "        setattr(user, field, value)": (
                '        if field != "city":\n            setattr(user, field, value)'
            )
        },
        "says": "the new values are not set on the row",
    },
    {
        "name": "no upper bound on update",
        "step": 4,
        "replace": {
            "age: int = Field(default=None, ge=0, le=150)": "age: int = Field(default=None, ge=0)"
        },
        "says": "missing in the update class",
    },
    {
        "name": "update without WHERE",
        "step": 4,
        "base": "tests/right/ex01_raw_sql.py",
        "replace": {
            'f"UPDATE users SET {columns} WHERE id = :id RETURNING *"': (
                'f"UPDATE users SET {columns} WHERE id = :id OR city = city RETURNING *"'
            )
        },
        "says": "the WHERE of the UPDATE is missing",
    },
    {
        "name": "update answered and not committed",
        "step": 4,
        "base": "tests/right/ex01_sqlalchemy.py",
        "replace": {
            "        setattr(user, field, value)\n    commit(db)\n": (
                "        setattr(user, field, value)\n"
            )
        },
        "says": "no session.commit() after the change",
    },
    {
        "name": "update takes an id",
        "step": 4,
        "base": "tests/right/ex01_sqlalchemy.py",
        "replace": {
            "class UserUpdate(Tidy):": "class UserUpdate(Tidy):\n    id: int | None = None"
        },
        "says": "the id is taken from the body",
    },
    {
        "name": "fields stored one after the other",
        "step": 4,
        "base": "tests/right/ex01_sqlalchemy.py",
        "replace": {
            "age: int | None = Field(None, ge=0, le=150)": "age: float | None = None",
            "        setattr(user, field, value)\n": (
                '        if field == "age" and not (0 <= value <= 150 and value == int(value)):\n'
                '            raise HTTPException(422, "age")\n'
                "        setattr(user, field, value)\n        db.commit()\n"
            ),
        },
        "says": "422",
    },
    {
        "name": "update of an address not tidied",
        "step": 4,
        "replace": {"email: Email = Field(default=None": "email: str = Field(default=None"},
        "says": "does not tidy the address",
    },
    # Addresses
    {
        "name": "address taken by its own user",
        "step": 8,
        "base": "tests/right/ex01_sqlalchemy.py",
        "replace": {
            "    for field, value in": (
                "    if data.email and db.scalar(select(User).where(User.email == data.email)):\n"
                '        raise HTTPException(status_code=400, detail="Email already registered")\n'
                "    for field, value in"
            )
        },
        "says": "counts as another one",
    },
    {
        "name": "user with the address written over",
        "step": 7,
        "base": "tests/right/ex01_raw_sql.py",
        "replace": {
            '"RETURNING *",\n        **data': (
                '"ON CONFLICT (email) DO UPDATE SET name = excluded.name "\n'
                '        "RETURNING *",\n        **data'
            )
        },
        "says": "no unique=True",
    },
    {
        "name": "address of a deleted user stays taken",
        "step": 7,
        "base": "tests/right/ex01_sqlalchemy.py",
        "replace": {
            "Base.metadata.create_all(engine)": (
                "class Taken(Base):\n"
                '    __tablename__ = "taken"\n\n'
                "    email: Mapped[str] = mapped_column(primary_key=True)\n\n\n"
                "Base.metadata.create_all(engine)"
            ),
            "    db.add(user)\n": "    db.add_all([user, Taken(email=data.email)])\n",
        },
        "says": "not given back",
    },
    {
        "name": "address checked on update before it is written",
        "step": 8,
        "base": "tests/right/ex01_sqlalchemy.py",
        "replace": {
            "unique=True, index=True": "index=True",
            "    user = User(**data.model_dump())\n": (
                "    if db.scalar(select(User).where(User.email == data.email)):\n"
                '        raise HTTPException(status_code=400, detail="Email already registered")\n'
                "    user = User(**data.model_dump())\n"
            ),
            "    for field, value in": (
                "    other = select(User).where(User.email == data.email, User.id != user.id)\n"
                "    if data.email and db.scalar(other):\n"
                '        raise HTTPException(status_code=400, detail="Email already registered")\n'
                "    for field, value in"
            ),
        },
        "says": "SELECT",
    },
    {
        "name": "error of the database swallowed",
        "step": 7,
        "base": "tests/right/ex01_sqlalchemy.py",
        "replace": {
            '        raise HTTPException(status_code=400, detail="Email already registered") '
            "from None\n": "",
            "    commit(db)\n    db.refresh(user)\n    return user": (
                "    commit(db)\n    return user if user.id else UserOut(id=1, **data.model_dump())"
            ),
        },
        "says": "caught and passed over",
    },
    {
        "name": "taken address answered 422",
        "step": 7,
        "base": "tests/right/ex01_sqlalchemy.py",
        "replace": {"status_code=400": "status_code=422"},
        "says": "the app itself answers 422",
    },
    {
        "name": "taken address answered 500",
        "step": 7,
        "base": "tests/right/ex01_sqlalchemy.py",
        "replace": {
            "    except IntegrityError:": "    except Exception:",
            "status_code=400": "status_code=500",
        },
        "says": "the database refused a duplicate",
    },
]
