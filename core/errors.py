"""Which answer an error gets."""

import re
import sqlite3
from typing import Any
from urllib.parse import quote

import psycopg
from fastapi import HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlmodel import SQLModel

import crud
from core.deadline import BusyError
from core.logs import first_line, logger


class Error(BaseModel):
    """The body of every error but 422, which lists what is invalid."""

    detail: str


# What passes: SQLSTATEs of PostgreSQL (serialization, deadlock, lock, connections or disk used up,
# statement time-out, shutdown and start-up; 08 is the connection), numbers of MariaDB and MySQL,
# names of SQLite.
PASSING_STATES = ("08", "40001", "40P01", "53", "55P03", "57014", "57P0")
PASSING_NUMBERS = {
    *(1021, 1040, 1053, 1114, 1203, 1205, 1213, 1317, 1927, 1969),
    *(2002, 2003, 2006, 2013, 3024),
}
PASSING_NAMES = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_FULL", "SQLITE_IOERR", "SQLITE_INTERRUPT")

# PostgreSQL, SQLite, MariaDB: a column that needs a value got none.
NULLS = {"23502", "SQLITE_CONSTRAINT_NOTNULL", 1048}
# What PostgreSQL says of a value: its length, size, time, bytes. Other states of this class tell
# of a setting, a sequence or a division.
VALUE_STATES = ("22001", "22003", "22007", "22008", "22021", "22P0")


def may_pass(error: Exception) -> bool:
    """Tell whether the same request may succeed a moment later: a lock, a lost connection."""
    if not isinstance(error, DBAPIError):
        return isinstance(error, BusyError | PoolTimeoutError)
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorname", "").startswith(PASSING_NAMES)
    if error.connection_invalidated:
        return True
    if isinstance(cause, psycopg.Error):
        return (cause.sqlstate or _connection_state(cause)).startswith(PASSING_STATES)
    return bool(cause and cause.args and cause.args[0] in PASSING_NUMBERS)


def _connection_state(error: psycopg.Error) -> str:
    # Of a connection that was not made, psycopg has the text alone.
    for_good = "authentication|does not exist|pg_hba|not permitted|permission denied"
    if re.search(for_good, str(error)) or not isinstance(error, psycopg.OperationalError):
        return ""
    return "08"


TRY_AGAIN = "The database is busy or away; try again"
STATUS_CODES = {
    crud.NotFoundError: 404,
    crud.ConflictError: 409,
    crud.RuleError: 400,
    crud.TryAgainError: 503,
}


async def answer_domain_error(request: Request, error: crud.DomainError) -> JSONResponse:
    """Answer a rule of crud.py that said no."""
    status = STATUS_CODES[type(error)]
    if status == 503:
        return answer_try_again(request, error, str(error))
    return JSONResponse({"detail": str(error)}, status)


async def answer_broken_constraint(request: Request, error: IntegrityError) -> JSONResponse:
    """Answer a constraint of the database that said no, without showing its SQL."""
    if _is_of_the_app(error):
        raise error
    return await answer_domain_error(request, crud.as_domain_error(error))


def _is_of_the_app(error: IntegrityError) -> bool:
    # No client chooses an id, or leaves out what a table needs.
    tables = SQLModel.metadata.tables.values()
    ids = {f"pk_{table.name}" for table in tables if "id" in table.primary_key.columns}
    if crud.broken_constraint(error) in ids:
        return True
    cause: Any = error.orig
    codes = {getattr(cause, name, None) for name in ("sqlstate", "sqlite_errorname")}
    return bool(NULLS & {*codes, *cause.args[:1]})


async def answer_unfit_value(request: Request, error: DataError) -> JSONResponse:
    """Answer a value that passed validation and that the database still refused."""
    state = getattr(error.orig, "sqlstate", None)
    if state and not state.startswith(VALUE_STATES):
        raise error
    logger.warning("400 %s %s: %s", request.method, quote(request.url.path), first_line(error))
    return JSONResponse({"detail": "A value does not fit the database"}, 400)


