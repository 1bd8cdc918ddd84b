"""How good a review was, against remarks that people hold to be right (golden comments)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.core.findings import Finding

ENOUGH = 0.5
"""How much of the shorter quote the other must hold."""


@dataclass(frozen=True, slots=True)
class Golden:
    """A defect that a review should name. Lines are of the new side; 0 where only the quote is known."""

    path: str
    start: int = 0
    end: int = 0
    quote: str = ""
    title: str = ""
    body: str = ""


@dataclass(frozen=True, slots=True)
class Score:
    """Sums over cases. `found`: what the review said; `golden`: what it should have said; `matched`: both."""

    cases: int = 0
    matched: int = 0
    found: int = 0
    golden: int = 0

    def __add__(self, other: "Score") -> "Score":
        return Score(
            self.cases + other.cases,
            self.matched + other.matched,
            self.found + other.found,
            self.golden + other.golden,
        )

    @property
    def precision(self) -> float | None:
        """None where nothing was said."""
        return self.matched / self.found if self.found else None

    @property
    def recall(self) -> float | None:
        """None where there was nothing to say."""
        return self.matched / self.golden if self.golden else None

    @property
    def f1(self) -> float | None:
        if self.found + self.golden == 0:
            return None
        return 2 * self.matched / (self.found + self.golden)

    @property
    def comments(self) -> float:
        """For each case."""
        return self.found / self.cases if self.cases else 0.0


def pairs(findings: Sequence[Finding], golden: Sequence[Golden]) -> list[tuple[int, int]]:
    """(finding, golden) that mean the same place, each at most once, the closest first."""
    likeness = (
        (closeness(finding, target), -one, -other)
        for one, finding in enumerate(findings)
        for other, target in enumerate(golden)
    )
    return once_each((-one, -other) for close, one, other in sorted(likeness, reverse=True) if close > 0)


def once_each(wanted: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The pairs in their order, without those of which one side is taken already."""
    kept: list[tuple[int, int]] = []
    for one, other in wanted:
        if all(one != first and other != second for first, second in kept):
            kept.append((one, other))
    return kept


def closeness(finding: Finding, target: Golden) -> float:
    """0 for another place; up to 1 the more lines of code they share; a little where only lines meet."""
    if finding.path != target.path:
        return 0.0
    said, meant = _lines(finding.quote), _lines(target.quote)
    if said and meant and (shared := len(said & meant) / min(len(said), len(meant))) >= ENOUGH:
        return shared
    return 0.25 if _meet(finding, target) else 0.0


def _lines(quote: str) -> set[str]:
    """Lines of code without their white space; what is no more than brackets is none."""
    lines = ("".join(line.split()) for line in quote.split("\n"))
    return {line for line in lines if any(char.isalnum() for char in line)}


def _meet(finding: Finding, target: Golden) -> bool:
    if finding.line is None or not target.start:
        return False
    return (finding.start_line or finding.line) <= (
        target.end or target.start
    ) and target.start <= finding.line
