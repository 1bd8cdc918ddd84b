"""Conflict markers that git left and somebody committed. https://git-scm.com/docs/git-merge#_how_conflicts_are_presented"""

import re

from bot.core.check_input import CheckedChange, new_lines
from bot.core.diff import FileDiff
from bot.core.findings import Finding
from bot.core.sandbox_types import RunProgram

_OURS = re.compile(r"<{7} \S")
_THEIRS = re.compile(r">{7} \S")
PROSE = (".md", ".markdown", ".rst", ".txt", ".adoc")
"""Where such lines may be quoted mail or a lesson about git: both ends must be there."""


async def run(change: CheckedChange, _: RunProgram) -> list[Finding] | None:
    """One finding a file, at the first marker."""
    if not change.files:
        return None
    return [found for file in change.files if (found := _of(file))]


def _of(file: FileDiff) -> Finding | None:
    ours = [line for line in new_lines(file) if _OURS.match(line.text)]
    theirs = [line for line in new_lines(file) if _THEIRS.match(line.text)]
    middle = any(line.text.rstrip("\r") == "=======" for line in new_lines(file))
    sure = bool(ours and theirs and middle) if file.path.endswith(PROSE) else bool(ours or theirs)
    if not sure:
        return None
    first = min([*ours, *theirs], key=lambda line: line.new or 0)
    return Finding(
        path=file.path,
        severity="critical",
        category="conflict",
        title="A merge conflict was committed",
        body="Git leaves this marker where it could not merge; both versions are still in the file.",
        quote=first.text,
        source="conflicts",
        line=first.new,
    )
