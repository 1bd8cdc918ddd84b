"""Dispatching and sweeping, step by step."""

import asyncio
import os
import re
import signal
import time
from collections.abc import Sequence
from contextlib import suppress

import pytest

from bot.core.errors import BadPayload
from bot.queue.embedded import Embedded
from bot.queue.queues import Queues
from bot.queue.wakeup import Wakeup
from bot.runs import schedule
from bot.runs.schedule import (
    dispatch_large_once,
    dispatch_once,
    purge_once,
    recover_at_boot,
    run_forever,
    sweep_once,
)
from bot.store import Delivery, RunSpec, Store, StoreUnavailable
from tests.store.making import again, claimed, delivery, put, spec


def route(store_delivery: Delivery) -> Sequence[RunSpec]:
    return [
        spec("review", f"12#{store_delivery.number}", priority="high"),
        spec("label", "12#9", priority="low"),
    ]


def test_a_delivery_becomes_runs_and_jobs_once(store: Store, queues: Queues) -> None:
    put(store, delivery("g-1"))
    assert [dispatch_once(store, queues, route) for _ in range(3)] == [1, 0, 0]
    assert store.inbox.get("g-1").state == "routed"
    assert [run.handler for run in store.runs.of_delivery("g-1")] == ["review", "label"]
    assert queues.by_priority["high"].get_job_ids() == ["g-1-review"]
    assert queues.by_priority["low"].get_job_ids() == ["g-1-label"]


def test_W10_what_nobody_answers_is_ignored(store: Store, queues: Queues) -> None:
    put(store, delivery("g-1", event="star"))
    dispatch_once(store, queues, lambda _: [])
    assert store.inbox.get("g-1").state == "ignored"
    assert store.runs.counts() == {}


