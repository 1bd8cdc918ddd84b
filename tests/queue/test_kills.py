"""Nothing is lost and nothing happens twice: real worker processes and a real Redis, killed at random
moments."""

import asyncio
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from bot.queue.embedded import Embedded
from bot.queue.queues import Queues
from bot.store import Store, StoreUnavailable, migrate, open_store
from tests.databases import Cluster
from tests.forked import context
from tests.long import kills
from tests.queue.jobs import LONGEST, World, work
from tests.store.making import delivery, put

pytestmark = [pytest.mark.kills, pytest.mark.timeout(240)]


class Factory:
    """Worker processes on one database and one Redis."""

    def __init__(self, store_url: str, redis_url: str, folder: Path) -> None:
        self.store = open_store(store_url)
        self.world = World(folder)
        self.killed: set[int] = set()
        self.workers: list[ForkServerProcess] = []
        self._given = store_url, redis_url, str(folder)
        self._errors = folder / "stderr"
        self._number = 0

    def start(self, slots: int = 4, longest: float = LONGEST) -> ForkServerProcess:
        """A worker, up."""
        here, there = context().Pipe(duplex=False)
        worker = context().Process(target=work, args=(*self._given, slots, longest, there, str(self._errors)))
        worker.start()
        there.close()
        try:
            assert here.recv() == "up"
        except EOFError:
            raise AssertionError(self.errors()) from None
        here.close()
        self.workers.append(worker)
        return worker

    def kill(self, worker: ForkServerProcess) -> None:
        """kill -9"""
        self.killed.add(pid_of(worker))
        worker.kill()
        self.ended(worker)

    def ended(self, worker: ForkServerProcess, seconds: float = 30) -> int:
        """Waits for its end."""
        worker.join(seconds)
        code = worker.exitcode
        assert code is not None
        worker.close()
        self.workers.remove(worker)
        return code

    def deliver(self, count: int, **changes: object) -> None:
        """Deliveries for some few targets."""
        new = [delivery(**{"number": (self._number + n) % 5, **changes}) for n in range(count)]
        self._number += count
        assert all(put(self.store, *new))

    def wait(self, seconds: float = 90) -> dict[str, int]:
        """Until every delivery is routed and every run has ended."""
        give_up = time.monotonic() + seconds
        while True:
            counts = self.store.runs.counts()
            if not set(counts) & {"queued", "running", "planned"} and "new" not in self.store.inbox.counts():
                return counts
            assert time.monotonic() < give_up, f"{counts} {self.errors()[-3000:]}"
            time.sleep(0.05)

    def errors(self) -> str:
        return self._errors.read_text() if self._errors.exists() else ""

    def judge(self, runs: int) -> None:
        """All done, each effect once, and never two runs of one target at a time."""
        assert self.wait() == {"done": runs}
        effects = Counter(self.world.effects.read_text().split())
        assert len(effects) == runs
        assert set(effects.values()) == {1}
        holders: dict[str, int] = {}
        for line in self.world.log.read_text().splitlines():
            what, _run, target, pid, _at = line.split()
            if what == "begin":
                assert holders.get(target) is None or holders[target] in self.killed, line
                holders[target] = int(pid)
            elif holders.get(target) == int(pid):
                del holders[target]

    def close(self) -> None:
        for worker in list(self.workers):
            self.kill(worker)
        self.store.close()


def pid_of(worker: ForkServerProcess) -> int:
    assert worker.pid
    return worker.pid


@pytest.fixture
def factory(store_url: str, own_redis: Embedded, tmp_path: Path) -> Iterator[Factory]:
    made = Factory(store_url, own_redis.url, tmp_path)
    yield made
    made.close()


@pytest.fixture
def postgres_factory(own_redis: Embedded, tmp_path: Path) -> Iterator[Factory]:
    cluster = Cluster()
    cluster.start()
    try:
        url = cluster.new_database()
        migrate(url)
        made = Factory(url, own_redis.url, tmp_path)
        yield made
        made.close()
    finally:
        cluster.remove()


def kill_workers(factory: Factory, rounds: int) -> None:
    """Two workers under load; one of them is killed in each round, and replaced."""
    factory.start()
    factory.start()
    for _ in range(rounds):
        factory.deliver(10)
        time.sleep(random.uniform(0.05, 0.7))
        factory.kill(random.choice(factory.workers))
        factory.start()
    factory.judge(rounds * 30)


def test_R1_workers_killed_at_random_lose_and_repeat_nothing(factory: Factory) -> None:
    kill_workers(factory, kills(12))


def test_R1_the_same_on_postgresql(postgres_factory: Factory) -> None:
    kill_workers(postgres_factory, kills(10))