async def answer_database_error(request: Request, error: Exception) -> JSONResponse:
    """Answer 503 if the same request may succeed a moment later; any other fault is a bug."""
    if not may_pass(error):
        raise error
    return answer_try_again(request, error, TRY_AGAIN)


async def answer_fault(request: Request, error: Exception) -> JSONResponse:
    """Answer any fault of the database, where nobody else would."""
    if may_pass(error):
        return answer_try_again(request, error, TRY_AGAIN)
    return answer_bug(request, error)


def answer_try_again(request: Request, error: Exception, detail: str) -> JSONResponse:
    """Answer 503, and leave the cause in the log."""
    cause = first_line(error)
    logger.warning("503 %s %s: %s", request.method, quote(request.url.path), cause)
    return JSONResponse({"detail": detail}, 503, {"Retry-After": "1"})


def allowed_methods(request: Request, *, fixed: bool = False) -> set[str]:
    """Return the methods of all routes with the request's path; if `fixed`, without parameters."""
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    routes = [route for route in request.app.routes if isinstance(route, APIRoute)]
    same = [route for route in routes if route.path == path]
    if not same and not fixed:
        same = [route for route in routes if route.path_regex.match(path)]
    methods: set[str] = {method for route in same for method in route.methods or ()}
    return methods | {"HEAD"} if "GET" in methods else methods


async def answer_wrong_method(request: Request, error: HTTPException) -> JSONResponse:
    """Answer 405 with all methods of the path, where Starlette names those of one route."""
    allowed = allowed_methods(request) or {(error.headers or {}).get("Allow", "")}
    return JSONResponse({"detail": error.detail}, 405, {"Allow": ", ".join(sorted(allowed))})


# Behind a validator of its own, pydantic calls the length of a text a number of items.
BOUNDS = {"too_long": ("max_length", "most"), "too_short": ("min_length", "least")}


def without_input(error: Any) -> dict[str, Any]:
    """Return what is invalid and where, in words that a client understands."""
    shown = {key: error[key] for key in ("type", "loc", "msg")}
    if error["type"] == "json_invalid":  # what stands there and what should, as Python's json says
        shown["msg"] = f"Invalid JSON at character {error['loc'][1]}: {error['ctx']['error']}"
    elif error["type"] in BOUNDS and isinstance(error["input"], str):
        name, words = BOUNDS[error["type"]]
        shown["type"] = f"string_{error['type']}"
        shown["msg"] = f"String should have at {words} {error['ctx'][name]} characters"
    return shown


async def answer_invalid(request: Request, error: RequestValidationError) -> JSONResponse:
    """Answer what is invalid and where, without the input: it may be a password."""
    # PUT /users/bulk is no invalid PUT /users/{id}: there is a path of this name.
    allowed = allowed_methods(request, fixed=True)
    if allowed and request.method not in allowed:
        return JSONResponse({"detail": "Method Not Allowed"}, 405, {"Allow": ", ".join(allowed)})
    errors = [without_input(e) for e in error.errors()]
    return JSONResponse({"detail": errors}, 422)


def answer_bug(request: Request, error: Exception) -> JSONResponse:
    """Answer without details; the server's log has them."""
    cause = f"{type(error).__name__}: {first_line(error)}"
    logger.error("500 %s %s: %s", request.method, quote(request.url.path), cause)
    # The server closes the connection after a bug; a client that is not told would use it again.
    return JSONResponse({"detail": "Internal server error"}, 500, {"Connection": "close"})


HANDLERS: dict[int | type[Exception], Any] = {
    crud.DomainError: answer_domain_error,
    IntegrityError: answer_broken_constraint,
    DataError: answer_unfit_value,
    BusyError: answer_database_error,
    DBAPIError: answer_database_error,
    PoolTimeoutError: answer_database_error,
    RequestValidationError: answer_invalid,
    405: answer_wrong_method,
}
