"""What Hob reads of issues and pull requests, in few calls. All text here is hostile.

https://docs.github.com/en/rest/pulls/pulls  https://docs.github.com/en/rest/issues
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bot.core.diff import Status
from bot.core.errors import GitHubError, Gone
from bot.core.refs import Actor, Login, Permission, RepoRef, Sha
from bot.github.api import Api
from bot.github.payloads import clean

MOST_FILES = 3_000
"""More files of a pull request GitHub does not list."""
_PERMISSIONS: dict[str, Permission] = {
    "admin": "admin",
    "maintain": "maintain",
    "write": "write",
    "triage": "triage",
    "read": "read",
}
_LOGIN = re.compile(r"[A-Za-z0-9_-]{1,100}(\[bot\])?")
_STATUSES: dict[str, Status] = {
    "added": "added",
    "removed": "removed",
    "renamed": "renamed",
    "copied": "copied",
    "changed": "changed",
    "unchanged": "unchanged",
}


@dataclass(frozen=True, slots=True)
class PullRequestState:
    """A pull request as it stands now."""

    number: int
    open: bool
    draft: bool
    merged: bool
    head_sha: Sha
    base_sha: Sha
    base_ref: str
    title: str
    body: str
    author: Actor
    labels: tuple[str, ...]
    changed_files: int
    from_fork: bool
    review_comments: int = 0
    comments: int = 0
    """In its conversation."""


@dataclass(frozen=True, slots=True)
class RawFile:
    """A changed file; `patch` is None where GitHub gives none (binary, too large, pure rename)."""

    path: str
    old_path: str | None
    status: Status
    patch: str | None
    additions: int
    deletions: int
    sha: str


@dataclass(frozen=True, slots=True)
class IssueState:
    """An issue, or the issue side of a pull request, as it stands now."""

    number: int
    open: bool
    title: str
    body: str
    author: Actor
    labels: tuple[str, ...]
    comments: int
    is_pull_request: bool


@dataclass(frozen=True, slots=True)
class RawComment:
    """`app_id`: the App that wrote it, if GitHub says so. `created_at` as GitHub writes times."""

    id: int
    author: Actor
    body: str
    created_at: str
    app_id: int | None = None
    review: int = 0
    """The review that a comment on a line was made in."""


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation on a line, oldest comment first."""

    path: str
    diff_hunk: str
    comments: tuple[RawComment, ...]
    line: int | None = None
    """On the new side, as the head is now; None where those lines are no longer in the change."""
    start_line: int | None = None


async def pull_request(api: Api, repo: RepoRef, number: int) -> PullRequestState:
    """One call. `Gone` when there is none."""
    found = _object(await api.get("/repos/{owner}/{repo}/pulls/{number}", {"number": number, **_at(repo)}))
    try:
        return _pull_request(found, repo)
    except (KeyError, TypeError) as error:
        raise GitHubError(200, f"a pull request without {error}") from None


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
        title=clean(found["title"]),
        body=clean(found.get("body")),
        author=actor(found.get("user")),
        labels=_labels(found.get("labels")),
        changed_files=int(found.get("changed_files") or 0),
        review_comments=int(found.get("review_comments") or 0),
        comments=int(found.get("comments") or 0),
        from_fork=not head.get("repo") or head["repo"]["id"] != base_id,
    )


async def files(api: Api, repo: RepoRef, number: int) -> list[RawFile]:
    """The changed files, a call for each 100 and at most 3,000: more GitHub does not list.

    https://docs.github.com/en/rest/pulls/pulls#list-pull-requests-files
    """
    path = "/repos/{owner}/{repo}/pulls/{number}/files"
    found = await api.get_all(path, {"number": number, **_at(repo)}, cap=MOST_FILES)
    return [raw_file(one) for one in found]


def raw_file(found: Any) -> RawFile:
    """A changed file as GitHub tells it."""
    found = _object(found)
    patch = found.get("patch")
    old = found.get("previous_filename")
    return RawFile(
        path=clean(found.get("filename")),
        old_path=clean(old) if old else None,
        status=_STATUSES.get(str(found.get("status")), "modified"),
        patch=patch if isinstance(patch, str) else None,
        additions=int(found.get("additions") or 0),
        deletions=int(found.get("deletions") or 0),
        sha=found.get("sha") or "",
    )


async def permission(api: Api, repo: RepoRef, login: str) -> Permission:
    """What this person may do here, asked now. A role of the organisation's own counts as its base.

    https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user
    """
    path = "/repos/{owner}/{repo}/collaborators/{login}/permission"
    if not _LOGIN.fullmatch(login):
        return "none"
    try:
        found = _object(await api.get(path, {"login": login, **_at(repo)}))
    except Gone as error:
        if error.status == 404:
            return "none"
        raise
    role = _PERMISSIONS.get(str(found.get("role_name")))
    return role or _PERMISSIONS.get(str(found.get("permission")), "none")


