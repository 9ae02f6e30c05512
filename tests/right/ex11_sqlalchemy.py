"""Projects and members in plain SQLAlchemy with pydantic schemas; rights asked in each route."""

import os
from enum import StrEnum

from fastapi import Depends, FastAPI, Header, HTTPException, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ForeignKey, String, UniqueConstraint, create_engine, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///./app.db"))


class Base(DeclarativeBase):
    """What the tables have in common."""


class User(Base):
    """Somebody."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50))
    email: Mapped[str] = mapped_column(String(254), unique=True)


class Project(Base):
    """A project."""

    __tablename__ = "projects"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"))

    members: Mapped[list["Member"]] = relationship(cascade="all, delete-orphan")


class Member(Base):
    """Who belongs to a project."""

    __tablename__ = "members"
    __table_args__ = (UniqueConstraint("project_id", "user_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    role: Mapped[str] = mapped_column(String(10))


class Role(StrEnum):
    """What one can be invited as."""

    VIEWER = "viewer"
    MEMBER = "member"
    ADMIN = "admin"


class UserIn(BaseModel):
    """A user from a client."""

    name: str
    email: str


class ProjectIn(BaseModel):
    """A project from a client."""

    name: str = Field(min_length=1, max_length=100)


class InviteIn(BaseModel):
    """An invitation from a client."""

    email: str
    role: Role = Role.MEMBER


class Out(BaseModel):
    """What answers have in common."""

    model_config = ConfigDict(from_attributes=True)


class UserOut(Out):
    """A user in an answer."""

    id: int
    name: str
    email: str


class ProjectOut(Out):
    """A project in an answer."""

    id: int
    name: str
    owner_id: int


class MemberOut(Out):
    """A member in an answer."""

    user_id: int
    role: str


Base.metadata.create_all(engine)
app = FastAPI()


def get_db():
    """Give a session, and close it."""
    with Session(engine) as db:
        yield db


def get_user(x_user_id: int = Header(), db: Session = Depends(get_db)) -> User:
    """Find who asks."""
    user = db.get(User, x_user_id)
    if user is None:
        raise HTTPException(401, "Nobody has this id")
    return user


def get_project(project_id: int, db: Session = Depends(get_db)) -> Project:
    """Find the project."""
    project = db.get(Project, project_id)
    if project is None:
        raise HTTPException(404, "Project not found")
    return project


def role_of(db: Session, project: Project, user_id: int) -> Member | None:
    """Find a membership."""
    return db.scalar(select(Member).filter_by(project_id=project.id, user_id=user_id))


def require(db: Session, project: Project, user: User, *roles: str) -> Member:
    """Answer 403 to whoever has none of the roles."""
    member = role_of(db, project, user.id)
    if member is None or member.role not in roles:
        raise HTTPException(403, "Not allowed")
    return member


@app.post("/users", response_model=UserOut, status_code=201)
def create_user(data: UserIn, db: Session = Depends(get_db)):
    """Sign up."""
    user = User(**data.model_dump())
    db.add(user)
    db.commit()
    return user


@app.post("/projects", response_model=ProjectOut, status_code=201)
def create_project(data: ProjectIn, user: User = Depends(get_user), db: Session = Depends(get_db)):
    """Start a project."""
    first = Member(user_id=user.id, role="owner")
    project = Project(name=data.name, owner_id=user.id, members=[first])
    db.add(project)
    db.commit()
    return project


@app.get("/projects", response_model=list[ProjectOut])
def list_projects(user: User = Depends(get_user), db: Session = Depends(get_db)):
    """List one's projects."""
    mine = select(Member.project_id).where(Member.user_id == user.id)
    return db.scalars(select(Project).where(Project.id.in_(mine)).order_by(Project.id)).all()


@app.get("/projects/{project_id}", response_model=ProjectOut)
def read_project(
    user: User = Depends(get_user),
    project: Project = Depends(get_project),
    db: Session = Depends(get_db),
):
    """Read a project."""
    require(db, project, user, "viewer", "member", "admin", "owner")
    return project


@app.get("/projects/{project_id}/members", response_model=list[MemberOut])
def read_members(
    user: User = Depends(get_user),
    project: Project = Depends(get_project),
    db: Session = Depends(get_db),
):
    """Read the members."""
    require(db, project, user, "viewer", "member", "admin", "owner")
    return project.members


@app.patch("/projects/{project_id}", response_model=ProjectOut)
def rename(
    data: ProjectIn,
    user: User = Depends(get_user),
    project: Project = Depends(get_project),
    db: Session = Depends(get_db),
):
    """Rename a project."""
    require(db, project, user, "member", "admin", "owner")
    project.name = data.name
    db.commit()
    return project


@app.post("/projects/{project_id}/invite", response_model=MemberOut, status_code=201)
def invite(
    data: InviteIn,
    user: User = Depends(get_user),
    project: Project = Depends(get_project),
    db: Session = Depends(get_db),
):
    """Let somebody in."""
    require(db, project, user, "owner")
    guest = db.scalar(select(User).where(User.email == data.email))
    if guest is None:
        raise HTTPException(404, "Nobody has this address")
    if role_of(db, project, guest.id):
        raise HTTPException(409, "Already a member")
    member = Member(project_id=project.id, user_id=guest.id, role=data.role.value)
    db.add(member)
    try:
        db.commit()
    except IntegrityError:
        db.rollback()
        raise HTTPException(409, "Already a member") from None
    return member


@app.delete("/projects/{project_id}/members/{user_id}")
def remove(
    user_id: int,
    user: User = Depends(get_user),
    project: Project = Depends(get_project),
    db: Session = Depends(get_db),
):
    """Remove a member, or leave."""
    asking = require(db, project, user, "viewer", "member", "admin", "owner")
    if user.id != user_id and asking.role not in ("admin", "owner"):
        raise HTTPException(403, "Not allowed")
    leaving = role_of(db, project, user_id)
    if leaving is None:
        raise HTTPException(404, "No such member")
    if leaving.role == "owner":
        raise HTTPException(409, "The owner stays")
    db.delete(leaving)
    db.commit()
    return Response(status_code=204)
