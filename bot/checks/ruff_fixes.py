"""A fix of ruff's as new text for whole lines, as a suggestion has it. https://docs.astral.sh/ruff/linter/#fix-safety"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

MOST_LINES = 20
"""That one suggestion replaces."""


class RuffPosition(msgspec.Struct):
    """`row` and `column` count from 1; a column counts characters."""

    row: int
    column: int


class RuffEdit(msgspec.Struct):
    location: RuffPosition
    end_location: RuffPosition
    content: str | None = None


class RuffFix(msgspec.Struct):
    applicability: str
    edits: list[RuffEdit]


@dataclass(frozen=True, slots=True)
class Replaced:
    """Lines `start` to `end`, both included, and their new text."""

    start: int
    end: int
    text: str


def replaced(fix: RuffFix | None, lines: Sequence[str], around: int) -> Replaced | None:
    """What a safe fix makes of the lines up to line `around`; None for one that is not safe, reaches further,
    or leaves nothing to show. Lines that go altogether are shown with the line before them, which stays."""
    if fix is None or fix.applicability != "safe" or not fix.edits:
        return None
    start = min(edit.location.row for edit in fix.edits)
    end = max(_last_row(edit) for edit in fix.edits)
    if not 1 <= start <= around == end <= len(lines) or end - start >= MOST_LINES:
        return None
    text = _edited(fix.edits, lines, start, end)
    if text is not None and not text.strip() and start > 1 and lines[start - 2].strip():
        start, text = start - 1, lines[start - 2]
    elif text is not None:
        text = text.removesuffix("\n")
    return Replaced(start, end, text) if text and text.strip() else None


def _last_row(edit: RuffEdit) -> int:
    """An edit that ends at the beginning of a line does not touch it."""
    ends_before = edit.end_location.column == 1 and edit.end_location.row > edit.location.row
    return edit.end_location.row - ends_before


def _edited(edits: Sequence[RuffEdit], lines: Sequence[str], start: int, end: int) -> str | None:
    """The text of these lines after the edits; None where they overlap."""
    text = "".join(f"{line}\n" for line in lines[start - 1 : end])
    offsets = [0]
    for line in lines[start - 1 : end]:
        offsets.append(offsets[-1] + len(line) + 1)
    parts: list[str] = []
    done = 0
    for edit in sorted(edits, key=lambda one: (one.location.row, one.location.column)):
        first = offsets[edit.location.row - start] + edit.location.column - 1
        last = offsets[edit.end_location.row - start] + edit.end_location.column - 1
        if not done <= first <= last <= len(text):
            return None
        parts += [text[done:first], edit.content or ""]
        done = last
    return "".join(parts) + text[done:]
