"""Each week merged pull requests are looked at for conventions, within a budget; a person decides in the
dashboard, and GitHub hears nothing of it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.store import Run
from bot.testing.github import GitHubStandIn
from bot.testing.github.repository import Repository
from tests.cli.test_learn import PULLS, had_changed
from tests.fakes.models import FakeOllama
from tests.living import LivingHob, living_hob

EVENING = datetime(2026, 3, 3, 20, tzinfo=UTC)
"""A Tuesday; the week begins on the ninth."""
WANTED = "Log with structlog, never print."


@pytest.fixture
async def hob(tmp_path: Path, github: GitHubStandIn, ollama: FakeOllama) -> AsyncIterator[LivingHob]:
    async with living_hob(tmp_path, github, ollama, HOB_KNOWLEDGE__ENABLED="true") as living:
        yield living


async def teahouse(hob: LivingHob, **files: str) -> Repository:
    repo = hob.github.repository("octo/tea", private=True, files=files)
    repo.push({"pot.py": "x = 1\n"})
    await hob.works()
    await hob.works_at(EVENING)
    return repo


async def week(hob: LivingHob, n: int) -> Run:
    """The look of the n-th week."""
    runs = await hob.works_at(EVENING + timedelta(days=7 * n - 1))
    return [run for run in runs if run.handler == "conventions"][-1]


def read(github: GitHubStandIn) -> int:
    """Pull requests whose files were asked for."""
    return sum(one.path.endswith("/files") for one in github.requests)


async def test_a_week_reads_so_many_offers_what_it_finds_once_and_what_was_declined_never_again(
    hob: LivingHob, github: GitHubStandIn, ollama: FakeOllama
) -> None:
    repo = await teahouse(hob, **{".github/hob.yml": "review: {auto: false, learn: 12}\n"})
    had_changed(github, repo)
    github.deliveries.clear()  # long ago
    ollama.answer = lambda _: {"sentence": WANTED}
    written = len(github.writes())

    assert (
        await week(hob, 1)
    ).summary == "12 of the last 20 merged pull requests read; nothing is judged before all are"
    assert (read(github), ollama.chats) == (12, [])
    run = await week(hob, 2)
    assert (
        run.summary
        == "20 of the last 20 merged pull requests read; 1 candidate tried, 1 new in the dashboard"
    )
    assert (read(github), len(ollama.chats)) == (PULLS, 1)
    memory = hob.services.store.memory
    (kept,) = memory.live(repo.id)
    assert (kept.lesson.kind, kept.lesson.text) == ("candidate", WANTED)
    assert memory.decide(repo.id, kept.n, "declined")

    assert (await week(hob, 3)).summary.endswith("1 candidate tried, 0 new in the dashboard")
    assert (read(github), len(ollama.chats)) == (PULLS, 1)
    assert [one.lesson.kind for one in memory.live(repo.id)] == ["declined"]
    assert len(github.writes()) == written


async def test_without_the_key_nothing_is_read(hob: LivingHob) -> None:
    await teahouse(hob)
    assert (await week(hob, 1)).summary == "review.learn is off"
