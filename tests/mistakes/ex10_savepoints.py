"""Wrong solutions of exercise 10 that learners write."""

NOTIFY = """        with session.begin_nested():
            message = f"{order.item} is on its way"
            told = Notification(user_id=order.user_id, order_id=order.id, message=message)
            session.add(told)
    except IntegrityError:
        logger.warning("Order %s stands without a notification", order.reference)
"""
NOTIFY_PLAIN = """        message = f"{order.item} is on its way"
        told = Notification(user_id=order.user_id, order_id=order.id, message=message)
        session.add(told)
        session.flush()
    except IntegrityError:
"""
RECIPE = 'if engine.dialect.name == "sqlite":'
CREATE = """    try:
        order = place_order(session, data)
    except IntegrityError:
        raise HTTPException(409, "Reference already used") from None
    session.commit()
"""
IMPORT = """            with session.begin_nested():
                order = place_order(session, one)
        except IntegrityError:
"""

MISTAKES = [
    {
        "name": "no commit",
        "step": 1,
        "replace": {"from None\n    session.commit()\n": "from None\n"},
        "says": "no session.commit() at the end",
    },
    {
        "name": "no flush, failure swallowed",
        "step": 1,
        "replace": {
            "    session.flush()\n    try:\n": "    try:\n",
            "        with session.begin_nested():\n            message": (
                "        with session.no_autoflush:\n            message"
            ),
            "            session.add(told)\n    except IntegrityError:": (
                "            told.order_id is None or session.add(told)\n    except IntegrityError:"
            ),
        },
        "says": "has the order its id by then",
    },
    {
        "name": "failure of the notification not caught",
        "step": 2,
        "replace": {
            '    except IntegrityError:\n        logger.warning("Order': (
                '    except ZeroDivisionError:\n        logger.warning("Order'
            ),
            "    except IntegrityError:\n        raise HTTPException": (
                "    except ZeroDivisionError:\n        raise HTTPException"
            ),
        },
        "says": "put only the notification into",
    },
    {
        "name": "rollback of the session",
        "step": 2,
        "replace": {NOTIFY: NOTIFY_PLAIN + "        session.rollback()\n"},
        "says": "session.rollback() undoes the order too",
    },
    {
        "name": "no savepoint",
        "step": 2,
        "replace": {NOTIFY: NOTIFY_PLAIN + "        pass\n"},
        "says": "put only the notification into",
    },
    {
        "name": "notification added before the savepoint",
        "step": 2,
        "replace": {
            NOTIFY: NOTIFY_PLAIN.replace(
                "        session.flush()\n",
                "        with session.begin_nested():\n            session.flush()\n",
            )
            + "        pass\n"
        },
        "says": "its session.add() included",
    },
    {
        "name": "order in the savepoint too",
        "step": 2,
        "replace": {
            "    session.add(order)\n    session.flush()\n": "",
            "            message = f": (
                "            session.add(order)\n            session.flush()\n"
                "            message = f"
            ),
        },
        "says": "put only the notification into",
    },
    {
        "name": "one except for both",
        "step": 3,
        "replace": {
            "    session.flush()\n    try:\n": "    try:\n        session.flush()\n",
            CREATE: "    order = place_order(session, data)\n    session.commit()\n",
        },
        "says": "the order's own failure",
    },
    {
        "name": "reference not caught",
        "step": 3,
        "replace": {
            "    except IntegrityError:\n        raise HTTPException": (
                "    except ZeroDivisionError:\n        raise HTTPException"
            )
        },
        "says": "or in none",
    },
    {
        "name": "rollback in the loop",
        "step": 4,
        "replace": {
            IMPORT: """            order = place_order(session, one)
        except IntegrityError:
            session.rollback()
"""
        },
        "says": "a savepoint around each order only to itself",
    },
    {
        "name": "import stops at the first refusal",
        "step": 4,
        "replace": {
            "            result.refused.append(one.reference)\n": (
                '            raise HTTPException(409, "Reference already used") from None\n'
            )
        },
        "says": "or stops the loop",
    },
    {
        "name": "commit in the loop",
        "step": 4,
        "replace": {
            "            result.created.append(order)\n": (
                "            result.created.append(order)\n            session.commit()\n"
            )
        },
        "says": "a commit in the loop",
    },
    {
        "name": "commit inside the savepoint",
        "step": 4,
        "replace": {"    session.flush()\n    try:\n": "    session.commit()\n    try:\n"},
        "says": "ends the whole transaction, and the savepoint with it",
    },
    {
        "name": "savepoints of SQLite's driver",
        "step": 4,
        "replace": {RECIPE: "if False:"},
        "says": "because SQLite's driver had begun none",
    },
    {
        "name": "select before insert as the only guard",
        "step": 5,
        "replace": {
            NOTIFY: """        message = f"{order.item} is on its way"
        known = select(Notification).where(
            Notification.user_id == order.user_id, Notification.message == message
        )
        if not session.exec(known).first():
            told = Notification(user_id=order.user_id, order_id=order.id, message=message)
            session.add(told)
            session.flush()
    except ZeroDivisionError:
        pass
""",
            "    except IntegrityError:\n        raise HTTPException": (
                "    except ZeroDivisionError:\n        raise HTTPException"
            ),
        },
        "says": "the only guard",
        "database": "postgresql",  # SQLite lets nobody else write after the order's INSERT
    },
    {
        "name": "ten of the created orders answered",
        "step": 4,
        "replace": {
            """    session.commit()
    return result""": """    session.commit()
    result.created = result.created[:10]
    return result"""
        },
        "says": "the answer is cut",
    },
    {
        "name": "created orders answered by reference",
        "step": 4,
        "replace": {
            """    session.commit()
    return result""": """    session.commit()
    result.created.sort(key=lambda o: o.reference)
    return result"""
        },
        "says": "keeps the order of the list",
    },
    {
        "name": "each refused reference once",
        "step": 4,
        "replace": {
            """        try:
            with session.begin_nested():
                order = place_order(session, one)
        except IntegrityError:
            result.refused.append(one.reference)
        else:
            result.created.append(order)
    session.commit()
""": """        try:
            with session.begin_nested():
                order = place_order(session, one)
        except IntegrityError:
            result.refused = sorted({*result.refused, one.reference})
        else:
            result.created.append(order)
    session.commit()
"""
        },
        "says": "stands twice",
    },
    {
        "name": "an import committed every 25 orders",
        "step": 4,
        "replace": {
            """        try:
            with session.begin_nested():
                order = place_order(session, one)
        except IntegrityError:
            result.refused.append(one.reference)
        else:
            result.created.append(order)
    session.commit()
""": """        try:
            with session.begin_nested():
                order = place_order(session, one)
        except IntegrityError:
            result.refused.append(one.reference)
        else:
            result.created.append(order)
            if len(result.created) % 25 == 0:
                session.commit()
    session.commit()
"""
        },
        "says": "a commit in the loop",
    },
    {
        "name": "messages remembered in a set",
        "step": 5,
        "replace": {
            """    try:
        with session.begin_nested():
            message = f"{order.item} is on its way"
            told = Notification(user_id=order.user_id, order_id=order.id, message=message)
            session.add(told)
    except IntegrityError:
        logger.warning("Order %s stands without a notification", order.reference)
""": """    message = f"{order.item} is on its way"
    if (order.user_id, message) not in SENT:
        SENT.add((order.user_id, message))
        session.add(Notification(user_id=order.user_id, order_id=order.id, message=message))
        session.flush()
""",
            "engine = create": """SENT: set = set()
engine = create""",
        },
        "says": "the only guard",
    },
    {
        "name": "message of the first 30 signs",
        "step": 1,
        "replace": {'f"{order.item} is on its way"': 'f"{order.item[:30]} is on its way"'},
        "says": "its text is another or cut",
    },
    {
        "name": "second message numbered",
        "step": 2,
        "replace": {
            '        logger.warning("Order %s stands without a notification", order.reference)': (
                "        again = {'user_id': order.user_id, 'order_id': order.id}\n"
                "        session.add(Notification(message=f'{message} (again)', **again))"
            )
        },
        "says": "a message with another text",
    },
    {
        "name": "order written over with its reference",
        "step": 2,
        "replace": {
            "    order = Order.model_validate(data)\n": (
                "    same = select(Order).where(Order.reference == data.reference)\n"
                "    order = session.exec(same).first() or Order()\n"
                "    order.sqlmodel_update(data.model_dump())\n"
            )
        },
        "says": "an order whose reference is taken is answered",
    },
    {
        "name": "reference looked for before the user",
        "step": 4,
        "replace": {
            "    if session.get(User, data.user_id) is None:": (
                "    same = select(Order).where(Order.reference == data.reference)\n"
                "    if session.exec(same).first():\n"
                '        raise IntegrityError("taken", None, Exception())\n'
                "    if session.get(User, data.user_id) is None:"
            )
        },
        "says": "the user is looked for only if the reference is free",
    },
    {
        "name": "references compared in small letters",
        "step": 3,
        "replace": {
            "    order = Order.model_validate(data)\n": (
                "    same = select(Order).where(col(Order.reference).ilike(data.reference))\n"
                "    if session.exec(same).first():\n"
                '        raise IntegrityError("taken", None, Exception())\n'
                "    order = Order.model_validate(data)\n"
            )
        },
        "says": "a-17 is another than A-17",
    },
    {
        "name": "one savepoint for all notifications of an import",
        "step": 4,
        "replace": {
            "def place_order(session: Session, data: OrderCreate) -> Order:": (
                "def place_order(session: Session, data: OrderCreate, tell: bool = True) -> Order:"
            ),
            "    session.flush()\n    try:": (
                "    session.flush()\n    if not tell:\n        return order\n    try:"
            ),
            "order = place_order(session, one)": "order = place_order(session, one, tell=False)",
            """            result.created.append(order)
    session.commit()
""": """            result.created.append(order)
    newest = {(order.user_id, order.item): order.id for order in result.created}
    try:
        with session.begin_nested():
            for (user, item), order_id in newest.items():
                text = f"{item} is on its way"
                session.add(Notification(user_id=user, order_id=order_id, message=text))
    except IntegrityError:
        logger.warning("An import stands without its notifications")
    session.commit()
""",
        },
        "says": "each notification needs a savepoint of its own",
    },
    {
        "name": "ten notifications listed at most",
        "step": 4,
        "replace": {
            "own.order_by(col(Notification.id))": "own.order_by(col(Notification.id)).limit(10)"
        },
        "says": "the list has a limit",
    },
    {
        "name": "a message looked for with ILIKE",
        "step": 1,
        "replace": {
            "    session.flush()\n    try:\n": '    session.flush()\n    message = f"{order.item} is on its way"\n    if session.exec(select(Notification).where(Notification.user_id == order.user_id, col(Notification.message).ilike(message))).first():\n        return order\n    try:\n',
        },
        "says": "compared with LIKE",
    },
    {
        "name": "one notification for each customer",
        "step": 1,
        "replace": {
            "    session.flush()\n    try:\n": '    session.flush()\n    message = f"{order.item} is on its way"\n    if session.exec(select(Notification).where(Notification.user_id == order.user_id)).first():\n        return order\n    try:\n',
        },
        "says": "told once, whatever the message is",
    },
    {
        "name": "a message that somebody else got",
        "step": 1,
        "replace": {
            "    session.flush()\n    try:\n": '    session.flush()\n    message = f"{order.item} is on its way"\n    if session.exec(select(Notification).where(Notification.message == message)).first():\n        return order\n    try:\n',
        },
        "says": "when anybody got it",
    },
    {
        "name": "messages cut at 50",
        "step": 1,
        "replace": {
            'message = f"{order.item} is on its way"': 'message = f"{order.item} is on its way"[:50]',
        },
        "says": "the message is cut",
    },
    {
        "name": "message pasted into the SQL",
        "step": 1,
        "replace": {
            "            session.add(told)\n": "            session.connection().exec_driver_sql(f\"INSERT INTO notifications (user_id, order_id, message) VALUES ({told.user_id}, {told.order_id}, '{message}')\")\n",
        },
        "says": "is pasted into the SQL text",
    },
    {
        "name": "what the table has is refused first",
        "step": 4,
        "replace": {
            "    for one in data:\n        try:\n": "    names = [one.reference for one in data]\n    taken = set(session.exec(select(Order.reference).where(col(Order.reference).in_(names))))\n    result.refused = [name for name in names if name in taken]\n    for one in data:\n        if one.reference in taken:\n            continue\n        try:\n",
        },
        "says": "keeps the order of the list",
    },
    {
        "name": "references of a list compared in small letters",
        "step": 4,
        "replace": {
            "    for one in data:\n        try:\n": "    seen = set()\n    for one in data:\n        if one.reference.lower() in seen:\n            result.refused.append(one.reference)\n            continue\n        seen.add(one.reference.lower())\n        try:\n",
        },
        "says": "a-17 is another than A-17",
    },
    {
        "name": "a hundred orders of a list",
        "step": 4,
        "replace": {
            "    for one in data:\n        try:\n": "    for one in data[:100]:\n        try:\n",
        },
        "says": "cuts it in silence",
    },
    {
        "name": "committed in batches of 500",
        "step": 4,
        "replace": {
            "    for one in data:\n        try:\n": "    for number, one in enumerate(data):\n        if number == 500:\n            session.commit()\n        try:\n",
        },
        "says": "each batch of the list",
    },
    {
        "name": "a list that meets another is refused whole",
        "step": 5,
        "replace": {
            "            result.refused.append(one.reference)\n": "            return Imported(refused=[each.reference for each in data])\n",
        },
        "says": "refused, or undone, as a whole",
    },
    {
        "name": "users who are not there yet remembered as missing",
        "step": 1,
        "replace": {
            "app = FastAPI(": "missing: set[int] = set()\n\napp = FastAPI(",
            "    if session.get(User, data.user_id) is None:\n": """\
    if data.user_id in missing or session.get(User, data.user_id) is None:
        missing.add(data.user_id)
""",
        },
        "says": "it is remembered in memory",
    },
    {
        "name": "users of lists remembered as missing",
        "step": 4,
        "replace": {
            "app = FastAPI(": "known: dict[int, bool] = {}\n\napp = FastAPI(",
            "    result = Imported()\n": """\
    result = Imported()
    for one in data:
        if one.user_id not in known:
            known[one.user_id] = session.get(User, one.user_id) is not None
        if not known[one.user_id]:
            raise HTTPException(404, "User not found")
""",
        },
        "says": "it is remembered in memory",
    },
    {
        "name": "committed after the answer",
        "step": 1,
        "replace": {
            "        yield session\n": "        yield session\n        session.commit()\n",
            "    session.commit()\n    return order\n": "    return order\n",
        },
        "says": "answer was sent before the commit",
    },
    {
        "name": "lists committed after the answer",
        "step": 4,
        "replace": {
            "        yield session\n": "        yield session\n        session.commit()\n",
            "    session.commit()\n    return result": "    return result",
        },
        "says": "answer was sent before the commit",
    },
    {
        "name": "items without their outer spaces",
        "step": 1,
        "replace": {
            "    order = Order.model_validate(data)\n": (
                '    order = Order.model_validate(data, update={"item": data.item.strip()})\n'
            ),
        },
        "says": "as it was sent",
    },
    {
        "name": "references compared without their outer spaces",
        "step": 3,
        "replace": {
            "    order = Order.model_validate(data)\n": (
                "    reference = data.reference.strip()\n"
                '    order = Order.model_validate(data, update={"reference": reference})\n'
            ),
        },
        "says": "without the spaces at their end",
    },
    {
        "name": "the same order again answered as made",
        "step": 2,
        "replace": {
            '        raise HTTPException(409, "Reference already used") from None': """\
        session.rollback()
        taken = select(Order).where(Order.reference == data.reference)
        old = session.exec(taken).one()
        if (old.user_id, old.item, old.total) == (data.user_id, data.item, data.total):
            return old
        raise HTTPException(409, "Reference already used") from None""",
        },
        "says": "as if it had been made",
    },
    {
        "name": "orders from before among the created ones",
        "step": 4,
        "replace": {
            "    session.commit()\n    return result": """\
    session.commit()
    result.created = []
    for one in data:
        same = (Order.reference == one.reference, Order.item == one.item)
        result.created += session.exec(select(Order).where(*same)).all()
    return result""",
        },
        "says": "'created' is read by reference",
    },
    {
        "name": "the last one of a list wins",
        "step": 4,
        "replace": {
            "    for one in data:\n": """\
    last = {one.reference: one for one in data}
    for one in data:
        if one is not last[one.reference]:
            result.refused.append(one.reference)
            continue
""",
        },
        "says": "the earlier one is stored",
    },
    {
        "name": "a list whose order meets another refused as a whole",
        "step": 5,
        "database": "postgresql",
        "replace": {
            """        try:
            with session.begin_nested():
                order = place_order(session, one)
        except IntegrityError:
            result.refused.append(one.reference)
        else:
            result.created.append(order)
""": """        taken = select(Order.id).where(Order.reference == one.reference)
        if session.get(User, one.user_id) and session.exec(taken).first():
            result.refused.append(one.reference)
            continue
        try:
            result.created.append(place_order(session, one))
        except IntegrityError:
            raise HTTPException(409, "Reference already used") from None
""",
        },
        "says": "is the only guard",
    },
    {
        "name": "references unique for each customer",
        "step": 3,
        "replace": {
            "max_length=40, unique=True)": "max_length=40)",
            """    __tablename__ = "orders"
""": """    __tablename__ = "orders"
    __table_args__ = (UniqueConstraint("user_id", "reference"),)
""",
        },
        "says": "not only among those of one customer",
    },
]
