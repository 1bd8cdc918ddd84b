"""Comments in the conversation of an issue or pull request. https://docs.github.com/en/rest/issues/comments"""

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, TypeVar

from bot.core.ci_session import told, unpushed
from bot.core.effects import Comment, DeleteComment, EditComment, PushCommit
from bot.core.facts import UndoFacts
from bot.core.text import code_block, cut
from bot.effects.base import Applied, Changing, Destination, OnGitHub, Refused, Undone, applied
from bot.effects.texts import Texts
from bot.github.idempotency_marker import page

MOST_PATCH = 8_000
"""Characters of a refused patch that the rounds of `fix ci` tell."""
_LIST = "/issues/{number}/comments"
C = TypeVar("C", Comment, EditComment)


class _Written(OnGitHub[C]):
    """With a text of its own in the conversation."""

    permissions = ("issues",)
    alone: ClassVar[bool] = False
    """Whether nothing else tells a person of what was refused before it."""

    def harmless(self, effect: C, texts: Texts) -> C:
        body, folded = texts.page(effect.body, effect.folded)
        return replace(effect, body=body, folded=folded)

    def said(self, effect: C) -> Sequence[str]:
        return (effect.body,)

    def tells(self, effect: C) -> bool:
        return effect.ci is not None

    def telling(self, effect: C, refused: Sequence[Refused]) -> C:
        """The rounds of `fix ci` say of a commit that it was refused."""
        if effect.ci is None:
            return effect
        for one in refused:
            match one.effect:
                case PushCommit() as push:
                    patch = code_block(cut(push.patch, MOST_PATCH), "diff")
                    shown = f"\n\n{patch}" if self.alone else ""
                    ci = unpushed(effect.ci, f"{one.why}{shown}")
                    return replace(effect, body=told(ci), ci=ci)
        return effect


class OfComment(_Written[Comment]):
    kind = Comment
    undone_by = frozenset({DeleteComment})

    async def send(self, effect: Comment, to: Destination) -> Applied:
        body = {"body": to.signed(page(effect.body, effect.folded))}
        return applied(await to.post(_LIST, body, number=effect.number))

    async def find(self, effect: Comment, to: Destination) -> Applied | None:
        return await to.marked(_LIST, number=effect.number)

    def undone(self, effect: Comment, github_id: int, facts: UndoFacts) -> Undone:
        return Undone([DeleteComment("issue_comment", github_id)], "a comment")


class OfEditComment(Changing[EditComment], _Written[EditComment]):
    kind = EditComment
    builds_on_before = True
    alone = True
    undone_by = frozenset({EditComment})

    def harmless(self, effect: EditComment, texts: Texts) -> EditComment:
        """What is kept is compared with what stands there, so it is made harmless too."""
        return replace(super().harmless(effect, texts), own=texts.prose(effect.own))

    async def send(self, effect: EditComment, to: Destination) -> Applied:
        body = {"body": to.signed(page(effect.body, effect.folded))}
        await to.patch("/issues/comments/{id}", body, id=effect.comment_id)
        return Applied()

    def undone(self, effect: EditComment, github_id: int, facts: UndoFacts) -> Undone:
        """The comment says what it said before."""
        before: Comment | EditComment | None = None
        for past_run in facts.past_runs:
            if past_run.run == facts.past_run.run:
                break
            for one in past_run.did:
                match one.effect:
                    case EditComment(comment_id=effect.comment_id):
                        before = one.effect
                    case Comment() if one.github_id == effect.comment_id:
                        before = one.effect
        if before is None:
            return Undone(stays="the text of a comment: I don't know what it said before")
        own = before.own if isinstance(before, EditComment) else ""
        ci = before.ci.ended("A round was taken back; I stopped.") if before.ci else None
        body = told(ci) if ci else before.body
        old = EditComment(effect.number, effect.comment_id, body, before.folded, own, ci)
        return Undone([old], "the newest text of a comment")


class OfDeleteComment(Changing[DeleteComment]):
    kind = DeleteComment
    builds_on_before = True
    stays = "a comment that I deleted: GitHub brings none back"

    def needs(self, effect: DeleteComment) -> dict[str, str]:
        return {"pull_requests" if effect.subject == "review_comment" else "issues": "write"}

    async def send(self, effect: DeleteComment, to: Destination) -> Applied:
        where = "issues" if effect.subject == "issue_comment" else "pulls"
        await to.delete(f"/{where}/comments/{{id}}", id=effect.id)
        return Applied()


FAMILY = (OfComment(), OfEditComment(), OfDeleteComment())
