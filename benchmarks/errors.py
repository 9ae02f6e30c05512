"""What ends a run."""


class BenchmarkError(Exception):
    """The run cannot go on; the message says why."""
