"""Hob was down, or could not be reached: whatever people did meanwhile is answered, once."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.router import Router
from bot.store import Run
from bot.store.reconciliation import Progress
from bot.testing.github.issues import Issue
from bot.testing.github.repository import Repository
from handlers import router
from tests.living import LivingHob

SLUG = "my-hob"
HOUR = 3600.0
DAY = 24 * HOUR
BUG = {"kind": "bug", "labels": ["bug"], "priority": "normal", "summary": "", "missing": [], "reply": ""}


def only_reconciles(hob: LivingHob) -> None:
    """Nights and weeks are not what these tests are about."""
    ours = Router()
    ours.routes = [one for one in router.routes if one.every is None or one.name == "reconcile"]
    hob.services = replace(hob.services, router=ours)


@pytest.fixture(autouse=True)
def quiet(hob: LivingHob) -> None:
    only_reconciles(hob)


def passes(hob: LivingHob, seconds: float) -> None:
    hob.github.clock_offset += seconds


def misses(hob: LivingHob) -> None:
    """What GitHub has sent by now never arrived."""
    hob.taken.update(one.id for one in hob.github.deliveries)


async def looks(hob: LivingHob, after: float = 300.0) -> list[Run]:
    """The next round, so many seconds later."""
    passes(hob, after)
    return await hob.works_at(datetime.now(UTC) + timedelta(seconds=hob.github.clock_offset))


def rounds_of(runs: list[Run]) -> list[str]:
    return [run.summary for run in runs if run.handler == "reconcile"]


def progress(hob: LivingHob) -> Progress:
    return hob.services.store.reconciliation.load()


def answers(issue: Issue) -> list[str]:
    return [one.body for one in issue.comments if one.author.login == f"{SLUG}[bot]"]


def calls(hob: LivingHob, since: int) -> Counter[str]:
    """The requests of rounds: by path, without what a run asks."""
    asked = [
        one
        for one in hob.github.requests[since:]
        if "/app/hook" in one.path or one.path == "/installation/repositories"
    ]
    return Counter(f"{one.method} {one.path}" for one in asked)


async def begun(hob: LivingHob) -> Repository:
    """A Hob that has looked once and found nothing, and its repository."""
    repo = hob.github.repository("octo/tea", private=True, files={"tea.py": "x = 1\n"})
    repo.open_issue("Hello", author="ann")
    await hob.works()
    await looks(hob)
    return repo


async def test_R11_what_was_said_while_the_receiver_was_down_is_answered_once(hob: LivingHob) -> None:
    repo = await begun(hob)
    issue = repo.issues[1]
    issue.comment("ann", f"@{SLUG} help")
    misses(hob)
    runs = await looks(hob, 2 * HOUR)
    assert len(answers(issue)) == 1
    assert rounds_of(runs)[-1] == "1 delivery recovered"
    for _ in range(3):
        runs = await looks(hob)
    assert len(answers(issue)) == 1
    assert rounds_of(runs)[-1] == "nothing was missed"


async def test_R11_four_days_down_what_GitHub_no_longer_keeps_is_found_in_the_repository(
    hob: LivingHob,
) -> None:
    repo = await begun(hob)
    old = repo.issues[1]
    passes(hob, HOUR)
    old.comment("ann", f"@{SLUG} help")
    pull = repo.open_pull_request("Hotter", {"tea.py": "x = 2\n"}, author="ann")
    new = repo.open_issue("It is cold", author="ann")
    passes(hob, 4 * DAY)
    late = repo.open_issue("It is late", author="ann")
    misses(hob)
    assert rounds_of(await looks(hob))[-1] == "1 delivery recovered; goes on in the next round"
    runs = await looks(hob)
    assert rounds_of(runs)[-1] == "1 pull request found, 1 issue found, 1 comment found"
    assert len(answers(old)) == 1
    assert len(pull.check_runs) == 1
    triaged = [run.target for run in runs if run.handler == "issues.triage" and run.state == "done"]
    assert sorted(triaged) == sorted(f"{repo.id}#{one.number}" for one in (old, new, late))
