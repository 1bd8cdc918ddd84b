"""From what a model said to a value, and from a misfit to what the model is told about it."""

import json
import re
from collections.abc import Iterator
from itertools import accumulate

from bot.core.inference import T

_THOUGHT = re.compile(r"<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL)
_DETAIL = re.compile(r"\s*\[type=.*\]$|^\s*For further information.*$", re.MULTILINE)
_MOST_BRACES = 50
_MOST_MENDED = 100_000
_DEEPEST_MENDED = 50
"""Mending takes some microseconds a character, but seconds for thousands of brackets within each other."""
_decoder = json.JSONDecoder()

LONGEST_COMPLAINT = 400


def read(answer: type[T], text: str, *, whole: bool = True) -> T:
    """The value; ValueError (pydantic's ValidationError is one) when the text is none. What is nearly JSON is
    mended, unless it was cut off (not `whole`): then what is missing would be lost in silence. A type with an
    empty schema takes free text, all but thoughts."""
    if not answer.model_json_schema():
        return answer.model_validate_json(free(text))
    found = bare(text)
    try:
        return answer.model_validate_json(found)
    except ValueError as error:
        mended = _mended(text) if whole and not _is_json(found) else ""
        if not mended:
            raise
        try:
            return answer.model_validate_json(mended)
        except ValueError:
            raise error from None


def _mended(text: str) -> str:
    """The object that was meant, as JSON; empty where none can be made out. Mending goes by guesses: too deep
    or too long a text is not tried."""
    from json_repair import repair_json

    text = _unthought(text.strip())
    start = text.find("{")
    if start < 0 or len(text) > _MOST_MENDED or _depth(text) > _DEEPEST_MENDED:
        return ""
    try:
        mended = repair_json(text[start:], skip_json_loads=True)
    except (ValueError, RecursionError, IndexError, TypeError):
        return ""
    return mended if mended.startswith("{") else ""


def _depth(text: str) -> int:
    """How deep brackets go, those within strings counted too."""
    steps = ((character in "{[") - (character in "}]") for character in text)
    return max(accumulate(steps), default=0)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def bare(text: str) -> str:
    """The JSON object of an answer: without thoughts, without a code fence, without words around it."""
    text = _unthought(text.strip())
    return max(_objects(text), key=len, default=text)


def _unthought(text: str) -> str:
    if text.startswith("{"):
        return text
    return free(text)


def free(text: str) -> str:
    """A text without the thoughts that some models write into it."""
    return _THOUGHT.sub("", text).rpartition("</think>")[2].strip()


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
