"""What a run reads: GitHub through one narrow token, the checks in their room."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.checks import run as run_checks
from bot.context import CheckReport
from bot.core.diff import FileDiff
from bot.core.events import CommentEvent, Event, PullRequestEvent
from bot.core.refs import RepoRef, Sha
from bot.github import gather
from bot.github.client import Api, Job

PULL_REQUEST = {"contents": "read", "pull_requests": "read"}
ISSUE = {"contents": "read", "issues": "read"}


@dataclass(frozen=True, slots=True)
class JobReader:
    """One repository, read only (`bot.context.Reader`)."""

    repo: RepoRef
    job: Job
    permissions: Mapping[str, str]

    async def _api(self) -> Api:
        return await self.job.api(self.permissions)

    async def pull_request(self, number: int) -> gather.PullRequestState:
        return await gather.pull_request(await self._api(), self.repo, number)

    async def files(self, number: int, total: int) -> list[gather.RawFile]:
        return await gather.files(await self._api(), self.repo, number, total)

    async def texts(self, sha: Sha, paths: Sequence[str]) -> dict[str, str]:
        return await gather.texts(await self._api(), self.repo, sha, paths)

    async def config_text(self, ref: str | None) -> str | None:
        return await gather.config_text(await self._api(), self.repo, ref)

    async def labels(self) -> list[tuple[str, str]]:
        return await gather.labels(await self._api(), self.repo)

    async def issue(self, number: int) -> tuple[str, str]:
        return await gather.issue(await self._api(), self.repo, number)

    async def comments(self, number: int) -> list[gather.ConversationComment]:
        return await gather.comments(await self._api(), self.repo, number)

    async def thread(self, number: int, comment_id: int) -> list[gather.ConversationComment]:
        return await gather.thread(await self._api(), self.repo, number, comment_id)

    async def permission(self, login: str) -> str:
        return await gather.permission(await self._api(), self.repo, login)


def permissions_to_read(event: Event) -> dict[str, str]:
    """The least that the event's handler needs to see."""
    on_pull_request = isinstance(event, PullRequestEvent) or (
        isinstance(event, CommentEvent) and event.on_pull_request
    )
    return PULL_REQUEST if on_pull_request else ISSUE


async def check(files: Sequence[FileDiff], texts: Mapping[str, str], wanted: frozenset[str]) -> CheckReport:
    """The checks room as a handler sees it."""
    findings, ran = await run_checks(files, texts, wanted)
    return CheckReport(tuple(findings), tuple(ran))
