"""Reviews, all or nothing, each line held against the real diff; and the threads under them.

https://docs.github.com/en/rest/pulls/reviews#create-a-review-for-a-pull-request
"""

from dataclasses import dataclass
from typing import Any

from bot.testing.github.hunks import CommentSpot, Side, at_position, find
from bot.testing.github.pulls import PullRequest, Review, ReviewComment
from bot.testing.github.rest.comments import checked_body
from bot.testing.github.shapes import pulls
from bot.testing.github.wire import RestCall, RestRefusal, RestResponse, not_found, route
from bot.testing.github.world import stamp

_PULL = "/repos/{owner}/{repo}/pulls/{number}"
_COMMENT = "/repos/{owner}/{repo}/pulls/comments/{id}"
_STATES = {
    "": "PENDING",
    "COMMENT": "COMMENTED",
    "APPROVE": "APPROVED",
    "REQUEST_CHANGES": "CHANGES_REQUESTED",
}


@dataclass(frozen=True)
class _Draft:
    path: str
    body: str
    location: CommentSpot
    start: CommentSpot | None


def _unnamed(message: str) -> RestRefusal:
    """How GitHub refuses a review: it does not say which comment is at fault."""
    return RestRefusal(422, "Unprocessable Entity", [message])


@route("GET", "/repos/{owner}/{repo}/pulls/comments", "pull_requests:read")
def list_line_comments_of_repository(call: RestCall) -> RestResponse:
    """https://docs.github.com/en/rest/pulls/comments#list-review-comments-in-a-repository"""
    repo, since = call.repo(), call.query.get("since", "")
    listed = [one for one in repo.review_comments.values() if stamp(one.updated_at) >= since]
    by = "updated_at" if call.query.get("sort") == "updated" else "created_at"
    listed.sort(key=lambda one: (getattr(one, by), one.id), reverse=call.query.get("direction") == "desc")
    return call.page(listed, lambda one: pulls.review_comment(repo, one))


@route("POST", _PULL + "/reviews", "pull_requests:write")
def create_review(call: RestCall) -> RestResponse:
    """Everything is checked before anything is kept."""
    pull, asked = call.pull(), call.json()
    event = asked.get("event") or ""
    if event not in _STATES:
        raise _unnamed(f"Variable $event of type PullRequestReviewEvent was provided invalid value {event}")
    commit_id = asked.get("commit_id") or pull.head_sha
    if commit_id not in {commit.sha for commit in pull.commits}:
        raise _unnamed("The commit_id is not part of the pull request")
    body = checked_body(asked.get("body"), "", required=False)
    drafts = [_draft(pull, commit_id, comment) for comment in asked.get("comments") or []]
    _refuse_event(call, pull, event, body, drafts)
    review = pull.add_review(call.caller, body, _STATES[event], commit_id)
    for draft in drafts:
        comment = pull.add_line_comment(review, draft.body, draft.path, draft.location, draft.start)
        if commit_id != pull.head_sha:
            comment.follow(pull.text(draft.path, commit_id), pull.text(draft.path), pull.head_sha)
    pull.announce(review)
    return RestResponse(200, pulls.review(call.repo(), review))


def _refuse_event(call: RestCall, pull: PullRequest, event: str, body: str, drafts: list[_Draft]) -> None:
    if event in ("APPROVE", "REQUEST_CHANGES") and call.caller is pull.author:
        verb = "approve" if event == "APPROVE" else "request changes on"
        raise _unnamed(f"Can not {verb} your own pull request")
    if not body and (event == "REQUEST_CHANGES" or (event == "COMMENT" and not drafts)):
        raise _unnamed("Body can't be blank")
    pending = any(one.state == "PENDING" and one.author is call.caller for one in pull.reviews)
    if pending:
        raise _unnamed("User can only have one pending review per pull request")


def _draft(pull: PullRequest, commit_id: str, asked: Any) -> _Draft:
    if not isinstance(asked, dict) or not isinstance(asked.get("path"), str):
        raise _unnamed("Path could not be resolved")
    path, body = asked["path"], checked_body(asked.get("body"), "")
    changed = next((change for change in pull.files(commit_id) if change.path == path), None)
    if changed is None:
        raise _unnamed("Path could not be resolved")
    if "line" not in asked and isinstance(asked.get("position"), int):
        location = at_position(changed.patch, asked["position"])
    else:
        location = _location(changed.patch, asked.get("line"), asked.get("side") or "RIGHT")
    if location is None:
        raise _unnamed("Line could not be resolved")
    return _Draft(path, body, location, _start(changed.patch, asked, location))


def _location(patch: str | None, line: Any, side: Side) -> CommentSpot | None:
    return find(patch, line, side) if isinstance(line, int) and side in ("LEFT", "RIGHT") else None


