"""Deliveries are read from GitHub, and no port is needed: what people do is answered all the same, once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.polling_pace import SOON_SECONDS
from bot.github.client import GitHub
from bot.router import Router
from bot.runs.polling import Poller
from bot.runs.reconcile import reconcile
from bot.store.polling import PollingStatus
from bot.testing.github import GitHubStandIn
from bot.testing.github.issues import Issue
from bot.testing.github.repository import Repository
from handlers import router
from tests.fakes.models import FakeOllama
from tests.living import LivingHob, living_hob

SLUG = "my-hob"
HOUR = 3600.0
HELP = f"@{SLUG} help"


class PollingHob(LivingHob):
    """Takes nothing by itself: what it has, it read."""

    def _take(self) -> None:
        pass

    def _news(self) -> bool:
        return False


@asynccontextmanager
async def polling_hob(
    folder: Path, github: GitHubStandIn, ollama: FakeOllama, mode: str = "poll", **environment: str
) -> AsyncIterator[PollingHob]:
    """Its clock is the stand-in's, and nights and weeks are not what these tests are about."""
    ours = Router()
    ours.routes = [one for one in router.routes if one.every is None]
    async with living_hob(folder, github, ollama, HOB_INTAKE__MODE=mode, **environment) as living:
        told = living.services.config.github
        key = github.private_key
        async with GitHub(github.api_url, told.app_id, key, slug=SLUG, write_gap=0, now=github.now) as client:
            services = replace(living.services, router=ours, github=client)
            yield PollingHob(github, ollama, services, living.environment)
            await living.services.github.aclose()


@pytest.fixture
async def hob(tmp_path: Path, github: GitHubStandIn, ollama: FakeOllama) -> AsyncIterator[PollingHob]:
    async with polling_hob(tmp_path, github, ollama) as polling:
        yield polling


@pytest.fixture
async def both(tmp_path: Path, github: GitHubStandIn, ollama: FakeOllama) -> AsyncIterator[PollingHob]:
    async with polling_hob(tmp_path, github, ollama, "both") as polling:
        yield polling


def poller(hob: LivingHob, rung: list[None] | None = None) -> Poller:
    rings = [] if rung is None else rung
    return Poller(hob.services, lambda: rings.append(None), hob.github.now)


def status(hob: LivingHob) -> PollingStatus:
    return hob.services.store.polling.load()


def answers(issue: Issue) -> int:
    return sum(one.author.login == f"{SLUG}[bot]" for one in issue.comments)


def calls(hob: LivingHob) -> list[str]:
    return [one.path for one in hob.github.requests if one.path.startswith("/app/hook/deliveries")]


def used(hob: LivingHob, calls: int) -> None:
    """Others have used the App's limit up to so many calls."""
    while hob.github.limits.used(0) < calls:
        hob.github.limits.take(0, "GET")


async def begun(hob: LivingHob) -> Repository:
    repo = hob.github.repository("octo/tea", files={"tea.py": "x = 1\n"})
    repo.open_issue("Hello", author="ann")
    await poller(hob).look()
    await hob.works()
    return repo


async def test_a_Hob_without_a_port_reviews_a_pull_request_and_answers_in_it(hob: PollingHob) -> None:
    repo = await begun(hob)
    pull = repo.open_pull_request("Hotter", {"tea.py": "x = 2\n"}, author="ann")
    rung: list[None] = []
    await poller(hob, rung).look()
    assert rung
    await hob.works()
    assert [one.status for one in pull.check_runs] == ["completed"]
    pull.comment("ann", HELP)
    assert await poller(hob).look() == SOON_SECONDS
    await hob.works()
    assert sum("help" in one.body for one in pull.comments if one.author.login != "ann") == 1


async def test_each_delivery_is_read_once_whoever_looks_and_however_often(hob: PollingHob) -> None:
    repo = await begun(hob)
    repo.issues[1].comment("ann", HELP)
    await asyncio.gather(*(poller(hob).look() for _ in range(3)))  # three workers, and Redis is away
    for _ in range(3):
        await poller(hob).look()
        await hob.works()
    assert answers(repo.issues[1]) == 1
    assert status(hob).failing_since == 0


async def test_R11_GitHub_is_away_for_a_while_and_nothing_is_lost(hob: PollingHob) -> None:
    repo = await begun(hob)
    away = hob.github.fault("GET", "/app/hook/deliveries", kind="answer", times=10**6, status=502)
    same, waits = poller(hob), []
    for _ in range(5):
        waits.append(await same.look())
        hob.github.clock_offset += waits[-1]
    assert waits == [5.0, 10.0, 20.0, 40.0, 60.0]
    told = status(hob)
    assert "502" in told.error and told.failing_since
    assert hob.github.now() - told.failing_since > 100
    repo.issues[1].comment("ann", HELP)
    hob.github.faults.remove(away)
    await same.look()
    await hob.works()
    assert answers(repo.issues[1]) == 1
    assert (status(hob).error, status(hob).failing_since) == ("", 0.0)


