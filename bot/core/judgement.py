"""What came of a review, before it becomes effects on GitHub or a report for a terminal."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.core.coverage import Coverage
from bot.core.effects import Conclusion, Usage
from bot.core.facts import PullRequestFacts
from bot.core.findings import Chosen


@dataclass(frozen=True, slots=True)
class Judgement:
    """`facts` at the head that was judged; `conclusion` as the check run says it."""

    facts: PullRequestFacts
    chosen: Chosen
    coverage: Coverage
    conclusion: Conclusion
    usage: tuple[Usage, ...] = ()
    unplaced: int = 0
    """Claims whose path or quote does not hold."""
    unjudged: int = 0
    """Claims past what a review holds, or that nobody could verify."""
    dropped: Mapping[str, int] = field(default_factory=dict)
    """Why a finding was dropped before it could be chosen, in words that follow "findings" -> how many."""
