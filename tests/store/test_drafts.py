"""Drafts on both databases."""

import time
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import update

from bot.core.drafts import MOST
from bot.core.refs import RepoRef
from bot.store import Store
from bot.store import drafts as module
from bot.store.tables import drafts

TEA = RepoRef("octo", "tea", id=12, installation=7)
CUP = RepoRef("octo", "cup", id=13, installation=7)


def keep(store: Store, repo: RepoRef = TEA, number: int = 1, body: str = "b", about: str = "triage") -> None:
    with store.database.write() as connection:
        store.drafts.keep(connection, repo, number, body, about)


def numbers(store: Store, repo: RepoRef = TEA) -> list[int]:
    return [one.n for one in store.drafts.waiting(repo.id)]


def drop(store: Store, n: int) -> None:
    with store.database.write() as connection:
        store.drafts.drop(connection, TEA.id, n)


def test_what_is_kept_reads_back_and_what_is_settled_is_gone_for_good(store: Store) -> None:
    keep(store, body="text\0 \ud800 🫖")
    keep(store, number=2, about="x" * 100)
    keep(store, CUP)
    (first, second) = store.drafts.waiting(TEA.id)
    assert (first.repo, first.number, first.about, first.body) == (TEA, 1, "triage", "text ? 🫖")
    assert second.about == "x" * 40
    assert store.drafts.count() == 3
    drop(store, 2)
    assert store.drafts.count() == 2
    assert store.drafts.get(TEA.id, 2) is None
    assert not store.drafts.rewrite(TEA.id, 2, "new")
    keep(store, number=2)
    assert numbers(store) == [1, 3]
    assert numbers(store, CUP) == [1]
    with store.database.read() as connection:
        assert (
            b"x" not in repr(connection.execute(drafts.select().where(drafts.c.n == 2)).one().body).encode()
        )


def test_no_number_is_given_twice_by_many_at_once(store: Store) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: keep(store, number=number), range(1, 25)))
    assert sorted(numbers(store)) == list(range(1, 25))


def test_no_more_wait_than_there_is_room_for(store: Store) -> None:
    with store.database.write() as connection:
        for number in range(1, MOST + 3):
            store.drafts.keep(connection, TEA, number, "b", "triage")
    assert len(numbers(store)) == MOST
    assert numbers(store)[0] == 3


def test_settled_ones_are_purged_and_their_numbers_stay_used(store: Store) -> None:
    for number in (1, 2, 3):
        keep(store, number=number)
    drop(store, 2)
    drop(store, 3)
    with store.database.write() as connection:
        connection.execute(update(drafts).values(at=time.time() - 1000))
    store.purge(time.time() - 500)
    with store.database.read() as connection:
        left = list(connection.execute(drafts.select().order_by(drafts.c.n)).mappings())
    assert [(row["n"], row["state"]) for row in left] == [(1, "waiting"), (3, "dropped")]
    keep(store, number=4)
    assert numbers(store) == [1, 4]


def test_K2_they_go_with_the_account_and_others_stay(store: Store) -> None:
    keep(store)
    keep(store, CUP)
    store.forget({TEA.id}, ["octo/tea"])
    assert (numbers(store), numbers(store, CUP)) == ([], [1])
    assert module.MOST_ABOUT == 40
