"""What a run reads: GitHub through one narrow token, the checks in their room."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.checks import ruff
from bot.checks import run as run_checks
from bot.context import CheckReport
from bot.core.diff import FileDiff
from bot.core.events import CommentEvent, Event, PullRequestEvent
from bot.core.findings import Finding
from bot.core.guidelines import Guidance
from bot.core.refs import RepoRef, Sha
from bot.core.settings import Complaint
from bot.core.tools import Tools
from bot.github import contents, gather
from bot.github.api import Api
from bot.github.client import Job
from bot.github.guidance import guidance as read_guidance
from bot.knowledge.tools import still_parses, symbols

PULL_REQUEST = {"contents": "read", "pull_requests": "read"}
MOST_COMMENTS = 50
"""Of a conversation, the newest."""
ISSUE = {"contents": "read", "issues": "read"}


@dataclass(frozen=True, slots=True)
class JobReader:
    """One repository, read only (`bot.context.Reader`)."""

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

    async def config_text(self, ref: str) -> tuple[str | None, tuple[Complaint, ...]]:
        text, complaints = await contents.config_text(self._api, self.repo, ref)
        self.configs[ref] = text
        return text, complaints

    async def guidance(self, base: Sha, changed: Sequence[str], named: Sequence[str]) -> Guidance:
        return await read_guidance(self._api, self.repo, base, changed, named)

    async def labels(self) -> tuple[tuple[str, str], ...]:
        return await gather.labels(self._api, self.repo)

    async def issue(self, number: int) -> gather.IssueState:
        api = self.job.api({**self.permissions, "issues": "read"})
        return await gather.issue(api, self.repo, number)

    async def comments(self, number: int, total: int = 0) -> Sequence[gather.RawComment]:
        return await gather.comments(self._api, self.repo, number, MOST_COMMENTS, total)

    async def thread(self, number: int, comment_id: int) -> Sequence[gather.RawComment]:
        return (await gather.thread(self._api, self.repo, number, comment_id)).comments

    async def threads(self, number: int) -> Sequence[gather.Thread]:
        return await gather.threads(self._api, self.repo, number)

    async def permission(self, login: str) -> str:
        return await gather.permission(self._api, self.repo, login)


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


async def lint(texts: Mapping[str, str]) -> Sequence[Finding] | None:
    """What a linter says of whole files; of none that it does not know. None when it did not run."""
    python = {path: text for path, text in texts.items() if path.endswith((".py", ".pyi"))}
    return await ruff.check(python) if python else ()


TOOLS = Tools(symbols=symbols, still_parses=still_parses, lint=lint)
"""What agents need of other rooms."""
