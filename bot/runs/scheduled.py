"""Work that no delivery asks for: what is due becomes runs, and a run of it becomes its handler's event."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from functools import partial

from bot.config import Config
from bot.context import HobContext
from bot.core.due_times import DueTimes, Every, due_times, horizon, spread
from bot.core.errors import Gone
from bot.core.events import HobDue, RepositoryDue
from bot.core.refs import Actor
from bot.queue.leader import Leader
from bot.router import Route, Router
from bot.runs.access import look_at_access
from bot.runs.dispatch import indexers
from bot.runs.reconcile import reconcile
from bot.runs.services import Services
from bot.runs.shadow import write_reports
from bot.store import Run, RunSpec, Store
from bot.store.schedule import PREFIX

log = logging.getLogger(__name__)


def make_due_once(
    store: Store,
    router: Router,
    config: Config,
    leader: Leader | None = None,
    clock: Callable[[], float] = time.time,
) -> int:
    """Turns what is due into runs, which the sweep enqueues; gives how many rows it looked at. Safe with many
    at once: a `leader` only saves the others the work. Raises `StoreUnavailable`."""
    if leader and not leader.leads():
        return 0
    now = clock()
    if config.knowledge.enabled:
        _index_next(store, router, now)
    return sum(_make_due(store, route, every, config, now) for route, every in _scheduled(router, config))


def _index_next(store: Store, router: Router, now: float) -> None:
    for route in indexers(router):
        if name := store.first_indexes.make_next(route.stored_as, now):
            log.info("%s is indexed for the first time", name, extra={"repo": name})


def _scheduled(router: Router, config: Config) -> Iterator[tuple[Route, Every]]:
    for route in router.routes:
        if route.every is not None:
            yield route, route.every(config) if callable(route.every) else route.every


def _make_due(store: Store, route: Route, every: Every, config: Config, now: float) -> int:
    def times(repo_id: int) -> DueTimes:
        return due_times(every, config.schedule.zone, now, spread(route.stored_as, repo_id, every))

    step = partial(
        store.schedule.make_due,
        RunSpec(route.stored_as, route.priority, ""),
        times,
        now=now,
        horizon=horizon(every, now),
        per_repository=route.per == "repository",
        at_first=route.per == "hob" and not isinstance(every, str),
    )
    return sum(iter(step, 0))


def is_scheduled(run: Run) -> bool:
    """Whether no delivery asked for it."""
    return run.delivery.startswith(PREFIX)


async def due_event(services: Services, run: Run) -> HobDue | RepositoryDue:
    """Of the repository as it is now: its last delivery may be old. `Gone` where Hob may not work there any
    more; then nothing is due there until a delivery comes from it again."""
    sender = Actor(services.github.login, 0, "Bot")
    if run.repo_id is None:
        return HobDue(delivery=run.delivery, sender=sender, due=run.arrived_at)
    schedule = services.store.schedule
    installation = await asyncio.to_thread(schedule.installation, run.repo_id)
    if installation is None:
        raise Gone(404, f"the App has no access to {run.repo}")
    try:
        repo = await services.github.repository_of(installation, run.repo_id)
    except Gone:
        await asyncio.to_thread(schedule.drop, run.repo_id)
        raise
    return RepositoryDue(delivery=run.delivery, sender=sender, repo=repo, due=run.arrived_at)


def hob_context(services: Services) -> HobContext:
    """What scheduled work may do that is about no one repository."""

    async def write_shadow_reports(due: float) -> str:
        written = await write_reports(services, due)
        return f"{len(written)} written" if written else "there was nothing to report"

    return HobContext(write_shadow_reports, partial(reconcile, services), partial(look_at_access, services))
