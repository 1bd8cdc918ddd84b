"""The only writer: carries out one effect in as few calls as it takes, marked so that it is found again.

`send` writes once and never retries. When it raises `Ambiguous`, `find` tells whether it happened after all;
when a review is refused (422), `recheck` gives one that GitHub will take, with nothing lost.
"""

from typing import Any, assert_never

from bot.core.effects import (
    AddLabels,
    Annotation,
    Comment,
    DeleteComment,
    DismissReview,
    EditComment,
    EditPullRequest,
    EditReview,
    LineComment,
    OnGitHub,
    PostReview,
    React,
    RemoveLabels,
    ReplyInThread,
    ResolveThread,
    SetCheck,
)
from bot.core.errors import Ambiguous
from bot.core.refs import RepoRef
from bot.github.api import Api, Params
from bot.github.change import change
from bot.github.find import Applied, applied, external_id, find, reactions_path
from bot.github.idempotency_marker import IdempotencyMarker, fit, page
from bot.github.payloads import REVIEW_ALL, REVIEW_NEW
from bot.github.refused_lines import recheck

__all__ = ["Applied", "IdempotencyMarker", "complete", "find", "needs", "recheck", "send"]

CHECK_NAME = "Hob"
ANNOTATIONS = 50
"""As many go into one call. https://docs.github.com/en/rest/checks/runs#update-a-check-run"""
_MOST_TITLE = 255
ACTIONS = (
    {"label": "Re-run", "description": "Review what is new or was not read", "identifier": REVIEW_NEW},
    {"label": "Review all", "description": "Read the whole change again", "identifier": REVIEW_ALL},
)
"""Buttons; labels have at most 20 characters, descriptions 40, identifiers 20.
https://docs.github.com/en/rest/checks/runs#create-a-check-run"""


def needs(effect: OnGitHub) -> dict[str, str]:
    """The token permissions for sending, finding and rechecking an effect.

    https://docs.github.com/en/rest/authentication/permissions-required-for-github-apps
    """
    match effect:
        case PostReview() | ReplyInThread():
            return {"pull_requests": "write"}
        case SetCheck():
            return {"checks": "write"}
        case Comment() | AddLabels():
            return {"issues": "write"}
        case EditComment() | RemoveLabels():
            return {"issues": "write"}
        case EditReview() | DismissReview() | EditPullRequest():
            return {"pull_requests": "write"}
        case DeleteComment():
            return {"pull_requests" if effect.subject == "review_comment" else "issues": "write"}
        case ResolveThread():
            return {"contents": "write", "pull_requests": "write"}
        case React():
            return {"pull_requests" if effect.subject == "review_comment" else "issues": "write"}
        case _:
            assert_never(effect)


async def send(api: Api, repo: RepoRef, effect: OnGitHub, key: str, marker: IdempotencyMarker) -> Applied:
    """Causes `effect`; `key` is hexadecimal and its own. Raises what `Api` raises."""
    match effect:
        case PostReview():
            path = "/repos/{owner}/{repo}/pulls/{number}/reviews"
            return applied(await _post(api, repo, path, _review(effect, key, marker), number=effect.number))
        case SetCheck():
            return await _check(api, repo, effect, key)
        case Comment():
            path = "/repos/{owner}/{repo}/issues/{number}/comments"
            body = {"body": marker.signed(page(effect.body, effect.folded), key)}
            return applied(await _post(api, repo, path, body, number=effect.number))
        case ReplyInThread():
            path = "/repos/{owner}/{repo}/pulls/{number}/comments/{comment}/replies"
            body = {"body": marker.signed(effect.body, key)}
            answer = await _post(api, repo, path, body, number=effect.number, comment=effect.comment_id)
            return applied(answer)
        case AddLabels():
            path = "/repos/{owner}/{repo}/issues/{number}/labels"
            await _post(api, repo, path, {"labels": list(effect.labels)}, number=effect.number)
            return Applied(f"{api.site}/{repo.full_name}/issues/{effect.number}", 0)
        case React():
            answer = await _post(api, repo, reactions_path(effect), {"content": effect.content}, id=effect.id)
            return Applied("", applied(answer).github_id)
        case _:
            return await change(api, repo, effect, key, marker)


