"""Whether a point was made before: by Hob in earlier reviews, by others on the same lines."""

import re
from collections.abc import Iterable
from dataclasses import replace

from bot.core.diff import FileDiff
from bot.core.facts import Remark
from bot.core.findings import Finding, fingerprint

SHORTEST = 12
"""Characters of a line that is a point's own: shorter ones stand everywhere."""


def names_over_time(finding: Finding, file: FileDiff | None) -> frozenset[str]:
    """Every fingerprint under which this point may have been said before: with a line less or more of the
    code, or under the file's old name."""
    quotes = [finding.quote]
    if finding.source == "model" and file is not None and finding.line is not None:
        quotes += _spans(file, finding.start_line or finding.line, finding.line)
    found = {fingerprint(replace(finding, quote=quote)) for quote in quotes}
    if file is not None and file.old_path:
        found |= {fingerprint(replace(finding, quote=quote, path=file.old_path)) for quote in quotes}
    return frozenset(found)


def _spans(file: FileDiff, start: int, end: int) -> Iterable[str]:
    """Runs of at most five lines that share a telling line with start..end."""
    for hunk in file.hunks or ():
        side = hunk.new_side
        inside = [n for n, line in enumerate(side) if line.new is not None and start <= line.new <= end]
        for index in inside:
            if len("".join(side[index].text.split())) < SHORTEST:
                continue
            for first in range(max(0, index - 4), index + 1):
                for last in range(index, min(len(side), first + 5)):
                    yield "\n".join(line.text for line in side[first : last + 1])


def said_by_others(finding: Finding, threads: Iterable[Remark]) -> bool:
    """Whether somebody has made this point on these lines. What a check proved only CI can have said
    before, and a critical one nobody: whoever may comment, or has the change's own CI annotate it, could hide
    it so."""
    proved = finding.source != "model"
    if finding.line is None or finding.severity == "critical":
        return False
    return any(
        remark.path == finding.path
        and remark.line is not None
        and (finding.start_line or finding.line) <= remark.line
        and (remark.start_line or remark.line) <= finding.line
        and (not proved or remark.kind == "annotation")
        and _alike(finding, remark.words)
        for remark in threads
    )


def _alike(finding: Finding, words: str) -> bool:
    """Half of the title's words, or three of all."""
    others = _telling(words)
    title = _telling(finding.title)
    return 2 * len(title & others) >= max(1, len(title)) or len(_telling(finding.body) & others) >= 3


def _telling(text: str) -> set[str]:
    return {word[:6] for word in re.findall(r"[^\W\d_]{4,}", text.casefold())}
