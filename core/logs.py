"""The log: which request a line belongs to, as text or JSON."""

import json
import logging
from contextvars import ContextVar

logger = logging.getLogger("uvicorn.error")
request_id: ContextVar[str] = ContextVar("request_id", default="")


def first_line(error: Exception) -> str:
    """Return what the database said, without the values that PostgreSQL adds in further lines."""
    return str(getattr(error, "orig", error)).strip().partition("\n")[0]


def name_request(record: logging.LogRecord) -> bool:
    """Put the id of the request that runs at the end of a line."""
    if own_id := request_id.get():
        record.msg = f"{record.msg} [{own_id}]"
    return True


class JsonFormatter(logging.Formatter):
    """Writes each entry as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        entry = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "message": record.getMessage(),
            "request_id": request_id.get() or None,
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry)


def prepare_logs(log_format: str) -> None:
    """Name the request in each line or, with the format "json", make each line JSON."""
    logging.getLogger("aiosqlite").setLevel(logging.INFO)  # for debugging it shows every value
    if log_format != "json":
        logger.addFilter(name_request)
        return
    logger.removeFilter(name_request)
    for name in ("", "uvicorn", "uvicorn.error", "uvicorn.access", "gunicorn.error"):
        for handler in logging.getLogger(name).handlers:
            handler.setFormatter(JsonFormatter())