@pytest.mark.parametrize(
    ("error", "note"),
    [
        (BadPayload("no pull request in it"), "no pull request in it"),
        (RecursionError("too deep"), "RecursionError: too deep"),
        (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates\0"), "UnicodeEncodeError"),
    ],
)
def test_W8_what_cannot_be_read_is_quarantined_and_others_go_on(
    store: Store, queues: Queues, error: Exception, note: str
) -> None:
    def picky(each: Delivery) -> Sequence[RunSpec]:
        if each.guid == "bad":
            raise error
        return route(each)

    put(store, delivery("bad"), delivery("good"))
    dispatch_once(store, queues, picky)
    assert (store.inbox.get("bad").state, store.inbox.get("good").state) == ("quarantined", "routed")
    assert note in store.inbox.get("bad").note
    assert put(store, delivery("bad")) == [False]
    assert dispatch_once(store, queues, picky) == 0


def test_a_database_away_while_routing_leaves_the_delivery_for_later(store: Store, queues: Queues) -> None:
    def unlucky(_: Delivery) -> Sequence[RunSpec]:
        raise StoreUnavailable("away")

    put(store, delivery("g-1"))
    with pytest.raises(StoreUnavailable):
        dispatch_once(store, queues, unlucky)
    assert store.inbox.get("g-1").state == "new"


def test_N5_a_run_that_waits_for_more_pushes_is_enqueued_when_it_is_due(store: Store, queues: Queues) -> None:
    def later(_: Delivery) -> Sequence[RunSpec]:
        return [spec(not_before=time.time() + 0.3, supersedes=True)]

    for number in range(5):
        put(store, delivery(f"g-{number}", received_at=float(number)))
        dispatch_once(store, queues, later)
    assert not sweep_once(store, queues).enqueued
    time.sleep(0.35)
    assert [run.delivery for run in sweep_once(store, queues).enqueued] == ["g-4"]
    assert store.runs.counts() == {"superseded": 4, "queued": 1}
    assert not sweep_once(store, queues).enqueued


def test_R2_jobs_lost_with_redis_are_made_again(store: Store, queues: Queues) -> None:
    put(store, delivery("g-1"))
    dispatch_once(store, queues, route)
    queues.connection.flushall()
    assert len(sweep_once(store, queues).enqueued) == 2
    assert queues.by_priority["high"].get_job_ids() == ["g-1-review"]


def test_R2_dispatching_needs_no_redis(store: Store, own_redis: Embedded) -> None:
    queues = Queues(own_redis.url)
    own_redis.stop()
    put(store, delivery("g-1"))
    assert dispatch_once(store, queues, route) == 1
    assert not sweep_once(store, queues).enqueued
    own_redis.start()
    assert len(sweep_once(store, queues).enqueued) == 2
    queues.close()


def test_a_lost_run_is_enqueued_again(store: Store, queues: Queues) -> None:
    put(store, delivery("g-1"))
    dispatch_once(store, queues, route)
    queues.connection.flushall()
    run = store.runs.of_delivery("g-1")[0]
    claimed(store, run, seconds=0.0)
    swept = sweep_once(store, queues)
    assert [each.run.id for each in swept.recovered] == [run.id]
    assert run.id in [each.id for each in swept.enqueued]
    assert recover_at_boot(store, queues).recovered == []


def test_W6_a_dead_run_that_is_delivered_again_is_enqueued_again(store: Store, queues: Queues) -> None:
    put(store, delivery("g-1"))
    dispatch_once(store, queues, route)
    run = store.runs.of_delivery("g-1")[0]
    store.runs.finish(claimed(store, run), "dead", "no luck")
    queues.connection.flushall()
    put(store, delivery("g-1"))
    assert run.id in [each.id for each in sweep_once(store, queues).enqueued]


def test_old_deliveries_are_purged_in_batches(store: Store, queues: Queues) -> None:
    put(store, *(delivery(received_at=1.0) for _ in range(450)))
    while dispatch_once(store, queues, lambda _: []):
        pass
    assert purge_once(store) == 450
    assert store.inbox.counts() == {}


async def test_the_loops_go_on_after_any_mistake(store: Store, queues: Queues, wakeup: Wakeup) -> None:
    calls = 0

    def flaky(each: Delivery) -> Sequence[RunSpec]:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise StoreUnavailable("away for a moment")
        return route(each)

    def mistaken() -> None:
        raise ValueError("nothing can be scheduled")

    running = asyncio.create_task(run_forever(store, queues, flaky, wakeup, mistaken))
    put(store, delivery("g-1"))
    wakeup.ring()
    async with asyncio.timeout(20):
        while not store.runs.of_delivery("g-1"):
            await asyncio.sleep(0.02)
    assert again(store, store.runs.of_delivery("g-1")[0]).state == "queued"
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


def picky_about_large(each: Delivery) -> Sequence[RunSpec]:
    """Runs in a process of its own."""
    if each.guid == "endless":
        re.fullmatch("(a+)+b", "a" * 64)  # holds every thread of its process
    if each.guid == "crash":
        os.kill(os.getpid(), signal.SIGKILL)
    if each.guid == "bad":
        raise BadPayload("no pull request in it")
    return route(each)


def test_N4_a_large_delivery_is_routed_apart_and_one_that_takes_too_long_is_left(
    store: Store, queues: Queues, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = b"{" + b" " * schedule.LARGE + b"}"
    put(
        store, *(delivery(guid, body=body) for guid in ("endless", "crash", "bad", "fine")), delivery("small")
    )
    assert dispatch_once(store, queues, route) == 1
    assert store.inbox.get("small").state == "routed"
    for limit in (5.0, 120.0, 120.0, 120.0):  # only the first is to need all of it, however busy the machine
        monkeypatch.setattr(schedule, "ROUTING_SECONDS", limit)
        assert dispatch_large_once(store, queues, picky_about_large) == 1
    assert dispatch_large_once(store, queues, picky_about_large) == 0
    told = {guid: store.inbox.get(guid) for guid in ("endless", "crash", "bad", "fine")}
    assert [each.state for each in told.values()] == ["quarantined", "quarantined", "quarantined", "routed"]
    assert "more than 5 seconds" in told["endless"].note
    assert "died" in told["crash"].note
    assert told["bad"].note == "no pull request in it"
    assert [run.handler for run in store.runs.of_delivery("fine")] == ["review", "label"]
