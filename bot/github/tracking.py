"""What Hob reads of a repository as a whole: where it is cloned from, and its issues as they change. All text
here is hostile.

https://docs.github.com/en/rest/repos/repos#get-a-repository
https://docs.github.com/en/rest/issues/issues#list-repository-issues
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.core.errors import GitHubError, Gone
from bot.core.knowledge import KnownIssue
from bot.core.refs import RepoRef
from bot.github.api import Api
from bot.github.payloads import clean
from bot.github.wire import origin

_BLOCKED_BY = "/repos/{owner}/{repo}/issues/{number}/dependencies/blocked_by"
MOST_BLOCKERS = 50


@dataclass(frozen=True, slots=True)
class RepositoryState:
    """`size_kb`: kilobytes on GitHub's disk, as it last counted."""

    clone_url: str
    size_kb: int
    private: bool
    default_branch: str


@dataclass(frozen=True, slots=True)
class ListedIssue(KnownIssue):
    """As a list shows it. `blockers`: how many issues block it."""

    blockers: int = 0


async def repository(api: Api, repo: RepoRef) -> RepositoryState:
    """One call. `Gone` when it is not there, or another has its name. GitHubError when it would be cloned
    from another server than this one."""
    found = await api.get("/repos/{owner}/{repo}", {"owner": repo.owner, "repo": repo.name})
    if not isinstance(found, dict):
        raise GitHubError(200, "an object was expected")
    if found.get("id") != repo.id:
        raise Gone(404, "another repository has this name now")
    url = str(found.get("clone_url") or "")
    if origin(url) != origin(api.site):
        raise GitHubError(200, "the repository's clone_url is not on this server")
    return RepositoryState(
        clone_url=url,
        size_kb=int(found.get("size") or 0),
        private=found.get("private") is not False,
        default_branch=clean(found.get("default_branch")),
    )


async def changed_issues(api: Api, repo: RepoRef, since: int, cap: int) -> list[ListedIssue]:
    """Issues and pull requests that changed at `since` (seconds since 1970) or later, those first that were
    left alone for longest; at most `cap`."""
    asked: dict[str, str | int | list[str]] = {
        "owner": repo.owner,
        "repo": repo.name,
        "state": "all",
        "sort": "updated",
        "direction": "asc",
    }
    if since:
        asked["since"] = datetime.fromtimestamp(since, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    found = await api.get_all("/repos/{owner}/{repo}/issues", asked, cap=cap)
    try:
        return [_issue(one) for one in found]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise GitHubError(200, f"an issue without {error}") from None


async def blockers(api: Api, repo: RepoRef, number: int) -> tuple[int, ...]:
    """Numbers of the issues of this repository that block one; empty where the server knows no dependencies.

    https://docs.github.com/en/rest/issues/issue-dependencies#list-dependencies-an-issue-is-blocked-by
    """
    asked: dict[str, str | int | list[str]] = {"owner": repo.owner, "repo": repo.name, "number": number}
    try:
        found = await api.get_all(_BLOCKED_BY, asked, cap=MOST_BLOCKERS)
    except Gone:
        return ()
    here = f"/repos/{repo.full_name}".casefold()
    return tuple(
        one["number"]
        for one in found
        if isinstance(one, dict) and str(one.get("repository_url", "")).casefold().endswith(here)
    )


def _issue(found: dict[str, Any]) -> ListedIssue:
    pull = found.get("pull_request")
    merged = isinstance(pull, dict) and bool(pull.get("merged_at"))
    summary = found.get("issue_dependencies_summary")
    names = (label.get("name") if isinstance(label, dict) else label for label in found.get("labels") or ())
    return ListedIssue(
        number=int(found["number"]),
        kind="pull_request" if pull is not None else "issue",
        state="merged" if merged else "closed" if found.get("state") == "closed" else "open",
        title=clean(found.get("title")),
        body=clean(found.get("body")),
        author=clean((found.get("user") or {}).get("login") or "ghost"),
        labels=tuple(clean(name) for name in names if isinstance(name, str)),
        created=_seconds(found["created_at"]),
        updated=_seconds(found["updated_at"]),
        closed=_seconds(found.get("closed_at")),
        blockers=int(summary.get("total_blocked_by") or 0) if isinstance(summary, dict) else 0,
    )


def _seconds(text: str | None) -> int:
    return int(datetime.fromisoformat(text).timestamp()) if text else 0
