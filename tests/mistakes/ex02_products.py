"""Wrong solutions of exercise 02 that learners write."""

MISTAKES = [
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
        "replace": {"ge=0, le=2_147_483_647": "ge=0"},
        "says": "the stock has no bounds",
    },
]
