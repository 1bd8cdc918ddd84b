"""The worker: one asyncio process, N slots, on RQ's queues. RQ has none that runs several jobs in one event
loop (docs/design.md, "Worker", says what is ours and why).

It forks nothing (macOS crashes forked Objective-C), blocks on nothing, and does not end because Redis is
away: then it takes the runs that are due from the rows, as `due` gives them.
"""

import asyncio
import logging
import signal
import time
import traceback
import uuid
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from functools import partial
from typing import Any, TypeVar

from rq import Queue
from rq.executions import Execution

from bot.queue.connect import Unreachable
from bot.queue.job import HobJob, RefusedJob
from bot.queue.queues import JOB_SECONDS, Queues
from bot.queue.rq_bookkeeping import BEAT_SECONDS, RqBookkeeping
from bot.queue.wakeup import Wakeup, heard

log = logging.getLogger(__name__)

MOST_ASIDE = 64
T = TypeVar("T")
Perform = Callable[[int], Awaitable[None]]
Due = Callable[[int], Awaitable[Sequence[int]]]


_worker: ContextVar["AsyncWorker | None"] = ContextVar("worker", default=None)


def step_aside() -> None:
    """The run that calls it leaves its slot to others and goes on in the background: nobody waits for it.
    Without a worker nothing happens."""
    worker, task = _worker.get(), asyncio.current_task()
    if worker and task:
        worker.set_aside(task)


async def _none_due(_limit: int) -> Sequence[int]:
    return ()


