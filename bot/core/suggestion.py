"""New text for some lines of a file: offered for one click only when the file can take it.

A replacement is tried on the head's text. It has to lie in one hunk on the new side, keep the indentation,
leave the file parsable and free of new remarks of the linter. Files with carriage returns get none: what
GitHub does with line ends there is not documented.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.core.code_analysis import Tools
from bot.core.diff import FileDiff
from bot.core.findings import Finding

MOST = 4_000
"""Characters of a replacement that a person reads before clicking."""


@dataclass(frozen=True, slots=True)
class LineReplacement:
    """Lines `start` to `end` (from 1, both included) of `before` replaced by the lines of `new`."""

    path: str
    before: str
    start: int
    end: int
    new: str

    @property
    def suggestion(self) -> str:
        """The new text as an effect has it: with a line end of its own where the last line is blank."""
        return self.new if self.new.rpartition("\n")[2] else f"{self.new}\n"

    @property
    def after(self) -> str:
        lines = self.before.split("\n")
        return "\n".join([*lines[: self.start - 1], *self.new.split("\n"), *lines[self.end :]])


def change(file: FileDiff, text: str, start: int, end: int, replacement: str) -> LineReplacement | None:
    """The replacement, whose last line may end in a line end, as a change of these lines; None where it
    cannot be one."""
    new = replacement.replace("\r\n", "\n").removesuffix("\n")
    lines = text.split("\n")
    if "\r" in text or "\r" in new or len(new) > MOST or not 1 <= start <= end <= len(lines):
        return None
    if not in_one_hunk(file, start, end) or "\n".join(lines[start - 1 : end]) == new:
        return None
    first = new.split("\n")[0]
    if not first.strip() or _indent(first) != _indent(lines[start - 1]) or not _same_indents(lines, new):
        return None
    return LineReplacement(file.path, text, start, end, new)


def in_one_hunk(file: FileDiff, start: int, end: int) -> bool:
    """Whether all the lines stand on the new side of one hunk."""
    wanted = set(range(start, end + 1))
    return any(wanted <= {line.new for line in hunk.new_side} for hunk in file.hunks or ())


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _same_indents(lines: Sequence[str], new: str) -> bool:
    """No tabs where the file has blanks only, and the other way round."""
    used = {mark for line in lines for mark in _indent(line)}
    return not used or {mark for line in new.split("\n") for mark in _indent(line)} <= used


async def proved(changes: Sequence[LineReplacement], tools: Tools) -> list[bool]:
    """For each change whether the file still parses after it and the linter has nothing new to say. The
    linter is run once; where it does not run, parsing decides."""
    parses = [tools.still_parses(one.path, one.before, one.after) is not False for one in changes]
    texts: dict[str, str] = {}
    for number, one in enumerate(changes):
        texts |= {f"{number}/old/{one.path}": one.before, f"{number}/new/{one.path}": one.after}
    remarks = await tools.lint(texts) if texts else None
    if remarks is None:
        return parses
    return [
        fine
        and not _counted(remarks, f"{number}/new/{one.path}") - _counted(remarks, f"{number}/old/{one.path}")
        for number, (one, fine) in enumerate(zip(changes, parses, strict=True))
    ]


def _counted(remarks: Iterable[Finding], path: str) -> Counter[tuple[str, str]]:
    """What was remarked on a text, wherever in it: lines move."""
    return Counter((one.category, one.title) for one in remarks if one.path == path)
