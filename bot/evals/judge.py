"""Which findings name a defect that people named: by a model, where quotes alone are too strict or too
generous."""

from collections.abc import Sequence

from pydantic import BaseModel

from bot.core.findings import Finding
from bot.core.inference import Infer, Prompt
from bot.core.scoring import Golden, once_each, pairs

LONGEST = 600
"""Characters of one remark."""


class Pair(BaseModel):
    finding: int
    golden: int


class JudgeAnswer(BaseModel):
    pairs: list[Pair]


async def judged_pairs(
    findings: Sequence[Finding], golden: Sequence[Golden], infer: Infer
) -> list[tuple[int, int]]:
    """As `bot.core.scoring.pairs`, which also decides where the judge gives no answer."""
    if not findings or not golden:
        return []
    inputs = {"golden": _numbered(golden), "findings": _numbered(findings)}
    prompt = Prompt("judge", "review", JudgeAnswer, inputs)
    answer = await infer(prompt)
    if answer.value is None:
        return pairs(findings, golden)
    wanted = [(pair.finding - 1, pair.golden - 1) for pair in answer.value.pairs]
    return once_each(
        (one, other) for one, other in wanted if 0 <= one < len(findings) and 0 <= other < len(golden)
    )


def _numbered(remarks: Sequence[Finding | Golden]) -> str:
    texts = (f"{one.path}: {one.title}. {one.body}\n{one.quote}"[:LONGEST] for one in remarks)
    return "\n".join(f"{number}. {text}" for number, text in enumerate(texts, 1))
