"""When scheduled work is due. Nothing here reads a clock; times are epoch seconds.

A night and a week are days of the calendar in the configured time zone, whatever its clocks do: an hour that
is skipped or repeated makes no night more or less.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Literal

Every = Literal["night", "week"] | float
"""Each night, each week (the night to Monday), or seconds."""
NIGHT_HOUR = 2
"""Local hour at which a night's work begins."""
WINDOW = 2 * 3600.0
"""Seconds over which the repositories are spread that a route is due in at the same time; where the interval
is shorter, all of it."""
LATE = 600.0
"""Seconds after which due work counts as missed: Hob was down."""


@dataclass(frozen=True, slots=True)
class DueTimes:
    """`slot` names the night, week or interval whose work is the newest due, and is part of its run's name;
    `since` is when that was due, `not_before` when it may start; `following` is when the next is due."""

    slot: str
    since: float
    not_before: float
    following: float


def due_times(every: Every, zone: tzinfo, now: float, offset: float) -> DueTimes:
    """Of work that begins `offset` seconds into each night, week or interval. What was missed is spread anew
    from `now` on, so that not everything starts at once when Hob comes back."""
    slot, since = _newest(every, zone, now - offset)
    late = now - since - offset > LATE
    return DueTimes(
        slot, since + offset, now + offset if late else 0.0, _following(every, zone, now - offset) + offset
    )


def horizon(every: Every, now: float) -> float:
    """What is due later than that was put down by a clock that was wrong, or for another interval."""
    days = {"night": 2, "week": 8}
    return now + (days[every] * 86_400 if isinstance(every, str) else 2 * every)


def spread(handler: str, repo_id: int, every: Every) -> float:
    """A repository's seconds into the window: always the same, others for others. 0 is the whole Hob's, which
    waits for nothing."""
    if not repo_id:
        return 0.0
    digest = hashlib.sha256(f"{handler}/{repo_id}".encode()).digest()
    share = int.from_bytes(digest[:4]) / 2**32
    return share * (WINDOW if isinstance(every, str) else min(WINDOW, every))


def _newest(every: Every, zone: tzinfo, now: float) -> tuple[str, float]:
    """(its name, its beginning)"""
    if not isinstance(every, str):
        start = now // every * every
        return datetime.fromtimestamp(start, UTC).isoformat().replace("+00:00", "Z"), start
    day = next(day for day in _days(every, zone, now, back=True) if _begins(day, zone) <= now)
    if every == "night":
        return day.isoformat(), _begins(day, zone)
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}", _begins(day, zone)


def _following(every: Every, zone: tzinfo, now: float) -> float:
    if not isinstance(every, str):
        return (now // every + 1) * every
    return next(at for day in _days(every, zone, now) if (at := _begins(day, zone)) > now)


def _days(every: Every, zone: tzinfo, now: float, *, back: bool = False) -> Iterator[date]:
    """The days on which it begins, from the one of `now` on."""
    day = datetime.fromtimestamp(now, zone).date()
    step = timedelta(days=1)
    if every == "week":
        day, step = day - timedelta(days=day.weekday()), timedelta(days=7)
    while True:
        yield day
        day = day - step if back else day + step


def _begins(day: date, zone: tzinfo) -> float:
    return datetime(day.year, day.month, day.day, NIGHT_HOUR, tzinfo=zone).timestamp()
