"""A repository's index as a `Library` (bot.core.library): passages of its newest commit."""

import asyncio
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from bot.core.library import Excerpt, merged
from bot.knowledge.git import Git, GitError
from bot.knowledge.search import Search
from bot.knowledge.shelf import Shelf
from bot.knowledge.shelves import Shelves

MOST_FOUND = 12
MOST_LINES = 400
"""Of one passage."""


class Indexed:
    """Answers from the index and the clone as they are; nothing where there is none."""

    def __init__(self, shelves: Shelves, repo_id: int, clone: Path) -> None:
        self._shelves = shelves
        self._repo_id = repo_id
        self._git = Git(clone)

    async def search(self, query: str) -> tuple[Excerpt, ...]:
        """The best passages, best first."""
        return await asyncio.to_thread(self._search, query)

    async def read(self, path: str, start: int, end: int) -> Excerpt | None:
        """Those lines of a file, as far as they exist."""
        found = await asyncio.to_thread(self._read, [(path, start, end)])
        return found[0] if found else None

    def _search(self, query: str) -> tuple[Excerpt, ...]:
        if not self._shelves.has(self._repo_id):
            return ()
        with closing(self._shelves.open(self._repo_id)) as shelf:
            found = Search(shelf, self._git).passages(query, MOST_FOUND)
            return merged(self._excerpts(shelf, [(one.path, one.start, one.end) for one in found]))

    def _read(self, places: list[tuple[str, int, int]]) -> list[Excerpt]:
        if not self._shelves.has(self._repo_id):
            return []
        with closing(self._shelves.open(self._repo_id)) as shelf:
            return self._excerpts(shelf, places)

    def _excerpts(self, shelf: Shelf, places: list[tuple[str, int, int]]) -> list[Excerpt]:
        blobs = shelf.blobs_of({path for path, _, _ in places})
        lines = self._texts(set(blobs.values()))
        cut = [
            Excerpt(path, max(start, 1), tuple(lines[blobs[path]][max(start, 1) - 1 : end][:MOST_LINES]))
            for path, start, end in places
            if path in blobs and blobs[path] in lines
        ]
        return [one for one in cut if one.lines]

    def _texts(self, blobs: Iterable[str]) -> dict[str, list[str]]:
        try:
            found = dict(self._git.contents(sorted(blobs)))
        except GitError:  # the clone went, or is being made anew
            return {}
        return {sha: data.decode("utf-8", "replace").splitlines() for sha, data in found.items()}
