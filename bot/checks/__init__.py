"""Deterministic findings on the lines that a change added, with rules that Hob brings along and no model."""

from collections.abc import Mapping, Sequence

from bot.checks import ruff, secrets
from bot.core.diff import FileDiff, added_lines
from bot.core.findings import Finding

NAMES = ("ruff", "secrets")


async def run(
    files: Sequence[FileDiff], texts: Mapping[str, str], wanted: frozenset[str]
) -> tuple[list[Finding], list[str]]:
    """What the wanted checks find on added lines, and the names of those that had something to read and
    ran."""
    added = {file.path: added_lines(file) for file in files}
    found: list[Finding] = []
    ran: list[str] = []
    if "secrets" in wanted and files:
        found += secrets.check(files)
        ran.append("secrets")
    python = {path: text for path, text in texts.items() if path.endswith((".py", ".pyi"))}
    if "ruff" in wanted and python and (remarks := await ruff.check(python)) is not None:
        found += [remark for remark in remarks if remark.line in added.get(remark.path, ())]
        ran.append("ruff")
    return found, ran
