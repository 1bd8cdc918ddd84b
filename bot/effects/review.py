"""Reviews, their threads and the replies in them. https://docs.github.com/en/rest/pulls/reviews

GitHub takes a review whole or not at all, and does not say which comment was wrong.
"""

import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from bot.core.diff import FileDiff
from bot.core.effect_history import HINT
from bot.core.effects import (
    DeleteComment,
    DismissReview,
    EditReview,
    Effect,
    LineComment,
    PostReview,
    ReplyInThread,
    ResolveThread,
)
from bot.core.errors import GitHubError, Gone
from bot.core.facts import UndoFacts
from bot.core.text import BODY_LIMIT, count, utf8_size
from bot.effects.base import Applied, Changing, Destination, Judged, OnGitHub, Undone, applied
from bot.effects.texts import Texts
from bot.github.changed_files import changed_files
from bot.github.idempotency_marker import fit

log = logging.getLogger(__name__)
_LIST, _ONE = "/pulls/{number}/reviews", "/pulls/{number}/reviews/{id}"
_SUGGESTION = re.compile(r"^(`{3,}|~{3,})suggestion[ \t]*$", re.MULTILINE)
_RESOLVE = """mutation($thread: ID!) {
  resolveReviewThread(input: {threadId: $thread}) { thread { id isResolved } }
}"""


class OfPostReview(OnGitHub[PostReview]):
    kind = PostReview
    prose = ("body",)
    permissions = ("pull_requests",)
    told_by = "check"
    judges = True
    builds_on_before = True
    undone_by = frozenset({DeleteComment, EditReview, DismissReview})

    def harmless(self, effect: PostReview, texts: Texts) -> PostReview:
        comments = tuple(
            replace(one, body=texts.with_block(one.body, one.suggestion), suggestion=None)
            for one in effect.comments
        )
        return replace(super().harmless(effect, texts), comments=comments)

    async def send(self, effect: PostReview, to: Destination) -> Applied:
        body = {
            "commit_id": effect.head_sha,
            "event": effect.event,
            "body": to.signed(effect.body),
            "comments": [_line_comment(one) for one in effect.comments],
        }
        return applied(await to.post(_LIST, body, number=effect.number))

    async def find(self, effect: PostReview, to: Destination) -> Applied | None:
        return await to.marked(_LIST, number=effect.number)

    async def mended(self, effect: PostReview, to: Destination, refusal: GitHubError) -> PostReview | None:
        """A 422 is definite. The comments that lie off the diff move into the text, by `path:line`; where all
        seem to lie well, all: GitHub has refused them, whatever the reason."""
        if refusal.status != 422 or refusal.kind not in ("line", "validation") or not effect.comments:
            return None
        log.info("GitHub refused a line of the review; its lines are checked again")
        hunks = {file.path: new_side(file) for file in await changed_files(to.api, effect.number)}
        off = [one for one in effect.comments if not _lies_in(one, hunks.get(one.path, ()))]
        moved = off or list(effect.comments)
        kept = tuple(one for one in effect.comments if one not in moved)
        return replace(effect, body=_all_of(effect.body, moved), comments=kept)

    def judged(self, effect: PostReview) -> Judged:
        return Judged(effect.head_sha)

    def said(self, effect: PostReview) -> Sequence[str]:
        return [text for text in (effect.body, *map(_entry, effect.comments)) if text]

    def undone(self, effect: PostReview, github_id: int, facts: UndoFacts) -> Undone:
        """GitHub lets nobody delete a review: its text is put away, and its comments go where nobody else
        spoke under them."""
        talks = [one for one in facts.talks if one.review == github_id]
        ids = [id_ for one in talks if not one.answered for id_ in reversed(one.ours)]
        why = f"Taken back at {facts.asker}'s request."
        effects: list[Effect] = [DeleteComment("review_comment", id_) for id_ in ids]
        effects.append(EditReview(effect.number, github_id, why))
        if effect.event == "REQUEST_CHANGES":
            effects.append(DismissReview(effect.number, github_id, why))
        kept = sum(one.answered for one in talks)
        stays = f"{count(kept, 'comment')} on lines that others have answered" if kept else ""
        return Undone(effects, f"a review with {count(len(talks) - kept, 'comment')} on lines", stays)


class OfEditReview(Changing[EditReview]):
    kind = EditReview
    prose = ("body",)
    permissions = ("pull_requests",)
    stays = "the text of a review: its page shows what it was before"

    async def send(self, effect: EditReview, to: Destination) -> Applied:
        await to.put(_ONE, {"body": to.signed(effect.body)}, number=effect.number, id=effect.review_id)
        return Applied()


