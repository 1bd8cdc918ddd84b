"""Puts a worker together from the configuration: the queue, the schedule, the runs; or the schedule alone."""

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

from bot.config import Config
from bot.core.errors import UserError
from bot.garbage import keep_what_is_loaded
from bot.queue.embedded import Embedded, EmbeddedFailed
from bot.queue.leader import Leader
from bot.queue.queues import Queues
from bot.queue.wakeup import Wakeup
from bot.queue.worker import AsyncWorker
from bot.runs import perform
from bot.runs.dispatch import route_delivery
from bot.runs.polling import poll_forever
from bot.runs.schedule import recover, run_forever
from bot.runs.scheduled import make_due_once
from bot.runs.services import Services, current
from bot.runs.tidying import tidy_forever
from bot.sandbox import tell
from bot.store import StoreUnavailable, await_schema

log = logging.getLogger(__name__)


Forever = Coroutine[Any, Any, None]


def run(config: Config, slots: int, *, schedules: bool = True) -> None:
    """Works until SIGINT or SIGTERM; without `schedules` others have to (`run_schedule`). UserError where it
    cannot start."""
    _run(config, partial(_work, config, slots, schedules))


def run_schedule(config: Config) -> None:
    """Makes the runs that workers do, until SIGINT or SIGTERM. UserError where it cannot start."""
    _run(config, partial(_schedule, config))


def _run(config: Config, whole: Callable[[], Forever]) -> None:
    await_schema(config.store.database_url)
    try:
        asyncio.run(whole())
    except EmbeddedFailed as wrong:
        raise UserError(str(wrong), "or set queue.redis_url to a Redis of your own") from None


async def _work(config: Config, slots: int, schedules: bool) -> None:
    """Until SIGINT or SIGTERM; then what is under way is finished or given back."""
    async with contextlib.AsyncExitStack() as stack:
        services, queues, wakeup, background = await _parts(config, stack)
        due = partial(_due, services)
        longest = config.code.longest_seconds
        worker = AsyncWorker(queues, perform, slots=slots, wakeup=wakeup, due=due, job_seconds=longest)
        worker.stop_on_signals()
        sandbox = await asyncio.to_thread(tell, config.hob.data_dir)
        log.info("sandbox: %s", sandbox.name or f"none, {sandbox.why}")
        if schedules:
            scheduling = _scheduling(config, services, queues, wakeup, stack)
        else:
            scheduling = ()
            await recover(services.store, queues)  # of this machine, which the others cannot know
        keep_what_is_loaded()
        log.info("working, %d runs at once%s", slots, "" if schedules else "; hob schedule makes the runs")
        await _until_done(worker.work(), tidy_forever(services), *scheduling, *background)


async def _schedule(config: Config) -> None:
    async with contextlib.AsyncExitStack() as stack:
        services, queues, wakeup, background = await _parts(config, stack)
        stop = asyncio.Event()
        for each in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(each, stop.set)
        scheduling = _scheduling(config, services, queues, wakeup, stack)
        keep_what_is_loaded()
        log.info("scheduling; hob work does the runs")
        await _until_done(_set(stop), *scheduling, *background)


async def _set(event: asyncio.Event) -> None:
    await event.wait()


async def _parts(
    config: Config, stack: contextlib.AsyncExitStack
) -> tuple[Services, Queues, Wakeup, tuple[Forever, ...]]:
    """What workers and schedulers have; the last keeps the embedded Redis running, if it is that."""
    services = await _services(config)
    stack.push_async_callback(services.aclose)
    background = await _embedded(config, stack)
    queues = Queues(config.redis_url)
    stack.callback(queues.close)
    return services, queues, await stack.enter_async_context(Wakeup(config.redis_url)), background


async def _services(config: Config) -> Services:
    """`current`, also where the database goes away in this moment."""
    try:
        return await current()
    except StoreUnavailable:
        await asyncio.to_thread(await_schema, config.store.database_url)
        return await current()


def _scheduling(
    config: Config, services: Services, queues: Queues, wakeup: Wakeup, stack: contextlib.AsyncExitStack
) -> tuple[Forever, ...]:
    """What makes runs. Of all processes that do it one leads: it makes what is due, and one polls."""
    route = partial(
        route_delivery,
        router=services.router,
        slug=config.github.app_slug,
        coalesce_seconds=config.queue.coalesce_seconds,
    )
    leader = Leader(config.redis_url, services.owner)
    stack.push_async_callback(asyncio.to_thread, leader.resign)
    make_due = partial(make_due_once, services.store, services.router, config, leader)
    polling = (poll_forever(services, wakeup.ring),) if config.intake.polls else ()
    lease, kept = config.queue.lease_seconds, config.retention
    return run_forever(services.store, queues, route, wakeup, make_due, kept, lease), *polling


async def _embedded(config: Config, stack: contextlib.AsyncExitStack) -> tuple[Forever, ...]:
    """Starts the embedded Redis, if it is that; gives what keeps it running."""
    if not config.queue.embedded:
        return ()
    embedded = Embedded(config.hob.data_dir)
    await asyncio.to_thread(embedded.start)
    stack.push_async_callback(asyncio.to_thread, embedded.stop)
    return (embedded.supervise(),)


async def _until_done(work: Forever, *background: Forever) -> None:
    """Ends with the work, or with the first thing in the background that ends (it should not)."""
    tasks = [asyncio.ensure_future(each) for each in (work, *background)]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _due(services: Services, limit: int) -> Sequence[int]:
    """Runs that could start now; asked while Redis is away."""
    return [run.id for run in await asyncio.to_thread(services.store.runs.due, time.time(), limit)]
