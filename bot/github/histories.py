"""What was said and done over time, read from GitHub."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from bot.core.errors import GitHubError, Gone
from bot.core.github_reader import IssueHappening, RawComment
from bot.github.api import Api
from bot.github.conversations import actor, as_object, comment, seconds
from bot.github.payloads import clean

_NOT_SHOWN = (403, 404)


async def comments(api: Api, number: int, total: int, most: int) -> Sequence[RawComment]:
    """https://docs.github.com/en/rest/issues/comments#list-issue-comments"""
    path = "/repos/{owner}/{repo}/issues/{number}/comments"
    page = max(0, total - most) // 100 + 1
    cap = max(most, total) + 100
    found = await api.get_all(path, {"number": number, "page": page}, cap=cap)
    return [comment(one) for one in found[-most:]]


async def comment_text(api: Api, comment_id: int) -> str | None:
    """https://docs.github.com/en/rest/issues/comments#get-an-issue-comment"""
    try:
        found = as_object(await api.get("/repos/{owner}/{repo}/issues/comments/{id}", {"id": comment_id}))
    except Gone as gone:
        if gone.status != 404:
            raise
        return None
    return clean(found.get("body"))


async def said_since(api: Api, at: float, most: int) -> Sequence[RawComment]:
    """https://docs.github.com/en/rest/issues/comments#list-issue-comments-for-a-repository"""
    path = "/repos/{owner}/{repo}/issues/comments{?since,sort,direction,per_page}"
    since = datetime.fromtimestamp(max(0.0, at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    asked: dict[str, str | int | list[str]] = {"since": since, "sort": "created", "direction": "desc"}
    found = await api.get_all(path, asked, cap=most)
    return [comment(one) for one in reversed(found)]


async def happenings(api: Api, number: int, most: int) -> Sequence[IssueHappening]:
    """https://docs.github.com/en/rest/issues/events#list-issue-events"""
    path = "/repos/{owner}/{repo}/issues/{number}/events"
    try:
        found = await api.get_all(path, {"number": number}, cap=most)
    except GitHubError as error:
        if error.status not in _NOT_SHOWN:
            raise
        return ()
    return [_happening(one) for one in map(as_object, found)]


def _happening(one: dict[str, Any]) -> IssueHappening:
    about = ""
    for key, name in (("label", "name"), ("milestone", "title"), ("rename", "to"), ("assignee", "login")):
        if isinstance(told := one.get(key), dict):
            about = clean(told.get(name))
    return IssueHappening(
        seconds(one.get("created_at")), actor(one.get("actor")).login, clean(one.get("event")), about
    )
