"""Issues and their labels. https://docs.github.com/en/rest/issues/labels"""

from typing import Any

from bot.standin.issues import Issue
from bot.standin.rest.comments import subject
from bot.standin.shapes import common, issues, repos
from bot.standin.wire import Answer, Call, Refusal, invalid, route
from bot.standin.world import stamp

_ISSUE = "/repos/{owner}/{repo}/issues/{number}"
_READ = ("issues:read", "pull_requests:read")
_WRITE = ("issues:write", "pull_requests:write")


@route("GET", "/repos/{owner}/{repo}/issues", "issues:read")
def list_issues(call: Call) -> Answer:
    """Pull requests too, as GitHub lists them."""
    repo, state = call.repo(), call.query.get("state", "open")
    since = call.query.get("since", "")
    listed: list[Issue] = [
        one
        for one in reversed(repo.issues.values())
        if state in ("all", one.state) and stamp(one.updated_at) >= since and one.number not in repo.deleted
    ]
    if call.query.get("sort") == "updated":
        listed.sort(key=lambda one: one.updated_at, reverse=True)
    if call.query.get("direction") == "asc":
        listed.reverse()
    return call.page(listed, lambda one: issues.issue(repo, one))


@route("GET", _ISSUE + "/dependencies/blocked_by", "issues:read")
def list_blocked_by(call: Call) -> Answer:
    """https://docs.github.com/en/rest/issues/issue-dependencies#list-dependencies-an-issue-is-blocked-by"""
    repo = call.repo()
    return call.page(subject(call).blocked_by, lambda one: issues.issue(repo, one))


@route("GET", _ISSUE + "/dependencies/blocking", "issues:read")
def list_blocking(call: Call) -> Answer:
    """https://docs.github.com/en/rest/issues/issue-dependencies#list-dependencies-an-issue-is-blocking"""
    repo, blocker = call.repo(), subject(call)
    listed = [one for one in repo.issues.values() if blocker in one.blocked_by]
    return call.page(listed, lambda one: issues.issue(repo, one))


@route("GET", _ISSUE, *_READ)
def get_issue(call: Call) -> Answer:
    return Answer(200, issues.issue(call.repo(), subject(call)))


def _labels(call: Call, of: Issue) -> list[dict[str, Any]]:
    return [common.label(repos.api(call.repo()), one) for one in of.labels]


@route("GET", _ISSUE + "/labels", *_READ)
def list_labels_of(call: Call) -> Answer:
    repo = call.repo()
    return call.page(subject(call).labels, lambda one: common.label(repos.api(repo), one))


@route("POST", _ISSUE + "/labels", *_WRITE)
def add_labels(call: Call) -> Answer:
    """A label that the repository lacks is made: that is GitHub's way, and a test can catch a bot at it."""
    asked = call.any_json()
    names = asked.get("labels") if isinstance(asked, dict) else asked
    if not isinstance(names, list) or not names:
        raise Refusal(422, 'Invalid request.\n\n"labels" wasn\'t supplied.')
    texts = [name.get("name") if isinstance(name, dict) else name for name in names]
    if not all(isinstance(name, str) and 0 < len(name) <= 50 for name in texts):
        raise invalid("Label", "name", "name is too long (maximum is 50 characters)")
    of = subject(call)
    of.put_labels(call.caller, [str(name) for name in texts])
    return Answer(200, _labels(call, of))


@route("DELETE", _ISSUE + "/labels/{name}", *_WRITE)
def remove_label(call: Call) -> Answer:
    of = subject(call)
    found = next((one for one in of.labels if one.name.lower() == call.params["name"].lower()), None)
    if found is None:
        raise Refusal(404, "Label does not exist")
    of.take_label(call.caller, found)
    return Answer(200, _labels(call, of))
