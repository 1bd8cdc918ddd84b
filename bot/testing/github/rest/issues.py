"""Issues and their labels. https://docs.github.com/en/rest/issues/labels"""

from typing import Any

from bot.testing.github.issues import Issue
from bot.testing.github.rest.comments import bodies, subject
from bot.testing.github.shapes import common, issues, repos
from bot.testing.github.wire import RestCall, RestRefusal, RestResponse, invalid, route
from bot.testing.github.world import stamp

_ISSUE = "/repos/{owner}/{repo}/issues/{number}"
_READ = ("issues:read", "pull_requests:read")
_WRITE = ("issues:write", "pull_requests:write")


@route("GET", "/repos/{owner}/{repo}/issues", "issues:read")
def list_issues(call: RestCall) -> RestResponse:
    """Pull requests too, as GitHub lists them."""
    repo, wanted = call.repo(), call.query
    listed = [one for one in reversed(repo.shown) if _fits(one, wanted)]
    order = {"updated": lambda one: one.updated_at, "comments": lambda one: len(one.comments)}.get(
        wanted.get("sort", ""), lambda one: one.created_at
    )
    listed.sort(key=order, reverse=True)
    if wanted.get("direction") == "asc":
        listed.reverse()
    return call.page(listed, lambda one: issues.issue(repo, one))


def _fits(one: Issue, wanted: dict[str, str]) -> bool:
    """https://docs.github.com/en/rest/issues/issues#list-repository-issues: all of what is asked."""
    state, labels = wanted.get("state", "open"), wanted.get("labels", "")
    names = {name.lower() for name in one.label_names}
    checks = [
        state in ("all", one.state),
        stamp(one.updated_at) >= wanted.get("since", ""),
        all(name.strip().lower() in names for name in labels.split(",")) if labels else True,
        _named(wanted.get("milestone"), [str(one.milestone.number)] if one.milestone else []),
        _named(wanted.get("assignee"), [who.login.lower() for who in one.assignees]),
        _named(wanted.get("type"), [one.type.name.lower()] if one.type else []),
        wanted.get("creator", one.author.login).lower() == one.author.login.lower(),
    ]
    return all(checks)


def _named(asked: str | None, there: list[str]) -> bool:
    """`*`: any, `none`: none."""
    if asked is None:
        return True
    return bool(there) if asked == "*" else not there if asked == "none" else asked.lower() in there


@route("GET", _ISSUE, *_READ)
def get_issue(call: RestCall) -> RestResponse:
    of = subject(call)
    return RestResponse(200, issues.issue(call.repo(), of) | bodies(call, of.body))


def _labels(call: RestCall, of: Issue) -> list[dict[str, Any]]:
    return [common.label(repos.api(call.repo()), one) for one in of.labels]


@route("GET", _ISSUE + "/labels", *_READ)
def list_labels_of(call: RestCall) -> RestResponse:
    repo = call.repo()
    return call.page(subject(call).labels, lambda one: common.label(repos.api(repo), one))


@route("POST", _ISSUE + "/labels", *_WRITE)
def add_labels(call: RestCall) -> RestResponse:
    """A label that the repository lacks is made: that is GitHub's way, and a test can catch a bot at it."""
    asked = call.any_json()
    names = asked.get("labels") if isinstance(asked, dict) else asked
    if not isinstance(names, list) or not names:
        raise RestRefusal(422, 'Invalid request.\n\n"labels" wasn\'t supplied.')
    texts = [name.get("name") if isinstance(name, dict) else name for name in names]
    if not all(isinstance(name, str) and 0 < len(name) <= 50 for name in texts):
        raise invalid("Label", "name", "name is too long (maximum is 50 characters)")
    of = subject(call)
    of.put_labels(call.caller, [str(name) for name in texts])
    return RestResponse(200, _labels(call, of))


@route("DELETE", _ISSUE + "/labels/{name}", *_WRITE)
def remove_label(call: RestCall) -> RestResponse:
    of = subject(call)
    found = next((one for one in of.labels if one.name.lower() == call.params["name"].lower()), None)
    if found is None:
        raise RestRefusal(404, "Label does not exist")
    of.take_label(call.caller, found)
    return RestResponse(200, _labels(call, of))
