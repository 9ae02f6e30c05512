"""The settings, and the database's URL."""

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError


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

    model_config = SettingsConfigDict(env_file=".env", extra="ignore")

    database_url: str = "sqlite:///./app.db"
    database_read_url: str = ""
    database_echo: bool = False
    database_pool_size: int = Field(default=10, ge=1)
    database_pool_recycle: int = Field(default=1800, ge=1)
    database_lock_timeout: int = Field(default=5, ge=1)
    admin_password: Annotated[SecretStr, AfterValidator(_refuse_short)] = SecretStr("")
    sql_lens: bool = False


def read_settings() -> Settings:
    """Return the settings; raises StartupError naming one that is unusable, not its value."""
    try:
        return Settings()
    except ValidationError as error:
        problem = error.errors()[0]
        name = str(problem["loc"][0]).upper()
        raise StartupError(f"The setting {name} is unusable: {problem['msg']}.") from None


def parse_url(text: str) -> URL:
    """Return the URL with the installed driver in it; raises StartupError if it is unusable.

    As text, a URL shows *** for the password.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise StartupError(
            "The database URL cannot be read: write sqlite:///./app.db or "
            "postgresql://user:password@host/database, with %40 for an @ in the password."
        ) from None
    backend = url.get_backend_name()
    if backend not in DRIVERS:
        reason = f"its scheme is none of {', '.join(DRIVERS)}"
    elif not url.database:
        reason = "it names no database"
    elif backend == "sqlite" and ":memory:" in url.database:
        reason = "in memory each connection has a database of its own; name a file"
    else:
        return url.set(drivername=DRIVERS[backend][0])
    raise StartupError(f"The database URL {url} is unusable: {reason}.")
