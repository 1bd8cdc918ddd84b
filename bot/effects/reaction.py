"""Reactions. https://docs.github.com/en/rest/reactions/reactions"""

from bot.core.effects import React
from bot.effects.base import Applied, Destination, OnGitHub, applied

_LISTS = {
    "issue": "/issues/{id}/reactions",
    "issue_comment": "/issues/comments/{id}/reactions",
    "review_comment": "/pulls/comments/{id}/reactions",
}


class OfReact(OnGitHub[React]):
    kind = React
    told_by = "itself"
    stays = "a reaction, which only shows that I have seen something"

    def needs(self, effect: React) -> dict[str, str]:
        return {"pull_requests" if effect.subject == "review_comment" else "issues": "write"}

    async def send(self, effect: React, to: Destination) -> Applied:
        answer = await to.post(_LISTS[effect.subject], {"content": effect.content}, id=effect.id)
        return Applied("", applied(answer).github_id)

    async def find(self, effect: React, to: Destination) -> Applied | None:
        found = await to.listed(_LISTS[effect.subject], id=effect.id, content=effect.content)
        mine = (one for one in found if to.marker.ours(one) and one.get("content") == effect.content)
        one = next(mine, None)
        return Applied("", applied(one).github_id) if one else None


FAMILY = (OfReact(),)
