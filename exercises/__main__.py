"""The command line: python -m exercises [check | watch | hint | solution | reset | class]."""

import argparse
import sys
from pathlib import Path

from exercises import learner, teacher
from exercises.catalog import RecipeError, exercises, find
from exercises.learner import Target
from exercises.progress import Progress
from exercises.runner import usable_database

PROJECT = ("app", "app_dir")
NOT_ONES_OWN = ("url", "solution")
OTHERS = ("database", "migrate", "step", *NOT_ONES_OWN)


def name_or_all(name: str) -> str:
    """Find an exercise, or take "all"."""
    return name if name == "all" else find(name)


def database(text: str) -> str:
    """Read a database, and let argparse say what is wrong with it."""
    try:
        return usable_database(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def options(*groups: str) -> argparse.ArgumentParser:
    """Declare the options that several commands share; what is not given is not in the result."""
    parser = argparse.ArgumentParser(
        add_help=False, allow_abbrev=False, argument_default=argparse.SUPPRESS
    )
    if "project" in groups:
        parser.add_argument("--app", metavar="MODULE:NAME", help="the app, e.g. main:app")
        parser.add_argument("--app-dir", metavar="DIR", help="the folder of your own project")
    if "database" in groups:
        parser.add_argument(
            "--database", type=database, metavar="URL", help="postgresql, or a server's URL"
        )
        parser.add_argument("--migrate", action="store_true", help="run alembic upgrade first")
    if "check" in groups:
        parser.add_argument("--url", help="a server that is running")
        parser.add_argument("--solution", action="store_true", help="our solution")
        parser.add_argument("--step", type=int, metavar="N", help="only this step")
    return parser


CHECKED = options("project", "database", "check")


def new_parser() -> argparse.ArgumentParser:
    """Declare the commands."""
    project = options("project")
    parser = argparse.ArgumentParser(
        prog="python -m exercises", description=__doc__, parents=[project], allow_abbrev=False
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    def add(name: str, parent: argparse.ArgumentParser, help: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, parents=[parent], help=help, allow_abbrev=False)

    check = add("check", CHECKED, "check the next exercise, a named one, or all")
    check.add_argument("name", nargs="?", type=name_or_all, metavar="NAME|all")
    watch = add("watch", CHECKED, "check again after every save")
    watch.add_argument("name", nargs="?", type=find, metavar="NAME")
    watch.add_argument("--poll", action="store_true", help="look at the files, trust no events")
    hint = add("hint", project, "the next hint for the first step that fails")
    hint.add_argument("name", type=find, metavar="NAME")
    solution = add("solution", project, "our solution, once yours passes")
    solution.add_argument("name", type=find, metavar="NAME")
    solution.add_argument("--show", action="store_true", help="show it in any case")
    reset = add("reset", project, "put the starter back, keeping a copy of yours")
    reset.add_argument("name", nargs="?", type=name_or_all, metavar="NAME|all")
    reset.add_argument("--yes", action="store_true", help="do not ask")
    reset.add_argument("--check", action="store_true", help="only tell what is not a starter")
    teacher.add_arguments(add("class", options("database"), "check every submission in a folder"))
    return parser


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; what it does not know, and what follows "--", is for pytest."""
    parser = new_parser()
    split = arguments.index("--") if "--" in arguments else len(arguments)
    args, rest = parser.parse_known_args(arguments[:split])
    if args.command in ("check", "watch"):
        # argparse takes no optional name behind an option.
        if args.name is None and rest and not rest[0].startswith("-"):
            args.name = read_name(parser, rest.pop(0))
        _, behind = CHECKED.parse_known_args(arguments[split + 1 :], args)
        args.rest = rest + behind
        return args
    if args.command == "class":
        while rest and not rest[0].startswith("-"):
            args.names.append(read_name(parser, rest.pop(0)))
    if unknown := rest + arguments[split:]:
        parser.error(f"{args.command or 'the table'} does not take {' '.join(unknown)}")
    if args.command == "reset" and bool(args.name) == args.check:
        parser.error("reset takes a NAME, or --check")
    return args


def read_name(parser: argparse.ArgumentParser, name: str) -> str:
    """Read the name of an exercise that argparse has not read itself."""
    try:
        return name_or_all(name)
    except argparse.ArgumentTypeError as error:
        parser.error(str(error))


def target_of(args: argparse.Namespace) -> Target:
    """Gather what the options say about the app that is checked."""
    given = vars(args)
    options = {name: given[name] for name in PROJECT + OTHERS if name in given}
    words = {name: option(name, value) for name, value in options.items()}
    named = [words[name] for name in PROJECT if name in words]
    return Target(
        project=Path(given.get("app_dir", ".")) if named else None,
        named=named,
        options=[*words.values(), *given.get("rest", [])],
        has_progress=not any(name in given for name in NOT_ONES_OWN),
    )


def option(name: str, value: object) -> str:
    """Write an option as it is typed."""
    word = f"--{name.replace('_', '-')}"
    return word if value is True else f"{word}={value}"


def main(arguments: list[str]) -> int:
    """Run one command; give the exit code: 0 passed, 1 failed, 2 wrong call."""
    args = parse(arguments)
    try:
        return run(args)
    except RecipeError as error:
        learner.console.print(f"{error}.", style="red")
        return 1


def run(args: argparse.Namespace) -> int:
    """Call what the command stands for."""
    if args.command == "class":
        return teacher.check_class(args)
    target = target_of(args)
    if args.command in ("check", "watch"):
        name = args.name or learner.next_exercise(Progress(target.project))
        if name is None:
            learner.console.print("All exercises are done; `check all` checks them again.")
            return 0
        if args.command == "watch":
            return learner.watch_exercise(name, target, args.poll)
        return learner.check(exercises() if name == "all" else [name], target)
    if args.command == "hint":
        return learner.hint(args.name, target)
    if args.command == "solution":
        return learner.solution(args.name, args.show, target)
    if args.command == "reset":
        if args.check:
            return learner.check_reset()
        names = exercises() if args.name == "all" else [args.name]
        return max([learner.reset(name, args.yes, target) for name in names])
    return learner.show_table(target)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
