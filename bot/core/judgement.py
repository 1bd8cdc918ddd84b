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
    dropped: Mapping[str, int] = field(default_factory=dict)
    """Findings that did not pass, by the reason, in words that follow "3 findings"."""
    astray: int = 0
    """Of those the ones about files that the change does not touch."""
