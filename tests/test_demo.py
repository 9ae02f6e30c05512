"""demo.py: the same rows at every run, on every database, never into a filled one unasked."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from conftest import serve
from core.schema import migration_engine
from core.settings import parse_url
from models import Base

ROOT = Path(__file__).parent.parent
SMALL = ["--users", "30", "--posts", "20", "--products", "10", "--orders", "15"]


def demo(url: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "demo.py", *SMALL, *options],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )


def rows(url: str) -> dict[str, list[Any]]:
    with migration_engine(parse_url(url)).connect() as connection:
        return {
            table.name: sorted(
                (tuple(row) for row in connection.execute(sa.select(table))), key=repr
            )
            for table in Base.metadata.sorted_tables
        }


@pytest.mark.long
@pytest.mark.sample(1)
def test_demo_fills_a_database_once(url: str, tmp_path: Path) -> None:
    first = demo(url)
    assert first.returncode == 0, first.stderr
    filled = rows(url)
    sizes = {name: len(filled[name]) for name in ("users", "posts", "products", "orders")}
    assert sizes == {"users": 30, "posts": 20, "products": 10, "orders": 15}
    assert filled["comments"]
    assert filled["post_tags"]
    again = demo(url)
    assert again.returncode == 1
    assert "is not empty; --add adds to its" in again.stderr
    assert rows(url) == filled
    with serve(url) as client:
        for path in ("/users", "/posts", "/products", "/orders/1/details", "/categories/tree"):
            assert client.get(path).status_code == 200, path
        revenue = client.get("/orders/stats/summary").json()["total_revenue"]
        assert revenue == client.get("/orders/stats/summary").json()["total_revenue"] > 0
    other = f"sqlite:///{tmp_path}/other.db"
    assert demo(other).returncode == 0
    assert rows(other) == filled
    more = demo(other, "--add")
    assert more.returncode == 0, more.stderr
    assert len(rows(other)["users"]) == 60


def test_demo_refuses_an_unusable_url() -> None:
    result = demo("nonsense")
    assert (result.returncode, "cannot be read" in result.stderr) == (1, True)
    assert "Traceback" not in result.stderr
