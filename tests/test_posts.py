"""Posts, tags and comments."""

import httpx

from conftest import new_order, new_post, new_product, new_user

CONTENT = "Twenty characters at the least."


def new_tag(client: httpx.Client, name: str) -> int:
    response = client.post("/tags", json={"name": name})
    assert response.status_code == 201
    return int(response.json()["id"])


def test_create_post(client: httpx.Client) -> None:
    author = new_user(client)
    tags = [new_tag(client, "python"), new_tag(client, "sql")]
    body = {"title": "Zoë's first post!", "content": CONTENT, "author_id": 1, "tag_ids": [2, 1, 2]}
    response = client.post("/posts", json=body)
    assert response.status_code == 201
    post = response.json()
    assert post["slug"] == "zoe-s-first-post"
    assert (post["published"], post["published_at"]) == (False, None)
    assert post["author"] == author
    assert [tag["id"] for tag in post["tags"]] == tags
    read = client.get(f"/posts/{post['id']}").json()
    assert read == post


def test_create_post_without_author_and_tags(client: httpx.Client) -> None:
    post = new_post(client)
    assert (post["author_id"], post["author"], post["tags"]) == (None, None, [])


def test_slugs_stay_unique(client: httpx.Client) -> None:
    slugs = [new_post(client, title="Same title")["slug"] for _ in range(3)]
    assert slugs[0] == "same-title"
    assert len(set(slugs)) == 3
    assert all(str(slug).startswith("same-title-") for slug in slugs[1:])
    assert new_post(client, title="!!!!!")["slug"] == "post"
    assert new_post(client, slug="my-own")["slug"] == "my-own"
    taken = client.post("/posts", json={"title": "Other", "content": CONTENT, "slug": "my-own"})
    assert (taken.status_code, taken.json()) == (409, {"detail": "Slug already taken"})
    late = client.patch("/posts/1", json={"slug": "my-own"})
    assert (late.status_code, late.json()) == (409, {"detail": "Slug already taken"})


def test_create_post_with_unknown_rows(client: httpx.Client) -> None:
    new_tag(client, "python")
    unknown: list[tuple[dict[str, object], str]] = [
        ({"author_id": 9}, "Author not found"),
        ({"tag_ids": [1, 9]}, "Some tags not found"),
    ]
    for extra, detail in unknown:
        response = client.post("/posts", json={"title": "Title", "content": CONTENT, **extra})
        assert (response.status_code, response.json()) == (404, {"detail": detail})
    assert client.get("/posts").json() == []


def test_create_post_invalid(client: httpx.Client) -> None:
    wrong: list[tuple[str, object]] = [
        ("title", "Four"),
        ("title", "T" * 101),
        ("content", "C" * 19),
        ("content", "C" * 20_001),
        ("author_id", 0),
        ("author_id", "1"),
        ("tag_ids", [0]),
        ("tag_ids", None),
        ("slug", "No Slug"),
    ]
    for field, value in wrong:
        body = {"title": "Title", "content": CONTENT, field: value}
        response = client.post("/posts", json=body)
        assert response.status_code == 422, (field, value)
        assert response.json()["detail"][0]["loc"][:2] == ["body", field]
    longest = client.post("/posts", json={"title": "Title", "content": "ß" * 20_000})
    assert longest.status_code == 201
    assert client.get(f"/posts/{longest.json()['id']}").json()["content"] == "ß" * 20_000


def test_read_posts_filters(client: httpx.Client) -> None:
    new_user(client)
    new_tag(client, "python")
    first = new_post(client, title="First post", author_id=1, tag_ids=[1])
    second = new_post(client, title="Second post")
    client.post(f"/posts/{second['id']}/publish")

    def ids(query: str) -> list[int]:
        return [post["id"] for post in client.get(f"/posts{query}").json()]

    assert ids("") == [1, 2]
    assert ids("?published=true") == [2]
    assert ids("?published=false") == [1]
    assert ids("?author_id=1") == [1]
    assert ids("?tag=Python") == [1]
    assert ids("?tag=sql") == []
    assert ids("?after_id=1") == [2]
    assert ids("?skip=1&limit=1") == [2]
    assert client.get("/posts").json()[0] == first


def test_read_posts_with_comments(client: httpx.Client) -> None:
    new_tag(client, "python")
    new_post(client, title="First post", tag_ids=[1])
    new_post(client, title="Second post")
    for body in ("One", "Two"):
        client.post("/posts/1/comments", json={"body": body})
    first, second = client.get("/posts/with-comments?limit=2").json()
    assert [comment["body"] for comment in first["comments"]] == ["One", "Two"]
    assert first["tags"] == [{"id": 1, "name": "python"}]
    assert (second["tags"], second["comments"]) == ([], [])


