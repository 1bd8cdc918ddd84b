"""What someone who can write to Redis can make a worker do: nothing."""

import asyncio
import json
from pathlib import Path

import pytest
from rq import Callback, SimpleWorker
from rq.job import Job
from rq.registry import FailedJobRegistry, FinishedJobRegistry
from rq.serializers import JSONSerializer, PickleSerializer

from bot.queue.job import HobJob, RefusedJob, allowing, job_id
from bot.queue.queues import Queues
from bot.queue.worker import AsyncWorker
from tests.queue.jobs import ticket

done: list[int] = []


async def perform(run_id: int) -> None:
    done.append(run_id)


def touch(path: str, *_: object) -> None:
    Path(path).touch()


def touch_callback(job: Job, *_: object) -> None:
    Path(job.meta["path"]).touch()


ALLOW = ("tests.queue.test_jobs.perform",)


def test_job_ids_have_the_characters_that_rq_takes() -> None:
    assert job_id("8f14-aa", "pull_requests.review") == "8f14-aa-pull_requests_review"
    assert job_id("a b:c\n/é", "x") == "a_b_c___-x"
    assert len(job_id("g" * 1000, "h")) == 200


def plant(queues: Queues, func: object, *args: object, **more: object) -> Job:
    """As an attacker would, with plain RQ."""
    queue = queues.by_priority["default"]
    job = Job.create(
        func,  # type: ignore[arg-type]
        args=args,
        connection=queues.connection,
        serializer=JSONSerializer,
        origin=queue.name,
        timeout=60,
        **more,  # type: ignore[arg-type]
    )
    queue.enqueue_job(job)
    return job


async def work_off(queues: Queues) -> None:
    """Our worker, until the queues are empty and nothing is under way."""
    worker = AsyncWorker(queues, perform, poll_seconds=0.05)
    working = asyncio.create_task(worker.work())
    queue = queues.by_priority["default"]
    while queue.count or queue.started_job_registry.count or queue.intermediate_queue.get_job_ids():
        await asyncio.sleep(0.02)
    await worker.stop()
    await working


def work_off_stock(queues: Queues) -> None:
    worker = SimpleWorker(
        list(queues.by_priority.values()),
        connection=queues.connection,
        job_class=allowing(ALLOW),
        serializer=JSONSerializer,
    )
    worker.work(burst=True)


@pytest.fixture
def planted(queues: Queues, tmp_path: Path) -> tuple[Queues, list[Job], Path]:
    """Every kind of abuse, and one honest job behind them all."""
    done.clear()
    allowed = Queues(queues.url, ALLOW)
    queues.close()
    canary = tmp_path / "canary"
    meta = {"meta": {"path": str(canary)}}
    bad = [
        plant(allowed, "os.system", f"touch {canary}"),
        plant(allowed, "tests.queue.test_jobs.touch", str(canary)),
        plant(allowed, ALLOW[0], 7, on_success=Callback(touch_callback), **meta),
        plant(allowed, ALLOW[0], 7, on_failure=Callback("tests.queue.test_jobs.touch_callback"), **meta),
        plant(allowed, ALLOW[0], 7, on_stopped=Callback(touch_callback), **meta),
        plant(allowed, "os.system", f"touch {canary}", on_failure=Callback(touch_callback), **meta),
        *(
            plant(allowed, ALLOW[0], *args)
            for args in ((), (1, 2), ("1",), (True,), (-1,), (0,), (1.5,), (None,), ([1],))
        ),
    ]
    for field in ("repeats_left", "retries_left"):
        bad.append(plant(allowed, ALLOW[0], 7))
        allowed.connection.hset(bad[-1].key, field, 3)
    limited = plant(allowed, ALLOW[0], 7)
    allowed.connection.hset(limited.key, mapping={"rate_limit_key": "all", "rate_limit_concurrency": 1})
    bad.append(limited)
    hook = plant(allowed, ALLOW[0], 7)
    target = {"url": "http://127.0.0.1:9/", "job_status": "finished"}
    allowed.connection.hset(hook.key, "webhooks", json.dumps([target]))
    bad.append(hook)
    data = plant(allowed, ALLOW[0], 7)
    allowed.connection.hset(data.key, "data", PickleSerializer.dumps((touch, None, (str(canary),), {})))
    keyword = plant(allowed, ALLOW[0], 7)
    allowed.connection.hset(keyword.key, "data", json.dumps([ALLOW[0], None, [7], {"x": 1}]))
    shape = plant(allowed, ALLOW[0], 7)
    allowed.connection.hset(shape.key, "data", json.dumps([ALLOW[0], "x", {"a": 1}, None]))
    plant(allowed, ALLOW[0], 4)
    return allowed, [*bad, data, keyword, shape], canary


