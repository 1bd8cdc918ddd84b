"""A run's way to what Hob knows of its repository: `bot.knowledge` is handed GitHub, narrowly."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from bot.core.code_search import Excerpt, Joined
from bot.core.context_packing import Surroundings
from bot.core.diff import FileDiff
from bot.core.inference import Embed
from bot.core.knowledge import FileRisk, Fix, Found, IssueKind, KnownIssue, Outline, Overlap
from bot.core.merging import MergedTree, MergeTried
from bot.core.refs import RepoRef, Sha
from bot.github import tracking
from bot.github.client import Job
from bot.knowledge.clone import Remote
from bot.knowledge.known_issues import IndexedIssues
from bot.knowledge.manager import Changed, KnowledgeManager
from bot.knowledge.search.repository_search import Indexed
from bot.runs.archives import Archives
from bot.runs.following import Following
from bot.store import StoreUnavailable

TO_CLONE = {"contents": "read"}
TO_LIST = {"issues": "read", "pull_requests": "read"}


@dataclass(frozen=True, slots=True)
class GitHubOrigin:
    """One repository on GitHub (`bot.knowledge.manager.Origin`), with tokens of one job."""

    repo: RepoRef
    job: Job

    async def remote(self) -> Remote:
        state = await tracking.repository(self.job.api(TO_CLONE), self.repo)
        return Remote(state.clone_url, self._authorization, state.size_kb, self.job.network)

    async def _authorization(self, renew: bool) -> str:
        return await self.job.basic(TO_CLONE, renew=renew)

    async def issues(self, since: int, most: int) -> Sequence[Changed]:
        api = self.job.api(TO_LIST)
        found = await tracking.changed_issues(api, self.repo, since, most)
        mine = f"{self.job.slug}[bot]"
        return [
            Changed(
                _unread(one, mine),
                await tracking.blockers(api, self.repo, one.number) if one.blockers else (),
            )
            for one in found
        ]


def _unread(one: KnownIssue, mine: str) -> KnownIssue:
    """Of an issue that Hob itself has opened the number alone: it is like all that it tells of."""
    return replace(one, title="", body="") if (one.author, one.kind) == (mine, "issue") else one


@dataclass(frozen=True, slots=True)
class RepositoryKnowledge:
    """`bot.context.Knowledge` of one repository, for one run."""

    manager: KnowledgeManager
    repo: RepoRef
    job: Job
    archives: Archives
    embed: Embed
    """For the index, in the background."""
    embed_query: Embed
    """For what somebody waits for."""
    following: Following
    """What other machines learned."""
    _followed: asyncio.Event = field(default_factory=asyncio.Event)
    """Once in a run is enough."""

    @property
    def confidential(self) -> bool:
        """Whether something was found by now that must not go to online hosts."""
        return self.archives.confidential

    async def unindexed(self) -> bool:
        return not await asyncio.to_thread(self.manager.index_stores.has, self.repo.id)

    async def refresh(self) -> str:
        """An archive that nobody pushes to is read once, when a repository that names it is."""
        said = [await self.following.refresh(self.repo, GitHubOrigin(self.repo, self.job))]
        said.append(await self.manager.embed(self.repo, self.embed))
        async for ref in self.archives.repositories():
            if not self.manager.index_stores.has(ref.id):
                async with self.archives.github.job(ref) as job:
                    said.append(
                        f"archive {ref.full_name}: {await self.manager.refresh(ref, GitHubOrigin(ref, job))}"
                    )
        return "; ".join(said)

    async def drop_issue(self, number: int) -> None:
        await self.manager.drop_issue(self.repo, number)

    async def overlaps(self, pulls: Sequence[int]) -> Sequence[Overlap]:
        return await self.manager.overlaps(self.repo, GitHubOrigin(self.repo, self.job), pulls)

    async def merge(self, head: Sha, base: Sha) -> MergeTried:
        return await self.manager.tried(self.repo, GitHubOrigin(self.repo, self.job), head, base)

    async def merged(self, head: Sha, base: Sha, texts: Mapping[str, str]) -> MergedTree:
        origin = GitHubOrigin(self.repo, self.job)
        return await self.manager.completed(self.repo, origin, head, base, texts)

    async def search(self, query: str, at: str = "", first: Sequence[str] = ()) -> tuple[Excerpt, ...]:
        return await (await self._joined(at, first)).search(query)

    async def outlines(self, query: str, at: str = "") -> Sequence[Outline]:
        return await (await self._indexed()).outlines(query, at)

    async def read(self, path: str, start: int, end: int) -> Excerpt | None:
        return await (await self._joined()).read(path, start, end)

    async def records(self, query: str) -> tuple[Excerpt, ...]:
        """Of the repository alone: an archive's issues are its own readers'."""
        return await (await self._indexed()).records(query)

    async def beside(self, files: Sequence[FileDiff], heads: Mapping[str, str], base: Sha) -> Surroundings:
        return await (await self._indexed()).beside(files, heads, base)

    async def callers(self, name: str) -> Sequence[Found]:
        return await (await self._indexed()).callers(name)

    async def risks(self) -> Sequence[FileRisk]:
        return await (await self._indexed()).risks()

    async def people(self, path: str) -> Sequence[str]:
        return await (await self._indexed()).people(path)

    async def duplicates(
        self, title: str, body: str, *, but: int = 0, k: int = 5, kind: IssueKind = "issue"
    ) -> Sequence[Found]:
        return await (await self._issues()).duplicates(title, body, but=but, k=k, kind=kind)

    async def related(self, title: str, body: str, *, but: int = 0, k: int = 10) -> Sequence[Found]:
        return await (await self._issues()).related(title, body, but=but, k=k)

    async def known_issues(self, numbers: Collection[int]) -> Mapping[int, KnownIssue]:
        return await (await self._issues()).known(numbers)

    async def originals(self, number: int) -> Sequence[int]:
        return await (await self._issues()).originals(number)

    async def fix(self, number: int) -> Fix | None:
        return await (await self._issues()).fix(number)

    async def fixing_commits(self, numbers: Collection[int]) -> Mapping[int, str]:
        return await (await self._issues()).fixing_commits(numbers)

    async def _joined(self, at: str = "", first: Sequence[str] = ()) -> Joined:
        return Joined(
            replace(await self._indexed(), at=at, first=tuple(first)), await self.archives.libraries()
        )

    async def _indexed(self) -> Indexed:
        await self._follow()
        return self.manager.indexed(self.repo.id, self.embed_query)

    async def _issues(self) -> IndexedIssues:
        """This repository's alone: no archive's issue is ever named."""
        await self._follow()
        return self.manager.issues(self.repo, self.embed_query)

    async def _follow(self) -> None:
        """What is there is asked where it cannot be known whether others are ahead."""
        if not self._followed.is_set():
            with suppress(StoreUnavailable):
                await self.following.follow(self.repo)
            self._followed.set()