async def _post(api: Api, repo: RepoRef, path: str, body: dict[str, Any], **names: str | int) -> Any:
    params: Params = {"owner": repo.owner, "repo": repo.name, **names}
    return await api.post(path, body, params)


def _review(review: PostReview, key: str, marker: IdempotencyMarker) -> dict[str, Any]:
    """One call for the review and all its comments: it is all or nothing."""
    return {
        "commit_id": review.head_sha,
        "event": review.event,
        "body": marker.signed(review.body, key),
        "comments": [_line_comment(comment) for comment in review.comments],
    }


def _line_comment(comment: LineComment) -> dict[str, Any]:
    """GitHub refuses a `start_line` that is not before `line`."""
    found = {"path": comment.path, "line": comment.line, "side": "RIGHT", "body": fit(comment.body)}
    if comment.start_line is not None and comment.start_line < comment.line:
        found |= {"start_line": comment.start_line, "start_side": "RIGHT"}
    return found


async def _check(api: Api, repo: RepoRef, check: SetCheck, key: str) -> Applied:
    body = {
        "name": CHECK_NAME,
        "status": "completed",
        "conclusion": check.conclusion,
        "external_id": external_id(check, key),
        "actions": list(ACTIONS) if check.number else [],  # a button finds its way by the number
        "output": _output(check, 0),
    }
    if check.waiting:
        path: Params = {"owner": repo.owner, "repo": repo.name, "id": check.waiting}
        made = applied(await api.patch("/repos/{owner}/{repo}/check-runs/{id}", body, path))
    else:
        body["head_sha"] = check.head_sha
        made = applied(await _post(api, repo, "/repos/{owner}/{repo}/check-runs", body))
    return await complete(api, repo, check, made, sent=min(len(check.annotations), ANNOTATIONS))


async def complete(
    api: Api, repo: RepoRef, check: SetCheck, made: Applied, sent: int | None = None
) -> Applied:
    """Adds the annotations that a check run still lacks; `sent` spares asking how many it has.

    They are appended in order: GitHub's count says where to go on, also after a call whose answer was lost.
    """
    path, names = "/repos/{owner}/{repo}/check-runs/{id}", {"id": made.github_id}
    params: Params = {"owner": repo.owner, "repo": repo.name, **names}
    for _ in range(2 * (len(check.annotations) // ANNOTATIONS + 1)):
        if sent is None:
            sent = _annotated(await api.get(path, params))
        if sent >= len(check.annotations):
            break
        try:
            await api.patch(path, {"output": _output(check, sent)}, params)
            sent += ANNOTATIONS
        except Ambiguous:
            sent = None
    return made


def _annotated(run: Any) -> int:
    output = run.get("output") if isinstance(run, dict) else None
    return int((output or {}).get("annotations_count") or 0)


def _output(check: SetCheck, start: int) -> dict[str, Any]:
    annotations = [_annotation(one) for one in check.annotations[start : start + ANNOTATIONS]]
    output: dict[str, Any] = {
        "title": fit(check.title, _MOST_TITLE),
        "summary": fit(check.summary),
        "annotations": annotations,
    }
    return output | ({"text": fit(check.text)} if check.text else {})


def _annotation(annotation: Annotation) -> dict[str, Any]:
    return {
        "path": annotation.path,
        "start_line": annotation.start_line,
        "end_line": max(annotation.start_line, annotation.end_line),
        "annotation_level": annotation.level,
        "title": fit(annotation.title, _MOST_TITLE),
        "message": fit(annotation.message, 60_000),
    }
