"""README and /docs tell the truth: files, commands, answers, routes."""

import json
import re
import shlex
import subprocess
import sys
from html import escape
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute

from app import app
from core.docs import SECTIONS
from models import Base

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
# Other at every run: moments, and the random end of order numbers.
CHANGING = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z|ORD-\d{14}-\w{6}")


def test_the_file_map_is_complete() -> None:
    """Every file and folder that git keeps at the top is in the map, and nothing else."""
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.splitlines()
    if not tracked:  # a downloaded archive without git
        tracked = [str(path.relative_to(ROOT)) for path in ROOT.iterdir() if path.name != ".venv"]
    top = {path.split("/")[0] for path in tracked} - {"README.md"}
    files = README.partition("## The files")[2].partition("\n## ")[0]
    mapped = {name.split("/")[0] for name in re.findall(r"^\| `([^`]+)` \|", files, re.M)}
    assert top <= mapped
    assert {name for name in mapped if not (ROOT / name).exists()} == set()


def test_every_link_leads_somewhere() -> None:
    """In every page: to a file that is there, to a heading that its page has."""
    tracked = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True)
    pages = [ROOT / name for name in tracked.stdout.splitlines()] or [ROOT / "README.md"]
    for page in pages:
        for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
            name, _, anchor = link.partition("#")
            if not link.startswith("http"):
                target = page.parent / name if name else page
                assert target.exists(), f"{page}: {link}"
                assert not anchor or anchor in anchors(target), f"{page}: {link}"


