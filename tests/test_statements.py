"""A fixed number of statements for each route, whatever the size of the page."""

import os

import httpx
import pytest

from conftest import new_post, new_user, statements


@pytest.fixture
def filled(client: httpx.Client) -> httpx.Client:
    """Return a client of an app with twelve posts, each with author, tags and comments."""
    tags = [client.post("/tags", json={"name": f"tag{n}"}).json()["id"] for n in range(3)]
    for n in range(12):
        author = new_user(client)["id"]
        post = new_post(client, title=f"Post number {n}", author_id=author, tag_ids=tags)
        client.post(f"/posts/{post['id']}/comments", json={"body": "A comment"})
    return client


LISTS = {
    "/users": 1,
    "/users/search": 1,
    "/users/active": 1,
    "/users/page?page=1": 2,
    "/async/users": 1,
    "/posts": 2,
    "/posts/with-comments": 3,
    "/tags": 1,
    "/posts/1/comments": 2,
}


def test_lists_send_a_fixed_number_of_statements(filled: httpx.Client) -> None:
    for path, expected in LISTS.items():
        for limit in (2, 100):
            joint = "&" if "?" in path else "?"
            with statements() as sent:
                response = filled.get(f"{path}{joint}limit={limit}&page_size={limit}")
            assert response.status_code == 200
            assert len(sent) == expected, (path, limit, sent)


def test_single_rows_send_a_fixed_number_of_statements(filled: httpx.Client, dialect: str) -> None:
    reads_back = dialect == "mysql" and "TEST_AS_MYSQL_8" in os.environ  # what it has inserted
    user = {"name": "Ada Lovelace", "email": "ada@example.com"}
    for method, path, body, expected in [
        ("POST", "/users", user, 1),
        ("POST", "/async/users", user | {"email": "ada2@example.com"}, 1),
        ("POST", "/users/bulk", [user | {"email": f"{n}@example.com"} for n in range(1000)], 1),
        ("GET", "/users/1", None, 1),
        ("GET", "/users/1/posts", None, 2),
        ("GET", "/async/users/1/with-posts", None, 2),
        ("PATCH", "/users/1", {"age": 5}, 2),
        ("PUT", "/users/1", user | {"email": "ada3@example.com"}, 2),
        ("PATCH", "/users/bulk/deactivate", {"user_ids": [1, 2, 3]}, 1),
        ("DELETE", "/users/1/soft", None, 1),
        ("DELETE", "/users/1", None, 1),
        ("GET", "/posts/2", None, 2),
        ("PATCH", "/posts/2", {"title": "New title"}, 3),
        ("DELETE", "/posts/2", None, 1),
        ("POST", "/products/bulk", [{"name": f"New {n}", "price": n + 1} for n in range(1000)], 1),
    ]:
        with statements() as sent:
            response = filled.request(method, path, json=body)
        assert response.status_code in (200, 201, 204), response.text
        assert len(sent) == expected + (reads_back and method == "POST"), (method, path, sent)
