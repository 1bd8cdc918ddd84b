"""A pull request's own title and text. https://docs.github.com/en/rest/pulls/pulls#update-a-pull-request"""

from bot.core.effects import EditPullRequest
from bot.core.pr_description import with_description
from bot.effects.base import Applied, Changing, Destination
from bot.github.idempotency_marker import fit


class OfEditPullRequest(Changing[EditPullRequest]):
    kind = EditPullRequest
    prose = ("body",)
    lines = {"title": 200}  # noqa: RUF012
    permissions = ("pull_requests",)
    stays = "the title and the text of this pull request: GitHub keeps what they were before"

    async def send(self, effect: EditPullRequest, to: Destination) -> Applied:
        body = {"title": effect.title, "body": fit(with_description(effect.own, effect.body))}
        await to.patch("/pulls/{id}", body, id=effect.number)
        return Applied()


FAMILY = (OfEditPullRequest(),)