def anchors(page: Path) -> set[str]:
    """Return what GitHub calls the headings of a page in a link."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_promise_has_its_test() -> None:
    """The table of faults names tests that there are, and all tests of faults."""
    named = set(re.findall(r"`(test_\w+)`", README))
    defined, faults = (
        set(re.findall(r"^def (test_\w+)", "\n".join(map(Path.read_text, files)), re.M))
        for files in (ROOT.glob("tests/test_*.py"), [ROOT / "tests/test_faults.py"])
    )
    assert named <= defined
    assert faults <= named


def test_the_lock_has_what_is_required() -> None:
    pins = re.findall(
        r"^([\w-]+)(?:\[.+\])?(==[\d.]+)", (ROOT / "requirements.txt").read_text(), re.M
    )
    lock = (ROOT / "requirements.lock").read_text().lower()
    assert len(pins) > 15
    for name, version in pins:
        assert f"\n{name.lower()}{version} \\\n    --hash=sha256:" in lock, name


def test_the_picture_of_the_tables_is_up_to_date() -> None:
    """What paracelsus reads from the models is what is drawn: each column, each foreign key."""
    command = [str(Path(sys.executable).with_name("paracelsus")), "graph", "--format", "dot"]
    graph = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    tables = {
        name: [escape(cell) for cell in re.findall(r">([^<>]+)</(?:td|b)>", label)]
        for name, label in re.findall(r"^(\w+) \[label=<(.*?)>, shape", graph, re.M | re.S)
    }
    keys = re.findall(r'^(\w+) -- (\w+) +\[.*?label="?(\w+)', graph, re.M)
    svg = (ROOT / "docs" / "schema.svg").read_text(encoding="utf-8")
    drawn: dict[str, list[str]] = {}
    drawn_keys = []
    for kind, title, group in re.findall(
        r'class="(node|edge)">\n<title>(.+?)</title>(.*?)</g>', svg, re.S
    ):
        texts = re.findall(r">([^<>]+)</text>", group)
        if kind == "node":
            drawn[title] = texts
        else:
            drawn_keys.append((*title.split("&#45;&#45;"), *texts))
    assert len(tables) == len(Base.metadata.tables)
    assert drawn == tables
    assert sorted(drawn_keys) == sorted(keys)


def curl(client: httpx.Client, command: str) -> httpx.Response:
    """Do what a curl line says."""
    words = iter(shlex.split(command)[1:])
    method, url, body, headers = "GET", "", None, {}
    for word in words:
        if word == "-X":
            method = next(words)
        elif word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word == "-d":
            body = next(words)
        else:
            url = word.removeprefix("http://localhost:8000")
    return client.request(method, url, content=body, headers=headers)


def test_the_curl_lines_get_the_printed_answers(client: httpx.Client) -> None:
    examples = re.findall(r"^\$ (curl .+)\n(.+)$", README, re.M)
    assert len(examples) >= 10
    for command, printed in examples:
        answer = curl(client, command).text
        assert unchanging(answer) == unchanging(printed), command


def unchanging(text: str) -> Any:
    """Return JSON with everything masked that differs from run to run."""
    return json.loads(CHANGING.sub("…", text))


def test_recipe_of_a_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = re.findall(r"^```python\n(.+?)^```", README, re.M | re.S)[0]
    names: dict[str, Any] = {}
    exec(compile(code, "README.md", "exec"), names)
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/not-used")
    names["test_create_user"](tmp_path)


def proposed(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """Return the value that Swagger UI proposes for a body."""
    if name := schema.get("$ref", "").rpartition("/")[2]:
        return proposed(schemas[name], schemas)
    if examples := schema.get("examples"):
        return examples[0]
    return {key: proposed(part, schemas) for key, part in schema.get("properties", {}).items()}


def test_docs_proposes_what_works_from_top_to_bottom(client: httpx.Client) -> None:
    """Sent as proposed, in the order of /docs, every operation succeeds on an empty database."""
    document = client.get("/openapi.json").json()
    order = [section["name"] for section in document["tags"]]
    operations = [
        (order.index(operation["tags"][0]), method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    failed = []
    for _, method, path, operation in sorted(operations, key=lambda found: found[0]):
        query = {}
        for parameter in operation.get("parameters", []):
            example = parameter["schema"].get("example")
            if parameter["in"] == "path":
                path = path.replace(f"{{{parameter['name']}}}", str(example))
            elif parameter["in"] == "query" and example is not None:
                query[parameter["name"]] = example
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        body = content and content.get(
            "example", proposed(content["schema"], document["components"]["schemas"])
        )
        response = client.request(method, path, params=query, json=body)
        if not response.is_success:
            failed.append((method, path, query, body, response.status_code, response.text))
    assert failed == []


def routes() -> list[APIRoute]:
    return [route for route in app.routes if isinstance(route, APIRoute)]


def test_every_route_says_what_it_does() -> None:
    assert len(routes()) > 60
    for route in routes():
        assert route.description.strip().endswith("."), route.path
        assert route.tags, route.path


def test_sections_of_app_are_tags_in_the_same_order() -> None:
    headings = re.findall(r"^# ── (\w+) ─", (ROOT / "app.py").read_text(encoding="utf-8"), re.M)
    tags = dict.fromkeys(str(route.tags[0]) for route in routes())
    tags.pop("Deletes")  # which are beside what they delete, and last in /docs
    assert headings[-len(tags) :] == list(tags)
    assert [*tags, "Deletes"] == list(SECTIONS)


def test_openapi_requires_what_is_always_answered() -> None:
    schemas = app.openapi()["components"]["schemas"]
    for name in ("User", "Post", "Tag", "Comment", "Category", "Product", "Order", "Notification"):
        schema = schemas[name]
        assert set(schema["required"]) == set(schema["properties"]), name
    assert schemas["User"]["properties"]["id"] == {"type": "integer", "title": "Id"}
    assert "hashed_password" not in schemas["User"]["properties"]


def test_answers_have_the_documented_fields(client: httpx.Client) -> None:
    body = {"name": "Ada Lovelace", "email": "ada@example.com"}
    user = client.post("/users", json=body).json()
    assert set(user) == set(app.openapi()["components"]["schemas"]["User"]["properties"])


def keyword(field: dict[str, Any], name: str) -> Any:
    """Return a keyword of a field's schema, wherever Pydantic puts it for `str | None`."""
    return next((part[name] for part in [field, *field.get("anyOf", [])] if name in part), None)


def test_values_that_docs_proposes_are_readable_and_valid(client: httpx.Client) -> None:
    """Without examples, Swagger makes up two hundred random signs for each pattern."""
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    for title, schema in schemas.items():
        for name, field in schema.get("properties", {}).items():
            if pattern := keyword(field, "pattern"):
                assert re.search(pattern, (keyword(field, "examples") or [""])[0]), (title, name)
    user = {
        name: (keyword(field, "examples") or [None])[0]
        for name, field in schemas["UserCreate"]["properties"].items()
        if name in ("username", "password")
    }
    created = client.post("/users", json=user | {"name": "Ada", "email": "ada@example.com"})
    assert created.status_code == 201
