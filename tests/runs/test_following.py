"""Two machines with workers on one database, each with clones and indexes of its own: what one learns the
other knows when it is next asked, and what lies on none is made anew."""

import os
import shutil
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.config import load_config
from bot.github.limits import LocalRateLimiter
from bot.runs.services import build
from bot.runs.tidying import tidy_once
from bot.testing.github import GitHubStandIn
from bot.testing.github.repository import Repository
from tests.fakes.models import FakeOllama
from tests.living import LivingHob, by_schema, living_hob
from tests.runs.test_knowledge import installation, kept, knowledge, of, searched, teahouse


@pytest.fixture
async def hob(tmp_path: Path, github: GitHubStandIn, ollama: FakeOllama) -> AsyncIterator[LivingHob]:
    async with living_hob(tmp_path, github, ollama, HOB_KNOWLEDGE__ENABLED="true") as living:
        yield living


@pytest.fixture
async def other(tmp_path: Path, hob: LivingHob) -> AsyncIterator[LivingHob]:
    """Another machine of the same Hob."""
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    own = {
        "HOB_HOB__DATA_DIR": str(tmp_path / "elsewhere"),
        "HOB_STORE__DATABASE_URL": hob.services.config.store.database_url,
    }
    services = build(load_config(tmp_path / "hob.toml", hob.environment | own), LocalRateLimiter())
    yield LivingHob(hob.github, hob.ollama, services, taken=hob.taken)
    await services.aclose()


async def both_know(hob: LivingHob, other: LivingHob, **more: Any) -> Repository:
    """A repository that each machine has indexed once."""
    repo = teahouse(hob, **more)
    for machine in (hob, other):
        repo.push({"steep.py": f"def steep_slowly():\n    return {id(machine)}\n"})
        assert of(await machine.works(), "knowledge.learn")[-1].state == "done"
        assert "steep.py" in await searched(machine, repo, "steep slowly")
    return repo


async def test_a_push_that_one_machine_learned_of_is_known_to_the_other_when_it_is_asked(
    hob: LivingHob, other: LivingHob
) -> None:
    repo = await both_know(hob, other)
    repo.push({"bean.py": "def grind_coarsely():\n    pass\n", "pot.py": None})
    (*_, run) = of(await hob.works(), "knowledge.learn")
    assert run.state == "done"
    fetched = len(hob.github.fetches)
    assert "def grind_coarsely():" in (await searched(other, repo, "grind coarsely"))["bean.py"].lines
    assert await knowledge(other, repo).read("pot.py", 1, 1) is None
    assert len(hob.github.fetches) > fetched
    fetched, called = len(hob.github.fetches), len(hob.github.calls())
    for machine in (hob, other, hob, other):  # and nothing is asked of GitHub again
        await searched(machine, repo, "grind")
    assert (len(hob.github.fetches), len(hob.github.calls())) == (fetched, called)


async def test_a_new_issue_and_one_that_was_deleted_are_so_on_both_machines(
    hob: LivingHob, other: LivingHob
) -> None:
    repo = await both_know(hob, other)
    issue = repo.open_issue("The kettle whistles a semitone flat", "Since Tuesday.", author="ann")
    await hob.works()
    found = await knowledge(other, repo).related("kettle whistles a semitone", "")
    assert [one.number for one in found] == [issue.number]
    repo.delete_issue(issue.number)
    assert of(await hob.works(), "knowledge.drop_issue")[-1].state == "done"
    for machine in (hob, other):
        assert await knowledge(machine, repo).related("kettle whistles a semitone", "") == []
    repo.push({"bean.py": "def grind():\n    pass\n"})
    await hob.works()
    assert await knowledge(other, repo).related("kettle whistles a semitone", "") == []


