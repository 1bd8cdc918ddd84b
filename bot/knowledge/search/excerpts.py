"""The lines of files as the index counts them.

Files by what they define, for a reader who cannot read them whole.
"""

from collections.abc import Iterable, Mapping, Sequence

from bot.core.code_search import Excerpt
from bot.core.knowledge import Found, Outline
from bot.knowledge.git import Git, GitError
from bot.knowledge.parsing.files import decode, lines_of
from bot.knowledge.search.snapshot import Snapshot
from bot.knowledge.storage import IndexStore

MOST, LONGEST = 40, 100
"""Signatures of a file, and characters of one."""


def outlines(index_store: IndexStore, snapshot: Snapshot, found: Sequence[Found]) -> list[Outline]:
    """For each file that was found the signatures of its symbols, the one that was found first."""
    blobs = snapshot.blobs_of([one.path for one in found])
    chunks: dict[str, list[tuple[str, str]]] = {}
    for each in index_store.chunks_of(set(blobs.values())):
        if each.chunk.signature:
            signature = " ".join(each.chunk.signature.split())[:LONGEST]
            chunks.setdefault(each.blob, []).append((each.chunk.symbol, signature))
    return [Outline(one.path, _ordered(chunks.get(blobs.get(one.path, ""), []), one.symbol)) for one in found]


def _ordered(signatures: Sequence[tuple[str, str]], first: str) -> tuple[str, ...]:
    own = sorted(signatures, key=lambda each: each[0] != first)
    return tuple(dict.fromkeys(signature for _, signature in own))[:MOST]


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
