"""Milestones, releases, types of issues.

https://docs.github.com/en/rest/issues/milestones  https://docs.github.com/en/rest/releases/releases
https://docs.github.com/en/rest/orgs/issue-types
"""

from bot.testing.github.milestones import RepositoryMilestone, RepositoryRelease
from bot.testing.github.shapes import issues, repos
from bot.testing.github.wire import RestCall, RestResponse, not_found, route

_REPO = "/repos/{owner}/{repo}"


@route("GET", _REPO + "/milestones", "issues:read", "pull_requests:read")
def list_milestones(call: RestCall) -> RestResponse:
    """Those that are due first, come first; without a day last."""
    repo, state = call.repo(), call.query.get("state", "open")
    listed = [one for one in repo.milestones if state in ("all", one.state)]
    listed.sort(key=lambda one: (one.due_on is None, one.due_on or 0))
    return call.page(listed, lambda one: issues.milestone(repo, one))


def _milestone(call: RestCall) -> RepositoryMilestone:
    found = next((one for one in call.repo().milestones if one.number == call.number("number")), None)
    if found is None:
        raise not_found()
    return found


@route("GET", _REPO + "/milestones/{number}", "issues:read", "pull_requests:read")
def get_milestone(call: RestCall) -> RestResponse:
    return RestResponse(200, issues.milestone(call.repo(), _milestone(call)))


@route("GET", _REPO + "/releases", "contents:read")
def list_releases(call: RestCall) -> RestResponse:
    """Newest first. Drafts are shown to those who may push: to no App that only reads."""
    repo = call.repo()
    writes = call.token is not None and call.token.permissions.get("contents") == "write"
    listed = [one for one in repo.releases if one.published_at is not None or writes]
    listed.sort(key=lambda one: one.created_at, reverse=True)
    return call.page(listed, lambda one: repos.release(repo, one))


@route("GET", _REPO + "/releases/tags/{tag}", "contents:read")
def get_release(call: RestCall) -> RestResponse:
    found: RepositoryRelease | None = next(
        (one for one in call.repo().releases if one.tag == call.params["tag"] and one.published_at), None
    )
    if found is None:
        raise not_found()
    return RestResponse(200, repos.release(call.repo(), found))


@route("GET", "/orgs/{org}/issue-types")
def list_issue_types(call: RestCall) -> RestResponse:
    listed = call.state.issue_types.get(call.params["org"].lower(), [])
    return RestResponse(200, [issues.issue_type(one) for one in listed])
