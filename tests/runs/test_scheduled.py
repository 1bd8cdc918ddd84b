"""Work that no delivery asks for: each night or week, in each repository or for the whole of Hob, once."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.config import Config
from bot.config.models import ScheduleTable
from bot.context import Context, HobContext
from bot.core.due_times import Every
from bot.core.effects import Comment, Plan
from bot.core.errors import TemporaryError
from bot.core.events import HobDue, RepositoryDue
from bot.router import Router
from bot.store import Run
from bot.testing.github.issues import Issue
from bot.testing.github.repository import Repository
from handlers import router
from tests.living import LivingHob

BERLIN = ZoneInfo("Europe/Berlin")
EVENING = datetime(2026, 3, 3, 20, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def says_good_night(hob: LivingHob, every: Any = "night", zone: str = "UTC", wrong: int = 0) -> None:
    """A handler that comments on the first issue each time; the first `wrong` times it fails."""
    ours, left = Router(), [wrong]

    @ours.every(every, name="good-night", may={Comment})
    async def good_night(event: RepositoryDue, ctx: Context) -> Plan:
        if left[0]:
            left[0] -= 1
            raise TemporaryError("the moon is not up")
        issue = await ctx.github.issue(1)
        return Plan((Comment(issue.number, f"Good night, {event.repo.full_name}."),), reason="said it")

    config = hob.services.config.model_copy(update={"schedule": ScheduleTable(time_zone=zone)})
    both = Router().include(router, ours)
    hob.services = replace(hob.services, router=both, config=config)


async def heard_of(hob: LivingHob, name: str = "octo/tea") -> tuple[Repository, Issue]:
    """A repository that Hob has had a delivery from, and its first issue."""
    repo = hob.github.repository(name, private=True, files={"tea.py": "x = 1\n"})
    issue = repo.open_issue("Is it late?", author="ann")
    await hob.works()
    issue.comments.clear()
    return repo, issue


def nightly(runs: list[Run]) -> list[Run]:
    return [run for run in runs if run.handler == "good-night"]


def said(issue: Issue) -> list[str]:
    return [one.body.partition("\n")[0] for one in issue.comments if "Good night" in one.body]


def hours(since: datetime, until: datetime) -> Iterator[datetime]:
    while since < until:
        yield since
        since += HOUR


async def test_each_repository_has_its_night_once_however_often_one_looks(hob: LivingHob) -> None:
    says_good_night(hob)
    (_, tea), (_, pot) = await heard_of(hob), await heard_of(hob, "octo/pot")
    for when in hours(EVENING, EVENING + 2 * DAY):
        await hob.works_at(when)
    assert said(tea) == ["Good night, octo/tea."] * 2
    assert said(pot) == ["Good night, octo/pot."] * 2
    runs = nightly(await hob.works())
    assert [(run.state, run.priority, run.summary) for run in runs] == [("done", "low", "said it")] * 4
    assert {run.repo for run in runs} == {"octo/tea", "octo/pot"}


async def test_nothing_is_due_by_day_where_Hob_has_just_come_to(hob: LivingHob) -> None:
    says_good_night(hob)
    await heard_of(hob)
    assert nightly(await hob.works_at(EVENING)) == []


async def test_three_nights_down_are_made_up_for_by_one_run(hob: LivingHob) -> None:
    says_good_night(hob)
    _, issue = await heard_of(hob)
    await hob.works_at(EVENING)
    for when in (EVENING + 3 * DAY, EVENING + 3 * DAY + HOUR):
        await hob.works_at(when)
    assert len(said(issue)) == 1
    await hob.works_at(EVENING + 4 * DAY)
    assert len(said(issue)) == 2


@pytest.mark.parametrize("night", ["2026-03-29", "2025-10-26"])
async def test_a_night_in_which_Berlin_skips_or_repeats_an_hour_is_one_night(
    hob: LivingHob, night: str
) -> None:
    says_good_night(hob, zone="Europe/Berlin")
    _, issue = await heard_of(hob)
    noon = datetime.fromisoformat(f"{night}T12:00").replace(tzinfo=BERLIN).astimezone(UTC)
    await hob.works_at(noon - 36 * HOUR)
    for when in hours(noon - 35 * HOUR, noon + 24 * HOUR):
        await hob.works_at(when)
    assert len(said(issue)) == 3  # the night before, this one, the next
    names = [run.delivery.split(":")[1] for run in nightly(await hob.works())]
    assert names[1] == night


@pytest.mark.parametrize("back", [15 / 60, 3, 20, 24 * 3])
async def test_a_clock_that_is_set_back_has_no_night_done_twice(hob: LivingHob, back: float) -> None:
    says_good_night(hob)
    _, issue = await heard_of(hob)
    for when in hours(EVENING, EVENING + DAY):
        await hob.works_at(when)
    before = len(nightly(await hob.works()))
    for when in hours(EVENING + DAY - back * HOUR, EVENING + DAY):
        await hob.works_at(when)
    runs = nightly(await hob.works())
    assert before == 1
    assert len({run.delivery for run in runs}) == len(runs) == len(said(issue))
    assert sum(run.delivery.startswith("schedule:2026-03-04") for run in runs) == 1


async def test_a_clock_that_was_years_ahead_for_a_while_costs_one_run_and_no_night(hob: LivingHob) -> None:
    says_good_night(hob)
    _, issue = await heard_of(hob)
    await hob.works_at(EVENING - 365 * DAY)
    await hob.works_at(EVENING)
    await hob.works_at(EVENING + HOUR)
    assert len(said(issue)) == 1
    for when in hours(EVENING - 365 * DAY + HOUR, EVENING - 363 * DAY):
        await hob.works_at(when)
    assert len(said(issue)) == 3


async def test_a_run_that_still_goes_on_when_it_is_due_again_is_not_doubled(hob: LivingHob) -> None:
    says_good_night(hob, wrong=1)
    _, issue = await heard_of(hob)
    await hob.works_at(EVENING)
    await hob.works_at(EVENING + DAY)
    (waits,) = nightly(await hob.works_at(EVENING + 2 * DAY))
    assert (waits.state, waits.error) == ("queued", "the moon is not up")
    await hob.retries()
    assert len(said(issue)) == 1
    await hob.works_at(EVENING + 3 * DAY)
    assert len(said(issue)) == 2


@pytest.mark.parametrize("how", ["suspend", "uninstall", "take_away", "delete"])
async def test_K2_where_Hob_may_work_no_more_nothing_is_due(hob: LivingHob, how: str) -> None:
    says_good_night(hob)
    repo, _ = await heard_of(hob)
    await hob.works_at(EVENING)
    installation = hob.github.installation_of(repo)
    assert installation is not None
    if how == "delete":
        hob.github.delete(repo)
    elif how == "take_away":
        hob.github.take_away(installation, repo)
    else:
        getattr(hob.github, how)(installation)
    await hob.works()
    assert nightly(await hob.works_at(EVENING + DAY)) == []


async def test_K2_access_that_ended_without_a_word_is_noticed_at_the_next_night(hob: LivingHob) -> None:
    says_good_night(hob)
    repo, _ = await heard_of(hob)
    await hob.works_at(EVENING)
    installation = hob.github.installation_of(repo)
    assert installation is not None
    installation.repositories = []
    (only,) = nightly(await hob.works_at(EVENING + DAY))
    assert (only.state, only.error) == ("superseded", "the App may not read this repository any more")
    assert len(nightly(await hob.works_at(EVENING + 2 * DAY))) == 1
    installation.repositories = None
    repo.open_issue("Are you back?", author="ann")
    await hob.works()
    await hob.works_at(EVENING + 2 * DAY)
    assert [run.state for run in nightly(await hob.works_at(EVENING + 3 * DAY))] == ["superseded", "done"]


async def test_an_archived_repository_is_left_in_peace(hob: LivingHob) -> None:
    says_good_night(hob)
    repo, issue = await heard_of(hob)
    await hob.works_at(EVENING)
    repo.archived = True
    runs = await hob.works_at(EVENING + DAY)
    (only,) = nightly(runs)
    assert only.state == "ignored"
    assert any("octo/tea is archived" in run.summary for run in runs)  # the first to find it out
    assert said(issue) == []


async def test_a_repository_that_was_renamed_in_silence_keeps_its_nights(hob: LivingHob) -> None:
    says_good_night(hob)
    repo, issue = await heard_of(hob)
    await hob.works_at(EVENING)
    hob.github.rename(repo, "teapot")
    await hob.works_at(EVENING + DAY)
    assert said(issue) == ["Good night, octo/teapot."]


async def test_a_dead_run_can_be_revived_by_hand(hob: LivingHob) -> None:
    says_good_night(hob, wrong=5)
    _, issue = await heard_of(hob)
    await hob.works_at(EVENING)
    await hob.works_at(EVENING + DAY)
    for _ in range(4):
        await hob.retries()
    (dead,) = nightly(await hob.works())
    assert dead.state == "dead"
    assert hob.services.store.runs.revive(dead.id)
    await hob.retries()
    assert len(said(issue)) == 1


async def test_what_is_about_the_whole_of_Hob_starts_with_it_and_is_done_once(hob: LivingHob) -> None:
    ours, done = Router(), []

    def often(config: Config) -> Every:
        return config.intake.reconcile_minutes * 60

    @ours.every(often, name="reconcile", may=(), per="hob")
    async def reconcile(event: HobDue, hob: HobContext) -> Plan:
        done.append(datetime.fromtimestamp(event.due, UTC))
        return Plan(reason="nothing was missed")

    hob.services = replace(hob.services, router=ours)
    for minutes in (2, 3, 4, 7, 8, 9, 300, 301):
        await hob.works_at(EVENING + timedelta(minutes=minutes))
    assert [when - EVENING for when in done] == [timedelta(minutes=each) for each in (0, 5, 300)]
    run = (await hob.works())[-1]
    assert (run.target, run.repo, run.state, run.summary) == (
        "hob/reconcile",
        "",
        "done",
        "nothing was missed",
    )


def test_who_declares_nonsense_is_told_so() -> None:
    async def handler(*_: object) -> Plan:
        return Plan()

    with pytest.raises(ValueError, match="one is the least"):
        Router().every(0.0, name="storm", may=())(handler)
    with pytest.raises(ValueError, match="where could it Comment"):
        Router().every("night", name="shout", may={Comment}, per="hob")(handler)