class AsyncWorker:
    """`perform(run_id)` does one run: it claims, keeps and finishes the row itself. `due(limit)` gives ids
    of rows that could run now; asked only while Redis is away. `poll_seconds`: how long a lost wake-up may
    go unnoticed."""

    def __init__(
        self,
        queues: Queues,
        perform: Perform,
        *,
        slots: int = 2,
        wakeup: Wakeup | None = None,
        due: Due = _none_due,
        poll_seconds: float = 1.0,
        job_seconds: float = JOB_SECONDS,
        name: str | None = None,
    ) -> None:
        self.name = name or f"hob-{uuid.uuid4().hex}"
        self._queues = queues
        self._perform = perform
        self._slots = slots
        self._due = due
        self._poll = poll_seconds
        self._limit = job_seconds
        self._ear = wakeup.ear() if wakeup else asyncio.Event()
        self._bookkeeping: RqBookkeeping | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="rq")
        self._tasks: set[asyncio.Task[None]] = set()
        self._aside: set[asyncio.Task[Any]] = set()
        self._doing: set[int] = set()
        self._stopping = False
        self._next_look = 0.0
        self._redis_away = False

    async def work(self) -> None:
        """Takes and does jobs until `stop`; then waits for what is under way."""
        beating = asyncio.create_task(self._beat_forever(), name="rq heartbeat")
        try:
            while not self._stopping:
                self._ear.clear()
                if self._busy >= self._slots or not await self._take_safely():
                    await heard(self._ear, self._poll)
            while self._tasks:
                await asyncio.wait(self._tasks)
        finally:
            for task in (beating, *self._tasks):
                task.cancel()
            await asyncio.gather(beating, *self._tasks, return_exceptions=True)
            await self._sign_off()

    async def stop(self, grace: float = 20.0) -> None:
        """Takes nothing more; after `grace` seconds cancels what is still under way, which goes back into
        the queue."""
        self._stopping = True
        self._ear.set()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace)
        for task in list(self._tasks):
            task.cancel()

    def stop_on_signals(self, grace: float = 20.0) -> None:
        """SIGTERM and SIGINT stop the worker; a second one cuts the grace short."""
        loop = asyncio.get_running_loop()
        stops: set[asyncio.Task[None]] = set()

        def stop() -> None:
            stops.add(loop.create_task(self.stop(0.0 if self._stopping else grace)))

        for each in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(each, stop)

    @property
    def _busy(self) -> int:
        """How many slots are taken."""
        return len(self._tasks - self._aside)

    def set_aside(self, task: asyncio.Task[Any]) -> None:
        """For `step_aside`."""
        if len(self._aside) < MOST_ASIDE:
            self._aside.add(task)
            self._ear.set()

    async def _take_safely(self) -> bool:
        """Whatever stands in Redis, the worker goes on."""
        try:
            return await self._take_one()
        except Exception:
            log.exception("could not take a job")
            return False

    async def _take_one(self) -> bool:
        """Starts one job (or, without Redis, the runs that are due). False when there is nothing to do
        now."""
        try:
            found = await self._at_bookkeeping(lambda bookkeeping: bookkeeping.take())
        except Unreachable as error:
            self._say_redis(error)
            await self._take_due()
            return False
        self._say_redis(None)
        if found is None:
            return False
        if self._stopping:
            await self._put_back(*found)
            return False
        self._spawn(self._do_job(*found))
        return True

    async def _put_back(self, job: HobJob, queue: Queue) -> None:
        """Taken while `stop` was called."""
        await self._note(lambda bookkeeping: bookkeeping.give_back(bookkeeping.start(job), job, queue))

    async def _take_due(self) -> None:
        """At most once in a poll: a run that is refused stays due."""
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + self._poll
        free = self._slots - self._busy
        try:
            ready = await self._due(free + len(self._doing))
        except Exception as error:
            log.warning("cannot ask for due runs: %s", error)
            return
        for run_id in [each for each in ready if each not in self._doing][:free]:
            self._spawn(self._do(run_id))

    def _spawn(self, work: Awaitable[object]) -> None:
        task = asyncio.ensure_future(self._finish(work))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def _finish(self, work: Awaitable[object]) -> None:
        _worker.set(self)
        await work

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._aside.discard(task)
        self._ear.set()
        if not task.cancelled() and (error := task.exception()):
            log.error("the worker stumbled", exc_info=error)

    async def _do_job(self, job: HobJob, queue: Queue) -> None:
        """One RQ job. Redis may go away at any point: the run matters, its bookkeeping does not."""
        try:
            run_id = job.run_id
        except RefusedJob as error:
            reason = str(error)
            log.warning("refused a job: %s", reason)
            await self._note(lambda bookkeeping: bookkeeping.fail(None, job, queue, reason))
            return
        execution = await self._note(lambda bookkeeping: bookkeeping.start(job))
        try:
            failure = await self._do(run_id)
        except asyncio.CancelledError:
            if execution:
                await self._note(partial(RqBookkeeping.give_back, execution=execution, job=job, queue=queue))
            raise
        if execution:
            await self._note(lambda bookkeeping: _book(bookkeeping, execution, job, queue, failure))

    async def _do(self, run_id: int) -> str:
        """Does a run; gives the traceback of what it should not have let out, or nothing. A run that this
        worker is at already is left alone."""
        if run_id in self._doing:
            return ""
        self._doing.add(run_id)
        try:
            async with asyncio.timeout(self._limit):
                await self._perform(run_id)
        except Exception:
            log.exception("run %s failed", run_id)
            return traceback.format_exc()
        finally:
            self._doing.discard(run_id)
        return ""

    async def _beat_forever(self) -> None:
        while True:
            await self._note(RqBookkeeping.beat)
            await asyncio.sleep(BEAT_SECONDS)

    async def _note(self, entry: Callable[[RqBookkeeping], T]) -> T | None:
        """A line in RQ's books, or none when Redis is away."""
        try:
            return await self._at_bookkeeping(entry)
        except Unreachable as error:
            self._say_redis(error)
            return None

    async def _at_bookkeeping(self, entry: Callable[[RqBookkeeping], T]) -> T:
        """In the one thread that talks to Redis; cancelling the caller does not tear an entry in two."""
        loop = asyncio.get_running_loop()
        return await asyncio.shield(
            loop.run_in_executor(self._thread, lambda: entry(self._opened_bookkeeping()))
        )

    def _opened_bookkeeping(self) -> RqBookkeeping:
        if self._bookkeeping is None:
            bookkeeping = RqBookkeeping(self._queues, self.name)
            bookkeeping.open()
            self._bookkeeping = bookkeeping
        return self._bookkeeping

    def _say_redis(self, error: Exception | None) -> None:
        """Once for each change."""
        if bool(error) == self._redis_away:
            return
        self._redis_away = bool(error)
        if error:
            log.warning("Redis is away, runs are taken from the database: %s", error)
        else:
            log.info("Redis is back")

    async def _sign_off(self) -> None:
        if self._bookkeeping is not None:
            await self._note(RqBookkeeping.close)
        self._thread.shutdown(wait=True)


def _book(bookkeeping: RqBookkeeping, execution: Execution, job: HobJob, queue: Queue, failure: str) -> None:
    if failure:
        bookkeeping.fail(execution, job, queue, failure)
    else:
        bookkeeping.succeed(execution, job, queue)
