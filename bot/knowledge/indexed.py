"""A repository's index as a `Library` (bot.core.library): passages of its newest commit."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TypeVar

from bot.core.errors import HobError
from bot.core.inference import Embed
from bot.core.library import Excerpt, merged
from bot.knowledge.embed import near_chunks
from bot.knowledge.git import Git, GitError
from bot.knowledge.search import Search
from bot.knowledge.shelf import Hit, Shelf
from bot.knowledge.shelves import Shelves

T = TypeVar("T")
log = logging.getLogger(__name__)
MOST_FOUND = 12
MOST_LINES = 400
"""Of one passage."""


class Indexed:
    """Answers from the index and the clone as they are; nothing where there is none."""

    def __init__(self, shelves: Shelves, repo_id: int, clone: Path, embed: Embed | None = None) -> None:
        self._embed = embed
        self._shelves = shelves
        self._repo_id = repo_id
        self._git = Git(clone)

    async def search(self, query: str) -> tuple[Excerpt, ...]:
        """The best passages, best first."""
        near = await self._near(query)
        return tuple(await self._asked(partial(self._search, near=near), query))

    async def read(self, path: str, start: int, end: int) -> Excerpt | None:
        """Those lines of a file, as far as they exist."""
        found = await self._asked(self._read, [(path, start, end)])
        return found[0] if found else None

    async def _asked(self, question: Callable[[T], Sequence[Excerpt]], about: T) -> Sequence[Excerpt]:
        """An index that cannot be read now has nothing to say: nobody's work fails for it."""
        try:
            return await asyncio.to_thread(question, about)
        except HobError as error:
            self._tell(error)
            return ()

    def _tell(self, error: HobError) -> None:
        log.warning("the index of repository %s cannot be read: %s", self._repo_id, error)

    async def _near(self, query: str) -> Sequence[Hit]:
        """Passages that are near in meaning, where a host has the model of the index."""
        if not self._embed or not await asyncio.to_thread(self._shelves.has, self._repo_id):
            return ()
        try:
            shelf = await asyncio.to_thread(self._shelves.open, self._repo_id)
            try:
                return await near_chunks(shelf, self._embed, query)
            finally:
                await asyncio.to_thread(shelf.close)
        except HobError as error:
            self._tell(error)
            return ()

    def _search(self, query: str, near: Sequence[Hit]) -> tuple[Excerpt, ...]:
        if not self._shelves.has(self._repo_id):
            return ()
        with closing(self._shelves.open(self._repo_id)) as shelf:
            found = Search(shelf, self._git, lambda _: near).passages(query, MOST_FOUND)
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
