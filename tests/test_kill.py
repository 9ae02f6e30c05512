"""What was acknowledged is there after the server was killed in the middle of its work."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from conftest import serve

ROOT = Path(__file__).parent.parent


@contextmanager
def server_process(url: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run uvicorn as its own process; yields it and its address once it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "app:app", "--port", str(port)],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": url},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    assert process.stderr is not None
    with process, process.stderr:
        for line in process.stderr:
            if "Uvicorn running" in line:
                break
        try:
            yield process, f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def test_every_user_answered_201_survives_kill_9(url: str) -> None:
    stored: list[str] = []
    enough = threading.Event()
    with server_process(url) as (process, address):

        def register(worker: int) -> None:
            with httpx.Client(base_url=address) as client:
                for n in range(10_000):
                    email = f"{worker}-{n}@example.com"
                    body = {"name": "Ada Lovelace", "email": email}
                    try:
                        response = client.post("/users", json=body)
                    except httpx.TransportError:
                        return  # killed
                    assert response.status_code == 201
                    stored.append(email)
                    if len(stored) >= 200:
                        enough.set()

        workers = [threading.Thread(target=register, args=(n,)) for n in range(8)]
        for worker in workers:
            worker.start()
        assert enough.wait(30)
        process.kill()  # SIGKILL on Linux and macOS
        for worker in workers:
            worker.join()
    with serve(url) as client:
        for email in stored:
            assert client.get(f"/users/by-email/{email}").status_code == 200, email
