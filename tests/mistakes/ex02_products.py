"""Wrong solutions of exercise 02 that learners write."""

SQLALCHEMY = "tests/right/ex02_sqlalchemy.py"
ASYNC_SQL = "tests/right/ex02_async_sql.py"

MISTAKES = [
    {
        "name": "default below 0",
        "step": 6,
        "replace": {"    stock: Stock = 0\n": "    stock: Stock = -1\n"},
        "says": "a default is not validated",
    },
    {
        "name": "one session for all requests",
        "step": 6,
        "replace": {
            "    with Session(engine) as session:\n        yield session\n": "    yield shared\n",
            "def get_session()": "shared = Session(engine)\n\n\ndef get_session()",
        },
        "says": "in which several work at the same moment",
    },
    {
        "name": "no commit",
        "step": 1,
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
        "name": "no unique constraint",
        "step": 1,
        "replace": {", unique=True": ""},
        "says": "no unique=True",
    },
    {
        "name": "duplicate not caught",
        "step": 1,
        "replace": {"except IntegrityError:": "except ZeroDivisionError:"},
        "says": "nobody caught the IntegrityError",
    },
    {
        "name": "response class without id",
        "step": 2,
        "replace": {
            "data: ProductCreate, session: SessionDep) -> Product:": (
                "data: ProductCreate, session: SessionDep) -> ProductCreate:"
            )
        },
        "says": "the response class has no id",
    },
    {
        "name": "category not looked for",
        "step": 2,
        "replace": {
            "data.category_id is not None and session.get(Category, data.category_id) is None": (
                "False"
            )
        },
        "says": "nobody looks whether the category is there",
    },
    {
        "name": "table class as body",
        "step": 2,
        "replace": {
            "def create_product(data: ProductCreate,": "def create_product(data: Product,",
            "return save(session, Product.model_validate(data))": "return save(session, data)",
        },
        "says": "table class is the request body",
    },
    {
        "name": "table class as response model",
        "step": 2,
        "replace": {", response_model=ProductWithCategory": ""},
        "says": "answers its columns only",
    },
    {
        "name": "nested category takes no null",
        "step": 2,
        "replace": {"    category: Category | None\n": "    category: Category\n"},
        "says": "takes no null",
    },
    {
        "name": "inner join of the categories",
        "step": 3,
        "replace": {"select(Product).order_by": "select(Product).join(Category).order_by"},
        "says": "an inner join leaves out",
    },
    {
        "name": "in_stock is true by default",
        "step": 3,
        "replace": {"in_stock: bool | None = None": "in_stock: bool | None = True"},
        "says": "its default has to be None",
    },
    {
        "name": "0 is taken for not given",
        "step": 3,
        "replace": {"if max_price is not None:": "if max_price:"},
        "says": "is false for 0 too",
    },
    {
        "name": "elif between filters",
        "step": 3,
        "replace": {"    if min_price is not None:": "    elif min_price is not None:"},
        "says": "does not reach the query",
    },
    {
        "name": "bound left out",
        "step": 3,
        "replace": {"col(Product.price) <= max_price": "col(Product.price) < max_price"},
        "says": "leaves out its own bound",
    },
    {
        "name": "update takes the class of POST",
        "step": 4,
        "replace": {"data: ProductUpdate,": "data: ProductCreate,"},
        "says": "fields that were not sent are required",
    },
    {
        "name": "update loses 0",
        "step": 4,
        "replace": {
            "product.sqlmodel_update(data.model_dump(exclude_unset=True))": (
                "product.sqlmodel_update({k: v for k, v in data.model_dump().items() if v})"
            )
        },
        "says": "0 is taken for nothing",
    },
    {
        "name": "explicit null",
        "step": 4,
        "replace": {
            "stock: Stock = Field(default=None": "stock: Stock | None = Field(default=None"
        },
        "says": "explicit null",
    },
    {
        "name": "delete without commit",
        "step": 5,
        "replace": {
            """    session.delete(product)
    session.commit()""": "    session.delete(product)"
        },
        "says": "no session.commit() after session.delete()",
    },
    {
        "name": "float money",
        "step": 6,
        "replace": {
            "    Decimal,\n    pydantic.Field(gt=0, max_digits=10, decimal_places=2),\n": (
                "    float,\n    pydantic.Field(gt=0),\n"
            )
        },
        "says": "the price is a float",
    },
    {
        "name": "bounds on create only",
        "step": 6,
        "replace": {"stock: Stock = Field(default=None)": "stock: int = Field(default=None)"},
        "says": "in the input class and in the update class",
    },
    {
        "name": "stock beyond INTEGER",
        "step": 6,
        "replace": {"ge=0, le=MAX_INTEGER": "ge=0"},
        "says": "the stock has no bounds",
    },
    {
        "name": "a lock around SELECT and INSERT",
        "step": 6,
        "base": SQLALCHEMY,
        "replace": {
            "String(50), unique=True)": "String(50))",
            """\
    category = Category(**data.model_dump())
    db.add(category)
    try:
        db.commit()
    except IntegrityError:
        db.rollback()
        raise HTTPException(status_code=400, detail="Category already exists") from None
    return category""": """    with LOCK:
        if db.scalar(select(Category).where(Category.name == data.name)):
            raise HTTPException(409, "x")
        category = Category(**data.model_dump())
        db.add(category)
        db.commit()
        return category""",
            "app = FastAPI()": """import threading
LOCK = threading.Lock()
app = FastAPI()""",
        },
        "says": "holds in one process only",
    },
    {
        "name": "select before insert as the only guard",
        "step": 6,
        "base": SQLALCHEMY,
        "replace": {
            "String(50), unique=True)": "String(50))",
            "    category = Category(**data.model_dump())\n": """\
    if db.scalar(select(Category).where(Category.name == data.name)):
        raise HTTPException(409, "x")
    category = Category(**data.model_dump())
""",
        },
        "says": "a SELECT before the INSERT is the only guard",
    },
    {
        "name": "taken names in a set",
        "step": 1,
        "replace": {
            """, unique=True)


class Category(""": """)


TAKEN: set[str] = set()


class Category(""",
            "    category = Category.model_validate(data)\n": """    if data.name in TAKEN:
        raise HTTPException(409, "taken")
    TAKEN.add(data.name)
    category = Category.model_validate(data)
""",
        },
        "says": "which belongs to one process",
    },
    {
        "name": "taken names looked for with LIKE",
        "step": 1,
        "base": SQLALCHEMY,
        "replace": {
            "    category = Category(**data.model_dump())\n": """\
    if db.scalar(select(Category).where(Category.name.like(data.name))):
        raise HTTPException(409, "x")
    category = Category(**data.model_dump())
""",
        },
        "says": "another name counts as this one",
    },
    {
        "name": "a taken name answered with the row that was there",
        "step": 1,
        "base": ASYNC_SQL,
        "replace": {
            '"INSERT INTO category (name) VALUES (:name) RETURNING id, name"': (
                '"INSERT INTO category (name) VALUES (:name) ON CONFLICT (name) DO '
                'UPDATE SET name = excluded.name RETURNING id, name"'
            ),
        },
        "says": "the row that was there is answered",
    },
    {
        "name": "no more than 20 products",
        "step": 3,
        "base": ASYNC_SQL,
        "replace": {
            'ORDER BY p.id DESC"': 'ORDER BY p.id DESC LIMIT 20"',
        },
        "says": "a limit cuts the list",
    },
    {
        "name": "prices compared as text",
        "step": 3,
        "base": SQLALCHEMY,
        "replace": {
            "price: Mapped[Decimal] = mapped_column(Numeric(10, 2))": (
                "price: Mapped[str] = mapped_column(String(20))"
            ),
            """data.model_dump())
    db.add(product)""": """data.model_dump(mode="json"))
    db.add(product)""",
            "Decimal(str(min_price))": "str(min_price)",
            "Decimal(str(max_price))": "str(max_price)",
            "exclude_none=True)": 'exclude_none=True, mode="json")',
        },
        "says": "Prices are numbers",
    },
    {
        "name": "min_price is a whole number",
        "step": 3,
        "base": SQLALCHEMY,
        "replace": {
            "min_price: float | None": "min_price: int | None",
        },
        "says": "refuses query.min_price",
    },
    {
        "name": "one filter works only beside another",
        "step": 3,
        "base": SQLALCHEMY,
        "replace": {
            "    if in_stock:": "    if in_stock and category_id:",
        },
        "says": "does not reach the query",
    },
    {
        "name": "UPDATE of more rows than one",
        "step": 4,
        "base": ASYNC_SQL,
        "replace": {
            "SET {column} = :value WHERE id = :id": "SET {column} = :value WHERE id >= :id",
        },
        "says": "finds more than this id",
    },
    {
        "name": "products remembered by each process",
        "step": 4,
        "base": SQLALCHEMY,
        "replace": {
            (
                "    product = db.get(Product, product_id, "
                "options=[joinedload(Product.category)])\n"
            ): (
                "    product = db.get(Product, product_id, "
                "options=[joinedload(Product.category)])\n"
            ),
            """\
@app.get("/products/{product_id}", response_model=ProductDetail)
def read_product(product: Product = Depends(find)):
    return product""": """CACHE = {}


@app.get("/products/{product_id}", response_model=ProductDetail)
def read_product(product_id: int, db: Session = Depends(get_db)):
    if product_id not in CACHE:
        CACHE[product_id] = ProductDetail.model_validate(find(product_id, db))
    return CACHE[product_id]""",
            """        setattr(product, field, value)
    db.commit()
""": """        setattr(product, field, value)
    db.commit()
    CACHE.pop(product.id, None)
""",
            """    db.delete(product)
    db.commit()
""": """    db.delete(product)
    db.commit()
    CACHE.pop(product.id, None)
""",
        },
        "says": "belongs to one process",
    },
    {
        "name": "marked as deleted, and listed",
        "step": 5,
        "base": ASYNC_SQL,
        "replace": {
            '" stock INTEGER NOT NULL,': (
                '" gone INTEGER NOT NULL DEFAULT 0, stock INTEGER NOT NULL,'
            ),
            '"DELETE FROM product WHERE id = :id"': (
                '"UPDATE product SET gone = 1 WHERE id = :id AND gone = 0"'
            ),
            'f"{READ} WHERE p.id = :id"': 'f"{READ} WHERE p.id = :id AND p.gone = 0"',
        },
        "says": "only marked as deleted",
    },
    {
        "name": "last product takes its category along",
        "step": 5,
        "base": SQLALCHEMY,
        "replace": {
            "    db.delete(product)\n": """    db.delete(product)
    db.flush()
    if not db.scalar(select(Product).where(Product.category_id == product.category_id)):
        db.delete(db.get(Category, product.category_id))
""",
        },
        "says": "a cascade that goes too far",
    },
    {
        "name": "deleted twice",
        "step": 5,
        "base": ASYNC_SQL,
        "replace": {
            """    if done.rowcount == 0:
        raise HTTPException(404, "Product not found")
    return Response""": """    if product_id > 1_000_000:
        raise HTTPException(404)
    return Response""",
        },
        "says": "without looking whether it is there",
    },
    {
        "name": "session not closed after an error",
        "step": 2,
        "base": SQLALCHEMY,
        "replace": {
            """    try:
        yield db
    finally:
        db.close()""": """    yield db
    db.close()""",
        },
        "says": "or not after an error",
    },
    {
        "name": "400 for a category that is not there",
        "step": 2,
        "replace": {
            'raise HTTPException(404, "Category not found")': (
                'raise HTTPException(400, "Category not found")'
            ),
        },
        "says": "it is to be a 404",
    },
    {
        "name": "tables dropped at the start",
        "step": 2,
        "replace": {
            "    SQLModel.metadata.create_all(engine)\n": """    SQLModel.metadata.drop_all(engine)
    SQLModel.metadata.create_all(engine)
""",
        },
        "says": "the tables are dropped when the app starts",
    },
    {
        "name": "category of another product",
        "step": 2,
        "base": ASYNC_SQL,
        "replace": {
            'JOIN category c ON c.id = p.category_id"': (
                'JOIN category c ON c.id <= p.category_id"'
            ),
            "mappings().one_or_none()": "mappings().first()",
        },
        "says": "finds the category of another product",
    },
    {
        "name": "cents cut off",
        "step": 6,
        "base": ASYNC_SQL,
        "replace": {
            'int(values.pop("price") * 100)': 'int(float(values.pop("price")) * 100)',
        },
        "says": "the field 'price' is 0.28, not 0.29",
    },
    {
        "name": "bounds of the price on create only",
        "step": 6,
        "base": SQLALCHEMY,
        "replace": {
            ('        None, ge=Decimal("0.01"), le=Decimal("99999999.99"), decimal_places=2\n'): (
                '        None, ge=Decimal("0.01"), le=Decimal("99999999.99")\n'
            ),
        },
        "says": "in the input class and in the update class",
    },
    {
        "name": "the bound itself is refused",
        "step": 6,
        "base": SQLALCHEMY,
        "replace": {
            ('    price: Decimal = Field(ge=Decimal("0.01"), le=Decimal("99999999.99"), decimal'): (
                '    price: Decimal = Field(ge=Decimal("0.01"), lt=Decimal("99999999.99"), decimal'
            ),
        },
        "says": "a bound that is itself refused",
    },
    {
        "name": "half of a refused change stored",
        "step": 6,
        "replace": {
            "stock: Stock = Field(default=None)": "stock: int = Field(default=None)",
            "    product.sqlmodel_update(data.model_dump(exclude_unset=True))\n": """\
    if "price" in data.model_fields_set:
        product.price = data.price
        session.commit()
    if "stock" in data.model_fields_set:
        if not 0 <= data.stock <= 2147483647:
            raise HTTPException(422, "no")
        product.stock = data.stock
""",
        },
        "says": "a part of a refused change was stored",
    },
    {
        "name": "inner join as soon as a filter is given",
        "step": 3,
        "replace": {
            """    if category_id is not None:
        statement""": """    if (min_price, max_price, in_stock) != (None, None, None):
        statement = statement.join(Category)
    if category_id is not None:
        statement""",
        },
        "says": "an inner join leaves out rows without a partner",
    },
    {
        "name": "never more than 100 products",
        "step": 3,
        "base": "tests/right/ex02_async_sql",
        "replace": {
            'ORDER BY p.id DESC"': 'ORDER BY p.id LIMIT 100"',
        },
        "says": "a limit cuts the list",
    },
    {
        "name": "name of a category of one letter refused",
        "step": 1,
        "replace": {
            "name: str = Field(min_length=1, max_length=50, unique=True)": "name: str = Field(min_length=2, max_length=50, unique=True)",
        },
        "says": "a bound that is itself refused",
    },
    {
        "name": "name of a category of at most 40 signs",
        "step": 1,
        "base": "tests/right/ex02_async_sql",
        "replace": {
            "name: Annotated[str, Field(min_length=1, max_length=50)]": "name: Annotated[str, Field(min_length=1, max_length=40)]",
        },
        "says": "a bound that is itself refused",
    },
    {
        "name": "id of the client written over a row",
        "step": 2,
        "base": "tests/right/ex02_sqlalchemy",
        "replace": {
            """    category_id: int


class ProductOut(ProductIn)""": """    category_id: int
    id: int | None = None


class ProductOut(ProductIn)""",
            """    product = Product(**data.model_dump())
    db.add(product)
""": """    product = db.merge(Product(**data.model_dump()))
""",
        },
        "says": "the id is taken from the body",
    },
    {
        "name": "price and stock in two transactions",
        "step": 4,
        "base": "tests/right/ex02_sqlalchemy",
        "replace": {
            """        setattr(product, field, value)
    db.commit()""": """        setattr(product, field, value)
        db.commit()""",
        },
        "says": "one commit at the end for both",
    },
    {
        "name": "filter by the first category left out",
        "step": 3,
        "base": "tests/right/ex02_sqlalchemy",
        "replace": {
            """    if category_id:
""": """    if category_id and category_id > 1:
""",
        },
        "says": "the filter leaves out the id 1",
    },
    {
        "name": "max_price of 10000 by default",
        "step": 3,
        "replace": {
            ("    max_price: Decimal | None = None,\n    in_stock: bool | None"): (
                "    max_price: Decimal = Decimal(10000),\n    in_stock: bool | None"
            ),
        },
        "says": "a filter works though it is not given",
    },
    {
        "name": "min_price of 0 refused",
        "step": 3,
        "replace": {
            "    min_price: Decimal | None = None,\n": "    min_price: Annotated[Decimal | None, Query(gt=0)] = None,\n",
        },
        "says": "query.min_price",
    },
    {
        "name": "names of at most 40 signs",
        "step": 2,
        "base": "tests/right/ex02_sqlalchemy",
        "replace": {
            "    name: str = Field(min_length=1, max_length=200)": "    name: str = Field(min_length=1, max_length=40)",
        },
        "says": "a bound of the app's own",
    },
    {
        "name": "PATCH changes the id",
        "step": 4,
        "base": "tests/right/ex02_sqlalchemy",
        "replace": {
            "class ProductUpdate(BaseModel):\n": (
                "class ProductUpdate(BaseModel):\n    id: int | None = None\n"
            ),
        },
        "says": "the id is taken from the body",
    },
    {
        "name": "PATCH writes the whole row",
        "step": 6,
        "base": "tests/right/ex02_async_sql",
        "replace": {
            ("    await find(db, product_id)\n    values = data.model_dump(exclude_unset=True)"): (
                "    old = await find(db, product_id)\n"
                '    values = {"price": Decimal(str(old["price"])), "stock": old["stock"]} | data.model_dump(exclude_unset=True)'
            ),
        },
        "says": "the whole row is written",
    },
    {
        "name": "deleted by name",
        "step": 5,
        "base": "tests/right/ex02_async_sql",
        "replace": {
            '"DELETE FROM product WHERE id = :id"': '"DELETE FROM product WHERE name = (SELECT name FROM product WHERE id = :id)"',
        },
        "says": "finds more than this id",
    },
    {
        "name": "changed by name",
        "step": 4,
        "base": "tests/right/ex02_async_sql",
        "replace": {
            'SET {column} = :value WHERE id = :id"': 'SET {column} = :value WHERE name = (SELECT name FROM product WHERE id = :id)"',
        },
        "says": "finds more than this id",
    },
    {
        "name": "min_price cut to cents in binary",
        "step": 3,
        "base": "tests/right/ex02_async_sql",
        "replace": {
            ("float(min_price * 100)\n    if max"): ("int(float(min_price) * 100)\n    if max"),
        },
        "says": "the bound is not compared to the cent",
    },
    {
        "name": "stock of a new product is added to one of the same name",
        "step": 2,
        "base": "tests/right/ex02_sqlalchemy",
        "replace": {
            "    product = Product(**data.model_dump())\n": (
                "    product = db.scalars(select(Product).where(Product.name == data.name, Product.category_id == data.category_id)).first()\n"
                "    if product:\n"
                "        product.stock += data.stock\n"
                "        db.commit()\n"
                "        return product\n"
                "    product = Product(**data.model_dump())\n"
            ),
        },
        "says": "is taken for the new one",
    },
    {
        "name": "price of 100 and more refused as a filter",
        "step": 3,
        "base": "tests/right/ex02_sqlalchemy",
        "replace": {
            "    max_price: float | None = None,": "    max_price: float | None = Query(None, le=100),",
        },
        "says": "query.max_price",
    },
    {
        "name": "products without stock are deleted at the start",
        "step": 2,
        "base": "tests/right/ex02_sqlalchemy",
        "replace": {
            "Base.metadata.create_all(engine)\n": (
                "Base.metadata.create_all(engine)\n"
                "with SessionLocal() as _db:\n"
                "    _db.execute(__import__('sqlalchemy').delete(Product).where(Product.stock == 0))\n"
                "    _db.commit()\n"
            ),
        },
        "says": "tables are dropped when the app starts",
    },
    {
        "name": "signs at the end of a name left out",
        "step": 1,
        "base": "tests/right/ex02_sqlalchemy",
        "replace": {
            "    category = Category(**data.model_dump())\n": "    category = Category(name=data.name.rstrip('.!?'))\n",
        },
        "says": "another name counts as this one",
    },
    {
        "name": "null ends the change of what stands beside it",
        "step": 4,
        "base": "tests/right/ex02_sqlalchemy",
        "replace": {
            "    for field, value in data.model_dump(exclude_none=True).items():\n": (
                "    values = data.model_dump(exclude_unset=True)\n"
                "    if None in values.values():\n"
                "        return product\n"
                "    for field, value in values.items():\n"
            ),
        },
        "says": "what was sent beside it too",
    },
    {
        "name": "half of a change with a null stored",
        "step": 4,
        "base": "tests/right/ex02_sqlalchemy",
        "replace": {
            "    for field, value in data.model_dump(exclude_none=True).items():\n": (
                "    for field, value in data.model_dump(exclude_unset=True).items():\n"
                "        if value is None:\n"
                "            db.commit()\n"
                "            raise HTTPException(422, f'{field} takes no null')\n"
            ),
        },
        "says": "half of a refused change stays",
    },
    {
        "name": "categories that are not there remembered",
        "step": 2,
        "replace": {
            "def save(": "missing: set[int] = set()\n\n\ndef save(",
            "    if data.category_id is not None and session.get(Category, data.category_id) is None:\n": (
                "    if data.category_id in missing or (\n"
                "        data.category_id and not session.get(Category, data.category_id)\n"
                "    ):\n"
                "        missing.add(data.category_id)\n"
            ),
        },
        "says": "remembered in memory that there was no such row",
    },
    {
        "name": "bounds exchanged when they are the wrong way round",
        "step": 3,
        "replace": {
            "    statement = select(Product).order_by(col(Product.id))\n": (
                "    if min_price is not None and max_price is not None:\n"
                "        min_price, max_price = sorted([min_price, max_price])\n"
                "    statement = select(Product).order_by(col(Product.id))\n"
            ),
        },
        "says": "the two bounds are exchanged",
    },
    {
        "name": "cents of a float cut",
        "step": 3,
        "base": "tests/right/ex02_async_sql",
        "replace": {
            '{"cents": int(data.price * 100)}': '{"cents": int(float(data.price) * 100)}',
        },
        "says": "the price goes through a float",
    },
    {
        "name": "both bounds cut to cents in binary",
        "step": 3,
        "base": "tests/right/ex02_async_sql",
        "replace": {
            "float(min_price * 100)": "int(float(min_price) * 100)",
            "float(max_price * 100)": "int(float(max_price) * 100)",
        },
        "says": "the bound is not compared to the cent",
    },
    {
        "name": "null left out of the answer",
        "step": 2,
        "replace": {
            '@app.get("/products/{product_id}", response_model=ProductWithCategory)': (
                '@app.get(\n    "/products/{product_id}",\n    response_model=ProductWithCategory,\n'
                "    response_model_exclude_none=True,\n)"
            ),
        },
        "says": "response_model_exclude_none",
    },
    {
        "name": "transaction ends after the answer",
        "step": 6,
        "base": "tests/right/ex02_async_sql",
        "replace": {', scope="function"': ""},
        "says": "the answer was sent before the commit",
    },
    {
        "name": "lists remembered until the same process writes",
        "step": 3,
        "replace": {
            'app = FastAPI(title="Products", lifespan=lifespan)\n': (
                'app = FastAPI(title="Products", lifespan=lifespan)\nlists = {}\n'
            ),
            "    session.add(product)\n": "    lists.clear()\n    session.add(product)\n",
            '    return session.exec(statement).all()\n\n\n@app.get("/products/{product_id}"': (
                "    key = (category_id, min_price, max_price, in_stock)\n"
                "    if key not in lists:\n"
                "        lists[key] = [row.model_dump() for row in session.exec(statement)]\n"
                '    return lists[key]\n\n\n@app.get("/products/{product_id}"'
            ),
        },
        "says": "belongs to one process",
    },
    {
        "name": "list of a thousand products",
        "step": 3,
        "replace": {
            '    return session.exec(statement).all()\n\n\n@app.get("/products/{product_id}"': (
                "    return session.exec(statement.limit(1000)).all()\n\n\n"
                '@app.get("/products/{product_id}"'
            ),
        },
        "says": "a limit cuts the list",
    },
    {
        "name": "bounds rounded to the cent",
        "step": 3,
        "replace": {
            "col(Product.price) >= min_price": "col(Product.price) >= round(min_price, 2)",
            "col(Product.price) <= max_price": "col(Product.price) <= round(max_price, 2)",
        },
        "says": "cut or rounded",
    },
    {
        "name": "price converted by hand",
        "step": 6,
        "replace": {
            "    price: Price = Field(default=None)\n": (
                "    price: Annotated[Price, pydantic.BeforeValidator(lambda sent: "
                "Decimal(str(sent)))] = Field(default=None)\n"
            ),
        },
        "says": "its conversion fails there",
    },
    {
        "name": "categories without products left out",
        "step": 1,
        "replace": {
            "select(Category).order_by": "select(Category).join(Product).distinct().order_by",
        },
        "says": "an inner join leaves out categories",
    },
    {
        "name": "in stock from two on",
        "step": 3,
        "replace": {"(col(Product.stock) > 0)": "(col(Product.stock) > 1)"},
        "says": "a stock of 1 is one",
    },
    {
        "name": "what equals the row ends the change",
        "step": 4,
        "replace": {
            "    product.sqlmodel_update(data": """    if data.price == product.price:
        return product
    product.sqlmodel_update(data"""
        },
        "says": "equals what is there",
    },
    {
        "name": "nothing between two equal bounds",
        "step": 3,
        "replace": {
            "    if in_stock is not None:": """    if min_price is not None and min_price == max_price:
        return []
    if in_stock is not None:"""
        },
        "says": "does not list a product that costs 10",
    },
]
