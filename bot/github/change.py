"""Effects that change or take away what is there already. Each may be sent twice: the second time nothing is
left to do, and what is gone is as it should be."""

import logging
from typing import assert_never

from bot.core.effects import (
    ChangingEffect,
    DeleteComment,
    DismissReview,
    EditComment,
    EditPullRequest,
    EditReview,
    RemoveLabels,
    ResolveThread,
)
from bot.core.errors import GitHubError, Gone
from bot.core.pr_description import with_description
from bot.core.refs import RepoRef
from bot.github.api import Api, Params
from bot.github.find import Applied
from bot.github.idempotency_marker import IdempotencyMarker, fit, page

log = logging.getLogger(__name__)
_RESOLVE = """mutation($thread: ID!) {
  resolveReviewThread(input: {threadId: $thread}) { thread { id isResolved } }
}"""


async def change(
    api: Api, repo: RepoRef, effect: ChangingEffect, key: str, marker: IdempotencyMarker
) -> Applied:
    """Carries it out; `key` marks a text that is written anew."""
    base = "/repos/{owner}/{repo}"
    match effect:
        case ResolveThread():
            await _resolve(api, effect.thread)
        case EditComment():
            path = base + "/issues/comments/{id}"
            body = {"body": marker.signed(page(effect.body, effect.folded), key)}
            await _patch(api, repo, path, body, effect.comment_id)
        case EditReview():
            path = base + "/pulls/{number}/reviews/{id}"
            names: Params = {**_at(repo), "number": effect.number, "id": effect.review_id}
            await api.put(path, {"body": marker.signed(effect.body, key)}, names)
        case DismissReview():
            await _dismiss(api, repo, effect)
        case EditPullRequest():
            path = base + "/pulls/{id}"
            body = {"title": effect.title, "body": fit(with_description(effect.own, effect.body))}
            await _patch(api, repo, path, body, effect.number)
        case DeleteComment():
            room = "issues" if effect.subject == "issue_comment" else "pulls"
            await _delete(api, repo, base + f"/{room}/comments/{{id}}", id=effect.id)
        case RemoveLabels():
            for label in effect.labels:
                path = base + "/issues/{number}/labels/{label}"
                await _delete(api, repo, path, number=effect.number, label=label)
        case _:
            assert_never(effect)
    return Applied("", 0)


async def _resolve(api: Api, thread: str) -> None:
    try:
        await api.graphql(_RESOLVE, {"thread": thread})
    except Gone as gone:
        raise GitHubError(gone.status, gone.message) from None  # the thread, not the pull request


async def _dismiss(api: Api, repo: RepoRef, effect: DismissReview) -> None:
    """Where a branch's rules let only some dismiss reviews, it stays to them."""
    path = "/repos/{owner}/{repo}/pulls/{number}/reviews/{id}/dismissals"
    names: Params = {**_at(repo), "number": effect.number, "id": effect.review_id}
    try:
        await api.put(path, {"message": fit(effect.why), "event": "DISMISS"}, names)
    except GitHubError as refusal:
        if refusal.status not in (403, 404, 422):  # 422: it is dismissed already
            raise
        log.info("review %s was not dismissed: %s", effect.review_id, refusal)


async def _patch(api: Api, repo: RepoRef, path: str, body: dict[str, str], number: int) -> None:
    await api.patch(path, body, {**_at(repo), "id": number})


async def _delete(api: Api, repo: RepoRef, path: str, **names: str | int) -> None:
    try:
        await api.delete(path, {**_at(repo), **names})
    except Gone as gone:
        if gone.status != 404:
            raise


def _at(repo: RepoRef) -> dict[str, str | int]:
    return {"owner": repo.owner, "repo": repo.name}
