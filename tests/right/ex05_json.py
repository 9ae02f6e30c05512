"""Exercise 05 with rows that SQL nests as JSON; each post and each comment has an author."""

import json
import os
from typing import Any

from fastapi import FastAPI, HTTPException, Query
from pydantic import BaseModel
from sqlalchemy import create_engine, text

engine = create_engine(os.environ["DATABASE_URL"])
on_sqlite = engine.dialect.name == "sqlite"
ID = "INTEGER PRIMARY KEY" if on_sqlite else "SERIAL PRIMARY KEY"
OBJECT, LIST = (
    ("json_object", "json_group_array") if on_sqlite else ("json_build_object", "json_agg")
)
TABLES = (
    f"writer (id {ID}, name TEXT NOT NULL, email TEXT NOT NULL)",
    f"word (id {ID}, name TEXT NOT NULL)",
    f"text (id {ID}, title TEXT NOT NULL, content TEXT NOT NULL, "
    "author_id INTEGER NOT NULL REFERENCES writer)",
    "pair (post_id INTEGER REFERENCES text, tag_id INTEGER REFERENCES word, "
    "PRIMARY KEY (post_id, tag_id))",
    f"remark (id {ID}, body TEXT NOT NULL, author_id INTEGER NOT NULL REFERENCES writer, "
    "post_id INTEGER NOT NULL REFERENCES text)",
)
TAGS = (
    f"(SELECT {LIST}({OBJECT}('id', w.id, 'name', w.name)) "
    "FROM pair JOIN word w ON w.id = pair.tag_id WHERE pair.post_id = p.id) AS tags"
)
COMMENTS = (
    f"(SELECT {LIST}({OBJECT}('id', r.id, 'body', r.body)) "
    "FROM remark r WHERE r.post_id = p.id) AS comments"
)
AUTHOR = f"{OBJECT}('id', a.id, 'name', a.name) AS author"

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
    author_id: int
    tag_ids: list[int] = []


class CommentIn(BaseModel):
    body: str
    author_id: int


def decoded(row: Any) -> Row:
    values = dict(row)
    for name in values.keys() & {"author", "tags", "comments"}:
        value = values[name]
        values[name] = (json.loads(value) if isinstance(value, str) else value) or []
    return values


def run(sql: str, **parameters: Any) -> list[Row]:
    with engine.begin() as connection:
        return [decoded(row) for row in connection.execute(text(sql), parameters).mappings()]


def insert(table: str, **columns: Any) -> Row:
    values = ", ".join(f":{name}" for name in columns)
    sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values}) RETURNING *"
    return run(sql, **columns)[0]


@app.post("/users", status_code=201)
def create_user(data: UserIn) -> Row:
    return insert("writer", **data.model_dump())


@app.post("/tags", status_code=201)
def create_tag(data: TagIn) -> Row:
    return insert("word", **data.model_dump())


@app.post("/posts", status_code=201)
def create_post(data: PostIn) -> Row:
    post = insert("text", **data.model_dump(exclude={"tag_ids"}))
    for tag_id in data.tag_ids:
        insert("pair", post_id=post["id"], tag_id=tag_id)
    return post


@app.post("/posts/{post_id}/comments", status_code=201)
def create_comment(post_id: int, data: CommentIn) -> Row:
    return insert("remark", post_id=post_id, **data.model_dump())


def page(columns: str, skip: int, limit: int) -> dict[str, list[Row]]:
    sql = f"SELECT p.id, p.title, p.content, {columns} FROM text p "
    sql += "JOIN writer a ON a.id = p.author_id ORDER BY p.id LIMIT :limit OFFSET :skip"
    return {"posts": run(sql, skip=skip, limit=limit)}


@app.get("/posts")
def list_posts(skip: int = 0, limit: int = Query(10, le=100)) -> dict[str, list[Row]]:
    return page(f"{AUTHOR}, {TAGS}", skip, limit)


@app.get("/posts/with-comments")
def list_posts_with_comments(skip: int = 0, limit: int = Query(10, le=100)) -> dict[str, list[Row]]:
    return page(f"{TAGS}, {COMMENTS}", skip, limit)


@app.get("/users/{user_id}/posts")
def read_user_with_posts(user_id: int) -> Row:
    sql = "SELECT a.id, a.name, a.email, p.id AS post_id, p.title FROM writer a "
    rows = run(sql + "LEFT JOIN text p ON p.author_id = a.id WHERE a.id = :id", id=user_id)
    if not rows:
        raise HTTPException(404, "There is no such user")
    user = {name: rows[0][name] for name in ("id", "name", "email")}
    posts = [{"id": row["post_id"], "title": row["title"]} for row in rows if row["post_id"]]
    return user | {"posts": posts}