async def test_K2_made_private_the_other_machine_makes_its_index_anew(
    hob: LivingHob, other: LivingHob
) -> None:
    repo = await both_know(hob, other)
    assert other.services.manager
    index_store = other.services.manager.index_stores.open(repo.id)
    index_store.set_state("of before", "1")
    index_store.close()
    hob.github.privatize(repo)
    assert of(await hob.works(), "installations.forget_knowledge")[-1].state == "done"
    assert kept(hob, repo) == []
    assert "steep.py" in await searched(other, repo, "steep slowly")
    index_store = other.services.manager.index_stores.open(repo.id)
    assert index_store.state("of before") == ""
    index_store.close()


async def test_K2_uninstalled_the_other_machine_has_nothing_left_within_two_hours(
    hob: LivingHob, other: LivingHob
) -> None:
    repo = await both_know(hob, other)
    hob.github.uninstall(installation(hob))
    await hob.works()
    assert kept(hob, repo) == []
    assert kept(other, repo)
    data = other.services.config.hob.data_dir
    for one in [*(data / "clones").glob("*"), *(data / "knowledge").glob("*")]:
        os.utime(one, (time.time() - 3601,) * 2)
    assert await tidy_once(other.services) == 1
    assert kept(other, repo) == []


async def test_GitHub_that_fails_meanwhile_costs_no_answer(hob: LivingHob, other: LivingHob) -> None:
    repo = await both_know(hob, other)
    repo.push({"bean.py": "def grind():\n    pass\n"})
    await hob.works()
    hob.github.fault("POST", "git-upload-pack fetch", kind="answer", times=99)
    assert "steep.py" in await searched(other, repo, "steep slowly")
    hob.github.faults.clear()
    assert "bean.py" in await searched(other, repo, "grind")


@pytest.mark.parametrize("lost", [("clones",), ("knowledge",), ("clones", "knowledge")], ids="+".join)
async def test_a_machine_that_lost_its_clones_or_indexes_answers_says_so_and_makes_them_anew(
    hob: LivingHob, lost: tuple[str, ...]
) -> None:
    hob.ollama.answer = by_schema(answer={"answer": "It is `steep.py`.", "citations": []})
    repo = teahouse(hob)
    repo.push({"steep.py": "def steep_slowly():\n    pass\n"})
    await hob.works()
    for room in lost:
        shutil.rmtree(hob.services.config.hob.data_dir / room)
    repo.grant("ann", "write")
    issue = repo.open_issue("How long does it steep?", "I wonder.", author="ann")
    issue.comment("ann", "@my-hob ask what does steep_slowly do?")
    runs = await hob.works()
    assert {run.state for run in runs} <= {"done", "ignored", "superseded"}, [
        (run.handler, run.error) for run in runs
    ]
    said = issue.comments[-1].body
    assert "It is `steep.py`." in said
    assert ("have not indexed this repository yet" in said) == ("knowledge" in lost)
    # The index is being made meanwhile, or with the next event; then all is as it was.
    await hob.works()
    found = await searched(hob, repo, "steep slowly")
    assert "def steep_slowly():" in found["steep.py"].lines
    pull = repo.open_pull_request("P", {"tea.py": "x = 1 / 0\n"}, author="ann")
    await hob.works()
    assert len(pull.reviews) + len(pull.check_runs) >= 1
    assert [one for one in kept(hob, repo) if one.endswith(".git")]


async def test_an_index_of_an_older_version_is_brought_to_date_once(hob: LivingHob, other: LivingHob) -> None:
    repo = await both_know(hob, other)
    assert other.services.manager
    index_store = other.services.manager.index_stores.open(repo.id)
    index_store.set_state("seen", "")
    index_store.close()
    called = len(hob.github.calls())
    await searched(other, repo, "steep")
    once = len(hob.github.calls())
    assert once > called
    await searched(other, repo, "steep")
    assert len(hob.github.calls()) == once


async def test_a_machine_with_no_index_of_it_makes_none_for_what_others_learned(
    hob: LivingHob, other: LivingHob
) -> None:
    repo = teahouse(hob)
    repo.push({"steep.py": "def steep_slowly():\n    pass\n"})
    await hob.works()
    assert await searched(other, repo, "steep slowly") == {}
    assert kept(other, repo) == []
    services = replace(other.services, manager=None)
    assert await tidy_once(services) == 0
