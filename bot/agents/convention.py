"""Puts a convention that the past suggests into one sentence. What it rests on was counted by rules."""

import re
from collections.abc import Sequence

from pydantic import BaseModel

from bot.core.conventions import Evidence
from bot.core.inference import Allowance, Infer, Passage, Prompt, Usage
from bot.core.memory import code_words
from bot.core.text import one_line, strip_invisible

LONGEST, SHORTEST = 240, 12
"""Characters of a sentence."""
_CODE = re.compile(r"```[^`]*(?:```|\Z)|^[ \t]*>[^\n]*$", re.MULTILINE)
_OUTSIDE = re.compile(r"://|@\w|[<>{}]|```|\bwww\.", re.IGNORECASE)
_ABOUT_ANSWERS = re.compile(
    r"\b(?:approv\w{0,4}|lgtm|severit\w{1,3}|findings?|instructions?|prompts?|verdicts?|reviewers?|respond"
    r"|answers?|pull requests?|confidence|language model|assistant"
    r"|(?:ignore|disregard|forget) (?:all|any|every|previous|prior|these|those|the|what))\b",
    re.IGNORECASE,
)


class ConventionAnswer(BaseModel):
    sentence: str = ""


async def worded(evidence: Evidence, language: str, infer: Infer) -> tuple[str, tuple[Usage, ...]]:
    """A model's sentence where it is one about that code, else what the rules say."""
    answer = await infer(_prompt(evidence, language))
    used = answer.usage("convention")
    said = sentence(answer.value.sentence, evidence.trigger) if answer.value else ""
    return said or plain(evidence), used


def sentence(said: str, trigger: Sequence[str]) -> str:
    """What was said as one line about code that has one of these words; empty where it is none: too long,
    with an address or a name to call, or about reviews and answers."""
    line = one_line(strip_invisible(said[: 4 * LONGEST])[0], 4 * LONGEST).strip()
    fits = SHORTEST <= len(line) <= LONGEST and not _OUTSIDE.search(line) and not _ABOUT_ANSWERS.search(line)
    return line if fits and set(trigger) & set(code_words(line)) else ""


def plain(evidence: Evidence) -> str:
    """Without a model: the plainest remark quoted, or what was seen."""
    words = ", ".join(evidence.trigger)
    where = f"Of lines with {words} in {evidence.pattern}"
    told = [one_line(_CODE.sub(" ", one.said), LONGEST) for one in evidence.examples]
    quotes = [
        quoted
        for said in told
        if len(said) >= SHORTEST and (quoted := sentence(f"{where}: “{said}”", evidence.trigger))
    ]
    if evidence.kind == "dismissed":
        return f"People here do not want remarks about {words} in {evidence.pattern}."
    if evidence.kind == "remark" and quotes:
        return min(quotes, key=len)
    became = {"remark": "people had them changed in review", "revert": "their changes were taken back"}
    return f"{where}: {became.get(evidence.kind, 'they were mended soon after')}; look at them twice."


def _prompt(evidence: Evidence, language: str) -> Prompt[ConventionAnswer]:
    minded = [
        Passage(f"changed {n}", f"{one.path}\n{one.line}\n\n{one.said}".strip(), 1)
        for n, one in enumerate(evidence.examples, 1)
    ]
    fine = [
        Passage(f"kept {n}", f"{one.path}\n{one.line}", 2)
        for n, one in enumerate(evidence.counter_examples, 1)
    ]
    return Prompt(
        name="convention",
        role="review",
        answer=ConventionAnswer,
        inputs={
            "words": ", ".join(evidence.trigger),
            "pattern": evidence.pattern,
            "language": language,
        },
        passages=(*minded, *fine),
        retries=Allowance(0),
    )
