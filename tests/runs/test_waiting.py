"""A review that waits for a model host says so on the pull request."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bot.store.runs import MAX_ATTEMPTS
from tests.living import LivingHob, until
from tests.runs.test_review import opened, reviews, teahouse
from tests.tea import BROKEN, finding

LONG = 40_000
"""Tokens: more than a minute by the guess for a host that was never asked."""


@asynccontextmanager
async def busy(hob: LivingHob) -> AsyncIterator[None]:
    """Somebody else holds the only place of the only host."""
    candidates = (await hob.services.pool.candidates("review", hob.services.config.models.review)).candidates
    async with hob.services.pool.place(candidates, 0, LONG):
        yield


async def test_one_check_run_says_that_it_waits_and_becomes_the_result(hob: LivingHob) -> None:
    hob.ollama.answer = reviews(finding())
    async with busy(hob):
        pull = opened(hob)
        working = asyncio.create_task(hob.works())
        await until(lambda: pull.check_runs)
        (check,) = pull.check_runs
        assert (check.status, check.conclusion) == ("queued", None)
        assert check.title == "Waiting for a model: next in line, about 2 minutes"
    await working
    (same,) = pull.check_runs
    assert (same.id, same.status, same.conclusion) == (check.id, "completed", "neutral")
    assert same.title == "1 finding in 1 of 1 files"
    assert len(hob.github.writes()) == 3


async def test_a_look_for_holes_alone_says_that_it_waits_too(hob: LivingHob) -> None:
    repo = teahouse(hob, **{".github/hob.yml": "review: {auto: false}\n"})
    repo.grant("tom", "triage")
    pull = repo.open_pull_request("Brew", {"tea.py": BROKEN}, author="ann")
    await hob.works()
    async with busy(hob):
        pull.comment("tom", "@my-hob review security")
        working = asyncio.create_task(hob.works())
        await until(lambda: len(pull.check_runs) > 1)
        assert pull.check_runs[-1].title == "Waiting for a model: next in line, about 2 minutes"
    await working
    assert [check.status for check in pull.check_runs] == ["completed"] * 2


async def test_nothing_is_said_where_a_host_is_free(hob: LivingHob) -> None:
    pull = opened(hob)
    await hob.works()
    assert [check.status for check in pull.check_runs] == ["completed"]
    assert len(hob.github.writes()) == 1


async def test_A1_who_may_not_ask_has_nothing_said_of_waiting(hob: LivingHob) -> None:
    pull = opened(hob)
    await hob.works()
    before = [(check.id, check.status, check.title) for check in pull.check_runs]
    async with busy(hob):
        pull.comment("eve", "@my-hob review")
        await hob.works()
        pull.close("ann")
        pull.reopen("ann")
        await hob.works()
    assert [(check.id, check.status, check.title) for check in pull.check_runs] == before


async def test_N5_a_newer_head_ends_the_waiting_of_the_older(hob: LivingHob) -> None:
    async with busy(hob):
        pull = opened(hob)
        working = asyncio.create_task(hob.works())
        await until(lambda: pull.check_runs)
        pull.push({"tea.py": BROKEN + "# more\n"})
    await working
    first, second = pull.check_runs
    assert (first.status, first.conclusion) == ("completed", "neutral")
    assert (first.title or "").startswith("Not reviewed: the head moved on")
    assert (second.head_sha, second.status, second.conclusion) == (pull.head_sha, "completed", "success")


async def test_R1_after_a_restart_the_same_check_run_is_completed(hob: LivingHob) -> None:
    async with busy(hob):
        pull = opened(hob)
        working = asyncio.create_task(hob.works())
        await until(lambda: pull.check_runs)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    await hob.works()
    (check,) = pull.check_runs
    assert (check.status, check.conclusion) == ("completed", "success")


async def test_a_review_that_never_comes_ends_its_waiting(hob: LivingHob) -> None:
    hob.ollama.answer = reviews(finding())
    hob.github.fault("POST", r"/pulls/\d+/reviews$", kind="answer", status=502, times=99)
    async with busy(hob):
        pull = opened(hob)
        working = asyncio.create_task(hob.works())
        await until(lambda: pull.check_runs)
    await working
    assert [check.status for check in pull.check_runs] == ["queued"]
    for _ in range(MAX_ATTEMPTS - 1):
        await hob.retries()
    (check,) = pull.check_runs
    assert (check.status, check.conclusion) == ("completed", "neutral")
    assert (check.title or "").startswith("Not reviewed: ")
    assert "dead" in [run.state for run in hob.services.store.runs.latest(9)]


async def test_shadow_reviews_wait_in_silence(hob: LivingHob) -> None:
    repo = teahouse(hob, **{".github/hob.yml": "review: {shadow: true}\n"})
    async with busy(hob):
        pull = repo.open_pull_request("Brew", {"tea.py": BROKEN}, author="ann")
        working = asyncio.create_task(hob.works())
        await until(
            lambda: (
                len(hob.ollama.requests) > 0
                and any(one.path.endswith("/files") for one in hob.github.requests)
            )
        )
    await working
    assert pull.check_runs == []


async def test_waiting_that_comes_to_nothing_hides_no_judgement(
    hob: LivingHob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.runs.pending_check.WORTH_SAYING", 0.0)  # the host is known to be quick by then
    hob.ollama.answer = reviews(finding(severity="critical"))
    repo = teahouse(hob, **{".github/hob.yml": "review: {request_changes: true}\n"})
    pull = repo.open_pull_request("Brew", {"tea.py": BROKEN}, author="ann")
    await hob.works()
    judged = pull.check_runs[-1]
    assert judged.conclusion == "failure"
    async with busy(hob):
        repo.grant("mona", "admin")
        pull.comment("mona", "@my-hob review full")
        working = asyncio.create_task(hob.works())
        await until(lambda: pull.check_runs[-1].status == "queued")
        pull.close("ann")
        await hob.works()
    await working
    newest = max(pull.check_runs, key=lambda check: check.id)
    assert newest.id != judged.id
    assert (newest.status, newest.conclusion, newest.title) == ("completed", "failure", judged.title)
