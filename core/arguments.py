"""The arguments of a database's URL, for the drivers that are installed."""

import ssl
from inspect import signature
from typing import Any

import aiomysql
from psycopg.pq import Conninfo
from pymysql.connections import Connection
from sqlalchemy import URL

from core.settings import StartupError

SQLITE = {"uri", "timeout", "detect_types", "check_same_thread", "cached_statements"}
POSTGRESQL = {option.keyword.decode() for option in Conninfo.get_defaults()}
MYSQL = set(signature(Connection).parameters) - {"cursorclass", "conv", "auth_plugin_map"}
ASYNC_MYSQL = set(signature(aiomysql.connect).parameters)
# What other drivers, and MySQL's own programs, call TLS; and what each mode demands.
TLS_NAMES = ("ssl", "sslmode", "ssl-mode", "ssl_mode")
TLS_FILES = {"ssl_ca", "ssl_capath", "ssl_cert", "ssl_key", "ssl_key_password", "ssl_cipher"}
TLS_CHECKS = {"ssl_check_hostname", "ssl_verify_cert", "ssl_verify_identity"}
TLS_MODES = {
    **dict.fromkeys(("disable", "disabled", "false", "0"), "disable"),
    **dict.fromkeys(("prefer", "preferred"), "prefer"),
    **dict.fromkeys(("require", "required", "true", "1"), "require"),
    "verify_ca": "verify-ca",
    **dict.fromkeys(("verify_identity", "verify_full"), "verify-full"),
}


def arguments_for(url: URL) -> tuple[URL, dict[str, Any]]:
    """Return the URL without the arguments that need translation, and those for the driver.

    Raises StartupError for one that is unusable.
    """
    query = dict(url.query)
    match url.get_backend_name():
        case "postgresql":
            arguments = _postgresql(query)
            known = POSTGRESQL
        case "mysql":
            context = _tls_context(query)
            arguments = {"ssl": context} if context else {}
            known = MYSQL
            if url.get_driver_name() == "aiomysql":  # it has no time-outs of its own
                for name in MYSQL - ASYNC_MYSQL:
                    query.pop(name, None)
        case _:
            arguments = {}
            known = set(query) if query.get("uri") else SQLITE
    if unknown := sorted(set(query) - known):
        raise StartupError(f"The database URL is unusable: no argument is called {unknown[0]!r}.")
    return url.set(query=query), arguments


def _tls_mode(query: dict[str, Any]) -> str:
    given = {name: str(query.pop(name)) for name in TLS_NAMES if name in query}
    for name, value in given.items():
        try:
            return TLS_MODES[value.lower().replace("-", "_")]
        except KeyError:
            raise StartupError(
                f"The database URL is unusable: {name}={value} is no kind of TLS; "
                "require, verify-ca and verify-full are."
            ) from None
    return ""


def _postgresql(query: dict[str, Any]) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    if "sslmode" not in query and (mode := _tls_mode(query)):
        query["sslmode"] = mode
    if "prepare_threshold" in query:
        value = query.pop("prepare_threshold")
        if not (value == "None" or str(value).isdecimal()):
            raise StartupError(
                f"The database URL is unusable: prepare_threshold={value} is neither None "
                "nor a number."
            )
        arguments["prepare_threshold"] = None if value == "None" else int(value)
    return arguments


def _tls_context(query: dict[str, Any]) -> ssl.SSLContext | None:
    # PyMySQL reads most of these by itself, aiomysql none: it wants a context.
    mode = _tls_mode(query)
    files = {name: query.pop(name) for name in TLS_FILES & query.keys()}
    checks = {name: query.pop(name).lower() in ("true", "1") for name in TLS_CHECKS & query.keys()}
    if mode in ("disable", "prefer") or not (mode or files or checks):
        if mode == "disable":
            query["ssl_disabled"] = "true"
        return None
    has_ca = bool({"ssl_ca", "ssl_capath"} & files.keys())
    verifies = mode.startswith("verify") or has_ca or any(checks.values())
    verifies_host = mode != "verify-ca" and all(checks.values())
    ca, folder = files.get("ssl_ca"), files.get("ssl_capath")
    try:
        context = ssl.create_default_context(cafile=ca, capath=folder)
        context.check_hostname = verifies and verifies_host
        context.verify_mode = ssl.CERT_REQUIRED if verifies else ssl.CERT_NONE
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # servers make such certificates themselves
        if "ssl_cert" in files:
            context.load_cert_chain(
                files["ssl_cert"], files.get("ssl_key"), files.get("ssl_key_password")
            )
        if "ssl_cipher" in files:
            context.set_ciphers(files["ssl_cipher"])
    except OSError as error:  # ssl.SSLError is one
        shown = sorted(f"{n}={file}" for n, file in files.items() if "password" not in n)
        names = ", ".join(shown)
        raise StartupError(
            f"The database URL is unusable: {names} cannot be used: {error.strerror or error}."
        ) from None
    return context
