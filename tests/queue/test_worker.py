"""The worker on RQ's queues: order, slots, registries, a stock worker beside it, Redis going away,
stopping."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from rq import Queue, Worker
from rq.registry import FailedJobRegistry, FinishedJobRegistry, StartedJobRegistry
from rq.serializers import JSONSerializer

from bot.queue.embedded import Embedded
from bot.queue.queues import Queues
from bot.queue.wakeup import Wakeup
from bot.queue.worker import AsyncWorker, step_aside
from bot.store import Store
from tests.queue.jobs import World, performer, ticket
from tests.store.making import again, queued, spec


async def until(true: Callable[[], object], seconds: float = 20.0) -> None:
    """Waits for the world to become so."""
    async with asyncio.timeout(seconds):
        while not await asyncio.to_thread(true):
            await asyncio.sleep(0.02)


@asynccontextmanager
async def working(worker: AsyncWorker) -> AsyncIterator[AsyncWorker]:
    task = asyncio.create_task(worker.work())
    try:
        yield worker
    finally:
        await worker.stop(grace=5)
        await task


class Recorder:
    """A perform that waits to be let go."""

    def __init__(self) -> None:
        self.began: list[int] = []
        self.ended: list[int] = []
        self.go = asyncio.Event()

    async def __call__(self, run_id: int) -> None:
        self.began.append(run_id)
        await self.go.wait()
        self.ended.append(run_id)


async def test_the_urgent_go_first(queues: Queues) -> None:
    queues.enqueue(
        *(ticket(n, p) for n, p in enumerate(["low", "default", "high", "low", "high", "default"], 1))
    )
    perform = Recorder()
    perform.go.set()
    async with working(AsyncWorker(queues, perform, slots=1)):
        await until(lambda: len(perform.ended) == 6)
    assert perform.began == [3, 5, 2, 6, 1, 4]


async def test_a_run_that_steps_aside_gives_its_slot_to_others(queues: Queues, wakeup: Wakeup) -> None:
    perform = Recorder()

    async def patient(run_id: int) -> None:
        if run_id <= 2:
            step_aside()
        await perform(run_id)

    async with working(AsyncWorker(queues, patient, slots=1, wakeup=wakeup)):
        queues.enqueue(*(ticket(number, "low") for number in range(1, 6)))
        await until(lambda: len(perform.began) == 3)
        await asyncio.sleep(0.2)
        assert perform.began == [1, 2, 3]
        perform.go.set()
        await until(lambda: len(perform.ended) == 5)


async def test_stepping_aside_without_a_worker_does_nothing() -> None:
    step_aside()


async def test_as_many_at_once_as_there_are_slots(queues: Queues, wakeup: Wakeup) -> None:
    perform = Recorder()
    async with working(AsyncWorker(queues, perform, slots=3, wakeup=wakeup)):
        queues.enqueue(*map(ticket, range(1, 8)))
        await until(lambda: len(perform.began) == 3)
        await asyncio.sleep(0.2)
        assert len(perform.began) == 3
        perform.go.set()
        await until(lambda: len(perform.ended) == 7)


async def test_a_ring_starts_a_job_at_once(queues: Queues, wakeup: Wakeup) -> None:
    perform = Recorder()
    perform.go.set()
    async with working(AsyncWorker(queues, perform, wakeup=wakeup, poll_seconds=30)):
        await until(lambda: Worker.count(queues.connection))
        for number in range(1, 6):
            queues.enqueue(ticket(number))
            await until(lambda number=number: len(perform.ended) == number, 5)  # type: ignore[misc]


async def test_rq_sees_the_worker_and_its_jobs(queues: Queues, wakeup: Wakeup) -> None:
    async def perform(run_id: int) -> None:
        if run_id == 2:
            raise RuntimeError("boom")
        await recorder(run_id)

    recorder = Recorder()
    queue: Queue = queues.by_priority["default"]
    async with working(AsyncWorker(queues, perform, slots=3, wakeup=wakeup, name="hob-test")):
        queues.enqueue(ticket(1))
        await until(lambda: recorder.began == [1])
        assert StartedJobRegistry(queue=queue).get_job_ids() == ["guid-1-h_x"]
        (worker,) = Worker.all(queues.connection, serializer=JSONSerializer)
        assert (worker.name, worker.get_state(), worker.queue_names()) == (
            "hob-test",
            "busy",
            ["hob-high", "hob-default", "hob-low"],
        )
        assert [one.job_id for one in worker.get_current_executions()] == ["guid-1-h_x"]
        info = await asyncio.to_thread(rq, "info", "--raw", queues)
        assert "hob-default 0" in info
        assert "hob-test" in info
        recorder.go.set()
        queues.enqueue(ticket(2))
        await until(
            lambda: len(FailedJobRegistry(queue=queue)) == 1 and not StartedJobRegistry(queue=queue).count
        )
        assert FinishedJobRegistry(queue=queue).get_job_ids() == ["guid-1-h_x"]
        failed = queue.fetch_job("guid-2-h_x")
        assert failed is not None
        assert "RuntimeError: boom" in str(failed.latest_result().exc_string)  # type: ignore[union-attr]
        assert queue.intermediate_queue.get_job_ids() == []
    assert Worker.all(queues.connection, serializer=JSONSerializer) == []


def rq(*args: object, **environment: str) -> str:
    """RQ's own command on our Redis."""
    *words, queues = args
    assert isinstance(queues, Queues)
    command = [str(Path(sys.executable).with_name("rq")), *map(str, words), "--url", queues.url]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=True, env={**os.environ, **environment}
    )
    return done.stdout + done.stderr


