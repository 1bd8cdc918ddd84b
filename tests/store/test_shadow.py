"""Effects that are kept and never sent."""

from bot.store import Store
from bot.store.stats import repositories, shadowed
from tests.store.making import NewEffect, claimed, queued

KEPT = [NewEffect("k1", "PostReview", '{"a": 1}'), NewEffect("k2", "SetCheck", "{}")]
EVER = 4_000_000_000.0


def test_what_is_kept_is_never_sent_and_stands_in_no_list_of_what_was_done(store: Store) -> None:
    run = claimed(store, queued(store)[0])
    rows = store.outbox.plan(run, KEPT, shadow=True)
    assert [row.state for row in rows] == ["shadow", "shadow"]
    assert not store.outbox.start_sending("k1", run)
    assert not store.outbox.commit("k2", run, lambda _: None)
    assert store.outbox.for_target(12, 3) == []
    assert [row.key for row in store.outbox.for_target(12, 3, state="shadow")] == ["k1", "k2"]


def test_it_is_told_by_repository_and_time(store: Store) -> None:
    run = claimed(store, queued(store)[0])
    store.outbox.plan(run, KEPT, shadow=True)
    (repo,) = repositories(store.database, 0, EVER)
    found = shadowed(store.database, repo.upper(), 0, EVER)
    assert [(one.number, one.kind, one.payload) for one in found] == [
        (3, "PostReview", '{"a": 1}'),
        (3, "SetCheck", "{}"),
    ]
    assert shadowed(store.database, "octo/other", 0, EVER) == []
    assert repositories(store.database, 0, 1) == shadowed(store.database, repo, EVER, EVER + 1) == []
