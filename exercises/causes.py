"""Choose the cause that a failure names: by the status, then the exception, then the check's guess.

A check gives its guess as a text, or as a mapping when it depends on what came: the key is words of
an exception, a status, the first digit of a status, or "" for all else. For example
{422: "tag_ids has no default.", 2: "nobody looks whether the tag is there."}.
"""

import re
from collections.abc import Mapping
from typing import Any, Protocol

Guesses = Mapping[int | str, str]
Why = str | Guesses

NULL = (
    "null reached a column that may not be null: an explicit null, a field that was not sent, a "
    "key that is not there before session.flush(), or the children of a deleted row."
)
DUPLICATE = (
    "the database refused a duplicate and nobody caught the IntegrityError: roll back and answer "
    "409."
)
OWN_ID = (
    "a row with this id is there already: the app chooses ids itself, or takes them from the "
    "client. Leave the id out, and the database gives one that is free, to all processes."
)
BOUND = "the database refused a value out of bounds: bound it in the input class, or answer 4xx."
NO_TABLE = (
    "the tables were not created: are the models imported before create_all(), is it awaited in "
    "async code, and does FastAPI know of the lifespan?"
)
OLD_TABLE = (
    "the table does not have this column: it was made before the column was written. create_all() "
    "changes no table that is there, so delete app.db, or write a migration."
)
SHARED = (
    "one Session or one AsyncSession for all requests, in which several work at the same moment: "
    "each needs a session of its own, from a dependency that opens and closes it (`with "
    "Session(engine) as session: yield session`)."
)
GLUED = (
    "the statement is put together from texts, and the result is no SQL: a list of fields may be "
    "empty, and what a client sends may hold signs that SQL reads, such as : or '. Values belong "
    "into parameters."
)
DUPLICATES = ("UNIQUE constraint", "unique constraint")
# What an exception usually means, by words that it contains.
EXCEPTIONS = {
    "PendingRollbackError": "a session is used after an error without session.rollback(); one "
    "session per request, and a rollback in every `except`, keep one failure from the next.",
    "StaleDataError": "the row, or the pair in a link table, that the app read was changed or "
    "removed by another request before it was written: lock it first, or write with one UPDATE.",
    "deadlock detected": "two requests lock the same rows in opposite order: lock them sorted by "
    "id.",
    "could not serialize": "two transactions met on one row: repeat the one that was refused.",
    "MultipleResultsFound": "there are several rows where the app expects one at most: nothing in "
    "the database keeps the second out.",
    "NOT NULL constraint": NULL,
    "null value in column": NULL,
    "UNIQUE constraint": DUPLICATE,
    "unique constraint": DUPLICATE,
    "syntax error": GLUED,
    "required for bind parameter": GLUED,
    "FOREIGN KEY constraint": "a row points at a row that is not there; answer 404 before it.",
    "foreign key constraint": "a row points at a row that is not there, or is still in use.",
    "IndexError": "a list, or a row, has fewer elements than the app takes: it may be empty.",
    "CHECK constraint": BOUND,
    "check constraint": BOUND,
    "OverflowError": BOUND,
    "out of range": BOUND,
    "database is locked": "another transaction holds SQLite's write lock for too long: keep "
    "transactions short and begin writing ones with BEGIN IMMEDIATE.",
    "QueuePool limit": "sessions are opened and never closed, so the pool ran dry: `with "
    "Session(engine) as session: yield session`.",
    "no such table": NO_TABLE,
    "UndefinedTable": NO_TABLE,
    "no such column": OLD_TABLE,
    "has no column named": OLD_TABLE,
    "UndefinedColumn": OLD_TABLE,
    "DetachedInstanceError": "a relationship is loaded after the session was closed: load it with "
    "selectinload() while the session is open.",
    "MissingGreenlet": "a lazy load in async code: load relationships with selectinload(), and "
    "make sessions with expire_on_commit=False.",
    "closed transaction": "commit() or rollback() inside of a block, `with session.begin():`, "
    "`with engine.begin():` or `with session.begin_nested():`, ends the whole transaction, and the "
    "savepoint with it. The block ends by itself what it began.",
    "This transaction is closed": SHARED,
    "IllegalStateChangeError": SHARED,
    "already flushing": SHARED,
    "concurrent operations are not permitted": SHARED,
    "another operation is in progress": SHARED,
    "coroutine": "an `await` is missing.",
    "NoResultFound": "`.one()` raises where there is no row; `.first()` gives None.",
    "Boolean value of this clause": "Python's `and`, `or` and `a <= x <= b` do not work between "
    "conditions: or_(), and_(), or several terms in where().",
    "must have timezone information": "`datetime.now()` knows no time zone: `datetime.now(UTC)`.",
    "ResponseValidationError": "the returned object does not fit the response model.",
    "ValidationError": "a class refuses the value inside of the route, where that is a 500: the "
    "class of the request body has to refuse it, which is a 422.",
}


