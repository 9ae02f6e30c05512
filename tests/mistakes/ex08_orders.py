"""Wrong solutions of exercise 08 that learners write."""

TAKE = """    taken = session.exec(enough.values(stock=col(Product.stock) - quantity)).rowcount
    product = get_product(product_id, session)
    if not taken:
        available = f"Available: {product.stock}, requested: {quantity}"
        raise HTTPException(400, f"Insufficient stock for '{product.name}'. {available}")
"""
TAKE_BY_ROW = """    product = session.get(Product, product_id)
    if product is None:
        raise HTTPException(404, "Product not found")
    if product.stock < quantity:
        raise HTTPException(400, "Insufficient stock")
    product.stock -= quantity
"""
MOVE = """    before = [old for old, moves in MOVES.items() if new_status in moves]
    movable = update(Order).where(col(Order.id) == order.id, col(Order.status).in_(before))
    if not session.exec(movable.values(status=new_status)).rowcount:
        raise HTTPException(400, f"This order cannot become {new_status}")
"""
TAKE_ALL = "{id_: take_from_stock(session, id_, wanted[id_]).price for id_ in sorted(wanted)}"
PUT_BACK = """            product = update(Product).where(col(Product.id) == item.product_id)
            session.exec(product.values(stock=col(Product.stock) + item.quantity))
"""

MISTAKES = [
    {
        "name": "no commit",
        "step": 1,
        "replace": {
            "    session.add(order)\n    session.commit()\n": (
                "    session.add(order)\n    session.flush()\n"
            )
        },
        "says": "no session.commit() at the end",
    },
    {
        "name": "float money",
        "step": 1,
        "replace": {
            """Annotated[
    Decimal,
    Field(max_digits=10, decimal_places=2),
    PlainSerializer(float, when_used="json"),
]""": "float",
            "for line in data.items), Decimal(0))": "for line in data.items))",
        },
        "says": "money is a float",
    },
    {
        "name": "no response model",
        "step": 1,
        "replace": {
            '@app.post("/orders", status_code=201, response_model=OrderDetail)': (
                '@app.post("/orders", status_code=201)'
            )
        },
        "says": "leaves its relationships out",
    },
    {
        "name": "negative quantity",
        "step": 1,
        "replace": {"Field(ge=1, le=10_000)": "Field(le=10_000)"},
        "says": "a negative one adds to the stock",
    },
    {
        "name": "price not copied",
        "step": 2,
        "replace": {
            '    """Read one order with its lines."""\n    return order\n': (
                '    """Read one order with its lines."""\n'
                "    session = Session.object_session(order)\n"
                "    for item in order.items:\n"
                "        item.unit_price = session.get(Product, item.product_id).price\n"
                "        item.total_price = item.unit_price * item.quantity\n"
                "    order.total_amount = sum(item.total_price for item in order.items)\n"
                "    return order\n"
            )
        },
        "says": "the price is read from the product each time",
    },
    {
        "name": "price from the body",
        "step": 2,
        "replace": {
            "    quantity: int = Field(ge=1, le=10_000)\n": (
                "    quantity: int = Field(ge=1, le=10_000)\n    unit_price: Money | None = None\n"
            ),
            "        price = prices[line.product_id]\n": (
                "        price = line.unit_price or prices[line.product_id]\n"
            ),
        },
        "says": "prices are taken from the body",
    },
    {
        "name": "last piece kept",
        "step": 3,
        "replace": {"col(Product.stock) >= quantity": "col(Product.stock) > quantity"},
        "says": "the comparison leaves a piece",
    },
    {
        "name": "each line compared on its own",
        "step": 3,
        "replace": {
            TAKE_ALL: "{}\n"
            "    products = {line.product_id: get_product(line.product_id, session)"
            " for line in data.items}\n"
            "    for line in data.items:\n"
            "        if products[line.product_id].stock < line.quantity:\n"
            '            raise HTTPException(400, "Insufficient stock")\n'
            "    for line in data.items:\n"
            "        products[line.product_id].stock -= line.quantity\n"
            "        prices[line.product_id] = products[line.product_id].price",
        },
        "says": "compared with the stock on its own",
    },
    {
        "name": "unknown user not looked for",
        "step": 3,
        "replace": {
            """    if session.get(User, data.user_id) is None:
        raise HTTPException(404, "User not found")
""": ""
        },
        "says": "nobody looks whether the user is there",
    },
    {
        "name": "commit for each line",
        "step": 4,
        "replace": {TAKE: TAKE + "    session.commit()\n"},
        "says": "a commit for each line",
    },
    {
        "name": "order committed first",
        "step": 4,
        "replace": {
            "    wanted: Counter": (
                "    order = Order(user_id=data.user_id, total_amount=0)\n"
                "    session.add(order)\n"
                "    session.commit()\n"
                "    wanted: Counter"
            ),
            "    order = Order(user_id=data.user_id, total_amount=total, items=items)\n": (
                "    order.total_amount, order.items = total, items\n"
            ),
        },
        "says": "committed before its lines were looked at",
    },
    {
        "name": "stock checked, then written",
        "step": 5,
        "replace": {TAKE: TAKE_BY_ROW},
        "says": "the stock is read, compared and then written",
    },
    {
        "name": "with_for_update on SQLite",
        "step": 5,
        "replace": {
            TAKE: TAKE_BY_ROW.replace(
                "session.get(Product, product_id)",
                "session.get(Product, product_id, with_for_update=True)",
            )
        },
        "says": "nothing at all on SQLite",
    },
    {
        "name": "products in any order",
        "step": 5,
        "replace": {"for id_ in sorted(wanted)": "for id_ in wanted"},
        "says": "a deadlock",
        "database": "postgresql",
    },
    {
        "name": "any move",
        "step": 6,
        "replace": {", col(Order.status).in_(before))": ")"},
        "says": "without a look at the old one",
    },
    {
        "name": "delivered order cancelled",
        "step": 6,
        "replace": {
            '"shipped": ("delivered",)': '"shipped": ("delivered",), "delivered": ("cancelled",)'
        },
        "says": "too many moves are allowed",
    },
    {
        "name": "status without commit",
        "step": 6,
        "replace": {
            "    session.commit()\n    return {": "    return {",
        },
        "says": "no session.commit() after the change",
    },
    {
        "name": "cancelled twice",
        "step": 7,
        "replace": {
            '    "shipped": ("delivered",),\n': (
                '    "shipped": ("delivered",),\n    "cancelled": ("cancelled",),\n'
            )
        },
        "says": "a cancelled order is cancelled again",
    },
    {
        "name": "items deleted with the order's cancellation",
        "step": 7,
        "replace": {PUT_BACK: PUT_BACK + "            session.delete(item)\n"},
        "says": "keeps its lines",
    },
    {
        "name": "status read, then written",
        "step": 7,
        "replace": {
            MOVE: """    if new_status not in MOVES.get(order.status, ()):
        raise HTTPException(400, "No")
    order.status = new_status
"""
        },
        "says": "all requests read 'pending'",
    },
    {
        "name": "stock read, added to and written",
        "step": 7,
        "replace": {
            MOVE: """    products = [session.get(Product, item.product_id) for item in order.items]
"""
            + MOVE,
            PUT_BACK: "            session.get(Product, item.product_id).stock += item.quantity\n",
        },
        "says": "let the database add",
    },
]
