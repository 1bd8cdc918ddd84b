"""A small `perform` as the real one is built: claim, hold, plan, one effect, finish. The world it changes is
a file, whose lines stand for what GitHub would show. `work` is a whole worker process."""

import asyncio
import os
import random
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from bot.core.errors import Superseded
from bot.process import this_process
from bot.queue.job import HobJob
from bot.queue.queues import Priority, Queues
from bot.queue.wakeup import Wakeup
from bot.queue.worker import AsyncWorker
from bot.runs.schedule import run_forever
from bot.store import Delivery, Run, RunSpec, Store, held, open_store
from tests.store.making import NewEffect

LONGEST = 0.06
"""Seconds a run takes, at most."""


class TestJob(HobJob):
    """For stock workers."""

    __test__ = False
    allowed = frozenset({"tests.queue.jobs.perform"})


@dataclass(frozen=True)
class Waiting:
    """A run, as the queue sees one."""

    id: int
    delivery: str
    handler: str
    priority: Priority


def ticket(number: int, priority: Priority = "default") -> Waiting:
    """A run of that number."""
    return Waiting(number, f"guid-{number}", "h.x", priority)


class World:
    """Two files that survive everyone: `effects`, and `log` with a line at each begin and end of a run."""

    def __init__(self, folder: Path) -> None:
        self.effects = folder / "effects"
        self.log = folder / "log"
        for path in (self.effects, self.log):
            path.touch()

    def note(self, what: str, run: Run) -> None:
        _append(self.log, f"{what} {run.id} {run.target} {os.getpid()} {time.time()}")

    def has(self, key: str) -> bool:
        return key in self.effects.read_text().split()

    def post(self, key: str) -> None:
        _append(self.effects, key)


def _append(path: Path, line: str) -> None:
    file = os.open(path, os.O_WRONLY | os.O_APPEND)
    os.write(file, f"{line}\n".encode())
    os.close(file)


def performer(
    store: Store, world: World, longest: float = LONGEST
) -> Callable[[int], "asyncio.Future[None]"]:
    """The `perform` of one process."""

    async def perform(run_id: int) -> None:
        run = await asyncio.to_thread(store.runs.claim, run_id, this_process())
        if run is None:
            return
        world.note("begin", run)
        if run.handler == "killer":
            os.kill(os.getpid(), signal.SIGKILL)
        try:
            async with held(store.runs, run):
                await asyncio.sleep(random.uniform(0, longest))
                await asyncio.to_thread(_effect, store, world, run)
            world.note("end", run)
            await asyncio.to_thread(store.runs.finish, run, "done")
        except Superseded:
            world.note("lost", run)
        except asyncio.CancelledError:
            world.note("end", run)
            raise

    return perform  # type: ignore[return-value]


def _effect(store: Store, world: World, run: Run) -> None:
    key = f"key-{run.id}"
    (row,) = store.outbox.plan(run, [NewEffect(key, "Comment", "{}")])
    if row.state == "sending" and world.has(key):
        store.outbox.done(key)
    elif row.state != "done" and store.outbox.start_sending(key, run):
        world.post(key)
        store.outbox.done(key)


def route(delivery: Delivery) -> Sequence[RunSpec]:
    """Three runs of different urgency for each delivery, the first two fighting for one target."""
    target = f"{delivery.repo_id}#{delivery.number}"
    if delivery.event == "poison":
        return [RunSpec("killer", "default", target)]
    return [
        RunSpec("first", "default", target),
        RunSpec("second", "high", target),
        RunSpec("third", "low", f"{target}/x"),
    ]


async def perform(run_id: int) -> None:
    """What stock RQ workers call; where to, by the environment."""
    store = open_store(os.environ["TEST_STORE_URL"])
    try:
        await performer(store, World(Path(os.environ["TEST_WORLD"])))(run_id)
    finally:
        store.close()


def work(
    store_url: str, redis_url: str, folder: str, slots: int, longest: float, up: Connection, errors: str
) -> None:
    """What a worker process does, until a signal. It says when it is `up`; stderr is added to a file."""
    os.dup2(os.open(errors, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), 2)
    asyncio.run(_work(store_url, redis_url, folder, slots, longest, up))


async def _work(
    store_url: str, redis_url: str, folder: str, slots: int, longest: float, up: Connection
) -> None:
    """As `hob work` puts it together."""
    store, queues = open_store(store_url), Queues(redis_url, ("tests.queue.jobs.perform",))

    async def due(limit: int) -> list[int]:
        return [run.id for run in await asyncio.to_thread(store.runs.due, time.time(), limit)]

    async with Wakeup(redis_url) as wakeup:
        worker = AsyncWorker(
            queues,
            performer(store, World(Path(folder)), longest),
            slots=slots,
            wakeup=wakeup,
            due=due,
        )
        worker.stop_on_signals(grace=0.5)
        schedule = asyncio.create_task(run_forever(store, queues, route, wakeup, lambda: None))
        up.send("up")
        up.close()
        await worker.work()
        schedule.cancel()
        await asyncio.gather(schedule, return_exceptions=True)
    queues.close()
    store.close()
