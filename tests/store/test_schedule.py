"""What is due becomes runs: once, with many at it, and kept no longer than others."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from bot.core.due_times import DueTimes, due_times, horizon, spread
from bot.store import Decision, Run, RunSpec, Store, migrate, open_store
from bot.store.schedule import PREFIX
from tests.store.making import claimed, delivery, put, queued

EVENING = datetime(2026, 3, 3, 20, tzinfo=UTC).timestamp()
DAY = 86_400.0


def look(store: Store, now: float, *, per_repository: bool = True) -> int:
    def times(repo: int) -> DueTimes:
        return due_times("night", UTC, now, spread("standup", repo, "night"))

    return store.schedule.make_due(
        RunSpec("standup", "low", ""),
        times,
        now=now,
        horizon=horizon("night", now),
        per_repository=per_repository,
    )


def scheduled(store: Store) -> list[Run]:
    return [run for run in store.runs.latest(2000) if run.delivery.startswith(PREFIX)]


def hear_of(store: Store, repos: range) -> None:
    new = [delivery(f"g{repo}", repo_id=repo, repo=f"octo/r{repo}") for repo in repos]
    put(store, *new)
    store.routing.record([Decision(store.inbox.get(one.guid), "ignored") for one in new])


def test_four_leaders_at_once_make_one_run_for_each_repository(store: Store, url: str) -> None:
    hear_of(store, range(1, 151))
    stores = [open_store(url) for _ in range(4)]

    def all_of(one: Store, now: float) -> None:
        while look(one, now):
            pass

    try:
        with ThreadPoolExecutor(4) as pool:
            for now in (EVENING, EVENING + DAY):
                list(pool.map(lambda one, now=now: all_of(one, now), stores))
                all_of(store, now)
    finally:
        for one in stores:
            one.close()
    runs = scheduled(store)
    assert sorted(run.repo_id or 0 for run in runs) == list(range(1, 151))
    assert {run.delivery for run in runs} == {f"schedule:2026-03-04:{repo}" for repo in range(1, 151)}


def test_the_whole_of_Hob_is_one_row_and_one_run_a_night(store: Store) -> None:
    for hours in range(72):
        look(store, EVENING + hours * 3600, per_repository=False)
        for run in scheduled(store):
            if run.state == "queued":
                store.runs.finish(claimed(store, run), "done")
    runs = scheduled(store)
    assert [run.delivery for run in runs] == [f"schedule:2026-03-0{n}" for n in (6, 5, 4)]
    assert {(run.target, run.repo_id, run.repo) for run in runs} == {("hob/standup", None, "")}


def test_a_repository_is_known_by_its_newest_name_and_installation(store: Store) -> None:
    queued(store, repo="octo/tea", installation_id=7)
    queued(store, repo="octo/pot", installation_id=8)
    assert store.schedule.installation(12) == 8
    look(store, EVENING)
    look(store, EVENING + DAY)
    assert [run.repo for run in scheduled(store)] == ["octo/pot"]


@pytest.mark.parametrize("whole", [True, False])
def test_K2_what_is_forgotten_is_scheduled_no_more(store: Store, whole: bool) -> None:
    hear_of(store, range(1, 4))
    while look(store, EVENING):
        pass
    assert store.repositories(7) == {1, 2, 3}
    store.forget([] if whole else [2], installation=7 if whole else 0)
    look(store, EVENING + DAY)
    assert [run.repo_id for run in scheduled(store)] == ([] if whole else [3, 1])
    assert store.repositories(7) == (set() if whole else {1, 3})


def test_old_runs_are_purged_with_old_deliveries_but_not_those_that_wait(store: Store) -> None:
    hear_of(store, range(1, 3))
    look(store, EVENING)
    look(store, EVENING + DAY)
    one, two = scheduled(store)
    store.runs.finish(claimed(store, two), "done")
    store.purge(time.time() + 60)
    assert [run.id for run in scheduled(store)] == [one.id]


def test_an_upgrade_knows_the_repositories_that_sent_deliveries(url: str, store: Store) -> None:
    hear_of(store, range(1, 4))
    store.close()
    migrate(url, "0004")
    migrate(url)
    again = open_store(url)
    assert {again.schedule.installation(repo) for repo in range(1, 4)} == {7}
    again.close()
