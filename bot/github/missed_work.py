"""What happened where no delivery tells of it any more: lists of a repository, and the payload that each
item's delivery would have had. All text here is hostile; it is taken apart where deliveries are.

https://docs.github.com/en/rest/apps/installations#list-repositories-accessible-to-the-app-installation
https://docs.github.com/en/rest/issues/comments#list-issue-comments-for-a-repository
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from msgspec import ValidationError, convert, to_builtins

from bot.core.errors import GitHubError
from bot.core.refs import RepoRef
from bot.github.api import Api, ApiPage, Params
from bot.github.conversations import seconds
from bot.github.webhook_schema import GitHubId, RepositoryPayload

PERMISSIONS = {"issues": "read", "pull_requests": "read"}
PULLS_PER_PAGE = 20
"""Of each the reviews are asked for as well."""
PER_PAGE = 100
STEPS = ("pull_request", "issues", "issue_comment", "pull_request_review_comment")
"""Lists of a repository, named by the events of what stands in them."""
_PATHS = {
    "pull_request": "/repos/{owner}/{repo}/pulls",
    "issues": "/repos/{owner}/{repo}/issues",
    "issue_comment": "/repos/{owner}/{repo}/issues/comments",
    "pull_request_review_comment": "/repos/{owner}/{repo}/pulls/comments",
}


@dataclass(frozen=True, slots=True)
class ListedWork:
    """One item of a list, as REST has it."""

    item: dict[str, Any]

    @property
    def id(self) -> int:
        return _whole(self.item.get("id"))

    @property
    def number(self) -> int:
        """Of the issue or pull request that it is, or stands under; 0: none that can be read."""
        own = _whole(self.item.get("number"))
        address = self.item.get("issue_url") or self.item.get("pull_request_url")
        last = address.rpartition("/")[2] if isinstance(address, str) else ""
        return own or (int(last) if last.isascii() and last.isdigit() and len(last) < 10 else 0)

    @property
    def created(self) -> float:
        return seconds(self.item.get("created_at") or self.item.get("submitted_at"))

    @property
    def updated(self) -> float:
        return seconds(self.item.get("updated_at"))

    @property
    def is_pull_request(self) -> bool:
        """For an item of a list of issues."""
        return self.item.get("pull_request") is not None

    @property
    def head(self) -> str:
        head = self.item.get("head")
        sha = head.get("sha") if isinstance(head, dict) else ""
        return sha if isinstance(sha, str) else ""


@dataclass(frozen=True, slots=True)
class ListPage:
    items: tuple[ListedWork, ...]
    more: bool
    left: float


async def installations(app: Api) -> list[int]:
    """Those that may be worked for. A call for each hundred."""
    found = await app.get_all("/app/installations", cap=10_000)
    ids = [_whole(one.get("id")) for one in found if isinstance(one, dict) and not one.get("suspended_at")]
    return [one for one in ids if one]


async def repositories(api: Api, page: int) -> tuple[list[dict[str, Any]], bool]:
    """(those of a page that can be written to, whether there are more), each as a payload names it."""
    found = await api.get_page("/installation/repositories", {"per_page": PER_PAGE, "page": page})
    listed = found.data.get("repositories") if isinstance(found.data, dict) else None
    if not isinstance(listed, list):
        raise GitHubError(200, "a list of repositories was expected")
    named = [told for one in listed if (told := _repository(one))]
    return named, found.following is not None and bool(listed)


def _repository(told: Any) -> dict[str, Any] | None:
    if not isinstance(told, dict) or told.get("archived") or told.get("disabled"):
        return None
    try:
        read = convert(told, RepositoryPayload)
    except ValidationError:
        return None
    named = {**to_builtins(read), "full_name": f"{read.owner.login}/{read.name}"}
    return {**named, "pushed_at": told.get("pushed_at")}


def ref_of(repository: Mapping[str, Any], installation: int) -> RepoRef:
    read = convert(dict(repository), RepositoryPayload)
    return RepoRef(
        read.owner.login, read.name, read.id, installation, read.private, default_branch=read.default_branch
    )


def pushed_at(repository: Mapping[str, Any]) -> float:
    """Epoch seconds; 0 where nobody ever pushed."""
    return seconds(repository.get("pushed_at"))


async def list_page(api: Api, step: str, since: float, page: int) -> ListPage:
    """The newest pull requests that are open first; of all else what changed since, the oldest first."""
    asked: Params = {"sort": "updated", "direction": "asc", "per_page": PER_PAGE, "page": page}
    if step == "pull_request":
        asked = {**asked, "state": "open", "direction": "desc", "per_page": PULLS_PER_PAGE}
    else:
        told = datetime.fromtimestamp(since, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        asked = {**asked, "since": told, **({"state": "open"} if step == "issues" else {})}
    return _read(await api.get_page(_PATHS[step], asked))


async def reviews(api: Api, number: int) -> tuple[ListedWork, ...]:
    """The oldest first; a call for each hundred."""
    path = "/repos/{owner}/{repo}/pulls/{number}/reviews"
    return tuple(
        ListedWork(one)
        for one in await api.get_all(path, {"number": number}, cap=500)
        if isinstance(one, dict)
    )


async def issue(api: Api, number: int) -> dict[str, Any]:
    found = await api.get("/repos/{owner}/{repo}/issues/{number}", {"number": number})
    return found if isinstance(found, dict) else {}


def payload(
    event: str,
    action: str,
    one: ListedWork,
    about: Mapping[str, Any],
    repository: Mapping[str, Any],
    installation: int,
) -> bytes:
    """As a delivery of that event has it. `about`: the issue under which a comment stands, as REST has it; {}
    where it is not known yet."""
    told: dict[str, Any] = {"action": action}
    under = {"title": "", "user": None, **about, "number": one.number}
    match event:
        case "pull_request":
            told |= {"number": one.number, "pull_request": one.item}
        case "issues":
            told["issue"] = one.item
        case "issue_comment":
            told |= {"issue": under, "comment": one.item}
        case "pull_request_review":
            told |= {"pull_request": under, "review": one.item}
        case _:
            told |= {"pull_request": under, "comment": one.item}
    told |= {
        "repository": dict(repository),
        "installation": {"id": installation},
        "sender": one.item.get("user"),
    }
    return json.dumps(told, separators=(",", ":")).encode()


def _read(found: ApiPage) -> ListPage:
    if not isinstance(found.data, list):
        raise GitHubError(200, "a list was expected")
    items = tuple(ListedWork(one) for one in found.data[:PER_PAGE] if isinstance(one, dict))
    return ListPage(items, found.following is not None and bool(found.data), found.left)


def _whole(told: Any) -> int:
    try:
        return convert(told, GitHubId)
    except ValidationError:
        return 0
