"""A repository on this machine as a `Library` (bot.core.code_search): its index where that can be had, else
what another library finds."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bot.core.code_search import Excerpt, Joined, Library
from bot.core.errors import HobError
from bot.core.knowledge import Found, Outline
from bot.knowledge.local import Local
from bot.knowledge.search.repository_search import Indexed


class LocalLibrary:
    """The index is brought to the last commit when it is first asked. `otherwise` answers where there can be
    none, and where the index has nothing; `tell` hears which of them answers."""

    def __init__(
        self,
        root: Path,
        data_dir: Path,
        otherwise: Library,
        tell: Callable[[str], None] = lambda _: None,
        archives: Mapping[str, Path] | None = None,
    ) -> None:
        self.root, self.data_dir, self.otherwise, self.tell = root, data_dir, otherwise, tell
        self.archives = archives or {}
        self._indexed: Indexed | None = None
        self._beside: Mapping[str, Library] = {}
        self._tried = False

    async def search(self, query: str, at: str = "", first: Sequence[str] = ()) -> tuple[Excerpt, ...]:
        indexed = await self._ready()
        here = replace(indexed, at=at, first=tuple(first)) if indexed else None
        found = await Joined(here, self._beside).search(query) if here else ()
        if indexed and not found:
            self.tell("nothing in the index: searching with git grep")
        return found or await self.otherwise.search(query)

    async def read(self, path: str, start: int, end: int) -> Excerpt | None:
        """As the index has it, so that the numbers of lines fit what was found."""
        indexed = await self._ready()
        found = await Joined(indexed, self._beside).read(path, start, end) if indexed else None
        return found or await self.otherwise.read(path, start, end)

    async def outlines(self, query: str, at: str = "") -> Sequence[Outline]:
        indexed = await self._ready()
        return await indexed.outlines(query, at) if indexed else ()

    async def callers(self, name: str) -> Sequence[Found]:
        """Who refers to a symbol, as of the last commit."""
        indexed = await self._ready()
        return await indexed.callers(name) if indexed else ()

    async def records(self, query: str) -> tuple[Excerpt, ...]:
        """Commits, and issues where the index has any."""
        indexed = await self._ready()
        return await indexed.records(query) if indexed else ()

    async def _ready(self) -> Indexed | None:
        if not self._tried:
            self._tried = True
            try:
                self._indexed = await asyncio.to_thread(self._index)
            except HobError as wrong:
                self.tell(f"searching with git grep, for there is no index: {wrong}")
        return self._indexed

    def _index(self) -> Indexed:
        local = Local(self.root, self.data_dir)
        if not local.path.exists():
            self.tell("building the index, once")
        local.index(lambda *_: None)
        self.tell(f"searching the index as of {local.tip[:7]}; what is not committed is not in it")
        self._beside = dict(self._archived())
        return local.indexed

    def _archived(self) -> Iterator[tuple[str, Library]]:
        for name, folder in self.archives.items():
            try:
                archive = Local(folder, self.data_dir, archive=True)
                archive.index(lambda *_: None)
                yield name, archive.indexed
            except HobError as wrong:
                self.tell(f"archive {name} is not searched: {wrong}")
