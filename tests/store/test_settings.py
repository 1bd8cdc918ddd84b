"""Stored settings and traces, on both databases."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.core.inference import ModelCall
from bot.store import Store, open_store
from tests.store.making import queued


def test_settings_are_kept_by_scope_and_name_in_any_case(store: Store) -> None:
    store.settings.change("repo", "Octo/Tea", lambda _: {"language": "de", "review.auto": False})
    store.settings.change("user", "octo/tea", lambda _: {"language": "fr"})
    assert store.settings.get("repo", "octo/TEA") == {"language": "de", "review.auto": False}
    assert store.settings.get("org", "octo/tea") == {}


def test_a_change_replaces_all_and_what_it_raises_changes_nothing(store: Store) -> None:
    store.settings.change("org", "octo", lambda _: {"language": "de", "archives": ["octo/é"]})
    store.settings.change("org", "octo", lambda was: {"archives": [*was["archives"], "octo/cups"]})
    assert store.settings.get("org", "octo") == {"archives": ["octo/é", "octo/cups"]}

    def refuse(_: object) -> dict[str, object]:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        store.settings.change("org", "octo", refuse)
    assert store.settings.get("org", "octo") == {"archives": ["octo/é", "octo/cups"]}


def test_changes_of_many_processes_come_one_after_the_other(url: str) -> None:
    stores = [open_store(url) for _ in range(4)]

    def count(number: int) -> None:
        for _ in range(5):
            stores[number].settings.change("repo", "octo/tea", lambda was: {"n": was.get("n", 0) + 1})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count, range(4)))
    assert stores[0].settings.get("repo", "octo/tea") == {"n": 20}
    for one in stores:
        one.close()


def call(**changes: object) -> ModelCall:
    fields = {"at": time.time(), "prompt": "review", "role": "review", "host": "mini", "model": "small:1b"}
    return ModelCall(**fields | changes)  # type: ignore[arg-type]


def test_calls_are_kept_with_their_run_and_summed_up(store: Store) -> None:
    (run,) = queued(store)
    first = call(tokens_in=100, tokens_out=20, seconds=2.0, first_token_seconds=0.5, left_out=("a\0.py",))
    store.calls.add(run.id, "octo/tea", [first, call(failure="gave no usable answer\0", seconds=1.0)])
    store.calls.add(None, "octo/tea", [call(tokens_in=50, tokens_out=10, seconds=1.0, cost_usd=0.25)])
    stored = store.calls.of_run(run.id)
    assert [one.left_out for one in stored] == [("a.py",), ()]
    assert [one.failure for one in stored] == ["", "gave no usable answer"]
    answers, failures = store.calls.totals()
    assert (answers.outcome, answers.calls, answers.tokens_in, answers.tokens_out) == ("answer", 2, 150, 30)
    assert (answers.seconds, answers.first_token_seconds, answers.cost_usd) == (3.0, 0.5, 0.25)
    assert (failures.outcome, failures.calls, failures.seconds) == ("failure", 1, 1.0)


def test_old_calls_go_and_the_sums_stay(store: Store) -> None:
    store.calls.add(7, "octo/tea", [call(at=1000.0, tokens_in=5)])
    store.purge(2000.0)
    assert store.calls.of_run(7) == []
    assert [one.tokens_in for one in store.calls.totals()] == [5]
