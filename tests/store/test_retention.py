"""What is kept of repositories goes; nothing of others does."""

from sqlalchemy import select

from bot.core.memory import Lesson, Memory
from bot.core.refs import Login
from bot.store import Store
from bot.store.tables import inbox
from tests.store.making import NewEffect, again, claimed, delivery, put, queued, spec

LESSON = Lesson("convention", "Never print.", Login("ann"), 3)


def guids(store: Store) -> set[str]:
    with store.database.read() as connection:
        return set(connection.execute(select(inbox.c.guid)).scalars())


def test_K2_runs_end_and_deliveries_go_of_the_repository_only(store: Store) -> None:
    (waiting,) = queued(store, spec("a.a", "12#1"), guid="waiting")
    (working,) = queued(store, spec("a.b", "12#2"), guid="working")
    (other,) = queued(store, spec("a.a", "13#1"), guid="other", repo_id=13, installation_id=8)
    held = claimed(store, working)
    (asking,) = queued(store, spec("a.c", "installation 7"), guid="asking")
    store.memory.add(12, "x/y", [Memory(0, LESSON, 1.0, None)])
    assert store.forget({12}, guid="asking") == 2
    assert store.memory.all(12), "the same people may come back"
    assert again(store, waiting).state == "superseded"
    assert store.runs.heartbeat(held) == "superseded"
    assert again(store, other).state == "queued"
    assert again(store, asking).state == "queued"
    assert guids(store) == {"other", "asking"}


def test_K2_a_whole_installation_goes_with_its_settings_and_its_effects_stay_named(store: Store) -> None:
    (run,) = queued(store, guid="one")
    run = claimed(store, run)
    store.outbox.plan(run, [NewEffect("k" * 40, "Comment", "{}")])
    queued(store, guid="two", repo_id=None, installation_id=7)
    queued(store, guid="other", repo_id=13, installation_id=8)
    for scope, name in (("repo", "Octo/Hello"), ("org", "octo"), ("org", "others"), ("user", "octo")):
        store.settings.change(scope, name, lambda _: {"language": "de"})  # type: ignore[arg-type]
    for repo_id in (12, 13):
        store.memory.add(repo_id, "x/y", [Memory(0, LESSON, 1.0, None)])
    assert store.repositories(7) == {12}
    assert store.forget({12}, ["octo", "octo/hello"], 7, "asking") == 2
    assert guids(store) == {"other"}
    assert [row.key for row in store.outbox.rows(run.id)] == ["k" * 40]
    assert store.settings.get("repo", "octo/hello") == {}
    assert store.settings.get("org", "octo") == {}
    assert (store.memory.all(12), len(store.memory.all(13))) == ([], 1)
    assert store.settings.get("org", "others")
    assert store.settings.get("user", "octo")


def test_K2_a_delivery_that_was_not_routed_yet_is_left_to_be_routed(store: Store) -> None:
    put(store, delivery("new"))
    assert store.forget({12}) == 0
    assert guids(store) == {"new"}
