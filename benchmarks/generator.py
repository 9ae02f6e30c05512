"""The load generator where wrk is not installed: a process that prints what wrk.lua prints.

python -m benchmarks.generator URL METHOD FILE RUN SECONDS CONNECTIONS
"""

import asyncio
import json
import statistics
import sys
from itertools import count
from time import perf_counter

import aiohttp

from benchmarks.workloads import UNIQUE


class Generator:
    """Sends the requests of a file in turn over a number of connections."""

    def __init__(self, url: str, method: str, file: str, run: str) -> None:
        self.url, self.method, self.run = url, method, run
        with open(file, encoding="utf-8") as lines:
            self.lines = [line.rstrip("\n").split("\t") for line in lines]
        self.numbers = count()
        self.times: list[float] = []
        self.errors = 0

    async def send(self, session: aiohttp.ClientSession) -> None:
        """Send the next request and note the time that its answer took."""
        number = next(self.numbers)
        path, body = self.lines[number % len(self.lines)]
        data = body.replace(UNIQUE, f"{self.run}-{number}").encode() if body else None
        start = perf_counter()
        try:
            async with session.request(self.method, self.url + path, data=data) as response:
                await response.read()
                self.errors += not response.ok
        except (aiohttp.ClientError, TimeoutError):
            self.errors += 1
        self.times.append(perf_counter() - start)

    async def repeat(self, session: aiohttp.ClientSession, end: float) -> None:
        """Be one client until the time is over."""
        while perf_counter() < end:
            await self.send(session)

    async def drive(self, seconds: float, connections: int) -> dict[str, float]:
        """Be all clients and return what wrk.lua prints."""
        limit = aiohttp.TCPConnector(limit=connections)
        headers = {"Content-Type": "application/json"}
        start = perf_counter()
        async with aiohttp.ClientSession(connector=limit, headers=headers) as session:
            clients = [self.repeat(session, start + seconds) for _ in range(connections)]
            await asyncio.gather(*clients)
        percentiles = statistics.quantiles(self.times, n=100)
        return {
            "requests": len(self.times),
            "seconds": perf_counter() - start,
            "p50": percentiles[49],
            "p99": percentiles[98],
            "errors": self.errors,
        }


if __name__ == "__main__":
    url, method, file, run, seconds, connections = sys.argv[1:]
    generator = Generator(url, method, file, run)
    print(json.dumps(asyncio.run(generator.drive(float(seconds), int(connections)))))
