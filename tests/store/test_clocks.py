"""Clocks that are set while runs are under way: nothing waits until they show the old time again."""

import time

import pytest

from bot.store import Run, Store, run_lifecycle
from bot.store.run_lifecycle import LONGEST_SILENCE
from tests.store.making import again, claimed, queued, spec

BACK = [61.0, 900.0, 3 * 86_400.0]


class Clock:
    """`time.time` of this process, and the seconds that go by."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.offset = self.gone = 0.0
        right, elapsed = time.time, run_lifecycle.elapsed
        monkeypatch.setattr(time, "time", lambda: right() + self.offset)
        monkeypatch.setattr(run_lifecycle, "elapsed", lambda: elapsed() + self.gone)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.mark.parametrize("back", BACK)
def test_R9_a_lost_run_is_taken_up_though_its_lease_ends_in_the_future(
    store: Store, clock: Clock, back: float
) -> None:
    run = claimed(store, queued(store)[0])
    clock.offset = -back
    assert store.recovery.recover_expired() == []
    clock.gone = LONGEST_SILENCE + 1
    assert [one.run.id for one in store.recovery.recover_expired()] == [run.id]
    assert again(store, run).state == "queued"


def test_R9_a_run_that_is_kept_is_left_to_its_worker_however_often_the_clock_is_set_back(
    store: Store, clock: Clock
) -> None:
    run = claimed(store, queued(store)[0])
    for offset in (-900.0, -1800.0, -86_400.0):
        clock.offset = offset
        store.recovery.recover_expired()
        assert store.runs.heartbeat(run) == "ok"
        clock.gone += LONGEST_SILENCE + 1
        assert store.recovery.recover_expired() == []


@pytest.mark.parametrize("back", BACK)
@pytest.mark.parametrize("tried", [False, True])
def test_R9_what_was_put_off_is_due_when_the_clock_is_set_back(
    store: Store, clock: Clock, back: float, tried: bool
) -> None:
    (run,) = queued(store, spec(not_before=time.time() + 5))
    if tried:
        clock.offset = 10.0
        run = claimed(store, run)
        store.runs.retry(run, 5.0, "not now")
    assert not store.runs.due(time.time())
    clock.offset -= back + 1
    assert [one.id for one in store.runs.due(time.time())] == [run.id]
    assert isinstance(store.runs.try_claim(run.id, "b:2:2"), Run)


def test_R9_a_machine_whose_clock_is_a_little_behind_waits_for_the_next_push(
    store: Store, clock: Clock
) -> None:
    (run,) = queued(store, spec(not_before=time.time() + 30))
    clock.offset = -20.0
    assert store.runs.due(time.time()) == []
    assert not isinstance(store.runs.try_claim(run.id, "b:2:2"), Run)


@pytest.mark.parametrize("back", BACK)
@pytest.mark.parametrize("done", [False, True])
def test_R6_R9_the_newest_push_wins_though_the_clock_was_set_back_before_it(
    store: Store, clock: Clock, back: float, done: bool
) -> None:
    (old,) = queued(store, spec(supersedes=True))
    if done:
        store.runs.finish(claimed(store, old), "done")
    clock.offset = -back
    (new,) = queued(store, spec(supersedes=True), received_at=time.time())
    assert again(store, new).state == "queued"
    assert again(store, old).state == ("done" if done else "superseded")


def test_R6_a_push_that_arrives_late_is_still_the_older_one(store: Store) -> None:
    (new,) = queued(store, spec(supersedes=True))
    (old,) = queued(store, spec(supersedes=True), received_at=time.time() - 60)
    assert [again(store, one).state for one in (old, new)] == ["superseded", "queued"]
