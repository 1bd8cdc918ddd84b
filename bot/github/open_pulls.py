"""Open pull requests in few calls, and who wants something of them. All text here is hostile.

https://docs.github.com/en/rest/pulls/pulls#list-pull-requests
"""

from typing import Any

from bot.core.github_reader import OpenPull
from bot.core.refs import Login, Sha
from bot.github.api import Api
from bot.github.conversations import actor, as_object, seconds
from bot.github.payloads import clean

PERMISSION = {"pull_requests": "read"}
MOST_REVIEWS = 100
_OPINIONS = ("APPROVED", "CHANGES_REQUESTED", "DISMISSED")


async def open_pulls(api: Api, most: int) -> list[OpenPull]:
    asked: dict[str, str | int | list[str]] = {"state": "open", "sort": "updated", "direction": "desc"}
    found = await api.get_all("/repos/{owner}/{repo}/pulls", asked, cap=most)
    return [_pull(as_object(one)) for one in found]


async def changes_requested(api: Api, number: int) -> tuple[Login, ...]:
    """A comment takes back nobody's opinion."""
    path = "/repos/{owner}/{repo}/pulls/{number}/reviews"
    found = map(as_object, await api.get_all(path, {"number": number}, cap=MOST_REVIEWS))
    said = {actor(one.get("user")).login: one["state"] for one in found if one.get("state") in _OPINIONS}
    return tuple(who for who, state in said.items() if state == "CHANGES_REQUESTED")


def _pull(found: dict[str, Any]) -> OpenPull:
    people = [clean(one.get("login")) for one in found.get("requested_reviewers") or ()]
    teams = [clean(one.get("slug")) for one in found.get("requested_teams") or ()]
    return OpenPull(
        number=int(found.get("number") or 0),
        title=clean(found.get("title")),
        author=actor(found.get("user")).login,
        base_ref=clean((found.get("base") or {}).get("ref")),
        head_sha=Sha(clean((found.get("head") or {}).get("sha"))),
        draft=bool(found.get("draft")),
        updated=seconds(found.get("updated_at")),
        reviewers=(*people, *teams),
    )
