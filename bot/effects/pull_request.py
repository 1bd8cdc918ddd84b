"""A pull request's own title and text. https://docs.github.com/en/rest/pulls/pulls#update-a-pull-request"""

from dataclasses import replace

from bot.core.effects import EditPullRequest
from bot.core.facts import UndoFacts
from bot.core.pr_description import with_description
from bot.effects.base import Applied, Changing, Destination, Undone
from bot.effects.texts import Texts
from bot.github.idempotency_marker import fit


class OfEditPullRequest(Changing[EditPullRequest]):
    kind = EditPullRequest
    permissions = ("pull_requests",)

    def harmless(self, effect: EditPullRequest, texts: Texts) -> EditPullRequest:
        return replace(effect, title=texts.line(effect.title, 200), body=texts.prose(effect.body))

    async def send(self, effect: EditPullRequest, to: Destination) -> Applied:
        body = {"title": effect.title, "body": fit(with_description(effect.own, effect.body))}
        await to.patch("/pulls/{id}", body, id=effect.number)
        return Applied()

    def undone(self, effect: EditPullRequest, github_id: int, facts: UndoFacts) -> Undone:
        return Undone(stays="the title and the text of this pull request: GitHub keeps what they were before")


FAMILY = (OfEditPullRequest(),)
