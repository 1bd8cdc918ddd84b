"""Machines are upgraded one by one: what a newer version began waits for it, and no older one
spoils it."""

import time
from dataclasses import replace

import pytest

from bot.core.effects import Plan
from bot.core.events import PullRequestOpened
from bot.router import Router
from bot.runs import effect_policy
from bot.runs.execute import UPGRADE_SECONDS, perform_in
from bot.store import Run
from tests.living import LivingHob, by_schema
from tests.tea import BROKEN, finding

NEW = "runs-elsewhere"


async def run_of(hob: LivingHob, handler: str) -> Run:
    repo = hob.github.repository("octo/tea", private=True, files={"tea.py": "x = 1\n"})
    repo.open_pull_request("P", {"tea.py": BROKEN}, author="ann")
    hob.ollama.answer = by_schema(review={"findings": [finding()], "summary": ""})
    runs = await hob.works(perform=False)
    found = next(run for run in runs if run.handler == "pull_requests.judge")
    rename(hob, found, handler)
    return found


def rename(hob: LivingHob, run: Run, handler: str) -> None:
    with hob.services.store.database.write() as connection:
        connection.exec_driver_sql(
            f"UPDATE runs SET handler = '{handler}', not_before = 0 WHERE id = {run.id}"
        )


def age(hob: LivingHob, run: Run) -> None:
    with hob.services.store.database.write() as connection:
        made = time.time() - UPGRADE_SECONDS - 1
        connection.exec_driver_sql(f"UPDATE runs SET created_at = {made}, not_before = 0 WHERE id = {run.id}")


def now(hob: LivingHob, run: Run) -> Run:
    found = hob.services.store.runs.get(run.id)
    assert found
    return found


async def test_R15_a_run_for_a_handler_of_a_newer_version_waits_for_a_worker_that_has_it(
    hob: LivingHob,
) -> None:
    run = await run_of(hob, NEW)
    for _ in range(12):  # more often than an attempt is made
        rename(hob, run, NEW)
        await perform_in(hob.services, run.id)
        assert (now(hob, run).state, now(hob, run).attempts) == ("queued", 0)
        assert now(hob, run).error == f"this version has no handler named {NEW}"
    router = Router()
    seen: list[str] = []

    @router.on(PullRequestOpened, may=(), name=NEW)
    async def elsewhere(event: PullRequestOpened, ctx: object) -> Plan:
        seen.append(event.delivery)
        return Plan(reason="done by the newer version")

    rename(hob, run, NEW)
    await perform_in(replace(hob.services, router=router), run.id)
    assert now(hob, run).state == "done"
    assert seen == [run.delivery]


async def test_what_no_version_does_any_more_ends_after_an_hour(hob: LivingHob) -> None:
    run = await run_of(hob, NEW)
    age(hob, run)
    await perform_in(hob.services, run.id)
    assert now(hob, run).state == "dead"
    assert now(hob, run).summary == f"this version has no handler named {NEW}"


async def test_R1_an_effect_of_a_newer_version_waits_and_what_was_sent_is_not_sent_again(
    hob: LivingHob, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newer worker dies after it has stored its plan; an older one takes the run over."""
    run = await run_of(hob, "pull_requests.judge")
    (repo,) = hob.github.repositories.values()
    (pull,) = repo.pulls
    with monkeypatch.context() as patch:
        patch.delitem(effect_policy.KINDS, "SetCheck")
        for _ in range(12):
            rename(hob, run, run.handler)
            await perform_in(hob.services, run.id)
        assert (now(hob, run).state, now(hob, run).attempts) == ("queued", 0)
        assert now(hob, run).error == "this version has no effect named SetCheck"
    await hob.retries()
    assert now(hob, run).state == "done"
    assert (len(pull.reviews), len(pull.check_runs)) == (1, 1)
