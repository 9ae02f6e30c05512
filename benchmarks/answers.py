"""Check that the apps answer rightly, and all the same, before they are measured."""

from typing import Any

from benchmarks.errors import BenchmarkError
from benchmarks.servers import Server
from benchmarks.workloads import Workload

SAMPLES = 3


def shape(answer: Any) -> Any:
    """Return the answer with the type of each value in its place."""
    match answer:
        case dict():
            return {key: shape(value) for key, value in answer.items()}
        case list():
            return [shape(value) for value in answer]
    return type(answer).__name__


def check_answers(servers: list[Server], workloads: list[Workload]) -> None:
    """Raise BenchmarkError where an app answers wrongly or unlike the first app."""
    for workload in workloads:
        for number in range(SAMPLES):
            answers = {server.app: server.send(workload, number) for server in servers}
            compare(workload, answers)


def compare(workload: Workload, answers: dict[str, Any]) -> None:
    """Raise BenchmarkError unless all apps give the same right answer."""
    for app, answer in answers.items():
        if not workload.is_right(answer):
            raise BenchmarkError(f"The app '{app}' answers {workload.name} wrongly: {answer}")
    # What POST answers has a new id and the time in it.
    view = shape if workload.method == "POST" else lambda answer: answer
    (first, expected), *others = answers.items()
    for app, answer in others:
        if view(answer) != view(expected):
            raise BenchmarkError(
                f"The apps '{first}' and '{app}' answer {workload.name} differently:\n"
                f"{expected}\n{answer}"
            )
