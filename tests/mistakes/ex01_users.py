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
]
