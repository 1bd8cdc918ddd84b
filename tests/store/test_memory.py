"""What people taught Hob, on both databases."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import pytest

from bot.core.conventions import Count, Evidence, evidence_of, lesson_of
from bot.core.effects import Forget, Remember
from bot.core.errors import Superseded, UserError
from bot.core.findings import Finding
from bot.core.memory import Lesson, Memory, MemoryKind, dismissal
from bot.core.refs import Login, RepoRef
from bot.effects.memory import OfForget, OfRemember
from bot.store import Store, open_store
from bot.store import memory as room
from tests.store.making import NewEffect, claimed, delivery, put, queued

TEA = RepoRef("Octo", "Tea", id=12, installation=1)


def lesson(text: str = "Never print.", **more: object) -> Lesson:
    return Lesson(**{"kind": "convention", "text": text, "author": Login("ann"), "number": 3, **more})  # type: ignore[arg-type]


def memory(text: str = "Never print.", at: float = 1000.5, expires: float | None = None) -> Memory:
    return Memory(0, lesson(text), at, expires)


POINT = dismissal(
    Finding("é\0.py", "major", "bug", "T\0itle", "b", quote="x = y + 1"), "by\0 design", Login("tom"), 7
)


def test_each_repository_counts_for_itself_and_gives_no_number_twice(store: Store) -> None:
    assert store.memory.add(12, "Octo/Tea", [memory("one"), memory("two")]) == 2
    assert store.memory.add(13, "octo/cups", [memory("other")]) == 1
    assert store.memory.forget(12, 2)
    assert not store.memory.forget(12, 2)
    store.memory.add(12, "octo/tea", [memory("three")])
    assert [(one.n, one.lesson.text) for one in store.memory.live(12)] == [(1, "one"), (3, "three")]
    assert [one.n for one in store.memory.live(13)] == [1]


def test_a_dismissal_comes_back_as_it_was_without_what_databases_refuse(store: Store) -> None:
    store.memory.add(12, "octo/tea", [Memory(0, POINT, 1000.5, None)])
    (kept,) = store.memory.all(12)
    assert kept == Memory(1, replace(POINT, path="é.py", title="Title", text="by design"), 1000.5, None)


def test_what_is_said_again_is_renewed_under_its_number(store: Store) -> None:
    store.memory.add(12, "octo/tea", [Memory(0, POINT, 1.0, None), memory("Never  print.")])
    again = replace(POINT, text="still by design", number=9)
    assert store.memory.add(12, "octo/tea", [Memory(0, again, 2.0, None), memory("never print.")]) == 0
    first, second = store.memory.all(12)
    assert (first.n, first.lesson.text, first.at) == (1, "still by design", 2.0)
    assert (second.n, second.lesson.text) == (2, "never print.")


def test_what_has_expired_counts_no_more_and_goes_with_the_next_lesson(store: Store) -> None:
    store.memory.add(12, "octo/tea", [memory("old", expires=time.time() + 60)])
    assert len(store.memory.live(12)) == 1
    with store.database.write() as connection:
        connection.exec_driver_sql("UPDATE memory SET expires = 1000")
    assert store.memory.live(12) == []
    assert len(store.memory.all(12)) == 1
    store.memory.add(12, "octo/tea", [memory("new")])
    assert [one.lesson.text for one in store.memory.all(12)] == ["new"]


def test_it_is_bounded_and_all_or_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST", 3)
    store.memory.add(12, "octo/tea", [memory("1"), memory("2")])
    with pytest.raises(UserError, match="all there is room for"):
        store.memory.add(12, "octo/tea", [memory("3"), memory("4")])
    assert len(store.memory.all(12)) == 2


def test_it_is_deleted_with_the_installation(store: Store) -> None:
    store.memory.add(12, "octo/tea", [memory("1"), memory("2")])
    store.memory.add(13, "octo/cups", [memory("1")])
    store.forget([12], ["octo/tea"], 0, "")
    assert store.memory.all(12) == []
    assert store.memory.repo_id("octo/tea") is None
    assert len(store.memory.all(13)) == 1


def test_a_repository_is_found_by_its_name_in_any_case(store: Store) -> None:
    assert store.memory.repo_id("octo/tea") is None
    store.memory.add(12, "Octo/Tea", [memory()])
    assert store.memory.repo_id("OCTO/tea") == 12
    put(store, delivery(repo="Octo/Cups", repo_id=77))
    assert store.memory.repo_id("octo/cups") == 77


def test_lessons_of_many_processes_get_a_number_each(url: str) -> None:
    stores = [open_store(url) for _ in range(4)]

    def teach(number: int) -> None:
        for each in range(5):
            stores[number].memory.add(12, "octo/tea", [memory(f"{number} {each}")])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(teach, range(4)))
    assert [one.n for one in stores[0].memory.all(12)] == list(range(1, 21))
    for one in stores:
        one.close()


def test_R1_an_effect_on_memory_and_its_done_are_one_transaction(store: Store) -> None:
    (run,) = queued(store)
    run = claimed(store, run)
    (row,) = store.outbox.plan(run, [NewEffect("aa", "Remember", "{}")])
    effect = Remember(lesson(), days=2)
    teach = partial(OfRemember().change, effect, store, TEA)

    def dies(connection: object) -> None:
        teach(connection)  # type: ignore[arg-type]
        raise RuntimeError("killed here")

    with pytest.raises(RuntimeError):
        store.outbox.commit(row.key, run, dies)
    assert store.memory.all(12) == []
    assert [one.state for one in store.outbox.rows(run.id)] == ["planned"]

    assert store.outbox.commit(row.key, run, teach)
    assert not store.outbox.commit(row.key, run, teach)
    (kept,) = store.memory.all(12)
    assert kept.expires is not None
    assert abs(kept.expires - time.time() - 2 * 86_400) < 60
    assert [one.state for one in store.outbox.rows(run.id)] == ["done"]


def test_R13_a_worker_that_lost_its_lease_teaches_nothing(store: Store) -> None:
    (run,) = queued(store)
    old = claimed(store, run)
    store.outbox.plan(old, [NewEffect("aa", "Forget", "{}")])
    store.memory.add(12, "octo/tea", [memory()])
    with store.database.write() as connection:
        connection.exec_driver_sql("UPDATE leases SET fence = fence + 1")  # as whoever takes over does
    with pytest.raises(Superseded):
        store.outbox.commit("aa", old, partial(OfForget().change, Forget(1), store, TEA))
    assert len(store.memory.all(12)) == 1


def learned(kind: MemoryKind = "candidate", right: int = 6, spoken: int = 8, **more: object) -> Lesson:
    seen = Evidence("src/**/*.py", ("print",), "remark", Count(9, 10), Count(right, spoken))
    return replace(lesson_of(seen, "Never print.", Login("my-hob")), kind=kind, **more)  # type: ignore[arg-type]


def test_what_was_learned_is_offered_once_and_what_a_person_made_of_it_stays(store: Store) -> None:
    assert store.memory.offer(12, "octo/tea", [learned()]) == 1
    assert store.memory.offer(12, "octo/tea", [learned(right=7, text="Other words.")]) == 0
    (one,) = store.memory.live(12)
    assert (one.lesson.kind, one.lesson.text) == ("candidate", "Never print.")
    assert evidence_of(one.lesson).newer == Count(7, 8)  # type: ignore[union-attr]
    assert store.memory.decide(12, 1, "declined")
    assert not store.memory.decide(12, 1, "declined")
    assert not store.memory.decide(12, 2, "convention")
    store.memory.offer(12, "octo/tea", [learned()])
    assert [one.lesson.kind for one in store.memory.live(12)] == ["declined"]
    assert store.memory.decide(12, 1, "convention")
    assert store.memory.offer(12, "octo/tea", [learned(right=1)]) == 0
    assert [one.lesson.kind for one in store.memory.live(12)] == ["retired"]


def test_a_convention_ends_with_the_dismissals_that_contradict_it(store: Store) -> None:
    store.memory.add(
        12, "octo/tea", [Memory(0, learned("convention", right=6, spoken=11), 1.0), memory("Mine.")]
    )
    point = Finding("src/a.py", "major", "bug", "Prints", "b", quote="print(x)")
    for n, kind in enumerate(("convention", "retired")):
        against = dismissal(replace(point, quote=f"print(x{n}, y)"), "by design", Login("tom"), n + 1)
        other = dismissal(replace(point, path=f"lib/a{n}.py"), "by design", Login("tom"), n + 1)
        assert store.memory.add(12, "octo/tea", [Memory(0, against, 2.0), Memory(0, other, 2.0)]) == 2
        store.memory.add(12, "octo/tea", [Memory(0, against, 3.0)])
        assert [one.lesson.kind for one in store.memory.live(12)][:2] == [kind, "convention"]
