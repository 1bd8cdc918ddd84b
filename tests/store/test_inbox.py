"""The inbox: durable before it is acknowledged, each GUID once."""

import os
import random
import subprocess
import sys
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, func, select

from bot.core.errors import BadPayload
from bot.store import Decision, Store, StoreUnavailable, migrate, open_store
from bot.store.body import framed, restored
from bot.store.tables import inbox, outbox, runs
from tests.databases import Cluster, copy_of
from tests.store.making import NewEffect, again, claimed, delivery, put, queued, spec


def test_a_delivery_is_stored_as_it_came(store: Store) -> None:
    new = delivery(body=bytes(range(256)) * 100)
    assert put(store, new) == [True]
    stored = store.inbox.get(new.guid)
    assert (stored.body, stored.guid, stored.number, stored.state) == (new.body, new.guid, 3, "new")


def test_a_delivery_without_repository_is_stored(store: Store) -> None:
    new = delivery(event="installation", installation_id=None, repo_id=None, repo="", number=None)
    assert put(store, new) == [True]
    assert store.inbox.get(new.guid).repo_id is None


def test_a_known_guid_is_a_duplicate_also_within_one_batch(store: Store) -> None:
    first, twin = delivery("g-1"), delivery("g-1", body=b"other")
    assert sorted(put(store, first, twin, first, twin)) == [False, False, False, True]
    assert put(store, twin) == [False]
    assert store.inbox.get("g-1").body == first.body


def test_a_purged_delivery_is_a_bad_payload(store: Store) -> None:
    with pytest.raises(BadPayload):
        store.inbox.get("never-came")


def test_W8_hostile_texts_and_numbers_are_stored_or_refused_alone(store: Store) -> None:
    hostile = delivery(sender="a\0b\ud800", repo="r" * 5000, number=10**30, action="\0")
    huge_guid = delivery("x" * 10_000)
    assert put(store, delivery(), hostile, huge_guid, delivery()) == [True] * 4
    stored = store.inbox.get(hostile.guid)
    assert (stored.sender, len(stored.repo), stored.number, stored.action) == ("ab?", 300, None, "")


def test_what_the_database_refuses_takes_no_other_delivery_with_it(store: Store) -> None:
    broken = delivery(body="not bytes")
    futures = [store.inbox.put(each) for each in (delivery(), broken, delivery())]
    outcome = [future.exception(30) for future in futures]
    assert outcome[0] is outcome[2] is None
    assert isinstance(outcome[1], StoreUnavailable)


PUT_MANY = """
import sys
from bot.store import open_store
from tests.store.making import delivery
store = open_store(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
futures = [store.inbox.put(delivery(f"guid-{n % 5}")) for n in range(100)]
print(sum(future.result(60) for future in futures))
store.close()
"""


def test_W4_four_processes_put_the_same_guids_at_once(url: str, store: Store) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", PUT_MANY, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    for writer in writers:
        assert writer.stdout and writer.stdout.readline() == "ready\n"
    outputs = [writer.communicate("go\n", timeout=90)[0] for writer in writers]
    assert sum(map(int, outputs)) == 5
    with store.database.read() as connection:
        assert connection.execute(select(func.count()).select_from(inbox)).scalar_one() == 5


PUT_FOREVER = """
import itertools, sys
from bot.store import open_store
from tests.store.making import delivery
store = open_store(sys.argv[1])
for n in itertools.count():
    new = [delivery(f"{sys.argv[2]}-{n}-{k}") for k in range(7)]
    for each, future in [(each, store.inbox.put(each)) for each in new]:
        future.result(30)
        print(each.guid, flush=True)
"""


