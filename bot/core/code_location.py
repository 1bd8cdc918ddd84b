"""`path:12-40`: a place in a file, as people write it."""

import re
from dataclasses import dataclass

from bot.core.code_search import Excerpt
from bot.core.text import file_lines

AROUND = 30
"""Lines shown before and after those that are meant."""
MOST_LINES = 400
_LINES = r"(?::(?P<start>\d{1,7})(?:-(?P<end>\d{1,7}))?)?"
_SPOT = re.compile(rf"`?(?P<path>[^\s`:]{{1,500}}){_LINES}`?(?=\s|$)")
_QUOTED = re.compile(
    rf"(?P<quote>[`\"'])(?P<path>[^`\"'\n]{{1,500}}?){_LINES}(?P=quote)"
    rf"{_LINES.replace('<', '<after_')}(?=\s|$)"
)
"""With blanks or colons in it: `a b.py:3`, "a b.py":3."""


@dataclass(frozen=True, slots=True)
class CodeLocation:
    """Lines `start` to `end` of a file, from 1; None: all of it."""

    path: str
    start: int | None = None
    end: int | None = None

    def __str__(self) -> str:
        if self.start is None:
            return self.path
        return f"{self.path}:{self.start}" + (f"-{self.end}" if self.end not in (None, self.start) else "")

    @property
    def is_path(self) -> bool:
        """Whether it can be nothing but the name of a file."""
        return self.start is not None or "/" in self.path or "." in self.path.strip(".?!")

    def excerpt(self, text: str) -> Excerpt | None:
        """Its lines and those around them, at most `MOST_LINES`; None where the file has no such lines."""
        lines = file_lines(text)
        first = max(1, (self.start or 1) - AROUND)
        last = min(len(lines), (self.end or self.start or len(lines)) + AROUND, first + MOST_LINES - 1)
        if not lines or (self.start or 1) > len(lines) or (self.end or self.start or 1) < (self.start or 1):
            return None
        return Excerpt(self.path, first, tuple(lines[first - 1 : last]))


def location(said: str) -> tuple[CodeLocation | None, str]:
    """The place that a command's words begin with, if they may, and the rest."""
    quoted = _QUOTED.match(said)
    found = quoted or _SPOT.match(said)
    if found is None:
        return None, said
    first, last = found["start"], found["end"]
    if quoted is not None and quoted["after_start"]:
        first, last = quoted["after_start"], quoted["after_end"]
    start = int(first) if first else None
    end = int(last) if last else start
    return CodeLocation(found["path"].lstrip("/"), start, end), said[found.end() :].strip()
