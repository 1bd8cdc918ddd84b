"""What became of a finding in the commits after it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.core.findings import Finding

FindingOutcome = Literal["fixed before the merge", "changed since", "still there", "unknown"]
OUTCOMES: tuple[FindingOutcome, ...] = ("fixed before the merge", "changed since", "unknown", "still there")
"""The strongest sign that a finding was right comes first."""
SURE, HALF = 0.8, 0.5


@dataclass(frozen=True, slots=True)
class Followed:
    """A finding, and what its lines became."""

    finding: Finding
    outcome: FindingOutcome


def ranked(followed: Sequence[tuple[int, Followed]]) -> list[tuple[int, Followed]]:
    """(pull request, finding): what later commits changed first, the soonest change before all; then as a
    review would order them."""
    return sorted(followed, key=lambda one: (OUTCOMES.index(one[1].outcome), one[1].finding.rank, one[0]))


def shares(followed: Iterable[Followed]) -> list[tuple[str, int, int]]:
    """(kind of finding, how many, of how many later commits changed the lines), the largest share first: by
    the check that found them, and a model's by how sure it was. What cannot be followed counts nowhere."""
    known = [one for one in followed if one.outcome != "unknown"]
    every = Counter(_kind(one.finding) for one in known)
    changed = Counter(_kind(one.finding) for one in known if one.outcome != "still there")
    rows = ((kind, count, changed[kind]) for kind, count in every.items())
    return sorted(rows, key=lambda row: (-row[2] / row[1], -row[1], row[0]))


def _kind(finding: Finding) -> str:
    if finding.source != "model":
        return finding.source
    sure = finding.confidence
    return f"model, {'sure' if sure >= SURE else 'fairly sure' if sure >= HALF else 'unsure'}"


def outcome(finding: Finding, head: str | None, merged: str | None, now: str | None) -> FindingOutcome:
    """From the file's text when it was judged, when it was merged, and now; None where the file is gone or
    could not be read. Lines that changed may have changed for another reason: this is a bound from above."""
    code = lines_of(finding, head)
    if not code:
        return "unknown"
    if not holds(merged, code):
        return "fixed before the merge"
    return "still there" if holds(now, code) else "changed since"


def lines_of(finding: Finding, text: str | None) -> tuple[str, ...]:
    """The code that a finding is about, without its white space: its lines where they are known, else its
    quote."""
    if text is not None and finding.line is not None:
        chosen = text.split("\n")[(finding.start_line or finding.line) - 1 : finding.line]
    else:
        chosen = finding.quote.split("\n")
    return tuple(filter(None, map(_bare, chosen)))


def holds(text: str | None, code: tuple[str, ...]) -> bool:
    """Whether the lines stand in the text, one after another, blank lines and white space aside."""
    if text is None:
        return False
    lines = [bare for line in text.split("\n") if (bare := _bare(line))]
    size = len(code)
    return any(tuple(lines[place : place + size]) == code for place in range(len(lines) - size + 1))


def _bare(line: str) -> str:
    return "".join(line.split())
