"""The outbox and the ledger."""

import re
import time
from typing import Any

import pytest
from sqlalchemy import event, select

from bot.core.inference import Usage
from bot.store import Run, Store
from bot.store.runs import within
from bot.store.tables import outbox
from tests.store.making import NewEffect, again, claimed, queued, spec

TWO = [NewEffect("k1", "PostReview", '{"a": 1}'), NewEffect("k2", "SetCheck", "{}")]


@pytest.fixture
def mine(store: Store) -> Run:
    return claimed(store, queued(store)[0])


def test_a_plan_is_stored_whole_and_in_order_and_survives_the_worker(store: Store, mine: Run) -> None:
    rows = store.outbox.plan(mine, TWO)
    assert [(row.key, row.kind, row.payload, row.state) for row in rows] == [
        ("k1", "PostReview", '{"a": 1}', "planned"),
        ("k2", "SetCheck", "{}", "planned"),
    ]
    assert again(store, mine).state == "planned"
    store.runs.release(mine)
    resumed = claimed(store, mine, "b:2:2")
    assert resumed.state == "planned"
    assert [row.key for row in store.outbox.rows(resumed.id)] == ["k1", "k2"]


def test_an_effect_goes_its_way(store: Store, mine: Run) -> None:
    store.outbox.plan(mine, TWO)
    assert store.outbox.start_sending("k1", mine)
    store.outbox.ambiguous("k1", "502")
    assert store.outbox.start_sending("k1", mine)  # after a look
    store.outbox.done("k1", "https://github.example/r/1", 1 << 40)
    assert not store.outbox.start_sending("k1", mine)
    store.outbox.start_sending("k2", mine)
    store.outbox.later("k2", 30.0, "slow down")
    first, second = store.outbox.rows(mine.id)
    assert (first.state, first.attempts, first.github_id, first.url[:5]) == ("done", 2, 1 << 40, "https")
    assert (second.state, second.error) == ("waiting", "slow down")
    assert second.not_before > time.time() + 20
    store.outbox.rejected("k2", "422")
    assert store.outbox.rows(mine.id)[1].state == "rejected"


def test_what_is_done_stays_done(store: Store, mine: Run) -> None:
    store.outbox.plan(mine, TWO)
    store.outbox.done("k1", "u", 1)
    store.outbox.ambiguous("k1", "late news")
    store.outbox.rejected("k1", "late news")
    assert store.outbox.rows(mine.id)[0].state == "done"


def test_R13_a_second_run_with_the_same_effect_adopts_or_leaves_it(store: Store, mine: Run) -> None:
    store.outbox.plan(mine, TWO)
    store.outbox.start_sending("k1", mine)
    store.outbox.done("k1", "u", 1)
    store.runs.finish(mine, "dead", "it fell over after the first effect")
    other = claimed(store, queued(store)[0])
    rows = store.outbox.plan(other, [*TWO, NewEffect("k3", "Comment", "{}")])
    assert [row.state for row in rows] == ["done", "planned", "planned"]
    assert [row.key for row in store.outbox.rows(other.id)] == ["k2", "k3"]
    assert store.outbox.start_sending("k2", other)


def test_a_key_of_another_target_is_never_adopted(store: Store, mine: Run) -> None:
    store.outbox.plan(mine, TWO)
    elsewhere = claimed(store, queued(store, spec(target="99#1"))[0])
    store.outbox.plan(elsewhere, TWO)
    assert len(store.outbox.rows(mine.id)) == 2


def test_sending_renews_the_lease(store: Store) -> None:
    tired = claimed(store, queued(store)[0], seconds=0.0)
    store.outbox.plan(tired, TWO)
    assert store.outbox.start_sending("k1", tired)
    assert store.recovery.recover_expired() == []


