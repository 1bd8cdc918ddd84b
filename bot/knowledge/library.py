"""A repository on this machine as a `Library` (bot.core.library): its index where that can be had, else what
another library finds."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from bot.core.errors import HobError
from bot.core.library import Excerpt, Joined, Library
from bot.knowledge.local import Local


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
        self._indexed: Library | None = None
        self._tried = False

    async def search(self, query: str) -> tuple[Excerpt, ...]:
        indexed = await self._ready()
        found = await indexed.search(query) if indexed else ()
        if indexed and not found:
            self.tell("nothing in the index: searching with git grep")
        return found or await self.otherwise.search(query)

    async def read(self, path: str, start: int, end: int) -> Excerpt | None:
        """As the index has it, so that the numbers of lines fit what was found."""
        indexed = await self._ready()
        found = await indexed.read(path, start, end) if indexed else None
        return found or await self.otherwise.read(path, start, end)

    async def _ready(self) -> Library | None:
        if not self._tried:
            self._tried = True
            try:
                self._indexed = await asyncio.to_thread(self._index)
            except HobError as wrong:
                self.tell(f"searching with git grep, for there is no index: {wrong}")
        return self._indexed

    def _index(self) -> Library:
        local = Local(self.root, self.data_dir)
        if not local.path.exists():
            self.tell("building the index, once")
        local.index(lambda *_: None)
        self.tell(f"searching the index as of {local.tip[:7]}; what is not committed is not in it")
        return Joined(local.indexed, dict(self._archived())) if self.archives else local.indexed

    def _archived(self) -> Iterator[tuple[str, Library]]:
        for name, folder in self.archives.items():
            try:
                archive = Local(folder, self.data_dir, archive=True)
                archive.index(lambda *_: None)
                yield name, archive.indexed
            except HobError as wrong:
                self.tell(f"archive {name} is not searched: {wrong}")
