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
        "says": "in memory belongs to one process",
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
        "replace": {"unique=True": ""},
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
        "says": "both have to tidy it",
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
            "unique=True": "",
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
    {
        "name": "address looked for with ILIKE",
        "step": 7,
        "replace": {
            '    """Store a new user."""\n': (
                '    """Store a new user."""\n'
                "    if session.exec(select(User).where(col(User.email).ilike(data.email))).first():\n"
                '        raise HTTPException(409, "Email already registered")\n'
            ),
        },
        "says": "another address counts as this one",
    },
    {
        "name": "address looked for as a part of others",
        "step": 7,
        "replace": {
            '    """Store a new user."""\n': (
                '    """Store a new user."""\n'
                "    if session.exec(select(User).where(col(User.email).contains(data.email))).first():\n"
                '        raise HTTPException(409, "Email already registered")\n'
            ),
        },
        "says": "another address counts as this one",
    },
    {
        "name": "what follows a + in an address left out",
        "step": 7,
        "replace": {
            "return value.strip().lower() if isinstance(value, str) else value": (
                "if not isinstance(value, str):\n"
                "        return value\n"
                '    box, at, domain = value.strip().lower().partition("@")\n'
                '    return box.partition("+")[0] + at + domain'
            ),
        },
        "says": "another address counts as this one",
    },
    {
        "name": "id of the client written over a row",
        "step": 2,
        "replace": {
            'class UserCreate(SQLModel):\n    """What a client sends."""\n': (
                "class UserCreate(SQLModel):\n"
                '    """What a client sends."""\n'
                "\n"
                "    id: int | None = Field(default=None, primary_key=True)"
            ),
            "    return save(session, User.model_validate(data))": (
                "    known = data.id and session.get(User, data.id)\n"
                '    row = User.model_validate(data.model_dump(exclude={"id"}))\n'
                "    if known:\n"
                '        row = known.sqlmodel_update(data.model_dump(exclude={"id"}))\n'
                "    return save(session, row)"
            ),
        },
        "says": "of a user who is there",
    },
    {
        "name": "limit of the list capped at fifty",
        "step": 3,
        "replace": {
            "statement.offset(skip).limit(limit)": "statement.offset(skip).limit(min(limit, 50))",
        },
        "says": "a smaller number than the limit that was sent",
    },
    {
        "name": "limit of 100 refused",
        "step": 3,
        "replace": {
            "Query(ge=1, le=100)": "Query(ge=1, le=99)",
        },
        "says": "Input should be less than or equal to 99",
    },
    {
        "name": "search without a term refused",
        "step": 6,
        "replace": {
            '    """Find users by parts of their name and city."""\n': (
                '    """Find users by parts of their name and city."""\n'
                "    if not name and not city:\n"
                '        raise HTTPException(400, "Say what to look for")\n'
            ),
        },
        "says": "each term may be left out",
    },
    {
        "name": "search without a term finds nobody",
        "step": 6,
        "replace": {
            '    """Find users by parts of their name and city."""\n': (
                '    """Find users by parts of their name and city."""\n'
                "    if not name and not city:\n"
                "        return []\n"
            ),
        },
        "says": "each term may be left out",
    },
    {
        "name": "search cut at fifty",
        "step": 6,
        "replace": {
            "    return session.exec(statement.order_by(col(User.id))).all()": "    return session.exec(statement.order_by(col(User.id)).limit(50)).all()",
        },
        "says": "a limit cuts the search",
    },
    {
        "name": "search for words in any order",
        "step": 6,
        "replace": {
            "        col(User.name).icontains(name, autoescape=True),": "        *(col(User.name).icontains(word, autoescape=True) for word in name.split()),",
        },
        "says": "the term is taken apart",
    },
    {
        "name": "search for any of the words",
        "step": 6,
        "replace": {
            "        col(User.name).icontains(name, autoescape=True),": '        or_(*(col(User.name).icontains(word, autoescape=True) for word in name.split() or [""])),',
            "from sqlmodel import ": "from sqlmodel import or_, ",
        },
        "says": "the term is taken apart",
    },
    {
        "name": "session of the list kept open",
        "step": 3,
        "replace": {
            '    """List users by id."""\n': (
                '    """List users by id."""\n'
                "    session = Session(engine)\n"
                "    kept.append(session)\n"
            ),
            'app = FastAPI(title="Users"': (
                'kept: list[Session] = []\napp = FastAPI(title="Users"'
            ),
        },
        "says": "the session is never closed",
    },
    {
        "name": "session of the search kept open",
        "step": 6,
        "replace": {
            '    """Find users by parts of their name and city."""\n': (
                '    """Find users by parts of their name and city."""\n'
                "    session = Session(engine)\n"
                "    kept.append(session)\n"
            ),
            'app = FastAPI(title="Users"': (
                'kept: list[Session] = []\napp = FastAPI(title="Users"'
            ),
        },
        "says": "the session is never closed",
    },
    {
        "name": "bounds of the name forgotten in PATCH",
        "step": 4,
        "replace": {
            "    name: str = Field(default=None, min_length=2, max_length=50)": "    name: str = Field(default=None)",
        },
        "says": "the bounds of the input class are missing",
    },
    {
        "name": "taken addresses in a set of the process",
        "step": 7,
        "replace": {
            "    email: Email = Field(unique=True)": "    email: Email",
            '    """Store a new user."""\n': (
                '    """Store a new user."""\n'
                "    if data.email in taken:\n"
                '        raise HTTPException(409, "Email already registered")\n'
                "    taken.add(data.email)\n"
            ),
            'app = FastAPI(title="Users"': ('taken: set[str] = set()\napp = FastAPI(title="Users"'),
        },
        "says": "known to the process that stored them",
    },
    {
        "name": "user remembered by its id",
        "step": 4,
        "replace": {
            "    user = session.get(User, user_id)\n": (
                "    user = seen.get(user_id) or session.get(User, user_id)\n"
                "    if user is not None:\n"
                "        seen[user_id] = user\n"
                "        user = session.merge(user)\n"
            ),
            "SessionDep = Annotated": ("seen: dict[int, User] = {}\nSessionDep = Annotated"),
        },
        "says": "belongs to one process",
    },
    {
        "name": "fields committed one by one",
        "step": 8,
        "base": "tests/right/ex01_sqlalchemy",
        "replace": {
            """        setattr(user, field, value)
    commit(db)""": """        setattr(user, field, value)
        commit(db)""",
        },
        "says": "a part of a refused change was stored",
    },
    {
        "name": "session kept open by DELETE of nobody",
        "step": 5,
        "base": "tests/right/ex01_sqlalchemy",
        "replace": {
            """@app.delete("/users/{user_id}", status_code=204)
def delete_user(user: User = Depends(find), db: Session = Depends(get_db)):
    db.delete(user)
    db.commit()""": """KEPT = []


@app.delete("/users/{user_id}", status_code=204)
def delete_user(user_id: int):
    db = SessionLocal()
    user = db.get(User, user_id)
    if not user:
        KEPT.append(db)
        raise HTTPException(status_code=404, detail="User not found")
    db.delete(user)
    db.commit()
    db.close()""",
        },
        "says": "the session is never closed",
    },
    {
        "name": "the first id refused",
        "step": 2,
        "base": "tests/right/ex01_raw_sql",
        "replace": {
            """def read(users: Repository, number: int):
    return""": """def read(users: Repository, number: int):
    if number <= 1:
        raise HTTPException(422)
    return""",
        },
        "says": "refuses the smallest id",
    },
    {
        "name": "double spaces in a name made one",
        "step": 2,
        "base": "tests/right/ex01_sqlalchemy",
        "replace": {
            "    user = User(**data.model_dump())": """    data.name = " ".join(data.name.split())
    user = User(**data.model_dump())""",
        },
        "says": "is it the stored row",
    },
    {
        "name": "null as age answered as a taken address",
        "step": 4,
        "replace": {
            "    age: int = Field(default=None,": "    age: int | None = Field(default=None,"
        },
        "says": "as if the address were taken",
    },
    {
        "name": "a term of one letter is refused",
        "step": 6,
        "replace": {
            'def search_users(session: SessionDep, name: str = "", city: str = "") -> Sequence[User]:': 'def search_users(session: SessionDep, name: Annotated[str, Query()] = "", city: str = "") -> Sequence[User]:',
            "    statement = select(User).where(\n": (
                "    if len(name) == 1 or len(city) == 1:\n"
                "        raise HTTPException(422, 'too short')\n"
                "    statement = select(User).where(\n"
            ),
        },
        "says": "refuses the term",
    },
    {
        "name": "a term of more than 25 signs is refused",
        "step": 6,
        "replace": {
            'def search_users(session: SessionDep, name: str = "", city: str = "") -> Sequence[User]:': 'def search_users(session: SessionDep, name: Annotated[str, Query(max_length=25)] = "", city: str = "") -> Sequence[User]:',
        },
        "says": "refuses the term",
    },
    {
        "name": "nobody found is a 404",
        "step": 6,
        "replace": {
            "    return session.exec(statement.order_by(col(User.id))).all()\n": (
                "    found = session.exec(statement.order_by(col(User.id))).all()\n"
                "    if not found:\n"
                "        raise HTTPException(404, 'No users found')\n"
                "    return found\n"
            ),
        },
        "says": "nobody is found is no error",
    },
    {
        "name": "found once for each user of the same city",
        "step": 6,
        "base": "tests/right/ex01_sqlalchemy",
        "replace": {
            "    return db.scalars(query).all()\n": (
                "    found = db.scalars(query).all()\n"
                "    if name and city:\n"
                "        by_city = db.scalars(select(User).where(User.city.ilike(f'%{city}%'))).all()\n"
                "        return [u for u in found for other in by_city if u.city == other.city]\n"
                "    return found\n"
            ),
        },
        "says": "a user comes once for each row",
    },
    {
        "name": "PATCH writes the whole row",
        "step": 8,
        "base": "tests/right/ex01_raw_sql",
        "replace": {
            '    columns = ", ".join(f"{column} = :{column}" for column in changes)\n': (
                '    changes = {k: v for k, v in read(users, number).items() if k != "id"} | changes\n'
                '    columns = ", ".join(f"{column} = :{column}" for column in changes)\n'
            ),
        },
        "says": "the whole row is written",
    },
    {
        "name": "city in lower case in Python",
        "step": 6,
        "replace": {
            "col(User.city).icontains(city, autoescape=True)": "__import__('sqlalchemy').func.lower(User.city).contains(city.lower())",
        },
        "says": "SQLite's does not",
    },
    {
        "name": "addresses of at most 40 signs",
        "step": 1,
        "base": "tests/right/ex01_raw_sql",
        "replace": {
            "Email = Annotated[str, AfterValidator(lambda email: email.strip().lower())]": "Email = Annotated[str, Field(max_length=40), AfterValidator(lambda email: email.strip().lower())]",
        },
        "says": "a bound of the app's own",
    },
    {
        "name": "cities of at most 25 signs",
        "step": 1,
        "base": "tests/right/ex01_sqlalchemy",
        "replace": {
            '    city: str = "Unknown"\n': '    city: str = Field("Unknown", max_length=25)\n',
        },
        "says": "a bound of the app's own",
    },
    {
        "name": "skip is an id",
        "step": 3,
        "replace": {
            "    return session.exec(statement.offset(skip).limit(limit)).all()": "    return session.exec(statement.where(col(User.id) > skip).limit(limit)).all()",
        },
        "says": "skip is compared with ids",
    },
    {
        "name": "the term is stripped",
        "step": 6,
        "base": "tests/right/ex01_sqlalchemy",
        "replace": {
            ("    query = select(User)\n    if name:"): (
                "    query = select(User)\n    name = name and name.strip()\n    if name:"
            ),
        },
        "says": "a space is lost",
    },
    {
        "name": "random ids",
        "step": 1,
        "replace": {
            "    return save(session, User.model_validate(data))": (
                "    import random\n"
                "    return save(session, User.model_validate(data, update={'id': random.randint(1, 2**31 - 1)}))"
            ),
        },
        "says": "the app makes up the ids",
    },
    {
        "name": "equal POST answered with the row that is there",
        "step": 7,
        "replace": {
            "    return save(session, User.model_validate(data))": (
                "    old = session.exec(select(User).where(User.email == data.email, User.name == data.name, User.age == data.age, User.city == data.city)).first()\n"
                "    return old or save(session, User.model_validate(data))"
            ),
        },
        "says": "answered, as if made now",
    },
    {
        "name": "address changed only when it comes alone",
        "step": 4,
        "base": "tests/right/ex01_sqlalchemy",
        "replace": {
            "    for field, value in data.model_dump(exclude_unset=True, exclude_none=True).items():\n": (
                "    changes = data.model_dump(exclude_unset=True, exclude_none=True)\n"
                "    if len(changes) > 1:\n"
                "        changes.pop('email', None)\n"
                "    for field, value in changes.items():\n"
            ),
        },
        "says": "the new values are not set",
    },
    {
        "name": "one user of each name, age and city",
        "step": 1,
        "base": "tests/right/ex01_sqlalchemy",
        "replace": {
            '    __tablename__ = "users"\n': (
                '    __tablename__ = "users"\n'
                '    __table_args__ = (__import__("sqlalchemy").UniqueConstraint("name", "age", "city", name="person"),)\n'
            ),
        },
        "says": "something else of a user counts as taken",
    },
    {
        "name": "null as city answered as a taken address",
        "step": 4,
        "replace": {
            "    city: str = Field(default=None)\n": "    city: str | None = None\n",
        },
        "says": "answered as if the address were taken",
    },
    {
        "name": "small skips are taken for the limit",
        "step": 3,
        "replace": {
            "statement.offset(skip).limit(limit)": "statement.offset(limit if skip and skip < 5 else skip).limit(limit)",
        },
        "says": "skip or limit does not reach",
    },
    {
        "name": "ids in place of the users",
        "step": 3,
        "replace": {
            """    limit: Annotated[int, Query(ge=1, le=100)] = 10,
) -> Sequence[User]:""": """    limit: Annotated[int, Query(ge=1, le=100)] = 10,
) -> Sequence[int]:""",
            "    statement = select(User).order_by(col(User.id))\n": (
                "    statement = select(User.id).order_by(col(User.id))\n"
            ),
        },
        "says": "the query selects single columns",
    },
    {
        "name": "no list where there is nobody",
        "step": 3,
        "replace": {
            """    limit: Annotated[int, Query(ge=1, le=100)] = 10,
) -> Sequence[User]:""": """    limit: Annotated[int, Query(ge=1, le=100)] = 10,
) -> Sequence[User] | None:""",
            "    return session.exec(statement.offset(skip).limit(limit)).all()\n": (
                "    return session.exec(statement.offset(skip).limit(limit)).all() or None\n"
            ),
        },
        "says": "a list without rows is [] and not null",
    },
    {
        "name": "a list of one user",
        "step": 2,
        "replace": {
            """def read_user(user: UserDep) -> User:
    \"\"\"Read one user.\"\"\"
    return user
""": """def read_user(user: UserDep) -> list[User]:
    \"\"\"Read one user.\"\"\"
    return [user]
"""
        },
        "says": "the body is a list and not an object",
    },
    {
        "name": "PATCH answers a message",
        "step": 4,
        "replace": {
            "data: UserUpdate, session: SessionDep) -> User:": (
                "data: UserUpdate, session: SessionDep) -> dict[str, str]:"
            ),
            """exclude_unset=True))
    return save(session, user)
""": """exclude_unset=True))
    save(session, user)
    return {"message": "updated"}
""",
        },
        "says": "a message or an envelope",
    },
    {
        "name": "null as city refused inside of the route",
        "step": 1,
        "replace": {
            """    city: str = "Unknown"


class User(""": """    city: str | None = "Unknown"


class User(""",
            """    id: int = Field(default=None, primary_key=True)
""": """    id: int = Field(default=None, primary_key=True)
    city: str = "Unknown"
""",
        },
        "says": "inside of the route, where that is a 500",
    },
    {
        "name": "ß in an address made ss",
        "step": 1,
        "replace": {"value.strip().lower()": "value.strip().casefold()"},
        "says": "casefold() makes ss of ß",
    },
    {
        "name": "an UPDATE without a field",
        "step": 4,
        "base": "tests/right/ex01_raw_sql",
        "replace": {
            "    if not changes:\n        return read(users, number)\n": "",
        },
        "says": "the statement is put together from texts",
    },
    {
        "name": "second of two changes refused because the row is another by now",
        "step": 8,
        "base": "tests/right/ex01_raw_sql",
        "replace": {
            """    return users.write(
        f"UPDATE users SET {columns} WHERE id = :id RETURNING *", id=number, **changes
    )
""": """    was = {f"was_{column}": value for column, value in read(users, number).items()}
    same = " AND ".join(f"{column[4:]} = :{column}" for column in was)
    sql = f"UPDATE users SET {columns} WHERE {same} RETURNING *"
    try:
        return users.write(sql, **was, **changes)
    except HTTPException:
        raise HTTPException(409, "Somebody else has changed this user") from None
""",
        },
        "says": "because another one came first",
    },
    {
        "name": "null ends the change of what stands beside it",
        "step": 4,
        "base": "tests/right/ex01_sqlalchemy",
        "replace": {
            """    for field, value in data.model_dump(exclude_unset=True, exclude_none=True).items():
        setattr""": """    values = data.model_dump(exclude_unset=True)
    if None in values.values():
        return user
    for field, value in values.items():
        setattr""",
        },
        "says": "what was sent beside it too",
    },
    {
        "name": "users who are not there remembered",
        "step": 2,
        "replace": {
            "def get_user(": "missing: set[int] = set()\n\n\ndef get_user(",
            "    user = session.get(User, user_id)\n    if user is None:\n": (
                "    user = None if user_id in missing else session.get(User, user_id)\n"
                "    if user is None:\n        missing.add(user_id)\n"
            ),
        },
        "says": "it is remembered in memory that there was no such row",
    },
    {
        "name": "terms of the search in the text of the statement",
        "step": 6,
        "base": "tests/right/ex01_raw_sql",
        "replace": {
            'LIKE lower(:name) AND lower(city) LIKE lower(:city)",\n': (
                'LIKE lower(\'%" + name.replace("\'", "\'\'") + "%\') "\n'
                '        "AND lower(city) LIKE lower(\'%" + city.replace("\'", "\'\'") + "%\')"\n'
            ),
            '        name=f"%{name}%",\n        city=f"%{city}%",\n': "",
        },
        "says": "the statement is put together from texts",
    },
    {
        "name": "a skip of more than 100 is refused",
        "step": 3,
        "replace": {
            "    skip: Annotated[int, Query(ge=0)] = 0,\n": (
                "    skip: Annotated[int, Query(ge=0, le=100)] = 0,\n"
            ),
        },
        "says": "validation refuses query.skip",
    },
    {
        "name": "an empty city counts as not sent",
        "step": 4,
        "base": "tests/right/ex01_sqlalchemy",
        "replace": {
            "        setattr(user, field, value)\n": (
                "        if value or value == 0:\n            setattr(user, field, value)\n"
            ),
        },
        "says": "is false for an empty text",
    },
    {
        "name": "commit behind the yield of the dependency",
        "step": 8,
        "base": "tests/right/ex01_raw_sql",
        "replace": {
            "        self.connection.commit()\n": "",
            "        yield users\n": "        yield users\n        users.connection.commit()\n",
        },
        "says": "the answer was sent before the commit",
    },
    {
        "name": "search that ends after a hundred",
        "step": 6,
        "replace": {
            "session.exec(statement.order_by(col(User.id))).all()": (
                "session.exec(statement.order_by(col(User.id)).limit(100)).all()"
            )
        },
        "says": "a limit cuts the search",
    },
    {
        "name": "default counts as not sent",
        "step": 4,
        "replace": {
            "exclude_unset=True": "exclude_defaults=True",
            "city: str = Field(default=None)": 'city: str = Field(default="Unknown")',
        },
        "says": "equals the default",
    },
    {
        "name": "PATCH that looks for the address with ilike",
        "step": 7,
        "replace": {
            "    user.sqlmodel_update(": """    if "email" in data.model_fields_set:
        others = select(User).where(User.id != user.id, col(User.email).ilike(data.email))
        if session.exec(others).first():
            raise HTTPException(409, "Email already registered")
    user.sqlmodel_update("""
        },
        "says": "another address counts as this one",
    },
    {
        "name": "space at the beginning of a term lost",
        "step": 6,
        "replace": {"icontains(name, ": "icontains(name.lstrip(), "},
        "says": "a space is lost",
    },
    {
        "name": "two spaces in a term squeezed to one",
        "step": 6,
        "replace": {
            "icontains(city, ": 'icontains(re.sub(" +", " ", city), ',
            "import os": "import os\nimport re",
        },
        "says": "two spaces of the term are one",
    },
    {
        "name": "one letter has to be the first",
        "step": 6,
        "replace": {
            "col(User.name).icontains(name, autoescape=True)": (
                "col(User.name).istartswith(name, autoescape=True) if len(name) == 1 "
                "else col(User.name).icontains(name, autoescape=True)"
            )
        },
        "says": "it has to be the beginning",
    },
    {
        "name": "user who is marked as deleted",
        "step": 7,
        "replace": {
            "    id: int = Field(default=None, primary_key=True)\n": (
                "    id: int = Field(default=None, primary_key=True)\n"
                "    deleted: bool = Field(default=False, exclude=True)\n"
            ),
            "if user is None:": "if user is None or user.deleted:",
            "    session.delete(user)\n": "    user.deleted = True\n    session.add(user)\n",
            "select(User).order_by": "select(User).where(col(User.deleted).is_(False)).order_by",
        },
        "says": "only marked as deleted",
    },
    {
        "name": "drivers alone, SELECT before INSERT",
        "base": "tests/right/ex01_drivers.py",
        "step": 8,
        "replace": {
            "NOT NULL UNIQUE": "NOT NULL",
            "            return db.execute(insert": """            taken = f"SELECT 1 FROM users WHERE email = {value('email')}"
            if db.execute(taken, {"email": user.email}).fetchone():
                raise HTTPException(409, "taken")
            return db.execute(insert""",
        },
        "says": "is the only guard",
    },
    {
        "name": "the address that the user has, sent alone, is taken",
        "step": 8,
        "replace": {
            "    user.sqlmodel_update(data": """    if data.model_fields_set == {"email"}:
        if session.exec(select(User).where(User.email == data.email)).first():
            raise HTTPException(409, "Email already registered")
    user.sqlmodel_update(data"""
        },
        "says": "the user itself is found",
    },
    {
        "name": "what equals the row ends the change",
        "step": 4,
        "replace": {
            "    user.sqlmodel_update(data": """    if data.model_fields_set > {"city"} and data.city == user.city:
        return user
    user.sqlmodel_update(data"""
        },
        "says": "equals what is there",
    },
]