def test_what_was_posted_can_be_read_by_target(store: Store, mine: Run) -> None:
    store.outbox.plan(mine, TWO)
    store.outbox.done("k1", "u", 1)
    store.outbox.done("k2", "u", 2)
    thread = claimed(store, queued(store, spec(target="12#3/55"))[0])
    store.outbox.plan(thread, [NewEffect("k9", "Comment", "{}")])
    store.outbox.done("k9", "u", 3)
    neighbour = claimed(store, queued(store, spec(target="12#30"))[0])
    store.outbox.plan(neighbour, [NewEffect("k10", "Comment", "{}")])
    store.outbox.done("k10", "u", 4)
    assert [row.key for row in store.outbox.for_target(12, 3)] == ["k1", "k2", "k9"]
    assert [row.key for row in store.outbox.for_target(12, 3, "SetCheck")] == ["k2"]


def test_what_lies_beside_a_target_is_not_in_it(store: Store) -> None:
    targets = ["12", "12#3", "12#3/4", "12#30", "12#35", "12#2", "12/nightly", "120#3", "129", "1"]
    for target in targets:
        run = claimed(store, queued(store, spec(target=target))[0])
        store.outbox.plan(run, [NewEffect(f"of {target}", "Comment", "{}")])

    def inside(target: str) -> set[str]:
        which = within(outbox.c.target, target)
        with store.database.read() as connection:
            return set(connection.execute(select(outbox.c.target).where(which)).scalars())

    assert inside("12#3") == {"12#3", "12#3/4"}
    assert inside("12") == {"12", "12#3", "12#3/4", "12#30", "12#35", "12#2", "12/nightly"}


def test_what_was_done_is_found_by_an_index_however_much_there_is(store: Store) -> None:
    plans: list[str] = []
    explain = "EXPLAIN QUERY PLAN" if store.database.is_sqlite else "EXPLAIN"

    def explained(_connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if not statement.startswith("SELECT"):
            return
        if not store.database.is_sqlite:  # of few rows it would read all
            cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"{explain} {statement}", parameters)
        plans.append(" ".join(str(row) for row in cursor.fetchall()))

    event.listen(store.database.engine, "before_cursor_execute", explained)
    store.outbox.for_target(12, 3)
    store.outbox.checks_of(12, "a" * 40)
    event.remove(store.database.engine, "before_cursor_execute", explained)
    assert len(plans) == 2
    assert [plan for plan in plans if "Seq Scan" in plan or "SCAN" in plan or "target" not in plan] == []
    assert all(re.search(r"target\)?(?:::text)? ?[<>]", plan) for plan in plans)


def test_the_ledger_adds_up(store: Store, mine: Run) -> None:
    used = Usage("review", "mini", "qwen", tokens_in=100, tokens_out=20, seconds=1.5)
    store.ledger.add(mine.id, "octo/hello", used)
    store.ledger.add(None, "", used, cost_usd=0.25)
    store.ledger.add(None, "", Usage("chat", "cloud", "big", 1, 2, 0.1))
    total = store.ledger.total(time.time() - 60, "mini")
    assert (total.answers, total.tokens_in, total.tokens_out, total.cost_usd) == (2, 200, 40, 0.25)
    assert store.ledger.total(time.time() + 60).answers == 0
    assert store.ledger.total(0.0).answers == 3


def test_the_newest_of_a_kind_are_told_by_when_they_were_done(store: Store) -> None:
    (run,) = queued(store, spec("nightly", "12/nightly"))
    run = claimed(store, run)
    effects = [
        NewEffect(f"{n}" * 40, kind, "{}") for n, kind in enumerate(("EditIssue", "EditIssue", "Comment"))
    ]
    store.outbox.plan(run, effects)
    for key in ("2" * 40, "1" * 40, "0" * 40):
        store.outbox.done(key)
    told = store.outbox.of_kind("EditIssue", ["12/nightly", "12#3"], ["done"])
    assert [row.key[0] for row in told] == ["1", "0"]
    assert [row.key[0] for row in store.outbox.of_kind("EditIssue", ["12/nightly"], ["done"], 1)] == ["0"]
    assert store.outbox.of_kind("EditIssue", ["12"], ["done"]) == []
