"""Bends a JSON value to an answer's schema where its meaning is plain; what has none is left out and counted.

By the schema alone, so that it holds for every answer: a field with a default may be missing, null or odd;
one without may not, and costs the list's item that it is in.
"""

import json
import math
import re
from dataclasses import dataclass, field
from typing import Any

MISFIT: Any = object()
_TRUE = frozenset({"true", "yes", "y", "1", "keep", "kept", "accept", "accepted", "valid", "confirmed", "on"})
_FALSE = frozenset(
    {"false", "no", "n", "0", "drop", "dropped", "reject", "rejected", "invalid", "refuted", "off"}
)
_NOTHING = frozenset({"", "null", "none", "nil", "n/a", "nan", "undefined"})
_SURE = {"certain": 0.95, "very high": 0.95, "high": 0.9, "medium": 0.6, "moderate": 0.6, "low": 0.3}
_NUMBER = re.compile(
    r"[^\d.\-+%/]{0,16}([-+]?\d{1,15}(?:\.\d{1,15})?(?:[eE][-+]?\d{1,3})?)\s{0,4}(%|/\s?10{1,2})?"
)
_WORDS = re.compile(r"[^\W_]+(?:[-_ ][^\W_]+)?")
_MEANS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("critical", "blocker", "blocking", "fatal", "severe", "p0"), ("critical", "urgent")),
    **dict.fromkeys(("major", "high", "important", "error", "serious", "p1"), ("major", "high")),
    **dict.fromkeys(("minor", "medium", "moderate", "warning", "warn", "p2"), ("minor", "normal")),
    **dict.fromkeys(("nit", "nitpick", "low", "info", "trivial", "style", "note", "p3"), ("nit", "low")),
    **dict.fromkeys(("defect", "regression", "crash", "bugfix"), ("bug",)),
    **dict.fromkeys(("enhancement", "improvement", "request", "proposal"), ("feature",)),
    **dict.fromkeys(("documentation", "doc"), ("docs",)),
    **dict.fromkeys(("support", "help", "usage"), ("question",)),
}
"""A model's word -> what an answer may call it; the first that the schema knows is meant."""
_MOST_CHARS = 200
"""Of a text that is to be a number, a word or a truth value."""


@dataclass(slots=True)
class Bending:
    """One value on its way to `schema`. `dropped` counts list items that were left out."""

    schema: dict[str, Any]
    dropped: int = 0
    missing: int = 0
    unknown: int = 0
    kept: int = 0
    definitions: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.definitions = self.schema.get("$defs", {})

    def bend(self, value: Any, node: dict[str, Any] | None = None) -> Any:
        """The value as the schema has it, or `MISFIT`."""
        node = self.resolved(self.schema if node is None else node)
        if "anyOf" in node:
            return self._any(value, node["anyOf"])
        if "enum" in node or "const" in node:
            return _chosen(value, node.get("enum", [node.get("const")]))
        match node.get("type"):
            case "object":
                return self._object(value, node)
            case "array":
                return self._array(value, self.resolved(node.get("items", {})))
            case "string":
                return _text(value)
            case "boolean":
                return _truth(value)
            case "number" | "integer" as kind:
                number = _number(value, node)
                whole = kind == "number" or number is MISFIT or number == int(number)
                return (
                    MISFIT
                    if not whole
                    else int(number)
                    if kind == "integer" and number is not MISFIT
                    else number
                )
        return value

    def resolved(self, node: dict[str, Any]) -> dict[str, Any]:
        """The node that a reference means."""
        while "$ref" in node:
            node = self.definitions[node["$ref"].rpartition("/")[2]]
        return node

    def list_field(self) -> tuple[str, dict[str, Any]] | None:
        """The answer's first list of objects that it cannot do without, and its items' schema."""
        root = self.resolved(self.schema)
        for name in root.get("required", ()):
            node = self.resolved(root["properties"][name])
            items = self.resolved(node.get("items", {}))
            if node.get("type") == "array" and items.get("type") == "object":
                return name, items
        return None

    def _any(self, value: Any, nodes: list[dict[str, Any]]) -> Any:
        if any(node.get("type") == "null" for node in nodes) and _is_nothing(value, but=""):
            return None
        bent = (self.bend(value, node) for node in nodes if node.get("type") != "null")
        return next((one for one in bent if one is not MISFIT), MISFIT)

    def _object(self, value: Any, node: dict[str, Any]) -> Any:
        value = decoded(value)
        if not isinstance(value, dict):
            return MISFIT
        properties = node.get("properties", {})
        if not properties:
            return value
        named = {_bare(str(key)): each for key, each in reversed(value.items())}
        known = set(map(_bare, properties))
        self.unknown += sum(each not in known for each in named)
        result: dict[str, Any] = {}
        for name, inner in properties.items():
            given = value[name] if name in value else named.get(_bare(name), MISFIT)
            bent = MISFIT if given is MISFIT else self.bend(given, inner)
            if bent is not MISFIT:
                result[name] = bent
            elif name in node.get("required", ()):
                return MISFIT
            else:
                self.missing += 1
        return result

    def _array(self, value: Any, items: dict[str, Any]) -> Any:
        if _is_nothing(value):
            return []
        if items.get("type") == "object" or (isinstance(value, str) and value.startswith("[")):
            value = decoded(value)
        if isinstance(value, str) and items.get("type") == "string":
            value = [part.strip(" \t-*") for part in value.splitlines()]
        elif isinstance(value, dict) and items.get("type") == "object":
            value = [value]
            if (bent := self.bend(value[0], items)) is MISFIT:
                return MISFIT
            return [bent]
        if not isinstance(value, list):
            return MISFIT
        bent = [self.bend(each, items) for each in value]
        good = [each for each in bent if each is not MISFIT]
        self.kept += len(good)
        self.dropped += len(bent) - len(good)
        return good