@pytest.mark.parametrize("moment", ["before the payload", "after the payload"])
async def test_R11_a_restart_in_the_middle_leaves_no_gap_and_no_double(
    hob: PollingHob, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    repo = await begun(hob)
    issues = [repo.open_issue(f"Pot {n}", author="ann") for n in range(4)]
    for issue in issues:
        issue.comment("ann", HELP)
    from bot.github.deliveries import HookDeliveries

    read, left = HookDeliveries.payload, [3]

    async def payload(self: HookDeliveries, delivery_id: int) -> bytes:
        left[0] -= 1
        if left[0] < 0 and moment == "before the payload":
            raise Killed
        found = await read(self, delivery_id)
        if left[0] < 0:
            raise Killed
        return found

    monkeypatch.setattr(HookDeliveries, "payload", payload)
    with pytest.raises(Killed):
        await poller(hob).look()
    monkeypatch.setattr(HookDeliveries, "payload", read)
    await poller(hob).look()
    await hob.works()
    assert [answers(issue) for issue in issues] == [1] * 4


async def test_R8_near_the_limit_it_asks_seldom_and_leaves_the_rest_to_others(hob: PollingHob) -> None:
    repo = await begun(hob)
    limits = hob.github.limits
    limits.app_per_hour = 1000
    used(hob, 850)
    repo.issues[1].comment("ann", HELP)
    assert await poller(hob).look() == 300.0
    await hob.works()
    assert answers(repo.issues[1]) == 1
    used(hob, 960)
    repo.issues[1].comment("ann", HELP)
    before = len(calls(hob))
    assert await poller(hob).look() == 300.0
    assert len(calls(hob)) == before + 1, "the list alone"
    await hob.works()
    assert answers(repo.issues[1]) == 1
    limits.app_per_hour = 5000
    await poller(hob).look()
    await hob.works()
    assert answers(repo.issues[1]) == 2


async def test_R8_when_GitHub_says_wait_it_waits_so_long(hob: PollingHob) -> None:
    await begun(hob)
    hob.github.fault("GET", "/app/hook/deliveries", kind="retry_after", seconds=90)
    assert await poller(hob).look() >= 89
    assert "wait" in status(hob).error


async def test_it_never_takes_more_of_the_limit_than_it_may(
    tmp_path: Path, github: GitHubStandIn, ollama: FakeOllama
) -> None:
    async with polling_hob(tmp_path, github, ollama, HOB_INTAKE__SHARE="0.004") as hob:  # 20 an hour
        repo = await begun(hob)
        for _ in range(30):
            repo.issues[1].comment("ann", "Hello")
        end, same = github.now() + HOUR, poller(hob)
        while github.now() < end:
            github.clock_offset += await same.look()
        assert 15 <= len(calls(hob)) <= 21
        for _ in range(30):
            github.clock_offset += await same.look()
        stored = sum(hob.services.store.inbox.counts().values())
        assert stored == 31, "nothing is lost, it takes longer"


async def test_an_hour_in_which_nothing_happens_costs_a_call_a_minute(hob: PollingHob) -> None:
    await begun(hob)
    hob.github.clock_offset += HOUR
    await poller(hob).look()
    before, end, same = len(hob.github.requests), hob.github.now() + HOUR, poller(hob)
    while hob.github.now() < end:
        hob.github.clock_offset += await same.look()
    asked = hob.github.requests[before:]
    assert 60 <= len(asked) <= 70, "with those of the start"
    assert {one.status for one in asked} == {304}, "and none of them counts"


async def test_a_delivery_that_is_sent_and_polled_runs_once(both: PollingHob) -> None:
    hob = both
    repo = await begun(hob)
    hob.github.clock_offset += 60
    await poller(hob).look()
    issue = repo.issues[1]
    issue.comment("ann", HELP)
    await poller(hob).look()
    assert answers(issue) == 0, "the webhook may bring it still"
    sent = hob.github.deliveries[-1]
    hob.receive(sent.event, sent.body, sent.guid)
    hob.github.clock_offset += 60
    before = len(calls(hob))
    await poller(hob).look()
    await hob.works()
    assert answers(issue) == 1
    assert len(calls(hob)) == before + 1, "what came in is not read again"


async def test_the_webhook_does_not_bring_it_and_polling_does(both: PollingHob) -> None:
    hob = both
    repo = await begun(hob)
    repo.issues[1].comment("ann", HELP)
    hob.github.clock_offset += 60
    await poller(hob).look()
    await hob.works()
    assert answers(repo.issues[1]) == 1
    assert hob.services.store.reconciliation.load().newest.deliveries == 2


async def test_what_is_polled_is_not_told_as_missed_and_the_reconciler_leaves_it_alone(
    hob: PollingHob,
) -> None:
    repo = await begun(hob)
    repo.issues[1].comment("ann", HELP)
    assert await reconcile(hob.services) == "polling looks for them"
    await poller(hob).look()
    assert not hob.services.store.reconciliation.load().found


@pytest.mark.parametrize("kind", ["recovers", "stays away"])
async def test_requests_that_were_repeated_count_against_the_share(hob: PollingHob, kind: str) -> None:
    """GitHub counts each, however few calls they were for us."""
    before = len(hob.github.requests)
    times = 2 if kind == "recovers" else 10**6
    hob.github.fault("GET", "/app/hook/deliveries", kind="answer", times=times, status=502)
    await poller(hob).look()
    made = [one for one in list(hob.github.requests)[before:] if one.path.startswith("/app/hook/")]
    assert len(made) > 2
    told = status(hob)
    assert told.calls == told.calls_since(hob.github.now() - HOUR) == len(made)
    assert bool(told.failing_since) == (kind == "stays away")


async def test_how_long_deliveries_took_and_what_it_cost_is_counted(hob: PollingHob) -> None:
    repo = await begun(hob)
    repo.issues[1].comment("ann", HELP)
    hob.github.clock_offset += 40
    await poller(hob).look()
    told = status(hob)
    assert told.deliveries == 2
    assert 39 <= told.recent[-1] <= 43
    assert told.buckets[-1] == 2 and told.buckets[4] == 1
    assert told.calls == told.calls_since(hob.github.now() - HOUR) == 4
    assert told.looks == 2
