"""GitHub read for one piece of work, with narrow tokens and in few calls. All text here is hostile.

https://docs.github.com/en/rest/pulls/pulls  https://docs.github.com/en/rest/issues
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.core.ci import CiState, FailedCheck
from bot.core.diff import FileDiff
from bot.core.errors import GitHubError, Gone
from bot.core.events import (
    CheckRunRequested,
    ChecksCompleted,
    CommentEvent,
    Event,
    MergeGroupEvent,
    PullRequestEvent,
)
from bot.core.facts import Commit, OthersRemark, OwnThread
from bot.core.github_reader import (
    GitHubReader,
    IssueHappening,
    IssueState,
    IssueStates,
    OpenPull,
    PullRequestState,
    RawComment,
    Thread,
    TreePath,
)
from bot.core.guidelines import Guidance, PathSizes, gathered
from bot.core.pictures import Picture
from bot.core.recipes import RecipeFiles
from bot.core.refs import Login, Permission, RepoRef, Sha
from bot.core.settings import Complaint
from bot.core.triage_sources import TriageSources
from bot.core.work_items import Milestone, Release, WorkItem
from bot.github import (
    artifacts,
    attachments,
    ci,
    contents,
    histories,
    listing,
    merge_groups,
    open_pulls,
    threads,
    triage_sources,
    work,
)
from bot.github.api import Api
from bot.github.changed_files import changed_files
from bot.github.client import Job
from bot.github.conversations import (
    actor,
    annotation,
    as_object,
    is_annotated,
    issue_state,
    label_names,
    line_thread,
)
from bot.github.objects import PER_QUERY
from bot.github.payloads import clean
from bot.patterns import wanted

PULL_REQUEST = {"contents": "read", "pull_requests": "read", "checks": "read"}
ISSUE = {"contents": "read", "issues": "read"}
WORKFLOWS = ".github/workflows"
MOST_WORKFLOWS = 100
MOST_COMMENTS = 50
"""Of a conversation, the newest."""
MOST_LINE_COMMENTS = 1_000
MOST_LABELS = 500
MOST_RUNS = 3
"""Check runs whose annotations are read: each is a call."""
MOST_ANNOTATIONS = 100
_PERMISSIONS: dict[str, Permission] = {
    "admin": "admin",
    "maintain": "maintain",
    "write": "write",
    "triage": "triage",
    "read": "read",
}
_LOGIN = re.compile(r"[A-Za-z0-9_-]{1,100}(\[bot\])?")
_NOT_SHOWN = (403, 404)


def permissions_to_read(event: Event) -> dict[str, str]:
    """The least that the event's handler needs to see; who is asked in words may be asked about issues."""
    if isinstance(event, CommentEvent):
        return {**PULL_REQUEST, **ISSUE} if event.on_pull_request else ISSUE
    on_pull_request = isinstance(
        event, PullRequestEvent | CheckRunRequested | MergeGroupEvent | ChecksCompleted
    )
    return PULL_REQUEST if on_pull_request else ISSUE


