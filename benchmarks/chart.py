"""Draw benchmarks/chart.svg from results.json."""


def draw() -> None:
    """Draw it."""
