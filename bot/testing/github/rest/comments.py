"""Comments under issues and pull requests. https://docs.github.com/en/rest/issues/comments"""

from typing import Any

from bot.testing.github.attachments import rendered
from bot.testing.github.issues import Issue, IssueComment
from bot.testing.github.shapes import issues
from bot.testing.github.wire import RestCall, RestRefusal, RestResponse, invalid, not_found, route
from bot.testing.github.world import stamp

_COMMENTS = "/repos/{owner}/{repo}/issues/{number}/comments"
_COMMENT = "/repos/{owner}/{repo}/issues/comments/{id}"
_READ = ("issues:read", "pull_requests:read")
_WRITE = ("issues:write", "pull_requests:write")
LONGEST = 65_536
"""Characters of a body."""


def checked_body(body: Any, resource: str, *, required: bool = True) -> str:
    """A text that GitHub would take; 422 for what it would not. Without a `resource` no field is named."""
    if body is None and not required:
        return ""
    if not isinstance(body, str):
        raise RestRefusal(422, 'Invalid request.\n\n"body" wasn\'t supplied.')
    if required and not body.strip():
        raise _refused(resource, "body", "body can't be blank", "missing_field")
    if len(body) > LONGEST:
        raise _refused(
            resource, "data", f"Body is too long (maximum is {LONGEST} characters)", "unprocessable"
        )
    return body


def _refused(resource: str, field: str, message: str, code: str) -> RestRefusal:
    return (
        invalid(resource, field, message, code)
        if resource
        else RestRefusal(422, "Unprocessable Entity", [message])
    )


def subject(call: RestCall) -> Issue:
    """The issue or pull request of the path."""
    if call.number("number") in call.repo().deleted:
        raise RestRefusal(410, "This issue was deleted")
    found = call.repo().issues.get(call.number("number"))
    if found is None:
        raise not_found()
    if found.moved_to is not None:
        new, (_, _, rest) = found.moved_to, call.path.partition(f"/issues/{found.number}")
        where = f"{call.root}/repos/{new.repo.full_name}/issues/{new.number}{rest}"
        raise RestRefusal(301, "Moved Permanently", Location=where)
    return found


@route("GET", _COMMENTS, *_READ)
def list_comments(call: RestCall) -> RestResponse:
    repo, since = call.repo(), call.query.get("since", "")
    listed = [one for one in subject(call).comments if stamp(one.updated_at) >= since]
    return call.page(listed, lambda one: issues.comment(repo, one) | bodies(call, one.body))


def bodies(call: RestCall, text: str) -> dict[str, str]:
    """Beside Markdown also HTML, where the caller accepts it.

    https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api#media-types
    """
    return {"body_html": rendered(call.state, text)} if ".full+json" in call.headers.get("accept", "") else {}


@route("POST", _COMMENTS, *_WRITE)
def create_comment(call: RestCall) -> RestResponse:
    of, body = subject(call), checked_body(call.json().get("body"), "IssueComment")
    if of.locked:
        raise RestRefusal(403, "Unable to create comment because issue is locked.")
    comment = of.add_comment(call.caller, body)
    return RestResponse(201, issues.comment(call.repo(), comment))


def _comment(call: RestCall) -> IssueComment:
    found = call.repo().comments.get(call.number("id"))
    if found is None:
        raise not_found()
    return found


@route("GET", _COMMENT, *_READ)
def get_comment(call: RestCall) -> RestResponse:
    return RestResponse(200, issues.comment(call.repo(), _comment(call)))


@route("PATCH", _COMMENT, *_WRITE)
def edit_comment(call: RestCall) -> RestResponse:
    """With write permission an App may edit anybody's comment, as on GitHub."""
    comment = _comment(call)
    comment.edited(call.caller, checked_body(call.json().get("body"), "IssueComment"))
    return RestResponse(200, issues.comment(call.repo(), comment))


@route("DELETE", _COMMENT, *_WRITE)
def delete_comment(call: RestCall) -> RestResponse:
    _comment(call).removed(call.caller)
    return RestResponse(204)
