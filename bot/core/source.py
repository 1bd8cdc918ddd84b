"""A source file taken apart: its symbols, what it refers to, what it imports. Lines count from 1, ends are
included."""

from dataclasses import dataclass
from typing import Literal

ChunkKind = Literal["function", "class", "section", "rest", "window"]
"""A method is a `function` whose symbol names its class; a `class` chunk holds what no method of its holds; a
`section` is one of a document; `rest` is what lies outside of every symbol; a `window` is some lines of a
file whose language is not known."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage of a file worth finding by itself. `symbol` is qualified: `Inbox.put`; empty for `rest` and
    windows."""

    kind: ChunkKind
    symbol: str
    start: int
    end: int
    signature: str = ""
    """The first line of a definition, without its body."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A name used as if it were defined elsewhere (a call, a type, a base class)."""

    name: str
    line: int


@dataclass(frozen=True, slots=True)
class Import:
    """`target` as it is written: `bot.core.text`, `./side`, `fmt`, `<stdio.h>` without the brackets."""

    target: str
    line: int


@dataclass(frozen=True, slots=True)
class Parsed:
    """One file's text taken apart. `language` is empty where none is known."""

    language: str
    lines: tuple[str, ...]
    chunks: tuple[Chunk, ...]
    references: tuple[Reference, ...] = ()
    imports: tuple[Import, ...] = ()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file that is not indexed, and why, in a few words for a person: `generated`, `over 1 MB`,
    `binary`."""

    path: str
    why: str


def text_of(parsed: Parsed, chunk: Chunk) -> str:
    """The chunk's lines, without blank ones at its end."""
    return "\n".join(parsed.lines[chunk.start - 1 : chunk.end]).rstrip()


def references_in(parsed: Parsed, start: int, end: int) -> tuple[str, ...]:
    """The names used on lines `start` to `end`, each once, in order."""
    return tuple(dict.fromkeys(each.name for each in parsed.references if start <= each.line <= end))
