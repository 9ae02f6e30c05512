"""Exercise 05 in SQL: one SELECT for each table, put together in dictionaries."""

import os
from collections import defaultdict
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query
from pydantic import BaseModel
from sqlalchemy import bindparam, create_engine, text

engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///./app.db"))
ID = "INTEGER PRIMARY KEY" if engine.dialect.name == "sqlite" else "SERIAL PRIMARY KEY"
TABLES = (
    f"users (id {ID}, name VARCHAR(50) NOT NULL, email VARCHAR(254) NOT NULL)",
    f"tags (id {ID}, name VARCHAR(50) NOT NULL)",
    f"posts (id {ID}, title VARCHAR(200) NOT NULL, content TEXT NOT NULL, "
    "author_id INTEGER REFERENCES users)",
    "post_tags (post_id INTEGER REFERENCES posts, tag_id INTEGER REFERENCES tags, "
    "PRIMARY KEY (post_id, tag_id))",
    f"comments (id {ID}, body TEXT NOT NULL, author_id INTEGER REFERENCES users, "
    "post_id INTEGER NOT NULL REFERENCES posts)",
)

with engine.begin() as connection:
    for table in TABLES:
        connection.execute(text(f"CREATE TABLE IF NOT EXISTS {table}"))

app = FastAPI()
Row = dict[str, Any]


class UserIn(BaseModel):
    name: str
    email: str


class TagIn(BaseModel):
    name: str


class PostIn(BaseModel):
    title: str
    content: str
    author_id: int | None = None
    tag_ids: list[int] = []


class CommentIn(BaseModel):
    body: str
    author_id: int | None = None


def rows(sql: str, **parameters: Any) -> list[Row]:
    statement = text(sql)
    lists = [name for name, value in parameters.items() if isinstance(value, list)]
    statement = statement.bindparams(*(bindparam(name, expanding=True) for name in lists))
    with engine.begin() as connection:
        return [dict(row) for row in connection.execute(statement, parameters).mappings()]


def insert(table: str, **columns: Any) -> Row:
    names = ", ".join(columns)
    values = ", ".join(f":{name}" for name in columns)
    return rows(f"INSERT INTO {table} ({names}) VALUES ({values}) RETURNING *", **columns)[0]


@app.post("/users", status_code=201)
def create_user(data: UserIn) -> Row:
    return insert("users", **data.model_dump())


@app.post("/tags", status_code=201)
def create_tag(data: TagIn) -> Row:
    return insert("tags", **data.model_dump())


@app.post("/posts", status_code=201)
def create_post(data: PostIn) -> Row:
    with engine.begin() as connection:
        columns = data.model_dump(exclude={"tag_ids"})
        sql = "INSERT INTO posts (title, content, author_id) "
        sql += "VALUES (:title, :content, :author_id) RETURNING *"
        post = dict(connection.execute(text(sql), columns).mappings().one())
        if pairs := [{"post": post["id"], "tag": tag_id} for tag_id in set(data.tag_ids)]:
            connection.execute(text("INSERT INTO post_tags VALUES (:post, :tag)"), pairs)
    return post


@app.post("/posts/{post_id}/comments", status_code=201)
def create_comment(post_id: int, data: CommentIn) -> Row:
    return insert("comments", **data.model_dump(), post_id=post_id)


def by_post(related: list[Row]) -> dict[int, list[Row]]:
    groups: dict[int, list[Row]] = defaultdict(list)
    for row in related:
        groups[row.pop("of_post")].append(row)
    return groups


def tags_of(ids: list[int]) -> dict[int, list[Row]]:
    sql = "SELECT t.*, p.post_id AS of_post FROM tags t JOIN post_tags p ON p.tag_id = t.id "
    return by_post(rows(sql + "WHERE p.post_id IN :ids ORDER BY t.id", ids=ids))


def page_of_posts(skip: int, limit: int) -> list[Row]:
    sql = "SELECT * FROM posts ORDER BY id LIMIT :limit OFFSET :skip"
    return rows(sql, skip=skip, limit=limit)


Skip = Annotated[int, Query(ge=0)]
Limit = Annotated[int, Query(ge=1, le=100)]


@app.get("/posts")
def list_posts(skip: Skip = 0, limit: Limit = 10) -> list[Row]:
    posts = page_of_posts(skip, limit)
    tags = tags_of([post["id"] for post in posts])
    ids = list({post["author_id"] for post in posts})
    authors = {row["id"]: row for row in rows("SELECT * FROM users WHERE id IN :ids", ids=ids)}
    return [
        post | {"author": authors.get(post["author_id"]), "tags": tags[post["id"]]}
        for post in posts
    ]


@app.get("/posts/with-comments")
def list_posts_with_comments(skip: Skip = 0, limit: Limit = 10) -> list[Row]:
    posts = page_of_posts(skip, limit)
    ids = [post["id"] for post in posts]
    sql = "SELECT id, body, author_id, post_id AS of_post FROM comments WHERE post_id IN :ids"
    tags, comments = tags_of(ids), by_post(rows(sql, ids=ids))
    return [post | {"tags": tags[post["id"]], "comments": comments[post["id"]]} for post in posts]


@app.get("/users/{user_id}/posts")
def read_user_with_posts(user_id: int) -> Row:
    user = rows("SELECT * FROM users WHERE id = :id", id=user_id)
    if not user:
        raise HTTPException(404, "User not found")
    return user[0] | {"posts": rows("SELECT * FROM posts WHERE author_id = :id", id=user_id)}
