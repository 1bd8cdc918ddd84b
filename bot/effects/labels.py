"""Labels and the type of an issue. https://docs.github.com/en/rest/issues/labels"""

from bot.core.effects import AddLabels, RemoveLabels, SetIssueType
from bot.core.facts import UndoFacts
from bot.core.folding import folded
from bot.effects.base import Applied, Changing, Destination, OnGitHub, Undone

_LIST = "/issues/{number}/labels"


class OfAddLabels(OnGitHub[AddLabels]):
    kind = AddLabels
    permissions = ("issues",)
    undone_by = frozenset({RemoveLabels})

    async def send(self, effect: AddLabels, to: Destination) -> Applied:
        await to.post(_LIST, {"labels": list(effect.labels)}, number=effect.number)
        return Applied(to.page(effect.number))

    async def find(self, effect: AddLabels, to: Destination) -> Applied | None:
        """GitHub's label names know no case."""
        found = await to.listed(_LIST, number=effect.number)
        there = {folded(str(one.get("name"))) for one in found}
        return Applied(to.page(effect.number)) if set(map(folded, effect.labels)) <= there else None

    def undone(self, effect: AddLabels, github_id: int, facts: UndoFacts) -> Undone:
        named = ", ".join(f"`{one}`" for one in effect.labels)
        return Undone([RemoveLabels(effect.number, effect.labels)], f"the labels {named}")


class OfRemoveLabels(Changing[RemoveLabels]):
    kind = RemoveLabels
    permissions = ("issues",)
    undone_by = frozenset({AddLabels})

    async def send(self, effect: RemoveLabels, to: Destination) -> Applied:
        for label in effect.labels:
            await to.delete(f"{_LIST}/{{label}}", number=effect.number, label=label)
        return Applied()

    def undone(self, effect: RemoveLabels, github_id: int, facts: UndoFacts) -> Undone:
        named = ", ".join(f"`{one}`" for one in effect.labels)
        return Undone([AddLabels(effect.number, effect.labels)], f"that I took off {named}")


class OfSetIssueType(Changing[SetIssueType]):
    """GitHub ignores the type, and says nothing, where it may not be set."""

    kind = SetIssueType
    permissions = ("issues",)
    undone_by = frozenset({SetIssueType})

    async def send(self, effect: SetIssueType, to: Destination) -> Applied:
        await to.patch("/issues/{number}", {"type": effect.type or None}, number=effect.number)
        return Applied(to.page(effect.number))

    def undone(self, effect: SetIssueType, github_id: int, facts: UndoFacts) -> Undone:
        before = SetIssueType(effect.number, effect.before, effect.type)
        return Undone([before], f"the type `{effect.type or 'none'}`")


FAMILY = (OfAddLabels(), OfRemoveLabels(), OfSetIssueType())
