"""For how long things are kept is what [retention] says; what was said once stays said for as long."""

import time
from pathlib import Path
from typing import Any

import pytest

from bot.config import load_config
from bot.config.retention import DAY, RetentionTable
from bot.core.errors import ConfigError
from bot.core.inference import Usage
from bot.runs.schedule import purge_once
from bot.store import Store
from bot.store.known_repositories import Seen
from bot.store.retention import TEXTS_OF_AN_ISSUE
from bot.store.sizes import sizes
from tests.store.making import NewEffect, claimed, queued, spec


def done(store: Store, guid: str, target: str, *keys: str, kind: str = "Comment", days: float = 0) -> int:
    """A run with effects, so many days ago; gives its number."""
    (run,) = queued(store, spec(target=target), guid=guid, received_at=time.time() - days * DAY)
    run = claimed(store, run)
    store.outbox.plan(run, [NewEffect(key * 40, kind, '{"number":1,"body":"x"}') for key in keys])
    for key in keys:
        store.outbox.done(key * 40)
    store.runs.finish(run, "done")
    with store.database.write() as connection:
        for table, column in (("runs", "created_at"), ("outbox", "changed_at"), ("outbox", "created_at")):
            name = "id" if table == "runs" else "run_id"
            past = f"UPDATE {table} SET {column} = {column} - {days * DAY} WHERE {name} = {run.id}"
            connection.exec_driver_sql(past)
    return run.id


def counted(store: Store, table: str) -> int:
    with store.database.read() as connection:
        return int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())


def test_by_default_effects_and_what_was_spent_stay_and_deliveries_go_after_thirty_days(store: Store) -> None:
    done(store, "old", "12#1", "a", days=31)
    done(store, "young", "12#2", "b", days=29)
    store.ledger.add(None, "octo/hello", Usage("review", "mini", "m", 1, 2, 0.1))
    purge_once(store)
    assert [counted(store, table) for table in ("inbox", "outbox", "runs", "usage")] == [1, 2, 2, 1]


def test_effects_go_when_nothing_happened_on_their_issue_for_so_long(store: Store) -> None:
    done(store, "one", "12#1", "a", "b", days=100)
    done(store, "two", "12#2", "c", days=100)
    done(store, "three", "12#2", "d", days=5)
    purge_once(store, RetentionTable(effects_days=90))
    purge_once(store, RetentionTable(effects_days=90))
    assert (counted(store, "outbox"), counted(store, "runs"), counted(store, "leases")) == (2, 2, 1)
    assert [row.key[0] for row in store.outbox.for_target(12, 2)] == ["c", "d"]


def test_each_kind_has_a_time_of_its_own(store: Store) -> None:
    store.ledger.add(None, "octo/hello", Usage("review", "mini", "m", 1, 2, 0.1))
    with store.database.write() as connection:
        connection.exec_driver_sql(f"UPDATE usage SET at = at - {10 * DAY}")
    purge_once(store, RetentionTable(usage_days=11))
    assert counted(store, "usage") == 1
    purge_once(store, RetentionTable(usage_days=9))
    assert counted(store, "usage") == 0


def test_of_the_texts_that_are_written_each_night_the_newest_stay(store: Store) -> None:
    for night in range(TEXTS_OF_AN_ISSUE + 10):
        done(store, f"night {night}", "12/nightly", chr(65 + night), kind="EditIssue", days=100 - night)
    purge_once(store)
    kept = store.outbox.of_kind("EditIssue", ["12/nightly"], ["done"], 100)
    assert len(kept) == TEXTS_OF_AN_ISSUE
    assert kept[-1].key[0] == chr(65 + TEXTS_OF_AN_ISSUE + 9)


def test_W5_a_run_that_was_forgotten_with_its_delivery_goes_too(store: Store) -> None:
    queued(store, guid="gone")
    store.forget({12})
    assert (counted(store, "runs"), counted(store, "inbox")) == (1, 0)
    with store.database.write() as connection:
        connection.exec_driver_sql(f"UPDATE runs SET created_at = created_at - {31 * DAY}")
    purge_once(store)
    assert counted(store, "runs") == 0


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("payloads_days = 3", "at least 4 days, for GitHub sends a delivery again for about three days"),
        ("payloads_days = 0", "at least 4 days"),
        ("effects_days = 29", "at least 30 days, or 0 for good, for `undo`"),
        ("usage_days = 1", "at least 2 days, or 0 for good, for [budget] counts what was spent today"),
        ("traces_days = 0", "at least 1 days"),
        ("clones_days = -1", "clones_days"),
        ("clone_days = 1", "clones_days"),
    ],
)
def test_what_is_too_short_is_refused_with_the_reason(tmp_path: Path, line: str, why: str) -> None:
    (tmp_path / "hob.toml").write_text(f"[retention]\n{line}\n")
    with pytest.raises(ConfigError) as wrong:
        load_config(tmp_path / "hob.toml", {})
    assert why in f"{wrong.value} {wrong.value.hint}"


def test_a_size_is_told_for_each_kind_with_what_came_in_a_day(store: Store) -> None:
    done(store, "one", "12#1", "a", days=20)
    done(store, "two", "12#1", "b")
    told = {one.kind: one for one in sizes(store.database, time.time())}
    assert (told["deliveries"].count, told["effects"].count) == (2, 2)
    assert told["deliveries"].a_day == pytest.approx(told["deliveries"].size / 2 / 7, rel=0.01)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_names_that_two_repositories_swapped_carry_their_settings(store: Store, order: Any) -> None:
    first = [Seen(1, "octo/tea", 7, 1.0), Seen(2, "octo/pot", 7, 1.0)]
    store.known.remember(first)
    for name in ("tea", "pot"):
        store.settings.change("repo", f"octo/{name}", lambda _, name=name: {"language": name[:2]})
    swapped = [Seen(1, "octo/pot", 7, 2.0, private=True), Seen(2, "octo/tea", 7, 2.0)]
    for index in order:  # one after the other
        store.known.remember([swapped[index]])
    assert store.settings.get("repo", "octo/pot") == {"language": "te"}
    assert store.settings.get("repo", "octo/tea") == {"language": "po"}
    assert store.known.is_private(1)
    store.known.remember([Seen(1, "octo/tea", 7, 1.5)])  # an old delivery
    assert store.known.name(1) == "octo/pot"


def test_what_was_set_under_the_new_name_meanwhile_counts(store: Store) -> None:
    store.known.remember([Seen(1, "octo/tea", 7, 1.0)])
    store.settings.change("repo", "octo/tea", lambda _: {"language": "de", "issues.nightly": True})
    store.settings.change("repo", "octo/kettle", lambda _: {"language": "fr"})
    store.known.remember([Seen(1, "octo/kettle", 7, 2.0)])
    assert store.settings.get("repo", "octo/kettle") == {"issues.nightly": True, "language": "fr"}
    assert store.settings.get("repo", "octo/tea") == {}


def test_K2_a_run_under_way_ends_with_the_reason_why_it_is_not_wanted(store: Store) -> None:
    (run,) = queued(store, spec(), guid="one")
    run = claimed(store, run)
    store.forget({12}, why="the App was suspended there")
    assert store.runs.heartbeat(run) == "superseded"
    store.runs.finish(run, "superseded", "a newer event took its place")
    ended = store.runs.get(run.id)
    assert ended is not None
    assert (ended.state, ended.summary) == ("superseded", "the App was suspended there")
