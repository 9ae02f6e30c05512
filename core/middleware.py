"""What stands between the server and the app, and sees each request and answer."""

from functools import cache

from fastapi import HTTPException, Request
from fastapi.responses import JSONResponse
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.deadline import Deadline
from core.errors import TRY_AGAIN, answer_try_again
from core.settings import StartupError, settings_of

MAX_BODY = 1024 * 1024
TOO_LARGE = "The body is larger than 1 MiB"


class Middleware:
    """What stands between the server and the app, and sees each request and answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app


class Limits(Middleware):
    """Bound what one request takes: a body of 1 MiB, REQUEST_TIMEOUT until the answer begins."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 413 to what is too long, 408 or 503 when the time is over."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        size, is_waiting, is_answered = 0, False, False

        async def receive_within_limit() -> Message:
            nonlocal size, is_waiting
            is_waiting = True
            message = await receive()
            is_waiting = False
            size += len(message.get("body", b""))
            if size > MAX_BODY:
                raise HTTPException(413, TOO_LARGE)
            return message

        async def send_in_time(message: Message) -> None:
            nonlocal is_answered
            is_answered = True
            deadline.stop()  # how long the client takes to read the answer is its own affair
            await send(message)

        app = JSONResponse({"detail": TOO_LARGE}, 413) if _says_too_long(scope) else self.app
        name = f"{scope['method']} {scope['path']}"
        with Deadline(settings_of(scope).request_timeout, name) as deadline:
            await app(scope, receive_within_limit, send_in_time)
        if deadline.passed and not is_answered:
            await _answer_late(scope, deadline, is_waiting)(scope, receive, send)


def _says_too_long(scope: Scope) -> bool:
    return int(dict(scope["headers"]).get(b"content-length", 0)) > MAX_BODY


def _answer_late(scope: Scope, deadline: Deadline, is_waiting: bool) -> JSONResponse:
    if is_waiting:
        detail = f"The body did not arrive within {deadline.seconds} seconds"
        return JSONResponse({"detail": detail}, 408, {"Connection": "close"})
    cause = TimeoutError(f"it took more than {deadline.seconds} s")
    return answer_try_again(Request(scope), cause, TRY_AGAIN)


class IgnoreLastSlash(Middleware):
    """Answer /users/ like /users, without a redirect, also below a proxy's prefix."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the path on without its last slash."""
        if scope["type"] == "http":
            prefix, path = scope.get("root_path", ""), own_path(scope)
            if path.endswith("/") and path != "/admin/":  # whose pages have addresses of their own
                path = path[:-1]
            scope = {**scope, "path": prefix + (path or "/")}
        await self.app(scope, receive, send)


def own_path(scope: Scope) -> str:
    """Return the path without a proxy's prefix: uvicorn adds it, even to one that has it."""
    prefix, path = scope.get("root_path", ""), str(scope["path"])
    for _ in range(2):
        path = path.removeprefix(prefix) if path.startswith(f"{prefix}/") else path
    return path


class AllowOrigins(Middleware):
    """Let the pages of CORS_ORIGINS call the API from a browser."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(app)
        self.allowing = cache(self.allow)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what a browser asks before the request itself, and tell it what it may read."""
        origins = settings_of(scope).cors_origins if scope["type"] == "http" else ""
        await (self.allowing(origins) if origins else self.app)(scope, receive, send)

    def allow(self, origins: str) -> ASGIApp:
        """Return the app for the pages of these origins."""
        return CORSMiddleware(
            self.app,
            allow_origins=[origin.strip().rstrip("/") for origin in origins.split(",")],
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=["Link", "Retry-After", "X-Request-ID"],
        )


class AnswerHead(Middleware):
    """Answer HEAD like GET, without the body."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the app see a GET and take the body out of its answer."""

        async def send_without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        if scope["type"] == "http" and scope["method"] == "HEAD":
            await self.app({**scope, "method": "GET"}, receive, send_without_body)
        else:
            await self.app(scope, receive, send)


class ExplainFailedStart(Middleware):
    """End the log of a failed start with the reason, without a traceback of where it was found."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Cut the traceback from what the server is to log."""

        async def send_reason(message: Message) -> None:
            if message["type"] == "lifespan.startup.failed":
                _, known, reason = message["message"].rpartition(f"{StartupError.__name__}: ")
                message = {**message, "message": reason.strip() if known else message["message"]}
            await send(message)

        await self.app(scope, receive, send_reason if scope["type"] == "lifespan" else send)
