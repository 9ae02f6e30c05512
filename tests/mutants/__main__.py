"""Make mutants of the solutions, run the checks on them, and show which are rejected."""

import argparse
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # as pytest does for the files in tests/

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from exercises.catalog import exercises, find
from mutants.mutant import Mutant, justified, mutants_of
from mutants.run import Memory, SolutionRejectedError, judge_all

COLUMNS = ("mutants", "judged", "rejected", "at start", "justified", "survive")
console = Console(soft_wrap=True, highlight=False, markup=False)


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", type=find, metavar="EXERCISE", help="default: all")
    parser.add_argument("-j", type=int, default=2, metavar="N", help="processes (2)")
    parser.add_argument("-k", default="", metavar="TEXT", help="only mutants whose name has it")
    parser.add_argument("--given", action="store_true", help="what the starter has written, too")
    parser.add_argument("--list", action="store_true", help="only name the mutants")
    parser.add_argument("--show", action="store_true", help="only show what was found before")
    parser.add_argument(
        "--write-likely", action="store_true", help="keep what rejects most, by place"
    )
    parser.add_argument("--survivors", action="store_true", help="only those that survived before")
    return parser.parse_args(arguments)


def run(mutants: list[Mutant], memory: Memory, count: int) -> None:
    """Judge the mutants, with a bar."""
    # Mixed, so that the estimate of the time left is right from the start.
    mixed = sorted(mutants, key=lambda mutant: mutant.digest)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    survived = 0
    with Progress(*columns, TimeRemainingColumn(), console=console) as progress:
        task = progress.add_task("0 survive", total=len(mixed))
        for verdict in judge_all(mixed, memory, count):
            survived += verdict.survived
            progress.update(task, advance=1, description=f"{survived} survive")


def tally(mutants: list[Mutant], memory: Memory, reasons: dict[str, str]) -> Counter[str]:
    """Count the verdicts on mutants of one exercise; name what somebody has to look at."""
    counts = Counter(mutants=len(mutants))
    for mutant in mutants:
        verdict = memory.known(mutant)
        if verdict is None:
            continue
        counts["judged"] += 1
        if not verdict.survived:
            counts["rejected"] += 1
            counts["at start"] += verdict.at_start
            if mutant.key in reasons:
                console.print(f"\nHas a reason, and is rejected: {mutant.key}\n{verdict.says}")
        elif mutant.key in reasons:
            counts["justified"] += 1
        else:
            counts["survive"] += 1
            console.print(f"\nSurvives: {mutant.key}\n{mutant.diff}")
    return counts


def show(mutants: list[Mutant], memory: Memory) -> int:
    """Show survivors and a table; give the number of survivors without a reason."""
    reasons = justified()
    table = Table("exercise", box=None, pad_edge=False)
    for title in (*COLUMNS, "share"):
        table.add_column(title, justify="right")
    total: Counter[str] = Counter()
    for name in sorted({mutant.exercise for mutant in mutants}):
        counts = tally([m for m in mutants if m.exercise == name], memory, reasons)
        total += counts
        table.add_row(name, *cells(counts))
    table.add_row("all", *cells(total), style="bold")
    console.print()
    console.print(table)
    return total["survive"]


def cells(counts: Counter[str]) -> list[str]:
    """Write a row of the table; the share is of the mutants that were judged."""
    good = counts["rejected"] + counts["justified"]
    share = f"{100 * good / counts['judged']:.1f} %" if counts["judged"] else ""
    return [*(str(counts[column]) for column in COLUMNS), share]


def main(arguments: list[str]) -> int:
    """Run the command; give the exit code: 1 when a mutant survives without a reason."""
    args = parse(arguments)
    chosen = args.names or exercises()
    mutants = [m for name in chosen for m in mutants_of(name, args.given) if args.k in m.key]
    memory = Memory()
    if args.survivors:
        mutants = [m for m in mutants if m.key in memory.last and memory.last[m.key].survived]
    if args.list:
        for mutant in mutants:
            console.print(mutant.key)
        return 0
    if args.write_likely:
        memory.write_likely()
        return 0
    if not args.show:
        try:
            run([m for m in mutants if not memory.known(m)], memory, args.j)
        except SolutionRejectedError as error:
            console.print(f"The checks reject the solution itself: {error}")
            return 2
    return int(show(mutants, memory) > 0)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
