"""Requests that a caller does not see, since they are made within one call: retries, redirects, and again
with another token. Counted for whoever keeps to a number of calls."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Repeats:
    count: int = 0


_now: ContextVar[Repeats | None] = ContextVar("repeats", default=None)


@contextmanager
def repeats() -> Iterator[Repeats]:
    """Counts those that are made within the block, by this task and those that it starts."""
    made = Repeats()
    before = _now.set(made)
    try:
        yield made
    finally:
        _now.reset(before)


def repeated() -> None:
    """One more request for the same call."""
    if (made := _now.get()) is not None:
        made.count += 1
