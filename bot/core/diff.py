"""Unified diffs as GitHub gives them (`patch` of a pull request's file), and the rule that finds a quote in one.

Lines end in "\\n" and in nothing else: a carriage return, a form feed or U+2028 is text of the line, as it is for git.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from bot.core.text import strip_invisible

Status = Literal["added", "removed", "modified", "renamed", "copied", "changed", "unchanged"]


class BadPatch(ValueError):  # noqa: N818  a name in the field's words
    """A text that is no patch; no line number can be had from it."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a hunk: ` ` context, `+` added, `-` removed. Numbers count from 1; None on the side it is not on."""

    kind: Literal[" ", "+", "-"]
    text: str
    old: int | None
    new: int | None


@dataclass(frozen=True, slots=True)
class Hunk:
    """One `@@` section; `heading` is what git writes after the second `@@`."""

    old_start: int
    old_count: int
    new_start: int
    new_count: int
    heading: str
    lines: tuple[Line, ...]

    @property
    def new_side(self) -> list[Line]:
        return [line for line in self.lines if line.new is not None]


@dataclass(frozen=True, slots=True)
class FileDiff:
    """One changed file. `hunks` is None when GitHub gave no patch (binary, too large, or a pure rename)."""

    path: str
    status: Status
    hunks: tuple[Hunk, ...] | None
    old_path: str | None = None
    additions: int = 0
    deletions: int = 0
    blob: str = ""


@dataclass(frozen=True, slots=True)
class Anchor:
    """Lines of the new side that lie in one hunk; `start_line` is None for a single line."""

    line: int
    start_line: int | None = None


HEADER = re.compile(r"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@ ?(.*)", re.DOTALL)


def parse_patch(patch: str) -> tuple[Hunk, ...]:
    """The hunks of a `patch`; `BadPatch` unless every line is accounted for by its hunk's header."""
    if not patch:
        return ()
    lines = patch.split("\n")
    if lines[-1] == "":
        lines.pop()
    hunks: list[Hunk] = []
    place = 0
    while place < len(lines):
        hunk, place = _hunk(lines, place)
        hunks.append(hunk)
    return tuple(hunks)


def _hunk(lines: list[str], place: int) -> tuple[Hunk, int]:
    """The hunk that begins at `place`, and the place after it."""
    match = HEADER.fullmatch(lines[place])
    if match is None:
        raise BadPatch(f"line {place + 1} of the patch should begin a hunk")
    old_start, new_start = int(match[1]), int(match[3])
    old_count, new_count = int(match[2] or 1), int(match[4] or 1)
    old, new, found = old_start, new_start, []
    old_end, new_end = old_start + old_count, new_start + new_count
    place += 1
    while place < len(lines) and (old < old_end or new < new_end or lines[place].startswith("\\")):
        line = lines[place]
        place += 1
        kind, text = line[:1], line[1:]
        if kind == "\\":
            continue  # "\ No newline at end of file": about the line before, no line itself
        if kind == "+":
            found.append(Line("+", text, None, new))
            new += 1
        elif kind == "-":
            found.append(Line("-", text, old, None))
            old += 1
        elif kind in (" ", ""):  # some tools strip the blank of an empty context line
            found.append(Line(" ", text, old, new))
            old, new = old + 1, new + 1
        else:
            raise BadPatch(f"line {place} of the patch begins with {kind!r}")
    if (old, new) != (old_end, new_end):
        raise BadPatch("a hunk does not have as many lines as its header says")
    return Hunk(old_start, old_count, new_start, new_count, match[5], tuple(found)), place


def new_side_lines(file: FileDiff) -> set[int]:
    """The lines that GitHub takes comments on."""
    return {line.new for hunk in file.hunks or () for line in hunk.lines if line.new is not None}


def added_lines(file: FileDiff) -> set[int]:
    """The lines that the change brings."""
    return {
        line.new
        for hunk in file.hunks or ()
        for line in hunk.lines
        if line.kind == "+" and line.new is not None
    }


def render(file: FileDiff) -> str:
    """The file's hunks as a reader is shown them, without line numbers: whoever reads quotes."""
    return "\n".join(
        "\n".join([f"@@ {hunk.heading}".rstrip(), *(line.kind + line.text for line in hunk.lines)])
        for hunk in file.hunks or ()
    )


def anchor(file: FileDiff, quote: str) -> Anchor | None:
    """The lines of the new side that a quote copies, or None where that is not certain.

    Ways of looking go from strict to lenient (exact lines; white space folded; one line's part), and the first that finds
    anything decides. Among several places, those that the change touches count; more than one of these is no anchor, for a
    wrong line is worse than none.
    """
    for wanted in _readings(quote):
        for fold in (_exact, _folded):
            if places := list(_places(file, [fold(line) for line in wanted], fold)):
                return _only(places)
    for wanted in _readings(quote):
        if len(wanted) == 1 and (places := list(_parts(file, _folded(wanted[0])))):
            return _only(places)
    return None


@dataclass(frozen=True, slots=True)
class _Place:
    start: int
    end: int
    touched: bool


def _readings(quote: str) -> Iterator[list[str]]:
    """The quote's lines as they are, then as diff lines with their marks, then without a code fence around them."""
    lines = quote.split("\n")
    while lines and not lines[0].strip():
        lines.pop(0)
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        return
    yield lines
    if all(line[:1] in ("+", " ") or not line for line in lines) and any(line[:1] == "+" for line in lines):
        yield [line[1:] for line in lines]
    if len(lines) > 2 and lines[0].startswith("```") and lines[-1].strip() == "```":
        yield lines[1:-1]


def _exact(text: str) -> str:
    return text


def _folded(text: str) -> str:
    """Without the white space around, with every run of it as one blank, and without what nobody sees: prompts have none."""
    if not text.isascii():
        text, _ = strip_invisible(text)
    return " ".join(text.split())


def _places(file: FileDiff, wanted: list[str], fold: Callable[[str], str]) -> Iterator[_Place]:
    """Consecutive lines of one hunk's new side that equal the wanted ones."""
    if not any(_telling(line) for line in wanted):
        return
    for hunk in file.hunks or ():
        side = hunk.new_side
        texts = [fold(line.text) for line in side]
        for first in range(len(side) - len(wanted) + 1):
            if texts[first : first + len(wanted)] == wanted:
                yield _place(side[first : first + len(wanted)])


def _parts(file: FileDiff, wanted: str) -> Iterator[_Place]:
    """Single lines that hold the wanted text within; too short a text is everywhere."""
    if len(wanted) < 8:
        return
    for hunk in file.hunks or ():
        for line in hunk.new_side:
            if wanted in _folded(line.text):
                yield _place([line])


def _place(lines: list[Line]) -> _Place:
    return _Place(lines[0].new or 0, lines[-1].new or 0, any(line.kind == "+" for line in lines))


def _telling(line: str) -> bool:
    """A line that says something: brackets alone stand everywhere."""
    return any(character.isalnum() or character == "_" for character in line)


def _only(places: list[_Place]) -> Anchor | None:
    touched = [place for place in places if place.touched]
    if len(touched or places) != 1:
        return None
    (place,) = touched or places
    return Anchor(place.end, place.start if place.start < place.end else None)
