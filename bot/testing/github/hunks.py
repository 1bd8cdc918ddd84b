"""Which lines a review may speak of: the hunks of a patch, and where a line went in a later version."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

Side = Literal["LEFT", "RIGHT"]
_HEADER = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")


@dataclass(frozen=True)
class PatchLine:
    """One line of a patch; `position` counts from the line under the first `@@`, later headers included."""

    hunk: int
    position: int
    text: str
    left: int | None
    right: int | None


@dataclass(frozen=True)
class CommentSpot:
    """A place that a comment can stand at; `diff_hunk` is the hunk down to its line."""

    line: int
    side: Side
    position: int
    hunk: int
    diff_hunk: str


def rows(patch: str) -> list[PatchLine]:
    """The lines of a patch with their numbers on either side."""
    found: list[PatchLine] = []
    hunk, left, right = -1, 0, 0
    for position, text in enumerate(patch.split("\n")):
        header = _HEADER.match(text)
        if header:
            hunk, left, right = hunk + 1, int(header[1]), int(header[2])
            found.append(PatchLine(hunk, position, text, None, None))
        elif text.startswith("\\"):
            found.append(PatchLine(hunk, position, text, None, None))
        else:
            is_old, is_new = not text.startswith("+"), not text.startswith("-")
            found.append(PatchLine(hunk, position, text, left if is_old else None, right if is_new else None))
            left, right = left + is_old, right + is_new
    return found


def find(patch: str | None, line: int, side: Side) -> CommentSpot | None:
    """Where `line` of a side stands in the patch."""
    listed = rows(patch or "")
    for row in listed:
        if (row.right if side == "RIGHT" else row.left) == line:
            return _location(listed, row, line, side)
    return None


def at_position(patch: str | None, position: int) -> CommentSpot | None:
    """The line at a position, the way older clients name it."""
    listed = rows(patch or "")
    for row in listed:
        if row.position == position and row.position > 0:
            side: Side = "RIGHT" if row.right is not None else "LEFT"
            line = row.right if row.right is not None else row.left
            return _location(listed, row, line, side) if line is not None else None
    return None


def _location(listed: list[PatchLine], row: PatchLine, line: int, side: Side) -> CommentSpot:
    above = [other.text for other in listed if other.hunk == row.hunk and other.position <= row.position]
    return CommentSpot(line, side, row.position, row.hunk, "\n".join(above))


def moved(before: str, after: str, line: int) -> int | None:
    """The number that an untouched line of `before` has in `after`; None when it was changed or removed."""
    matcher = SequenceMatcher(a=before.split("\n"), b=after.split("\n"), autojunk=False)
    for start, to, size in matcher.get_matching_blocks():
        if start < line <= start + size:
            return to + line - start
    return None