class Answer(Protocol):
    """What the choice looks at."""

    status: int
    body: Any
    text: str
    error: str
    database_error: str

    @property
    def unrouted(self) -> bool:
        """Tell whether the framework itself has answered that there is no such route."""


def choose(answer: Answer, wanted: tuple[int, ...], why: Why) -> str:
    """Choose the cause of a status that the check did not want."""
    guesses: Guesses = {"": why} if isinstance(why, str) else why
    if certain := by_status(answer):
        return certain
    if answer.status >= 500:
        return by_exception(answer, guesses)
    if answer.status == 422:
        return by_validation(answer, guesses)
    if own := guesses.get(answer.status):
        return own
    if "IntegrityError" in answer.database_error and not {409, 400}.isdisjoint(wanted):
        return by_refusal(answer)
    return guess(answer.status, guesses)


def guess(status: int, guesses: Guesses) -> str:
    """Give what the check says about this status, else its first digit, else all the rest."""
    keys = (status, status // 100, "")
    return next((guesses[key] for key in keys if guesses.get(key)), "")


def by_status(answer: Answer) -> str:
    """Give the cause that status and body prove."""
    if answer.status == 501:
        return "the starter's placeholder is still there; this step is yet to be written."
    if answer.status == 405:
        return "the path is there, but not for this method, or with a slash at its end."
    if answer.unrouted:
        return "there is no such route; compare method and path, letter for letter."
    if "404: " in answer.text:
        return "an `except Exception` has caught the HTTPException too, and answers it anew."
    return ""


def by_exception(answer: Answer, guesses: Guesses) -> str:
    """Give the cause of an exception; a guess where it names none that is known."""
    if not answer.error and any(sign in answer.database_error for sign in DUPLICATES):
        return guesses.get(answer.status) or by_refusal(answer)
    told = [answer.error, answer.database_error, answer.text]
    own = {words: cause for words, cause in guesses.items() if isinstance(words, str) and words}
    for text in told:
        if re.search(r"UNIQUE constraint failed: \w+\.id\b(?!,)", text):
            return OWN_ID
        for words, cause in (*own.items(), *EXCEPTIONS.items()):
            if words in text:
                return cause
        if text == answer.error != "":  # what ended the request; what came before it did not
            return guess(answer.status, guesses)
    own_guess = guesses.get(answer.status, guesses.get(5, ""))
    return own_guess or (
        f"the app answers {answer.status} of its own accord: an `except Exception` hides what "
        "happened. Catch the exceptions that you mean, and no others."
    )


def by_validation(answer: Answer, guesses: Guesses) -> str:
    """Name the field that was refused; a 422 without one was raised by hand."""
    details = answer.body.get("detail") if isinstance(answer.body, dict) else None
    places = [detail for detail in details or [] if isinstance(detail, dict) and "loc" in detail]
    if not places and isinstance(details, list):  # the app words the errors of validation itself
        return guess(422, guesses)
    if not places:
        by_hand = (
            "the app itself answers 422 here; that is for input that breaks a bound or a type."
        )
        return guesses.get(422, by_hand)
    refused = "; ".join(
        f"{'.'.join(map(str, detail['loc']))}: {detail.get('msg', '')}" for detail in places[:3]
    )
    return f"validation refuses {refused}. {capital(guess(422, guesses))}".rstrip()


def by_refusal(answer: Answer) -> str:
    """Say that the database refused the row, and the app answered something else."""
    if answer.status >= 500:
        return (
            f"the database refused the row ({answer.database_error}); the app catches that error, "
            f"and answers {answer.status} of its own accord: a value that is taken is 409."
        )
    if answer.status < 300:
        return (
            f"the database refused the row ({answer.database_error}) and the app answers "
            f"{answer.status} all the same: its IntegrityError is caught and passed over."
        )
    return (
        f"the database refused the row ({answer.database_error}); answer 409 where that "
        "IntegrityError is caught."
    )


def capital(sentence: str) -> str:
    """Begin a sentence with a capital letter, unless code is its first word."""
    code = set("._(=").intersection(sentence.partition(" ")[0].rstrip(".,"))
    return sentence if code else sentence[:1].upper() + sentence[1:]