class OfDismissReview(Changing[DismissReview]):
    kind = DismissReview
    lines = {"why": 200}  # noqa: RUF012
    permissions = ("pull_requests",)
    stays = "that an older review asks for changes no more"

    async def send(self, effect: DismissReview, to: Destination) -> Applied:
        """Where a branch's rules let only some dismiss reviews, it stays to them."""
        body = {"message": fit(effect.why), "event": "DISMISS"}
        try:
            await to.put(f"{_ONE}/dismissals", body, number=effect.number, id=effect.review_id)
        except GitHubError as refusal:
            if refusal.status not in (403, 404, 422):  # 422: it is dismissed already
                raise
            log.info("review %s was not dismissed: %s", effect.review_id, refusal)
        return Applied()


class OfReplyInThread(OnGitHub[ReplyInThread]):
    kind = ReplyInThread
    permissions = ("pull_requests",)
    undone_by = frozenset({DeleteComment})

    def harmless(self, effect: ReplyInThread, texts: Texts) -> ReplyInThread:
        return replace(effect, body=texts.with_block(effect.body, effect.suggestion), suggestion=None)

    async def send(self, effect: ReplyInThread, to: Destination) -> Applied:
        path = "/pulls/{number}/comments/{comment}/replies"
        body = {"body": to.signed(effect.body)}
        return applied(await to.post(path, body, number=effect.number, comment=effect.comment_id))

    async def find(self, effect: ReplyInThread, to: Destination) -> Applied | None:
        return await to.marked("/pulls/{number}/comments", number=effect.number)

    def judged(self, effect: ReplyInThread) -> Judged | None:
        return Judged(effect.head_sha) if effect.head_sha is not None else None

    def said(self, effect: ReplyInThread) -> Sequence[str]:
        return (effect.body,)

    def undone(self, effect: ReplyInThread, github_id: int, facts: UndoFacts) -> Undone:
        return Undone([DeleteComment("review_comment", github_id)], "a reply")


class OfResolveThread(Changing[ResolveThread]):
    kind = ResolveThread
    permissions = ("contents", "pull_requests")
    stays = "a thread that I resolved: open it again on its page"

    async def send(self, effect: ResolveThread, to: Destination) -> Applied:
        try:
            await to.mutate(_RESOLVE, thread=effect.thread)
        except Gone as gone:
            raise GitHubError(gone.status, gone.message) from None  # the thread, not the pull request
        return Applied()


FAMILY = (OfPostReview(), OfEditReview(), OfDismissReview(), OfReplyInThread(), OfResolveThread())


def _line_comment(comment: LineComment) -> dict[str, Any]:
    """GitHub refuses a `start_line` that is not before `line`."""
    body = fit(comment.body)
    told = body + HINT if utf8_size(body + HINT) <= BODY_LIMIT else body
    found = {"path": comment.path, "line": comment.line, "side": "RIGHT", "body": told}
    if comment.start_line is not None and comment.start_line < comment.line:
        found |= {"start_line": comment.start_line, "start_side": "RIGHT"}
    return found


def new_side(file: FileDiff) -> tuple[range, ...]:
    """The lines of the new side that each hunk shows."""
    return tuple(range(one.new_start, one.new_start + one.new_count) for one in file.hunks or ())


def _lies_in(comment: LineComment, hunks: Iterable[range]) -> bool:
    first = comment.start_line if comment.start_line is not None else comment.line
    return first <= comment.line and any(comment.line in hunk and first in hunk for hunk in hunks)


def _all_of(body: str, moved: Iterable[LineComment]) -> str:
    return "\n\n".join(filter(None, [body, *map(_entry, moved)]))


def _entry(one: LineComment) -> str:
    """A comment on a place without lines. A suggestion block has no button there: it is shown as code."""
    body = _SUGGESTION.sub(r"\1", one.body)
    return f"**{_code(f'{one.path}:{_lines(one)}')}**\n\n{body}"


def _lines(comment: LineComment) -> str:
    start = comment.start_line
    return f"{start}-{comment.line}" if start is not None and start < comment.line else str(comment.line)


def _code(text: str) -> str:
    """A code span that its content cannot end."""
    text = " ".join(text.split())
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    pad = " " if "`" in text else ""
    return f"{fence}{pad}{text}{pad}{fence}"
