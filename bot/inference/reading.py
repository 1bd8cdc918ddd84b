"""From what a model said to a value, and from a misfit to what the model is told about it."""

import re

from bot.core.inference import T

_THOUGHT = re.compile(r"<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL)
_FENCED = re.compile(r"```[a-zA-Z]*\n(.*?)\n?```", re.DOTALL)
_DETAIL = re.compile(r"\s*\[type=.*\]$|^\s*For further information.*$", re.MULTILINE)

LONGEST_COMPLAINT = 400


def read(answer: type[T], text: str) -> T:
    """The value; ValueError (pydantic's ValidationError is one) when the text is none."""
    return answer.model_validate_json(bare(text))


def bare(text: str) -> str:
    """The JSON object of an answer: without thoughts, without a code fence, without words around it."""
    text = _THOUGHT.sub("", text)
    text = text.rpartition("</think>")[2].strip()
    if not text.startswith("{") and (fenced := _FENCED.search(text)):
        text = fenced[1].strip()
    start, end = text.find("{"), text.rfind("}")
    return text[start : end + 1] if 0 <= start < end else text


def complaint(error: ValueError) -> str:
    """A validation error in one short line: where and what, without the values, which the model made up."""
    lines = [line.strip() for line in _DETAIL.sub("", str(error)).splitlines()]
    return "; ".join(filter(None, lines))[:LONGEST_COMPLAINT]
