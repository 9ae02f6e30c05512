"""Wrong solutions of exercise 09 that learners write."""

ATOMIC = """\
    statement = update(Account).where(col(Account.id) == account_id, balance.between(0, MOST))
    if session.exec(statement.values(balance=balance)).rowcount == 0:
"""
IN_ORDER = "for account_id, change in sorted(changes.items()):"
READ_THEN_WRITE = """\
    account = session.get(Account, account_id{options})
    assert account
    new = account.balance + change
    if 0 <= new <= MOST:
        account.balance = new
    else:
"""

MISTAKES = [
    {
        "name": "float money",
        "step": 3,
        "replace": {
            "balance: Decimal = Field(ge=0, max_digits=10, decimal_places=2)": (
                "balance: float = Field(ge=0, le=99999999.99, multiple_of=0.01)"
            ),
            "    amount: Decimal = Field(gt=0, max_digits=10, decimal_places=2)": (
                "    amount: float = Field(gt=0)"
            ),
            "func.round(col(Account.balance) + change, 2)": "col(Account.balance) + change",
            "change: Decimal)": "change: float)",
        },
        "says": "floats compute the money",
    },
    {
        "name": "sum in SQL not rounded on SQLite",
        "step": 3,
        "replace": {
            "func.round(col(Account.balance) + change, 2)": "col(Account.balance) + change"
        },
        "says": "func.round(…, 2)",
    },
    {
        "name": "negative amount",
        "step": 2,
        "replace": {
            "Field(gt=0, max_digits=10, decimal_places=2)": (
                "Field(max_digits=10, decimal_places=2)"
            )
        },
        "says": "Below 0, money would flow back",
    },
    {
        "name": "no commit",
        "step": 2,
        "replace": {
            """    session.add(transfer)
    session.commit()""": """    session.add(transfer)
    session.flush()"""
        },
        "says": "not committed",
    },
    {
        "name": "funds not looked at",
        "step": 3,
        "replace": {"balance.between(0, MOST)": "balance <= MOST"},
        "says": "the balance is not compared",
    },
    {
        "name": "the whole balance is too much",
        "step": 3,
        "replace": {"balance.between(0, MOST)": "balance > 0, balance <= MOST"},
        "says": "compare with <, not with <=",
    },
    {
        "name": "except Exception around it all",
        "step": 2,
        "replace": {
            """    for account_id in changes:
        get_account(account_id, session)
""": """    try:
        for account_id in changes:
            get_account(account_id, session)
    except Exception as error:
        raise HTTPException(400, f"Transfer failed: {error}") from None
"""
        },
        "says": "has caught the HTTPException too",
    },
    {
        "name": "commit after each account",
        "step": 4,
        "replace": {
            "        add_to_balance(session, account_id, change)\n": (
                "        add_to_balance(session, account_id, change)\n        session.commit()\n"
            )
        },
        "says": "committed in parts",
    },
    {
        "name": "error answered, then committed by the dependency",
        "step": 4,
        "replace": {
            """    with Session(engine) as session:
        yield session""": """    with Session(engine) as session:
        try:
            yield session
        finally:
            session.commit()"""
        },
        "says": "without a rollback",
    },
    {
        "name": "overflow not caught",
        "step": 4,
        "replace": {"balance.between(0, MOST)": "balance >= 0"},
        "says": "error that nobody catches",
        "database": "postgresql",
    },
    {
        "name": "balance read, compared and written",
        "step": 5,
        "replace": {ATOMIC: READ_THEN_WRITE.format(options="")},
        "says": "is read, compared in Python and written",
    },
    {
        "name": "with_for_update on SQLite",
        "step": 5,
        "replace": {ATOMIC: READ_THEN_WRITE.format(options=", with_for_update=True")},
        "says": "with_for_update() does nothing on SQLite",
    },
    {
        "name": "the paying account first",
        "step": 6,
        "replace": {IN_ORDER: "for account_id, change in changes.items():"},
        "says": "lock them sorted by id",
        "database": "postgresql",
    },
    {
        "name": "transfers listed by amount",
        "step": 2,
        "replace": {"order_by(col(Transfer.id))": "order_by(col(Transfer.amount))"},
        "says": "there is no ORDER BY",
    },
    {
        "name": "a lock around the route",
        "step": 5,
        "replace": {
            "def create_transfer(data: TransferCreate, session: SessionDep) -> Transfer:": """def create_transfer(data: TransferCreate, session: SessionDep) -> Transfer:
    with LOCK:
        return create_locked(data, session)


def create_locked(data, session):""",
            """    balance = func.round(col(Account.balance) + change, 2)
    statement = update(Account).where(col(Account.id) == account_id, balance.between(0, MOST))
    if session.exec(statement.values(balance=balance)).rowcount == 0:
""": """    account = get_account(account_id, session)
    new = account.balance + change
    ok = 0 <= new <= MOST
    if ok:
        account.balance = new
        session.flush()
    if not ok:
""",
            "engine = create": """import threading
LOCK = threading.Lock()
engine = create""",
        },
        "says": "a lock in memory",
    },
    {
        "name": "a bound of its own for amounts",
        "step": 3,
        "replace": {
            "amount: Decimal = Field(gt=0, max_digits=10": "amount: Decimal = Field(gt=0, le=1000000, max_digits=10"
        },
        "says": "less than or equal to 1000000",
    },
    {
        "name": "a transfer to itself is stored",
        "step": 2,
        "replace": {
            """        raise HTTPException(400, "The two accounts are the same")
""": """        transfer = Transfer.model_validate(data)
        session.add(transfer)
        session.commit()
        session.refresh(transfer)
        return transfer
"""
        },
        "says": "the two ids are not compared",
    },
    {
        "name": "what was taken is committed before the refusal",
        "step": 4,
        "replace": {
            """        add_to_balance(session, account_id, change)
""": """        try:
            add_to_balance(session, account_id, change)
        except HTTPException:
            session.commit()
            raise
"""
        },
        "says": "committed in parts",
    },
    {
        "name": "an owner has one account",
        "step": 2,
        "base": "tests/right/ex09_sqlalchemy.py",
        "replace": {
            "owner: Mapped[str] = mapped_column(String(50))": "owner: Mapped[str] = mapped_column(String(50), unique=True)",
            """    db.add(account)
    db.commit()
""": """    db.add(account)
    try:
        db.commit()
    except IntegrityError:
        raise HTTPException(409, 'taken') from None
""",
            "from sqlalchemy.orm": """from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm""",
        },
        "says": "an owner may have several accounts",
    },
    {
        "name": "owners compared, not accounts",
        "step": 2,
        "base": "tests/right/ex09_sqlalchemy.py",
        "replace": {
            """    if data.from_account_id == data.to_account_id:
        raise""": """    if find(db, data.from_account_id).owner == find(db, data.to_account_id).owner:
        raise""",
        },
        "says": "the owners are compared",
    },
    {
        "name": "balances read from a cache",
        "step": 2,
        "base": "tests/right/ex09_sqlalchemy.py",
        "replace": {
            '    """Read an account."""\n    return show(find(db, account_id))': '    """Read an account."""\n    if account_id not in cache:\n        cache[account_id] = show(find(db, account_id))\n    return cache[account_id]',
            "app = FastAPI()": """app = FastAPI()
cache = {}""",
        },
        "says": "the memory of one process",
    },
    {
        "name": "balances in a cache that one process empties",
        "step": 2,
        "base": "tests/right/ex09_sqlalchemy.py",
        "replace": {
            '    """Read an account."""\n    return show(find(db, account_id))': '    """Read an account."""\n    if account_id not in cache:\n        cache[account_id] = show(find(db, account_id))\n    return cache[account_id]',
            "app = FastAPI()": """app = FastAPI()
cache = {}""",
            """    cents = to_cents(data.amount)
""": """    cents = to_cents(data.amount)
    cache.pop(data.from_account_id, None)
    cache.pop(data.to_account_id, None)
""",
        },
        "says": "the memory of one process",
    },
    {
        "name": "equal transfers taken for one",
        "step": 3,
        "base": "tests/right/ex09_sqlalchemy.py",
        "replace": {
            """    transfer = Transfer(cents=cents, **ends)
""": """    if db.scalar(select(Transfer).where(Transfer.cents == cents, Transfer.from_account_id == data.from_account_id, Transfer.to_account_id == data.to_account_id)):
        raise HTTPException(409, "Twice")
    transfer = Transfer(cents=cents, **ends)
""",
        },
        "says": "each is one of its own",
    },
    {
        "name": "first transfer left out by default",
        "step": 2,
        "base": "tests/right/ex09_raw_sql.py",
        "replace": {
            "skip: int = 0": "skip: int = 1",
        },
        "says": "skip has a default other than 0",
    },
    {
        "name": "a transfer of 1 when no amount is sent",
        "step": 2,
        "replace": {
            "    amount: Decimal = Field(gt=0,": "    amount: Decimal = Field(default=Decimal(1), gt=0,"
        },
        "says": "nobody has said which account, or how much",
    },
    {
        "name": "no limit above 50, without a word",
        "step": 2,
        "replace": {".offset(skip).limit(limit)": ".offset(skip).limit(min(limit, 50))"},
        "says": "50 transfers are listed, not these 100",
    },
    {
        "name": "a page of the first hundred",
        "step": 2,
        "replace": {
            "    return session.exec(statement.order_by(col(Transfer.id)).offset(skip).limit(limit)).all()": (
                "    first = session.exec(statement.order_by(col(Transfer.id)).limit(100)).all()\n"
                "    return first[skip : skip + limit]"
            )
        },
        "says": "a limit of your own stands in the query",
    },
    {
        "name": "owner pasted into the SQL",
        "step": 1,
        "base": "tests/right/ex09_raw_sql.py",
        "replace": {
            'text("INSERT INTO accounts (owner, balance) VALUES (:owner, :balance) RETURNING id")': (
                "text(f\"INSERT INTO accounts (owner, balance) VALUES ('{data.owner}', :balance)\"\n"
                '        " RETURNING id")'
            )
        },
        "says": "the owner is pasted into the SQL text",
    },
    {
        "name": "transfers of all accounts of the owner",
        "step": 2,
        "replace": {
            """        or_(Transfer.from_account_id == account.id, Transfer.to_account_id == account.id)
    )
""": """        or_(col(Transfer.from_account_id).in_(own), col(Transfer.to_account_id).in_(own))
    )
""",
            "    statement = select(Transfer).where(": (
                "    own = select(Account.id).where(Account.owner == account.owner)\n"
                "    statement = select(Transfer).where("
            ),
        },
        "says": "the owners are compared, not the ids",
    },
    {
        "name": "transfer written before the balance is compared",
        "step": 3,
        "database": "postgresql",
        "replace": {
            "    amount: Decimal = Field(gt=0, max_digits=10, decimal_places=2)": (
                "    amount: Decimal = Field(gt=0, decimal_places=2, sa_type=Numeric(10, 2))"
            ),
            "from sqlmodel import Field": "from sqlalchemy import Numeric\nfrom sqlmodel import Field",
            """    # The lower id first: of two""": """    transfer = Transfer.model_validate(data)
    session.add(transfer)
    session.flush()
    # The lower id first: of two""",
            """    transfer = Transfer.model_validate(data)
    session.add(transfer)
    session.commit()
""": """    session.commit()
""",
        },
        "says": "the transfer is written before the balance is compared",
    },
    {
        "name": "locked, and the balances of before the lock used",
        "step": 5,
        "database": "postgresql",
        "replace": {
            """    for account_id in changes:
        get_account(account_id, session)
""": """    accounts = [get_account(account_id, session) for account_id in sorted(changes)]
""",
            """    # The lower id first: of two opposite transfers, one waits and neither waits for ever.
    for account_id, change in sorted(changes.items()):
        add_to_balance(session, account_id, change)
""": """    both = select(Account).where(col(Account.id).in_(changes)).order_by(col(Account.id))
    session.exec(both.with_for_update()).all()
    for account in accounts:
        account.balance += changes[account.id]
        if not 0 <= account.balance <= MOST:
            raise HTTPException(400, "Not possible")
""",
        },
        "says": "others have read the same balance",
    },
    {
        "name": "the account with the lower id pays",
        "step": 2,
        "replace": {
            "    changes = {data.from_account_id: -data.amount, data.to_account_id: data.amount}": (
                "    low, high = sorted((data.from_account_id, data.to_account_id))\n"
                "    changes = {low: -data.amount, high: data.amount}"
            )
        },
        "says": "the direction is not",
    },
    {
        "name": "an amount that no column holds",
        "step": 3,
        "base": "tests/right/ex09_sqlalchemy",
        "replace": {
            "    amount: Decimal = Field(gt=0, max_digits=10, decimal_places=2)\n": "    amount: Decimal = Field(gt=0, decimal_places=2)\n",
        },
        "says": "out of bounds",
    },
    {
        "name": "amounts are floats, in multiples of 0.01",
        "step": 2,
        "base": "tests/right/ex09_sqlalchemy",
        "replace": {
            "    amount: Decimal = Field(gt=0, max_digits=10, decimal_places=2)\n": "    amount: float = Field(gt=0, le=99999999.99, multiple_of=0.01)\n",
            "    return int(amount * 100)\n": "    return round(amount * 100)\n",
        },
        "says": "multiple_of=0.01 of a float",
    },
    {
        "name": "Infinity has no cents",
        "step": 2,
        "base": "tests/right/ex09_sqlalchemy",
        "replace": {
            "    amount: Decimal = Field(gt=0, max_digits=10, decimal_places=2)\n": "    amount: float = Field(gt=0)\n",
            "    return int(amount * 100)\n": "    if round(amount, 2) != amount:\n        raise HTTPException(422, 'Two decimals at most')\n    return round(amount * 100)\n",
        },
        "says": "no comparison holds back",
    },
    {
        "name": "null opens an account with 0",
        "step": 1,
        "base": "tests/right/ex09_sqlalchemy",
        "replace": {
            "    balance: Decimal = Field(ge=0, le": "    balance: Decimal | None = Field(None, ge=0, le",
            "to_cents(data.balance)": "to_cents(data.balance or Decimal(0))",
        },
        "says": "null is taken for 0",
    },
    {
        "name": "the owner's first account answered",
        "step": 2,
        "base": "tests/right/ex09_sqlalchemy",
        "replace": {
            "    return show(account)\n": "    return show(db.scalars(select(Account).where(Account.owner == data.owner)).first())\n",
        },
        "says": "the owner's first account",
    },
    {
        "name": "what came and what went in pages of their own",
        "step": 2,
        "base": "tests/right/ex09_sqlalchemy",
        "replace": {
            "    found = select(Transfer).where(either).order_by(Transfer.id).offset(skip).limit(limit)\n    return [show(row) for row in db.scalars(found)]\n": "    rows = []\n    for end in (Transfer.from_account_id, Transfer.to_account_id):\n        found = select(Transfer).where(end == account.id).order_by(Transfer.id)\n        rows += db.scalars(found.offset(skip).limit(limit))\n    return [show(row) for row in sorted(rows, key=lambda row: row.id)[:limit]]\n",
        },
        "says": "cut what came and what went apart",
    },
    {
        "name": "a time made anew for each answer",
        "step": 2,
        "base": "tests/right/ex09_sqlalchemy",
        "replace": {
            '    return {"id": row.id, "amount": money} | ends\n': '    now = __import__("datetime").datetime.now()\n    return {"id": row.id, "amount": money, "at": now} | ends\n',
        },
        "says": "answered a value before it was stored",
    },
    {
        "name": "refused when the balance has changed meanwhile",
        "step": 5,
        "base": "tests/right/ex09_sqlalchemy",
        "replace": {
            "    find(db, data.from_account_id)\n    find(db, data.to_account_id)\n": "    ends = (data.from_account_id, data.to_account_id)\n    old = {each: find(db, each).cents for each in ends}\n",
            "new <= MOST_CENTS)": "new <= MOST_CENTS, Account.cents == old[account_id])",
        },
        "says": "is no lack of funds",
    },
    {
        "name": "an account is never full to the last cent",
        "step": 3,
        "base": "tests/right/ex09_sqlalchemy",
        "replace": {
            "new <= MOST_CENTS)": "new < MOST_CENTS)",
        },
        "says": "to hold or to transfer",
    },
    {
        "name": "the balance is the sum of a hundred transfers",
        "step": 2,
        "base": "tests/right/ex09_ledger",
        "replace": {
            "(SELECT SUM(cents) FROM buchung WHERE von = k.nr)": (
                "(SELECT SUM(cents) FROM (SELECT cents FROM buchung WHERE von = k.nr LIMIT 100))"
            ),
        },
        "says": "a limit leaves some of them out",
    },
    {
        "name": "accounts that are not there yet remembered as missing",
        "step": 1,
        "replace": {
            "def get_account(account_id: int, session: SessionDep) -> Account:": (
                "missing: set[int] = set()\n\n\n"
                "def get_account(account_id: int, session: SessionDep) -> Account:"
            ),
            "    if account is None:\n": (
                "    if account is None or account_id in missing:\n"
                "        missing.add(account_id)\n"
            ),
        },
        "says": "it is remembered in memory",
    },
    {
        "name": "ids asked for too early never take a transfer",
        "step": 2,
        "replace": {
            "def get_account(account_id: int, session: SessionDep) -> Account:": (
                "missing: set[int] = set()\n\n\n"
                "def get_account(account_id: int, session: SessionDep) -> Account:"
            ),
            "        get_account(account_id, session)\n": """\
        if account_id in missing or session.get(Account, account_id) is None:
            missing.add(account_id)
            raise HTTPException(404, "Account not found")
""",
        },
        "says": "it is remembered in memory",
    },
    {
        "name": "committed after the answer",
        "step": 1,
        "replace": {
            "        yield session\n": "        yield session\n        session.commit()\n",
            "    session.add(account)\n    session.commit()": (
                "    session.add(account)\n    session.flush()"
            ),
        },
        "says": "answer was sent before the commit",
    },
    {
        "name": "transfer committed after the answer",
        "step": 2,
        "replace": {
            "        yield session\n": "        yield session\n        session.commit()\n",
            "    session.add(transfer)\n    session.commit()": (
                "    session.add(transfer)\n    session.flush()"
            ),
        },
        "says": "answer was sent before the commit",
    },
    {
        "name": "what has failed is kept as a transfer",
        "step": 3,
        "replace": {
            """    for account_id, change in sorted(changes.items()):
        add_to_balance(session, account_id, change)
""": """    try:
        for account_id, change in sorted(changes.items()):
            add_to_balance(session, account_id, change)
    except HTTPException:
        session.rollback()
        session.add(Transfer.model_validate(data))
        session.commit()
        raise
""",
        },
        "says": "as one that has failed",
    },
    {
        "name": "an account with 0 taken for none",
        "step": 3,
        "replace": {
            "        get_account(account_id, session)\n": """\
        if not get_account(account_id, session).balance:
            raise HTTPException(404, "Account not found")
""",
        },
        "says": "an account with 0 is taken for none",
    },
    {
        "name": "ids counted by each process",
        "step": 2,
        "replace": {
            "app = FastAPI(": "last_id: list[int] = []\n\napp = FastAPI(",
            "    transfer = Transfer.model_validate(data)\n": """\
    if not last_id:
        last_id.append(session.exec(select(func.max(Transfer.id))).one() or 0)
    last_id[0] += 1
    transfer = Transfer.model_validate(data, update={"id": last_id[0]})
""",
        },
        "says": "the app chooses ids itself",
    },
    {
        "name": "what went is listed below 0",
        "step": 2,
        "replace": {
            "    return session.exec(statement.order_by(col(Transfer.id)).offset(skip).limit(limit)).all()": """\
    rows = session.exec(statement.order_by(col(Transfer.id)).offset(skip).limit(limit)).all()
    signs = {account.id: -1}
    return [
        row.model_copy(update={"amount": row.amount * signs.get(row.from_account_id, 1)})
        for row in rows
    ]""",
        },
        "says": "the amount is above 0 for both accounts",
    },
    {
        "name": "owners without their outer spaces",
        "step": 1,
        "replace": {
            "    account = Account.model_validate(data)\n": (
                "    owner = data.owner.strip()\n"
                '    account = Account.model_validate(data, update={"owner": owner})\n'
            ),
        },
        "says": "the owner is changed",
    },
    {
        "name": "list of what went only",
        "step": 2,
        "replace": {
            """        or_(Transfer.from_account_id == account.id, Transfer.to_account_id == account.id)
""": """        Transfer.from_account_id == account.id
"""
        },
        "says": "the list leaves out what came",
    },
]
