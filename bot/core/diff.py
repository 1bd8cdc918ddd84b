"""Unified diffs as GitHub gives them (`patch` of a pull request's file), and the rule that finds a quote in one."""

from dataclasses import dataclass
from typing import Literal

Status = Literal["added", "removed", "modified", "renamed", "copied", "changed", "unchanged"]


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
