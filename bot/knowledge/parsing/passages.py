"""A file taken apart into passages worth finding: by symbol, by heading, else by lines."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from bot.core.source import Chunk, LeftOut, Parsed
from bot.knowledge.parsing.chunking import WHOLE, windows
from bot.knowledge.parsing.documents import DOCUMENTS, sections
from bot.knowledge.parsing.files import decode, lines_of, why_left_out, why_not_written
from bot.knowledge.parsing.languages import grammar_of, language_of
from bot.knowledge.parsing.symbols import Definition, definitions, imports, references
from bot.knowledge.parsing.trees import TooHard, captures_of, tree_of

_NOBODY = -1
_LETTER = re.compile(r"[^\W_]")

Segment = tuple[int, int, int]
"""Which definition owns them (its index, or nobody), first line, last line."""


def parse(path: str, data: bytes) -> Parsed | LeftOut:
    """`data` of the file `path`, taken apart; every line is in exactly one chunk, in the order of the
    file. Never raises: what is broken is read as far as it can be, what is no source is left out with a
    reason."""
    if why := why_left_out(path, data):
        return LeftOut(path, why)
    text = decode(data)
    lines = lines_of(text)
    if why := why_not_written(lines):
        return LeftOut(path, why)
    language = language_of(path, text)
    if language in DOCUMENTS and lines:
        return Parsed(language, lines, sections(language, lines))
    return _parsed(language, lines, text) or Parsed(language, lines, _by_lines(lines))


def _parsed(language: str, lines: tuple[str, ...], text: str) -> Parsed | None:
    """By the language's grammar; None without one, or when the text is too hard for it."""
    grammar = grammar_of(language)
    if grammar is None:
        return None
    data = text.encode(errors="replace")
    try:
        found = captures_of(grammar, tree_of(grammar, data))
    except TooHard:
        return None
    chunks = _chunks(lines, definitions(found, data, lines))
    return Parsed(language, lines, tuple(chunks), references(found, data), imports(found, data))


def _by_lines(lines: Sequence[str]) -> tuple[Chunk, ...]:
    return tuple(Chunk("window", "", start, end) for start, end in windows(lines, 1, len(lines)))


def _chunks(lines: Sequence[str], found: Sequence[Definition]) -> Iterator[Chunk]:
    for owner, start, end in _joined(lines, _segments(lines, found)):
        for first, last in windows(lines, start, end):
            yield _chunk(found[owner] if owner != _NOBODY else None, first, last)


def _chunk(of: Definition | None, start: int, end: int) -> Chunk:
    if of is None or of.kind == "scope":
        return Chunk("rest", of.symbol if of else "", start, end)
    return Chunk(of.kind, of.symbol, start, end, of.signature)


def _segments(lines: Sequence[str], found: Sequence[Definition]) -> Iterator[Segment]:
    """Each line to the innermost definition that stands for itself. A function inside a function does so only
    where the whole is too long for one passage."""
    owners = [_NOBODY] * len(lines)
    whole_until = 0
    for index, each in enumerate(found):
        if each.within_function and each.end <= whole_until:
            continue
        if each.kind == "function" and not each.within_function and each.end - each.start < WHOLE:
            whole_until = each.end
        end = min(each.end, len(lines))
        owners[each.start - 1 : end] = [index] * (end - each.start + 1)
    at = 1
    for owner, run in groupby(owners):
        length = len(list(run))
        yield owner, at, at + length - 1
        at += length


def _joined(lines: Sequence[str], segments: Iterator[Segment]) -> list[Segment]:
    """Blank lines and lone brackets between definitions go with what is before them, or after at the
    start."""
    joined: list[Segment] = []
    for owner, start, end in segments:
        bare = not any(map(_LETTER.search, lines[start - 1 : end]))
        if joined and (bare or joined[-1][0] == owner):
            joined[-1] = (joined[-1][0], joined[-1][1], end)
        else:
            joined.append((owner, start, end))
    if len(joined) > 1 and not any(map(_LETTER.search, lines[: joined[0][2]])):
        joined[:2] = [(joined[1][0], joined[0][1], joined[1][2])]
    return joined