def _start(patch: str | None, asked: dict[str, Any], end: CommentSpot) -> CommentSpot | None:
    if asked.get("start_line") is None:
        return None
    start = _location(patch, asked["start_line"], asked.get("start_side") or asked.get("side") or "RIGHT")
    if start is None:
        raise _unnamed("Start line could not be resolved")
    if start.position >= end.position:
        raise _unnamed("Pull request review thread start line must precede the end line.")
    if start.hunk != end.hunk:
        raise _unnamed("Pull request review thread start line must be part of the same hunk as the line.")
    return start


@route("GET", _PULL + "/reviews", "pull_requests:read")
def list_reviews(call: RestCall) -> RestResponse:
    """Oldest first; a pending one is its author's own business."""
    repo, caller = call.repo(), call.caller
    seen = [one for one in call.pull().reviews if one.state != "PENDING" or one.author is caller]
    return call.page(seen, lambda one: pulls.review(repo, one))


def _review(call: RestCall) -> Review:
    found = next((one for one in call.pull().reviews if one.id == call.number("id")), None)
    if found is None:
        raise not_found()
    return found


@route("GET", _PULL + "/reviews/{id}", "pull_requests:read")
def get_review(call: RestCall) -> RestResponse:
    return RestResponse(200, pulls.review(call.repo(), _review(call)))


@route("GET", _PULL + "/reviews/{id}/comments", "pull_requests:read")
def list_comments_of_review(call: RestCall) -> RestResponse:
    repo = call.repo()
    return call.page(_review(call).comments, lambda one: pulls.legacy_review_comment(repo, one))


@route("GET", _PULL + "/comments", "pull_requests:read")
def list_review_comments(call: RestCall) -> RestResponse:
    repo = call.repo()
    return call.page(call.pull().review_comments, lambda one: pulls.review_comment(repo, one))


@route("POST", _PULL + "/comments/{id}/replies", "pull_requests:write")
def reply(call: RestCall) -> RestResponse:
    """https://docs.github.com/en/rest/pulls/comments#create-a-reply-for-a-review-comment"""
    pull = call.pull()
    body = checked_body(call.json().get("body"), "PullRequestReviewComment")
    to = next((one for one in pull.review_comments if one.id == call.number("id")), None)
    if to is None:
        raise not_found()
    return RestResponse(201, pulls.review_comment(call.repo(), pull.add_reply(to, call.caller, body)))


def _comment(call: RestCall) -> ReviewComment:
    found = call.repo().review_comments.get(call.number("id"))
    if found is None:
        raise not_found()
    return found


@route("GET", _COMMENT, "pull_requests:read")
def get_review_comment(call: RestCall) -> RestResponse:
    return RestResponse(200, pulls.review_comment(call.repo(), _comment(call)))


@route("PATCH", _COMMENT, "pull_requests:write")
def edit_review_comment(call: RestCall) -> RestResponse:
    comment = _comment(call)
    if comment.author is not call.caller:
        raise RestRefusal(403, "Resource not accessible by integration")
    comment.edited(call.caller, checked_body(call.json().get("body"), "PullRequestReviewComment"))
    return RestResponse(200, pulls.review_comment(call.repo(), comment))


@route("DELETE", _COMMENT, "pull_requests:write")
def delete_review_comment(call: RestCall) -> RestResponse:
    comment = _comment(call)
    if comment.author is not call.caller:
        raise RestRefusal(403, "Resource not accessible by integration")
    comment.removed(call.caller)
    return RestResponse(204)


@route("PUT", _PULL + "/reviews/{id}/dismissals", "pull_requests:write")
def dismiss_review(call: RestCall) -> RestResponse:
    """https://docs.github.com/en/rest/pulls/reviews#dismiss-a-review-for-a-pull-request"""
    review = _review(call)
    checked_body(call.json().get("message"), "PullRequestReview")
    if review.state not in ("APPROVED", "CHANGES_REQUESTED"):
        raise RestRefusal(422, f"Can not dismiss a {review.state.lower()} pull request review")
    review.state = "DISMISSED"
    return RestResponse(200, pulls.review(call.repo(), review))


@route("PUT", _PULL + "/reviews/{id}", "pull_requests:write")
def edit_review(call: RestCall) -> RestResponse:
    """https://docs.github.com/en/rest/pulls/reviews#update-a-review-for-a-pull-request"""
    review = _review(call)
    if review.author is not call.caller:
        raise RestRefusal(403, "Resource not accessible by integration")
    review.edited(call.caller, checked_body(call.json().get("body"), "PullRequestReview"))
    return RestResponse(200, pulls.review(call.repo(), review))
