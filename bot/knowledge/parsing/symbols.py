"""Definitions, uses and imports of a parsed file, from the captures of its language's query."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import tree_sitter

from bot.core.source import Import, Reference

MAX_DEFINITIONS = 2_000
MAX_REFERENCES = 20_000
"""A file: what is beyond was written by a program."""
MAX_DEPTH = 8
"""Of names in a qualified symbol: what lies deeper belongs to the definition around it."""
_MAX_NAME = 200
_NAMED_BY = ("name", "declarator", "type", "left", "property", "key")
_RECEIVER = re.compile(r"(\w+)\s*(?:\[[^\]]*\])?\s*\)$")
_GENERIC = re.compile(r"<[^<>]*>")
_QUOTES = "\"'`<>"

Captures = dict[str, list[tree_sitter.Node]]
SymbolKind = Literal["function", "class", "scope"]


@dataclass(frozen=True, slots=True)
class Definition:
    """Lines count from 1; what stands directly above (comments, decorators) is included."""

    kind: SymbolKind
    symbol: str
    start: int
    end: int
    signature: str
    depth: int
    within_function: bool


def definitions(found: Captures, data: bytes, lines: Sequence[str]) -> list[Definition]:
    """In the order of the text, outer before inner, with qualified names."""
    nodes = [(node, kind) for kind in _KINDS for node in found.get(kind, ())]
    nodes.sort(key=lambda each: (each[0].start_byte, -each[0].end_byte))
    above = _above(found.get("above", ()), lines)
    made: list[Definition] = []
    around: list[tuple[int, Definition]] = []
    for node, kind in nodes[:MAX_DEFINITIONS]:
        while around and around[-1][0] <= node.start_byte:
            around.pop()
        outer = around[-1][1] if around else None
        definition = _definition(node, kind, outer, data, above)
        if definition is not None:
            made.append(definition)
            around.append((node.end_byte, definition))
    return made


_KINDS: tuple[SymbolKind, ...] = ("function", "class", "scope")


def _definition(
    node: tree_sitter.Node, kind: SymbolKind, outer: Definition | None, data: bytes, above: dict[int, int]
) -> Definition | None:
    """None for what has no name, lies too deep, or begins on the line of what is around it."""
    name = _name(node, data)
    first = node.start_point[0] + 1
    start = first
    while start - 1 in above:
        start = above[start - 1]
    if outer is not None:
        start = max(start, min(outer.start + 1, first))
        if outer.depth >= MAX_DEPTH or (outer.kind != "scope" and first <= outer.start):
            return None
    if not name:
        return None
    row, column = node.end_point
    return Definition(
        kind=kind,
        symbol=f"{outer.symbol}.{name}" if outer else name,
        start=start,
        end=max(first, row + 1 if column else row),
        signature=_signature(node, data),
        depth=outer.depth + 1 if outer else 1,
        within_function=outer is not None and (outer.kind == "function" or outer.within_function),
    )


def _above(nodes: Iterable[tree_sitter.Node], lines: Sequence[str]) -> dict[int, int]:
    """Last line -> first line of the comments and decorators that begin a line of their own."""
    found: dict[int, int] = {}
    for node in nodes:
        (row, column), (last, at) = node.start_point, node.end_point
        before = lines[row].encode()[:column] if row < len(lines) else b""
        if before.strip() in (b"", b"template"):
            found[last + 1 if at else last] = row + 1
    return found


def _text(node: tree_sitter.Node, data: bytes) -> str:
    return data[node.start_byte : node.end_byte].decode(errors="replace")


def _name(node: tree_sitter.Node, data: bytes) -> str:
    """A definition's own name; for a method of Go with its receiver's type: `Inbox.Put`."""
    named = _naming(node)
    if named is None or named.end_byte - named.start_byte > _MAX_NAME:
        return ""
    name = _GENERIC.sub("", _text(named, data))
    name = ".".join(name.strip(_QUOTES).replace("::", ".").replace("->", ".").split())
    receiver = node.child_by_field_name("receiver")
    if receiver is not None and (of := _RECEIVER.search(_text(receiver, data)[:_MAX_NAME])):
        return f"{of.group(1)}.{name}"
    return name


def _naming(node: tree_sitter.Node) -> tree_sitter.Node | None:
    """The node that names a definition: its `name`, or what C's declarators end in."""
    for field in _NAMED_BY:
        named = node.child_by_field_name(field)
        if named is None:
            continue
        for _ in range(20):
            inner = named.child_by_field_name("declarator")
            if inner is None:
                break
            named = inner
        return named
    return None


def _signature(node: tree_sitter.Node, data: bytes) -> str:
    """A definition up to its body, on one line."""
    value = node.child_by_field_name("value") or node.child_by_field_name("right")
    body = node.child_by_field_name("body") or (value and value.child_by_field_name("body"))
    if body is not None and body.start_byte > node.start_byte:
        head = data[node.start_byte : min(body.start_byte, node.start_byte + 1_000)]
    else:
        head = data[node.start_byte : min(node.end_byte, node.start_byte + 1_000)].partition(b"\n")[0]
    return " ".join(head.decode(errors="replace").split())[:_MAX_NAME].rstrip(" {:=")


def references(found: Captures, data: bytes) -> tuple[Reference, ...]:
    """Each name once a line, in the order of the text."""
    uses = found.get("use", ())[:MAX_REFERENCES]
    seen = {(node.start_point[0] + 1, data[node.start_byte : node.end_byte]) for node in uses}
    names = {name: name.decode(errors="replace") for _, name in seen if len(name) <= _MAX_NAME}
    return tuple(Reference(names[name], line) for line, name in sorted(seen) if name in names)


def imports(found: Captures, data: bytes) -> tuple[Import, ...]:
    """As they are written, quotes and brackets left out."""
    return tuple(
        Import(" ".join(_text(node, data).strip(_QUOTES).split())[:_MAX_NAME], node.start_point[0] + 1)
        for node in found.get("import", ())
    )
