"""Wrong solutions of exercise 12 that learners write."""

ADD_STATUS = 'sa.Column("status", sa.String(length=20), server_default="active", nullable=False)'
FILL = """\
    op.execute("UPDATE users SET slug = lower(replace(name, ' ', '-')) || '-' || id")
"""
RECREATE = """\
    op.drop_table("users")
    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False, unique=True),
"""

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
        "says": "is create_all() still at work?",
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
        "replace": {" || '-' || id": ""},
        "says": "two rows got the same slug",
    },
    {
        "name": "filled inside the batch block",
        "step": 3,
        "replace": {
            "    # The id at the end keeps those apart who have the same name.\n": "",
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
]