async def labels(api: Api, repo: RepoRef, cap: int = 500) -> tuple[tuple[str, str], ...]:
    """(name, description) of the labels that exist."""
    found = await api.get_all("/repos/{owner}/{repo}/labels", _at(repo), cap=cap)
    return tuple((clean(label.get("name")), clean(label.get("description"))) for label in map(_object, found))


async def issue(api: Api, repo: RepoRef, number: int) -> IssueState:
    """One call. `Gone` when there is none."""
    found = _object(await api.get("/repos/{owner}/{repo}/issues/{number}", {"number": number, **_at(repo)}))
    return IssueState(
        number=number,
        open=found.get("state") == "open",
        title=clean(found.get("title")),
        body=clean(found.get("body")),
        author=actor(found.get("user")),
        labels=_labels(found.get("labels")),
        comments=int(found.get("comments") or 0),
        is_pull_request=found.get("pull_request") is not None,
    )


async def comments(api: Api, repo: RepoRef, number: int, cap: int, total: int = 0) -> list[RawComment]:
    """The last `cap` comments, oldest first. `total` (`IssueState.comments`) saves reading the others."""
    page = max(0, total - cap) // 100 + 1
    params = {"number": number, "page": page, **_at(repo)}
    path = "/repos/{owner}/{repo}/issues/{number}/comments"
    found = await api.get_all(path, params, cap=max(cap, total) + 100)
    return [_comment(one) for one in found[-cap:]]


async def has_comment(api: Api, repo: RepoRef, comment_id: int) -> bool:
    """Whether a comment of a conversation is still there. One call."""
    try:
        await api.get("/repos/{owner}/{repo}/issues/comments/{id}", {"id": comment_id, **_at(repo)})
    except Gone as gone:
        if gone.status != 404:
            raise
        return False
    return True


async def thread(api: Api, repo: RepoRef, number: int, comment_id: int, cap: int = 1_000) -> Thread:
    """The conversation that a review comment belongs to. `Gone` when it is not among the first `cap`."""
    for found in await threads(api, repo, number, cap):
        if any(comment.id == comment_id for comment in found.comments):
            return found
    raise Gone(404, "no such review comment")


async def threads(api: Api, repo: RepoRef, number: int, cap: int = 1_000) -> list[Thread]:
    """The conversations on lines of a pull request, oldest first, as far as the first `cap` comments tell.

    https://docs.github.com/en/rest/pulls/comments#list-review-comments-on-a-pull-request
    """
    path = "/repos/{owner}/{repo}/pulls/{number}/comments"
    talks: dict[int, list[dict[str, Any]]] = {}
    for one in map(_object, await api.get_all(path, {"number": number, **_at(repo)}, cap=cap)):
        talks.setdefault(one.get("in_reply_to_id") or one["id"], []).append(one)
    return [_thread(talk) for talk in talks.values()]


def _thread(talk: list[dict[str, Any]]) -> Thread:
    first = talk[0]
    side = first.get("side") != "LEFT"
    return Thread(
        path=clean(first.get("path")),
        diff_hunk=clean(first.get("diff_hunk")),
        comments=tuple(map(_comment, talk)),
        line=first.get("line") if side else None,
        start_line=first.get("start_line") if side else None,
    )


def _comment(found: Any) -> RawComment:
    found = _object(found)
    app = found.get("performed_via_github_app")
    return RawComment(
        id=found["id"],
        author=actor(found.get("user")),
        body=clean(found.get("body")),
        created_at=str(found.get("created_at") or ""),
        app_id=app.get("id") if isinstance(app, dict) else None,
        review=int(found.get("pull_request_review_id") or 0),
    )


def _at(repo: RepoRef) -> dict[str, str | int]:
    return {"owner": repo.owner, "repo": repo.name}


def _object(found: Any) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise GitHubError(200, "an object was expected")
    return found


def actor(found: Any) -> Actor:
    """A deleted account is GitHub's ghost."""
    if not isinstance(found, dict):
        return Actor(Login("ghost"), 10137)
    return Actor(
        Login(clean(found.get("login"))), int(found.get("id") or 0), str(found.get("type") or "User")
    )


def _labels(found: Iterable[Any] | None) -> tuple[str, ...]:
    names = (label.get("name") if isinstance(label, dict) else label for label in found or ())
    return tuple(clean(name) for name in names if isinstance(name, str))