@pytest.mark.kills
def test_R1_no_delivery_that_was_acknowledged_is_lost_by_a_killed_receiver(url: str, store: Store) -> None:
    acknowledged: list[str] = []
    for life in range(5):
        writer = subprocess.Popen(
            [sys.executable, "-c", PUT_FOREVER, url, str(life)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout
        acknowledged += [writer.stdout.readline().strip() for _ in range(random.randint(5, 60))]
        writer.kill()
        acknowledged += [line.strip() for line in writer.stdout if line.endswith("\n")]
        writer.stdout.close()
        writer.wait()
    with store.database.read() as connection:
        stored = set(connection.scalars(select(inbox.c.guid)))
    assert len(acknowledged) > 20
    assert set(acknowledged) <= stored


def test_a_burst_is_committed_in_few_transactions(store: Store) -> None:
    commits = []
    insert_all = store.inbox._insert_all
    store.inbox._insert_all = lambda *args: commits.append(1) or insert_all(*args)  # type: ignore[method-assign]
    with ThreadPoolExecutor(16) as pool:
        futures = list(pool.map(store.inbox.put, [delivery() for _ in range(400)]))
    assert all(future.result(30) for future in futures)
    assert len(commits) < 200


@given(body=st.binary(max_size=3000) | st.integers(65_500, 65_600).map(lambda size: b"x" * size))
def test_a_body_that_is_only_framed_is_what_every_reader_of_zlib_reads(body: bytes) -> None:
    assert zlib.decompress(framed(body)) == restored(framed(body)) == body
    assert len(framed(body)) <= len(body) + 11


@pytest.mark.parametrize("size", [2, 700, 24_000, 65_535, 65_536, 2_000_000])
def test_a_body_is_kept_as_it_came_and_takes_less_room_once_it_is_routed(store: Store, size: int) -> None:
    new = delivery(body=b"a" * size)
    put(store, new)
    kept = store.inbox.get(new.guid)
    assert kept.body == new.body
    store.routing.record([Decision(kept, "ignored")])
    routed = store.inbox.get(new.guid)
    assert (routed.body, routed.state) == (new.body, "ignored")
    with store.database.read() as connection:
        column = connection.execute(select(inbox.c.body).where(inbox.c.guid == new.guid)).scalar_one()
    assert len(column) < max(size / 5, 20)
    assert zlib.decompress(column) == new.body


def test_R7_a_redelivery_that_cannot_be_looked_up_takes_no_new_one_with_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, delivery("known"))

    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("bot.store.run_lifecycle.after_redelivery", broken)
    known, new = store.inbox.put(delivery("known")), store.inbox.put(delivery("new"))
    assert isinstance(known.exception(30), StoreUnavailable)
    assert new.result(30) is True
    monkeypatch.undo()
    assert put(store, delivery("known"), delivery("new")) == [False, False]


def test_undispatched_gives_whole_deliveries_oldest_first_within_a_size(store: Store) -> None:
    big = [delivery(body=b"x" * (5 << 20)) for _ in range(3)]
    put(store, *big)
    assert [each.guid for each in store.inbox.undispatched()] == [big[0].guid]
    store.routing.record([Decision(store.inbox.get(big[0].guid), "ignored")])
    assert [each.guid for each in store.inbox.undispatched()] == [big[1].guid]
    assert store.inbox.counts() == {"new": 2, "ignored": 1}


def test_W6_a_redelivery_revives_dead_runs_once_and_leaves_done_ones(store: Store) -> None:
    dead, done = queued(store, spec("a"), spec("b", "12#4"))
    store.runs.finish(claimed(store, dead), "dead", "it could not be")
    store.runs.finish(claimed(store, done), "done")
    redelivery = delivery(dead.delivery)
    assert put(store, *[redelivery] * 100) == [False] * 100
    revived = again(store, dead)
    assert (revived.state, revived.revivals, again(store, done).state) == ("queued", 1, "done")
    store.runs.finish(claimed(store, revived), "dead", "still not")
    put(store, redelivery)
    assert again(store, dead).state == "dead"
    assert store.runs.revive(dead.id)
    assert not store.runs.revive(dead.id)
    assert again(store, dead).state == "queued"


def test_purge_takes_settled_deliveries_only(store: Store) -> None:
    old = time.time() - 100
    (settled,) = queued(store, received_at=old)
    store.runs.finish(claimed(store, settled), "done")
    (waiting,) = queued(store, received_at=old)
    unrouted, fresh = delivery(received_at=old), delivery()
    put(store, unrouted, fresh)
    assert (store.purge(time.time() - 50), store.purge(time.time() - 50)) == (1, 0)
    with store.database.read() as connection:
        left = set(connection.scalars(select(inbox.c.guid)))
    assert left == {waiting.delivery, unrouted.guid, fresh.guid}
    assert store.runs.get(settled.id) is None


def test_W5_a_replay_after_the_purge_finds_the_effect_done(store: Store) -> None:
    (run,) = queued(store, received_at=time.time() - 100)
    mine = claimed(store, run)
    store.outbox.plan(mine, [NewEffect("k1", "Comment", "{}")])
    assert store.outbox.start_sending("k1", mine)
    store.outbox.done("k1", "https://github.example/1", 5)
    store.runs.finish(mine, "done")
    assert store.purge(time.time()) == 1
    assert queued(store, guid=run.delivery) == []  # the run is known though its delivery is not
    (other,) = queued(store)  # the same event under another GUID
    (row,) = store.outbox.plan(claimed(store, other), [NewEffect("k1", "Comment", "{}")])
    assert (row.state, row.url) == ("done", "https://github.example/1")
    assert not store.outbox.start_sending("k1", again(store, other))
    with store.database.read() as connection:
        assert connection.execute(select(func.count()).select_from(outbox)).scalar_one() == 1
        assert connection.execute(select(func.count()).select_from(runs)).scalar_one() == 2


def test_R7_a_full_sqlite_disk_is_said_and_recovered_from(tmp_path: Path, template: Path) -> None:
    """`max_page_count` gives the same SQLITE_FULL as a disk without room."""
    store = open_store(copy_of(template, tmp_path))
    pages = 0

    def limit(connection: object, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count={pages or 4294967294}").close()  # type: ignore[attr-defined]

    event.listen(store.database.engine, "checkout", lambda conn, rec, _proxy: limit(conn, rec))
    put(store, delivery("before"))
    with store.database.read() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one() + 3
    futures = [store.inbox.put(delivery(f"full-{n}", body=os.urandom(100_000))) for n in range(3)]
    for future in futures:
        with pytest.raises(StoreUnavailable, match="full"):
            future.result(30)
    pages = 0
    assert put(store, delivery("full-1"), delivery("after")) == [True, True]
    with store.database.read() as connection:
        assert set(connection.scalars(select(inbox.c.guid))) == {"before", "full-1", "after"}
    store.close()


FULL_FILE = """
import os, resource, signal, sys
from bot.store import open_store
from tests.store.making import delivery
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = open_store(sys.argv[1])
store.inbox.put(delivery("before")).result(30)
unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, unlimited[1]))
told = [store.inbox.put(delivery(f"g{n}", body=os.urandom(200_000))).exception(30) for n in range(4)]
print(type(told[-1]).__name__)
resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
print(store.inbox.put(delivery("after", body=b"x" * 400_000)).result(30))
print(sum(error is None for error in told), store.inbox.counts())
store.close()
"""


def test_R7_a_write_ahead_log_that_may_not_grow_is_said_and_recovered_from(
    tmp_path: Path, template: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL_FILE, copy_of(template, tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    error, after, counts = done.stdout.splitlines()
    assert (error, after) == ("StoreUnavailable", "True")
    stored, _, found = counts.partition(" ")
    assert found == f"{{'new': {int(stored) + 2}}}"


def test_R7_a_locked_database_is_said_and_recovered_from(tmp_path: Path, template: Path) -> None:
    url = copy_of(template, tmp_path)
    store, other = open_store(url), open_store(url)
    with other.database.write(), pytest.raises(StoreUnavailable, match="locked"):
        store.inbox.put(delivery()).result(30)
    assert put(store, delivery()) == [True]
    store.close()
    other.close()


def test_R7_a_stopped_postgresql_is_said_and_recovered_from() -> None:
    cluster = Cluster()
    cluster.start()
    try:
        url = cluster.new_database()
        migrate(url)
        store = open_store(url)
        put(store, delivery("before"))
        cluster.stop()
        with pytest.raises(StoreUnavailable):
            store.inbox.put(delivery("lost")).result(30)
        cluster.start()
        assert put(store, delivery("after")) == [True]
        assert store.inbox.counts() == {"new": 2}
        store.close()
    finally:
        cluster.remove()


def test_what_waits_is_stored_at_the_end_and_nothing_is_taken_after(store: Store) -> None:
    futures = [store.inbox.put(delivery()) for _ in range(50)]
    store.inbox.close()
    assert all(future.result(0) for future in futures)
    with pytest.raises(StoreUnavailable):
        store.inbox.put(delivery()).result(0)
