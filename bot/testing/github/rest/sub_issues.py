"""What issues are parts of, and what they wait for.

https://docs.github.com/en/rest/issues/sub-issues  https://docs.github.com/en/rest/issues/issue-dependencies
"""

from typing import Any

from bot.testing.github.issues import Issue
from bot.testing.github.repository import Repository
from bot.testing.github.rest.comments import subject
from bot.testing.github.shapes import issues
from bot.testing.github.wire import RestCall, RestRefusal, RestResponse, not_found, route

_ISSUE = "/repos/{owner}/{repo}/issues/{number}"
MOST_SUB_ISSUES, MOST_DEPENDENCIES = 100, 50


def _shape(one: Issue) -> dict[str, Any]:
    assert isinstance(one.repo, Repository)
    return issues.issue(one.repo, one)


def _with_id(call: RestCall, wanted: object) -> Issue:
    every = (one for repo in call.state.repositories.values() for one in repo.shown)
    found = next((one for one in every if one.id == wanted), None)
    if found is None:
        raise not_found()
    return found


@route("GET", _ISSUE + "/sub_issues", "issues:read")
def list_sub_issues(call: RestCall) -> RestResponse:
    return call.page(subject(call).sub_issues, _shape)


@route("POST", _ISSUE + "/sub_issues", "issues:write")
def add_sub_issue(call: RestCall) -> RestResponse:
    parent, child = subject(call), _with_id(call, call.json().get("sub_issue_id"))
    above: Issue | None = parent
    while above is not None and above is not child:
        above = above.parent
    taken = child.parent is not None and not call.json().get("replace_parent")
    if above is child or taken or len(parent.sub_issues) >= MOST_SUB_ISSUES:
        raise RestRefusal(422, "An error occured while adding the sub-issue to the parent issue.")
    parent.add_sub_issue(child, call.caller.login)
    return RestResponse(201, _shape(parent))


@route("DELETE", _ISSUE + "/sub_issue", "issues:write")
def remove_sub_issue(call: RestCall) -> RestResponse:
    parent, child = subject(call), _with_id(call, call.json().get("sub_issue_id"))
    if child.parent is not parent:
        raise not_found()
    parent.remove_sub_issue(child, call.caller.login)
    return RestResponse(200, _shape(parent))


@route("GET", _ISSUE + "/parent", "issues:read")
def get_parent(call: RestCall) -> RestResponse:
    parent = subject(call).parent
    if parent is None:
        raise not_found()
    return RestResponse(200, _shape(parent))


@route("GET", _ISSUE + "/dependencies/blocked_by", "issues:read")
def list_blocked_by(call: RestCall) -> RestResponse:
    return call.page(subject(call).blocked_by, _shape)


@route("POST", _ISSUE + "/dependencies/blocked_by", "issues:write")
def add_blocked_by(call: RestCall) -> RestResponse:
    blocked, blocker = subject(call), _with_id(call, call.json().get("issue_id"))
    if blocker in blocked.blocked_by or blocker is blocked or len(blocked.blocked_by) >= MOST_DEPENDENCIES:
        raise RestRefusal(422, "Validation Failed")
    blocker.block(blocked, call.caller.login)
    return RestResponse(201, _shape(blocked))


@route("DELETE", _ISSUE + "/dependencies/blocked_by/{id}", "issues:write")
def remove_blocked_by(call: RestCall) -> RestResponse:
    blocked, blocker = subject(call), _with_id(call, call.number("id"))
    if blocker not in blocked.blocked_by:
        raise not_found()
    blocker.unblock(blocked, call.caller.login)
    return RestResponse(200, _shape(blocked))


@route("GET", _ISSUE + "/dependencies/blocking", "issues:read")
def list_blocking(call: RestCall) -> RestResponse:
    return call.page(subject(call).blocking, _shape)
