"""Whether an effect has happened already: known by our App, its mark and a right mac, or its nature."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, assert_never

from bot.core.effects import (
    AddLabels,
    ChangingEffect,
    Comment,
    OnGitHub,
    PostReview,
    React,
    ReplyInThread,
    SetCheck,
)
from bot.core.errors import Ambiguous
from bot.core.folding import folded
from bot.core.refs import RepoRef
from bot.github.api import Api
from bot.github.idempotency_marker import IdempotencyMarker

CAP = 10_000
"""Items that are looked through; with more the question stays open."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What stands on GitHub: where people see it ("" for a reaction), and its id (0 for labels)."""

    url: str
    github_id: int


def applied(answer: Any) -> Applied:
    """Of an object that GitHub gives; `Ambiguous` when it is none."""
    if not isinstance(answer, dict) or not isinstance(answer.get("id"), int):
        raise Ambiguous(200, "the answer does not say what was made")
    return Applied(str(answer.get("html_url") or ""), answer["id"])


async def find(
    api: Api,
    repo: RepoRef,
    effect: OnGitHub,
    key: str,
    marker: IdempotencyMarker,
    since: datetime | None = None,
) -> Applied | None:
    """The effect as it stands on GitHub; None when it is certainly not there. Makes nothing.

    `since`, a time before its first sending, shortens the search. `Ambiguous` when there is more than can be
    looked through. A check run that is found may lack annotations: see `apply.complete`.
    """
    match effect:
        case PostReview():
            path = "/repos/{owner}/{repo}/pulls/{number}/reviews"
            return _marked(await _list(api, repo, path, number=effect.number), key, marker)
        case Comment():
            path = "/repos/{owner}/{repo}/issues/{number}/comments"
            return _marked(await _list(api, repo, path, **_since(since), number=effect.number), key, marker)
        case ReplyInThread():
            path = "/repos/{owner}/{repo}/pulls/{number}/comments"
            return _marked(await _list(api, repo, path, **_since(since), number=effect.number), key, marker)
        case SetCheck():
            return await _check(api, repo, effect, key, marker)
        case AddLabels():
            return await _labels(api, repo, effect)
        case React():
            found = await _list(api, repo, reactions_path(effect), id=effect.id, content=effect.content)
            mine = (one for one in found if isinstance(one, dict) and marker.ours(one))
            one = next((one for one in mine if one.get("content") == effect.content), None)
            return Applied("", applied(one).github_id) if one else None
        case _:
            return _again(effect)


def _again(_: ChangingEffect) -> Applied | None:
    """Done twice these are done once: nobody need look, they are sent again."""
    return None


def external_id(check: SetCheck, key: str) -> str:
    """By which a check run is known again, and from which a press of its buttons leads back."""
    return f"{key}#{check.number}" if check.number else key


async def _check(
    api: Api, repo: RepoRef, effect: SetCheck, key: str, marker: IdempotencyMarker
) -> Applied | None:
    path = "/repos/{owner}/{repo}/commits/{sha}/check-runs"
    query: dict[str, str | int] = {"sha": effect.head_sha, "filter": "all", "app_id": marker.app_id}
    for run in await _list(api, repo, path, items="check_runs", **query):
        if isinstance(run, dict) and run.get("external_id") in (key, external_id(effect, key)):
            app = run.get("app")
            if isinstance(app, dict) and app.get("id") == marker.app_id:
                return applied(run)
    return None


async def _labels(api: Api, repo: RepoRef, effect: AddLabels) -> Applied | None:
    """GitHub's label names know no case."""
    found = await _list(api, repo, "/repos/{owner}/{repo}/issues/{number}/labels", number=effect.number)
    there = {folded(str(one.get("name"))) for one in found if isinstance(one, dict)}
    if not set(map(folded, effect.labels)) <= there:
        return None
    return Applied(f"{api.site}/{repo.full_name}/issues/{effect.number}", 0)


async def _list(
    api: Api, repo: RepoRef, path: str, *, items: str | None = None, **names: str | int
) -> list[Any]:
    found = await api.get_all(path, {"owner": repo.owner, "repo": repo.name, **names}, cap=CAP, key=items)
    if len(found) >= CAP:
        raise Ambiguous(200, "too much to look through")
    return found


def _marked(found: Iterable[Any], key: str, marker: IdempotencyMarker) -> Applied | None:
    one = next((one for one in reversed(list(found)) if marker.made(one, key)), None)
    return applied(one) if one else None


def _since(since: datetime | None) -> dict[str, str]:
    return {"since": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")} if since else {}


def reactions_path(effect: React) -> str:
    """https://docs.github.com/en/rest/reactions/reactions"""
    base = "/repos/{owner}/{repo}/"
    match effect.subject:
        case "issue":
            return base + "issues/{id}/reactions"
        case "issue_comment":
            return base + "issues/comments/{id}/reactions"
        case "review_comment":
            return base + "pulls/comments/{id}/reactions"
        case _:
            assert_never(effect.subject)
