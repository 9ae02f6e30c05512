"""The threads in which an engine's connections are used, and how long one waits for them."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import copy_context
from typing import Any, TypeVar

from core.deadline import BusyError

Result = TypeVar("Result")


class Threads:
    """As many threads as an engine has connections: whoever waits takes neither.

    A thread that is done takes the next call itself, without asking the event loop.
    """

    def __init__(self, size: int, patience: float) -> None:
        self.executor = ThreadPoolExecutor(size)
        self.patience = patience

    async def run(self, function: Callable[[], Result]) -> Result:
        """Call a function in a thread; raises BusyError if none is free within the patience."""
        call = self.executor.submit(copy_context().run, function)
        return await self._in_time(call, call)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Keep a thread idle while its connection is used in other threads, such as FastAPI's.

        Raises BusyError as run() does.
        """
        begun: Future[None] = Future()
        is_over = threading.Event()

        def wait() -> None:
            begun.set_result(None)
            is_over.wait()

        try:
            await self._in_time(self.executor.submit(wait), begun)
            yield
        finally:
            is_over.set()

    async def _in_time(self, call: Future[Any], result: Future[Result]) -> Result:
        def give_up() -> None:
            if call.cancel():  # it has not begun
                result.cancel()

        timer = asyncio.get_running_loop().call_later(self.patience, give_up)
        try:
            return await asyncio.wrap_future(result)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task and task.cancelling():  # by others: REQUEST_TIMEOUT, a server that stops
                raise
            raise BusyError from None
        finally:
            timer.cancel()

    def close(self) -> None:
        """Let the threads end."""
        self.executor.shutdown(wait=False)
