"""Ask the same of a small and of a large database, and print what takes longer on which."""

import argparse
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import perf_counter

import httpx
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, NullPool, create_engine, text

from benchmarks.databases import as_text, migrate, new_database, wheel
from benchmarks.servers import Server

NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})"
TIMES = "'2026-01-01 00:00:00', '2026-01-01 00:00:00'"
NAMES = "CASE i % 7 WHEN 0 THEN 'Anna' WHEN 1 THEN 'Ben' WHEN 2 THEN 'Chidi' ELSE 'Devi' END"
# Users, posts and orders as many as `rows`, a tenth as many products; one name in ten thousand is
# rare, `zzzz` is in none.
FILL = {
    "users": f"""
        INSERT INTO users (name, username, email, age, city, bio, is_active, {{times}})
        SELECT {NAMES} || CASE WHEN i % 10000 = 77 THEN ' Quixote ' ELSE ' Person ' END || i,
            'person_' || i, 'person' || i || '@example.com', 18 + i % 70,
            CASE i % 2 WHEN 0 THEN 'Delhi' ELSE 'Lagos' END, NULL, i % 10 > 0, {TIMES} FROM n""",
    "tags": "INSERT INTO tags (name) SELECT 'tag' || i FROM n WHERE i <= 50",
    "posts": f"""
        INSERT INTO posts (title, slug, content, published, author_id, {{times}})
        SELECT 'Post number ' || i, 'post-' || i, 'Some twenty words of no importance. ' || i,
            i % 4 > 0, 1 + i * 1999 % {{rows}}, {TIMES} FROM n""",
    "post_tags": """
        INSERT INTO post_tags (post_id, tag_id)
        SELECT i, 1 + i % 40 FROM n UNION ALL SELECT i, 41 + i % 8 FROM n""",
    "categories": """
        INSERT INTO categories (name, slug, created_at)
        SELECT 'Category ' || i, 'category-' || i, '2026-01-01 00:00:00' FROM n WHERE i <= 10""",
    "products": f"""
        INSERT INTO products (name, slug, sku, description, price, stock, is_active, category_id,
            {{times}})
        SELECT 'Thing number ' || i || CASE WHEN i % 1000 = 77 THEN ' quixotic' ELSE '' END,
            'thing-' || i, 'SKU-' || i, 'Good for many a purpose', 1 + i * 37 % 50000, i % 500,
            i % 20 > 0, 1 + i % 10, {TIMES} FROM n WHERE i <= {{rows}} / 10""",
    "orders": f"""
        INSERT INTO orders (order_number, status, total_amount, user_id, {{times}})
        SELECT 'ORD-20260101000000-' || i, CASE i % 5 WHEN 0 THEN 'pending' WHEN 1 THEN 'cancelled'
            ELSE 'delivered' END, 10 + i * 31 % 990, 1 + i * 1997 % {{rows}}, {TIMES} FROM n""",
}
REQUESTS = [
    "/users?limit=50",
    "/users?skip={middle}&limit=50",
    "/users?skip={end}&limit=50",
    "/users?after_id={end}&limit=50",
    "/users?search=anna",
    "/users?search=quixote",
    "/users?search=zzzz",
    "/users/search?name=quixote",
    "/users/search?name=zzzz",
    "/users?min_age=30&max_age=40&city=delhi",
    "/users/page?page=1",
    "/users/page?page={last_page}",
    "/users/stats/active-count",
    "/users/top-spenders",
    "/posts?limit=50",
    "/posts?tag=tag1",
    "/posts?tag=tag50",
    "/posts?tag=nosuch",
    "/posts?author_id=7",
    "/products?search=thing",
    "/products?search=quixotic",
    "/products?search=zzzz",
    "/products?in_stock=true&min_price=20&max_price=25",
    "/products/low-stock?threshold=2",
    "/products/by-category-stats",
    "/categories/1/products",
    "/orders?status=pending",
    "/orders/stats/summary",
    "/users/1",
]
PAUSE_AFTER = 0.5  # seconds: what takes longer is asked fewer times


def fill(engine: Engine, rows: int) -> None:
    """Fill a migrated database."""
    with engine.begin() as connection:
        for statement in FILL.values():
            sql = statement.format(times="created_at, updated_at", rows=rows)
            head, select, rest = sql.partition("SELECT")
            numbers = NUMBERS.format(rows=rows)
            connection.execute(text(f"{head}{numbers} {select}{rest}"))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM")
        connection.exec_driver_sql("ANALYZE")


@contextmanager
def databases(sizes: list[int], *, sqlite: bool) -> Iterator[dict[int, str]]:
    """Yield the URLs of filled databases by size."""
    with ExitStack() as stack:
        urls = {}
        server = None if sqlite else stack.enter_context(wheel())[0]
        for size in sizes:
            if server:
                _, engine = stack.enter_context(new_database(server, fill=None))
            else:
                folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="growth-"))
                engine = create_engine(f"sqlite:///{Path(folder, 'app.db')}", poolclass=NullPool)
                migrate(as_text(engine.url))
            fill(engine, size)
            urls[size] = as_text(engine.url)
        yield urls


def milliseconds(client: httpx.Client, path: str) -> float:
    """Return the median time of an answer, after one that is not counted."""
    times = []
    for number in range(10):
        start = perf_counter()
        client.get(path).raise_for_status()
        times.append(perf_counter() - start)
        if number and sum(times) > PAUSE_AFTER:
            break
    return statistics.median(times[1:]) * 1000


def ask(url: str, rows: int) -> list[float]:
    """Start the app on a database and return a time for each of the requests."""
    values = {"middle": rows // 2, "end": rows - 200, "last_page": rows // 10}
    server = Server("ours", url, [])
    try:
        address = f"http://127.0.0.1:{server.port}"
        with httpx.Client(base_url=address, timeout=60) as client:
            return [milliseconds(client, path.format(**values)) for path in REQUESTS]
    finally:
        server.stop()


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--sqlite", action="store_true", help="SQLite files, not PostgreSQL")
    parser.add_argument("--rows", type=int, nargs=2, default=[10_000, 1_000_000])
    options = parser.parse_args()
    console = Console()
    if not console.is_terminal:
        console.width = 100
    with (
        console.status("filling the databases: some minutes"),
        databases(options.rows, sqlite=options.sqlite) as urls,
    ):
        small, large = (ask(url, size) for size, url in urls.items())
    table = Table(*("request", *(f"{size:,} rows: ms" for size in urls), "times"))
    for path, before, after in zip(REQUESTS, small, large, strict=True):
        table.add_row(path, f"{before:.1f}", f"{after:.1f}", f"{after / before:.1f}")
    console.print(table)


if __name__ == "__main__":
    main()
