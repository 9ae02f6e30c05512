"""Compare two ways to take stock for orders of three products, as a ratio in one run.

A, what crud.py does: one SELECT … FOR UPDATE in the order of the ids, one batched UPDATE.
B: one UPDATE … WHERE stock >= quantity for each product, in the order of the ids; it does not even
read the price (MariaDB has no UPDATE … RETURNING).

    python benchmarks/take_stock.py postgresql://user:password@localhost/empty_database

Eight threads place orders over twenty products; the ways take turns, so that a machine that slows
down slows both. The figure to quote is the median of the ratios.
"""

import statistics
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from database import Database, Settings, parse_url
from models import Base, Product

THREADS, ORDERS, ROUNDS, PRODUCTS, STOCK = 8, 100, 9, 20, 1_000_000


def lock_rows(db: Session, ids: list[int]) -> None:
    """Take one of each product: lock the rows, then write them."""
    rows = select(Product).where(col(Product.id).in_(ids)).order_by(col(Product.id))
    for product in db.scalars(rows.with_for_update()):
        assert product.stock >= 1
        product.stock -= 1


def update_conditionally(db: Session, ids: list[int]) -> None:
    """Take one of each product: an UPDATE that finds no row where the stock is short."""
    for id_ in sorted(ids):
        enough = update(Product).where(col(Product.id) == id_, col(Product.stock) >= 1)
        result: Any = db.execute(enough.values(stock=col(Product.stock) - 1))
        assert result.rowcount == 1


def measure(engine: Engine, take: Callable[[Session, list[int]], None], threads: int) -> float:
    """Return how many seconds the orders of all threads take."""

    def work(seed: int) -> None:
        chance = Random(seed)  # noqa: S311  (no secret)
        for _ in range(ORDERS):
            with Session(engine) as db:
                take(db, chance.sample(range(1, PRODUCTS + 1), 3))
                db.commit()

    start = perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))
    return perf_counter() - start


def main() -> None:
    """Make the tables, measure both ways in turn, drop the tables."""
    url = sys.argv[1] if len(sys.argv) > 1 else "sqlite:///./benchmark.db"
    engine = Database(Settings(database_url=url)).writer
    # SQLite's one writer is a pool of one connection: the threads would only wait in it.
    threads = 1 if parse_url(url).get_backend_name() == "sqlite" else THREADS
    Base.metadata.create_all(engine)
    try:
        with Session(engine) as db:
            db.add_all(
                Product(name=f"P{n}", slug=f"p{n}", price=Decimal(1), stock=STOCK)
                for n in range(PRODUCTS)
            )
            db.commit()
        ratios = []
        for round_ in range(ROUNDS + 1):
            a, b = (measure(engine, way, threads) for way in (lock_rows, update_conditionally))
            if round_:  # the first one warms up
                ratios.append(a / b)
                print(f"A {a:.2f} s  B {b:.2f} s  A/B {a / b:.2f}")
        with Session(engine) as db:
            left = db.scalar(select(func.sum(col(Product.stock)))) or 0
        taken = 2 * 3 * threads * ORDERS * (ROUNDS + 1)
        assert left + taken == PRODUCTS * STOCK, "an order was lost"
    finally:
        Base.metadata.drop_all(engine)
    print(f"A/B median {statistics.median(ratios):.2f}, {min(ratios):.2f} to {max(ratios):.2f}")


if __name__ == "__main__":
    main()
