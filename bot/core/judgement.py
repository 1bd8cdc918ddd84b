"""What came of a review, before it becomes effects on GitHub or a report for a terminal."""

from dataclasses import dataclass

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
    astray: int = 0
    """Findings about files that the change does not touch; counted and not shown."""