def test_update_post(client: httpx.Client) -> None:
    new_user(client)
    tags = [new_tag(client, name) for name in ("python", "sql", "web")]
    old = new_post(client, author_id=1, tag_ids=tags[:2])
    for method in ("PUT", "PATCH"):
        response = client.request(method, "/posts/1", json={"tag_ids": tags[1:]})
        assert response.status_code == 200
        assert [tag["name"] for tag in response.json()["tags"]] == ["sql", "web"]
        assert response.json()["title"] == old["title"]
        assert response.json()["author"] == old["author"]
        assert response.json()["updated_at"] > str(old["updated_at"])
    changed = client.patch("/posts/1", json={"title": "New title", "author_id": None}).json()
    assert (changed["title"], changed["author"], changed["slug"]) == (
        "New title",
        None,
        old["slug"],
    )
    assert client.get("/posts/1").json() == changed
    assert client.put("/posts/1", json={"tag_ids": []}).json()["tags"] == []


def test_update_post_refuses(client: httpx.Client) -> None:
    post = new_post(client)
    for body, status in [
        ({"title": None}, 422),
        ({"content": None}, 422),
        ({"slug": None}, 422),
        ({"tag_ids": None}, 422),
        ({"title": "New title", "tag_ids": [9]}, 404),
        ({"title": "New title", "author_id": 9}, 404),
    ]:
        assert client.patch("/posts/1", json=body).status_code == status, body
    assert client.get("/posts/1").json() == post


def test_publish_post_only_once(client: httpx.Client) -> None:
    new_post(client)
    first = client.post("/posts/1/publish")
    assert first.status_code == 200
    assert first.json()["published"] is True
    assert first.json()["published_at"].endswith("Z")
    assert client.post("/posts/1/publish").json() == first.json()


def test_delete_post_takes_comments_and_links_along(client: httpx.Client, url: str) -> None:
    new_tag(client, "python")
    new_post(client, tag_ids=[1])
    client.post("/posts/1/comments", json={"body": "Soon gone"})
    assert client.delete("/posts/1").status_code == 204
    assert client.get("/posts/1/comments").status_code == 404
    assert len(client.get("/tags").json()) == 1
    new_post(client, title="Other title", slug="other", tag_ids=[1])
    assert len(client.get("/posts?tag=python").json()) == 1


def test_post_not_found(client: httpx.Client) -> None:
    client.post("/tags", json={"name": "python"})
    for method, path, body in [
        ("GET", "/posts/9", None),
        ("PUT", "/posts/9", {}),
        ("PUT", "/posts/9", {"tag_ids": [1]}),
        ("PATCH", "/posts/9", {}),
        ("DELETE", "/posts/9", None),
        ("POST", "/posts/9/publish", None),
        ("GET", "/posts/9/comments", None),
        ("POST", "/posts/9/comments", {"body": "Where?"}),
    ]:
        response = client.request(method, path, json=body)
        assert (response.status_code, response.json()) == (404, {"detail": "Post not found"}), path


def test_tags(client: httpx.Client) -> None:
    created = client.post("/tags", json={"name": "  PyThon "})
    assert (created.status_code, created.json()) == (201, {"id": 1, "name": "python"})
    taken = client.post("/tags", json={"name": "python"})
    assert (taken.status_code, taken.json()) == (409, {"detail": "Tag already exists"})
    for wrong in ("", "   ", "T" * 51, None, 5):
        assert client.post("/tags", json={"name": wrong}).status_code == 422, wrong
    assert client.get("/tags").json() == [{"id": 1, "name": "python"}]
    post = new_post(client, tag_ids=[1])
    assert client.delete("/tags/1").status_code == 204
    assert client.get(f"/posts/{post['id']}").json()["tags"] == []
    gone = client.delete("/tags/1")
    assert (gone.status_code, gone.json()) == (404, {"detail": "Tag not found"})


def test_tags_that_look_alike_are_different(client: httpx.Client) -> None:
    for name in ("resume", "résumé"):
        new_tag(client, name)
    assert [tag["name"] for tag in client.get("/tags").json()] == ["resume", "résumé"]


