"""What an index answers about issues and pull requests, as other packages ask it. Where there is no index:
nothing, at once."""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TypeVar

from bot.core.errors import HobError
from bot.core.inference import Embed
from bot.core.knowledge import Fix, Found, GraphNode, IssueKind, KnownIssue
from bot.knowledge import fixes
from bot.knowledge.embedding import near_issues
from bot.knowledge.git import Git
from bot.knowledge.issues import RepositoryIssues
from bot.knowledge.storage import IndexStore

T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class IndexedIssues:
    """One repository's. `opener` gives the index, to be closed by whoever calls; None where there is none.
    No method raises for an index that is missing, busy or broken."""

    opener: Callable[[], IndexStore | None]
    git: Git
    full_name: str
    embed: Embed | None = None
    """Makes the vectors of a text, where a host has the model of the index."""

    async def duplicates(
        self, title: str, body: str, *, but: int = 0, k: int = 5, kind: IssueKind = "issue"
    ) -> Sequence[Found]:
        return await self._asked(
            lambda issues: issues.duplicates(title, body, k, but=but, kind=kind),
            [],
            await self._near(title, body),
        )

    async def related(self, title: str, body: str, *, but: int = 0, k: int = 10) -> Sequence[Found]:
        near = await self._near(title, body)
        return await self._asked(lambda issues: issues.related(title, body, k, but=but), [], near)

    async def known(self, numbers: Collection[int]) -> Mapping[int, KnownIssue]:
        return await self._asked(lambda issues: issues.index_store.issues(numbers), {})

    async def originals(self, number: int) -> Sequence[int]:
        """`bot.core.knowledge.Knowledge.originals`."""

        def find(issues: RepositoryIssues) -> list[int]:
            said = issues.index_store.edges(source=GraphNode("issue", str(number)), kind="duplicates")
            return [int(edge.target.name) for edge in said if edge.target.name.isdecimal()]

        return await self._asked(find, [])

    async def fix(self, number: int) -> Fix | None:
        def find(issues: RepositoryIssues) -> Fix | None:
            return fixes.fix(issues.index_store, self.git, self.full_name, number)

        return await self._asked(find, None)

    async def fixing_commits(self, numbers: Collection[int]) -> Mapping[int, str]:
        def find(issues: RepositoryIssues) -> dict[int, str]:
            found = {
                number: fixes.fixing_commit(issues.index_store, self.full_name, number) for number in numbers
            }
            return {number: sha for number, sha in found.items() if sha}

        return await self._asked(find, {})

    async def _near(self, title: str, body: str) -> Mapping[int, float]:
        """Issues that are near in meaning."""
        if self.embed is None:
            return {}
        try:
            index_store = await asyncio.to_thread(self.opener)
            if index_store is None:
                return {}
            try:
                return await near_issues(index_store, self.embed, title, body)
            finally:
                await asyncio.to_thread(index_store.close)
        except HobError as wrong:
            log.warning("the index does not answer: %s", wrong)
            return {}

    async def _asked(
        self, work: Callable[[RepositoryIssues], T], otherwise: T, near: Mapping[int, float] | None = None
    ) -> T:
        def ask() -> T:
            try:
                index_store = self.opener()
                if index_store is None:
                    return otherwise
                with closing(index_store):
                    return work(RepositoryIssues(index_store, self.full_name, lambda *_: near or {}))
            except HobError as wrong:
                log.warning("the index does not answer: %s", wrong)
                return otherwise

        return await asyncio.to_thread(ask)
