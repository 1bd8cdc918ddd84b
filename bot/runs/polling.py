"""Asks GitHub for deliveries (`[intake] mode`): one worker of all, at the pace of `bot.core.polling_pace`.

What is asked and what becomes of it is `bot.runs.reconcile`'s: a look is a round of it that does not wait for
a webhook. Its watermark makes that nothing is lost or taken twice, whoever looks next.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass

from bot.core.errors import HobError, RateLimited, Superseded
from bot.core.polling_pace import (
    MOST_ALLOWED,
    SOON_SECONDS,
    Pace,
    calls_left,
    until_calls,
)
from bot.github.repeats import repeats
from bot.queue.leader import Leader
from bot.runs.reconcile import one_round
from bot.runs.rounds import Round
from bot.runs.services import Services
from bot.store import StoreUnavailable
from bot.store.polling import PollingStatus
from bot.store.reconciliation import MissedDelivery, Reconciliation

LOCK = "hob:polling:leader"
BEAT_SECONDS = 3.0
"""Between two words that this process still polls."""
MOST_CALLS = 100
"""In one look; what is left is asked for in the next, soon."""
KEEPS = 0.05
"""Of the rate limit: polling leaves it to others."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Poller:
    """`ring` wakes those who route deliveries. For one process at a time; two do no harm."""

    services: Services
    ring: Callable[[], None]
    clock: Callable[[], float] = time.time
    """Epoch seconds."""
    failures: int = 0
    new: bool = True
    """Whoever has just started Hob is about to use it."""

    async def look(self) -> float:
        """One look, and word of it; gives the seconds until the next. Raises `StoreUnavailable`."""
        polling = self.services.store.polling
        status = await asyncio.to_thread(polling.load)
        try:
            wait = await self._look(status)
        except StoreUnavailable:
            raise
        except Superseded:  # another process asks as well, and has written down what it saw
            return SOON_SECONDS
        except HobError as error:
            wait = self._failed(status, error)
        status.next_at = self.clock() + wait
        await asyncio.to_thread(polling.save, status)
        return wait

    async def _look(self, status: PollingStatus) -> float:
        intake, now = self.services.config.intake, self.clock()
        calls = min(calls_left(status.minutes, now, intake.share), MOST_CALLS)
        if calls <= 0:
            return until_calls(status.minutes, now, intake.share)
        kept = Reconciliation(self.services.store.database)
        this = Round(self.services, kept, await asyncio.to_thread(kept.load), calls, keeps=KEEPS)
        if not intake.receives:
            this.grace, this.makes_up = 0.0, False
        began = time.monotonic()

        def arrived(one: MissedDelivery) -> None:
            self.ring()
            status.took(max(0.0, this.progress.looked_at - one.at + time.monotonic() - began))

        this.arrived = arrived
        with repeats() as hidden:
            try:
                await self._round(this)
            finally:
                status.count(now, calls - this.calls + hidden.count)
        return self._went_well(status, this, calls + hidden.count)

    async def _round(self, this: Round) -> None:
        try:
            await one_round(this)
        finally:
            self._tell(this)
            await this.save()

    def _tell(self, this: Round) -> None:
        """Writes down what a webhook would have missed."""
        found = copy(this.found)
        if not this.makes_up:
            found.deliveries = 0
        this.progress.note(found)
        if found:
            log.info("%s", found)

    def _went_well(self, status: PollingStatus, this: Round, calls: int) -> float:
        now = self.clock()
        allowed = MOST_ALLOWED if status.allowed is None else status.allowed
        pace = Pace(allowed, now if self.new else status.seen_at, status.looked_at)
        self.new = False
        new = max(this.listed, this.found.deliveries)  # times are whole seconds
        pace, wait = pace.after_look(now, calls - this.calls, new, this.left)
        status.allowed, status.seen_at = pace.allowed, pace.seen_at
        if status.failing_since:
            log.info("GitHub answers again when asked for deliveries")
        self.failures, status.failing_since, status.error = 0, 0.0, ""
        status.looked_at, status.looks = now, status.looks + 1
        return min(wait, SOON_SECONDS) if this.progress.waiting and this.left > KEEPS else wait

    def _failed(self, status: PollingStatus, error: HobError) -> float:
        asked = (error.retry_after or 0.0) if isinstance(error, RateLimited) else 0.0
        pace, wait = Pace(failures=self.failures).after_failure(asked)
        self.failures = pace.failures
        status.failing_since = status.failing_since or self.clock()
        status.error = str(error)[:300]
        log.warning("GitHub could not be asked for deliveries, again in %.0f s: %s", wait, error)
        return wait


async def poll_forever(services: Services, ring: Callable[[], None]) -> None:
    """Until cancelled. Of all processes that do this one looks; when it ends another goes on within 13 s."""
    leader = Leader(services.config.redis_url, services.owner, LOCK)
    leads = asyncio.Event()

    async def beat() -> None:
        while True:
            if await asyncio.to_thread(leader.leads):
                leads.set()
            else:
                leads.clear()
            await asyncio.sleep(BEAT_SECONDS)

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(beat())
            group.create_task(_look_forever(Poller(services, ring), leads))
    finally:
        await asyncio.to_thread(leader.resign)


async def _look_forever(poller: Poller, leads: asyncio.Event) -> None:
    while True:
        await leads.wait()
        try:
            wait = await poller.look()
        except StoreUnavailable as error:
            log.warning("%s", error)
            wait = SOON_SECONDS
        except Exception:  # a mistake of ours must not end it
            log.exception("a look for deliveries failed")
            wait = 60.0
        await asyncio.sleep(wait)
