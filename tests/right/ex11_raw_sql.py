"""Projects and members in SQL by hand; a project hides itself from strangers by 404."""

import os
from contextlib import asynccontextmanager
from typing import Annotated, Literal

from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel, StringConstraints
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError

engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///./app.db"))
KEY = "INTEGER PRIMARY KEY" if engine.dialect.name == "sqlite" else "SERIAL PRIMARY KEY"
TABLES = [
    f"CREATE TABLE IF NOT EXISTS users (id {KEY}, name TEXT NOT NULL, email TEXT UNIQUE)",
    f"CREATE TABLE IF NOT EXISTS projects (id {KEY}, name TEXT NOT NULL, owner_id INTEGER)",
    "CREATE TABLE IF NOT EXISTS members (project_id INTEGER NOT NULL, user_id INTEGER NOT NULL, "
    "role TEXT NOT NULL, PRIMARY KEY (project_id, user_id))",
]
MAY = {
    "read": {"viewer", "member", "admin", "owner"},
    "rename": {"member", "admin", "owner"},
    "remove": {"admin", "owner"},
    "invite": {"owner"},
}


class NewUser(BaseModel):
    """A user from a client."""

    name: str
    email: str


class ProjectName(BaseModel):
    """A project from a client."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=100)]


class NewMember(BaseModel):
    """An invitation from a client."""

    email: str
    role: Literal["viewer", "member", "admin"] = "member"


@asynccontextmanager
async def lifespan(app: FastAPI):
    """Create the tables."""
    with engine.begin() as db:
        for table in TABLES:
            db.execute(text(table))
    yield


app = FastAPI(lifespan=lifespan)


def rows(db, sql, **values):
    """Run a query; give its rows as dictionaries."""
    return [dict(row) for row in db.execute(text(sql), values).mappings()]


def row(db, sql, **values):
    """Run a query; give its first row, or None."""
    found = rows(db, sql, **values)
    return found[0] if found else None


def who(x_user_id: Annotated[int | None, Header()] = None) -> int:
    """Find who asks."""
    with engine.connect() as db:
        if x_user_id is None or not row(db, "SELECT id FROM users WHERE id = :id", id=x_user_id):
            raise HTTPException(401, "Who are you?")
    return x_user_id


Who = Annotated[int, Depends(who)]


def role(db, project_id, user_id):
    """Look up a role in a project."""
    sql = "SELECT role FROM members WHERE project_id = :project AND user_id = :user"
    found = row(db, sql, project=project_id, user=user_id)
    return found and found["role"]


def allow(db, project_id, user_id, action):
    """Answer 404 to strangers, 403 to members without the right; give the role."""
    own = role(db, project_id, user_id)
    if own is None:
        raise HTTPException(404, "No such project")
    if own not in MAY[action]:
        raise HTTPException(403, f"A {own} may not {action}")
    return own


def project(db, project_id):
    """Read a project."""
    return row(db, "SELECT id, name, owner_id FROM projects WHERE id = :id", id=project_id)


@app.post("/users", status_code=201)
def sign_up(data: NewUser):
    """Sign up."""
    sql = "INSERT INTO users (name, email) VALUES (:name, :email) RETURNING id, name, email"
    with engine.begin() as db:
        return row(db, sql, **data.model_dump())


@app.post("/projects", status_code=201)
def start(data: ProjectName, user: Who):
    """Start a project."""
    sql = "INSERT INTO projects (name, owner_id) VALUES (:name, :owner) RETURNING id"
    with engine.begin() as db:
        new = row(db, sql, name=data.name, owner=user)["id"]
        sql = "INSERT INTO members VALUES (:project, :user, 'owner')"
        db.execute(text(sql), {"project": new, "user": user})
        return project(db, new)


@app.get("/projects")
def mine(user: Who):
    """List one's projects."""
    sql = (
        "SELECT p.id, p.name, p.owner_id FROM projects p "
        "JOIN members m ON m.project_id = p.id WHERE m.user_id = :user ORDER BY p.id"
    )
    with engine.connect() as db:
        return rows(db, sql, user=user)


@app.get("/projects/{project_id}")
def read(project_id: int, user: Who):
    """Read a project."""
    with engine.connect() as db:
        allow(db, project_id, user, "read")
        return project(db, project_id)


@app.patch("/projects/{project_id}")
def rename(project_id: int, data: ProjectName, user: Who):
    """Rename a project."""
    with engine.begin() as db:
        allow(db, project_id, user, "rename")
        sql = "UPDATE projects SET name = :name WHERE id = :id"
        db.execute(text(sql), {"name": data.name, "id": project_id})
        return project(db, project_id)


@app.get("/projects/{project_id}/members")
def members(project_id: int, user: Who):
    """List the members."""
    with engine.connect() as db:
        allow(db, project_id, user, "read")
        sql = "SELECT user_id, role FROM members WHERE project_id = :id ORDER BY user_id DESC"
        return {"members": rows(db, sql, id=project_id)}


@app.post("/projects/{project_id}/invite")
def invite(project_id: int, data: NewMember, user: Who):
    """Let somebody in."""
    try:
        with engine.begin() as db:
            allow(db, project_id, user, "invite")
            guest = row(db, "SELECT id FROM users WHERE email = :email", email=data.email)
            if guest is None:
                raise HTTPException(404, "No such user")
            sql = "INSERT INTO members VALUES (:project, :user, :role)"
            values = {"project": project_id, "user": guest["id"], "role": data.role}
            db.execute(text(sql), values)
    except IntegrityError:
        raise HTTPException(409, "Already a member") from None
    return {"user_id": guest["id"], "role": data.role}


@app.delete("/projects/{project_id}/members/{user_id}", status_code=204)
def remove(project_id: int, user_id: int, user: Who):
    """Remove a member, or leave."""
    with engine.begin() as db:
        allow(db, project_id, user, "read" if user == user_id else "remove")
        target = role(db, project_id, user_id)
        if target is None:
            raise HTTPException(404, "No such member")
        if target == "owner":
            raise HTTPException(409, "The owner stays")
        sql = "DELETE FROM members WHERE project_id = :project AND user_id = :user"
        db.execute(text(sql), {"project": project_id, "user": user_id})
