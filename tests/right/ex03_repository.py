"""Posts and tags with repositories over SQLAlchemy Core; one unit of work for each request."""

import os
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

engine = sa.create_engine(os.environ.get("DATABASE_URL", "sqlite:///./app.db"))
metadata = sa.MetaData()
tags = sa.Table(
    "tag",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(100), nullable=False, unique=True),
)
posts = sa.Table(
    "post",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
)
links = sa.Table(
    "post_tag",
    metadata,
    sa.Column("post_id", sa.ForeignKey("post.id"), primary_key=True),
    sa.Column("tag_id", sa.ForeignKey("tag.id"), primary_key=True),
)
metadata.create_all(engine)


class Refusal(Exception):
    """A rule was broken."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass
class Post:
    """A post with its tags."""

    id: int
    title: str
    content: str
    tags: list[dict[str, Any]] = field(default_factory=list)


class Tags:
    """The stored tags."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection

    def add(self, name: str) -> dict[str, Any]:
        """Store a tag."""
        try:
            new = self.connection.execute(sa.insert(tags).values(name=name).returning(tags))
        except sa.exc.IntegrityError:
            raise Refusal(409, f"There is a tag {name!r} already") from None
        return dict(new.mappings().one())

    def demand(self, ids: set[int]) -> None:
        """Refuse ids that no tag has."""
        known = sa.select(sa.func.count()).select_from(tags).where(tags.c.id.in_(ids))
        if self.connection.scalar(known) != len(ids):
            raise Refusal(404, "There is no such tag")


class Posts:
    """The stored posts."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection

    def find(self, *conditions: sa.ColumnElement[bool], skip: int = 0, limit: int = 1):
        """Read posts with their tags, in two statements."""
        page = sa.select(posts).where(*conditions).order_by(posts.c.id).offset(skip).limit(limit)
        found = {row.id: Post(**row._mapping) for row in self.connection.execute(page)}
        pairs = sa.select(links.c.post_id, tags.c.id, tags.c.name).join_from(links, tags)
        for pair in self.connection.execute(pairs.where(links.c.post_id.in_(found))):
            found[pair.post_id].tags.append({"id": pair.id, "name": pair.name})
        return list(found.values())

    def one(self, post_id: int) -> Post:
        """Read one post."""
        found = self.find(posts.c.id == post_id)
        if not found:
            raise Refusal(404, "There is no such post")
        return found[0]

    def add(self, title: str, content: str) -> int:
        """Store a post; give its id."""
        new = sa.insert(posts).values(title=title, content=content).returning(posts.c.id)
        return self.connection.execute(new).scalar_one()

    def change(self, post_id: int, **values: str) -> None:
        """Write fields, or just lock the post."""
        values = values or {"id": posts.c.id}
        done = self.connection.execute(sa.update(posts).where(posts.c.id == post_id).values(values))
        if not done.rowcount:
            raise Refusal(404, "There is no such post")

    def link(self, post_id: int, ids: set[int]) -> None:
        """Let a post have these tags and no others."""
        self.connection.execute(sa.delete(links).where(links.c.post_id == post_id))
        if ids:
            pairs = [{"post_id": post_id, "tag_id": tag_id} for tag_id in sorted(ids)]
            self.connection.execute(sa.insert(links), pairs)

    def remove(self, post_id: int) -> None:
        """Delete a post."""
        self.link(post_id, set())
        if not self.connection.execute(sa.delete(posts).where(posts.c.id == post_id)).rowcount:
            raise Refusal(404, "There is no such post")


class Work:
    """One transaction and its repositories."""

    def __init__(self, connection: sa.Connection) -> None:
        self.tags, self.posts = Tags(connection), Posts(connection)


def begin():
    """Commit when all went well, roll back when not."""
    with engine.begin() as connection:
        yield Work(connection)


Unit = Annotated[Work, Depends(begin, scope="function")]


class NewTag(BaseModel):
    """A tag from a client."""

    name: str


class NewPost(BaseModel):
    """A post from a client."""

    title: str
    content: str
    tag_ids: set[int] = set()


class Changes(BaseModel):
    """What a client may change."""

    title: str = ""
    content: str = ""
    tag_ids: set[int] = set()


router = APIRouter()


@router.post("/tags")
def create_tag(data: NewTag, work: Unit):
    """Store a tag."""
    return work.tags.add(data.name)


@router.post("/posts")
def create_post(data: NewPost, work: Unit):
    """Store a post."""
    work.tags.demand(data.tag_ids)
    post_id = work.posts.add(data.title, data.content)
    work.posts.link(post_id, data.tag_ids)
    return asdict(work.posts.one(post_id))


@router.get("/posts")
def list_posts(work: Unit, skip: int = 0, limit: int = 10, tag: str | None = None):
    """List posts in an envelope."""
    tagged = sa.select(links.c.post_id).join_from(links, tags).where(tags.c.name == tag)
    conditions = [] if tag is None else [posts.c.id.in_(tagged)]
    found = work.posts.find(*conditions, skip=skip, limit=limit)
    return {"posts": [asdict(post) for post in found]}


@router.get("/posts/{post_id}")
def read_post(post_id: int, work: Unit):
    """Read a post."""
    return asdict(work.posts.one(post_id))


@router.put("/posts/{post_id}")
def update_post(post_id: int, data: Changes, work: Unit):
    """Change what was sent."""
    values = data.model_dump(exclude_unset=True, exclude={"tag_ids"})
    work.posts.change(post_id, **values)
    if "tag_ids" in data.model_fields_set:
        work.tags.demand(data.tag_ids)
        work.posts.link(post_id, data.tag_ids)
    return asdict(work.posts.one(post_id))


@router.delete("/posts/{post_id}", status_code=204)
def delete_post(post_id: int, work: Unit):
    """Delete a post."""
    work.posts.remove(post_id)
    return Response(status_code=204)


app = FastAPI()
app.include_router(router)


@app.exception_handler(Refusal)
def refuse(_request: Request, refusal: Refusal):
    """Answer the status that the rule names."""
    return JSONResponse({"detail": str(refusal)}, refusal.status)
