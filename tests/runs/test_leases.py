"""A worker that may have lost its run writes nothing more, and the run is not lost with it."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.store import StoreUnavailable, heartbeat
from bot.store.outbox import Outbox
from bot.testing.github.pulls import PullRequest
from tests.living import LivingHob, by_schema
from tests.tea import BROKEN, finding


def opened(hob: LivingHob) -> PullRequest:
    hob.ollama.answer = by_schema(review={"findings": [finding()], "summary": "x"})
    repo = hob.github.repository("octo/tea", private=True, files={"tea.py": "x = 1\n"})
    return repo.open_pull_request("Brew", {"tea.py": BROKEN}, author="ann")


def states(hob: LivingHob) -> set[str]:
    runs = hob.services.store.runs.latest(100)
    return {run.state for run in runs if run.handler == "pull_requests.judge"}


async def test_R1_a_worker_that_stood_still_past_its_lease_sends_nothing(
    hob: LivingHob, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull = opened(hob)
    right, step, gone = heartbeat.elapsed, Outbox.start_sending, [0.0]

    def stands_still(*given: Any) -> bool:
        found = step(*given)
        gone[0] += 60.0
        return found

    monkeypatch.setattr(heartbeat, "elapsed", lambda: right() + gone[0])
    monkeypatch.setattr(Outbox, "start_sending", stands_still)
    before = len(hob.github.writes())
    await hob.works(limit=3)
    assert [one.path for one in hob.github.writes()[before:] if "/git" not in one.path] == []
    assert (pull.reviews, pull.check_runs) == ([], [])
    assert states(hob) == {"queued"}
    monkeypatch.undo()
    await hob.works()
    await hob.retries()
    assert (len(pull.reviews), len(pull.check_runs), states(hob)) == (1, 1, {"done"})


async def test_R7_a_database_that_was_away_for_longer_than_a_lease_loses_no_run(
    hob: LivingHob, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker cannot know whether another has the run; where none has, it is done again."""
    pull = opened(hob)
    runs = hob.services.store.runs
    config = hob.services.config
    quick = config.queue.model_copy(update={"lease_seconds": 0.3})
    hob.services = replace(hob.services, config=config.model_copy(update={"queue": quick}))

    def away(*_: Any) -> Any:
        raise StoreUnavailable("the disk is away")

    answer: Callable[..., Any] = hob.ollama.answer  # type: ignore[assignment]

    async def slow(stage: Any) -> None:
        await asyncio.sleep(2.0)

    hob.ollama.says(slow)
    monkeypatch.setattr(runs.heartbeat_thread, "_beat", away)
    await hob.works(limit=3)
    assert states(hob) == {"queued"}
    monkeypatch.undo()
    hob.ollama.answer = answer
    await hob.retries()
    await hob.works()
    assert (len(pull.reviews), len(pull.check_runs), states(hob)) == (1, 1, {"done"})
