"""Hunks: the `patch` text of a pull request's file. https://docs.github.com/en/rest/pulls/pulls#list-pull-requests-files

Lines end in "\\n" and in nothing else: a carriage return, a form feed or U+2028 is text of the line, as it is
for git.
"""

import re
from dataclasses import dataclass
from typing import Literal, get_args

Status = Literal["added", "removed", "modified", "renamed", "copied", "changed", "unchanged"]
Mark = Literal[" ", "+", "-"]
_MARKS: tuple[Mark, ...] = get_args(Mark)


class BadPatch(ValueError):
    """A text that is no patch; no line number can be had from it."""


@dataclass(frozen=True, slots=True)
class HunkLine:
    """One line of a hunk: ` ` context, `+` added, `-` removed. Numbers count from 1; None on the side it is
    not on."""

    kind: Mark
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
    lines: tuple[HunkLine, ...]

    @property
    def new_side(self) -> list[HunkLine]:
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


_HEADER = re.compile(
    r"@@ -([0-9]{1,9})(?:,([0-9]{1,9}))? \+([0-9]{1,9})(?:,([0-9]{1,9}))? @@(?: (.*)|\r?)", re.DOTALL
)


def parse_patch(patch: str) -> tuple[Hunk, ...]:
    """The hunks of a `patch`; BadPatch unless every line is accounted for by its hunk's header."""
    if not patch:
        return ()
    lines = patch.split("\n")
    if lines[-1] == "":
        lines.pop()
    return parse_hunks(lines)


def parse_hunks(lines: list[str]) -> tuple[Hunk, ...]:
    """The same of lines."""
    hunks: list[Hunk] = []
    place = 0
    while place < len(lines):
        hunk, place = _hunk(lines, place)
        if hunks and not (_end(hunks[-1])[0] <= _begin(hunk)[0] and _end(hunks[-1])[1] <= _begin(hunk)[1]):
            raise BadPatch("a hunk begins before the one above it ends")
        hunks.append(hunk)
    return tuple(hunks)


def _hunk(lines: list[str], place: int) -> tuple[Hunk, int]:
    """The hunk that begins at `place`, and the place after it."""
    match = _HEADER.fullmatch(lines[place])
    if match is None:
        raise BadPatch(f"line {place + 1} of the patch should begin a hunk")
    old_start, old_count = int(match[1]), int(match[2] or 1)
    new_start, new_count = int(match[3]), int(match[4] or 1)
    if (old_count and not old_start) or (new_count and not new_start):
        raise BadPatch("lines count from 1")
    body, place = _body(lines, place + 1, old_count, new_count)
    numbered = _numbered(body, old_start, new_start)
    return Hunk(old_start, old_count, new_start, new_count, match[5] or "", numbered), place


def _body(lines: list[str], place: int, old: int, new: int) -> tuple[list[tuple[Mark, str]], int]:
    """Exactly as many lines as the header promised of each side, and the place after them."""
    body: list[tuple[Mark, str]] = []
    while old or new:
        if place >= len(lines):
            raise BadPatch("a hunk does not have as many lines as its header says")
        line = lines[place] or " "  # some tools strip the blank of an empty context line
        place += 1
        kind = next((mark for mark in _MARKS if line[0] == mark), None)
        if kind is None:
            if line.startswith("\\") and body:
                continue  # "\ No newline at end of file" is about the line before
            raise BadPatch(f"line {place} of the patch is none of a hunk")
        old -= kind != "+"
        new -= kind != "-"
        if old < 0 or new < 0:
            raise BadPatch("a hunk does not have as many lines as its header says")
        body.append((kind, line[1:]))
    while place < len(lines) and lines[place].startswith("\\"):
        place += 1
    return body, place


def _numbered(body: list[tuple[Mark, str]], old: int, new: int) -> tuple[HunkLine, ...]:
    lines = []
    for kind, text in body:
        lines.append(HunkLine(kind, text, None if kind == "+" else old, None if kind == "-" else new))
        old += kind != "+"
        new += kind != "-"
    return tuple(lines)


def _begin(hunk: Hunk) -> tuple[int, int]:
    """The first line of each side; a side of no lines names the line before it."""
    return hunk.old_start + (not hunk.old_count), hunk.new_start + (not hunk.new_count)


def _end(hunk: Hunk) -> tuple[int, int]:
    old, new = _begin(hunk)
    return old + hunk.old_count, new + hunk.new_count


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


def render(file: FileDiff, *, numbered: bool = False) -> str:
    """The file's hunks as a reader is shown them: without line numbers, for whoever reads quotes; `numbered`:
    each line of the new side with its number."""
    return "\n".join(
        "\n".join([f"@@ {hunk.heading}".rstrip(), *(_rendered(line, numbered) for line in hunk.lines)])
        for hunk in file.hunks or ()
    )


def _rendered(line: HunkLine, numbered: bool) -> str:
    number = f"{line.new or '':>5} " if numbered else ""
    return number + line.kind + line.text


def patch_text(file: FileDiff) -> str:
    """The hunks as `parse_patch` reads them."""
    return "\n".join(
        "\n".join([_header(hunk), *(line.kind + line.text for line in hunk.lines)])
        for hunk in file.hunks or ()
    )


def _header(hunk: Hunk) -> str:
    sides = f"@@ -{hunk.old_start},{hunk.old_count} +{hunk.new_start},{hunk.new_count} @@"
    return f"{sides} {hunk.heading}" if hunk.heading else sides
