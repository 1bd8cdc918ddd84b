"""Names why checks failed, with lines that prove it. What a check prints is data: nothing that it says is
done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from pydantic import BaseModel

from bot.core.ci import WITHOUT_READING, FailedCheck
from bot.core.ci_log import stands
from bot.core.inference import Infer, Passage, Prompt, Usage
from bot.core.text import cut, model_words, one_line

CauseKind = Literal["code", "flaky", "infrastructure", "secret", "timeout", "workflow", "other"]
MOST_QUOTES = 5
MOST_FILES = 12
_NOT_CODE: dict[str, str] = {
    "flaky": "It looks as if it would pass another time: run it again before anything is changed.",
    "infrastructure": "What it runs on or fetches from failed, not this code: run it again.",
    "secret": "It lacks a secret or a permission, which only people can give.",
    "timeout": "It ran out of time.",
    "workflow": "The workflow itself is at fault, and I never touch `.github/`.",
}
"""What people can do where code is not the cause."""


class WishedCause(BaseModel):
    cause: str
    kind: str = "other"
    quotes: list[str] = []
    files: list[str] = []


@dataclass(frozen=True, slots=True)
class CauseFacts:
    """`checks`: those that were looked into; `shown`: what else may tell, by name; `changed`: paths."""

    title: str
    checks: tuple[FailedCheck, ...]
    shown: Mapping[str, str]
    changed: tuple[str, ...]
    wish: str
    language: str


@dataclass(frozen=True, slots=True)
class CiCause:
    """`words`: for people; `mendable`: whether code may be at fault; `why`: why nobody says what was."""

    words: str = ""
    quotes: tuple[str, ...] = ()
    dropped: int = 0
    """Quotes that stand nowhere."""
    files: tuple[str, ...] = ()
    mendable: bool = False
    why: str = ""
    usage: tuple[Usage, ...] = ()


def without_reading(failed: Sequence[FailedCheck]) -> CiCause | None:
    """The cause where their conclusions alone tell it; None where something has to be read."""
    if any(one.conclusion not in WITHOUT_READING for one in failed):
        return None
    return CiCause(" ".join(dict.fromkeys(WITHOUT_READING[one.conclusion] for one in failed)))


async def cause(facts: CauseFacts, infer: Infer) -> CiCause:
    """A failure is said: a person asked."""
    texts = [one.said for one in facts.checks]
    prompt = Prompt(
        name="ci-cause",
        role="code",
        answer=WishedCause,
        inputs={
            "title": facts.title[:300],
            "changed": "\n".join(facts.changed[:200]),
            "wish": facts.wish[:1_000],
            "language": facts.language,
        },
        passages=(
            *(Passage(f"failed check {n}", text, priority=n) for n, text in enumerate(texts, 1)),
            *(Passage(name, text, priority=len(texts) + 1) for name, text in facts.shown.items()),
        ),
    )
    answer = await infer(prompt)
    usage = answer.usage("ci-cause")
    if answer.value is None or not answer.value.cause.strip():
        return CiCause(why=answer.reason or "the model named no cause", usage=usage)
    said = answer.value
    wished = [one for one in dict.fromkeys(said.quotes) if one.strip()][:MOST_QUOTES]
    quotes = tuple(cut(one.strip(), 400) for one in wished if stands(one, texts))
    kind = said.kind if said.kind in get_args(CauseKind) else "other"
    words = model_words(one_line(said.cause, 1_000), 1_000)
    return CiCause(
        words=" ".join(part for part in (words, _NOT_CODE.get(kind, "")) if part),
        quotes=quotes,
        dropped=len(wished) - len(quotes),
        files=tuple(path.strip() for path in said.files[:MOST_FILES]),
        mendable=kind in ("code", "other", "timeout"),
        usage=usage,
    )
