"""What metrics ask of the database, on both databases."""

import re
import time
from typing import Any

import pytest
from sqlalchemy import event, update

from bot.store import Store, measures
from bot.store.tables import runs
from tests.store.making import claimed, queued, spec


def test_the_run_that_waits_longest_is_told_and_one_that_is_put_off_is_not(store: Store) -> None:
    now = time.time()
    assert measures.oldest_waiting_seconds(store.database, now) == 0
    queued(store, spec(target="12#1"), spec("triage", target="12#2"))
    queued(store, spec("nightly", target="12#3"))
    with store.database.write() as connection:
        connection.execute(update(runs).values(created_at=now - 500, not_before=0.0))
        one = runs.c.handler == "triage"
        connection.execute(update(runs).where(one).values(created_at=now - 9000, not_before=now - 700))
        late = runs.c.handler == "nightly"
        connection.execute(update(runs).where(late).values(created_at=now - 9000, not_before=now + 60))
    assert measures.oldest_waiting_seconds(store.database, now) == pytest.approx(700)


def test_the_runs_of_the_last_hour_are_summed_up_by_handler(store: Store) -> None:
    now = time.time()
    for number, handler in enumerate(["review", "review", "triage", "old"]):
        store.runs.finish(claimed(store, queued(store, spec(handler, target=f"12#{number}"))[0]), "done")
    queued(store, spec("waits", target="12#9"))
    with store.database.write() as connection:
        connection.execute(
            update(runs).where(runs.c.finished_at.is_not(None))
            .values(created_at=now - 60, started_at=now - 50, finished_at=now - 40, crashes=1)
        )  # fmt: skip
        connection.execute(update(runs).where(runs.c.handler == "old").values(created_at=now - 4000))
    found = measures.recent_runs(store.database, now)
    assert [(one.handler, one.runs, round(one.seconds), one.crashes) for one in found] == [
        ("review", 2, 20, 2),
        ("triage", 1, 10, 1),
    ]


def test_the_database_says_how_large_it_is(store: Store) -> None:
    assert measures.database_bytes(store.database) > 50_000
    assert (measures.free_bytes(store.database) is not None) == store.database.is_sqlite


def test_no_table_is_read_whole_for_a_metric(store: Store) -> None:
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
    measures.recent_runs(store.database, time.time())
    measures.oldest_waiting_seconds(store.database, time.time())
    event.remove(store.database.engine, "before_cursor_execute", explained)
    assert len(plans) == 2
    assert [plan for plan in plans if "Seq Scan" in plan or "SCAN" in plan] == []
    assert re.search(r"ix_runs_created_at", plans[0]) and re.search(r"ix_runs_state_not_before", plans[1])