def test_comments(client: httpx.Client) -> None:
    new_user(client)
    new_post(client)
    response = client.post("/posts/1/comments", json={"body": "First!", "author_id": 1})
    assert response.status_code == 201
    comment = response.json()
    assert (comment["body"], comment["author_id"], comment["post_id"]) == ("First!", 1, 1)
    client.post("/posts/1/comments", json={"body": "Anonymous"})
    assert client.get("/posts/1/comments").json()[0] == comment
    assert [c["id"] for c in client.get("/posts/1/comments?after_id=1").json()] == [2]
    unknown = client.post("/posts/1/comments", json={"body": "Who?", "author_id": 9})
    assert (unknown.status_code, unknown.json()) == (404, {"detail": "Author not found"})
    for wrong in ("", "B" * 2001, None):
        assert client.post("/posts/1/comments", json={"body": wrong}).status_code == 422


def test_a_soft_deleted_author_is_shown_nowhere(client: httpx.Client) -> None:
    new_user(client, bio="Secret", email="ada@example.com")
    post = new_post(client, author_id=1)
    client.post("/posts/1/comments", json={"body": "Mine", "author_id": 1})
    client.delete("/users/1/soft")
    for path in ("/posts/1", "/posts", "/posts/with-comments", "/posts/1/comments"):
        assert "ada@example.com" not in client.get(path).text
    read = client.get("/posts/1").json()
    assert (read["author"], read["author_id"]) == (None, 1)
    assert client.get("/posts").json() == [read]
    assert client.patch("/posts/1", json={"title": "New title"}).json()["author"] is None
    assert client.get("/posts/1/comments").json()[0]["author_id"] == 1
    client.post("/users/1/restore")
    assert client.get("/posts/1").json()["author"]["id"] == post["author_id"]


def test_names_are_compared_in_nfc(client: httpx.Client) -> None:
    for path in ("/tags", "/categories"):
        assert client.post(path, json={"name": "cafe\u0301"}).json()["name"] == "caf\u00e9"
        assert client.post(path, json={"name": "caf\u00e9"}).status_code == 409
    assert client.get("/posts?tag=cafe\u0301").status_code == 200


def test_fields_have_the_order_of_the_contract(client: httpx.Client) -> None:
    user = ["id", "name", "username", "email", "age", "city", "bio", "is_active"]
    user += ["created_at", "updated_at", "deleted_at"]
    post = ["id", "title", "slug", "content", "published", "published_at", "author_id"]
    post += ["created_at", "updated_at"]
    product = ["id", "name", "slug", "sku", "description", "price", "stock", "is_active"]
    product += ["category_id", "created_at", "updated_at"]
    order = ["id", "order_number", "status", "total_amount", "user_id", "shipping_address"]
    order += ["created_at", "updated_at"]
    item = ["id", "product_id", "quantity", "unit_price", "total_price"]
    new_user(client)
    new_tag(client, "python")
    assert list(new_post(client, author_id=1, tag_ids=[1])) == [*post, "author", "tags"]
    category = client.post("/categories", json={"name": "Books"}).json()
    assert list(category) == ["id", "name", "slug", "description", "parent_id", "created_at"]
    assert list(new_product(client, category_id=1)) == product
    placed = new_order(client, 1, {1: 1})
    assert (list(placed), list(placed["items"][0])) == ([*order, "items"], item)
    for path, fields in [
        ("/users/1", user),
        ("/async/users/1", user),
        ("/users/1/posts", [*user, "posts"]),
        ("/posts/1", [*post, "author", "tags"]),
        ("/products/1", [*product, "category"]),
        ("/orders/1/details", [*order, "user", "items"]),
    ]:
        assert list(client.get(path).json()) == fields, path
    details = client.get("/orders/1/details").json()
    assert list(details["user"]) == user
    assert list(details["items"][0]) == [*item, "product"]
    assert list(details["items"][0]["product"]) == product


def test_a_list_shows_the_first_30_comments_of_each_post(client: httpx.Client) -> None:
    ids = [new_post(client, title=title)["id"] for title in ("First", "Second")]
    for n in range(31):
        client.post(f"/posts/{ids[0]}/comments", json={"body": f"Comment {n}"})
    client.post(f"/posts/{ids[1]}/comments", json={"body": "The last comment"})
    first, second = client.get("/posts/with-comments").json()
    assert [comment["body"] for comment in first["comments"]] == [f"Comment {n}" for n in range(30)]
    assert [comment["body"] for comment in second["comments"]] == ["The last comment"]
    assert len(client.get("/posts/1/comments?skip=30").json()) == 1
