"""The requests of this process on their way to a place, each at the host where it is expected to be answered
first."""

import asyncio
import time
import uuid
from bisect import insort
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from bot.core.host_slots import (
    LEASE_SECONDS,
    WAIT_SECONDS,
    Ahead,
    HostSlots,
    Outlook,
    SlotRequest,
    Traffic,
    Written,
)
from bot.core.hosts import STAYS, Option, RoutingStrategy, guess, option, rank
from bot.inference.hosts.known_host import Candidate
from bot.inference.runners import Heard
from bot.inference.token_budget import TYPICAL_RATIO

LOOK_SECONDS = 1.0
"""Who waits looks again after so long, even when no place was said to be free: word of it may be lost."""
TokensKept = Callable[[Candidate], int]
"""How many tokens of a request a candidate has read already."""


def _nothing(_: Candidate) -> int:
    return 0


_URGENCY = 1e11
"""More than the seconds since 1970, in which requests of one urgency are ordered."""


@dataclass(slots=True)
class _Waiter:
    """One request. `at` is the ticket with which it waits somewhere; `turn` ends the waiting."""

    id: str
    candidates: Sequence[Candidate]
    tokens_in: int
    order: float
    number: int
    turn: asyncio.Future[tuple[SlotRequest, Candidate]]
    behind: int = 0
    kept: TokensKept = _nothing
    at: SlotRequest | None = None


@dataclass(slots=True)
class Writing:
    """Counts an answer as it comes. A piece is a token with most hosts, and about so many characters are one
    with the others."""

    _pieces: int = 0
    _chars: int = 0
    _since: float = 0.0

    def hearing(self, heard: Heard | None) -> Heard:
        """For a new answer; passes its words on, without what was thought before them."""
        self._pieces = self._chars = 0

        def hear(word: str) -> None:
            self._since = self._since if self._pieces else time.monotonic()
            self._pieces += 1
            self._chars += len(word)
            if word and heard is not None:
                heard(word)

        return hear

    @property
    def written(self) -> Written:
        """So far."""
        if not self._pieces:
            return Written()
        tokens = max(self._pieces, round(self._chars / TYPICAL_RATIO))
        return Written(tokens, time.monotonic() - self._since)


