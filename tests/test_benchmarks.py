"""The benchmarks compare what can be compared. What they measure is not asserted anywhere."""

import subprocess
import sys

import pytest

from benchmarks.answers import check_answers, compare
from benchmarks.databases import sqlite
from benchmarks.errors import BenchmarkError
from benchmarks.servers import running
from benchmarks.workloads import make_workloads


@pytest.mark.long
def test_apps_give_the_same_answers() -> None:
    with sqlite(["ours", "tutorial"]) as database, running(database, []) as servers:
        check_answers(servers, make_workloads())


def test_other_answers_are_refused() -> None:
    users = make_workloads()[0]
    right = {"id": 1, "email": "ada@example.com", "name": "Ada"}
    compare(users, {"ours": right, "tutorial": {**right}})
    with pytest.raises(BenchmarkError, match=r"'ours' and 'tutorial' answer .* differently"):
        compare(users, {"ours": right, "tutorial": {**right, "name": "Eve"}})
    with pytest.raises(BenchmarkError, match=r"'ours' answers .* wrongly"):
        compare(users, {"ours": {**right, "email": ""}})


def test_missing_packages_are_named() -> None:
    program = (
        "import runpy, sys; sys.modules['psutil'] = None\n"
        "runpy.run_module('benchmarks', run_name='__main__')"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.returncode == 1
    assert "psutil" in result.stderr
    assert result.stderr.strip().endswith("pip install -r benchmarks/requirements.txt")
