"""What the App may read, asked of GitHub: what changed without an event heard. New repositories are picked
up, names follow ids, and where access ended, or a repository was made private, the same happens as if the
event had come.

A round makes a bounded number of calls, and the next goes on from where it stopped. After a whole look those
repositories that have no index wait for their first one.
"""

import asyncio
import heapq
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from bot.core import events
from bot.core.errors import GitHubError, RateLimited, TemporaryError
from bot.core.refs import Actor, Login, RepoRef
from bot.github import missed_work
from bot.runs.offboarding import offboarding, state_of
from bot.runs.services import Services
from bot.store.access import Access
from bot.store.known_repositories import Seen

MOST_CALLS = 600
"""In a round: an eighth of what GitHub allows in an hour, at the least."""
CALLS_A_PAGE, CALLS_A_QUESTION = 3, 2
"""With a token, and giving it back."""
MOST_INDEXES = 200
"""That one look asks for, those that were pushed to last; the next look for more."""
EVENT = "access"
"""Stands where events of deliveries have a GUID."""
log = logging.getLogger(__name__)


async def look_at_access(services: Services) -> str:
    """One round; says in a line what was found. What GitHub or the database refuses for now is raised; what
    was done until then is kept."""
    return await _Look(services, await asyncio.to_thread(services.store.access.load)).go_on()


class _Look:
    def __init__(self, services: Services, progress: Access) -> None:
        self._services, self._progress, self._calls = services, progress, MOST_CALLS
        self._found: dict[str, int] = {}

    async def go_on(self) -> str:
        progress = self._progress
        if progress.waiting is None:
            progress.waiting = await missed_work.installations(self._services.github.app())
            await self._lost_installations(set(progress.waiting))
        while progress.waiting and self._calls >= CALLS_A_PAGE:
            await self._installation(progress.waiting[0])
        over = not progress.waiting
        if over:
            progress.waiting = None
            await self._ask_for_indexes()
        await self._save()
        said = ", ".join(f"{what}: {many}" for what, many in self._found.items()) or "nothing changed"
        return said if over else f"{said}; goes on in the next round"

    async def _installation(self, installation: int) -> None:
        """The next page of its repositories; after the last one those that were not listed are asked for."""
        progress = self._progress
        self._calls -= CALLS_A_PAGE
        try:
            async with self._services.github.installation(installation) as api:
                listed, more = await missed_work.repositories(api, progress.page + 1)
        except GitHubError as error:  # it ended meanwhile: the next round hears of it
            log.info("installation %s is left out: %s", installation, error)
            self._next()
            return
        except RateLimited:
            raise
        except TemporaryError:  # the next round goes on with the others, the next look asks again
            self._next()
            await self._save()
            raise
        await self._take([missed_work.ref_of(one, installation) for one in listed])
        await self._want_indexes(listed)
        progress.seen += [int(one["id"]) for one in listed]
        progress.page += 1
        if more:
            await self._save()
            return
        known = await asyncio.to_thread(self._services.store.known.of_installation, installation)
        for repo in known:
            if repo.id in progress.seen:
                continue
            if self._calls < CALLS_A_QUESTION:
                progress.page -= 1  # the last page is read again
                self._calls = 0
                return
            self._calls -= CALLS_A_QUESTION
            if not await self._services.github.reaches(installation, repo.id):
                await self._tell(events.RepositoriesRemoved, (repo,))
                self._count("repositories out of reach")
        self._next()
        await self._save()

    async def _take(self, repos: list[RepoRef]) -> None:
        now = time.time()
        seen = [Seen(one.id, one.full_name, one.installation, now, one.private) for one in repos]
        learned = await asyncio.to_thread(self._services.store.known.remember, seen)
        self._count("new repositories", len(learned.new))
        self._count("renamed", len(learned.renamed))
        self._count("made private", len(learned.hidden))
        for repo in repos:
            if repo.id in learned.new:
                log.info("%s is new", repo.full_name, extra={"repo": repo.full_name})
        changed = {repo for repo, _ in learned.renamed} | set(learned.hidden)
        if told := tuple(one for one in repos if one.id in changed):
            await self._tell(events.RepositoryChanged, told)

    async def _want_indexes(self, listed: Sequence[Mapping[str, Any]]) -> None:
        pushed = {int(one["id"]): missed_work.pushed_at(one) for one in listed}
        without = [repo for repo in pushed if self._services.unindexed(repo)]
        offered = await asyncio.to_thread(self._services.store.first_indexes.offered, without)
        wanted = {*self._progress.unindexed, *((pushed[one], one) for one in without if one not in offered)}
        self._progress.unindexed = heapq.nlargest(MOST_INDEXES, wanted)

    async def _ask_for_indexes(self) -> None:
        repos = [repo for _, repo in self._progress.unindexed]
        self._progress.unindexed = []
        asked = await asyncio.to_thread(self._services.store.first_indexes.offer, repos, time.time())
        self._count("to be indexed", asked)
        if asked:
            log.info("%d repositories wait for their first index, the last pushed to first", asked)

    async def _lost_installations(self, working: set[int]) -> None:
        """Those that Hob works for and GitHub did not list: uninstalled, or suspended."""
        known = await asyncio.to_thread(self._services.store.known.by_installation)
        kept = set(known)
        if manager := self._services.manager:
            kept |= await asyncio.to_thread(manager.installations)
        for installation in sorted(kept - working):
            state = await state_of(self._services, installation)
            if state == "works":
                continue
            repos = await asyncio.to_thread(self._services.store.known.of_installation, installation)
            kind = events.InstallationDeleted if state == "deleted" else events.InstallationSuspended
            await self._tell(kind, tuple(repos), installation, state)
            self._count(f"installations {state}")

    async def _tell(
        self,
        kind: type[events.AccessEvent],
        repos: tuple[RepoRef, ...],
        installation: int = 0,
        state: Literal["", "deleted", "suspended"] = "",
    ) -> None:
        """As if the event had come."""
        sender = Actor(self._services.github.login, 0, "Bot")
        event = kind(
            delivery=EVENT,
            sender=sender,
            installation=installation or repos[0].installation,
            account=Login(repos[0].owner if repos else ""),
            repos=repos,
            whole=bool(installation),
        )
        deeds = offboarding(self._services, event)
        if state == "deleted":
            said = await deeds.forget_account()
        elif kind is events.RepositoryChanged:
            said = await deeds.forget_knowledge()
        else:
            said = await deeds.forget_repositories()
        log.info("%s: %s", ", ".join(one.full_name for one in repos) or installation, said)

    def _count(self, what: str, many: int = 1) -> None:
        if many:
            self._found[what] = self._found.get(what, 0) + many

    def _next(self) -> None:
        progress = self._progress
        progress.waiting = (progress.waiting or [])[1:]
        progress.page, progress.seen = 0, []

    async def _save(self) -> None:
        await asyncio.to_thread(self._services.store.access.save, self._progress)
