"""From what a model said to a value, and from a misfit to what the model is told about it."""

import json
import re
from collections.abc import Iterator

from bot.core.inference import T

_THOUGHT = re.compile(r"<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL)
_DETAIL = re.compile(r"\s*\[type=.*\]$|^\s*For further information.*$", re.MULTILINE)
_MOST_BRACES = 50
_decoder = json.JSONDecoder()

LONGEST_COMPLAINT = 400


def read(answer: type[T], text: str) -> T:
    """The value; ValueError (pydantic's ValidationError is one) when the text is none. A type with an empty
    schema takes free text, all but thoughts."""
    free = not answer.model_json_schema()
    return answer.model_validate_json(unthought(text) if free else bare(text))


def unthought(text: str) -> str:
    """An answer without the thoughts that some models write into it."""
    return _THOUGHT.sub("", text).rpartition("</think>")[2].strip()


def bare(text: str) -> str:
    """The JSON object of an answer: without thoughts, without a code fence, without words around it."""
    text = text.strip()
    if not text.startswith("{"):
        text = unthought(text)
    return max(_objects(text), key=len, default=text)


def complaint(error: ValueError) -> str:
    """A validation error in one short line: where and what, without the values, which the model made up."""
    lines = [line.strip() for line in _DETAIL.sub("", str(error)).splitlines()]
    return "; ".join(filter(None, lines))[:LONGEST_COMPLAINT]


def _objects(text: str) -> Iterator[str]:
    """The JSON objects in a text. One that is broken at the very beginning is not searched for parts of
    it."""
    at = text.find("{")
    for _ in range(_MOST_BRACES):
        if at < 0:
            return
        try:
            _, end = _decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            if at == 0:
                return
            end = at + 1
        else:
            yield text[at:end]
        at = text.find("{", end)
