"""Projects, their members, and what each role may do."""

import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Literal

from fastapi import Depends, FastAPI, Header, HTTPException
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, col, create_engine, select

engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///./app.db"))

ROLES = ["viewer", "member", "admin", "owner"]  # each may do what those before it may, and more


class UserCreate(SQLModel):
    """What a client sends to sign up."""

    name: str = Field(min_length=1, max_length=50)
    email: str = Field(min_length=3, max_length=254, unique=True)


class User(UserCreate, table=True):
    """Somebody who can own projects and be invited to others."""

    __tablename__ = "users"

    id: int = Field(default=None, primary_key=True)


class ProjectInput(SQLModel):
    """What a client sends to start or rename a project."""

    name: str = Field(min_length=1, max_length=100)


class Project(ProjectInput, table=True):
    """A project, and who started it."""

    __tablename__ = "projects"

    id: int = Field(default=None, primary_key=True)
    owner_id: int = Field(foreign_key="users.id")


class Membership(SQLModel, table=True):
    """Who belongs to which project; the primary key lets nobody in twice."""

    __tablename__ = "project_members"

    project_id: int = Field(foreign_key="projects.id", primary_key=True)
    user_id: int = Field(foreign_key="users.id", primary_key=True, index=True)
    role: str = Field(max_length=20)


class Invitation(SQLModel):
    """What a client sends to invite; an owner cannot be invited, there is one already."""

    email: str
    role: Literal["viewer", "member", "admin"] = "member"


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Create the tables that are not there yet."""
    SQLModel.metadata.create_all(engine)
    yield


def get_session() -> Iterator[Session]:
    """Give each request a session of its own."""
    with Session(engine) as session:
        yield session


SessionDep = Annotated[Session, Depends(get_session)]


def get_current_user(
    session: SessionDep, x_user_id: Annotated[int | None, Header()] = None
) -> User:
    """Find who asks: by a header, as long as there is no login."""
    user = session.get(User, x_user_id) if x_user_id else None
    if user is None:
        raise HTTPException(401, "Say who you are in the header X-User-Id")
    return user


CurrentUser = Annotated[User, Depends(get_current_user)]


def get_project(project_id: int, user: CurrentUser, session: SessionDep) -> Project:
    """Find the project that the path names, for somebody who has said who they are."""
    project = session.get(Project, project_id)
    if project is None:
        raise HTTPException(404, "Project not found")
    return project


ProjectDep = Annotated[Project, Depends(get_project)]


def at_least(role: str) -> Callable[..., Membership]:
    """Make a dependency: who asks must have this role in the project, or a higher one."""

    def find(project: ProjectDep, user: CurrentUser, session: SessionDep) -> Membership:
        membership = session.get(Membership, (project.id, user.id))
        if membership is None or ROLES.index(membership.role) < ROLES.index(role):
            raise HTTPException(403, f"Only for members with the role {role} or higher")
        return membership

    return find


Viewer = Depends(at_least("viewer"))
Member = Depends(at_least("member"))
Owner = Depends(at_least("owner"))

app = FastAPI(title="Projects", lifespan=lifespan)


@app.post("/users", status_code=201)
def create_user(data: UserCreate, session: SessionDep) -> User:
    """Sign up."""
    user = User.model_validate(data)
    session.add(user)
    try:
        session.commit()
    except IntegrityError:
        raise HTTPException(409, "Email already registered") from None
    session.refresh(user)
    return user


@app.post("/projects", status_code=201)
def create_project(data: ProjectInput, user: CurrentUser, session: SessionDep) -> Project:
    """Start a project; whoever does owns it."""
    project = Project.model_validate(data, update={"owner_id": user.id})
    session.add(project)
    session.flush()
    session.add(Membership(project_id=project.id, user_id=user.id, role="owner"))
    session.commit()
    session.refresh(project)
    return project


@app.get("/projects")
def list_projects(user: CurrentUser, session: SessionDep) -> Sequence[Project]:
    """List the projects that you belong to."""
    mine = select(Project).join(Membership).where(Membership.user_id == user.id)
    return session.exec(mine.order_by(col(Project.id))).all()


@app.get("/projects/{project_id}", dependencies=[Viewer])
def read_project(project: ProjectDep) -> Project:
    """Read a project that you belong to."""
    return project


@app.patch("/projects/{project_id}", dependencies=[Member])
def rename_project(project: ProjectDep, data: ProjectInput, session: SessionDep) -> Project:
    """Rename a project; a viewer may not."""
    project.name = data.name
    session.commit()
    session.refresh(project)
    return project


@app.get("/projects/{project_id}/members", dependencies=[Viewer])
def list_members(project: ProjectDep, session: SessionDep) -> Sequence[Membership]:
    """List who belongs to a project."""
    members = select(Membership).where(Membership.project_id == project.id)
    return session.exec(members.order_by(col(Membership.user_id))).all()


@app.post("/projects/{project_id}/invite", status_code=201, dependencies=[Owner])
def invite_member(project: ProjectDep, data: Invitation, session: SessionDep) -> Membership:
    """Let a user in; only the owner may."""
    invited = session.exec(select(User).where(User.email == data.email)).first()
    if invited is None:
        raise HTTPException(404, "User not found")
    membership = Membership(project_id=project.id, user_id=invited.id, role=data.role)
    session.add(membership)
    try:
        session.commit()
    except IntegrityError:
        raise HTTPException(409, "User is already a member") from None
    session.refresh(membership)
    return membership


@app.delete("/projects/{project_id}/members/{user_id}", status_code=204)
def remove_member(user_id: int, session: SessionDep, asking: Annotated[Membership, Viewer]) -> None:
    """Remove a member, which admins may, or leave, which everybody but the owner may."""
    if user_id != asking.user_id and asking.role not in ("admin", "owner"):
        raise HTTPException(403, "Only for members with the role admin or higher")
    membership = session.get(Membership, (asking.project_id, user_id))
    if membership is None:
        raise HTTPException(404, "Member not found")
    if membership.role == "owner":
        raise HTTPException(409, "A project keeps its owner")
    session.delete(membership)
    session.commit()
