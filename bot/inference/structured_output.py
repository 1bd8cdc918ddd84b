"""From what a model said to a value, and from a misfit to what the model is told about it.

An answer's JSON schema as hosts can compile it into a grammar.

Grammars have broken on references, on nested patterns, on long length limits and on empty objects, and a
field that may be left out is left out by small models. So: everything in place, every field required,
only what steers the answer. https://docs.ollama.com/capabilities/structured-outputs
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Any

from pydantic import ValidationError

from bot.core.inference import AnswerModel, T
from bot.core.json_text import is_json
from bot.inference.lenient_json import MISFIT, Bending, decoded

_DROPPED = frozenset({"$defs", "title", "default", "pattern", "discriminator", "examples", "description"})
_LIMITS = {"maxLength": 2000, "maxItems": 200}
"""From this size on, a limit is left to validation."""


@lru_cache(maxsize=64)
def schema_of(answer: type[AnswerModel]) -> dict[str, Any]:
    """The flat schema of an answer's type, which nobody changes: pydantic takes 10 ms to make one."""
    return flat(answer.model_json_schema())


def flat(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without references and without what grammars choke on; ValueError for a schema that
    contains itself."""
    return _flat_schema(schema, schema.get("$defs", {}), ())


def closed(node: Any) -> Any:
    """A schema whose objects take no further fields, as strict answers demand.
    https://platform.openai.com/docs/guides/structured-outputs"""
    if isinstance(node, list):
        return [closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    result = {key: closed(value) for key, value in node.items()}
    if isinstance(result.get("properties"), dict) and result.get("type", "object") == "object":
        result["additionalProperties"] = False
    return result


def _flat_schema(
    node: dict[str, Any], definitions: dict[str, Any], inside: tuple[str, ...]
) -> dict[str, Any]:
    if "$ref" in node:
        name = str(node["$ref"]).rpartition("/")[2]
        if name in inside:
            raise ValueError(f"an answer's schema must not contain itself ({name})")
        return _flat_schema(definitions[name], definitions, (*inside, name))
    if len(node.get("allOf", ())) == 1:
        return _flat_schema(node["allOf"][0], definitions, inside)
    result = {key: value for key, value in node.items() if key not in _DROPPED and not _too_large(key, value)}
    if "const" in result:
        result["enum"] = [result.pop("const")]
    for key in ("items", "additionalProperties"):
        if isinstance(result.get(key), dict):
            result[key] = _flat_schema(result[key], definitions, inside)
    for key in ("anyOf", "oneOf", "prefixItems"):
        if key in result:
            result[key] = [_flat_schema(item, definitions, inside) for item in result[key]]
    if "properties" in result:
        result["properties"] = {
            name: _flat_schema(item, definitions, inside) for name, item in result["properties"].items()
        }
        result["required"] = list(result["properties"])
    return result


def _too_large(key: str, value: Any) -> bool:
    return key in _LIMITS and isinstance(value, int) and value >= _LIMITS[key]


_THOUGHT = re.compile(r"<(/?)think(?:ing)?>")
_DETAIL = re.compile(r"\s*\[type=.*\]$|^[^\S\n]*For further information.*$", re.MULTILINE)
_COMMA = re.compile(r'("(?:[^"\\]|\\.)*+"?)|,(?=\s*+[}\]])', re.DOTALL)
"""A comma before what ends a list or an object; the group is a text, which stays."""
_MOST_BRACES = 50
"""That begin no object: each costs a look at all that follows."""
_MOST_MENDED = 40_000
_DEEPEST_MENDED = 50
_MOST_QUOTES = 8
"""Mending takes some microseconds a character, but seconds for thousands of brackets within each other, and
for as many quotes with neither a colon nor a comma between them: each of those may have so many."""
_DEEPEST_WRAPPED = 3
_decoder = json.JSONDecoder()

LONGEST_COMPLAINT = 400


def read(answer: type[T], text: str, *, whole: bool = True) -> T:
    """The value of `understood`."""
    return understood(answer, text, whole=whole)[0]


def understood(answer: type[T], text: str, *, whole: bool = True) -> tuple[T, int]:
    """The value, and how many items of its lists had no plain meaning and were left out; ValueError
    (pydantic's ValidationError is one) when the text is none. What is nearly JSON is mended, unless it was
    cut off (not `whole`): then what is missing would be lost in silence. A type with an empty schema takes
    free text, all but thoughts."""
    schema = answer.model_json_schema()
    if not schema:
        return answer.model_validate_json(unthought(text)), 0
    text = _unquoted(_outside(text.lstrip("\ufeff")))
    found = bare(text)
    parts, broken = _values(text) if whole else ([_loaded(found)], False)
    best = _best(parts, schema, wrapped=whole, alone=not broken)
    if best is None:
        try:
            return answer.model_validate_json(found), 0
        except ValueError:
            if whole and (broken or not is_json(found)) and (mended := _mended(text)):
                best = _best([json.loads(mended)], schema, wrapped=True, alone=True)
            if best is None:
                raise
    return _validated(answer, *best)


def _validated(answer: type[T], value: Any, dropped: int) -> tuple[T, int]:
    """The value without the items of its lists that a rule of the type is against, unless all are."""
    try:
        return answer.model_validate_json(json.dumps(value)), dropped
    except ValidationError as error:
        bad = {each["loc"][:2] for each in error.errors(include_url=False)}
        if not all(len(place) == 2 and isinstance(place[1], int) for place in bad):
            raise
        kept = {
            name: [item for number, item in enumerate(items) if (name, number) not in bad]
            for name, items in value.items()
            if isinstance(items, list)
        }
        if not any(kept[str(name)] for name, _ in bad):
            raise
        return answer.model_validate_json(json.dumps({**value, **kept})), dropped + len(bad)


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _values(text: str) -> tuple[list[Any], bool]:
    """The JSON objects in a text, and whether one of them is not whole: what lies within that is not all that
    was said. An empty list is none: who has read nothing answers so too."""
    spans, broken = _spans(text)
    return [json.loads(text[start:end]) for start, end in spans], broken


@dataclass(frozen=True, slots=True)
class _Fit:
    """One part of an answer, bent to the schema. `rank`: the higher, the better it fits."""

    rank: tuple[int, ...]
    value: dict[str, Any]
    dropped: int


def _best(parts: list[Any], schema: dict[str, Any], *, wrapped: bool, alone: bool) -> tuple[Any, int] | None:
    """The value that fits best and how much of it was dropped; of equals the last, which is final where the
    others are drafts. Where the answer is a list of things, those of all parts are joined. `wrapped`: within
    others too. `alone`: the items of its list without the rest around them too."""
    named = Bending(schema).list_field()
    fits: list[_Fit] = []
    rest: list[Any] = []
    for part in _flat(parts):
        if fit := _fitting(part, schema, named[0] if named and alone else "", wrapped=wrapped):
            fits.append(fit)
        else:
            rest.append(part)
    if not named or not (wrapped and alone):
        best = max(reversed(fits), key=lambda one: one.rank, default=None)
        return (best.value, best.dropped) if best else None
    name, items = named
    if not fits:
        fit = _bent({name: rest}, schema, 1) if parts else None
        return (fit.value, fit.dropped) if fit else None
    best = max(reversed(fits), key=lambda one: one.rank)
    more = [bent for each in rest if (bent := Bending(schema).bend(each, items)) is not MISFIT]
    if len(fits) == 1 and not more:
        return best.value, best.dropped
    all_items = [*(item for fit in fits for item in fit.value[name]), *more]
    joined = {json.dumps(item, sort_keys=True): item for item in all_items}
    return {**best.value, name: list(joined.values())}, sum(fit.dropped for fit in fits)


def _fitting(part: Any, schema: dict[str, Any], name: str, *, wrapped: bool) -> _Fit | None:
    """What of a part fits best: itself, what it wraps, or a list that it calls otherwise than `name`."""
    found = [_bent(part, schema, 0)]
    for depth, inner in _within(part) if wrapped else ():
        listed = isinstance(inner, list) and name and inner
        found.append(_bent({name: inner} if listed else inner, schema, depth))
    return max(filter(None, found), key=lambda one: one.rank, default=None)


def _bent(value: Any, schema: dict[str, Any], depth: int) -> _Fit | None:
    bending = Bending(schema)
    bent = bending.bend(value)
    if bent is MISFIT or (bending.dropped and not bending.kept):
        return None
    rank = (-bending.missing, -bending.dropped, -bending.unknown, bending.kept, -depth)
    return _Fit(rank, bent, bending.dropped)


def _flat(parts: list[Any], depth: int = _DEEPEST_WRAPPED) -> list[Any]:
    """Without the lists around them."""
    inner = ([part] if not isinstance(part, list) or not depth else _flat(part, depth - 1) for part in parts)
    return [each for some in inner for each in some]


def _within(value: Any, depth: int = 1) -> Iterator[tuple[int, Any]]:
    """What stands in wrappers of objects, written out or as text once more."""
    for each in value.values() if isinstance(value, dict) else ():
        inner = decoded(each)
        if isinstance(inner, dict | list) and depth <= _DEEPEST_WRAPPED:
            yield depth, inner
            yield from _within(inner, depth + 1)


def _mended(text: str) -> str:
    """The object that was meant, as JSON; empty where none can be made out. Mending goes by guesses: too deep
    or too long a text is not tried."""
    from json_repair import repair_json

    text = _outside(text)
    start = text.find("{")
    if start >= 0 and _loaded(one := bare(without_commas(text[start:]))) is not None:
        return one
    if start < 0 or len(text) > _MOST_MENDED or depth(text) > _DEEPEST_MENDED:
        return ""
    if text.count('"') > _MOST_QUOTES * (1 + text.count(":") + text.count(",")):
        return ""
    try:
        mended = repair_json(text[start:], skip_json_loads=True)
    except (ValueError, RecursionError, IndexError, TypeError):
        return ""
    return mended if mended.startswith("{") else ""


def without_commas(text: str) -> str:
    """Without the commas before what ends a list or an object."""
    return _COMMA.sub(r"\1", text)


def depth(text: str) -> int:
    """How deep brackets go, those within strings counted too."""
    steps = ((character in "{[(") - (character in "}])") for character in text)
    return max(accumulate(steps), default=0)


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


def _unquoted(text: str) -> str:
    """The text in a JSON string, where all of it is one."""
    inner = _loaded(text) if text.startswith('"') and text.endswith('"') else None
    return _outside(inner) if isinstance(inner, str) else text


def _outside(text: str) -> str:
    """Without thoughts, unless it is an object already: `<think>` may then be a value's own text."""
    text = text.strip()
    return text if text.startswith("{") else unthought(text)


def complaint(error: ValueError) -> str:
    """A validation error in one short line: where and what, without the values, which the model made up."""
    lines = [line.strip() for line in _DETAIL.sub("", str(error)).splitlines()]
    return "; ".join(filter(None, lines))[:LONGEST_COMPLAINT]


def _objects(text: str) -> Iterator[str]:
    """The JSON objects in a text."""
    return (text[start:end] for start, end in _spans(text)[0])


def _spans(text: str) -> tuple[list[tuple[int, int]], bool]:
    """Where the JSON objects of a text begin and end, and whether there is a broken one. One that is broken
    at the very beginning is not searched for parts of it."""
    spans: list[tuple[int, int]] = []
    failed = 0
    at = text.find("{")
    while at >= 0:
        try:
            _, end = _decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            failed += 1
            if at == 0 or failed > _MOST_BRACES:
                break
            end = at + 1
        else:
            spans.append((at, end))
        at = text.find("{", end)
    return spans, failed > 0
