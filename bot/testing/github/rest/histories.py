"""What was said in a whole repository, and what happened to an issue.

https://docs.github.com/en/rest/issues/comments#list-issue-comments-for-a-repository
https://docs.github.com/en/rest/issues/events#list-issue-events
"""

from typing import Any

from bot.testing.github.issues import HistoryEntry
from bot.testing.github.rest.comments import subject
from bot.testing.github.shapes import common, issues, repos
from bot.testing.github.wire import RestCall, RestResponse, route
from bot.testing.github.world import World, stamp


@route("GET", "/repos/{owner}/{repo}/issues/comments", "issues:read", "pull_requests:read")
def list_comments_of_repository(call: RestCall) -> RestResponse:
    """The oldest first, or as `sort` and `direction` say."""
    repo, since = call.repo(), call.query.get("since", "")
    listed = [one for one in repo.comments.values() if stamp(one.updated_at) >= since]
    by = "updated_at" if call.query.get("sort") == "updated" else "created_at"
    listed.sort(key=lambda one: (getattr(one, by), one.id), reverse=call.query.get("direction") == "desc")
    return call.page(listed, lambda one: issues.comment(repo, one))


@route("GET", "/repos/{owner}/{repo}/issues/{number}/events", "issues:read", "pull_requests:read")
def list_events(call: RestCall) -> RestResponse:
    """The oldest first."""
    api = repos.api(call.repo())
    return call.page(subject(call).history, lambda one: _event(call.repo().world, api, one))


def _event(world: World, api: str, told: HistoryEntry) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "id": told.id,
        "node_id": common.node_id("IE", told.id),
        "url": f"{api}/issues/events/{told.id}",
        "actor": common.user(world, told.by),
        "event": "renamed" if told.action == "edited" else told.action,
        "commit_id": None,
        "commit_url": None,
        "created_at": stamp(told.at),
        "performed_via_github_app": None,
    }
    extra = told.extra
    if "label" in extra:
        shape["label"] = {"name": extra["label"].name, "color": extra["label"].color}
    if "assignee" in extra:
        shape |= {"assignee": common.user(world, extra["assignee"]), "assigner": shape["actor"]}
    if "milestone" in extra:
        shape["milestone"] = {"title": extra["milestone"].title}
    if told.action == "edited":
        shape["rename"] = {"from": extra["changes"]["title"]["from"], "to": told.title}
    return shape
