"""Places kept in this process: for one process alone, and for the time in which Redis cannot be reached."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field

from bot.core.errors import TemporaryError
from bot.core.host_slots import Ahead, HostSlots, Served, SlotRequest, Speed, Totals, Traffic, left

log = logging.getLogger(__name__)

AWAY_SECONDS = 2.0
"""After a failure the shared slots are left alone for so long."""


@dataclass(slots=True)
class _At:
    """One host."""

    inside: dict[str, tuple[SlotRequest, float]] = field(default_factory=dict)
    waiting: dict[str, SlotRequest] = field(default_factory=dict)
    model: str = ""
    used: float = float("-inf")
    speeds: dict[str, Speed] = field(default_factory=dict)
    totals: dict[str, Totals] = field(default_factory=dict)


class LocalHostSlots:
    """A `HostSlots` in memory. A place ends with its task, so nothing expires here."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._hosts: dict[str, _At] = {}
        self._ears: list[Callable[[], None]] = []

    async def look(self, hosts: Sequence[str]) -> dict[str, Traffic]:
        now = self._clock()
        return {host: _traffic(self._at(host), now) for host in hosts}

    async def enter(self, ticket: SlotRequest, places: int, before: str = "") -> bool:
        if before and before != ticket.host:
            self._at(before).waiting.pop(ticket.id, None)
        at = self._at(ticket.host)
        ahead = sum(other.order < ticket.order for other in at.waiting.values())
        if ticket.id in at.inside or len(at.inside) + ahead < places:
            self.note(ticket)
            return True
        at.waiting[ticket.id] = ticket
        return False

    def note(self, ticket: SlotRequest) -> None:
        """The ticket is inside, whoever let it in."""
        at, now = self._at(ticket.host), self._clock()
        at.waiting.pop(ticket.id, None)
        at.inside[ticket.id] = (ticket, now)
        at.model, at.used = ticket.model, now

    async def leave(self, ticket: SlotRequest) -> None:
        at = self._at(ticket.host)
        at.waiting.pop(ticket.id, None)
        if at.inside.pop(ticket.id, None):
            at.used = self._clock()
        for wake in self._ears:
            wake()

    async def renew(self, inside: Iterable[SlotRequest], waiting: Iterable[SlotRequest]) -> None:
        """Nothing expires here; what is written is kept."""
        for ticket in inside:
            found = self._at(ticket.host).inside
            if ticket.id in found:
                found[ticket.id] = (ticket, found[ticket.id][1])

    async def learn(self, host: str, model: str, served: Served, speed: Speed) -> None:
        at = self._at(host)
        at.speeds[model] = speed
        at.totals[model] = at.totals.get(model, Totals()).plus(served)

    def listen(self, wake: Callable[[], None]) -> None:
        self._ears.append(wake)

    async def aclose(self) -> None:
        self._ears.clear()

    def _at(self, host: str) -> _At:
        return self._hosts.setdefault(host, _At())


def _traffic(at: _At, now: float) -> Traffic:
    return Traffic(
        inside=tuple(
            Ahead(
                ticket.id,
                left(ticket.seconds, now - since),
                ticket.order,
                ticket.model,
                now - since,
                ticket.written,
            )
            for ticket, since in at.inside.values()
        ),
        waiting=tuple(
            Ahead(ticket.id, ticket.seconds, ticket.order, ticket.model)
            for ticket in sorted(at.waiting.values(), key=lambda ticket: ticket.order)
        ),
        model=at.model,
        idle_seconds=now - at.used,
        speeds=dict(at.speeds),
        totals=dict(at.totals),
    )


class SharedHostSlots:
    """A `HostSlots` that all processes share, and this process's own while the shared one is away: no host
    gets more than its places from any one process even then. Never raises. `quiet`: that it is away is
    nothing to tell, as where nobody said that there is one."""

    def __init__(self, shared: HostSlots, *, quiet: bool = False) -> None:
        self._shared = shared
        self._quiet = quiet
        self._own = LocalHostSlots()
        self._away_until = 0.0

    async def look(self, hosts: Sequence[str]) -> dict[str, Traffic]:
        async with self._reaching() as reachable:
            if reachable:
                return await self._shared.look(hosts)
        return await self._own.look(hosts)

    async def enter(self, ticket: SlotRequest, places: int, before: str = "") -> bool:
        async with self._reaching() as reachable:
            if reachable:
                inside = await self._shared.enter(ticket, places, before)
                if inside:
                    self._own.note(ticket)
                return inside
        return await self._own.enter(ticket, places, before)

    async def leave(self, ticket: SlotRequest) -> None:
        await self._own.leave(ticket)
        async with self._reaching() as reachable:
            if reachable:
                await self._shared.leave(ticket)

    async def renew(self, inside: Iterable[SlotRequest], waiting: Iterable[SlotRequest]) -> None:
        inside = list(inside)
        await self._own.renew(inside, ())
        async with self._reaching() as reachable:
            if reachable:
                await self._shared.renew(inside, waiting)

    async def learn(self, host: str, model: str, served: Served, speed: Speed) -> None:
        await self._own.learn(host, model, served, speed)
        async with self._reaching() as reachable:
            if reachable:
                await self._shared.learn(host, model, served, speed)

    def listen(self, wake: Callable[[], None]) -> None:
        self._own.listen(wake)
        self._shared.listen(wake)

    async def aclose(self) -> None:
        await self._shared.aclose()

    @contextlib.asynccontextmanager
    async def _reaching(self) -> AsyncIterator[bool]:
        """Whether the shared slots may be asked; what it raises in the block is swallowed."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._away_until:
            yield False
            return
        try:
            yield True
            self._away_until = 0.0
        except TemporaryError as error:
            told = self._quiet or self._away_until  # once, not every other second
            level = logging.DEBUG if told else logging.WARNING
            self._away_until = loop.time() + AWAY_SECONDS
            log.log(level, "the slots of model hosts are not shared now: %s", error)
