"""The lines of files as the index counts them."""

from collections.abc import Iterable, Mapping, Sequence

from bot.core.library import Excerpt
from bot.knowledge.files import decode, lines_of
from bot.knowledge.git import Git, GitError

MOST_LINES = 400
"""Of one passage."""
Place = tuple[str, int, int]
"""Path, first line, last line."""


def texts(git: Git, blobs: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """blob -> its lines; nothing of those that the repository lacks, or while it is made anew."""
    try:
        return {sha: lines_of(decode(data)) for sha, data in git.contents(sorted(set(blobs)))}
    except GitError:
        return {}


def excerpts(git: Git, blobs: Mapping[str, str], places: Sequence[Place]) -> list[Excerpt]:
    """Those lines, as far as they exist; `blobs` is path -> blob."""
    lines = texts(git, {blobs[path] for path, _, _ in places if path in blobs})
    found = [cut(path, lines.get(blobs.get(path, ""), ()), start, end) for path, start, end in places]
    return [one for one in found if one.lines]


def cut(path: str, lines: Sequence[str], start: int, end: int) -> Excerpt:
    """Lines `start` to `end`, at most `MOST_LINES`; empty where there are none."""
    start = max(start, 1)
    return Excerpt(path, start, tuple(lines[start - 1 : max(end, 0)][:MOST_LINES]))
