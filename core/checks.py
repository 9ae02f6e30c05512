"""What text must not be, and how it is made equal before it is compared."""

import unicodedata
from typing import Any


def refuse_nul(value: Any) -> Any:
    """Return the value; raise ValueError when it is text that no database can store."""
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError("Text must not contain NUL characters")
        try:
            value.encode()
        except UnicodeEncodeError:  # JSON can write half of a character: "\ud800"
            raise ValueError("Text must not contain half a surrogate pair") from None
    return value


def refuse_blank(text: str) -> str:
    """Return the text; raise ValueError if there is nothing to see in it."""
    if not text.strip():
        raise ValueError("Text must not be blank")
    return text


def refuse_weak(password: str) -> str:
    """Return the password; raise ValueError if it would be guessed soon."""
    if not (any(map(str.isupper, password)) and any(map(str.isdigit, password))):
        raise ValueError("Password needs an upper-case letter and a digit")
    return password


def tidy(value: object) -> object:
    """Strip text, and compose its letters and accents (NFC), so that equal looks equal."""
    return unicodedata.normalize("NFC", value.strip()) if isinstance(value, str) else value


def refuse_name(email: object) -> object:
    """Return the e-mail; raise ValueError if it is written `Ada <ada@example.com>`."""
    if isinstance(email, str) and "<" in email:
        raise ValueError("An e-mail is the address alone, without a name")
    return email


def upper(sku: str | None) -> str | None:
    """Return an SKU as it is stored."""
    return sku and sku.upper()


def tidy_lower(value: object) -> object:
    """Return text like tidy, in lower case."""
    return tidy(value.lower()) if isinstance(value, str) else value


def refuse_unusual_digits(text: str) -> str:
    """Return the text; raise ValueError if it is not of the digits 0 to 9 alone."""
    if not (text.isascii() and text.isdigit()):  # int() would take " 1" and "１"
        raise ValueError("An id is written in the digits 0 to 9")
    return text
