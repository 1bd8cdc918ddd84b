"""A repository with many events holds up no other, and a person who asks without end nobody else."""

from bot.store import Store
from bot.store.routing import MOST_WAITING, OF_ONE_PERSON
from tests.store.making import queued, spec


def ask(store: Store, number: int, sender: str, **changes: object) -> str:
    (run,) = queued(store, spec("@ask", f"12#3/{number}", priority="high"), sender=sender, **changes)
    return run.priority


def test_A4_a_stranger_who_asks_without_end_puts_only_himself_into_the_background(store: Store) -> None:
    flood = [ask(store, number, "mallory") for number in range(3 * MOST_WAITING)]
    assert flood == ["high"] * MOST_WAITING + ["low"] * (2 * MOST_WAITING)
    few = [ask(store, 100 + number, "tom") for number in range(OF_ONE_PERSON + 2)]
    assert few == ["high"] * OF_ONE_PERSON + ["low"] * 2
    assert ask(store, 200, "ann") == "high"


def test_A4_many_strangers_put_no_maintainer_into_the_background(store: Store) -> None:
    for number in range(3 * MOST_WAITING):
        ask(store, number, f"mallory-{number // OF_ONE_PERSON}")
    assert [ask(store, 100 + number, "tom") for number in range(3)] == ["high"] * 3


def test_what_a_person_asks_elsewhere_is_not_counted_here(store: Store) -> None:
    for number in range(2 * MOST_WAITING):
        ask(store, number, "tom", repo_id=13)
    assert ask(store, 100, "tom") == "high"
