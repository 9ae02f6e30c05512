"""Users: every route under /users but those about orders."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import httpx
import sqlalchemy as sa
from sqlmodel import Field

import models
from conftest import new_post, new_user
from core.schema import migration_engine
from core.settings import parse_url

ADA = {"name": "Ada Lovelace", "email": "ada@example.com"}


def test_create_user(client: httpx.Client) -> None:
    body = ADA | {"username": "ada", "age": 36, "city": "London", "bio": "Wrote the first program."}
    response = client.post("/users", json=body)
    assert response.status_code == 201
    user = response.json()
    assert {key: user[key] for key in body} == body
    assert user["id"] == 1
    assert user["is_active"] is True
    assert user["deleted_at"] is None
    assert user["created_at"].endswith("Z")
    assert client.get("/users/1").json() == user


def test_create_user_with_full_name_and_password(client: httpx.Client) -> None:
    body = {
        "username": "ada",
        "email": " Ada@Example.COM ",
        "password": "Secret123",
        "full_name": "Ada",
    }
    user = client.post("/users", json=body).json()
    assert user["name"] == "Ada"
    assert user["email"] == "ada@example.com"
    assert user["city"] == "Unknown"
    assert user["age"] is None


def test_password_is_stored_as_argon2_and_never_answered(client: httpx.Client, url: str) -> None:
    answers = [client.post("/users", json=ADA | {"password": "Secret123"})]
    answers += [client.put("/users/1", json=ADA), client.get("/users"), client.get("/users/page")]
    answers += [client.patch("/users/1", json={"age": 3}), client.get("/users/1/posts")]
    for answer in answers:
        assert "password" not in answer.text
        assert "argon2" not in answer.text
    engine = sa.create_engine(parse_url(url), poolclass=sa.NullPool)
    with engine.connect() as connection:
        stored = connection.scalar(sa.text("SELECT hashed_password FROM users"))
    assert str(stored).startswith("$argon2id$")


def test_create_user_ignores_what_clients_may_not_set(client: httpx.Client) -> None:
    extra = {
        "id": 77,
        "is_active": False,
        "created_at": "2001-01-01T00:00:00Z",
        "hashed_password": "x",
    }
    user = client.post("/users", json=ADA | extra).json()
    assert user["id"] == 1
    assert user["is_active"] is True
    assert not user["created_at"].startswith("2001")


def test_create_user_invalid(client: httpx.Client) -> None:
    wrong: list[tuple[str, object]] = [
        ("name", "A"),
        ("name", "A" * 51),
        ("name", None),
        ("email", "no-address"),
        ("email", "Ada <ada@example.com>"),
        ("email", None),
        ("username", "ab"),
        ("username", "no spaces"),
        ("age", -1),
        ("age", 151),
        ("age", "many"),
        ("age", True),
        ("city", "C" * 51),
        ("city", None),
        ("bio", "B" * 1001),
        ("password", "Short1"),
        ("password", "noDigitsHere"),
        ("password", "no-upper-case-1"),
    ]
    for field, value in wrong:
        response = client.post("/users", json=ADA | {field: value})
        assert response.status_code == 422, (field, value)
        assert response.json()["detail"][0]["loc"][:2] == ["body", field]
    assert client.get("/users").json() == []


def test_taken_value(client: httpx.Client) -> None:
    client.post("/users", json=ADA | {"username": "ada"})
    other = new_user(client)
    for field, value, detail in [
        ("email", "ADA@example.com", "Email already registered"),
        ("username", "ada", "Username already taken"),
    ]:
        body = {"name": "Other", "email": "other@example.com", field: value}
        for response in (
            client.post("/users", json=body),
            client.put(f"/users/{other['id']}", json=body),
            client.patch(f"/users/{other['id']}", json={field: value}),
        ):
            assert (response.status_code, response.json()) == (409, {"detail": detail})
    assert client.get(f"/users/{other['id']}").json() == other


def test_create_users_bulk(client: httpx.Client) -> None:
    body = [{"name": f"User {n}", "email": f"u{n}@example.com"} for n in range(1000)]
    response = client.post("/users/bulk", json=body)
    assert response.status_code == 201
    assert [user["name"] for user in response.json()] == [user["name"] for user in body]
    assert [user["id"] for user in response.json()] == list(range(1, 1001))
    assert client.get("/users/1000").json() == response.json()[-1]


def test_create_users_bulk_wrong_size(client: httpx.Client) -> None:
    body = [{"name": f"User {n}", "email": f"u{n}@example.com"} for n in range(1001)]
    assert client.post("/users/bulk", json=body).status_code == 422
    assert client.post("/users/bulk", json=[]).status_code == 422
    assert client.get("/users").json() == []


def test_create_users_bulk_taken(client: httpx.Client) -> None:
    client.post("/users", json=ADA | {"username": "ada"})
    for taken, detail in [
        ({"email": "ada@example.com"}, "Email already registered: ada@example.com"),
        ({"email": "u1@example.com"}, "Email already registered: u1@example.com"),
        ({"email": "x@example.com", "username": "ada"}, "Username already taken: ada"),
        ({"email": "x@example.com", "username": "new"}, "Username already taken: new"),
    ]:
        body = [{"name": "One", "email": "u1@example.com"}, {"name": "Two", **taken}]
        body += [{"name": "Three", "email": f"{n}@example.com"} for n in range(3)]
        if taken.get("username") == "new":
            body[0]["username"] = "new"
        response = client.post("/users/bulk", json=body)
        assert (response.status_code, response.json()) == (409, {"detail": detail})
    assert len(client.get("/users").json()) == 1


def test_read_users_window(client: httpx.Client) -> None:
    client.post(
        "/users/bulk",
        json=[{"name": f"User {n}", "email": f"u{n}@example.com"} for n in range(1, 26)],
    )
    assert [user["id"] for user in client.get("/users").json()] == list(range(1, 11))
    assert [user["id"] for user in client.get("/users?skip=20").json()] == list(range(21, 26))
    seen, next_url = [], "/users?limit=7&min_age=0"
    assert client.get(next_url).json() == []
    next_url = "/users?limit=7&is_active=true&skip=2"
    while next_url:
        response = client.get(next_url)
        seen += [user["id"] for user in response.json()]
        next_url = response.links.get("next", {}).get("url", "")
        assert "is_active=true" in next_url or not next_url
    assert seen == list(range(3, 26))


def test_read_users_filters(client: httpx.Client) -> None:
    new_user(client, name="Ada", age=30, city="London", username="first")
    new_user(client, name="Bob_Marley", age=40, city="Kingston", email="100%@example.com")
    new_user(client, name="Zoë", age=50, city="Londonderry")
    client.patch("/users/3", json={"is_active": False})

    def ids(query: str) -> list[int]:
        response = client.get(query)
        assert response.status_code == 200, response.text
        return [user["id"] for user in response.json()]

    assert ids("/users?min_age=40") == [2, 3]
    assert ids("/users?min_age=30&max_age=40") == [1, 2]
    assert ids("/users?is_active=false") == [3]
    assert ids("/users?search=BOB") == [2]
    assert ids("/users?search=first") == [1]
    assert ids("/users?search=%25") == [2]  # a literal per cent sign
    assert ids("/users?search=_") == [2]
    assert ids("/users/search?city=london") == [1, 3]
    assert ids("/users/search?city=london&name=ad") == [1]
    assert ids("/users/active") == [1, 2]
    assert client.get("/users/stats/active-count").json() == {"active_users": 2}


def test_read_users_page(client: httpx.Client) -> None:
    client.post(
        "/users/bulk",
        json=[{"name": f"User {n}", "email": f"u{n}@example.com"} for n in range(1, 46)],
    )
    page = client.get("/users/page").json()
    assert [user["id"] for user in page.pop("items")] == list(range(45, 25, -1))
    assert page == {
        "total": 45,
        "page": 1,
        "page_size": 20,
        "total_pages": 3,
        "has_next": True,
        "has_previous": False,
    }
    last = client.get("/users/page?page=3&page_size=20").json()
    assert [user["id"] for user in last["items"]] == [5, 4, 3, 2, 1]
    assert (last["has_next"], last["has_previous"]) == (False, True)
    assert client.get("/users/page?page_size=101").status_code == 422
    assert client.get("/users/page?page=0").status_code == 422


def test_read_every_page_of_the_users(client: httpx.Client) -> None:
    """The pages that are nearer to the oldest are read from there."""
    users = [{"name": f"User {n}", "email": f"u{n}@example.com"} for n in range(1, 13)]
    client.post("/users/bulk", json=users)
    client.delete("/users/3/soft")
    client.delete("/users/8")
    newest = [12, 11, 10, 9, 7, 6, 5, 4, 2, 1]
    for size in range(1, 13):
        for number in range(1, 13):
            page = client.get(f"/users/page?page={number}&page_size={size}").json()
            skip = (number - 1) * size
            assert [user["id"] for user in page["items"]] == newest[skip : skip + size]
            assert (page["total"], page["total_pages"]) == (10, -(-10 // size))
            assert page["has_next"] == (skip + size < 10)
            assert page["has_previous"] == (number > 1)


def test_read_users_page_of_nothing(client: httpx.Client) -> None:
    page = client.get("/users/page").json()
    assert (page["items"], page["total"], page["total_pages"]) == ([], 0, 0)
    assert (page["has_next"], page["has_previous"]) == (False, False)


def test_read_user_by_email(client: httpx.Client) -> None:
    client.post("/users", json=ADA)
    assert client.get("/users/by-email/ADA@example.com").json()["id"] == 1
    for unknown in ("nobody@example.com", "no address"):
        response = client.get(f"/users/by-email/{unknown}")
        assert (response.status_code, response.json()) == (404, {"detail": "User not found"})
    for email in ("a/b@example.com", "x@xn--exmple-cua.com"):
        user = new_user(client, email=email)
        assert client.get(f"/users/by-email/{quote(email, safe='')}").json() == user


def test_user_not_found(client: httpx.Client) -> None:
    for method, path, body in [
        ("GET", "/users/9", None),
        ("GET", "/users/9/posts", None),
        ("PUT", "/users/9", ADA),
        ("PATCH", "/users/9", {}),
        ("DELETE", "/users/9", None),
        ("DELETE", "/users/9/soft", None),
        ("POST", "/users/9/restore", None),
        ("GET", "/async/users/9", None),
        ("GET", "/async/users/9/with-posts", None),
        ("PUT", "/async/users/9", ADA),
        ("DELETE", "/async/users/9", None),
    ]:
        response = client.request(method, path, json=body)
        assert (response.status_code, response.json()) == (404, {"detail": "User not found"}), path


def test_replace_user_resets_what_is_left_out(client: httpx.Client) -> None:
    old = new_user(client, username="ada", age=36, city="London", bio="Countess")
    new = client.put("/users/1", json=ADA)
    assert new.status_code == 200
    expected = ADA | {"username": None, "age": None, "city": "Unknown", "bio": None}
    assert {key: new.json()[key] for key in expected} == expected
    assert new.json()["created_at"] == old["created_at"]
    assert new.json()["updated_at"] > str(old["updated_at"])
    assert client.get("/users/1").json() == new.json()


def test_update_user_changes_only_what_is_sent(client: httpx.Client) -> None:
    old = new_user(client, username="ada", age=36, city="London")
    new = client.patch("/users/1", json={"age": None, "full_name": "Ada King"}).json()
    assert new == old | {"age": None, "name": "Ada King", "updated_at": new["updated_at"]}
    assert client.get("/users/1").json() == new


def test_update_user_refuses_null(client: httpx.Client) -> None:
    user = new_user(client)
    for field in ("name", "email", "city", "password", "is_active"):
        assert client.patch("/users/1", json={field: None}).status_code == 422, field
    assert client.get("/users/1").json() == user


def test_delete_user_takes_posts_and_comments_along(client: httpx.Client) -> None:
    ada, bob = new_user(client)["id"], new_user(client)["id"]
    new_post(client, author_id=ada)
    kept = new_post(client, author_id=bob)["id"]
    client.post(f"/posts/{kept}/comments", json={"body": "By Ada", "author_id": ada})
    client.post(f"/posts/{kept}/comments", json={"body": "By Bob", "author_id": bob})
    assert client.delete(f"/users/{ada}").status_code == 204
    assert [post["id"] for post in client.get("/posts").json()] == [kept]
    assert [c["body"] for c in client.get(f"/posts/{kept}/comments").json()] == ["By Bob"]


def test_soft_delete_hides_and_restore_brings_back(client: httpx.Client) -> None:
    ada = new_user(client)
    new_user(client)
    new_post(client, author_id=1)
    response = client.delete("/users/1/soft")
    assert response.status_code == 200
    assert isinstance(response.json()["message"], str)
    for path in ("/users/1", "/users/1/posts", f"/users/by-email/{ada['email']}"):
        assert client.get(path).status_code == 404
    assert client.patch("/users/1", json={"age": 1}).status_code == 404
    assert client.delete("/users/1/soft").status_code == 404
    for path in ("/users", "/users/search", "/users/active"):
        assert [user["id"] for user in client.get(path).json()] == [2]
    assert client.get("/users/page").json()["total"] == 1
    hidden = client.get("/users?include_deleted=true").json()[0]
    assert hidden["deleted_at"].endswith("Z")
    assert hidden["is_active"] is False
    taken = client.post("/users", json={"name": "Again", "email": ada["email"]})
    assert taken.status_code == 409
    late = {"title": "Too late", "content": "Twenty characters at the least.", "author_id": 1}
    assert client.post("/posts", json=late).status_code == 404
    restored = client.post("/users/1/restore")
    assert restored.status_code == 200
    assert restored.json() == ada | {"updated_at": restored.json()["updated_at"]}
    assert len(client.get("/users/1/posts").json()["posts"]) == 1


def test_restore_user_who_is_not_deleted_changes_nothing(client: httpx.Client) -> None:
    new_user(client)
    inactive = client.patch("/users/1", json={"is_active": False}).json()
    assert client.post("/users/1/restore").json() == inactive


def test_deactivate_users_bulk(client: httpx.Client) -> None:
    for _ in range(3):
        new_user(client)
    ids = {"user_ids": [1, 3, 999]}
    first = client.patch("/users/bulk/deactivate", json=ids)
    assert (first.status_code, first.json()) == (200, {"deactivated_count": 2})
    assert client.patch("/users/bulk/deactivate", json=ids).json() == {"deactivated_count": 0}
    assert [user["id"] for user in client.get("/users/active").json()] == [2]
    wrong: list[dict[str, object]] = [{"user_ids": []}, {"user_ids": [0]}, {"user_ids": "1"}, {}]
    for body in wrong:
        assert client.patch("/users/bulk/deactivate", json=body).status_code == 422


def test_read_user_with_posts(client: httpx.Client) -> None:
    user = new_user(client)
    written = [new_post(client, author_id=1)["id"] for _ in range(12)]
    answer = client.get("/users/1/posts").json()
    posts = answer.pop("posts")
    assert answer == user
    assert [post["id"] for post in posts] == written


def test_head_answers_like_get(client: httpx.Client) -> None:
    new_user(client)
    for path in ("/", "/users", "/users/1", "/users/9", "/async/users/1", "/health", "/docs"):
        get, head = client.get(path), client.head(path)
        assert head.status_code == get.status_code, path
        assert head.headers["content-type"] == get.headers["content-type"]
        assert head.content == b""
    assert client.head("/users/bulk/deactivate").status_code in (405, 422)


def test_blank_text_is_refused(client: httpx.Client) -> None:
    new_user(client)
    for path, body in [
        ("/users", {"name": "   ", "email": "a@example.com"}),
        ("/users", {"full_name": "\t\u00a0\n", "email": "a@example.com"}),
        ("/posts", {"title": " " * 5, "content": "Twenty characters at the least."}),
        ("/posts", {"title": "A title", "content": " " * 20}),
        ("/tags", {"name": " "}),
        ("/categories", {"name": "  "}),
        ("/products", {"name": " ", "price": 1}),
        (
            "/orders",
            {"user_id": 1, "items": [{"product_id": 1, "quantity": 1}]}
            | {"shipping_address": "  "},
        ),
    ]:
        answer = client.post(path, json=body)
        assert answer.status_code == 422, (path, answer.text)
    assert client.patch("/users/1", json={"name": "  "}).status_code == 422


def test_every_field_of_the_base_class_can_be_patched() -> None:
    for base, update in [
        (models.UserBase, models.UserUpdate),
        (models.PostBase, models.PostUpdate),
        (models.CategoryBase, models.CategoryUpdate),
        (models.ProductBase, models.ProductUpdate),
    ]:
        assert set(base.model_fields) <= set(update.model_fields)
        assert not any(field.is_required() for field in update.model_fields.values())
        assert update().columns() == {}


def test_a_column_is_one_edit() -> None:
    class NicknamedBase(models.UserBase):
        nickname: str | None = Field(default=None, max_length=50)

    class NicknamedUpdate(models.Update, NicknamedBase):
        pass

    assert NicknamedUpdate.model_validate({"nickname": "Ada"}).columns() == {"nickname": "Ada"}


def test_more_ways_to_find_users(client: httpx.Client) -> None:
    new_user(client, name="Ada Lovelace", username="countess")
    new_user(client, name="Grace Hopper")
    client.patch("/users/2", json={"is_active": False})
    assert [user["id"] for user in client.get("/users?active_only=true").json()] == [1]
    assert [user["id"] for user in client.get("/users?active_only=false").json()] == [1, 2]
    assert [user["id"] for user in client.get("/users/search?q=COUNT").json()] == [1]
    assert client.get("/users/search?q=count&name=grace").json() == []


def test_deactivate_users_who_were_not_changed(client: httpx.Client, url: str) -> None:
    new_user(client)
    new_user(client)
    old = sa.text("UPDATE users SET updated_at = :then WHERE id = 1")
    with migration_engine(parse_url(url)).begin() as connection:
        connection.execute(old, {"then": datetime.now(UTC) - timedelta(days=31)})
    for days, count in [(32, 0), (30, 1), (30, 0)]:
        answer = client.patch(f"/users/bulk/deactivate?days={days}")
        assert answer.json() == {"deactivated_count": count}
    assert client.get("/users/2").json()["is_active"] is True
    neither = client.patch("/users/bulk/deactivate")
    assert (neither.status_code, neither.json()["detail"][0]["msg"]) == (
        422,
        "Send user_ids, or days",
    )
    assert client.patch("/users/bulk/deactivate?days=-1").status_code == 422


def test_posts_of_a_user_come_in_pages(client: httpx.Client) -> None:
    new_user(client)
    for n in range(3):
        new_post(client, title=f"Post {n}", author_id=1)
    assert len(client.get("/users/1/posts").json()["posts"]) == 3
    page = client.get("/users/1/posts?skip=1&limit=1").json()["posts"]
    assert [post["id"] for post in page] == [2]
    assert client.get("/users/1/posts?limit=101").status_code == 422


def test_emails_are_compared_in_nfc(client: httpx.Client) -> None:
    composed, decomposed = "zo\u00eb@example.com", "zoe\u0308@example.com"
    assert new_user(client, email=decomposed)["email"] == composed
    assert client.post("/users", json={"name": "Zoë", "email": composed}).status_code == 409


def test_the_id_of_a_deleted_user_is_nobody_elses(client: httpx.Client) -> None:
    first = new_user(client)["id"]
    assert client.delete(f"/users/{first}").status_code == 204
    assert new_user(client)["id"] != first
    assert client.get(f"/users/{first}").status_code == 404
