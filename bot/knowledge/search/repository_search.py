"""What an index and its repository answer, as other packages ask it: passages of the newest commit as a
`Library` (bot.core.code_search), and what belongs to a change. Where there is no index: nothing, at once."""

import asyncio
import logging
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeVar

from bot.core.code_search import Excerpt, merged
from bot.core.context_packing import NOTHING, Surroundings
from bot.core.diff import FileDiff
from bot.core.errors import HobError
from bot.core.inference import Embed
from bot.core.knowledge import FileRisk, Found, Outline
from bot.knowledge.embedding import near_chunks
from bot.knowledge.git import Git
from bot.knowledge.graph import Graph
from bot.knowledge.parsing.tokens import tokens
from bot.knowledge.risks import risks
from bot.knowledge.search.change_context import around
from bot.knowledge.search.excerpts import excerpts, outlines
from bot.knowledge.search.records import records
from bot.knowledge.search.search import Search
from bot.knowledge.search.snapshot import AtTip, Snapshot, snapshot_at
from bot.knowledge.storage import IndexStore
from bot.knowledge.storage.types import Hit, WordTable

MOST_FOUND, MOST_FILES = 12, 30
MOST_EACH = 3
"""Passages of a file that comes first, before those of other files."""
MOST_KEPT = 4
"""Passages that stay, whatever comes first: who says that may be wrong, or talked round by a file."""
MOST_DEFINITIONS = 5
"""Of one name, whose callers are looked for."""
LEAST_SHARE = 0.2
"""Of all that is known of a file: whoever knows less is not named."""
SECONDS = 20.0
"""For what belongs to a change: a review goes ahead without it."""
Opener = Callable[[], IndexStore | None]
"""The index, to be closed by whoever calls; None where there is none."""

