"""Load without a pause on two workers, while their database goes away again and again."""

import asyncio
import threading
from collections.abc import Callable, Iterable
from time import monotonic
from typing import Any

import httpx
import pytest

from conftest import as_text, new_product, new_user, server_process
from test_faults import SHORT, OwnServer, start_server
from test_histories import History, check

WHOLE = {"DATABASE_LOCK_TIMEOUT": "5", "REQUEST_TIMEOUT": "10"}  # the defaults


class Load(History):
    """A history that goes on until it is told to end; each of its requests writes."""

    stock, names = 1_000_000, 1_000_000_000

    def __init__(self, address: str) -> None:
        super().__init__(0, [address])
        self.ends = threading.Event()
        self.answers: list[tuple[float, float, bool]] = []  # asked and answered when, and stored?
        self.health: list[tuple[float, int]] = []

    def steps(self) -> Iterable[object]:
        """Return one after the other until the end."""
        return iter(self.ends.is_set, True)

    async def client(self, number: int) -> None:
        """Take a client's steps, or ask how the database is."""
        await (super().client(number) if number else self.watch())

    async def watch(self) -> None:
        """Ask for /health ten times a second."""
        async with httpx.AsyncClient(base_url=self.servers[0], timeout=60) as client:
            while not self.ends.is_set():
                start = monotonic()
                answer = await client.get("/health")
                self.health.append((monotonic() - start, answer.status_code))
                await asyncio.sleep(0.1)

    async def send(
        self, client: httpx.AsyncClient, method: str, path: str, body: Any = None, **headers: str
    ) -> Any:
        """Send a request, and note how it went."""
        start = monotonic()
        stored = await super().send(client, method, path, body, **headers)
        self.answers.append((start, monotonic(), bool(stored)))
        return stored

    def first_success_after(self, moment: float) -> float:
        """Return how many seconds after a moment the next write was acknowledged."""
        return min(end for _, end, stored in self.answers if stored and end > moment) - moment


def go_through_outages(server: OwnServer, load: Load, pause: float, hang: float) -> list[float]:
    """Restart the database three times and let it hang once; return when it was back each time."""

    def stop_for_a_while() -> None:
        with server.hanging():
            load.ends.wait(hang)

    back = []
    outages: list[Callable[[], None]] = [server.restart, server.restart, stop_for_a_while]
    for outage in [*outages, server.restart]:
        assert not load.ends.wait(pause), "a client failed"
        outage()
        back.append(monotonic())
    assert not load.ends.wait(pause), "a client failed"
    return back


def play(load: Load, failures: list[BaseException]) -> None:
    """Let all clients work until the end, or until one of them fails."""
    try:
        asyncio.run(load.play())
    except BaseException as error:  # noqa: BLE001 - the test raises it
        failures.append(error)
    finally:
        load.ends.set()


@pytest.mark.long
def test_outages_under_load_lose_nothing_and_answer_in_time(
    request: pytest.FixtureRequest,
) -> None:
    """Twenty seconds, five of them without a database; a minute and twenty with --all-proofs."""
    whole = request.config.getoption("--all-proofs")
    settings, pause, hang = (WHOLE, 7.5, 20.0) if whole else (SHORT, 2.5, 5.0)
    bound = int(settings["REQUEST_TIMEOUT"]) + 2  # the grace, and what a busy machine adds
    failures: list[BaseException] = []
    with (
        start_server() as database,
        server_process(as_text(database.url), "--workers", "2", **settings) as server,
        httpx.Client(base_url=server[1], timeout=60) as client,
    ):
        process, address, lines = server
        log: list[str] = []
        while sum("startup complete" in line for line in log) < 2:
            log.append(next(lines))
        load = Load(address)
        load.users = [new_user(client)["id"] for _ in range(3)]
        load.products = [new_product(client, stock=load.stock)["id"] for _ in range(3)]
        clients = threading.Thread(target=play, args=(load, failures))
        clients.start()
        try:
            back = go_through_outages(database, load, pause, hang)
        finally:
            load.ends.set()
            clients.join()
            for failure in failures:
                raise failure
        check(as_text(database.url), load, client)
        process.terminate()
        process.wait(30)
        log += lines
    first = [load.first_success_after(moment) for moment in back]
    longest = max(end - start for start, end, _ in load.answers)
    print(
        f"{len(load.answers)} writes, {sum(stored for *_, stored in load.answers)} acknowledged,"
        f" longest answer {longest:.2f} s, first success after"
        f" {', '.join(f'{seconds:.2f}' for seconds in first)} s,"
        f" /health within {max(load.health)[0]:.2f} s"
    )
    assert longest < bound
    assert max(first) < 2
    assert {status for _, status in load.health} == {200, 503}
    assert max(load.health)[0] < 2
    assert sum("Started server process" in line for line in log) == 2, "a worker died"
    assert not [line for line in log if "Traceback" in line or "ERROR" in line]
