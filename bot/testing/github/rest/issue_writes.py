"""Issues opened, changed, locked. https://docs.github.com/en/rest/issues/issues"""

from typing import Any

from bot.testing.github.issues import Label
from bot.testing.github.milestones import RepositoryMilestone
from bot.testing.github.repository import Repository
from bot.testing.github.rest.comments import checked_body, subject
from bot.testing.github.shapes import issues
from bot.testing.github.wire import RestCall, RestRefusal, RestResponse, invalid, route
from bot.testing.github.world import IssueType, User

_ISSUE = "/repos/{owner}/{repo}/issues/{number}"
_REASONS = ("completed", "not_planned", "duplicate", "reopened", None)
_LONGEST_TITLE = 256


@route("POST", "/repos/{owner}/{repo}/issues", "issues:write")
def create_issue(call: RestCall) -> RestResponse:
    """https://docs.github.com/en/rest/issues/issues#create-an-issue"""
    repo, asked = call.repo(), call.json()
    if not repo.has_issues:
        raise RestRefusal(410, "Issues are disabled for this repo")
    made = repo.add_issue(
        call.caller,
        _title(asked.get("title")),
        checked_body(asked.get("body"), "Issue", required=False),
        labels=_labels(repo, asked.get("labels") or []),
        kind=_type(repo, asked.get("type")),
        milestone=_milestone(repo, asked.get("milestone")),
        assignees=_people(call, asked.get("assignees") or []),
    )
    return RestResponse(201, issues.issue(repo, made))


@route("PATCH", _ISSUE, "issues:write", "pull_requests:write")
def update_issue(call: RestCall) -> RestResponse:
    """https://docs.github.com/en/rest/issues/issues#update-an-issue"""
    repo, of, asked, by = call.repo(), subject(call), call.json(), call.caller
    title = _title(asked["title"]) if asked.get("title") is not None else None
    body = checked_body(asked["body"] or "", "Issue", required=False) if "body" in asked else None
    kind, milestone = _type(repo, asked.get("type")), _milestone(repo, asked.get("milestone"))
    labels, people = _labels(repo, asked.get("labels") or []), _people(call, asked.get("assignees") or [])
    if asked.get("state_reason") not in _REASONS:
        raise invalid("Issue", "state_reason", "state_reason is not included in the list")
    if (title, body) != (None, None):
        of.edit(by.login, title=title, body=body)
    if "labels" in asked:
        for gone in [one for one in of.labels if one not in labels]:
            of.take_label(by, gone)
        of.put_labels(by, [one.name for one in labels])
    if "type" in asked:
        of.put_type(by, kind)
    if "milestone" in asked:
        of.put_milestone(by, milestone)
    if "assignees" in asked:
        of.put_assignees(by, people)
    if asked.get("state", of.state) != of.state:
        if asked["state"] == "closed":
            of.close(by.login, asked.get("state_reason") or "completed")
        else:
            of.reopen(by.login)
    return RestResponse(200, issues.issue(repo, of))


@route("PUT", _ISSUE + "/lock", "issues:write", "pull_requests:write")
def lock_issue(call: RestCall) -> RestResponse:
    subject(call).lock(call.caller.login, call.json().get("lock_reason"))
    return RestResponse(204)


@route("DELETE", _ISSUE + "/lock", "issues:write", "pull_requests:write")
def unlock_issue(call: RestCall) -> RestResponse:
    subject(call).unlock(call.caller.login)
    return RestResponse(204)


def _title(found: Any) -> str:
    text = str(found) if isinstance(found, str | int) else ""
    if not text.strip():
        raise invalid("Issue", "title", "title can't be blank", "missing_field")
    if len(text) > _LONGEST_TITLE:
        raise invalid("Issue", "title", f"title is too long (maximum is {_LONGEST_TITLE} characters)")
    return text


def _labels(repo: Repository, names: list[Any]) -> list[Label]:
    """Missing ones are made, as GitHub does."""
    texts = [str(one.get("name") if isinstance(one, dict) else one) for one in names]
    if any(len(text) > 50 for text in texts):
        raise invalid("Label", "name", "name is too long (maximum is 50 characters)")
    return [repo.label(text) for text in texts]


def _type(repo: Repository, name: Any) -> IssueType | None:
    name = name.get("value") if isinstance(name, dict) else name
    if not name:
        return None
    try:
        return repo.issue_type(str(name))
    except KeyError:
        raise invalid("Issue", "type", f"Issue type {name} not found", "invalid") from None


def _milestone(repo: Repository, number: Any) -> RepositoryMilestone | None:
    if number is None:
        return None
    found = next((one for one in repo.milestones if str(one.number) == str(number)), None)
    if found is None:
        raise invalid("Issue", "milestone", "milestone is invalid", "invalid")
    return found


def _people(call: RestCall, logins: list[Any]) -> list[User]:
    """Those who may be assigned; GitHub leaves the others out without a word."""
    names = [str(one.get("login") if isinstance(one, dict) else one) for one in logins]
    return [call.state.user(name) for name in names if name.lower() in call.repo().roles]