def test_R1_a_killed_workers_run_starts_again_within_15_seconds(factory: Factory) -> None:
    """By another worker that was up all the time: no boot tells it of the death."""
    endless = factory.start(slots=8, longest=1e6)
    factory.deliver(1)
    wait_for(lambda: factory.world.log.read_text().count("begin") == 2)
    held_still(factory, endless)  # the other worker comes up and shows that it works
    factory.start()
    factory.deliver(1)
    wait_for(lambda: factory.store.runs.counts().get("done") == 3)
    os.kill(pid_of(endless), signal.SIGCONT)
    (held, *_) = factory.store.runs.latest(state="running")
    wait_for(lambda: (factory.store.runs.get(held.id) or held).lease_until > time.time() + 8)
    factory.kill(endless)
    died = time.time()
    factory.judge(6)
    lines = [line.split() for line in factory.world.log.read_text().splitlines()]
    again = [float(at) for what, run, _target, _pid, at in lines if (what, run) == ("begin", str(held.id))]
    assert 2 < again[-1] - died < 15
    assert crashes(factory.store) == 2


def held_still(factory: Factory, worker: ForkServerProcess) -> None:
    """Stopped at a moment when it is writing nothing: others could not write either."""
    for _ in range(50):
        os.kill(pid_of(worker), signal.SIGSTOP)
        with suppress(StoreUnavailable), factory.store.database.write():
            return
        os.kill(pid_of(worker), signal.SIGCONT)
    raise AssertionError("it never stops writing")


def wait_for(true: Callable[[], object], seconds: float = 30) -> None:
    give_up = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < give_up
        time.sleep(0.02)


def test_R1_a_restarted_worker_takes_up_its_own_runs_at_once(factory: Factory) -> None:
    endless = factory.start(slots=8, longest=1e6)
    factory.deliver(1)
    wait_for(lambda: factory.world.log.read_text().count("begin") == 2)
    factory.kill(endless)
    factory.start()
    started = time.monotonic()
    factory.judge(3)
    assert time.monotonic() - started < 8  # a lease lasts 10


def pid(server: Embedded) -> int:
    queues = Queues(server.url)
    try:
        return int(queues.connection.info("server")["process_id"])
    finally:
        queues.close()


async def test_R2_redis_killed_again_and_again_loses_nothing(factory: Factory, own_redis: Embedded) -> None:
    supervising = asyncio.create_task(own_redis.supervise())
    await asyncio.to_thread(factory.start)
    await asyncio.to_thread(factory.start)
    rounds = kills(10)
    for _ in range(rounds):
        await asyncio.to_thread(factory.deliver, 10)
        await asyncio.sleep(random.uniform(0.05, 0.5))
        with suppress(Exception):
            os.kill(await asyncio.to_thread(pid, own_redis), signal.SIGKILL)
    await asyncio.to_thread(factory.judge, 30 * rounds)
    supervising.cancel()
    await asyncio.gather(supervising, return_exceptions=True)
    assert all(worker.is_alive() for worker in factory.workers)


def test_R2_flushall_under_load_loses_nothing(factory: Factory, own_redis: Embedded) -> None:
    factory.start()
    factory.start()
    queues = Queues(own_redis.url)
    rounds = kills(10)
    for _ in range(rounds):
        factory.deliver(10)
        time.sleep(random.uniform(0.02, 0.3))
        queues.connection.flushall()
    queues.close()
    factory.judge(30 * rounds)


def test_R2_without_any_redis_the_work_is_done(factory: Factory, own_redis: Embedded) -> None:
    own_redis.stop()
    factory.deliver(3)
    factory.start()
    factory.judge(9)
    own_redis.start()
    factory.deliver(3)
    factory.judge(18)


def test_R14_a_run_that_kills_its_workers_is_set_aside_and_others_proceed(factory: Factory) -> None:
    factory.deliver(1, event="poison", number=77)
    factory.deliver(4)
    for _ in range(3):
        worker = factory.start()
        factory.killed.add(pid_of(worker))
        assert factory.ended(worker) == -signal.SIGKILL
    factory.start()
    assert factory.wait() == {"done": 12, "dead": 1}
    (dead,) = factory.store.runs.latest(state="dead")
    assert (dead.handler, dead.error) == ("killer", "its worker died 3 times while at it")


def test_R15_workers_told_to_end_under_load_leave_nothing_behind(factory: Factory) -> None:
    factory.start()
    rounds = kills(10)
    for _ in range(rounds):
        factory.deliver(10)
        time.sleep(random.uniform(0.1, 0.5))
        other = factory.start()
        (leaving,) = [worker for worker in factory.workers if worker is not other]
        leaving.terminate()
        assert factory.ended(leaving) == 0
    factory.judge(30 * rounds)
    assert crashes(factory.store) == 0


def test_R15_a_long_run_goes_to_the_next_worker_when_its_own_is_told_to_end(factory: Factory) -> None:
    endless = factory.start(longest=1e6)
    factory.deliver(1)
    wait_for(lambda: factory.world.log.read_text().count("begin") == 2)
    endless.terminate()
    assert factory.ended(endless) == 0
    assert factory.store.runs.counts() == {"queued": 3}
    factory.start()
    factory.judge(3)
    assert crashes(factory.store) == 0


def crashes(store: Store) -> int:
    return sum(run.crashes for run in store.runs.latest(1000))
