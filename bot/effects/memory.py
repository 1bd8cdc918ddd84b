"""What Hob keeps for itself: lessons, the state of a pull request, which run was taken back, what it is asked
to do next."""

from typing import TYPE_CHECKING

from bot.core.effects import Forget, Remember, RequestCommand, SetPull, TakenBack
from bot.core.facts import UndoFacts
from bot.core.refs import RepoRef
from bot.effects.base import InMemory, Undone
from bot.store.requests import CommandRequest, delivery_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bot.store import Store


class OfRemember(InMemory[Remember]):
    kind = Remember

    def change(self, effect: Remember, store: "Store", repo: RepoRef, within: "Connection") -> None:
        store.memory.remember(within, repo, effect.lesson, effect.days)

    def undone(self, effect: Remember, github_id: int, facts: UndoFacts) -> Undone:
        n = next((one.n for one in facts.memory if one.lesson == effect.lesson), None)
        return Undone(stays=f"what I remember: `@{facts.slug} forget {n}` deletes it" if n else "")


class OfForget(InMemory[Forget]):
    kind = Forget
    stays = "what I forgot: teach me again with `remember` or `dismiss`"

    def change(self, effect: Forget, store: "Store", repo: RepoRef, within: "Connection") -> None:
        store.memory.delete(within, repo.id, effect.n)


class OfSetPull(InMemory[SetPull]):
    kind = SetPull
    undone_by = frozenset({SetPull})

    def change(self, effect: SetPull, store: "Store", repo: RepoRef, within: "Connection") -> None:
        store.pulls.put(within, repo.id, effect.number, effect.state)

    def undone(self, effect: SetPull, github_id: int, facts: UndoFacts) -> Undone:
        if effect.state == "active":
            again = f"`@{facts.slug} pause` or `@{facts.slug} ignore`"
            return Undone(stays=f"that I look at pushes again: {again}")
        return Undone([SetPull(effect.number, "active")], f"that this pull request is {effect.state}")


class OfTakenBack(InMemory[TakenBack]):
    kind = TakenBack
    stays = "that an earlier run was taken back: ask for the same again"

    def change(self, effect: TakenBack, store: "Store", repo: RepoRef, within: "Connection") -> None:
        pass  # its row of the outbox is all there is to it


class OfRequestCommand(InMemory[RequestCommand]):
    kind = RequestCommand
    stays = "a command that was asked for: it is undone where it did something"

    def change(self, effect: RequestCommand, store: "Store", repo: RepoRef, within: "Connection") -> None:
        asked = CommandRequest(
            repo=repo,
            number=effect.number,
            line=effect.line,
            by=effect.by,
            channel=effect.channel,
            on_pull_request=effect.on_pull_request,
            quiet=effect.quiet,
            after=effect.after,
        )
        store.inbox.put_within(within, delivery_of(asked, effect.name))


FAMILY = (OfRemember(), OfForget(), OfSetPull(), OfTakenBack(), OfRequestCommand())
