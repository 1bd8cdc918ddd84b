"""Documents by their headings: Markdown (`#` and underlined), reStructuredText (underlined), AsciiDoc
(`=`)."""

import re
from collections.abc import Iterator, Sequence

from bot.core.source import Chunk
from bot.knowledge.parsing.chunking import windows

_HASHES = re.compile(r" {0,3}(#{1,6})[ \t]+(?=[^ \t])")
_EQUALS = re.compile(r"(={1,6})[ \t]+(\S.*)$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_SETEXT = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_ADORNED = re.compile(r"([!-/:-@\[-`{-~])\1{2,}[ \t]*$")
_MAX_TITLE = 100

Heading = tuple[int, int, str]
"""Line (from 1), level (1 is the highest), title."""


def sections(language: str, lines: Sequence[str]) -> tuple[Chunk, ...]:
    """A chunk a section, `symbol` being the titles on the way to it: `Install > Docker`; what stands before
    the first heading is `rest`."""
    starts = [(1, ""), *_titled(_HEADINGS[language](lines))]
    chunks: list[Chunk] = []
    for number, (start, symbol) in enumerate(starts):
        end = starts[number + 1][0] - 1 if number + 1 < len(starts) else len(lines)
        chunks += [
            Chunk("section" if symbol else "rest", symbol, first, last, symbol.rpartition(" > ")[2])
            for first, last in windows(lines, start, end)
        ]
    return tuple(chunks)


def _titled(headings: Iterator[Heading]) -> Iterator[tuple[int, str]]:
    """Each heading's line, with the titles above it before its own."""
    way: list[tuple[int, str]] = []
    for line, level, title in headings:
        way = [(above, name) for above, name in way if above < level]
        way.append((level, title[:_MAX_TITLE]))
        yield line, " > ".join(name for _, name in way)


def _markdown(lines: Sequence[str]) -> Iterator[Heading]:
    fence = ""
    for number, line in enumerate(lines, 1):
        if found := _FENCE.match(line):
            mark = found.group(1)
            if not fence:
                fence = mark
            elif mark.startswith(fence) and not line[found.end() :].strip():
                fence = ""
        elif fence:
            continue
        elif (heading := _HASHES.match(line)) and (title := _unclosed(line[heading.end() :])):
            yield number, len(heading.group(1)), title
        elif number > 1 and _SETEXT.match(line) and _is_title(lines, number - 1):
            yield number - 1, 1 if "=" in line else 2, lines[number - 2].strip()


def _unclosed(title: str) -> str:
    """A heading's words without the hashes that may close it."""
    title = title.rstrip(" \t")
    words = title.rstrip("#")
    return words.rstrip(" \t") if not words or words[-1] in " \t" else title


def _is_title(lines: Sequence[str], number: int) -> bool:
    """Whether a line is a paragraph by itself, as an underlined heading is."""
    line = lines[number - 1]
    alone = number == 1 or not lines[number - 2].strip()
    return alone and bool(line.strip()) and line.lstrip()[0] not in "#>-*+|=`~"


def _restructured(lines: Sequence[str]) -> Iterator[Heading]:
    """Levels in the order in which the adornments are met, as docutils has it."""
    levels: list[str] = []
    for number in range(1, len(lines)):
        title, under = lines[number - 1], lines[number]
        if not _ADORNED.match(under) or not title.strip() or title[0].isspace() or _ADORNED.match(title):
            continue
        if len(under.rstrip()) < len(title.rstrip()):
            continue
        over = number > 1 and lines[number - 2].rstrip() == under.rstrip()
        if not over and number > 1 and lines[number - 2].strip():
            continue
        style = under[0] * (1 + over)
        if style not in levels:
            levels.append(style)
        yield number - over, levels.index(style) + 1, title.strip()


def _asciidoc(lines: Sequence[str]) -> Iterator[Heading]:
    for number, line in enumerate(lines, 1):
        if found := _EQUALS.match(line):
            yield number, len(found.group(1)), found.group(2).strip()


_HEADINGS = {"Markdown": _markdown, "reStructuredText": _restructured, "AsciiDoc": _asciidoc}
DOCUMENTS = frozenset(_HEADINGS)
