"""The lines of files as the index counts them.

Files by what they define, for a reader who cannot read them whole.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from bot.core.code_search import Excerpt
from bot.core.knowledge import Found, Outline
from bot.knowledge.git import Git, GitError
from bot.knowledge.parsing.files import decode, lines_of
from bot.knowledge.parsing.tokens import tokens
from bot.knowledge.search.query import ParsedQuery, query_terms
from bot.knowledge.search.snapshot import Snapshot
from bot.knowledge.storage import IndexStore

MOST, LONGEST = 40, 100
"""Signatures of a file, and characters of one."""
MOST_PASSAGES = 5
"""Files of which the passage that was found is told."""


def outlines(index_store: IndexStore, git: Git, snapshot: Snapshot, found: Sequence[Found]) -> list[Outline]:
    """For each file that was found the signatures of its symbols, the one that was found first."""
    blobs = snapshot.blobs_of([one.path for one in found])
    chunks: dict[str, list[tuple[str, str]]] = {}
    for each in index_store.chunks_of(set(blobs.values())):
        if each.chunk.signature:
            signature = " ".join(each.chunk.signature.split())[:LONGEST]
            chunks.setdefault(each.blob, []).append((each.chunk.symbol, signature))
    places = [(one.path, one.start, one.end) for one in found[:MOST_PASSAGES]]
    best = {one.path: one for one in excerpts(git, blobs, places)}
    return [
        Outline(one.path, _ordered(chunks.get(blobs.get(one.path, ""), []), one.symbol), best.get(one.path))
        for one in found
    ]


def _ordered(signatures: Sequence[tuple[str, str]], first: str) -> tuple[str, ...]:
    own = sorted(signatures, key=lambda each: each[0] != first)
    return tuple(dict.fromkeys(signature for _, signature in own))[:MOST]


def with_lines(git: Git, snapshot: Snapshot, query: str, found: Sequence[Found]) -> list[Found]:
    """The same files, each with the line that was found; as they were while git cannot tell."""
    asked = query_terms(query)
    blobs = snapshot.blobs_of([one.path for one in found])
    lines = texts(git, blobs.values())
    return [_with_line(one, lines.get(blobs.get(one.path, ""), ()), asked) for one in found]


def _with_line(found: Found, lines: Sequence[str], asked: ParsedQuery) -> Found:
    """A line that was told, else the first of those with the most words that were asked for."""
    passage = range(max(found.start, 1), min(found.end, len(lines)) + 1)
    if not passage:
        return found
    told = {place.line for place in asked.places if place.line and found.path.endswith(place.path)}
    wanted = set(asked.terms)
    best = max(
        passage, key=lambda number: (number in told, len(wanted.intersection(tokens(lines[number - 1]))))
    )
    return replace(found, line=best, text=lines[best - 1])


MOST_LINES = 400
"""Of one passage."""
LineRange = tuple[str, int, int]
"""Path, first line, last line."""


def texts(git: Git, blobs: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """blob -> its lines; nothing of those that the repository lacks, or while it is made anew."""
    try:
        return {sha: lines_of(decode(data)) for sha, data in git.contents(sorted(set(blobs)))}
    except GitError:
        return {}


def excerpts(git: Git, blobs: Mapping[str, str], places: Sequence[LineRange]) -> list[Excerpt]:
    """Those lines, as far as they exist; `blobs` is path -> blob."""
    lines = texts(git, {blobs[path] for path, _, _ in places if path in blobs})
    found = [cut(path, lines.get(blobs.get(path, ""), ()), start, end) for path, start, end in places]
    return [one for one in found if one.lines]


def cut(path: str, lines: Sequence[str], start: int, end: int) -> Excerpt:
    """Lines `start` to `end`, at most `MOST_LINES`; empty where there are none."""
    start = max(start, 1)
    return Excerpt(path, start, tuple(lines[start - 1 : max(end, 0)][:MOST_LINES]))