def judge(planted: tuple[Queues, list[Job], Path]) -> None:
    queues, bad, canary = planted
    queue = queues.by_priority["default"]
    assert not canary.exists()
    assert done == [4]
    assert set(FailedJobRegistry(queue=queue).get_job_ids()) == {job.id for job in bad}
    assert len(FinishedJobRegistry(queue=queue).get_job_ids()) == 1
    queues.close()


async def test_Q1_Q2_our_worker_runs_nothing_but_the_allowed_call(
    planted: tuple[Queues, list[Job], Path],
) -> None:
    await work_off(planted[0])
    judge(planted)


def test_Q1_Q2_stock_workers_with_our_job_class_run_nothing_but_the_allowed_call(
    planted: tuple[Queues, list[Job], Path],
) -> None:
    work_off_stock(planted[0])
    judge(planted)


async def test_Q1_jobs_that_cannot_be_read_are_dropped(queues: Queues) -> None:
    done.clear()
    mine = Queues(queues.url, ALLOW)
    broken, gone, fine = (plant(mine, ALLOW[0], number) for number in (1, 2, 3))
    mine.connection.hset(broken.key, mapping={"created_at": "yesterday", "ttl": "soon", "status": "confused"})
    mine.connection.delete(gone.key)
    mine.connection.rpush(mine.by_priority["default"].key, b"\xff\xfe", "x" * 10_000, fine.id)
    await work_off(mine)
    assert done == [3, 3]  # named twice in the list: the row decides what that means
    mine.close()


def test_Q1_an_abandoned_job_calls_no_failure_callback(queues: Queues, tmp_path: Path) -> None:
    """RQ's cleaning of the started registry would call what the hash names."""
    canary = tmp_path / "canary"
    job = plant(queues, "os.getpid", on_failure=Callback(touch_callback), meta={"path": str(canary)})
    queue = queues.by_priority["default"]
    queues.connection.zadd(queue.started_job_registry.key, {f"{job.id}:x": 1})
    queue.started_job_registry.job_class = queues.job_class
    queue.started_job_registry.cleanup()
    assert not canary.exists()


def test_a_job_carries_an_id_and_nothing_else(queues: Queues) -> None:
    queues.enqueue(ticket(5))
    (identity,) = queues.by_priority["default"].get_job_ids()
    job = Job.fetch(identity, queues.connection, JSONSerializer)
    assert (job.args, job.kwargs, job.description, identity) == ([5], {}, "run 5", "guid-5-h_x")
    assert HobJob.allowed == {"bot.runs.perform", "bot.jobs.perform"}
    with pytest.raises(RefusedJob):
        HobJob.fetch(identity, queues.connection, JSONSerializer).run_id  # noqa: B018


def test_enqueueing_again_replaces_what_is_left_and_never_blocks(queues: Queues) -> None:
    queue = queues.by_priority["default"]
    for _ in range(3):
        queues.enqueue(ticket(1), ticket(2))
    assert queue.get_job_ids() == ["guid-1-h_x", "guid-2-h_x"]
    taken = queues.connection.lmove(queue.key, f"{queue.key}:intermediate")
    assert taken == b"guid-1-h_x"
    assert [each.id for each in queues.missing([ticket(1), ticket(2)])] == [1]
    queues.enqueue(ticket(1))
    assert queue.intermediate_queue.get_job_ids() == []
    job = queue.fetch_job("guid-1-h_x")
    assert job is not None
    FailedJobRegistry(queue=queue).add(job, 100)
    queues.connection.expire(job.key, 1)
    queues.enqueue(ticket(1))
    assert queue.get_job_ids() == ["guid-2-h_x", "guid-1-h_x"]
    assert len(FailedJobRegistry(queue=queue).get_job_ids()) == 0
    assert queues.connection.ttl(job.key) == -1
