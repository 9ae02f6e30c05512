"""Wrong solutions of exercise 15 that learners write."""

CREATE_CATEGORY = """    category = Category.model_validate(data)
"""
CREATE_PRODUCT = """    product = Product.model_validate(data)
"""
DELETE_CATEGORY = """    session.delete(get_row(session, Category, category_id))
"""
FOREIGN_KEYS = """        connection.execute("PRAGMA foreign_keys = ON")
"""

SQLALCHEMY = "tests/right/ex15_sqlalchemy.py"
ASYNC_SQL = "tests/right/ex15_async_sql.py"

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
        "says": "a SELECT before the INSERT does not help",
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
        "says": "the change of a stock, and the sum, need an upper one",
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
    {
        "name": "taken addresses in a set",
        "step": 1,
        "base": ASYNC_SQL,
        "replace": {
            '" email VARCHAR(254) NOT NULL UNIQUE,': '" email VARCHAR(254) NOT NULL,',
            "    salt = secrets.token_hex(16)\n": """    if data["email"] in prepared:
        raise Refusal(409, "This address is registered already")
    prepared.add(data["email"])
    salt = secrets.token_hex(16)
""",
        },
        "says": "which belongs to one process",
    },
    {
        "name": "select before insert, of users",
        "step": 1,
        "base": SQLALCHEMY,
        "replace": {
            "String(254), unique=True, index=True)": "String(254), index=True)",
            "    salt = secrets.token_bytes(16)\n": """\
    if db.scalar(select(User).where(User.email == data.email)):
        raise HTTPException(409, 'Email already registered')
    salt = secrets.token_bytes(16)
""",
        },
        "says": "a SELECT before the INSERT",
    },
    {
        "name": "a lock around SELECT and INSERT",
        "step": 1,
        "base": SQLALCHEMY,
        "replace": {
            "app = FastAPI(lifespan": """import threading

LOCK = threading.Lock()
app = FastAPI(lifespan""",
            "String(254), unique=True, index=True)": "String(254), index=True)",
            (
                "    return store(db, User(name=data.name, email=data.email, password_hash=stored))"
            ): """    with LOCK:
        if db.scalar(select(User).where(User.email == data.email)):
            raise HTTPException(409, "Email already registered")
        return store(db, User(name=data.name, email=data.email, password_hash=stored))""",
        },
        "says": "holds in one process only",
    },
    {
        "name": "a taken name answered with the row that was there",
        "step": 1,
        "base": ASYNC_SQL,
        "replace": {
            (
                '    return JSONResponse({"id": await insert(connection, "shelf", '
                "data), **data}, 201)"
            ): """\
    sql = "INSERT INTO shelf (name) VALUES (:name) ON CONFLICT DO NOTHING"
    await connection.execute(text(sql), data)
    sql = "SELECT id FROM shelf WHERE name = :name"
    number = (await connection.execute(text(sql), data)).scalar_one()
    return JSONResponse({"id": number, **data}, 201)""",
        },
        "says": "the row that was there is answered",
    },
    {
        "name": "name of a column in the answer",
        "step": 1,
        "base": SQLALCHEMY,
        "replace": {
            (
                '    return problem(400, sentences.get(place, "No such category, or '
                'not enough in stock"))'
            ): """\
    name = str(error.orig).split(":")[-1].strip().split(chr(10))[0]
    return problem(400, f"The rule {name} is broken")""",
        },
        "says": "a name out of it",
    },
    {
        "name": "name of a constraint in the answer",
        "step": 1,
        "base": SQLALCHEMY,
        "replace": {
            (
                '    return problem(400, sentences.get(place, "No such category, or '
                'not enough in stock"))'
            ): """    diag = error.orig.diag
    return problem(400, f"Sorry, {diag.constraint_name} says no")""",
        },
        "says": "a name out of it",
        "database": "postgresql",
    },
    {
        "name": "503 for what is taken",
        "step": 1,
        "base": SQLALCHEMY,
        "replace": {
            "    return problem(400, sentences.get": "    return problem(503, sentences.get",
        },
        "says": "the status is 503",
    },
    {
        "name": "session not closed after an error",
        "step": 1,
        "base": SQLALCHEMY,
        "replace": {
            """    try:
        yield db
    except IntegrityError:
        db.rollback()
        raise
    finally:
        db.close()""": """    yield db
    db.close()""",
        },
        "says": "the session is not closed after an error",
    },
    {
        "name": "foreign keys looked after in SQL",
        "step": 2,
        "base": ASYNC_SQL,
        "replace": {
            '        cursor.execute("PRAGMA foreign_keys = ON")\n': "",
            '    number = await insert(connection, "goods", data)\n': """\
    sql = text("SELECT 1 FROM shelf WHERE id = :category_id")
    if (await connection.execute(sql, {"category_id": data["category_id"]})).first() is None:
        raise Refusal(404, "There is no such category")
    number = await insert(connection, "goods", data)
""",
            (
                '    await connection.execute(text("DELETE FROM shelf WHERE id = :id"), shelf)\n'
            ): """\
    sql = text("SELECT 1 FROM goods WHERE category_id = :id")
    if (await connection.execute(sql, shelf)).first():
        raise Refusal(409, "There are products in it")
    await connection.execute(text("DELETE FROM shelf WHERE id = :id"), shelf)
""",
        },
        "says": "Only the foreign key has no gap",
    },
    {
        "name": "products deleted with their category",
        "step": 2,
        "base": SQLALCHEMY,
        "replace": {
            'ondelete="RESTRICT"': 'ondelete="CASCADE"',
        },
        "says": "a cascade deletes the products",
    },
    {
        "name": "new stock from the row that was read",
        "step": 3,
        "base": SQLALCHEMY,
        "replace": {
            (
                "    if db.execute(changed.values(stock=Product.stock + "
                "data.change)).rowcount == 0:\n"
            ): """    new = product.stock + data.change
    if not 0 <= new <= LARGEST:
        raise HTTPException(409, 'Not enough in stock')
    if db.execute(changed.values(stock=new)).rowcount == 0:
""",
        },
        "says": "computed in Python",
    },
    {
        "name": "a lock of one process around the stock",
        "step": 3,
        "base": SQLALCHEMY,
        "replace": {
            "app = FastAPI(lifespan": """import threading

LOCK = threading.Lock()
app = FastAPI(lifespan""",
            """\
    product = find(db, Product, product_id)
    room""": """    with LOCK:
        product = find(db, Product, product_id)
        product.stock += data.change
        db.commit()
        return product
    room""",
        },
        "says": "computed in Python",
    },
    {
        "name": "UPDATE of more products than one",
        "step": 3,
        "base": ASYNC_SQL,
        "replace": {
            '"UPDATE goods SET stock = stock + :change WHERE id = :id"': (
                '"UPDATE goods SET stock = stock + :change WHERE id >= :id"'
            ),
        },
        "says": "the UPDATE has no WHERE",
    },
    {
        "name": "a word in place of a sentence",
        "step": 3,
        "base": SQLALCHEMY,
        "replace": {
            '"Not enough in stock, or too much")': '"stock")',
        },
        "says": "there is no sentence",
    },
    {
        "name": "sum without an upper bound",
        "step": 4,
        "base": SQLALCHEMY,
        "replace": {
            (
                "    room = Product.stock.between(max(0, -data.change), LARGEST - "
                "max(0, data.change))\n"
            ): ("    room = Product.stock >= -data.change\n"),
        },
        "says": "the change of a stock, and the sum, need an upper one",
    },
    {
        "name": "stock of 2147483648",
        "step": 4,
        "base": SQLALCHEMY,
        "replace": {
            "    stock: int = Field(0, ge=0, le=LARGEST)\n": (
                "    stock: int = Field(0, ge=0, le=LARGEST + 1)\n"
            ),
        },
        "says": "the bound is missing in the input class",
    },
    {
        "name": "NaN repeated in the 422",
        "step": 4,
        "replace": {
            (
                "@app.exception_handler(RequestValidationError)\n"
                "def answer_invalid(_request: Request, error: RequestValidationError) "
                "-> JSONResponse:\n"
                '    """Answer 422 without FastAPI\'s `input`, which repeats what was '
                'sent, the password too."""\n'
                '    told = [{name: problem[name] for name in ("type", "loc", "msg")} '
                "for problem in error.errors()]\n"
                '    return JSONResponse({"detail": told}, 422)\n'
            ): (""),
        },
        "says": "JSON has no NaN",
    },
    {
        "name": "half of a surrogate pair stored",
        "step": 4,
        "base": ASYNC_SQL,
        "replace": {
            "        value.encode()\n": "",
        },
        "says": "half of a surrogate pair",
    },
    {
        "name": "body that is nested too deep",
        "step": 4,
        "base": ASYNC_SQL,
        "replace": {
            "InvalidOperation, RecursionError)": "InvalidOperation)",
        },
        "says": "the body is read by hand",
    },
    {
        "name": "body that is no object",
        "step": 4,
        "base": ASYNC_SQL,
        "replace": {
            """        if not isinstance(body, dict):
            raise TypeError
""": "",
        },
        "says": "the body is read by hand",
    },
    {
        "name": "id read by int()",
        "step": 4,
        "base": ASYNC_SQL,
        "replace": {
            """\
    if not re.fullmatch("[0-9]{1,10}", number) or int(number) > LARGEST:
        raise Refusal(404, "There is no such thing")
""": "",
        },
        "says": "a number it cannot hold",
    },
    {
        "name": "NUL looked for at the end",
        "step": 4,
        "base": SQLALCHEMY,
        "replace": {
            'if "\\0" in value:': 'if value.endswith("\\0"):',
        },
        "says": "nobody looks for NUL",
    },
    {
        "name": "price rounded",
        "step": 4,
        "base": ASYNC_SQL,
        "replace": {
            """ or price != round(price, 2):
        raise ValueError
    return price""": """:
        raise ValueError
    return round(price, 2)""",
        },
        "says": "the price is rounded",
    },
    {
        "name": "health remembered",
        "step": 5,
        "base": SQLALCHEMY,
        "replace": {
            '    db.execute(text("SELECT 1"))\n': """    if not seen:
        db.execute(text("SELECT 1"))
        seen.append(1)
""",
            "ready = False\n": """ready = False
seen = []
""",
        },
        "says": "asks the database nothing",
    },
    {
        "name": "health check that only connects",
        "step": 5,
        "base": ASYNC_SQL,
        "replace": {
            '    (await connection.execute(text("SELECT 1"))).all()\n': "",
        },
        "says": "asks the database nothing",
    },
    {
        "name": "one route that does not catch it",
        "step": 5,
        "base": ASYNC_SQL,
        "replace": {
            '''@route()
async def read_product(request, connection):
    """Read a product."""
    return JSONResponse(await one(connection, "goods", GOODS, request))''': '''\
async def read_product(request):
    """Read a product."""
    async with engine.connect() as connection:
        try:
            return JSONResponse(await one(connection, "goods", GOODS, request))
        except Refusal as refusal:
            return JSONResponse({"detail": str(refusal)}, refusal.status)''',
        },
        "says": "a 500 says that the app is broken",
    },
    {
        "name": "error remembered",
        "step": 5,
        "base": SQLALCHEMY,
        "replace": {
            '''def prepare() -> None:
    """Create the tables, now or when the database is back."""
    global ready
    if not ready:
''': '''def prepare() -> None:
    """Create the tables, now or when the database is back."""
    global ready
    if ready is None:
        raise HTTPException(503, 'the database is away')
    if not ready:
        ready = None
''',
        },
        "says": "the error is kept",
    },
    {
        "name": "input in the sentence",
        "step": 6,
        "base": SQLALCHEMY,
        "replace": {
            """\
    fields = sorted({str(detail["loc"][-1]) for detail in error.errors()})
    known = [field for field in fields if field.isidentifier()]
    return problem(422, f"Please correct: {', '.join(known) or 'the request'}")""": (
                "    return problem(422, ', '.join(f\"{d['loc']}: {d['msg']}, not "
                "{d['input']!r}\" for d in error.errors()))"
            ),
        },
        "says": "FastAPI's own answer repeats the input",
    },
    {
        "name": "input left out for the password only",
        "step": 6,
        "replace": {
            (
                '    told = [{name: problem[name] for name in ("type", "loc", "msg")} '
                "for problem in error.errors()]\n"
                '    return JSONResponse({"detail": told}, 422)\n'
            ): """    told = []
    for problem in error.errors():
        kept = {name: problem[name] for name in ("type", "loc", "msg", "input")}
        if "password" in problem["loc"]:
            del kept["input"]
        told.append(kept)
    return JSONResponse({"detail": str(told)}, 422)
""",
        },
        "says": "FastAPI's own answer repeats the input",
    },
    {
        "name": "changes of a hundred at most",
        "step": 3,
        "base": "tests/right/ex15_sqlalchemy.py",
        "replace": {
            "change: int = Field(ge=-LARGEST, le=LARGEST)": "change: int = Field(ge=-LARGEST, le=100)",
        },
        "says": "it may grow to 1000",
    },
    {
        "name": "999 pieces at most",
        "step": 3,
        "base": "tests/right/ex15_sqlalchemy.py",
        "replace": {
            "room = Product.stock.between(max(0, -data.change), LARGEST - max(0, data.change))": "room = Product.stock.between(max(0, -data.change), 999 - max(0, data.change))",
        },
        "says": "it may grow to 1000",
    },
    {
        "name": "a hash that takes no NUL",
        "step": 4,
        "base": "tests/right/ex15_sqlalchemy.py",
        "replace": {
            """    salt = secrets.token_bytes(16)
""": "    if '\\0' in data.password:\n        raise ValueError('bcrypt takes no NUL')\n    salt = secrets.token_bytes(16)\n",
        },
        "says": "bcrypt takes no NUL",
    },
    {
        "name": "password stored as it is",
        "step": 1,
        "base": "tests/right/ex15_sqlalchemy.py",
        "replace": {
            'stored = f"{salt.hex()}:{hashed.hex()}"': "stored = data.password",
        },
        "says": "the database holds the password itself",
    },
    {
        "name": "hash not stored",
        "step": 1,
        "base": "tests/right/ex15_sqlalchemy.py",
        "replace": {
            "password_hash=stored": 'password_hash=""',
        },
        "says": "holds nothing of the password",
    },
    {
        "name": "product as it was read",
        "step": 3,
        "replace": {
            "    session.refresh(product)\n    return product": "    return product",
        },
        "says": "as it was read before the change",
    },
    {
        "name": "one piece by default",
        "step": 4,
        "base": "tests/right/ex15_sqlalchemy.py",
        "replace": {
            "stock: int = Field(0, ge=0": "stock: int = Field(1, ge=0",
        },
        "says": "there is what nobody sent",
    },
    {
        "name": "422 without a sentence",
        "step": 4,
        "replace": {
            'JSONResponse({"detail": told}, 422)': 'JSONResponse({"fields": told}, 422)',
        },
        "says": "no sentence under",
    },
    {
        "name": "hash without salt",
        "step": 1,
        "replace": {
            "PasswordHash.recommended().hash(data.password)": (
                "hashlib.sha256(data.password.encode()).hexdigest()"
            ),
            "import os\n": "import hashlib\nimport os\n",
        },
        "says": "another user with the same password has the same hash",
    },
    {
        "name": "base64 in place of a hash",
        "step": 1,
        "replace": {
            "PasswordHash.recommended().hash(data.password)": (
                "base64.b64encode(data.password.encode()).decode()"
            ),
            "import os\n": "import base64\nimport os\n",
        },
        "says": "or base64, which is none",
    },
    {
        "name": "hash in the answer under another name",
        "step": 1,
        "replace": {
            "    hashed_password: str = Field(max_length=200, exclude=True)": (
                "    login: str = Field(max_length=200)"
            ),
            'update={"hashed_password": hashed}': 'update={"login": hashed}',
            "PasswordHash.recommended().hash(data.password)": (
                "hashlib.scrypt(data.password.encode(), salt=os.urandom(16), n=2, r=1, p=1).hex()"
            ),
            "import os\n": "import hashlib\nimport os\n",
        },
        "says": "the answer holds the hash",
    },
    {
        "name": "long names cut",
        "step": 4,
        "replace": {
            "    return text\n\n\nText = Annotated[str, AfterValidator(refuse_nul)]": (
                "    return text[:50]\n\n\nText = Annotated[str, AfterValidator(refuse_nul)]"
            ),
            "    name: Text = Field(min_length=2, max_length=50)": (
                "    name: Text = Field(min_length=2)"
            ),
        },
        "says": "the text was cut",
    },
    {
        "name": "an apostrophe taken for an attack",
        "step": 4,
        "replace": {'    if "\\x00" in text:': '    if "\\x00" in text or "\'" in text:'},
        "says": "nothing else is refused or changed",
    },
    {
        "name": "a to z only",
        "step": 4,
        "replace": {'    if "\\x00" in text:': '    if "\\x00" in text or not text.isascii():'},
        "says": "nothing else is refused or changed",
    },
    {
        "name": "health check that tells the address",
        "step": 5,
        "replace": {
            '    return {"status": "healthy"}': (
                '    return {"status": "healthy", "database": str(engine.url)}'
            )
        },
        "says": "the answer shows the address of the database",
    },
    {
        "name": "products that are out of stock deleted with their category",
        "step": 2,
        "replace": {
            DELETE_CATEGORY: """    sold_out = delete(Product).where(col(Product.stock) == 0)
    session.exec(sold_out.where(col(Product.category_id) == category_id))
"""
            + DELETE_CATEGORY,
            "create_engine, select, update": "create_engine, delete, select, update",
        },
        "says": "a cascade deletes the products",
    },
    {
        "name": "price changed with the stock",
        "step": 3,
        "replace": {
            "stock=col(Product.stock) + data.change)": "stock=col(Product.stock) + data.change, price=1)"
        },
        "says": "the UPDATE changes more than the stock",
    },
    {
        "name": "name of a key in the sentence",
        "step": 2,
        "replace": {"There is no such category": "products.category_id is not there"},
        "says": "shows the inside of the app",
    },
    {
        "name": "connections that died with the database",
        "step": 5,
        "database": "postgresql",
        "replace": {"    pool_pre_ping=True,": "    pool_pre_ping=False,"},
        "says": "pool_pre_ping=True replaces it",
    },
    {
        "name": "decimals counted in floats",
        "step": 4,
        "replace": {
            CREATE_PRODUCT: (
                "    cents = float(data.price) * 100\n"
                "    if cents != int(cents):\n"
                '        raise HTTPException(422, "A price has two decimals at most")\n'
            )
            + CREATE_PRODUCT,
        },
        "says": "decimals are counted in floats",
    },
    {
        "name": "products remembered by one process",
        "step": 3,
        "replace": {
            "    return get_row(session, Product, product_id)\n\n\n"
            '@app.post("/products/{product_id}/stock")': (
                "    if product_id not in SEEN:\n"
                "        SEEN[product_id] = get_row(session, Product, product_id).model_dump()\n"
                "    return Product(**SEEN[product_id])\n\n\n"
                "SEEN: dict[int, dict[str, Any]] = {}\n\n\n"
                '@app.post("/products/{product_id}/stock")'
            ),
            "    session.refresh(product)\n    return product": (
                "    session.refresh(product)\n    SEEN[product_id] = product.model_dump()\n"
                "    return product"
            ),
        },
        "says": "no SQL was run for this answer",
    },
    {
        "name": "GET answers all columns, the hash under another name",
        "step": 1,
        "base": ASYNC_SQL,
        "replace": {'"people", "id, name, email", request': '"people", "*", request'},
        "says": "the row with all its columns",
    },
    {
        "name": "errors in an envelope without detail",
        "step": 1,
        "replace": {
            "from fastapi import Depends,": (
                "from starlette.exceptions import HTTPException as Raised\n"
                "from fastapi import Depends,"
            ),
            "@app.exception_handler(OperationalError)\n": (
                "@app.exception_handler(Raised)\n"
                "def answer_error(_request: Request, error: Raised) -> JSONResponse:\n"
                '    message = {"code": error.status_code, "message": error.detail}\n'
                '    return JSONResponse({"error": message}, error.status_code)\n'
                "\n\n"
                "@app.exception_handler(OperationalError)\n"
            ),
        },
        "says": "HTTPException(409, 'a sentence')",
    },
    {
        "name": "health without a sentence",
        "step": 5,
        "replace": {
            "def answer_database_away(_request: Request,": "def answer_database_away(request: Request,",
            '    detail = "The database cannot be reached; try again later"\n': (
                '    if request.url.path == "/health":\n'
                '        return JSONResponse({"status": "unhealthy"}, 503)\n'
                '    detail = "The database cannot be reached; try again later"\n'
            ),
        },
        "says": "JSONResponse({'detail': 'a sentence'}",
    },
    {
        "name": "a null is a stock of 0",
        "step": 4,
        "replace": {
            "class Product(ProductCreate, table=True):": (
                "class ProductIn(ProductCreate):\n"
                "    stock: int | None = Field(default=0, ge=0, le=1_000_000)\n"
                "\n\n"
                "class Product(ProductCreate, table=True):"
            ),
            "def create_product(data: ProductCreate,": "def create_product(data: ProductIn,",
            "Product.model_validate(data)": (
                'Product.model_validate(data.model_dump() | {"stock": data.stock or 0})'
            ),
        },
        "says": "null is taken for what was not sent",
    },
    {
        "name": "too few in stock is answered as no such product",
        "step": 3,
        "replace": {
            '    with refusal("Stock would be out of range"):\n'
            "        session.exec(statement.values(stock=col(Product.stock) + data.change))\n": (
                "    stock = col(Product.stock) + data.change\n"
                "    statement = statement.where(stock.between(0, 1_000_000))\n"
                "    if session.exec(statement.values(stock=stock)).rowcount == 0:\n"
                '        raise HTTPException(404, "Product not found, or too few of it")\n'
            )
        },
        "says": "only the first is a 404",
    },
    {
        "name": "the refusal names what was sent",
        "step": 6,
        "replace": {
            'refusal("Email already registered")': 'refusal(f"Cannot store {data.model_dump()}")'
        },
        "says": "the sentence of the refusal",
    },
]
