"""What the App may read changes, and nobody hears the event: the hourly look finds it."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.core.errors import TemporaryError
from bot.core.memory import Lesson, Memory
from bot.core.privacy import Budget
from bot.core.refs import Login, RepoRef
from bot.core.tuning import ExportManifest
from bot.runs import access
from bot.runs.access import look_at_access
from bot.runs.egress_policy import guard
from bot.runs.tidying import tidy_once
from bot.runs.tuning_folder import put_export, tuning_folder, tuning_folders
from bot.store.known_repositories import Seen
from bot.testing.github import GitHubStandIn
from bot.testing.github.repository import Repository
from tests.fakes.models import FakeOllama
from tests.living import LivingHob, living_hob
from tests.runs.test_knowledge import FILES, installation, kept
from tests.tea import BROKEN

LESSON = Lesson("convention", "Never print.", Login("ann"), 3)


@pytest.fixture
async def hob(tmp_path: Path, github: GitHubStandIn, ollama: FakeOllama) -> AsyncIterator[LivingHob]:
    async with living_hob(tmp_path, github, ollama, HOB_KNOWLEDGE__ENABLED="true") as living:
        yield living


def teahouse(hob: LivingHob, name: str = "octo/tea", **more: Any) -> Repository:
    return hob.github.repository(name, **{"private": True, "files": FILES, **more})


async def trained(hob: LivingHob, *repos: Repository) -> None:
    """There is training data of them."""
    for repo in repos:
        folder = tuning_folder(hob.services.config.hob.data_dir, repo.id)
        manifest = ExportManifest(repo.full_name, repo.id, "", "", "", private=repo.private)
        await put_export(folder, {}, manifest)


async def learned(hob: LivingHob, *repos: Repository) -> None:
    for repo in repos:
        repo.push({"steep.py": "def steep_slowly():\n    pass\n"})
    await hob.works()
    assert all(kept(hob, repo) for repo in repos)


def unheard(hob: LivingHob) -> None:
    """The receiver is away: what GitHub has sent until now does not come in."""
    hob.taken |= {one.id for one in hob.github.deliveries}


async def test_a_repository_is_known_before_anything_happens_in_it(hob: LivingHob) -> None:
    tea, pot = teahouse(hob), teahouse(hob, "octo/pot", private=False)
    (run,) = (run for run in await hob.works_at(datetime.now(UTC)) if run.handler == "access")
    assert (run.state, run.summary) == ("done", "new repositories: 2, to be indexed: 2")
    assert hob.services.store.known.by_installation() == {installation(hob).id: {tea.id, pot.id}}
    assert hob.services.store.known.is_private(tea.id)
    assert not hob.services.store.known.is_private(pot.id)
    assert await look_at_access(hob.services) == "nothing changed"
    assert all(token.revoked for token in hob.github.tokens.values())


async def test_a_new_installation_is_known_without_an_event(hob: LivingHob) -> None:
    hob.github.install_app("else", slug="my-hob")
    theirs = teahouse(hob, "else/cups")
    unheard(hob)
    assert await look_at_access(hob.services) == "new repositories: 1, to be indexed: 1"
    assert hob.services.store.known.name(theirs.id) == "else/cups"


@pytest.mark.parametrize("how", ["suspend", "uninstall", "take_away", "delete"])
async def test_K2_access_that_ended_unheard_ends_the_work_and_what_was_kept(hob: LivingHob, how: str) -> None:
    tea, pot = teahouse(hob), teahouse(hob, "octo/pot")
    await learned(hob, tea, pot)
    store, where = hob.services.store, installation(hob)
    data = hob.services.config.hob.data_dir
    await trained(hob, tea, pot)
    store.settings.change("repo", "octo/tea", lambda _: {"language": "de"})
    pull = tea.open_pull_request("Brew", {"tea.py": BROKEN}, author="ann")
    await hob.works(limit=1, perform=False)
    waiting = [run.id for run in store.runs.latest(50) if run.state == "queued" and run.repo_id == tea.id]
    assert waiting
    before = len(hob.github.writes())
    if how in ("suspend", "uninstall"):
        getattr(hob.github, how)(where)
    elif how == "take_away":
        hob.github.take_away(where, tea)
    else:
        hob.github.delete(tea)
    unheard(hob)
    await look_at_access(hob.services)
    assert kept(hob, tea) == []
    assert bool(kept(hob, pot)) == (how in ("take_away", "delete"))
    assert tuning_folders(data, {tea.id}) == []
    assert bool(tuning_folders(data, {pot.id})) == (how in ("take_away", "delete"))
    ended = [run for run_id in waiting if (run := store.runs.get(run_id))]
    assert {run.state for run in ended} == {"superseded"}
    why = {"suspend": "suspended there", "uninstall": "uninstalled there"}.get(how, "may not read")
    assert all(why in run.error for run in ended)
    assert bool(store.settings.get("repo", "octo/tea")) == (how != "uninstall")
    assert tea.id not in store.known.ids()
    await hob.works()
    await hob.retries()
    assert len(hob.github.writes()) == before
    assert not pull.check_runs


async def test_names_follow_ids_when_nobody_heard_of_the_new_name(hob: LivingHob) -> None:
    tea, pot = teahouse(hob), teahouse(hob, "octo/pot")
    await learned(hob, tea, pot)
    store = hob.services.store
    store.settings.change("repo", "octo/tea", lambda _: {"language": "de"})
    store.settings.change("repo", "octo/pot", lambda _: {"language": "fr"})
    store.memory.add(tea.id, "octo/tea", [Memory(0, LESSON, 1.0, None)])
    ref = RepoRef("octo", "tea", tea.id, installation(hob).id)
    with store.database.write() as connection:
        store.drafts.keep(connection, ref, 1, "Which kettle?", "question")
    hob.github.rename(tea, "kettle")
    hob.github.rename(pot, "tea")  # the name is another's now
    unheard(hob)
    assert await look_at_access(hob.services) == "renamed: 2, to be indexed: 2"
    assert store.settings.get("repo", "octo/kettle") == {"language": "de"}
    assert store.settings.get("repo", "octo/tea") == {"language": "fr"}
    assert store.settings.get("repo", "octo/pot") == {}
    assert (store.memory.repo_id("octo/kettle"), store.memory.repo_id("octo/tea")) == (tea.id, pot.id)
    (draft,) = store.drafts.waiting(tea.id)
    assert draft.repo.full_name == "octo/kettle"
    assert {run.repo for run in store.runs.latest(50) if run.repo_id == tea.id} == {"octo/kettle"}
    assert kept(hob, tea) == []
    assert kept(hob, pot) == []


@pytest.mark.parametrize("heard", [True, False])
async def test_a_transferred_repository_keeps_what_people_set_and_taught_under_its_new_owner(
    hob: LivingHob, heard: bool
) -> None:
    tea = teahouse(hob)
    await learned(hob, tea)
    store = hob.services.store
    store.settings.change("repo", "octo/tea", lambda _: {"language": "de"})
    store.memory.add(tea.id, "octo/tea", [Memory(0, LESSON, 1.0, None)])
    hob.github.install_app("else", slug="my-hob")
    hob.github.transfer(tea, "else")
    if not heard:
        unheard(hob)
    await hob.works()
    await look_at_access(hob.services)
    assert store.settings.get("repo", "else/tea") == {"language": "de"}
    assert store.settings.get("repo", "octo/tea") == {}
    assert store.memory.repo_id("else/tea") == tea.id
    where = hob.github.installation_of(tea)
    assert where is not None
    assert store.known.by_installation() == {where.id: {tea.id}}
    await look_at_access(hob.services)
    assert store.known.ids() == {tea.id}
    assert kept(hob, tea) == []


async def test_an_old_delivery_does_not_take_the_name_back(hob: LivingHob) -> None:
    tea = teahouse(hob)
    tea.open_issue("Kettle", author="ann")
    unheard(hob)
    late = hob.github.deliveries[-1]
    hob.github.rename(tea, "kettle")
    hob.services.store.settings.change("repo", "octo/tea", lambda _: {"language": "de"})
    tea.open_issue("Pot", author="ann")
    await hob.works()
    hob.receive(late.event, late.body, late.guid)
    with hob.services.store.database.write() as connection:
        connection.exec_driver_sql("UPDATE inbox SET received_at = received_at - 60 WHERE state = 'new'")
    await hob.works()
    assert hob.services.store.known.name(tea.id) == "octo/kettle"


@pytest.mark.parametrize("heard", [True, False])
async def test_X6_a_new_repository_of_an_old_name_has_nothing_of_the_one_that_had_it(
    hob: LivingHob, heard: bool
) -> None:
    tea = teahouse(hob, private=False)
    tea.open_issue("Kettle", author="ann")
    await hob.works()
    store = hob.services.store
    store.settings.change("repo", "octo/tea", lambda _: {"online": "allowed"})
    store.memory.add(tea.id, "octo/tea", [Memory(0, LESSON, 1.0, None)])
    hob.github.take_away(installation(hob), tea)
    if not heard:
        unheard(hob)
    await hob.works()
    await look_at_access(hob.services)
    assert store.settings.get("repo", "octo/tea") == {"online": "allowed"}
    hob.github.rename(tea, "kettle")
    other, where = teahouse(hob), installation(hob)
    where.repositories = [*(where.repositories or ()), other]
    other.open_issue("Pot", author="ann")
    await hob.works()
    assert store.settings.get("repo", "octo/tea") == {}
    assert store.memory.repo_id("octo/tea") == other.id
    assert store.memory.all(other.id) == []
    store.known.remember([Seen(tea.id, "octo/kettle", where.id, time.time())])
    assert store.settings.get("repo", "octo/kettle") == {"online": "allowed"}
    assert store.settings.get("repo", "octo/tea") == {}


async def test_X6_a_late_word_of_a_repository_that_is_gone_takes_no_name_from_the_new_one(
    hob: LivingHob,
) -> None:
    tea = teahouse(hob)
    tea.open_issue("Kettle", author="ann")
    unheard(hob)
    late = hob.github.deliveries[-1]
    hob.github.delete(tea)
    other = teahouse(hob)
    other.open_issue("Pot", author="ann")
    await hob.works()
    store = hob.services.store
    store.settings.change("repo", "octo/tea", lambda _: {"online": "never"})
    hob.receive(late.event, late.body, late.guid)
    with store.database.write() as connection:
        connection.exec_driver_sql("UPDATE inbox SET received_at = received_at - 60 WHERE state = 'new'")
    await hob.works()
    assert store.known.name(other.id) == "octo/tea"
    assert store.settings.get("repo", "octo/tea") == {"online": "never"}


async def test_X6_made_private_unheard_no_prompt_goes_online_any_more(hob: LivingHob) -> None:
    tea = teahouse(hob, private=False)
    await learned(hob, tea)
    await look_at_access(hob.services)
    services = replace(
        hob.services,
        config=hob.services.config.model_copy(
            update={"privacy": hob.services.config.privacy.model_copy(update={"online": "public"})}
        ),
    )
    ref = RepoRef("octo", "tea", tea.id, installation(hob).id, private=False)
    watched = guard(services.config, services.store, ref)  # of a run that began while it was public
    host = replace(services.config.pool_hosts()[0], online=True, usd_per_mtok_in=0.0, usd_per_mtok_out=0.0)
    watched = replace(watched, spent=_rich)
    assert (await watched.verdict(host)).allowed
    await trained(hob, tea)
    hob.github.privatize(tea)
    unheard(hob)
    assert await look_at_access(hob.services) == "made private: 1, to be indexed: 1"
    assert not (await watched.verdict(host)).allowed
    assert kept(hob, tea) == []
    assert tuning_folders(hob.services.config.hob.data_dir, {tea.id}) == []
    hob.github.publicize(tea)
    await hob.works()
    assert (await watched.verdict(host)).allowed
    await trained(hob, tea)
    hob.github.privatize(tea)
    await hob.works()
    assert not (await watched.verdict(host)).allowed
    assert tuning_folders(hob.services.config.hob.data_dir, {tea.id}) == []


async def _rich() -> Budget:
    return Budget(usd_per_day=100.0)


async def test_a_look_is_bounded_and_goes_on_where_it_stopped(
    hob: LivingHob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.github.missed_work.PER_PAGE", 2)
    monkeypatch.setattr(access, "MOST_CALLS", access.CALLS_A_PAGE)
    repos = [teahouse(hob, f"octo/tea{n}") for n in range(5)]
    said = []
    for _ in range(3):
        calls = len(hob.github.calls())
        said.append(await look_at_access(hob.services))
        assert len(hob.github.calls()) - calls <= access.CALLS_A_PAGE + 1
    assert said == [
        "new repositories: 2; goes on in the next round",
        "new repositories: 2; goes on in the next round",
        "new repositories: 1, to be indexed: 5",
    ]
    assert hob.services.store.known.ids() == {one.id for one in repos}


async def test_an_installation_whose_list_GitHub_never_answers_keeps_no_other_waiting(
    hob: LivingHob,
) -> None:
    teahouse(hob)
    hob.github.fault("GET", "/installation/repositories", kind="answer", status=502, times=3)
    hob.github.install_app("else", slug="my-hob")
    pot = teahouse(hob, "else/pot")
    with pytest.raises(TemporaryError):
        await look_at_access(hob.services)
    assert await look_at_access(hob.services) == "new repositories: 1, to be indexed: 1"
    assert hob.services.store.known.ids() == {pot.id}
    assert await look_at_access(hob.services) == "new repositories: 1, to be indexed: 1"


async def test_an_installation_that_came_back_under_another_number_keeps_its_repositories(
    hob: LivingHob,
) -> None:
    tea = teahouse(hob)
    await learned(hob, tea)
    hob.github.uninstall(installation(hob))
    hob.github.install_app("octo", slug="my-hob")
    unheard(hob)
    await look_at_access(hob.services)
    await look_at_access(hob.services)
    assert hob.services.store.known.by_installation() == {installation(hob).id: {tea.id}}


async def test_a_clone_goes_when_nobody_used_it_or_another_machine_heard_that_access_ended(
    hob: LivingHob,
) -> None:
    tea, pot = teahouse(hob), teahouse(hob, "octo/pot")
    await learned(hob, tea, pot)
    assert await tidy_once(hob.services) == 0
    data = hob.services.config.hob.data_dir
    _age(data, days=3)
    assert await tidy_once(hob.services) == 0, "by default clones and indexes stay"
    short = hob.services.config.retention.model_copy(update={"clones_days": 2})
    services = replace(hob.services, config=hob.services.config.model_copy(update={"retention": short}))
    assert await tidy_once(services) == 2
    assert [one for one in kept(hob, tea) if one.endswith(".git")] == []
    assert [one for one in kept(hob, tea) if one.endswith(".db")]
    await trained(hob, tea, pot)
    allowed = hob.services.config.privacy.model_copy(update={"tune": True})
    config = hob.services.config.model_copy(update={"privacy": allowed})
    services = replace(hob.services, config=config)
    await asyncio.to_thread(hob.services.store.forget, [tea.id])  # as another machine does
    assert await tidy_once(services) == 1
    assert kept(hob, tea) == []
    assert kept(hob, pot)
    assert len(tuning_folders(data, {tea.id, pot.id})) == 2, "it was only just made"
    _age(data, days=3)
    assert await tidy_once(services) == 0
    assert tuning_folders(data, {tea.id, pot.id}) == [tuning_folder(data, pot.id)]
    assert await tidy_once(hob.services) == 0
    assert tuning_folders(data, {pot.id}) == [], "it is private, and [privacy] tune is off"


def _age(data: Path, days: int) -> None:
    for one in [*(data / "clones").glob("*"), *(data / "knowledge").glob("*"), *data.glob("tune/*/*.json")]:
        os.utime(one, (time.time() - days * 86_400,) * 2)
