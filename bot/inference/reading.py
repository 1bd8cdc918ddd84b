"""From what a model said to a value, and from a misfit to what the model is told about it."""

import json
import re
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

from bot.core.inference import T
from bot.inference.lenient import MISFIT, Bending

_THOUGHT = re.compile(r"<(/?)think(?:ing)?>")
_DETAIL = re.compile(r"\s*\[type=.*\]$|^[^\S\n]*For further information.*$", re.MULTILINE)
_MOST_BRACES = 50
_MOST_MENDED = 100_000
_DEEPEST_MENDED = 50
"""Mending takes some microseconds a character, but seconds for thousands of brackets within each other."""
_DEEPEST_WRAPPED = 3
_decoder = json.JSONDecoder()

LONGEST_COMPLAINT = 400


def read(answer: type[T], text: str, *, whole: bool = True) -> T:
    """The value of `understood`."""
    return understood(answer, text, whole=whole)[0]


def understood(answer: type[T], text: str, *, whole: bool = True) -> tuple[T, int]:
    """The value, and how many items of its lists had no plain meaning and were left out; ValueError
    (pydantic's ValidationError is one) when the text is none. What is nearly JSON is mended,
    unless it was cut off (not
    `whole`): then what is missing would be lost in silence. A type with an empty schema takes free text, all
    but thoughts."""
    schema = answer.model_json_schema()
    if not schema:
        return answer.model_validate_json(unthought(text)), 0
    text = text.lstrip("\ufeff")
    found = bare(text)
    try:
        return answer.model_validate_json(found), 0
    except ValueError as error:
        parts = [json.loads(part) for part in _objects(_outside(text))] if whole else [_loaded(found)]
        best = _best(parts, schema, wrapped=whole, alone=not _broken(text))
        if best is None and whole and not _is_json(found) and (mended := _mended(text)):
            best = _best([json.loads(mended)], schema, wrapped=True, alone=True)
        if best is None:
            raise
        try:
            return answer.model_validate_json(json.dumps(best[0])), best[1]
        except ValueError:
            raise error from None


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _best(parts: list[Any], schema: dict[str, Any], *, wrapped: bool, alone: bool) -> tuple[Any, int] | None:
    """The value that fits best and how much of it was dropped. `wrapped`: within others too. `alone`:
    the items of its list without the rest around them too."""
    found: list[tuple[tuple[int, ...], Any, int]] = []

    def consider(value: Any, depth: int) -> None:
        bending = Bending(schema)
        bent = bending.bend(value)
        if bent is not MISFIT and (bending.kept or not bending.dropped):
            rank = (-bending.missing, -bending.dropped, -bending.unknown, bending.kept, -depth)
            found.append((rank, bent, bending.dropped))

    for part in parts:
        consider(part, 0)
        for depth, inner in _within(part) if wrapped else ():
            consider(inner, depth)
    if not found and wrapped and alone and (named := Bending(schema).list_field()):
        flat = [item for part in parts for item in (part if isinstance(part, list) else [part])]
        lists = [part for part in parts if isinstance(part, list)]
        if flat or lists:
            consider({named[0]: flat}, 1)
    best = max(found, key=lambda one: one[0], default=None)
    return best and (best[1], best[2])


def _broken(text: str) -> bool:
    """Whether an object in the text is not whole: what lies within it is not all that was said."""
    rest = _outside(text)
    for part in _objects(rest):
        rest = rest.replace(part, "", 1)
    return "{" in rest


def _within(value: Any, depth: int = 1) -> Iterator[tuple[int, Any]]:
    """What stands in wrappers of objects, and in a list of one."""
    inner = (
        value.values()
        if isinstance(value, dict)
        else value
        if isinstance(value, list) and len(value) == 1
        else ()
    )
    for each in inner:
        if isinstance(each, dict | list) and depth <= _DEEPEST_WRAPPED:
            yield depth, each
            yield from _within(each, depth + 1)


def _mended(text: str) -> str:
    """The object that was meant, as JSON; empty where none can be made out. Mending goes by guesses: too deep
    or too long a text is not tried."""
    from json_repair import repair_json

    text = _outside(text)
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


def unthought(text: str) -> str:
    """An answer without the thoughts that some models write into it."""
    kept, begun, done = [], -1, 0
    for found in _THOUGHT.finditer(text):
        if not found[1] and begun < 0:
            begun = found.start()
        elif found[1] and begun >= 0:
            kept.append(text[done:begun])
            begun, done = -1, found.end()
    return "".join([*kept, text[done:]]).rpartition("</think>")[2].strip()


def bare(text: str) -> str:
    """The JSON object of an answer: without thoughts, without a code fence, without words around it."""
    text = _outside(text)
    return max(_objects(text), key=len, default=text)


def _outside(text: str) -> str:
    """Without thoughts, unless it is an object already: `<think>` may then be a value's own text."""
    text = text.strip()
    return text if text.startswith("{") else unthought(text)


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
