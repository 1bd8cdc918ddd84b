"""What another machine learned of a repository is learned here when it is next asked about: each machine has
clones and indexes of its own, and a push, or the end of an issue, is one machine's run."""

import asyncio
import json
import logging
from collections.abc import Callable, Collection
from contextlib import closing
from dataclasses import dataclass, field

from bot.core.errors import HobError
from bot.core.refs import RepoRef
from bot.github.client import GitHub, Job
from bot.knowledge.manager import KnowledgeManager, Origin
from bot.store import Store
from bot.store.known_repositories import DROP_ISSUE, FORGET, LEARN, KnowledgeChange

PATIENCE_SECONDS = 10.0
"""How long an answer waits for it; then it is given from what is there, and the machine goes on learning."""
SEEN = "seen"
"""In the index: the runs whose changes are in it, as a JSON list; empty: an older version made it."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Following:
    """Of one process; `origin` is how a repository is read with one job's tokens."""

    store: Store
    github: GitHub
    manager: KnowledgeManager
    origin: Callable[[RepoRef, Job], Origin]
    _tasks: dict[int, asyncio.Task[None]] = field(default_factory=dict)

    async def follow(self, repo: RepoRef) -> None:
        """Brings the index of this machine to where others are, as far as there is one. Raises
        `StoreUnavailable`."""
        task = self._tasks.get(repo.id)
        if task is None:
            _, seen, news = await asyncio.to_thread(self._look, repo)
            if not news:
                return
            task = self._tasks.setdefault(repo.id, asyncio.ensure_future(self._learn(repo, seen, news)))
            task.add_done_callback(lambda _: self._tasks.pop(repo.id, None))
        await asyncio.wait({task}, timeout=PATIENCE_SECONDS)

    async def refresh(self, repo: RepoRef, origin: Origin) -> str:
        """`KnowledgeManager.refresh`, and what that cannot see: issues that were removed, what was to be
        forgotten."""
        changes, seen, news = await asyncio.to_thread(self._look, repo)
        if seen is not None:
            await self._take_away(repo, news)
        said = await self.manager.refresh(repo, origin)
        # One that is under way elsewhere began before this did: what happens now is another one's.
        read = {one.run for one in changes if one.ended or one.handler == LEARN}
        await asyncio.to_thread(self._note, repo, read)
        return said

    async def aclose(self) -> None:
        """Ends what is under way: the next use begins it anew."""
        tasks = [*self._tasks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _look(self, repo: RepoRef) -> tuple[list[KnowledgeChange], set[int] | None, list[KnowledgeChange]]:
        """All changes; the runs whose changes this machine's index has (None: nobody wrote that down); those
        that ended and are not in it."""
        changes = self.store.known.changes(repo.id, repo.installation)
        if not self.manager.index_stores.has(repo.id):
            return changes, None, []
        with closing(self.manager.index_stores.open(repo.id)) as index_store:
            told = index_store.state(SEEN)
        if not told:
            return changes, None, [one for one in changes if one.ended and one.handler == LEARN]
        seen = set(json.loads(told))
        return changes, seen, [one for one in changes if one.ended and one.run not in seen]

    async def _learn(self, repo: RepoRef, seen: set[int] | None, news: Collection[KnowledgeChange]) -> None:
        try:
            if seen is not None and {one.handler for one in news} == {DROP_ISSUE}:
                await self._take_away(repo, news)
                await asyncio.to_thread(self._note, repo, seen | {one.run for one in news})
                return
            async with self.github.job(repo) as job:
                said = await self.refresh(repo, self.origin(repo, job))
            log.info("learned of %s what another machine had: %s", repo.full_name, said)
        except HobError as error:
            log.warning("what another machine learned of %s is not here yet: %s", repo.full_name, error)
        except Exception:
            log.exception("what another machine learned of %s is not here yet", repo.full_name)

    async def _take_away(self, repo: RepoRef, news: Collection[KnowledgeChange]) -> None:
        if any(one.handler == FORGET for one in news):
            await self.manager.forget(repo.id)
        for one in news:
            if one.handler == DROP_ISSUE:
                await self.manager.drop_issue(repo, one.number)

    def _note(self, repo: RepoRef, seen: Collection[int]) -> None:
        if self.manager.index_stores.has(repo.id):
            with closing(self.manager.index_stores.open(repo.id)) as index_store:
                index_store.set_state(SEEN, json.dumps(sorted(seen)))
