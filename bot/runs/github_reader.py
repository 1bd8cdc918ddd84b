"""What a run reads: GitHub through one narrow token."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.core.events import CheckRunRequested, CommentEvent, Event, MergeGroupEvent, PullRequestEvent
from bot.core.facts import Commit, OthersRemark, OwnThread
from bot.core.guidelines import Guidance
from bot.core.refs import RepoRef, Sha
from bot.core.settings import Complaint
from bot.github import artifacts, contents, gather
from bot.github.annotations import annotations
from bot.github.api import Api
from bot.github.client import Job
from bot.github.guidance import guidance as read_guidance
from bot.github.guidance import workflows
from bot.github.history import merging, touching
from bot.github.threads import own_threads

PULL_REQUEST = {"contents": "read", "pull_requests": "read", "checks": "read"}
MOST_COMMENTS = 50
"""Of a conversation, the newest."""
ISSUE = {"contents": "read", "issues": "read"}


@dataclass(frozen=True, slots=True)
class JobReader:
    """One repository, read only (`bot.context.GitHubReader`)."""

    repo: RepoRef
    job: Job
    permissions: Mapping[str, str]
    configs: dict[str, str | None] = field(default_factory=dict)
    """What was read of `.github/hob.yml`, by ref."""

    @property
    def _api(self) -> Api:
        return self.job.api(self.permissions)

    async def pull_request(self, number: int) -> gather.PullRequestState:
        return await gather.pull_request(self._api, self.repo, number)

    async def files(self, number: int) -> list[gather.RawFile]:
        return await gather.files(self._api, self.repo, number)

    async def texts(self, sha: Sha, paths: Sequence[str]) -> dict[str, str]:
        return await contents.texts(self._api, self.repo, sha, paths)

    async def sizes(self, sha: Sha, paths: Sequence[str]) -> dict[str, int]:
        return await contents.sizes(self._api, self.repo, sha, paths)

    async def reports(self, sha: Sha) -> dict[str, str]:
        return await artifacts.reports(self.job.api(artifacts.PERMISSION), self.repo, sha)

    async def config_text(self, ref: str) -> tuple[str | None, tuple[Complaint, ...]]:
        text, complaints = await contents.config_text(self._api, self.repo, ref)
        self.configs[ref] = text
        return text, complaints

    async def guidance(self, base: Sha, changed: Sequence[str], named: Sequence[str]) -> Guidance:
        return await read_guidance(self._api, self.repo, base, changed, named)

    async def labels(self) -> tuple[tuple[str, str], ...]:
        return await gather.labels(self._api, self.repo)

    async def workflows(self, ref: str) -> dict[str, str]:
        return await workflows(self._api, self.repo, Sha(ref))

    async def issue(self, number: int) -> gather.IssueState:
        api = self.job.api({**self.permissions, "issues": "read"})
        return await gather.issue(api, self.repo, number)

    async def comments(self, number: int, total: int = 0) -> Sequence[gather.RawComment]:
        return await gather.comments(self._api, self.repo, number, MOST_COMMENTS, total)

    async def thread(self, number: int, comment_id: int) -> Sequence[gather.RawComment]:
        return (await gather.thread(self._api, self.repo, number, comment_id)).comments

    async def threads(self, number: int) -> Sequence[gather.Thread]:
        return await gather.threads(self._api, self.repo, number)

    async def annotations(self, head: Sha) -> Sequence[OthersRemark]:
        return await annotations(self._api, self.repo, head, self.job.slug)

    async def own_threads(self, number: int) -> Sequence[OwnThread]:
        return await own_threads(self._api, self.repo, number, self.job.slug)

    async def has_comment(self, comment_id: int) -> bool:
        return await gather.has_comment(self._api, self.repo, comment_id)

    async def touching(self, path: str, ref: str, most: int) -> Sequence[Commit]:
        return await touching(self._api, self.repo, path, ref, most)

    async def merging(self, branch: str, head: Sha) -> tuple[int, ...]:
        return await merging(self._api, self.repo, branch, head)

    async def granted(self) -> Mapping[str, str]:
        return await self.job.granted()

    async def permission(self, login: str) -> str:
        return await gather.permission(self._api, self.repo, login)


def permissions_to_read(event: Event) -> dict[str, str]:
    """The least that the event's handler needs to see."""
    on_pull_request = isinstance(event, PullRequestEvent | CheckRunRequested | MergeGroupEvent) or (
        isinstance(event, CommentEvent) and event.on_pull_request
    )
    return PULL_REQUEST if on_pull_request else ISSUE
