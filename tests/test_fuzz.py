"""What schemathesis makes up from the OpenAPI schema: all its checks, every operation."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from conftest import ROOT, new_user


@pytest.mark.long
@pytest.mark.sample(1)
@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_made_up_requests_get_documented_answers(
    client: httpx.Client, dialect: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """With --all-proofs fifteen thousand requests each, else half of the phases."""
    long = request.config.getoption("--all-proofs")
    examples = "300" if long else "1"
    first = "coverage,stateful" if dialect == "sqlite" else "examples,fuzzing,stateful"
    phases = ["--phases", "examples,coverage,fuzzing,stateful" if long else first]
    seed = str(request.config.getoption("--sample"))
    schemathesis = [str(Path(sys.executable).with_name("schemathesis"))]
    schemathesis += ["--config-file", str(ROOT / "tests" / "schemathesis.toml")]
    result = subprocess.run(
        [
            *(*schemathesis, "run", f"{client.base_url}/openapi.json", "--no-color"),
            *("--workers", "1", "--max-examples", examples, "--seed", seed, *phases),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-20_000:] + result.stderr
    assert new_user(client)["id"] > 1, "no request got as far as a row"
