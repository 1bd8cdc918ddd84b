"""Structured logs, one JSON object a line, in which a registered secret cannot be printed.

`bind(delivery=…, run=…)` puts fields on every line of the current task. `hide(value)` registers a secret: from then on it
is replaced wherever a message, a field or a traceback contains it.
"""

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

_fields: ContextVar[dict[str, str]] = ContextVar("log_fields", default={})  # noqa: B039  never mutated, only replaced
_secrets: set[str] = set()
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def hide(secret: str) -> None:
    """Registers a value that no log line may show. Short values (under 6 characters) would redact half the text and are
    refused silently: they are no secrets."""
    if len(secret) >= 6:
        _secrets.add(secret)


def redact(text: str) -> str:
    """`text` without any registered secret, longest first."""
    for secret in sorted(_secrets, key=len, reverse=True):
        if secret in text:
            text = text.replace(secret, "[hidden]")
    return text


@contextmanager
def bind(**fields: str) -> Iterator[None]:
    """Fields for every line logged inside, in this task and those it starts."""
    token = _fields.set({**_fields.get(), **fields})
    try:
        yield
    finally:
        _fields.reset(token)


def bound(name: str) -> str:
    """The value of a bound field, or an empty string."""
    return _fields.get().get(name, "")


class JsonFormatter(logging.Formatter):
    """time, level, logger, message, bound fields, extras; `error` holds the traceback."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_fields.get(),
            **{key: value for key, value in vars(record).items() if key not in _STANDARD},
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return redact(json.dumps(line, default=str, ensure_ascii=False))


def setup(level: str = "info") -> None:
    """Logs to stderr. Libraries that speak of every request (httpx, uvicorn's access log) are kept to warnings."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in ("httpx", "httpcore", "uvicorn.access", "alembic", "rq"):
        logging.getLogger(name).setLevel(logging.WARNING)
