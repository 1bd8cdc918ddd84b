"""Secrets that change while Hob runs: their file is replaced, and what it held before holds until then."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from bot.core.errors import HobError

LOOK_SECONDS = 1.0
T = TypeVar("T")
log = logging.getLogger(__name__)


class Rotating(Generic[T]):
    """`read` gives what a file holds; calling it, what it holds now, looked at once a second. What cannot be
    used is said once, and what was there before goes on to hold. Without a path it never changes."""

    def __init__(self, read: Callable[[], T], path: Path | None) -> None:
        self._read, self._path = read, path
        self._seen = self._stamp()
        self._value = read()
        self._look_at = 0.0

    def __call__(self) -> T:
        now = time.monotonic()
        if now < self._look_at:
            return self._value
        self._look_at = now + LOOK_SECONDS
        stamp = self._stamp()  # before it is read: what is written meanwhile is seen the next time
        if stamp != self._seen:
            self._seen = stamp
            try:
                self._value = self._read()
                log.info("%s was replaced, and is used as it is now", self._path)
            except HobError as wrong:
                log.warning("%s cannot be used; what it held before holds: %s", self._path, wrong)
        return self._value

    def _stamp(self) -> tuple[int, ...]:
        try:
            found = self._path.stat() if self._path else None
        except OSError:
            return (0,)
        return (found.st_mtime_ns, found.st_size, found.st_ino, found.st_mode) if found else ()