@dataclass(slots=True)
class Scheduler:
    """Gives out places. One for each process and event loop; `aclose` it."""

    host_slots: HostSlots
    routing: RoutingStrategy = "completion"
    _waiting: list[_Waiter] = field(default_factory=list)
    _inside: dict[str, tuple[SlotRequest, Writing]] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _serving: asyncio.Task[None] | None = None
    _beating: asyncio.Task[None] | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _listens: bool = False
    _number: int = -1

    async def enter(
        self,
        candidates: Sequence[Candidate],
        tokens_in: int,
        urgency: int,
        behind: int = 0,
        kept: TokensKept = _nothing,
    ) -> tuple[SlotRequest, Candidate]:
        """Waits for a slot at one of the candidates (at least one); 0 is the most urgent. Whoever enters must
        `leave`. `behind`: so many more of the same kind will come after it."""
        order = urgency * _URGENCY + time.time()
        turn: asyncio.Future[tuple[SlotRequest, Candidate]] = asyncio.get_running_loop().create_future()
        self._number += 1
        waiter = _Waiter(uuid.uuid4().hex, candidates, tokens_in, order, self._number, turn, behind, kept)
        insort(self._waiting, waiter, key=lambda other: other.order)
        self._work()
        try:
            return await turn
        except asyncio.CancelledError:
            await self._withdraw(waiter)
            raise

    async def outlook(self, candidates: Sequence[Candidate], tokens_in: int, urgency: int) -> Outlook:
        """How `enter` would wait now."""
        best = await self.best(candidates, tokens_in, urgency)
        return Outlook(best.waiting, best.wait)

    async def best(
        self,
        candidates: Sequence[Candidate],
        tokens_in: int,
        urgency: int,
        behind: int = 0,
        kept: TokensKept = _nothing,
    ) -> Option:
        """The option that `enter` would take now."""
        order = urgency * _URGENCY + time.time()
        traffics = await self.host_slots.look(sorted({candidate.host.name for candidate in candidates}))
        turn = asyncio.get_running_loop().create_future()
        stranger = _Waiter("", candidates, tokens_in, order, 0, turn, behind, kept)
        options = [_option(stranger, candidate, traffics) for candidate in candidates]
        return options[rank(options, tokens_in, self.routing, self._number + 1, behind)[0]]

    def writing(self, ticket: SlotRequest) -> Writing:
        """Of one that is inside."""
        return self._inside[ticket.id][1]

    async def leave(self, ticket: SlotRequest) -> None:
        """The place is free. Finishes even when the caller is cancelled."""
        self._inside.pop(ticket.id, None)
        await self._surely(self.host_slots.leave(ticket))

    def later(self, action: Coroutine[Any, Any, None]) -> None:
        """Done beside what follows, and before `aclose` ends."""
        task = asyncio.create_task(action)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        """Ends the background work."""
        tasks = [task for task in (self._serving, self._beating, *self._tasks) if task is not None]
        for task in tasks[:2]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.host_slots.aclose()

    async def _withdraw(self, waiter: _Waiter) -> None:
        with suppress(ValueError):
            self._waiting.remove(waiter)
        if waiter.turn.done() and not waiter.turn.cancelled():  # let in at the same moment
            await self.leave(waiter.turn.result()[0])
        elif waiter.at:
            await self._surely(self.host_slots.leave(waiter.at))

    async def _surely(self, action: Awaitable[None]) -> None:
        task = asyncio.ensure_future(action)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.shield(task)

    def _work(self) -> None:
        self._news.set()
        if self._serving is None or self._serving.done():
            self._serving = asyncio.create_task(self._serve(), name="places are given out")
        if self._beating is None or self._beating.done():
            self._beating = asyncio.create_task(self._beat(), name="places are held")

    async def _serve(self) -> None:
        """Until nobody waits. What goes wrong here goes wrong for those who wait."""
        try:
            while self._waiting:
                self._news.clear()
                await self._admit()
                if self._waiting:
                    await self._hear()
        except Exception as error:  # they must not wait for ever
            for waiter in self._waiting:
                if not waiter.turn.done():
                    waiter.turn.set_exception(error)
            self._waiting.clear()

    async def _hear(self) -> None:
        if not self._listens:
            self._listens = True
            self.host_slots.listen(self._news.set)
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                await self._news.wait()

    async def _beat(self) -> None:
        """Says now and then that this process's requests still live, so that those of a killed one are found
        out."""
        while self._inside or self._waiting:
            await asyncio.sleep(min(LEASE_SECONDS, WAIT_SECONDS) / 3)
            inside, waiting = self._entered(), self._tickets()
            await self.host_slots.renew(inside, waiting)
            live = {(each.id, each.host) for each in self._tickets()} | {
                (each.id, each.host) for each, _ in self._inside.values()
            }
            for ticket in (*inside, *waiting):
                if (ticket.id, ticket.host) not in live:  # it went while it was being renewed
                    await self.host_slots.leave(ticket)

    def _entered(self) -> list[SlotRequest]:
        """Of those who are inside, with what was written for them."""
        return [replace(ticket, written=writing.written) for ticket, writing in self._inside.values()]

    def _tickets(self) -> list[SlotRequest]:
        """Of those who wait somewhere."""
        return [waiter.at for waiter in self._waiting if waiter.at]

    async def _admit(self) -> None:
        """One look, and everyone who waits, the most urgent first."""
        hosts = sorted({candidate.host.name for waiter in self._waiting for candidate in waiter.candidates})
        traffics = await self.host_slots.look(hosts)
        for waiter in list(self._waiting):
            if not waiter.turn.done():
                await self._try(waiter, traffics)

    async def _try(self, waiter: _Waiter, traffics: dict[str, Traffic]) -> None:
        """Lets one in, or has it wait at the best host."""
        options = [_option(waiter, candidate, traffics) for candidate in waiter.candidates]
        best = rank(options, waiter.tokens_in, self.routing, waiter.number, waiter.behind)[0]
        if _stays(waiter, options, best):
            return
        candidate, model = waiter.candidates[best], waiter.candidates[best].model.name
        seconds = options[best].needed(waiter.tokens_in)
        ticket = SlotRequest(
            waiter.id, candidate.host.name, model, seconds, waiter.order, options[best].loaded
        )
        before = waiter.at.host if waiter.at else ""
        waiter.at = ticket
        inside = await self.host_slots.enter(ticket, candidate.host.parallel, before)
        if before:
            traffics[before] = _without(traffics[before], waiter.id)
        traffics[candidate.host.name] = _with(traffics[candidate.host.name], ticket, inside)
        if inside:
            await self._let_in(waiter, ticket, candidate)

    async def _let_in(self, waiter: _Waiter, ticket: SlotRequest, candidate: Candidate) -> None:
        if waiter.turn.done():  # it has given up while it was let in
            await self._surely(self.host_slots.leave(ticket))
            return
        self._waiting.remove(waiter)
        self._inside[ticket.id] = (ticket, Writing())
        waiter.turn.set_result((ticket, candidate))


def _option(waiter: _Waiter, candidate: Candidate, traffics: dict[str, Traffic]) -> Option:
    model, traffic = candidate.model.name, traffics[candidate.host.name]
    speed = traffic.speeds.get(model) or guess(model, traffics)
    return option(
        traffic,
        model,
        candidate.host.parallel,
        speed,
        waiter.order,
        waiter.id,
        candidate.model.loaded,
        waiter.kept(candidate),
    )


def _stays(waiter: _Waiter, options: Sequence[Option], best: int) -> bool:
    """Whether one who waits somewhere is as well off there."""
    if waiter.at is None or options[best].is_free:
        return False
    hosts = [(candidate.host.name, candidate.model.name) for candidate in waiter.candidates]
    now = hosts.index((waiter.at.host, waiter.at.model))
    if now == best:
        return True
    return options[best].expected(waiter.tokens_in) > STAYS * options[now].expected(waiter.tokens_in)


def _with(traffic: Traffic, ticket: SlotRequest, inside: bool) -> Traffic:
    """The view after a ticket went in, or began to wait."""
    ahead = Ahead(ticket.id, ticket.seconds, ticket.order)
    if inside:
        return replace(_without(traffic, ticket.id), inside=(*traffic.inside, ahead), model=ticket.model)
    waiting = sorted((*_without(traffic, ticket.id).waiting, ahead), key=lambda each: each.order)
    return replace(traffic, waiting=tuple(waiting))


def _without(traffic: Traffic, ticket: str) -> Traffic:
    return replace(traffic, waiting=tuple(each for each in traffic.waiting if each.id != ticket))
