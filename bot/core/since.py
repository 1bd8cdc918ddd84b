"""A time in the past as people write it: `since 2026-11-02`, `2026-11-02T09:30+01:00`, `3 days`, `last week`.
A day without a zone begins at midnight in UTC."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

MOST_DAYS = 3_650
_DATE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[t ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?:z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_AGO = re.compile(
    r"(?:the )?(?:last |past )?(?P<n>[0-9]{1,4}|a|an|one|two|three) ?"
    r"(?P<unit>hour|day|week|month|year|h|d|w)s?"
    r"(?: ago)?(?!\w)"
)
_NAMED = {
    "yesterday": 1.0,
    "last week": 7.0,
    "a week": 7.0,
    "last month": 30.0,
    "last year": 365.0,
    "today": 0.0,
}
_NUMBERS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3}
_UNITS = {"h": 1 / 24, "d": 1.0, "w": 7.0, "m": 30.0, "y": 365.0}
_LEAD = re.compile(r"(?:since|after|from)\b ?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Since:
    """`at`: seconds since 1970, None where no time is named; `rest`: what else the text says; `wrong`: why a
    time that was named is none to go by, a sentence."""

    at: float | None = None
    rest: str = ""
    wrong: str = ""


def since(text: str, now: float) -> Since:
    """Of a command's argument; the last time that is named in it, with or without `since` before it."""
    said = " ".join(text[:300].split())
    low = said.casefold()
    if len(low) != len(said):  # a letter that is two in lower case: places would not fit
        low = said.lower() if len(said.lower()) == len(said) else said
    found = [*_DATE.finditer(low)]
    if found:
        at = found[-1]
        return _checked(_moment(at.group()), said, at.start(), at.end(), now)
    words = [
        (m.start(), m.end(), m) for m in re.finditer(_AGO.pattern + r"(?!\w)", low) if _begins(low, m.start())
    ]
    if words:
        start, end, ago = words[-1]
        count = _NUMBERS.get(ago["n"]) or int(ago["n"])
        return _checked(now - count * _UNITS[ago["unit"][0]] * 86_400, said, start, end, now)
    for name, days in _NAMED.items():
        start = low.find(name)
        if (
            start >= 0
            and _begins(low, start)
            and not low[start + len(name) : start + len(name) + 1].isalnum()
        ):
            midnight = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
            at_day = (midnight - timedelta(days=days)).timestamp()
            return _checked(at_day, said, start, start + len(name), now)
    if _LEAD.match(said):
        return Since(wrong="I know no such time; write a day, as in `since 2026-11-02`, or `since 3 days`.")
    return Since(rest=said)


def _begins(text: str, start: int) -> bool:
    return start == 0 or not text[start - 1].isalnum()


def _moment(text: str) -> float | None:
    try:
        at = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _checked(at: float | None, said: str, start: int, end: int, now: float) -> Since:
    before = re.sub(r"(?:\b(?:since|after|from) ?)$", "", said[:start], flags=re.IGNORECASE)
    rest = " ".join(f"{before} {said[end:]}".split())
    if at is None:
        return Since(wrong=f"`{said[start:end]}` is no day of the calendar.")
    if at > now:
        return Since(wrong=f"`{said[start:end]}` is in the future; name a time that has been.")
    return Since(max(at, now - MOST_DAYS * 86_400), rest)
