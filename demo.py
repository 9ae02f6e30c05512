"""Fill the database with made-up rows, the same ones at every run: `python demo.py --help`."""

import argparse
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from random import Random
from typing import Any

from faker import Faker
from rich.progress import Progress
from slugify import slugify
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session
from sqlmodel import col

from core.schema import prepare_schema
from core.settings import StartupError, read_settings, shown
from database import Database
from models import (
    Base,
    Category,
    Comment,
    Order,
    OrderItem,
    OrderStatus,
    Post,
    PostTag,
    Product,
    Tag,
    User,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
CATEGORIES = ("Books", "Music", "Garden", "Kitchen", "Electronics", "Toys", "Sports", "Art")
TAGS = ("python", "fastapi", "database", "sql", "testing", "design", "news", "howto")
BATCH = 1000  # rows for one INSERT

Columns = dict[str, Any]


class Demo:
    """Makes and inserts rows; all chance comes from one seed."""

    def __init__(self, db: Session, first: int) -> None:
        self.db = db
        self.first = first  # what unique values are numbered from, and the seed
        self.chance = Random(first)
        self.faker = Faker()
        self.faker.seed_instance(first)

    def numbers(self, count: int) -> range:
        """Return the numbers of so many new rows."""
        return range(self.first, self.first + count)

    def moments(self) -> Columns:
        """Return when a row was made and changed: some second of the first 300 days of 2026."""
        moment = START + timedelta(seconds=self.chance.randrange(300 * 24 * 3600))
        return {"created_at": moment, "updated_at": moment}

    def insert(self, model: Any, rows: Iterable[Columns]) -> None:
        """Insert rows in batches."""
        iterator = iter(rows)
        while batch := list(islice(iterator, BATCH)):
            self.db.execute(insert(model), batch)

    def ids(self, model: Any) -> list[int]:
        """Return the ids of a table, in their order."""
        return list(self.db.scalars(select(model.id).order_by(model.id)))

    def users(self, count: int) -> Iterator[Columns]:
        """Yield users, who have no password: nobody can log in as one."""
        for n in self.numbers(count):
            name = self.faker.name()[:50]
            username = f"{slugify(name, separator='_')[:40]}_{n}"
            yield {
                "name": name,
                "username": username,
                "email": f"{username}@example.com",
                "age": self.chance.randint(16, 90),
                "city": self.faker.city()[:50],
                "is_active": self.chance.random() < 0.95,
                **self.moments(),
            }

    def posts(self, count: int) -> Iterator[Columns]:
        """Yield posts by users who are there."""
        authors = self.ids(User)
        for n in self.numbers(count):
            title = self.faker.sentence(6).rstrip(".")[:100]
            moments = self.moments()
            published = self.chance.random() < 0.8
            yield {
                "title": title,
                "slug": f"{slugify(title)}-{n}",
                "content": "\n\n".join(self.faker.paragraphs(3)),
                "published": published,
                "published_at": moments["created_at"] if published else None,
                "author_id": self.chance.choice(authors) if authors else None,
                **moments,
            }

    def tag_links(self, posts: list[int]) -> Iterator[Columns]:
        """Yield up to three tags for each post."""
        tags = self.ids(Tag)
        for post in posts:
            for tag in self.chance.sample(tags, self.chance.randint(0, 3)):
                yield {"post_id": post, "tag_id": tag}

    def comments(self, posts: list[int]) -> Iterator[Columns]:
        """Yield up to three comments for each post."""
        authors = self.ids(User)
        for post in posts:
            for _ in range(self.chance.randint(0, 3) if authors else 0):
                yield {
                    "post_id": post,
                    "author_id": self.chance.choice(authors),
                    "body": self.faker.sentence(12),
                    "created_at": self.moments()["created_at"],
                }

    def products(self, count: int) -> Iterator[Columns]:
        """Yield products in the categories."""
        categories = self.ids(Category)
        for n in self.numbers(count):
            name = f"{self.faker.catch_phrase()} {n}"
            yield {
                "name": name,
                "slug": slugify(name),
                "sku": f"DEMO-{n:06}",
                "price": Decimal(self.chance.randint(99, 29_999)) / 100,
                "stock": self.chance.randint(0, 200),
                "category_id": self.chance.choice(categories),
                **self.moments(),
            }

    def orders(self, count: int, lines: list[list[Columns]]) -> Iterator[Columns]:
        """Yield orders of one to four products; their items are put into `lines`."""
        users = self.ids(User)
        columns = (col(Product.id), col(Product.price))
        prices = list(self.db.execute(select(*columns).order_by(columns[0])))
        for n in self.numbers(count if users and prices else 0):
            bought = self.chance.sample(prices, min(self.chance.randint(1, 4), len(prices)))
            items: list[Columns] = [
                {
                    "product_id": product,
                    "quantity": quantity,
                    "unit_price": price,
                    "total_price": price * quantity,
                }
                for product, price in bought
                for quantity in [self.chance.randint(1, 5)]
            ]
            lines.append(items)
            moments = self.moments()
            yield {
                "order_number": f"ORD-{moments['created_at']:%Y%m%d%H%M%S}-{n:06}",
                "status": self.chance.choice(list(OrderStatus)),
                "total_amount": sum((item["total_price"] for item in items), Decimal(0)),
                "user_id": self.chance.choice(users),
                **moments,
            }

    def add_named(self, model: Any, names: tuple[str, ...]) -> None:
        """Insert the rows with these names that are not there yet."""
        known = set(self.db.scalars(select(model.name)))
        extra = {"created_at": START} if model is Category else {}
        for name in names:
            if name not in known:
                slug = {"slug": slugify(name)} if model is Category else {}
                self.db.add(model(name=name, **slug, **extra))
        self.db.flush()

    def fill(self, users: int, posts: int, products: int, orders: int) -> None:
        """Insert so many rows, and what belongs to them, under progress bars."""
        self.add_named(Tag, TAGS)
        self.add_named(Category, CATEGORIES)
        with Progress() as progress:

            def insert(model: Any, rows: Iterable[Columns], count: int) -> list[int]:
                before = set(self.ids(model))
                name = model.__tablename__
                self.insert(model, progress.track(rows, total=count, description=name))
                return [id_ for id_ in self.ids(model) if id_ not in before]

            insert(User, self.users(users), users)
            new_posts = insert(Post, self.posts(posts), posts)
            self.insert(PostTag, self.tag_links(new_posts))
            self.insert(Comment, self.comments(new_posts))
            insert(Product, self.products(products), products)
            lines: list[list[Columns]] = []
            new_orders = insert(Order, self.orders(orders, lines), orders)
            items = (
                {"order_id": order, **item}
                for order, items in zip(new_orders, lines, strict=True)
                for item in items
            )
            self.insert(OrderItem, items)


def count_rows(db: Session) -> int:
    """Return how many rows all tables hold together."""
    tables = Base.metadata.sorted_tables
    return sum(db.scalar(select(func.count()).select_from(table)) or 0 for table in tables)


def read_arguments() -> argparse.Namespace:
    """Return what was asked for on the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0] + ".")
    for name, default in (("users", 1000), ("posts", 2000), ("products", 500), ("orders", 2000)):
        parser.add_argument(f"--{name}", type=int, default=default, help="default: %(default)s")
    parser.add_argument("--add", action="store_true", help="even if there are rows already")
    return parser.parse_args()


def main() -> None:
    """Fill the database of the settings, all or nothing."""
    arguments = read_arguments()
    try:
        database = Database(read_settings())
        prepare_schema(database.url)
    except StartupError as error:
        sys.exit(str(error))
    with Session(database.writer) as db:
        rows = count_rows(db)
        if rows and not arguments.add:
            sys.exit(
                f"The database {shown(database.url)} is not empty; --add adds to its {rows} rows."
            )
        demo = Demo(db, first=rows + 1)
        demo.fill(arguments.users, arguments.posts, arguments.products, arguments.orders)
        db.commit()
    print(f"The database {shown(database.url)} is filled. uvicorn app:app --reload shows it.")


if __name__ == "__main__":
    main()