async def test_rq_still_sees_a_worker_after_flushall(queues: Queues) -> None:
    worker = AsyncWorker(queues, Recorder(), name="hob-flushed")
    async with working(worker):
        await until(lambda: Worker.count(queues.connection) == 1)
        queues.connection.flushall()
        await worker._at_bookkeeping(lambda bookkeeping: bookkeeping.beat())
        (found,) = Worker.all(queues.connection, serializer=JSONSerializer)
        assert (found.name, found.pid) == ("hob-flushed", os.getpid())


@pytest.mark.parametrize("kind", ["rq.SimpleWorker", "rq.Worker"])
async def test_a_stock_worker_does_our_runs_from_our_queues(
    queues: Queues, store: Store, store_url: str, tmp_path: Path, kind: str
) -> None:
    found = queued(store, *(spec(f"h{n}", f"12#{n}") for n in range(3)))
    queues.enqueue(*found)
    output = await asyncio.to_thread(
        rq,
        "worker",
        "--burst",
        "--serializer",
        "rq.serializers.JSONSerializer",
        "--job-class",
        "tests.queue.jobs.TestJob",
        "--worker-class",
        kind,
        "hob-default",
        queues,
        TEST_STORE_URL=store_url,
        TEST_WORLD=str(tmp_path),
        PYTHONPATH=str(Path.cwd()),
    )
    assert [again(store, run).state for run in found] == ["done"] * 3, output
    assert sorted(World(tmp_path).effects.read_text().split()) == sorted(f"key-{run.id}" for run in found)


async def test_R13_a_job_that_rq_runs_again_has_no_second_effect(
    queues: Queues, store: Store, tmp_path: Path
) -> None:
    (run,) = queued(store)
    world = World(tmp_path)
    async with working(AsyncWorker(queues, performer(store, world), slots=4, poll_seconds=0.05)):
        for _ in range(10):
            queues.enqueue(run)
            await asyncio.sleep(0.03)
        await until(lambda: again(store, run).state == "done" and not queues.by_priority["default"].count)
    assert world.effects.read_text().split() == [f"key-{run.id}"]


async def test_one_process_never_does_one_run_twice_at_once(queues: Queues) -> None:
    perform = Recorder()
    async with working(AsyncWorker(queues, perform, slots=4, poll_seconds=0.05)):
        for _ in range(3):
            queues.enqueue(ticket(1))
            await until(lambda: queues.by_priority["default"].count == 0)
        await until(lambda: perform.began == [1])
        perform.go.set()


async def test_without_redis_due_runs_are_taken_from_the_rows(
    own_redis: Embedded, store: Store, tmp_path: Path
) -> None:
    queues = Queues(own_redis.url)
    own_redis.stop()
    found = queued(store, *(spec(f"h{n}", f"12#{n}") for n in range(5)))

    async def due(limit: int) -> list[int]:
        return [run.id for run in await asyncio.to_thread(store.runs.due, time.time(), limit)]

    world = World(tmp_path)
    worker = AsyncWorker(queues, performer(store, world), slots=2, poll_seconds=0.05, due=due)
    async with working(worker):
        await until(lambda: store.runs.counts() == {"done": 5})
        own_redis.start()
        (later,) = queued(store)
        queues.enqueue(later)
        await until(lambda: again(store, later).state == "done")
        await until(lambda: not worker._redis_away)
    assert len(world.effects.read_text().split()) == len(found) + 1
    queues.close()


async def test_R15_stopping_drains_within_the_grace(queues: Queues) -> None:
    perform = Recorder()
    worker = AsyncWorker(queues, perform, slots=2, poll_seconds=0.05)
    task = asyncio.create_task(worker.work())
    queues.enqueue(*map(ticket, range(1, 5)))
    await until(lambda: len(perform.began) == 2)
    stopping = asyncio.create_task(worker.stop(grace=10))
    await asyncio.sleep(0.1)
    perform.go.set()
    await stopping
    await task
    assert sorted(perform.ended) == sorted(perform.began)
    assert len(perform.began) == 2
    assert queues.by_priority["default"].count == 2


async def test_R15_what_does_not_end_in_the_grace_goes_back(
    queues: Queues, store: Store, tmp_path: Path
) -> None:
    (run,) = queued(store)
    queues.enqueue(run)
    worker = AsyncWorker(queues, performer(store, World(tmp_path), longest=1e6), poll_seconds=0.05)
    task = asyncio.create_task(worker.work())
    await until(lambda: again(store, run).state == "running")
    await worker.stop(grace=0.1)
    await task
    assert (again(store, run).state, again(store, run).crashes) == ("queued", 0)
    queue = queues.by_priority["default"]
    assert len(queue.get_job_ids()) == 1
    assert queue.started_job_registry.count == 0
    async with working(AsyncWorker(queues, performer(store, World(tmp_path)), poll_seconds=0.05)):
        await until(lambda: again(store, run).state == "done")


async def test_a_job_that_never_ends_is_ended(queues: Queues) -> None:
    async with working(AsyncWorker(queues, Recorder(), slots=1, job_seconds=0.1, poll_seconds=0.05)):
        queues.enqueue(ticket(1), ticket(2))
        registry = FailedJobRegistry(queue=queues.by_priority["default"])
        await until(lambda: len(registry) == 2)
