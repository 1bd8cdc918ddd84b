"""A small answer type and the prompts of these tests."""

from typing import Any, Literal

from pydantic import BaseModel

from bot.core.inference import Passage, Prompt
from bot.prompting import load


class Sorted(BaseModel):
    kind: Literal["bug", "feature"]
    labels: list[str]
    title: str = ""


GOOD: dict[str, Any] = {"kind": "bug", "labels": ["area"], "title": "A title"}


def triage(body: str = "It breaks.") -> Prompt[Sorted]:
    inputs = dict.fromkeys(load("triage").inputs, "") | {"title": "Crash", "body": body, "language": "en"}
    return Prompt("triage", "triage", Sorted, inputs)


def review(*passages: Passage) -> Prompt[Sorted]:
    inputs = dict.fromkeys(load("review").inputs, "en") | {"focus": ""}
    return Prompt("review", "review", Sorted, inputs, passages)


def lines(count: int, width: int = 40) -> str:
    return "\n".join(f"+{number:>{width - 2}}" for number in range(count))
