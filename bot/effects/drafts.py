"""Comments that Hob keeps until a person posts or discards them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.core.effects import DropDraft, KeepDraft
from bot.core.facts import UndoFacts
from bot.core.refs import RepoRef
from bot.effects.base import InMemory, Refused, Undone

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bot.store import Store


class OfKeepDraft(InMemory[KeepDraft]):
    """Its text is made harmless before it is kept: what a person looks at is what would be posted."""

    kind = KeepDraft
    prose = ("body",)
    undone_by = frozenset({DropDraft})

    def change(self, effect: KeepDraft, store: "Store", repo: RepoRef, within: "Connection") -> None:
        store.drafts.keep(within, repo, effect.number, effect.body, effect.about)

    def undone(self, effect: KeepDraft, github_id: int, facts: UndoFacts) -> Undone:
        kept = (one.n for one in facts.drafts if (one.about, one.body) == (effect.about, effect.body))
        return Undone([DropDraft(n) for n in kept], "a draft")


class OfDropDraft(InMemory[DropDraft]):
    kind = DropDraft
    told_by = "itself"
    builds_on_before = True
    undone_by = frozenset({KeepDraft})

    def change(self, effect: DropDraft, store: "Store", repo: RepoRef, within: "Connection") -> None:
        (store.drafts.refused if effect.unsent else store.drafts.drop)(within, repo.id, effect.n)

    def telling(self, effect: DropDraft, refused: Sequence[Refused]) -> DropDraft:
        return replace(effect, unsent=True) if refused else effect

    def undone(self, effect: DropDraft, github_id: int, facts: UndoFacts) -> Undone:
        if effect.was is None or effect.unsent:
            return Undone()
        return Undone([effect.was], "that a draft was settled: I keep it again")


FAMILY = (OfKeepDraft(), OfDropDraft())
