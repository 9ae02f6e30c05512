"""Wrong solutions of exercise 12 that learners write."""

ADD_STATUS = 'sa.Column("status", sa.String(length=20), server_default="active", nullable=False)'
FILL = "    fill()\n"
RECREATE = """\
    op.drop_table("users")
    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False, unique=True),
"""

SQLALCHEMY = "tests/right/ex12_sqlalchemy"
RAW_SQL = "tests/right/ex12_raw_sql"

MISTAKES = [
    {
        "name": "NOT NULL without a value for the rows that are there",
        "step": 1,
        "replace": {
            ADD_STATUS: 'sa.Column("status", sa.String(length=20), nullable=False)',
        },
        "says": "a NOT NULL column joins a table that has rows",
    },
    {
        "name": "table made anew",
        "step": 1,
        "replace": {
            '    with op.batch_alter_table("users") as batch:\n        # Rows that are there need a'
            " value, or the column could not be NOT NULL.\n        batch.add_column(\n            "
            + ADD_STATUS
            + "\n        )": RECREATE + "        " + ADD_STATUS + ",\n    )",
        },
        "says": "the migration drops the table or its rows",
    },
    {
        "name": "column added to the first migration",
        "step": 1,
        "replace": {
            '        sa.PrimaryKeyConstraint("id", name="pk_users"),\n': (
                '        sa.Column("status", sa.String(length=20), nullable=False),\n'
                '        sa.PrimaryKeyConstraint("id", name="pk_users"),\n'
            )
        },
        "says": "0001 was changed",
    },
    {
        "name": "create_all beside the migrations",
        "step": 1,
        "replace": {
            'app = FastAPI(title="Users")': (
                "from sqlmodel import SQLModel\nfrom database import engine\n"
                'SQLModel.metadata.create_all(engine)\n\napp = FastAPI(title="Users")'
            )
        },
        "says": "create_all() is at work beside the migrations",
    },
    {
        "name": "address in env.py",
        "step": 1,
        "replace": {
            "from database import engine\n": (
                'from sqlmodel import create_engine\n\nengine = create_engine("sqlite://")\n'
            )
        },
        "says": "another address stands in env.py",
    },
    {
        "name": "empty downgrade",
        "step": 2,
        "replace": {'        batch.drop_column("status")': "        pass"},
        "says": "the function downgrade() is empty",
    },
    {
        "name": "downgrade drops the table",
        "step": 2,
        "replace": {
            '    """Drop the column."""\n    with op.batch_alter_table("users") as batch:\n'
            '        batch.drop_column("status")': RECREATE + "    )"
        },
        "says": "the migration drops the table or its rows",
    },
    {
        "name": "slug not filled",
        "step": 3,
        "replace": {FILL: ""},
        "says": "the column becomes NOT NULL while rows are without a value",
    },
    {
        "name": "equal slugs",
        "step": 3,
        "replace": {"[:60]}-{user_id}": "}"},
        "says": "two rows got the same slug",
    },
    {
        "name": "filled inside the batch block",
        "step": 3,
        "replace": {
            FILL + '    with op.batch_alter_table("users") as batch:\n': "    " + FILL,
        },
        "says": "a batch block does its work where it ends",
    },
    {
        "name": "column altered in place",
        "step": 3,
        "replace": {
            """\
    with op.batch_alter_table("users") as batch:
        batch.alter_column("slug", existing_type=sa.String(length=80), nullable=False)
        batch.create_unique_constraint("uq_users_slug", ["slug"])
""": """\
    op.alter_column("users", "slug", existing_type=sa.String(length=80), nullable=False)
    op.create_unique_constraint("uq_users_slug", "users", ["slug"])
"""
        },
        "says": "SQLite cannot alter a column",
    },
    {
        "name": "two revisions after the same one",
        "step": 3,
        "replace": {
            'revision = "0003"\ndown_revision = "0002"': (
                'revision = "0003"\ndown_revision = "0001"'
            )
        },
        "says": "two revisions follow the same one",
    },
    {
        "name": "constraint dropped by another name",
        "step": 4,
        "replace": {'batch.drop_constraint("uq_users_slug",': 'batch.drop_constraint("uq_slug",'},
        "says": "by another name than upgrade() gave it",
    },
    {
        "name": "column dropped in place",
        "step": 4,
        "replace": {
            """\
    with op.batch_alter_table("users") as batch:
        batch.drop_constraint("uq_users_slug", type_="unique")
        batch.drop_column("slug")
""": '    op.drop_column("users", "slug")\n'
        },
        "says": "SQLite cannot drop a column",
    },
    {
        "name": "model without unique",
        "step": 5,
        "replace": {
            "slug: str = Field(max_length=80, unique=True)": ("slug: str = Field(max_length=80)")
        },
        "says": "model and migrations differ",
    },
    {
        "name": "older rows restored by downgrade",
        "step": 2,
        "replace": {
            '''def upgrade() -> None:
    """Add the column empty, fill it, and only then demand that it is full and unique."""
''': '''def upgrade() -> None:
    """Add the column empty, fill it, and only then demand that it is full and unique."""
    op.execute("CREATE TABLE users_before AS SELECT * FROM users")
''',
            """\
    with op.batch_alter_table("users") as batch:
        batch.drop_constraint("uq_users_slug", type_="unique")
        batch.drop_column("slug")
""": """\
    with op.batch_alter_table("users") as batch:
        batch.drop_constraint("uq_users_slug", type_="unique")
        batch.drop_column("slug")
    op.execute("DELETE FROM users WHERE id IN (SELECT id FROM users_before)")
    columns = "id, name, email, status"
    op.execute(f"INSERT INTO users ({columns}) SELECT {columns} FROM users_before")
    op.drop_table("users_before")
""",
        },
        "says": "puts back an older copy",
    },
    {
        "name": "older table restored by downgrade",
        "step": 2,
        "replace": {
            '''def upgrade() -> None:
    """Add the column empty, fill it, and only then demand that it is full and unique."""
''': '''def upgrade() -> None:
    """Add the column empty, fill it, and only then demand that it is full and unique."""
    op.execute("CREATE TABLE users_before AS SELECT * FROM users")
''',
            """\
    with op.batch_alter_table("users") as batch:
        batch.drop_constraint("uq_users_slug", type_="unique")
        batch.drop_column("slug")
""": """\
    with op.batch_alter_table("users") as batch:
        batch.drop_constraint("uq_users_slug", type_="unique")
        batch.drop_column("slug")
    op.execute("DELETE FROM users")
    columns = "id, name, email, status"
    op.execute(f"INSERT INTO users ({columns}) SELECT {columns} FROM users_before")
    op.drop_table("users_before")
""",
        },
        "says": "puts back an older copy",
    },
    {
        "name": "copy of the table left behind",
        "step": 2,
        "replace": {
            '''def upgrade() -> None:
    """Add the column empty, fill it, and only then demand that it is full and unique."""
''': '''def upgrade() -> None:
    """Add the column empty, fill it, and only then demand that it is full and unique."""
    op.execute("CREATE TABLE users_before AS SELECT * FROM users")
''',
        },
        "says": "downgrade() has left it behind",
    },
    {
        "name": "status without a length",
        "step": 1,
        "replace": {
            "sa.String(length=20), server_default": "sa.String(), server_default",
        },
        "says": "sa.String(length=20) in the migration",
    },
    {
        "name": "slug longer than asked for",
        "step": 3,
        "replace": {
            'sa.Column("slug", sa.String(length=80)': ('sa.Column("slug", sa.String(length=120)'),
            "existing_type=sa.String(length=80)": "existing_type=sa.String(length=120)",
            "Field(max_length=80, unique": "Field(max_length=120, unique",
        },
        "says": "sa.String(length=80) in the migration",
    },
    {
        "name": "slug too long for its column",
        "step": 3,
        "replace": {
            "token_hex(4)}": "token_hex(16)}",
        },
        "says": "what follows it is too long",
    },
    {
        "name": "slugs counted by name in the app",
        "step": 3,
        "replace": {
            """\
    words = data.name.lower().replace(" ", "-")[:60]  # lower() makes two letters of some
    user = User.model_validate(data, update={"slug": f"{words}-{token_hex(4)}"})
""": """\
    words = data.name.lower().replace(" ", "-")
    same = len(session.exec(select(User).where(User.name == data.name)).all())
    user = User.model_validate(data, update={"slug": f"{words}-{same + 1}" if same else words})
""",
            """from sqlmodel import Session

from database import get_session""": """from sqlmodel import Session, select

from database import get_session""",
        },
        "says": "to count the users of a name is not enough",
    },
    {
        "name": "slugs counted by their beginning",
        "step": 3,
        "base": SQLALCHEMY,
        "replace": {
            ("        user.slug = f\"{data.name.lower().replace(' ', '-')}-{user.id}\"\n"): """\
        words = data.name.lower().replace(" ", "-")
        taken = db.scalars(select(User.slug).where(User.slug.startswith(words))).all()
        user.slug = f"{words}-{len(taken) + 1}"
""",
        },
        "says": "to count the users of a name is not enough",
    },
    {
        "name": "slugs counted by name in the migration",
        "step": 3,
        "base": SQLALCHEMY,
        "replace": {
            "|| '-' || id\")": (
                "|| '-' || (SELECT count(*) FROM users AS u WHERE u.name = users.name "
                'AND u.id <= users.id)")'
            ),
        },
        "says": "two rows got the same slug",
    },
    {
        "name": "slug that is not made of the name",
        "step": 3,
        "base": SQLALCHEMY,
        "replace": {
            "\"UPDATE users SET slug = lower(replace(name, ' ', '-')) || '-' || id\"": (
                "\"UPDATE users SET slug = 'user-' || id\""
            ),
        },
        "says": "not from their name",
    },
    {
        "name": "slug with capitals",
        "step": 3,
        "base": SQLALCHEMY,
        "replace": {
            "\"UPDATE users SET slug = lower(replace(name, ' ', '-'))": (
                "\"UPDATE users SET slug = (replace(name, ' ', '-'))"
            ),
        },
        "says": "not from their name",
    },
    {
        "name": "a name that is taken is refused",
        "step": 3,
        "base": RAW_SQL,
        "replace": {
            """\
            if await rows("SELECT 1 FROM users WHERE email = :email", email=data.email):
                raise HTTPException(409, "Email already registered") from None
            slug = f"{words}--{uuid4().hex[:12]}"
""": ('            raise HTTPException(409, "Email already registered") from None\n'),
        },
        "says": "one that is taken already",
    },
    {
        "name": "SQL put together from names",
        "step": 3,
        "replace": {
            (
                "        connection.execute(sa.update(users).where(users.c.id == "
                "user_id).values(slug=slug))\n"
            ): (
                "        connection.execute(sa.text(f\"UPDATE users SET slug = '{slug}' "
                'WHERE id = {user_id}"))\n'
            ),
        },
        "says": "a name with ' in it ends the text",
    },
    {
        "name": "index that is not unique",
        "step": 3,
        "base": SQLALCHEMY,
        "replace": {
            '["slug"], unique=True)': '["slug"])',
            '"slug", unique=True)': '"slug")',
        },
        "says": "the column slug is not unique",
    },
    {
        "name": "slug that takes NULL",
        "step": 3,
        "base": SQLALCHEMY,
        "replace": {
            """\
    with op.batch_alter_table("users") as batch:
        batch.alter_column("slug", nullable=False)
""": "",
            "slug: Mapped[str] = mapped_column(String(80))": (
                "slug: Mapped[str | None] = mapped_column(String(80))"
            ),
        },
        "says": "the column slug takes NULL",
    },
    {
        "name": "downgrade of one step takes both",
        "step": 4,
        "replace": {
            """\
    with op.batch_alter_table("users") as batch:
        batch.drop_constraint("uq_users_slug", type_="unique")
        batch.drop_column("slug")
""": """\
    with op.batch_alter_table("users") as batch:
        batch.drop_constraint("uq_users_slug", type_="unique")
        batch.drop_column("slug")
        batch.drop_column("status")
""",
            '''    """Drop the column."""
    with op.batch_alter_table("users") as batch:
        batch.drop_column("status")
''': '    """Drop the column."""\n',
        },
        "says": "each change is a revision of its own",
    },
    {
        "name": "status reset by downgrade",
        "step": 4,
        "replace": {
            """\
    with op.batch_alter_table("users") as batch:
        batch.drop_constraint("uq_users_slug", type_="unique")
        batch.drop_column("slug")
""": """\
    with op.batch_alter_table("users") as batch:
        batch.drop_constraint("uq_users_slug", type_="unique")
        batch.drop_column("slug")
    op.execute("UPDATE users SET status = 'active'")
""",
        },
        "says": "writes over rows that it finds",
    },
    {
        "name": "create_all beside a migration that makes way for it",
        "step": 1,
        "replace": {
            "def get_session()": """def create_tables():
    import models

    models.SQLModel.metadata.create_all(engine)


def get_session()""",
            """with engine.connect() as connection:
    context""": """import database

database.create_tables()
with engine.connect() as connection:
    context""",
            """    op.create_table(
        "users",""": """    op.create_table(
        "users", if_not_exists=True, *[""",
            """\
        sa.UniqueConstraint("email", name="uq_users_email"),
    )""": """\
        sa.UniqueConstraint("email", name="uq_users_email"),
    ])""",
        },
        "says": "create_all() is at work beside the migrations",
    },
    {
        "name": "create_all where the models are",
        "step": 1,
        "base": SQLALCHEMY,
        "replace": {
            "    slug: Mapped[str] = mapped_column(String(80))\n": """\
    slug: Mapped[str] = mapped_column(String(80))


from database import engine
Base.metadata.create_all(engine)
""",
        },
        "says": "create_all() is at work beside the migrations",
    },
    {
        "name": "length changed in the first migration",
        "step": 1,
        "replace": {
            'sa.Column("email", sa.String(length=254)': (
                'sa.Column("email", sa.String(length=100)'
            ),
            "min_length=3, max_length=254": "min_length=3, max_length=100",
        },
        "says": "0001 was changed",
    },
    {
        "name": "address that is no longer unique",
        "step": 1,
        "base": SQLALCHEMY,
        "replace": {
            '        batch.alter_column("slug", nullable=False)\n': """\
        batch.alter_column("slug", nullable=False)
        batch.drop_constraint("uq_users_email", type_="unique")
""",
            "email: Mapped[str] = mapped_column(String(254), unique=True)": (
                "email: Mapped[str] = mapped_column(String(254))"
            ),
        },
        "says": "no longer unique",
    },
    {
        "name": "downgrade copies rows without the rules",
        "step": 2,
        "replace": {
            '''    """Drop the column."""
    with op.batch_alter_table("users") as batch:
        batch.drop_column("status")
''': '''    """Drop the column."""
    op.execute("CREATE TABLE copy AS SELECT id, name, email FROM users")
    op.drop_table("users")
    op.rename_table("copy", "users")
''',
        },
        "says": "not all that upgrade() does is undone",
    },
    {
        "name": "users removed by downgrade",
        "step": 2,
        "base": RAW_SQL,
        "replace": {
            '    op.execute("ALTER TABLE users DROP COLUMN status")': """\
    op.execute("DELETE FROM users WHERE status != 'active'")
    op.execute("ALTER TABLE users DROP COLUMN status")""",
        },
        "says": "what has changed since is lost",
    },
    {
        "name": "everybody active again by the second migration",
        "step": 4,
        "replace": {
            "    fill()\n": "    fill()\n    op.execute(\"UPDATE users SET status = 'active'\")\n"
        },
        "says": "the migration writes into columns that it finds there",
    },
    {
        "name": "names tidied by the second migration",
        "step": 1,
        "replace": {
            "    fill()\n": "    fill()\n    op.execute('UPDATE users SET name = lower(name)')\n"
        },
        "says": "the migration writes into columns that it finds there",
    },
    {
        "name": "many rows at once, or none",
        "step": 4,
        "replace": {
            """    for user_id, name in connection.execute(sa.select(users.c.id, users.c.name)).all():
        # The id at the end keeps those apart who have the same name.
        slug = f"{name.lower().replace(' ', '-')[:60]}-{user_id}"
        connection.execute(sa.update(users).where(users.c.id == user_id).values(slug=slug))
""": """    names = connection.execute(sa.select(users.c.id, users.c.name)).all()
    values = [{"key": id, "new": f"{name.lower().replace(' ', '-')}-{id}"} for id, name in names]
    one = sa.update(users).where(users.c.id == sa.bindparam("key"))
    connection.execute(one.values(slug=sa.bindparam("new")), values)
"""
        },
        "says": "a table may be empty",
    },
    {
        "name": "quotes doubled, colons left",
        "step": 3,
        "replace": {
            "        connection.execute(sa.update(users).where(users.c.id == user_id).values(slug=slug))": (
                '        slug = slug.replace("\'", "\'\'")\n'
                "        op.execute(f\"UPDATE users SET slug = '{slug}' WHERE id = {user_id}\")"
            )
        },
        "says": "takes a colon in a name for a parameter",
    },
    {
        "name": "slug made of the address",
        "step": 3,
        "replace": {'words = data.name.lower().replace(" ", "-")[:60]': "words = data.email[:60]"},
        "says": "made of something else than the name",
    },
    {
        "name": "later users wait",
        "step": 3,
        "replace": {
            "    session.refresh(user)\n": (
                "    session.refresh(user)\n"
                "    if user.id > 15:\n"
                '        user.status = "waiting"\n'
                "        session.commit()\n"
                "        session.refresh(user)\n"
            )
        },
        "says": "each new user is active",
    },
    {
        "name": "spaces squeezed",
        "step": 3,
        "replace": {
            'words = data.name.lower().replace(" ", "-")[:60]': (
                'words = "-".join(data.name.lower().split())[:60]'
            )
        },
        "says": "each space is a hyphen, two are two",
    },
    {
        "name": "letters with an accent dropped",
        "step": 3,
        "replace": {
            'words = data.name.lower().replace(" ", "-")[:60]': (
                'words = data.name.lower().replace(" ", "-")[:60]\n'
                '    words = words.encode("ascii", "ignore").decode()'
            )
        },
        "says": "letters such as é or ø are dropped",
    },
    {
        "name": "one batch of a thousand",
        "step": 3,
        "replace": {
            "sa.select(users.c.id, users.c.name)).all()": (
                "sa.select(users.c.id, users.c.name).limit(1000)).all()"
            ),
            FILL: FILL + '    op.execute("DELETE FROM users WHERE slug IS NULL")\n',
        },
        "says": "all of them or some",
    },
    {
        "name": "users deleted by their status",
        "step": 2,
        "replace": {
            '        batch.drop_column("status")': (
                "        op.execute(\"DELETE FROM users WHERE status = 'deleted'\")\n"
                '        batch.drop_column("status")'
            )
        },
        "says": "removes or writes over rows that it finds",
    },
    {
        "name": "a few tries for a slug",
        "step": 3,
        "replace": {
            "from sqlmodel import Session\n": "from sqlmodel import Session, select\n",
            """    user = User.model_validate(data, update={"slug": f"{words}-{token_hex(4)}"})
    session.add(user)
    try:
        session.commit()
    except IntegrityError:
        raise HTTPException(409, "Email already registered") from None
    session.refresh(user)
    return user
""": """    number = 1
    while number < 5:
        user = User.model_validate(data, update={"slug": f"{words}-{number}"})
        session.add(user)
        try:
            session.commit()
        except IntegrityError:
            session.rollback()
            if session.exec(select(User.id).where(User.email == data.email)).first():
                raise HTTPException(409, "Email already registered") from None
            number += 1
        else:
            session.refresh(user)
            return user
    raise HTTPException(503, "Try again later")
""",
        },
        "says": "tries a few slugs and gives up",
    },
    {
        "name": "uuid after a long name",
        "step": 3,
        "base": SQLALCHEMY,
        "replace": {
            "-{user.id}": "-{__import__('uuid').uuid4()}",
        },
        "says": "what follows it is too long",
    },
    {
        "name": "the first part of the address after the name",
        "step": 3,
        "replace": {
            "{token_hex(4)}": "{data.email.partition('@')[0]}",
        },
        "says": "the part of an address before the @",
    },
    {
        "name": "letters that are none of a to z left out",
        "step": 3,
        "replace": {
            "    words = data.name.lower()": (
                '    plain = __import__("unicodedata").normalize("NFKD", data.name)\n'
                '    words = plain.encode("ascii", "ignore").decode().lower()'
            ),
        },
        "says": "letters such as é or ø are dropped",
    },
    {
        "name": "a slug of the first twenty letters",
        "step": 3,
        "replace": {
            'replace(" ", "-")[:60]': 'replace(" ", "-")[:20]',
        },
        "says": "or of a part of it",
    },
    {
        "name": "addresses put into small letters by a migration",
        "step": 1,
        "replace": {
            FILL: FILL + '    op.execute("UPDATE users SET email = lower(email)")\n',
        },
        "says": "the migration writes into columns that it finds there",
    },
    {
        "name": "names tidied by a migration",
        "step": 1,
        "replace": {
            FILL: FILL + '    op.execute("UPDATE users SET name = trim(name)")\n',
        },
        "says": "the migration writes into columns that it finds there",
    },
    {
        "name": "committed after the answer",
        "step": 1,
        "replace": {
            "        yield session\n": "        yield session\n        session.commit()\n",
            "    try:\n        session.commit()": "    try:\n        session.flush()",
        },
        "says": "answer was sent before the commit",
    },
    {
        "name": "a CHECK that knows two statuses",
        "step": 2,
        "replace": {
            '        batch.create_unique_constraint("uq_users_slug", ["slug"])\n': (
                '        batch.create_unique_constraint("uq_users_slug", ["slug"])\n'
                "        known = \"status IN ('active', 'inactive')\"\n"
                '        batch.create_check_constraint("ck_users_status", known)\n'
            ),
        },
        "says": "the status is any text",
    },
]
