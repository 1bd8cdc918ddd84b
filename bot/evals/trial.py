"""Runs labelled cases through the App's own review, and scores what it says at several thresholds.

Which findings name a defect that people named: by a model, where quotes alone are too strict or too
generous.
"""

import hashlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel

from bot.agents import review
from bot.agents.review.looking import Looking
from bot.context import Context
from bot.core.diff import FileDiff
from bot.core.findings import Finding, choose
from bot.core.github_reader import GitHubReader, PullRequestState
from bot.core.inference import Infer, Prompt, Usage
from bot.core.refs import Actor, Login, RepoRef, Sha
from bot.core.review_result import Judgement
from bot.core.scoring import Golden, Score, once_each, pairs
from bot.core.settings import Complaint
from bot.evals.cases import Case
from bot.implement_facts import looking
from bot.pull_request_facts import pull_request_facts


@dataclass(frozen=True, slots=True)
class CaseReader(GitHubReader):
    """A case in the place of GitHub; its commits have shas made of its diff."""

    case: Case

    def sha(self, side: str) -> Sha:
        """Of `head` or `base`."""
        return Sha(hashlib.sha256(f"{side}\0{self.case.diff}".encode("utf-8", "replace")).hexdigest())

    async def pull_request(self, number: int) -> PullRequestState:
        head, base = self.sha("head"), self.sha("base")
        author = Actor(Login("author"), 0)
        return PullRequestState(number, head, base, self.case.title, self.case.body, author)

    async def files(self, number: int) -> list[FileDiff]:
        return list(self.case.files)

    async def texts(self, sha: Sha, paths: Sequence[str]) -> dict[str, str]:
        return {path: self.case.texts[path] for path in paths if path in self.case.texts}

    async def modes(self, sha: Sha, paths: Sequence[str]) -> dict[str, int]:
        return {path: 0o100644 for path in paths if path in self.case.texts}

    async def config_text(self, ref: str) -> tuple[str | None, tuple[Complaint, ...]]:
        return self.case.settings, ()


LONGEST = 600
"""Characters of one remark."""


class Pair(BaseModel):
    finding: int
    golden: int


class JudgeAnswer(BaseModel):
    pairs: list[Pair]


async def judged_pairs(
    findings: Sequence[Finding], golden: Sequence[Golden], infer: Infer
) -> list[tuple[int, int]] | str:
    """As `bot.core.scoring.pairs`, of some of both; the reason where the judge gives no answer."""
    inputs = {"golden": _numbered(golden), "findings": _numbered(findings)}
    prompt = Prompt("judge", "review", JudgeAnswer, inputs)
    answer = await infer(prompt)
    if answer.value is None:
        return answer.reason or answer.failure or "no answer"
    wanted = [(pair.finding - 1, pair.golden - 1) for pair in answer.value.pairs]
    return once_each(
        (one, other) for one, other in wanted if 0 <= one < len(findings) and 0 <= other < len(golden)
    )


def _numbered(remarks: Sequence[Finding | Golden]) -> str:
    texts = (f"{one.path}: {one.title}. {one.body}\n{one.quote}"[:LONGEST] for one in remarks)
    return "\n".join(f"{number}. {text}" for number, text in enumerate(texts, 1))


TrialProgress = Callable[[str], None]
Scored = tuple[Score, int]
"""(the score, what the judge was asked and left undecided)"""
Scorer = Callable[[Case, Sequence[Finding]], Awaitable[Scored]]
"""What a review of a case said -> its score."""


async def by_quotes(case: Case, said: Sequence[Finding]) -> Scored:
    """Remarks on the same code are the same."""
    return Score(1, len(pairs(said, case.targets)), len(said), len(case.targets)), 0


@dataclass(slots=True)
class ByJudge:
    """A model decides which remarks are the same; quotes do where it gives no answer, and the case is
    undecided. `why`: of each question without an answer."""

    judge: Infer
    asked: int = 0
    why: list[str] = field(default_factory=list)

    async def __call__(self, case: Case, said: Sequence[Finding]) -> Scored:
        if not said or not case.targets:
            return await by_quotes(case, said)
        self.asked += 1
        same = await judged_pairs(said, case.targets, self.judge)
        if isinstance(same, str):
            self.why.append(same)
            return (await by_quotes(case, said))[0], 1
        return Score(1, len(same), len(said), len(case.targets)), 0


def costs_nothing(_: Usage) -> float:
    return 0.0


@dataclass(slots=True)
class TrialRow:
    """One model at one threshold."""

    model: str
    threshold: float
    scores: list[Score] = field(default_factory=list)
    """Of each case."""
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float = 0.0
    seconds: float = 0.0
    """In which cases were reviewed; the judge's time is not in it."""
    failed: int = 0
    """Cases of which the model read not everything."""
    undecided: int = 0
    """What the judge was asked and left undecided: cases, or pairs of Martian's benchmark."""

    @property
    def score(self) -> Score:
        return sum(self.scores, Score())

    def useful(self, amount: float) -> float | None:
        """So much of it for each finding that names a golden remark; None where none does."""
        return amount / self.score.matched if self.score.matched else None


@dataclass(frozen=True, slots=True)
class Trial:
    """What is tried. `cost`: US dollars of an answer; `looking`: where what a claim rests on is looked up,
    where the whole repository of a case is there (None: among its own texts)."""

    cases: Sequence[Case]
    thresholds: Sequence[float] = (0.5,)
    scorer: Scorer = by_quotes
    cost: Callable[[Usage], float] = costs_nothing
    looking: Callable[[Case], Looking | None] = lambda _: None

    async def run(self, model: str, infer: Infer, told: TrialProgress = lambda _: None) -> list[TrialRow]:
        """A row for each threshold. Each case is reviewed once."""
        rows = [TrialRow(model, threshold) for threshold in self.thresholds]
        for number, case in enumerate(self.cases, 1):
            begun = time.monotonic()
            judged = await self._judge(case, infer)
            seconds = time.monotonic() - begun
            missed = f"; not wholly read: {why}" if (why := judged.coverage.failure) else ""
            told(f"{model}: {number} of {len(self.cases)}: {case.name}, {seconds:.1f} s{missed}")
            for row in rows:
                score, undecided = await self.scorer(case, shown(judged, row.threshold))
                row.scores.append(score)
                row.undecided += undecided
                row.tokens_in += sum(used.tokens_in for used in judged.usage)
                row.tokens_out += sum(used.tokens_out for used in judged.usage)
                row.cost_usd += sum(map(self.cost, judged.usage))
                row.seconds += seconds
                row.failed += bool(judged.coverage.failure)
        return rows

    async def _judge(self, case: Case, infer: Infer) -> Judgement:
        repo = RepoRef("cases", "case", 0, 0)
        reader = CaseReader(case)
        ctx = Context(repo=repo, slug="hob", github=reader, infer=infer)
        context = await ctx.repository("base")
        facts = await pull_request_facts(ctx, context, await reader.pull_request(0))
        beside = self.looking(case) or looking(ctx, facts.head_sha)
        return await review.judge(facts, infer, beside)


def shown(judged: Judgement, threshold: float) -> Sequence[Finding]:
    """What would have been said if findings needed this much confidence. A check's findings are always
    sure."""
    chosen, settings = judged.chosen, judged.facts.context.settings.review
    every = (*chosen.shown, *chosen.over_cap, *chosen.below_severity, *chosen.repeated)
    sure = [one for one in every if one.source != "model" or one.confidence >= threshold]
    return choose(sure, min_severity=settings.min_severity, max_comments=settings.max_comments).shown