def decoded(value: Any) -> Any:
    """What an object or a list is that was written as text once more."""
    if isinstance(value, str) and value.lstrip()[:1] in {"{", "["}:
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _is_nothing(value: Any, but: str = "\0") -> bool:
    return value is None or (isinstance(value, str) and value != but and value.strip().casefold() in _NOTHING)


def _bare(name: str) -> str:
    return re.sub(r"[\W_]+", "", name[:_MOST_CHARS]).casefold()


def _text(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)[:_MOST_CHARS] if abs(value) < 1e300 else MISFIT
    if isinstance(value, list) and value and all(isinstance(each, str) for each in value):
        return _text("\n".join(value))
    return MISFIT


def _truth(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if (
        not isinstance(value, str | int | float)
        or len(word := str(value)[:_MOST_CHARS].strip(" .!\n").casefold()) > 20
    ):
        return MISFIT
    return True if word in _TRUE else False if word in _FALSE else MISFIT


def _number(value: Any, node: dict[str, Any]) -> Any:
    share = node.get("minimum") == 0 and node.get("maximum") == 1
    scale = ""
    if isinstance(value, str):
        text = value[:_MOST_CHARS].strip()
        if share and text.casefold() in _SURE:
            return _SURE[text.casefold()]
        if not (found := _NUMBER.fullmatch(text)):
            return MISFIT
        value, scale = float(found[1]), (found[2] or "").replace(" ", "")
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or abs(value) > 1e15
        or not math.isfinite(value)
    ):
        return MISFIT
    if not share:
        return value if not scale else MISFIT
    divisor = {"%": 100, "/100": 100, "/10": 10}.get(scale) or (
        1 if value < 2 else 10 if value <= 10 else 100
    )
    return min(1.0, max(0.0, value / divisor)) if value / divisor <= 2 else MISFIT


def _chosen(value: Any, options: list[Any]) -> Any:
    if value in options:
        return value
    if not isinstance(value, str):
        return MISFIT
    words = [word.casefold() for word in _WORDS.findall(value[:_MOST_CHARS])]
    words = [*words, *(part for word in words for part in re.split(r"[-_ ]", word))]
    known = {str(option).casefold(): option for option in options}
    for word in words:
        for meant in (word, *_MEANS.get(word, ())):
            if meant in known:
                return known[meant]
    return known.get("other", MISFIT) if words else MISFIT
