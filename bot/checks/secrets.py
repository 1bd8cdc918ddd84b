"""Credentials on added lines. A finding never repeats the secret; its severity says how sure it is."""

import re
from itertools import pairwise

from bot.core.check_input import CheckedChange, new_lines
from bot.core.credentials import Credential, FileRole, found, place_of
from bot.core.credentials.issued import PRIVATE_KEY
from bot.core.diff import FileDiff
from bot.core.findings import Finding, digest
from bot.core.sandbox_types import RunProgram
from bot.core.settings import SEVERITIES

KEY_LINES = 8
"""By which a private key is told from others: many begin with the same."""
_KEY_LINE = re.compile(r"[A-Za-z0-9+/]{16}|^\W{0,20}(?:Proc-Type|DEK-Info|Version|Comment):|^\W*$")


async def run(change: CheckedChange, _: RunProgram) -> list[Finding] | None:
    """One finding a line, of the surest in it."""
    if not change.files:
        return None
    return [one for file in change.files for one in _of(file)]


def _of(file: FileDiff) -> list[Finding]:
    place = place_of(file.path)
    findings = []
    lines = list(new_lines(file))
    for number, (line, after) in enumerate(pairwise([*lines, None])):
        if line is None or (one := surest(line.text, place)) is None:
            continue
        follows = after.text if after and line.new and after.new == line.new + 1 else ""
        if one.kind != PRIVATE_KEY or _KEY_LINE.search(line.text[one.end :] + follows[:200]):
            held = line.text[one.start : one.end]
            if one.kind == PRIVATE_KEY:
                held = "".join(each.text.strip() for each in lines[number : number + KEY_LINES])
            findings.append(_finding(file.path, line.new or 0, one, held))
    return findings


def surest(text: str, place: FileRole = "source") -> Credential | None:
    """The credential of a line that a person should hear of first, or None."""
    return min(found(text, place), key=lambda one: SEVERITIES.index(one.severity), default=None)


_SURE = {
    "critical": "This line holds {what}.",
    "major": "This line holds what looks like {what}.",
    "minor": "This line may hold {what}; where it opens nothing, dismiss this.",
}


def _finding(path: str, line: int, one: Credential, held: str) -> Finding:
    article = "an" if one.kind[0] in "AaOo" else "a"
    return Finding(
        path=path,
        severity=one.severity,
        category="secret",
        title=f"{one.kind[0].upper()}{one.kind[1:]} in the source",
        body=_SURE.get(one.severity, _SURE["minor"]).format(what=f"{article} {one.kind}")
        + " Revoke it: it stays in the history even when the line goes.",
        source="secrets",
        line=line,
        content=digest(held),
    )
