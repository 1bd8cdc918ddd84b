"""Issues of Hob's own: opened once, edited in place, never closed.

https://docs.github.com/en/rest/issues/issues
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

from bot.core.dashboard_issue import EMPTY, Box
from bot.core.effects import EditIssue, OpenIssue
from bot.core.errors import Ambiguous
from bot.core.facts import UndoFacts
from bot.effects.base import Applied, Changing, Destination, OnGitHub, Undone
from bot.effects.texts import Texts
from bot.github.idempotency_marker import page

EARLIER = "Earlier"
"""What stands below is folded under this word."""
MOST_TITLE = 200
I = TypeVar("I", OpenIssue, EditIssue)  # noqa: E741


class _Written(OnGitHub[I]):
    permissions = ("issues",)

    def harmless(self, effect: I, texts: Texts) -> I:
        body, folded = texts.page(effect.body, effect.folded)
        return replace(effect, body=body, folded=folded, boxes=_standing(effect.boxes, body, texts))

    def said(self, effect: I) -> Sequence[str]:
        return (effect.body,)


class OfOpenIssue(_Written[OpenIssue]):
    """Its id in the outbox is its number."""

    kind = OpenIssue
    stays = "that I keep an issue here: close it, and I leave it closed"

    def harmless(self, effect: OpenIssue, texts: Texts) -> OpenIssue:
        return replace(super().harmless(effect, texts), title=texts.line(effect.title, MOST_TITLE))

    async def send(self, effect: OpenIssue, to: Destination) -> Applied:
        body = to.signed(page(effect.body, effect.folded, EARLIER))
        return _opened(await to.post("/issues", {"title": effect.title, "body": body}))

    async def find(self, effect: OpenIssue, to: Destination) -> Applied | None:
        """Among all that our App has opened, closed ones too."""
        ours = await to.listed("/issues", state="all", creator=f"{to.marker.app_slug}[bot]")
        return next((_opened(one) for one in ours if to.marker.made(one, to.key)), None)


class OfEditIssue(Changing[EditIssue], _Written[EditIssue]):
    kind = EditIssue
    builds_on_before = True
    undone_by = frozenset({EditIssue})

    async def send(self, effect: EditIssue, to: Destination) -> Applied:
        body = to.signed(page(effect.body, effect.folded, EARLIER))
        await to.patch("/issues/{number}", {"body": body}, number=effect.number)
        return Applied(to.page(effect.number))

    def undone(self, effect: EditIssue, github_id: int, facts: UndoFacts) -> Undone:
        """The issue says what it said before."""
        before: OpenIssue | EditIssue | None = None
        for past_run in facts.past_runs:
            if past_run.run == facts.past_run.run:
                break
            for one in past_run.did:
                if isinstance(one.effect, OpenIssue | EditIssue):
                    before = one.effect
        if before is None:
            return Undone(stays="the text of my issue: I don't know what it said before")
        old = EditIssue(effect.number, before.body, before.folded, before.boxes)
        return Undone([old], "the newest text of my issue")


def _opened(found: Any) -> Applied:
    if not isinstance(found, dict) or not isinstance(found.get("number"), int):
        raise Ambiguous(200, "the answer does not say what was opened")
    return Applied(str(found.get("html_url") or ""), found["number"])


def _standing(boxes: Sequence[Box], body: str, texts: Texts) -> tuple[Box, ...]:
    """As they read now; one whose line is not in the text, or twice, gives no command."""
    lines = body.split("\n")
    clean = [replace(one, text=texts.prose(EMPTY + one.text).removeprefix(EMPTY)) for one in boxes]
    return tuple(one for one in clean if lines.count(EMPTY + one.text) == 1)


FAMILY = (OfOpenIssue(), OfEditIssue())
