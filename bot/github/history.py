"""Pull requests that are over, their commits, and what lies between two commits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.core.diff import FileDiff
from bot.core.errors import GitHubError
from bot.core.refs import Actor, RepoRef, Sha
from bot.github.api import Api
from bot.github.changed_files import file_diff
from bot.github.conversations import actor
from bot.github.payloads import clean

_MOST_LISTED = 2_000


@dataclass(frozen=True, slots=True)
class Merged:
    """A merged pull request. Times are seconds since 1970."""

    number: int
    title: str
    body: str
    author: Actor
    base_sha: Sha
    head_sha: Sha
    created_at: float
    merged_at: float = 0.0
    url: str = ""


@dataclass(frozen=True, slots=True)
class PullRequestCommit:
    """A commit of a pull request, and when it was made."""

    sha: Sha
    at: float


@dataclass(frozen=True, slots=True)
class Between:
    """What `head` changes since it left `base`."""

    merge_base: Sha
    files: tuple[FileDiff, ...]
    commits: int


@dataclass(frozen=True, slots=True)
class LineRemark:
    """The first comment of a thread, on the line and commit on which it was made; `start`: the first of
    several lines."""

    author: Actor
    path: str
    line: int
    sha: Sha
    body: str
    start: int | None = None


async def merged(api: Api, repo: RepoRef, last: int) -> list[Merged]:
    """The last so many that were merged, by their last update, newest first.

    https://docs.github.com/en/rest/pulls/pulls#list-pull-requests
    """
    params = {**_at(repo), "state": "closed", "sort": "updated", "direction": "desc"}
    cap = min(_MOST_LISTED, 100 + 3 * last)  # most closed ones were merged
    found = await api.get_all("/repos/{owner}/{repo}/pulls", params, cap=cap)
    return [_merged(one) for one in found if isinstance(one, dict) and one.get("merged_at")][:last]


def _merged(found: dict[str, Any]) -> Merged:
    try:
        return Merged(
            number=int(found["number"]),
            title=clean(found["title"]),
            body=clean(found.get("body")),
            author=actor(found.get("user")),
            base_sha=Sha(found["base"]["sha"]),
            head_sha=Sha(found["head"]["sha"]),
            created_at=_time(found["created_at"]),
            merged_at=_time(found["merged_at"]),
            url=clean(found.get("html_url")),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise GitHubError(200, f"a pull request without {error}") from None


async def commits(api: Api, repo: RepoRef, number: int) -> list[PullRequestCommit]:
    """Oldest first, at most 250. https://docs.github.com/en/rest/pulls/pulls#list-commits-on-a-pull-request"""
    path = "/repos/{owner}/{repo}/pulls/{number}/commits"
    found = await api.get_all(path, {"number": number, **_at(repo)}, cap=250)
    try:
        return [
            PullRequestCommit(Sha(one["sha"]), _time(one["commit"]["committer"]["date"])) for one in found
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise GitHubError(200, f"a commit without {error}") from None


async def between(api: Api, repo: RepoRef, base: Sha, head: Sha) -> Between:
    """One call; at most 300 files. `Gone` where a commit is no more.

    https://docs.github.com/en/rest/commits/commits#compare-two-commits
    """
    path = "/repos/{owner}/{repo}/compare/{basehead}"
    found = await api.get(path, {"basehead": f"{base}...{head}", "per_page": 1, **_at(repo)})
    try:
        files = tuple(file_diff(one) for one in found.get("files") or ())
        return Between(Sha(found["merge_base_commit"]["sha"]), files, int(found["total_commits"]))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise GitHubError(200, f"a comparison without {error}") from None


async def line_remarks(api: Api, repo: RepoRef, number: int) -> Sequence[LineRemark]:
    """What people and bots said on lines of the new side.

    https://docs.github.com/en/rest/pulls/comments#list-review-comments-on-a-pull-request
    """
    path = "/repos/{owner}/{repo}/pulls/{number}/comments"
    found = await api.get_all(path, {"number": number, **_at(repo)}, cap=1_000)
    return [
        LineRemark(
            actor(one.get("user")),
            clean(one.get("path")),
            one["original_line"],
            Sha(str(one.get("original_commit_id"))),
            clean(one.get("body")),
            start if isinstance(start := one.get("original_start_line"), int) else None,
        )
        for one in found
        if isinstance(one, dict)
        and one.get("in_reply_to_id") is None
        and one.get("side") != "LEFT"
        and isinstance(one.get("original_line"), int)
    ]


def _time(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _at(repo: RepoRef) -> dict[str, str | int]:
    return {"owner": repo.owner, "repo": repo.name}
