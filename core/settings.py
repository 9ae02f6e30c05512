"""The settings, and the database's URL."""

import os
import re
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote, unquote

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

ROOT = Path(__file__).parents[1]  # the project's folder, wherever the process was started


class StartupError(Exception):
    """The app cannot start; the message is one sentence: why, and what to do."""


# Whichever driver a pasted URL names, these are installed: an ordinary and an async one.
DRIVERS = {
    "sqlite": ("sqlite", "sqlite+aiosqlite"),
    "postgresql": ("postgresql+psycopg", "postgresql+psycopg"),
    "postgres": ("postgresql+psycopg", "postgresql+psycopg"),
    "mysql": ("mysql+pymysql", "mysql+aiomysql"),
    "mariadb": ("mysql+pymysql", "mysql+aiomysql"),
}


def _refuse_short(password: SecretStr) -> SecretStr:
    if 0 < len(password) < 8:
        raise ValueError("it needs 8 characters")
    return password


class Settings(BaseSettings):
    """Read from the environment, then from .env; .env.example explains each setting."""

    model_config = SettingsConfigDict(
        env_file=ROOT / ".env",
        env_file_encoding="utf-8-sig",  # Windows editors mark UTF-8 by three bytes at the start
        extra="ignore",
        str_strip_whitespace=True,
    )

    database_url: str = "sqlite:///./app.db"
    database_read_url: str = ""
    database_echo: bool = False
    database_echo_pool: bool = False
    database_pool_size: int = Field(default=10, ge=1)
    database_pool_recycle: int = Field(default=1800, ge=1)
    database_lock_timeout: int = Field(default=5, ge=1, le=3600)  # not all databases take more
    admin_password: Annotated[SecretStr, AfterValidator(_refuse_short)] = SecretStr("")
    sql_lens: bool = False
    cors_origins: str = ""
    request_timeout: int = Field(default=10, ge=1, le=3600)
    api_key: str = ""
    allowed_hosts: str = ""
    log_format: Literal["text", "json"] = "text"


def read_settings() -> Settings:
    """Return the settings; raises StartupError naming one that is unusable, not its value."""
    try:
        return Settings()
    except ValidationError as error:
        problem = error.errors()[0]
        name = str(problem["loc"][0]).upper()
        raise StartupError(f"The setting {name} is unusable: {problem['msg']}.") from None
    except UnicodeDecodeError:
        raise StartupError(
            f"The file {Settings.model_config['env_file']} is not UTF-8: save it again as UTF-8."
        ) from None


shared_settings = cache(read_settings)


def settings_of(scope: Any) -> Settings:
    """Return the settings that the lifespan has read or, of an app that runs none, one's own."""
    return scope.get("state", {}).get("settings") or shared_settings()


def parse_url(text: str, setting: str = "DATABASE_URL") -> URL:
    """Return the URL with the installed driver in it; raises StartupError if it is unusable.

    A password among its arguments moves to where SQLAlchemy hides it; a relative path of SQLite
    starts at the project's folder.
    """
    text, hosts = _split_hosts(text.strip())
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise StartupError(
            f"{setting} cannot be read: write sqlite:///./app.db or "
            "postgresql://user:password@host/database, with %40 for an @ in the password."
        ) from None
    backend = url.get_backend_name()
    if backend not in DRIVERS:
        raise StartupError(f"{setting} is unusable: its scheme is none of {', '.join(DRIVERS)}.")
    if reason := _objection(url, text):  # without the URL: where its password ends is uncertain
        raise StartupError(f"{setting} is unusable: {reason}.")
    url = url.set(drivername=DRIVERS[backend][0]).update_query_pairs(hosts)
    if backend == "sqlite":
        return url.set(database=_from_project(url.database or ""))
    for name in ("password", "passwd"):
        if name in url.query:
            url = url.set(password=str(url.query[name])).difference_update_query([name])
    return url.set(host=url.host and unquote(url.host))  # a socket's folder: %2Frun%2Fpostgresql


def _split_hosts(text: str) -> tuple[str, list[tuple[str, str]]]:
    # PostgreSQL's user@host1:5432,host2:5433/database, which SQLAlchemy writes as arguments. The
    # possessive ?+ takes a password with a comma in it for a password, not for two hosts.
    several = re.match(r"(postgres\w*(?:\+\w+)?://(?:[^@]*@)?+)([^/?@]+,[^/?@]+)(.*)", text)
    if not several:
        return text, []
    start, hosts, end = several.groups()
    return start + end, [("host", unquote(host)) for host in hosts.split(",")]


def _objection(url: URL, text: str) -> str:
    if url.get_backend_name() == "sqlite":
        if url.host or url.username or url.password or url.port:
            return "three slashes stand before a file's name, as in sqlite:///./app.db"
        if ":memory:" in (url.database or "") or url.query.get("mode") == "memory":
            return "in memory each connection has a database of its own; name a file"
    elif _has_second_at(text):
        return "write %40 for an @ in the password, and %25 for a %"
    from_elsewhere = ["dbname", "service"] if "postgres" in url.drivername else []
    if url.database or any(name in url.query for name in from_elsewhere):
        return ""
    if from_elsewhere and {"PGDATABASE", "PGSERVICE"} & os.environ.keys():
        return ""
    return "it names no database"


def _has_second_at(text: str) -> bool:
    # SQLAlchemy ends the password at the first; what follows would be shown as host or database.
    end = re.sub(r"^[^:]*://(?:[^:/]*(?::[^@]*)?@)?", "", text)
    place, _, arguments = end.partition("?")
    names = (argument.partition("=")[0] for argument in arguments.split("&"))
    return "@" in place or any("@" in name for name in names)


def _from_project(file: str) -> str:
    if not file.startswith("file:"):
        return str(ROOT / file)
    path = file.removeprefix("file:")
    return file if path.startswith("/") else f"file:{quote(str(ROOT / path))}"


def shown(url: URL) -> str:
    """Return a URL for messages: *** for the password, and no argument that may hold another."""
    places = {name: url.query[name] for name in ("host", "service") if name in url.query}
    return url.set(query=places).render_as_string(hide_password=True)