_TABLES: tuple[WordTable, ...] = ("chunk", "path")
_WORD = re.compile(r"[A-Za-z_]\w+")
T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Indexed:
    """One repository. No method raises for an index that is missing, busy or broken."""

    opener: Opener
    git: Git
    at: str = ""
    """The commit that a search is of, where the repository has it; else the tip."""

    first: tuple[str, ...] = ()
    """Files whose passages come before all others, in this order, as far as there is room: the search's own
    best ones stay."""

    embed: Embed | None = None
    """Makes a query's vector, where a host has the model of the index."""

    async def search(self, query: str, at: str = "", first: Sequence[str] = ()) -> tuple[Excerpt, ...]:
        """The best passages, best first."""
        if at or first:
            return await replace(self, at=at or self.at, first=tuple(first) or self.first).search(query)
        near = await self._near(query)

        def find(index_store: IndexStore) -> tuple[Excerpt, ...]:
            sha, most = self._sha(index_store), 4 * MOST_FOUND if self.first else MOST_FOUND
            searching = Search(index_store, self.git, lambda _: near)
            found = searching.passages(query, most, sha)
            if lacking := set(self.first).difference(one.path for one in found):
                files = searching.search(query, MOST_FILES, at=sha)
                found += [one for one in files if one.path in lacking]
            found = _with_first(found, self.first, MOST_FOUND)
            with self._files(index_store, sha) as snapshot:
                blobs = snapshot.blobs_of([one.path for one in found])
            return merged(excerpts(self.git, blobs, [(one.path, one.start, one.end) for one in found]))

        return await asyncio.to_thread(self._asked, find, ())

    async def _near(self, query: str) -> Sequence[Hit]:
        """Passages that are near in meaning."""
        try:
            index_store = await asyncio.to_thread(self.opener) if self.embed else None
            if index_store is None or self.embed is None:
                return ()
            try:
                return await near_chunks(index_store, self.embed, query)
            finally:
                await asyncio.to_thread(index_store.close)
        except HobError as wrong:
            log.warning("the index does not answer: %s", wrong)
            return ()

    async def outlines(self, query: str, at: str = "") -> list[Outline]:
        """The best thirty files by what they define."""
        if at:
            return await replace(self, at=at).outlines(query)

        def find(index_store: IndexStore) -> list[Outline]:
            sha = self._sha(index_store)
            found = Search(index_store, self.git).search(query, MOST_FILES, at=sha)
            with self._files(index_store, sha) as snapshot:
                return outlines(index_store, self.git, snapshot, found)

        return await asyncio.to_thread(self._asked, find, [])

    def _sha(self, index_store: IndexStore) -> str:
        return (self.git.commit(self.at) if self.at else "") or index_store.state("tip")

    @contextmanager
    def _files(self, index_store: IndexStore, sha: str) -> Iterator[Snapshot]:
        """Those of the commit that was searched, though a push may have moved the tip since."""
        with index_store.reading():
            yield snapshot_at(index_store, self.git, sha) or AtTip(index_store, sha)

    async def read(self, path: str, start: int, end: int) -> Excerpt | None:
        """Those lines of a file, as far as they exist."""

        def find(index_store: IndexStore) -> Excerpt | None:
            blobs = index_store.blobs_of([path])
            return next(iter(excerpts(self.git, blobs, [(path, start, end)])), None)

        return await asyncio.to_thread(self._asked, find, None)

    async def records(self, query: str) -> tuple[Excerpt, ...]:
        """Issues, pull requests and commits that have to do with it."""
        return await asyncio.to_thread(self._asked, lambda index_store: records(index_store, query), ())

    async def callers(self, name: str) -> Sequence[Found]:
        """The functions that refer to `symbol`, or to `path::symbol` alone."""
        path, _, symbol = name.rpartition("::")

        def find(index_store: IndexStore) -> Sequence[Found]:
            graph = Graph(index_store)
            last = symbol.rpartition(".")[2]
            paths = [path] if path else list(graph.defining([last]).get(last, {}))[:MOST_DEFINITIONS]
            found = [one for each in paths for one in graph.callers(each, symbol)]
            tip = index_store.state("tip")
            return [replace(one, sha=tip) for one in sorted(found, key=lambda one: -one.score)]

        return await asyncio.to_thread(self._asked, find, ())

    async def risks(self) -> list[FileRisk]:
        """How risky each file of the tip is."""
        return await asyncio.to_thread(self._asked, risks, [])

    async def people(self, path: str) -> list[str]:
        """Who knows a file, best first; a robot knows nothing."""

        def find(index_store: IndexStore) -> list[str]:
            found = Graph(index_store).people(path, 5)
            return [one.name for one in found if "[bot]" not in one.name and one.share >= LEAST_SHARE]

        return await asyncio.to_thread(self._asked, find, [])

    async def beside(self, files: Sequence[FileDiff], heads: Mapping[str, str], base: str) -> Surroundings:
        """What belongs to a change whose base is the commit `base`; `heads` are the changed files' texts."""

        def find(index_store: IndexStore) -> Surroundings:
            found = around(index_store, self.git, files, heads, base)
            return Surroundings(found, self._known(files, heads, base)) if self.git.commit(base) else NOTHING

        try:
            async with asyncio.timeout(SECONDS):
                return await asyncio.to_thread(self._asked, find, NOTHING)
        except TimeoutError:
            log.warning("what belongs to the change of %s was not found within %.0f s", base, SECONDS)
            return NOTHING

    def _known(self, files: Sequence[FileDiff], heads: Mapping[str, str], base: str) -> Callable[[str], bool]:
        """Whether the repository, at its tip or the change's base, or the change has a name. The index is
        opened when it is asked, for a review takes minutes in which the tip moves on; one that cannot answer
        knows every name."""
        lines = (line.text for file in files for hunk in file.hunks or () for line in hunk.lines)
        here = frozenset(word for text in (*heads.values(), *lines) for word in _WORD.findall(text))

        def there(index_store: IndexStore, name: str) -> bool:
            word = tokens(name)[:1]
            if not word or any(index_store.frequencies(table, word).get(word[0]) for table in _TABLES):
                return True
            other = snapshot_at(index_store, self.git, base)
            return other is not None and index_store.frequencies("chunk", word, others=True)[word[0]] > 0

        @lru_cache(maxsize=1_000)
        def known(name: str) -> bool:
            return name in here or self._asked(lambda index_store: there(index_store, name), True)

        return known

    def _asked(self, work: Callable[[IndexStore], T], otherwise: T) -> T:
        try:
            index_store = self.opener()
            if index_store is None:
                return otherwise
            with closing(index_store):
                return work(index_store)
        except HobError as wrong:
            log.warning("the index does not answer: %s", wrong)
            return otherwise


def _with_first(found: Sequence[Found], first: Sequence[str], most: int) -> list[Found]:
    """So many of them: the best few; of these files a few each, the best of every one before the second of
    any; then what else was found."""
    places = {path: place for place, path in enumerate(first)}
    seen: Counter[str] = Counter()
    ranked: list[tuple[tuple[bool, int, int], Found]] = []
    for number, one in enumerate(found):
        comes_first = one.path in places and seen[one.path] < MOST_EACH
        rank = (False, seen[one.path], places[one.path]) if comes_first else (True, 0, 0)
        rank = (False, -1, number) if number < MOST_KEPT else rank
        ranked.append((rank, one))
        seen[one.path] += 1
    chosen = [one for _, one in sorted(ranked, key=lambda each: each[0])[:most]]
    return sorted(chosen, key=lambda one: places.get(one.path, len(places)))
