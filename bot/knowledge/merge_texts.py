"""The three versions of a file that git could not merge, made comparable, and the file taken apart at the
marks that `git merge-file` leaves."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from bot.core.merging import ConflictHunk

NO_TEXT = "it is no text in UTF-8"
TOO_LARGE = "it is too large"
T = TypeVar("T", str, bool)
_MARK = re.compile(r"^(?:<+|>+|\|+|=+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Sides:
    """Line ends are `\\n` where each version has one sort of them; the last line has one too. What they are
    after the merge (`eol`, `ended`): as the side has it that changed it."""

    base: str
    ours: str
    theirs: str
    eol: str
    ended: bool


def sides(three: Sequence[bytes | None]) -> Sides | str:
    """Of base, ours and theirs; in a clause, why they are not to be compared."""
    texts = []
    for raw in three:
        if raw is None:
            return TOO_LARGE
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            return NO_TEXT
        if "\0" in text:
            return NO_TEXT
        texts.append(text)
    ends = [_eol(text) for text in texts]
    eol = "\n"
    if None not in ends:
        eol = _changed(*(end or "\n" for end in ends))
        texts = [text.replace("\r\n", "\n") for text in texts]
    ended = _changed(*(not text or text.endswith("\n") for text in texts))
    base, ours, theirs = (text if not text or text.endswith("\n") else f"{text}\n" for text in texts)
    return Sides(base, ours, theirs, eol, ended)


def _eol(text: str) -> str | None:
    """Of all lines; empty where there is none, None where they differ."""
    windows = text.count("\r\n")
    if windows == text.count("\r"):
        if not windows:
            return "\n" if "\n" in text else ""
        if windows == text.count("\n"):
            return "\r\n"
    return None


def _changed(base: T, ours: T, theirs: T) -> T:
    return ours if ours != base else theirs


def longest_mark(given: Sides) -> int:
    found = (_MARK.finditer(text) for text in (given.base, given.ours, given.theirs))
    return max((len(one[0]) for some in found for one in some), default=0)


def taken_apart(text: str, size: int) -> list[str | ConflictHunk]:
    """At marks of exactly this size, which stand in no version of the file."""
    marks = {"<" * size: "ours", "|" * size: "base", "=" * size: "theirs", ">" * size: ""}
    parts: list[str | ConflictHunk] = []
    plain: list[str] = []
    hunk: dict[str, list[str]] = {}
    into = plain
    for line in text.split("\n"):
        name = marks.get(line[:size])
        if name is None:
            into.append(line)
            continue
        if name == "ours":
            parts.append(_joined(plain))
            plain, hunk = [], {}
        if name:
            into = hunk.setdefault(name, [])
        else:
            versions = {one: _joined(hunk.get(one, [])) for one in ("base", "ours", "theirs")}
            parts.append(ConflictHunk(**versions))
            into = plain
    rest = "\n".join(plain)
    return [one for one in (*parts, rest) if one]


def _joined(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
