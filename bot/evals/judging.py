"""Decides which remarks name the same defect as a golden comment, one pair at a time, as Martian's offline
benchmark does: its question word for word, its way to count. What was decided once is not asked again.

The question shows the model what a tool said without any fence, for that is how it is published: a remark may
talk its judge round. Judge with care what you compare.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import BaseModel, Field

from bot.core.concurrency import Shared
from bot.core.findings import Finding
from bot.core.inference import Completion, Infer, Prompt, PromptFile, Turn
from bot.core.scoring import Score
from bot.evals.cases import Case
from bot.evals.files import keep_line, kept_lines
from bot.evals.martian import JudgePrompt
from bot.evals.trial import Scored

FILE = PromptFile("martian-judge", "", "review", 0.0, 512)


class PairAnswer(BaseModel):
    reasoning: str = ""
    match: bool
    confidence: float = Field(allow_inf_nan=False)


@dataclass(slots=True)
class Decisions:
    """What a judge said, by question; written to `file` at once, where there is one."""

    judge: str
    file: Path | None = None
    known: dict[str, PairAnswer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """UserError where the file cannot be read; a line that broke off is left out."""
        for line in kept_lines(self.file):
            try:
                told = json.loads(line)
                self.known[str(told["question"])] = PairAnswer.model_validate(told["answer"])
            except (ValueError, TypeError, KeyError, RecursionError):
                continue

    def key(self, question: str) -> str:
        return hashlib.sha256(f"{self.judge}\0{question}".encode("utf-8", "replace")).hexdigest()

    def keep(self, question: str, answer: PairAnswer) -> None:
        self.known[self.key(question)] = answer
        if self.file:
            told = {"question": self.key(question), "answer": answer.model_dump()}
            keep_line(self.file, json.dumps(told))


@dataclass(slots=True)
class PairJudge:
    """Asks `infer` the benchmark's question. Pairs to which there was no answer are not asked about again."""

    infer: Infer
    prompt: JudgePrompt
    decisions: Decisions
    asked: int = 0
    unanswered: dict[str, str] = field(default_factory=dict)
    """Question -> why."""

    async def score(self, golden: Sequence[str], said: Sequence[str]) -> Scored:
        """How many pairs are undecided stands beside it: they count as no match, so a score that has some is
        worth less. A golden comment is found where a remark matches it with any confidence. Of all remarks
        those are right: precision is what is found over what was said, as the benchmark has it for each
        review, so one remark that names two golden comments counts for both."""
        found: set[str] = set()
        pairs = [(target, remark) for target in dict.fromkeys(golden) for remark in dict.fromkeys(said)]
        async with Shared(self.infer) as shared:
            for target, remark in pairs:
                await self._ask(shared, target, remark, found)
        undecided = sum(self.prompt.about(*pair) in self.unanswered for pair in pairs)
        return Score(1, len(found), len(said), len(golden)), undecided

    async def of_case(self, case: Case, said: Sequence[Finding]) -> Scored:
        """What Hob said, as its comments say it: the title, and why."""
        remarks = [f"{one.title}. {one.body}" for one in said]
        return await self.score([one.body for one in case.golden], remarks)

    async def _ask(self, shared: Shared, golden: str, remark: str, found: set[str]) -> None:
        question = self.prompt.about(golden, remark)

        def take(answer: PairAnswer) -> None:
            if answer.match and answer.confidence > 0:
                found.add(golden)

        def heard(answer: Completion[PairAnswer]) -> None:
            if answer.value is None:
                self.unanswered[question] = answer.reason
                return
            self.decisions.keep(question, answer.value)
            take(answer.value)

        if known := self.decisions.known.get(self.decisions.key(question)):
            take(known)
            return
        if question in self.unanswered:
            return
        file = replace(FILE, system=self.prompt.system)
        prompt = Prompt(FILE.name, FILE.role, PairAnswer, file=file, turns=(Turn("user", question),))
        await shared.turn(prompt, lambda: False)
        self.asked += 1
        shared.ask(prompt, heard)
