"""Hob is started for the first time: each repository is indexed, one after the other, and that is said."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis import Redis

from bot.queue.leader import Leader
from bot.runs import access
from bot.runs.access import look_at_access
from bot.runs.scheduled import make_due_once
from bot.store import Run
from bot.store.known_repositories import LEARN
from bot.testing.github import GitHubStandIn
from bot.testing.github.repository import Repository
from bot.web.compose import readiness
from tests.fakes.models import FakeOllama
from tests.living import LivingHob, living_hob
from tests.runs.test_knowledge import FILES, installation, kept, of

START = datetime.now(UTC)
LOOK = timedelta(seconds=3)


@pytest.fixture
async def hob(tmp_path: Path, github: GitHubStandIn, ollama: FakeOllama) -> AsyncIterator[LivingHob]:
    async with living_hob(tmp_path, github, ollama, HOB_KNOWLEDGE__ENABLED="true") as living:
        yield living


def teahouses(hob: LivingHob, count: int) -> list[Repository]:
    """The last was pushed to last, all before there was a Hob: GitHub has no delivery of it."""
    made = []
    for number in range(count):
        hob.github.clock_offset += 60
        repo = hob.github.repository(f"octo/tea{number}", private=True, files=FILES)
        repo.push({"steep.py": f"def steep_{number}():\n    pass\n"})
        made.append(repo)
    hob.github.deliveries.clear()
    return made


async def minutes(hob: LivingHob, count: int, start: datetime = START) -> list[Run]:
    """So many looks at what is due, each followed by the work; gives the runs that index."""
    for number in range(count):
        await hob.works_at(start + number * LOOK)
    return of(await hob.works(), LEARN)


async def line(hob: LivingHob) -> str:
    return await readiness(hob.services.config, hob.services.store, Redis()).reported["first indexes"]()


async def test_the_first_start_indexes_each_repository_the_last_pushed_to_first_and_says_so(
    hob: LivingHob, caplog: pytest.LogCaptureFixture
) -> None:
    repos = teahouses(hob, 3)
    assert await line(hob) == "none waits for its first index"
    with caplog.at_level("INFO"):
        runs = await minutes(hob, 5)
    assert [run.repo for run in runs] == ["octo/tea2", "octo/tea1", "octo/tea0"]
    assert {(run.state, run.priority) for run in runs} == {("done", "low")}
    assert all(run.summary.startswith("indexed for the first time: at ") for run in runs)
    assert all(kept(hob, one) for one in repos)
    assert "3 repositories wait for their first index" in caplog.text
    assert "octo/tea2 is indexed for the first time" in caplog.text
    assert await line(hob) == "none waits for its first index; asked for so far: 3"
    assert not hob.github.writes()
    assert all(token.revoked for token in hob.github.tokens.values())


async def test_one_is_indexed_at_a_time_however_many_look(hob: LivingHob) -> None:
    teahouses(hob, 4)
    await look_at_access(hob.services)
    for _ in range(3):
        make_due_once(hob.services.store, hob.services.router, hob.services.config)
    (run,) = of(await hob.works(perform=False), LEARN)
    assert (run.repo, run.state) == ("octo/tea3", "queued")
    assert await line(hob) == "octo/tea3 is indexed for the first time, 3 wait for theirs"


async def test_one_that_fails_holds_up_no_other(hob: LivingHob) -> None:
    repos = teahouses(hob, 3)
    await look_at_access(hob.services)
    hob.github.delete(repos[2])
    hob.github.deliveries.clear()
    repos[1].size = 5 << 20  # more than max_clone_mb
    gone, large, usual = await minutes(hob, 6)
    assert (gone.repo, gone.state) == ("octo/tea2", "superseded")
    assert (large.repo, large.state) == ("octo/tea1", "done")
    assert "not cloned: " in large.summary
    assert usual.summary.startswith("indexed for the first time: at ")
    assert kept(hob, repos[0])


async def test_what_has_an_index_or_had_its_first_is_not_read_again(hob: LivingHob) -> None:
    tea, pot = teahouses(hob, 2)
    pot.push({"warm.py": "def warm():\n    pass\n"})
    await hob.works()
    assert [run.repo for run in of(await hob.works(), LEARN)] == ["octo/tea1"]
    runs = await minutes(hob, 4)
    assert [run.repo for run in runs] == ["octo/tea1", "octo/tea0"]
    assert hob.services.manager is not None
    await hob.services.manager.forget(tea.id)  # as where nobody used it for long
    fetches = len(hob.github.fetches)
    assert await look_at_access(hob.services) == "nothing changed"
    assert await minutes(hob, 3, START + timedelta(hours=1)) == runs
    assert len(hob.github.fetches) == fetches


async def test_one_that_was_taken_away_and_given_back_is_indexed_again(hob: LivingHob) -> None:
    (tea,) = teahouses(hob, 1)
    assert len(await minutes(hob, 3)) == 1
    hob.github.take_away(installation(hob), tea)
    await hob.works()
    assert kept(hob, tea) == []
    installation(hob).repositories = None  # all of the account
    await look_at_access(hob.services)
    runs = await minutes(hob, 3, START + timedelta(minutes=5))
    assert runs[-1].summary.startswith("indexed for the first time: ")
    assert kept(hob, tea)


async def test_a_look_asks_for_so_many_the_last_pushed_to_and_the_next_for_more(
    hob: LivingHob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "MOST_INDEXES", 2)
    monkeypatch.setattr("bot.github.missed_work.PER_PAGE", 2)
    monkeypatch.setattr(access, "MOST_CALLS", access.CALLS_A_PAGE)
    teahouses(hob, 5)
    said = [await look_at_access(hob.services) for _ in range(3)]
    assert said[-1] == "new repositories: 1, to be indexed: 2"
    runs = await minutes(hob, 4)
    assert [run.repo for run in runs] == ["octo/tea4", "octo/tea3"]
    said = [await look_at_access(hob.services) for _ in range(6)]
    assert [one for one in said if "indexed" in one] == ["to be indexed: 2", "to be indexed: 1"]


async def test_a_run_that_was_killed_goes_on_before_the_next_is_begun(hob: LivingHob) -> None:
    teahouses(hob, 2)
    await look_at_access(hob.services)
    make_due_once(hob.services.store, hob.services.router, hob.services.config)
    store = hob.services.store
    (run,) = of(store.runs.latest(10), LEARN)
    store.runs.claim(run.id, "a worker that is gone", 0.0)
    make_due_once(store, hob.services.router, hob.services.config)
    assert of(store.runs.latest(10), LEARN)[0].state == "running"
    assert len(of(store.runs.latest(10), LEARN)) == 1
    store.recovery.recover_expired(0.0)
    await hob.retries()
    runs = await minutes(hob, 4)
    assert [(one.repo, one.state) for one in runs] == [("octo/tea1", "done"), ("octo/tea0", "done")]


async def test_nothing_is_indexed_where_knowledge_is_off(
    tmp_path: Path, github: GitHubStandIn, ollama: FakeOllama
) -> None:
    async with living_hob(tmp_path, github, ollama) as hob:
        teahouses(hob, 1)
        assert await minutes(hob, 2) == []
        assert hob.github.fetches == []


async def test_only_the_leader_makes_them(hob: LivingHob) -> None:
    teahouses(hob, 1)
    await look_at_access(hob.services)

    class Follower(Leader):
        def __init__(self) -> None: ...

        def leads(self) -> bool:
            return False

    make_due_once(hob.services.store, hob.services.router, hob.services.config, Follower())
    assert hob.services.store.runs.due(2**40) == []
