"""Wrong solutions of exercise 15 that learners write."""

CREATE_CATEGORY = """    category = Category.model_validate(data)
"""
CREATE_PRODUCT = """    product = Product.model_validate(data)
"""
DELETE_CATEGORY = """    session.delete(get_row(session, Category, category_id))
"""
FOREIGN_KEYS = """        connection.execute("PRAGMA foreign_keys = ON")
"""

MISTAKES = [
    {
        "name": "hash in the response",
        "step": 1,
        "replace": {", exclude=True": ""},
        "says": "password or hash are in the answer",
    },
    {
        "name": "exception as the answer",
        "step": 1,
        "replace": {
            "except IntegrityError:": "except IntegrityError as error:",
            "raise HTTPException(409, sentence) from None": "raise HTTPException(409, str(error))",
        },
        "says": "the exception's own text is the answer",
    },
    {
        "name": "IntegrityError not caught",
        "step": 1,
        "replace": {"except IntegrityError:": "except ZeroDivisionError:"},
        "says": "nobody caught the IntegrityError",
    },
    {
        "name": "select before insert as the only guard",
        "step": 1,
        "replace": {
            CREATE_CATEGORY: """    taken = select(Category).where(Category.name == data.name)
    if session.exec(taken).first():
        raise HTTPException(409, "Category already exists")
"""
            + CREATE_CATEGORY,
            '    with refusal("Category already exists"):\n        session.commit()': (
                "    session.commit()"
            ),
        },
        "says": "nobody caught the IntegrityError",
    },
    {
        "name": "SQLite's foreign keys off",
        "step": 2,
        "replace": {FOREIGN_KEYS: "        connection.cursor()\n"},
        "says": "PRAGMA foreign_keys = ON",
    },
    {
        "name": "looked for and then written",
        "step": 2,
        "replace": {
            FOREIGN_KEYS: "        connection.cursor()\n",
            CREATE_PRODUCT: "    get_row(session, Category, data.category_id)\n" + CREATE_PRODUCT,
            DELETE_CATEGORY: DELETE_CATEGORY
            + """    inside = select(Product).where(Product.category_id == category_id)
    if session.exec(inside).first():
        raise HTTPException(409, "Category still has products")
""",
        },
        "says": "Only the foreign key has no gap",
    },
    {
        "name": "no CHECK constraint",
        "step": 3,
        "replace": {
            '(CheckConstraint("stock BETWEEN 0 AND 1000000", name="stock_in_range"),)': "()"
        },
        "says": "the table has no CheckConstraint",
    },
    {
        "name": "stock computed in Python",
        "step": 3,
        "replace": {
            "values(stock=col(Product.stock) + data.change)": (
                "values(stock=product.stock + data.change)"
            ),
        },
        "says": "computed in Python",
    },
    {
        "name": "id without bounds",
        "step": 4,
        "replace": {"Id = Annotated[int, Path(ge=1, le=MAX_ID)]": "Id = int"},
        "says": "a number it cannot hold",
    },
    {
        "name": "id of a category without bounds",
        "step": 4,
        "replace": {
            "def delete_category(category_id: Id,": "def delete_category(category_id: int,"
        },
        "says": "a number it cannot hold",
    },
    {
        "name": "change without bounds",
        "step": 4,
        "replace": {"change: int = Field(ge=-1_000_000, le=1_000_000)": "change: int"},
        "says": "the change, or the sum, has no upper bound",
    },
    {
        "name": "NUL in a category",
        "step": 4,
        "replace": {
            "name: Text = Field(min_length=1, max_length=100": "name: str = Field(min_length=1"
        },
        "says": "nobody looks for NUL",
    },
    {
        "name": "out of stock refused",
        "step": 4,
        "replace": {"Field(default=0, ge=0,": "Field(default=0, gt=0,"},
        "says": "the bound itself is allowed",
    },
    {
        "name": "category without bounds",
        "step": 4,
        "replace": {"Field(ge=1, le=MAX_ID, foreign_key=": "Field(foreign_key="},
        "says": "the database is the first to notice",
        "database": "postgresql",
    },
    {
        "name": "price without bounds",
        "step": 4,
        "replace": {"gt=0, max_digits=10, decimal_places=2": "decimal_places=2"},
        "says": "the bound is missing in the input class",
    },
    {
        "name": "URL of the database in the code",
        "step": 5,
        "replace": {'os.environ.get("DATABASE_URL", "sqlite:///./app.db")': '"sqlite:///./app.db"'},
        "says": "written into the code",
    },
    {
        "name": "no start without the database",
        "step": 5,
        "replace": {
            "    with suppress(OperationalError):\n        create_tables()": "    create_tables()"
        },
        "says": "raised by create_all()",
    },
    {
        "name": "health check that asks nothing",
        "step": 5,
        "replace": {
            "def check_health(session: SessionDep)": "def check_health()",
            "    session.exec(select(1))\n": "",
        },
        "says": "asks the database nothing",
    },
    {
        "name": "health check that answers 200 all the same",
        "step": 5,
        "replace": {
            "def check_health(session: SessionDep)": "def check_health()",
            "    session.exec(select(1))\n": (
                "    try:\n        create_tables()\n        engine.connect().close()\n"
                "    except OperationalError:\n        return {'status': 'unhealthy'}\n"
            ),
        },
        "says": "catches the error and answers 200",
    },
    {
        "name": "every exception taken for a duplicate",
        "step": 5,
        "replace": {
            "    create_tables()\n    with Session(": "    with Session(",
            "    except IntegrityError:  #": "    except Exception:  #",
        },
        "says": "`except Exception` catches it first",
    },
    {
        "name": "500 for a missing database",
        "step": 5,
        "replace": {'{"detail": detail}, 503': '{"detail": detail}, 500'},
        "says": "a 500 says that the app is broken",
    },
    {
        "name": "address of the database in the answer",
        "step": 5,
        "replace": {
            "_error: Exception)": "error: Exception)",
            '    detail = "The database cannot be reached; try again later"\n': (
                '    detail = f"The database {engine.url.database} cannot be reached: {error}"\n'
            ),
        },
        "says": "shows the inside of the app",
    },
    {
        "name": "password repeated",
        "step": 6,
        "replace": {'("type", "loc", "msg")': '("type", "loc", "msg", "input")'},
        "says": "FastAPI's own answer repeats the input",
    },
]
