"""Who may do what: the key for writing, the hosts that are answered, headers for browsers."""

import argparse
import hmac
import os
import sys
from base64 import b64decode
from functools import cache
from ipaddress import ip_address
from secrets import token_hex
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.types import Message, Receive, Scope, Send

from core.errors import answer_bug
from core.logs import logger, request_id
from core.middleware import Middleware
from core.settings import Settings, settings_of

READING = {"GET", "HEAD", "OPTIONS"}
PAGES = ("/admin", "/sql")  # of a browser, which asks its user for a password: here, the key
KEPT_PATHS = ("/health/db", *PAGES)  # need the key even for reading
SECURITY_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),  # with none, the forms of /admin have no Origin
]


class Label(Middleware):
    """Give each request an id, and its answer what browsers are told."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add them to the headers of the answer, whoever it comes from."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        own_id = token_hex(8)
        request_id.set(own_id)
        own_headers = [*SECURITY_HEADERS, (b"x-request-id", own_id.encode())]

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *own_headers]
            await send(message)

        await self.app(scope, receive, send_with_headers)


class Guard(Middleware):
    """Refuse requests that ALLOWED_HOSTS and API_KEY do not let in; answer 500 to a bug."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer instead of the app where it must not, or cannot."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        is_answered = False

        async def send_and_note(message: Message) -> None:
            nonlocal is_answered
            is_answered = True
            await send(message)

        app = refusal(scope, settings_of(scope)) or self.app
        try:
            await app(scope, receive, send_and_note)
        except Exception as error:
            answer = answer_bug(Request(scope), error)
            if not is_answered:
                await answer(scope, receive, send)
            raise  # the server logs where it was


def refusal(scope: Scope, settings: Settings) -> JSONResponse | None:
    """Return the answer to a request that may not come in; None if it may."""
    if settings.allowed_hosts and _host(scope) not in _names(settings.allowed_hosts):
        return JSONResponse({"detail": "This host is not among ALLOWED_HOSTS"}, 400)
    if settings.api_key and _needs_key(scope) and not _has_key(scope, settings.api_key):
        detail = "Send the API key: Authorization: Bearer …"
        scheme = 'Basic realm="API key"' if _is_below(_path(scope), PAGES) else "Bearer"
        return JSONResponse({"detail": detail}, 401, {"WWW-Authenticate": scheme})
    return None


@cache
def _names(hosts: str) -> set[str]:
    return {host.strip().lower() for host in hosts.split(",")} - {""}


def _header(scope: Scope, name: bytes) -> bytes:
    return next((value for key, value in scope["headers"] if key == name), b"")


def _host(scope: Scope) -> str:
    hosts = [value for key, value in scope["headers"] if key == b"host"]
    host = hosts[0].decode("latin-1").lower() if len(hosts) == 1 else ""  # a proxy may mean another
    return host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host


def _path(scope: Scope) -> str:
    return str(scope["path"]).removeprefix(scope.get("root_path", ""))


def _is_below(path: str, places: tuple[str, ...]) -> bool:
    return path in places or path.startswith(tuple(f"{place}/" for place in places))


def _needs_key(scope: Scope) -> bool:
    return scope["method"] not in READING or _is_below(_path(scope), KEPT_PATHS)


def _has_key(scope: Scope, key: str) -> bool:
    scheme, _, given = _header(scope, b"authorization").partition(b" ")
    given = given.strip()
    # Not for the API itself: a browser sends a password along with what other sites make it send.
    if scheme.lower() == b"basic" and _is_below(_path(scope), PAGES):
        given = _password(given)
    elif scheme.lower() != b"bearer":
        return False
    # How long it takes tells nothing of how much of a wrong key is right.
    return hmac.compare_digest(given, key.encode())


def _password(credentials: bytes) -> bytes:
    try:
        return b64decode(credentials).partition(b":")[2]
    except ValueError:
        return b""


def prepare_access(app: FastAPI, settings: Settings) -> None:
    """Show in OpenAPI what needs the key; warn if there is none and other machines come in."""
    app.openapi_schema = None
    if settings.api_key:
        _describe_key(app.openapi())
    elif (host := _listening_host(sys.argv[1:])) and not _is_loopback(host):
        logger.warning("Everyone who reaches %s can change everything: set API_KEY.", host)


def _describe_key(schema: dict[str, Any]) -> None:
    schema["components"]["securitySchemes"] = {"ApiKey": {"type": "http", "scheme": "bearer"}}
    refused = {"description": "The API key is missing or wrong"}
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            if method.upper() not in READING or _is_below(path, KEPT_PATHS):
                operation["security"] = [{"ApiKey": []}]
                operation["responses"]["401"] = refused


def _listening_host(arguments: list[str]) -> str:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)  # uvicorn's, gunicorn's
    parser.add_argument("--host", "--bind", "-b", default=os.environ.get("UVICORN_HOST", ""))
    return str(parser.parse_known_args(arguments)[0].host)


def _is_loopback(host: str) -> bool:
    name = host.rpartition(":")[0] if host.count(":") == 1 else host
    try:
        return ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return name == "localhost" or host.startswith("unix:")
