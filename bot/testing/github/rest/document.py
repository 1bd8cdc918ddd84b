"""Just enough GraphQL to read what a bot asks: one query, fields, aliases, arguments, fragments.

https://spec.graphql.org/October2021/#sec-Language
"""

import json
import re
from dataclasses import dataclass, field, replace
from typing import Any

_TOKEN = re.compile(
    r'\s*(?:#[^\n]*\n\s*|,\s*)*(?:(?P<text>"(?:[^"\\\n]|\\.)*")|(?P<name>[_A-Za-z]\w*)|(?P<number>-?\d+)|(?P<mark>\.\.\.|[{}()\[\]:$!=@|&]))'
)


class ParseError(Exception):
    """The document is no GraphQL that is understood here."""


@dataclass(frozen=True)
class Variable:
    """A reference to a variable of the request."""

    name: str


@dataclass(frozen=True)
class Selection:
    """A field, or (with `on`) a fragment, or (with `spread`, until it is opened) the name of one; `key` is
    where its value goes."""

    name: str = ""
    key: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)
    children: tuple["Selection", ...] = ()
    on: str = ""
    spread: str = ""


class _Reader:
    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        at, text = 0, text.rstrip() + "\n"
        while text[at:].strip():
            found = _TOKEN.match(text, at)
            if found is None or found.lastgroup is None:
                raise ParseError(f'Expected one of SCHEMA, SCALAR, TYPE, …, actual: "{text[at:].split()[0]}"')
            self.tokens.append((found.lastgroup, found[found.lastgroup]))
            at = found.end()
        self.at = 0

    def peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def take(self, expected: str = "") -> str:
        token = self.peek()
        if not token or (expected and token != expected):
            raise ParseError(f'Parse error on "{token or "end of file"}"')
        self.at += 1
        return token

    def took(self, expected: str) -> bool:
        if self.peek() == expected:
            self.at += 1
            return True
        return False

    def selections(self) -> tuple[Selection, ...]:
        self.take("{")
        found = []
        while not self.took("}"):
            found.append(self.selection())
        return tuple(found)

    def selection(self) -> Selection:
        if self.took("..."):
            if self.peek() != "on":
                return Selection(spread=self.take())
            self.take("on")
            return Selection(on=self.take(), children=self.selections())
        key = name = self.take()
        if self.took(":"):
            name = self.take()
        arguments: dict[str, Any] = {}
        if self.took("("):
            while not self.took(")"):
                argument = self.take()
                self.take(":")
                arguments[argument] = self.value()
        children = self.selections() if self.peek() == "{" else ()
        return Selection(name, key, arguments, children)

    def value(self) -> Any:
        if self.took("$"):
            return Variable(self.take())
        if self.took("["):
            listed = []
            while not self.took("]"):
                listed.append(self.value())
            return listed
        if self.took("{"):
            made: dict[str, Any] = {}
            while not self.took("}"):
                name = self.take()
                self.take(":")
                made[name] = self.value()
            return made
        kind = self.tokens[self.at][0] if self.at < len(self.tokens) else ""
        token = self.take()
        if kind in ("text", "number"):
            return json.loads(token)
        return {"true": True, "false": False, "null": None}.get(token, token)


def parse(text: str) -> tuple[str, tuple[Selection, ...]]:
    """("query" or "mutation", what is selected); ParseError."""
    reader = _Reader(text)
    kind = "query" if reader.peek() == "{" else reader.take()
    if kind not in ("query", "mutation"):
        raise ParseError(f'Parse error on "{kind}"')
    while reader.peek() not in ("{", "("):
        reader.take()
    if reader.took("("):
        while not reader.took(")"):
            reader.take()
    found, fragments = reader.selections(), {}
    while reader.took("fragment"):
        name = reader.take()
        reader.take("on")
        fragments[name] = Selection(on=reader.take(), children=reader.selections())
    return kind, tuple(_opened(one, fragments, 0) for one in found)


def _opened(one: Selection, fragments: dict[str, Selection], depth: int) -> Selection:
    """With named fragments in their places."""
    if depth > 50 or (one.spread and one.spread not in fragments):
        raise ParseError(f"Fragment {one.spread} was used, but not defined")
    one = fragments[one.spread] if one.spread else one
    return replace(one, children=tuple(_opened(child, fragments, depth + 1) for child in one.children))
