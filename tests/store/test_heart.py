"""Holding a run: kept while the body works, whatever the event loop does; the body is stopped when the run
is lost."""

import asyncio
import time

import pytest

from bot.core.errors import Superseded
from bot.store import Run, Store, held
from tests.store.making import again, claimed, queued, spec


@pytest.fixture
def mine(store: Store) -> Run:
    return claimed(store, queued(store)[0], seconds=0.6)


async def test_a_held_run_outlives_its_lease_even_when_the_loop_is_blocked(store: Store, mine: Run) -> None:
    async with held(store.runs, mine, 0.6):
        time.sleep(1.5)
        assert await asyncio.to_thread(store.recovery.recover_expired) == []
        await asyncio.sleep(0)
    await asyncio.to_thread(store.runs.finish, mine, "done")


async def test_many_runs_coming_and_going_all_beat(store: Store) -> None:
    first = claimed(store, queued(store)[0], seconds=0.6)
    async with held(store.runs, first, 0.6):
        for n in range(20):
            run = claimed(store, queued(store, spec(target=f"99#{n}"))[0], seconds=0.6)
            async with held(store.runs, run, 0.6):
                await asyncio.sleep(0.06)
            store.runs.finish(run, "done")
        assert await asyncio.to_thread(store.recovery.recover_expired) == []


async def test_a_lost_run_stops_its_body(store: Store, mine: Run) -> None:
    async def work() -> None:
        async with held(store.runs, mine, 0.6):
            await asyncio.to_thread(store.runs.release, mine)
            await asyncio.Event().wait()

    with pytest.raises(Superseded, match="took this run over"):
        await work()
    assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]


async def test_a_superseded_run_stops_its_body_and_can_still_be_finished(store: Store, mine: Run) -> None:
    async def work() -> None:
        async with held(store.runs, mine, 0.6):
            await asyncio.to_thread(store.runs.supersede, mine.target)
            await asyncio.Event().wait()

    with pytest.raises(Superseded, match="newer event"):
        await work()
    await asyncio.to_thread(store.runs.finish, mine, "superseded")


async def test_R15_a_cancelled_worker_gives_its_run_back_at_once(store: Store, mine: Run) -> None:
    started = asyncio.Event()

    async def work() -> None:
        async with held(store.runs, mine, 0.6):
            started.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    given_back = again(store, mine)
    assert (given_back.state, given_back.crashes, given_back.attempts) == ("queued", 0, 0)


async def test_an_error_of_the_body_passes_through(store: Store, mine: Run) -> None:
    with pytest.raises(ZeroDivisionError):
        async with held(store.runs, mine):
            raise ZeroDivisionError
    assert again(store, mine).state == "running"