@dataclass(frozen=True, slots=True)
class JobReader(GitHubReader):
    """GitHub itself, asked with the tokens of one job."""

    repo: RepoRef
    job: Job
    permissions: Mapping[str, str]
    configs: dict[str, str | None] = field(default_factory=dict)
    """What was read of `.github/hob.yml`, by ref."""
    told: dict[str, tuple[str | None, tuple[Complaint, ...]]] = field(default_factory=dict)
    """The same with what was wrong with it: one run reads it once."""

    @property
    def _api(self) -> Api:
        return self.job.api(self.permissions)

    @property
    def site(self) -> str:
        return self._api.site

    @property
    def takes_issues(self) -> bool:
        return self.job.has_issues

    async def pull_request(self, number: int) -> PullRequestState:
        api = self.job.api({**self.permissions, **open_pulls.PERMISSION})
        found = as_object(await api.get("/repos/{owner}/{repo}/pulls/{number}", {"number": number}))
        try:
            return _pull_request(found, self.repo)
        except (KeyError, TypeError) as error:
            raise GitHubError(200, f"a pull request without {error}") from None

    async def open_pulls(self, most: int = 100) -> Sequence[OpenPull]:
        return await open_pulls.open_pulls(self.job.api(open_pulls.PERMISSION), most)

    async def changes_requested(self, number: int) -> tuple[Login, ...]:
        return await open_pulls.changes_requested(self.job.api(open_pulls.PERMISSION), number)

    async def files(self, number: int) -> list[FileDiff]:
        return await changed_files(self._api, number)

    async def texts(self, sha: Sha, paths: Sequence[str]) -> dict[str, str]:
        return await contents.texts(self._api, self.repo, sha, paths)

    async def config_text(self, ref: str) -> tuple[str | None, tuple[Complaint, ...]]:
        if ref not in self.told:
            self.told[ref] = await contents.config_text(self._api, self.repo, ref)
        text, complaints = self.told[ref]
        self.configs[ref] = text
        return text, complaints

    async def sizes(self, sha: Sha, paths: Sequence[str]) -> dict[str, int]:
        return await contents.sizes(self._api, self.repo, sha, paths)

    async def tip(self, branch: str) -> tuple[Sha, Sha]:
        """https://docs.github.com/en/rest/commits/commits#get-a-commit"""
        path = "/repos/{owner}/{repo}/commits/{ref}{?per_page}"
        found = as_object(await self._api.get(path, {"ref": f"heads/{branch}", "per_page": 1}))
        return Sha(str(found["sha"])), Sha(str(found["commit"]["tree"]["sha"]))

    async def modes(self, sha: Sha, paths: Sequence[str]) -> dict[str, int]:
        around = await contents.folders(self._api, self.repo, sha, [p.rpartition("/")[0] for p in paths])
        caseless = {path.casefold(): mode for path, mode in around.items()}
        modes = {path: around.get(path, caseless.get(path.casefold())) for path in paths}
        return {path: mode for path, mode in modes.items() if mode is not None}

    async def tree(self, sha: Sha) -> dict[str, TreePath]:
        return await contents.tree(self._api, sha)

    async def reports(self, sha: Sha) -> dict[str, str]:
        return await artifacts.reports(self.job.api(artifacts.PERMISSION), self.repo, sha)

    async def guidance(self, base: Sha, changed: Sequence[str], named: Sequence[str]) -> Guidance:
        """Two calls, and more only for skills and what guidelines import."""

        async def folders(paths: Sequence[str]) -> PathSizes:
            return await contents.folders(self._api, self.repo, base, paths[:PER_QUERY])

        async def texts(paths: Sequence[str]) -> Mapping[str, str]:
            return await self.texts(base, paths)

        try:
            return await gathered(changed, named, folders, texts, wanted)
        except GitHubError as error:
            if error.status not in _NOT_SHOWN:
                raise
            return Guidance()

    async def recipe_files(self, ref: str, name: str = "") -> RecipeFiles:
        return await contents.recipe_files(self._api, self.repo, Sha(ref), name)

    async def workflows(self, ref: str) -> dict[str, str]:
        try:
            found = await contents.folders(self._api, self.repo, Sha(ref), [WORKFLOWS])
            paths = [path for path in sorted(found) if path.endswith((".yml", ".yaml"))]
            return await self.texts(Sha(ref), paths[:MOST_WORKFLOWS])
        except GitHubError as error:
            if error.status not in _NOT_SHOWN:
                raise
            return {}

    async def labels(self) -> tuple[tuple[str, str], ...]:
        found = await self._api.get_all("/repos/{owner}/{repo}/labels", cap=MOST_LABELS)
        return tuple((clean(one.get("name")), clean(one.get("description"))) for one in map(as_object, found))

    async def triage_sources(self, ref: str, number: int = 0) -> TriageSources:
        api = self.job.api({**self.permissions, **ISSUE})
        found = await triage_sources.read(api, self.repo, ref, number, self.job.slug)
        self.configs[ref] = found.config
        return found

    async def pictures(self, number: int, addresses: Sequence[str]) -> Sequence[Picture]:
        api = self.job.api({**self.permissions, "issues": "read"})
        signed = await attachments.signed(api, number) if self.repo.private else addresses
        return await attachments.pictures(signed, self.site, api.network)

    async def issue(self, number: int) -> IssueState:
        api = self.job.api({**self.permissions, "issues": "read"})
        found = await api.get("/repos/{owner}/{repo}/issues/{number}", {"number": number})
        return issue_state(found, number)

    async def issue_numbers(
        self, *, since: float = 0, labels: Sequence[str] = (), state: IssueStates = "open", most: int = 5_000
    ) -> Sequence[int]:
        return await listing.issue_numbers(self._api, self.repo, since, labels, state, most)

    async def comments(self, number: int, total: int = 0, most: int = MOST_COMMENTS) -> Sequence[RawComment]:
        return await histories.comments(self._api, number, total, most)

    async def said_since(self, at: float, most: int = 300) -> Sequence[RawComment]:
        return await histories.said_since(self.job.api(ISSUE), at, most)

    async def happenings(self, number: int, most: int = 500) -> Sequence[IssueHappening]:
        return await histories.happenings(self.job.api(ISSUE), number, most)

    async def thread(self, number: int, comment_id: int) -> Sequence[RawComment]:
        for found in await self.threads(number):
            if any(comment.id == comment_id for comment in found.comments):
                return found.comments
        raise Gone(404, "no such review comment")

    async def threads(self, number: int) -> Sequence[Thread]:
        """As far as the first 1,000 comments tell.

        https://docs.github.com/en/rest/pulls/comments#list-review-comments-on-a-pull-request
        """
        path = "/repos/{owner}/{repo}/pulls/{number}/comments"
        talks: dict[int, list[dict[str, Any]]] = {}
        for one in map(as_object, await self._api.get_all(path, {"number": number}, cap=MOST_LINE_COMMENTS)):
            talks.setdefault(one.get("in_reply_to_id") or one["id"], []).append(one)
        return [line_thread(talk) for talk in talks.values()]

    async def own_threads(self, number: int) -> Sequence[OwnThread]:
        return await threads.own_threads(self._api, self.repo, number, self.job.slug)

    async def annotations(self, head: Sha) -> Sequence[OthersRemark]:
        """Of other Apps' check runs, in a call and one for each run that has any; none where checks may not
        be read. https://docs.github.com/en/rest/checks/runs"""
        path = "/repos/{owner}/{repo}/commits/{sha}/check-runs"
        remarks: list[OthersRemark] = []
        try:
            runs = await self._api.get_all(path, {"sha": head}, cap=100, key="check_runs")
            for run in [run for run in runs if is_annotated(run, self.job.slug)][:MOST_RUNS]:
                where = "/repos/{owner}/{repo}/check-runs/{id}/annotations"
                listed = await self._api.get_all(where, {"id": run["id"]}, cap=MOST_ANNOTATIONS)
                remarks += [annotation(one, str(run.get("name"))) for one in listed if isinstance(one, dict)]
        except GitHubError as error:
            if error.status not in _NOT_SHOWN:
                raise
            return []
        return remarks

    async def ci(self, sha: Sha) -> CiState:
        return await ci.states(self._api, self.job, sha)

    async def ci_details(self, failed: Sequence[FailedCheck]) -> tuple[FailedCheck, ...]:
        return await ci.details(self._api, self.job, failed)

    async def has_comment(self, comment_id: int) -> bool:
        return await self.comment_text(comment_id) is not None

    async def comment_text(self, comment_id: int) -> str | None:
        return await histories.comment_text(self._api, comment_id)

    async def touching(self, path: str, ref: str, most: int) -> Sequence[Commit]:
        """https://docs.github.com/en/rest/commits/commits#list-commits"""
        asked: dict[str, str | int | list[str]] = {"path": path, "sha": ref, "per_page": min(most, 100)}
        found = await self._api.get("/repos/{owner}/{repo}/commits{?path,sha,per_page}", asked)
        try:
            return [_commit(one) for one in found]
        except (KeyError, TypeError, ValueError) as error:
            raise GitHubError(200, f"a commit without {error}") from None

    async def merging(self, branch: str, head: Sha) -> tuple[int, ...]:
        return await merge_groups.merging(self._api, branch, head)

    @property
    def _work_api(self) -> Api:
        return self.job.api({**self.permissions, **work.PERMISSION})

    async def work_items(
        self, *, milestone: str = "", open_only: bool = True, most: int = 1000
    ) -> Sequence[WorkItem]:
        return await work.work_items(
            self._work_api, self.repo, milestone=milestone, open_only=open_only, most=most
        )

    async def work_item(self, number: int) -> WorkItem:
        return await work.work_item(self._work_api, self.repo, number)

    async def milestones(self) -> Sequence[Milestone]:
        return await work.milestones(self._work_api)

    async def releases(self, most: int = 30) -> Sequence[Release]:
        return await work.releases(self._api, most)

    async def granted(self) -> Mapping[str, str]:
        return await self.job.granted()

    async def may(self, permissions: Mapping[str, str]) -> bool:
        return await self.job.may(permissions)

    async def permission(self, login: str) -> Permission:
        """A role of the organisation's own counts as its base.

        https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user
        """
        if not _LOGIN.fullmatch(login):
            return "none"
        path = "/repos/{owner}/{repo}/collaborators/{login}/permission"
        try:
            found = as_object(await self._api.get(path, {"login": login}))
        except Gone as error:
            if error.status == 404:
                return "none"
            raise
        role = _PERMISSIONS.get(str(found.get("role_name")))
        return role or _PERMISSIONS.get(str(found.get("permission")), "none")


def _pull_request(found: dict[str, Any], repo: RepoRef) -> PullRequestState:
    head, base = found["head"], found["base"]
    base_id = (base.get("repo") or {}).get("id", repo.id)
    return PullRequestState(
        number=found["number"],
        open=found["state"] == "open",
        draft=bool(found.get("draft")),
        merged=bool(found.get("merged")),
        head_sha=Sha(head["sha"]),
        base_sha=Sha(base["sha"]),
        base_ref=clean(base["ref"]),
        head_ref=clean(head.get("ref")),
        title=clean(found["title"]),
        body=clean(found.get("body")),
        author=actor(found.get("user")),
        labels=label_names(found.get("labels")),
        changed_files=int(found.get("changed_files") or 0),
        review_comments=int(found.get("review_comments") or 0),
        comments=int(found.get("comments") or 0),
        from_fork=not head.get("repo") or head["repo"]["id"] != base_id,
    )


def _commit(found: dict[str, Any]) -> Commit:
    """A commit whose author has no account is told by the name in git."""
    said = found["commit"]
    author = (found.get("author") or {}).get("login") or said["author"]["name"]
    day = str(said["committer"]["date"])[:10]
    return Commit(Sha(found["sha"]), clean(author), clean(said["message"]), day)
