"""A run's way to what Hob knows of its repository: the knowledge room is handed GitHub, narrowly."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from bot.core.inference import Embed
from bot.core.library import Excerpt
from bot.core.refs import RepoRef
from bot.github import tracking
from bot.github.client import Job
from bot.knowledge.clone import Remote
from bot.knowledge.indexed import Indexed
from bot.knowledge.keeper import Changed, Keeper
from bot.knowledge.shelf import Issue

TO_CLONE = {"contents": "read"}
TO_LIST = {"issues": "read", "pull_requests": "read"}
_ISSUE = tuple(one.name for one in fields(Issue))


@dataclass(frozen=True, slots=True)
class Origin:
    """One repository on GitHub (`bot.knowledge.keeper.Origin`), with tokens of one job."""

    repo: RepoRef
    job: Job

    async def remote(self) -> Remote:
        state = await tracking.repository(self.job.api(TO_CLONE), self.repo)
        return Remote(state.clone_url, self._authorization, state.size_kb)

    async def _authorization(self, renew: bool) -> str:
        return await self.job.basic(TO_CLONE, renew=renew)

    async def issues(self, since: int, most: int) -> Sequence[Changed]:
        api = self.job.api(TO_LIST)
        found = await tracking.changed_issues(api, self.repo, since, most)
        return [
            Changed(
                Issue(**{name: getattr(one, name) for name in _ISSUE}),
                await tracking.blockers(api, self.repo, one.number) if one.blockers else (),
            )
            for one in found
        ]


@dataclass(frozen=True, slots=True)
class RepositoryKnowledge:
    """`bot.context.Knowledge` of one repository, for one run."""

    keeper: Keeper
    repo: RepoRef
    job: Job
    embed: Embed
    """For the index, in the background."""
    embed_query: Embed
    """For what somebody waits for."""

    async def refresh(self) -> str:
        said = await self.keeper.refresh(self.repo, Origin(self.repo, self.job))
        return f"{said}; {await self.keeper.embed(self.repo, self.embed)}"

    async def drop_issue(self, number: int) -> None:
        await self.keeper.drop_issue(self.repo, number)

    async def search(self, query: str) -> tuple[Excerpt, ...]:
        return await self._indexed.search(query)

    async def read(self, path: str, start: int, end: int) -> Excerpt | None:
        return await self._indexed.read(path, start, end)

    @property
    def _indexed(self) -> Indexed:
        clone = self.keeper.clones.path(self.repo.id)
        return Indexed(self.keeper.shelves, self.repo.id, clone, self.embed_query)
