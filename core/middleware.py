"""What stands between the server and the app, and sees each request and answer."""

from fastapi import HTTPException
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.settings import StartupError

MAX_BODY = 1024 * 1024
TOO_LARGE = "The body is larger than 1 MiB"


class Middleware:
    """What stands between the server and the app, and sees each request and answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app


class LimitBody(Middleware):
    """Refuse bodies over 1 MiB with 413 and JSON, where FastAPI's max_body_size sends text."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Believe a Content-Length that is too large; count the bytes of every other body."""
        size = 0

        async def receive_within_limit() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > MAX_BODY:
                raise HTTPException(413, TOO_LARGE)
            return message

        if int(dict(scope.get("headers", ())).get(b"content-length", 0)) > MAX_BODY:
            await JSONResponse({"detail": TOO_LARGE}, 413)(scope, receive, send)
        else:
            await self.app(scope, receive_within_limit, send)


class IgnoreLastSlash(Middleware):
    """Answer /users/ like /users, without a redirect."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the path on without its last slash."""
        # The pages of /admin have addresses of their own.
        if scope["type"] == "http" and scope["path"].endswith("/") and scope["path"] != "/admin/":
            scope = {**scope, "path": scope["path"][:-1] or "/"}
        await self.app(scope, receive, send)


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
