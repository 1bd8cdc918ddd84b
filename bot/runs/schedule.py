"""What keeps runs going: deliveries and what is due become runs, lost runs start again, old deliveries go.

Any number of processes do all of it, workers or schedulers; each step is safe with many at once, and none
needs Redis.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from bot.config.retention import DAY, RetentionTable
from bot.core.errors import BadPayload
from bot.github.issue_title import issue_title
from bot.process import ProcessEnded, apart, is_gone
from bot.queue.connect import Unreachable
from bot.queue.queues import Queues
from bot.queue.wakeup import Wakeup, heard
from bot.store import Decision, Delivery, OlderThan, Recovered, Run, RunSpec, Store, StoreUnavailable
from bot.store.runs import LEASE_SECONDS

log = logging.getLogger(__name__)

RouteDelivery = Callable[[Delivery], Sequence[RunSpec]]
"""What a delivery asks for. Must have no effects: two dispatchers may both ask, one answer counts."""

LARGE = 64 * 1024
"""Bytes of a delivery over which it is routed in a process of its own: texts as long as GitHub takes them are
what hostile texts are made of. A long description with a usual payload around it stays below."""
ROUTING_SECONDS = 20.0
"""For one large delivery; routing one takes some milliseconds, starting the process about a second."""
SWEEP_SECONDS = 1.5
LATE_SECONDS = 6.0
"""By which a sweep may be late on a busy machine."""
LOOK_SECONDS = 3.0
"""Between two looks at what is due."""
DISPATCH_SECONDS = 1.0
PURGE_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep found."""

    recovered: Sequence[Recovered] = ()
    enqueued: Sequence[Run] = field(default=())


def dispatch_once(store: Store, queues: Queues, route: RouteDelivery) -> int:
    """Routes the deliveries that wait, but for the large ones, and enqueues their runs that are due; gives
    how many deliveries it looked at.

    A delivery that `route` cannot read is quarantined with the reason, whatever the error: it must not
    come again. Raises `StoreUnavailable`.
    """
    waiting = store.inbox.undispatched(upto=LARGE)
    _record(store, queues, [decide(route, each) for each in waiting])
    return len(waiting)


def dispatch_large_once(store: Store, queues: Queues, route: RouteDelivery) -> int:
    """The same for one large delivery, which holds up nobody but other large ones, and those not for long."""
    waiting = store.inbox.undispatched(1, over=LARGE)
    _record(store, queues, [decide(partial(_route_apart, route), each) for each in waiting])
    return len(waiting)


def _route_apart(route: RouteDelivery, delivery: Delivery) -> Sequence[RunSpec]:
    return apart(partial(route, delivery), ROUTING_SECONDS)


def _record(store: Store, queues: Queues, decisions: Sequence[Decision]) -> None:
    if decisions:
        made, now = store.routing.record(decisions), time.time()
        _enqueue(queues, [run for run in made if run.state == "queued" and run.not_before <= now])


def sweep_once(store: Store, queues: Queues, lease_seconds: float = LEASE_SECONDS) -> Swept:
    """Takes runs from workers that stopped beating, and enqueues every due run that has no waiting job:
    lost with Redis, put off, or given back. Raises `StoreUnavailable`."""
    recovered = store.recovery.recover_expired(lease_seconds)
    _tell(recovered)
    return Swept(recovered, _enqueue_due(store, queues))


def recover_at_boot(store: Store, queues: Queues) -> Swept:
    """The same for workers of this machine that are known to be dead, without waiting for their leases."""
    recovered = store.recovery.release_dead(is_gone)
    _tell(recovered)
    return Swept(recovered, _enqueue_due(store, queues))


def purge_once(store: Store, retention: RetentionTable | None = None) -> int:
    """Deletes what is settled and old; gives how many deliveries. Raises `StoreUnavailable`."""
    kept, now, gone = retention or RetentionTable(), time.time(), 0

    def before(days: int) -> float:
        return now - days * DAY

    older = OlderThan(
        before(kept.payloads_days),
        before(kept.traces_days),
        before(kept.drafts_days),
        before(kept.usage_days) if kept.usage_days else None,
        before(kept.effects_days) if kept.effects_days else None,
    )
    while found := store.purge(older):
        gone += found
    return gone


