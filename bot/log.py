"""Structured logs, one JSON object a line (at a terminal lines for people), in which a registered secret
cannot be printed.

`bind(delivery=…, run=…)` puts fields on every line of the current task. `hide(value)` registers a secret:
from then on it is replaced wherever a message, a field or a traceback contains it. Tokens and keys of known
shapes are replaced whether registered or not.
"""

import json
import logging
import re
import sys
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any
from urllib.parse import quote

HIDDEN = "[hidden]"
MOST_PASSING = 2000
"""Installation tokens come and go for as long as the process lives: the oldest are forgotten."""

_fields: ContextVar[dict[str, str]] = ContextVar("log_fields", default={})  # noqa: B039  never mutated, only replaced
_collected: ContextVar["list[LoggedLine] | None"] = ContextVar("log_lines", default=None)
MOST_COLLECTED = 300
LONGEST_COLLECTED = 2_000
_secrets: dict[str, tuple[str, ...]] = {}
_passing: dict[str, None] = {}
_forms: tuple[str, ...] = ()
_log = logging.getLogger(__name__)
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Control characters, which would move a terminal's cursor or colour it; not tab and newline."""
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_SHAPES = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|\bgh[a-z]_[A-Za-z0-9_.-]{16,}"  # GitHub's tokens, the long `ghs_` ones with dots too
    r"|\bgithub_pat_[A-Za-z0-9_]{16,}"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"  # a JWT
    r"|(?<=[Bb]earer )[A-Za-z0-9._~+/=-]{8,}"
    r"|(?<![A-Za-z0-9])A(?:KIA|SIA|BIA|CCA)(?=[A-Z]{0,15}[0-9])(?!IOSFODNN7EXAMPLE)[A-Z0-9]{16}(?![A-Za-z0-9])"
    r"|(?<=://)(?!user(?:name)?:pass(?:word)?@|[^\s/@:]{0,256}:[0-9]{1,5}[?#,;)|\]])"
    r"[^\s/@:'\"<>{}$]{0,256}:[^\s/'\"<>{}$]{3,}(?=@)",  # a login of a URL
    re.DOTALL,
)
_MARKS = ("gh", "github_pat_", "eyJ", "earer ", "-----BEGIN", "AKIA", "ASIA", "ABIA", "ACCA", "://")


def hide(secret: str, *, passing: bool = False) -> None:
    """Registers a value that no log line may show, in the forms that JSON, repr, URLs and HTTP give it too.
    Values under 6 characters would redact half the text and are refused silently: they are no secrets.
    `passing`: it ends by itself, and may be forgotten after `MOST_PASSING` others."""
    if len(secret) < 6 or secret in _secrets:
        return
    if passing:
        _passing[secret] = None
    if len(_passing) > MOST_PASSING:
        oldest = next(iter(_passing))
        del _passing[oldest]
        _secrets.pop(oldest, None)
    written = {
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        quote(secret, safe=""),
        b64encode(secret.encode(errors="surrogatepass")).decode().rstrip("="),
    }
    _secrets[secret] = tuple(written)
    _order_forms()


def forget(secret: str) -> None:
    """A passing value that has ended: it opens nothing any more. Each that is hidden costs every line, and
    every text that Hob posts, a look."""
    if secret in _passing:
        del _passing[secret]
        _secrets.pop(secret, None)
        _order_forms()


def _order_forms() -> None:
    """Longest first."""
    global _forms
    _forms = tuple(sorted({form for forms in _secrets.values() for form in forms}, key=len, reverse=True))


def hidden() -> tuple[str, ...]:
    """The values that are registered now."""
    return tuple(_secrets)


def redact(text: str) -> str:
    """`text` without any registered secret, longest first, and without what is shaped like a token or key."""
    for form in _forms:
        if form in text:
            text = text.replace(form, HIDDEN)
    if any(
        mark in text for mark in _MARKS
    ):  # the pattern costs ten times as much as looking for its beginnings
        text = _SHAPES.sub(HIDDEN, text)
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


@dataclass(frozen=True, slots=True)
class LoggedLine:
    """`at` is epoch seconds; `level` in lower case."""

    at: float
    level: str
    message: str


class _Collector(logging.Handler):
    """Gives each line to whoever collects in its task."""

    def emit(self, record: logging.LogRecord) -> None:
        lines = _collected.get()
        if lines is None or len(lines) >= MOST_COLLECTED:
            return
        if record.levelno < logging.WARNING and record.name.startswith(QUIET):
            return
        error = f"\n{record.exc_info[0].__name__}" if record.exc_info and record.exc_info[0] else ""
        said = redact((record.getMessage() + error)[:LONGEST_COLLECTED])
        lines.append(LoggedLine(record.created, record.levelname.lower(), said))


_collector = _Collector()


@contextmanager
def collecting() -> Iterator[list[LoggedLine]]:
    """The lines that are logged inside, in this task and those it starts."""
    root = logging.getLogger()
    if _collector not in root.handlers:
        root.addHandler(_collector)
    lines: list[LoggedLine] = []
    token = _collected.set(lines)
    try:
        yield lines
    finally:
        _collected.reset(token)


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
        return json.dumps(line if _is_clean(line) else _clean(line), ensure_ascii=False)


def _is_clean(line: dict[str, Any]) -> bool:
    """The usual line: texts and numbers, all looked through at once. What is nested goes the longer way."""
    if not all(isinstance(value, str | int | float | None) for value in line.values()):
        return False
    text = "\n".join(map(str, (*line.keys(), *line.values())))
    return redact(text) == text


def _clean(value: object) -> object:
    """Redacted before it is written as JSON, so that what is hidden cannot take the line's form with it."""
    match value:
        case None | bool() | int() | float():
            return value
        case dict():
            return {redact(str(key)): _clean(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_clean(item) for item in value]
        case _:
            return redact(str(value))


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, SystemExit | KeyboardInterrupt):
        return
    _log.critical("nobody caught %s", kind.__name__, exc_info=(kind, error, trace))


QUIET = ("httpx", "httpcore", "uvicorn.access", "alembic", "rq.")
"""Loggers that speak of every request or job; RQ sets its own level, so it is told by a filter."""


class PlainFormatter(logging.Formatter):
    """For a person at a terminal: the time, what is worth a look, the message; a traceback below it."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        level = "" if record.levelno < logging.WARNING else f"{record.levelname.lower()}: "
        about = "".join(f" [{name} {value}]" for name, value in _fields.get().items() if name == "run")
        error = f"\n{self.formatException(record.exc_info)}" if record.exc_info else ""
        return redact(_UNSEEN.sub("?", f"{at} {level}{record.getMessage()}{about}{error}"))


def setup(level: str = "info") -> None:
    """Logs to stderr: JSON, or lines for people where that is a terminal; also warnings, and what ends a
    thread or the process. Libraries that speak of every request (httpx, uvicorn.access) are kept to warnings.
    A line that cannot be written (full disk, closed pipe) is lost, and nothing else is."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(PlainFormatter() if sys.stderr.isatty() else JsonFormatter())
    logging.captureWarnings(True)
    sys.excepthook = _uncaught
    threading.excepthook = lambda told: _uncaught(
        told.exc_type, told.exc_value or told.exc_type(), told.exc_traceback
    )
    sys.unraisablehook = lambda told: _uncaught(
        told.exc_type, told.exc_value or told.exc_type(), told.exc_traceback
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.raiseExceptions = False
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False  # no line shows them
    handler.addFilter(lambda record: record.levelno >= logging.WARNING or not record.name.startswith(QUIET))
