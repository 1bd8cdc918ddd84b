"""Runs labelled cases through the App's own review, and scores what it says at several thresholds."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bot.agents import review
from bot.context import Check, Context
from bot.core.findings import Finding, choose
from bot.core.inference import Infer
from bot.core.judgement import Judgement
from bot.core.refs import RepoRef
from bot.core.scoring import Score, pairs
from bot.evals.cases import Case
from bot.evals.judge import judged_pairs
from bot.evals.reader import CaseReader
from bot.gathering import pull_request_facts

Told = Callable[[str], None]


@dataclass(slots=True)
class Row:
    """One model at one threshold."""

    model: str
    threshold: float
    score: Score = field(default_factory=Score)
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0
    """In which cases were reviewed; the judge's time is not in it."""
    failed: int = 0
    """Cases of which the model read not everything."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What is tried. `judge` decides what is the same remark; without one quotes do."""

    cases: Sequence[Case]
    check: Check
    thresholds: Sequence[float] = (0.5,)
    judge: Infer | None = None

    async def run(self, model: str, infer: Infer, told: Told = lambda _: None) -> list[Row]:
        """A row for each threshold. Each case is reviewed once."""
        rows = [Row(model, threshold) for threshold in self.thresholds]
        for number, case in enumerate(self.cases, 1):
            begun = time.monotonic()
            judged = await self._judge(case, infer)
            seconds = time.monotonic() - begun
            told(f"{model}: {number} of {len(self.cases)}: {case.name}, {seconds:.1f} s")
            for row in rows:
                row.score += await self._score(case, judged, row.threshold)
                row.tokens_in += sum(used.tokens_in for used in judged.usage)
                row.tokens_out += sum(used.tokens_out for used in judged.usage)
                row.seconds += seconds
                row.failed += bool(judged.coverage.failure)
        return rows

    async def _judge(self, case: Case, infer: Infer) -> Judgement:
        repo = RepoRef("cases", "case", 0, 0)
        reader = CaseReader(case)
        ctx = Context(repo=repo, slug="hob", github=reader, infer=infer, check=self.check)
        context = await ctx.repository("base")
        facts = await pull_request_facts(ctx, context, await reader.pull_request(0))
        return await review.judge(facts, infer)

    async def _score(self, case: Case, judged: Judgement, threshold: float) -> Score:
        said = shown(judged, threshold)
        if self.judge is None:
            same = pairs(said, case.targets)
        else:
            same = await judged_pairs(said, case.targets, self.judge)
        return Score(1, len(same), len(said), len(case.targets))


def shown(judged: Judgement, threshold: float) -> Sequence[Finding]:
    """What would have been said if findings needed this much confidence. A check's findings are always
    sure."""
    chosen, settings = judged.chosen, judged.facts.context.settings.review
    every = (*chosen.shown, *chosen.over_cap, *chosen.below_severity, *chosen.repeated)
    sure = [one for one in every if one.source != "model" or one.confidence >= threshold]
    return choose(sure, min_severity=settings.min_severity, max_comments=settings.max_comments).shown