async def run_forever(
    store: Store,
    queues: Queues,
    route: RouteDelivery,
    wakeup: Wakeup,
    make_due: Callable[[], object],
    retention: RetentionTable | None = None,
    lease_seconds: float = LEASE_SECONDS,
) -> None:
    """The loops of a process that schedules, until cancelled. A database or Redis that is away is waited for.
    `make_due` turns scheduled work into runs."""
    async with asyncio.TaskGroup() as group:
        group.create_task(recover(store, queues))
        group.create_task(_sweep_forever(partial(sweep_once, store, queues, lease_seconds), lease_seconds))
        group.create_task(_every(LOOK_SECONDS, make_due))
        group.create_task(_every(PURGE_SECONDS, lambda: purge_once(store, retention)))
        for dispatch in (dispatch_once, dispatch_large_once):
            group.create_task(_dispatch_forever(partial(dispatch, store, queues, route), wakeup.ear()))


async def recover(store: Store, queues: Queues) -> None:
    """`recover_at_boot`, as far as that can be done now; else the sweep does it."""
    await _attempt(lambda: recover_at_boot(store, queues))


async def _dispatch_forever(dispatch: Callable[[], int], ear: asyncio.Event) -> None:
    while True:
        if not await _attempt(dispatch):
            await heard(ear, DISPATCH_SECONDS)


async def _sweep_forever(sweep: Callable[[], object], lease_seconds: float) -> None:
    """After a leap of the clock, or when this process stood still, every lease seems to have ended: whoever
    lives renews his first."""
    looked = time.time()
    while True:
        await _attempt(sweep)
        await asyncio.sleep(SWEEP_SECONDS)
        if time.time() - looked > SWEEP_SECONDS + LATE_SECONDS:
            await asyncio.sleep(lease_seconds / 2)
        looked = time.time()


async def _every(seconds: float, step: Callable[[], object]) -> None:
    while True:
        await _attempt(step)
        await asyncio.sleep(seconds)


async def _attempt(step: Callable[[], object]) -> object:
    """One step in a thread; what is away now is tried again the next time, and a mistake of ours must not
    end the loop."""
    try:
        return await asyncio.to_thread(step)
    except StoreUnavailable as error:
        log.warning("%s", error)
    except Exception:
        log.exception("a step of the schedule failed")
    return None


def decide(route: RouteDelivery, delivery: Delivery) -> Decision:
    """What becomes of a delivery; one that cannot be read is kept aside with the reason."""
    try:
        specs = route(delivery)
    except StoreUnavailable:
        raise
    except (BadPayload, ProcessEnded) as error:
        log.warning("delivery %s is quarantined: %s", delivery.guid, error)
        return Decision(delivery, "quarantined", note=str(error))
    except Exception as error:  # hostile bytes find ways: RecursionError, MemoryError, a bug of ours
        log.warning("delivery %s is quarantined", delivery.guid, exc_info=True)
        return Decision(delivery, "quarantined", note=f"{type(error).__name__}: {error}")
    return Decision(delivery, "routed" if specs else "ignored", specs, about=issue_title(delivery.body))


def _enqueue_due(store: Store, queues: Queues) -> Sequence[Run]:
    due = store.runs.due(time.time())
    try:
        missing = set(queues.missing(due))
    except Unreachable:
        return ()  # workers take due runs from the rows while Redis is away
    return _enqueue(queues, [run for run in due if run in missing])


def _enqueue(queues: Queues, runs: Sequence[Run]) -> Sequence[Run]:
    try:
        queues.enqueue(*runs)
    except Unreachable as error:
        log.warning("Redis is away, %d runs wait in the database: %s", len(runs), error)
        return ()
    return runs


def _tell(recovered: Sequence[Recovered]) -> None:
    for each in recovered:
        log.warning("run %s lost its worker %s: %s", each.run.id, each.run.owner, each.state)
