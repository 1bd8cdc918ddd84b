"""A repository is pushed to, renamed, taken away: what Hob knows of it meanwhile."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.core.code_search import Excerpt
from bot.core.refs import RepoRef
from bot.core.settings import RepoSettings
from bot.runs.knowledge_adapter import RepositoryKnowledge
from bot.store import Run
from bot.testing.github import GitHubStandIn
from bot.testing.github.installations import Installation
from bot.testing.github.repository import Repository
from tests.fakes.models import FakeModel, FakeOllama
from tests.living import LivingHob, living_hob
from tests.tea import BROKEN, TEA

FILES = {"tea.py": TEA, "pot.py": "class Pot:\n    def warm(self):\n        return 60\n"}


@pytest.fixture
async def hob(tmp_path: Path, github: GitHubStandIn, ollama: FakeOllama) -> AsyncIterator[LivingHob]:
    async with living_hob(tmp_path, github, ollama, HOB_KNOWLEDGE__ENABLED="true") as living:
        yield living


def teahouse(hob: LivingHob, **more: Any) -> Repository:
    return hob.github.repository("octo/tea", private=True, files=FILES, **more)


def installation(hob: LivingHob) -> Installation:
    return next(iter(hob.github.installations.values()))


def knowledge(hob: LivingHob, repo: Repository) -> RepositoryKnowledge:
    ref = RepoRef("octo", repo.name, repo.id, installation(hob).id)
    found = hob.services.knowledge(ref, hob.services.github.job(ref), RepoSettings())
    assert found is not None
    return found


async def searched(hob: LivingHob, repo: Repository, query: str) -> dict[str, Excerpt]:
    return {one.path: one for one in await knowledge(hob, repo).search(query)}


def kept(hob: LivingHob, repo: Repository) -> list[str]:
    """Files and folders that are named for a repository."""
    data = hob.services.config.hob.data_dir
    found = [one for room in ("clones", "knowledge") for one in (data / room).glob(f"{repo.id}.*")]
    return sorted(one.name for one in found if one.suffix != ".lock")


def of(runs: list[Run], handler: str) -> list[Run]:
    return [run for run in runs if run.handler == handler]


async def test_after_a_push_a_search_finds_the_new_function_with_its_lines(hob: LivingHob) -> None:
    repo = teahouse(hob)
    repo.push({"steep.py": "import tea\n\n\ndef steep_slowly(minutes):\n    return minutes * 2\n"}, "Steep")
    (run,) = of(await hob.works(), "knowledge.learn")
    assert run.state == "done"
    assert "3 files read" in run.summary
    found = (await searched(hob, repo, "steep slowly"))["steep.py"]
    assert "def steep_slowly(minutes):" in found.lines
    read = await knowledge(hob, repo).read("steep.py", 4, 5)
    assert read == Excerpt("steep.py", 4, ("def steep_slowly(minutes):", "    return minutes * 2"))
    repo.push({"steep.py": "def infuse(minutes):\n    return minutes\n", "pot.py": None}, "Infuse")
    run = of(await hob.works(), "knowledge.learn")[-1]
    assert "1 files read, 1 gone, 1 commits" in run.summary
    assert (await searched(hob, repo, "infuse"))["steep.py"].lines[0] == "def infuse(minutes):"
    assert "pot.py" not in await searched(hob, repo, "warm pot")
    assert await knowledge(hob, repo).read("pot.py", 1, 3) is None


async def test_K3_its_tokens_read_only_are_of_one_repository_and_given_back(hob: LivingHob) -> None:
    teahouse(hob).push({"a.py": "A = 1\n"})
    await hob.works()
    minted = [one.json for one in hob.github.mints() if one.method == "POST"]
    assert minted
    assert all(len(one["repository_ids"]) == 1 for one in minted)
    assert {level for one in minted for level in one["permissions"].values()} == {"read"}
    assert all(token.revoked for token in hob.github.tokens.values())
    assert not hob.github.writes()


async def test_pushes_to_other_branches_and_tags_fetch_nothing(hob: LivingHob) -> None:
    repo = teahouse(hob)
    repo.push({"a.py": "A = 1\n"}, branch="feature")
    repo.delete_branch("feature")
    assert of(await hob.works(), "knowledge.learn") == []
    assert hob.github.fetches == []


async def test_a_forced_push_leaves_nothing_of_what_it_took_away(hob: LivingHob) -> None:
    repo = teahouse(hob)
    repo.push({"steep.py": "def steep_slowly():\n    pass\n"})
    await hob.works()
    repo.push({"other.py": "def other():\n    pass\n"}, force=True)
    await hob.works()
    assert "steep.py" not in await searched(hob, repo, "steep slowly")
    assert "other.py" in await searched(hob, repo, "other")


async def test_many_events_are_one_refresh_and_none_is_lost(hob: LivingHob) -> None:
    repo = teahouse(hob)
    for number in range(5):
        repo.push({f"f{number}.py": f"def brew_number_{number}():\n    pass\n"})
        repo.open_issue(f"Issue {number}")
    runs = of(await hob.works(coalesce=600.0), "knowledge.learn")
    assert {run.state for run in runs} == {"queued", "superseded"}
    assert len(of([run for run in runs if run.state == "queued"], "knowledge.learn")) == 1
    await hob.retries()
    runs = of(await hob.works(coalesce=600.0), "knowledge.learn")
    assert [run.state for run in runs].count("done") == 1
    assert "f4.py" in await searched(hob, repo, "brew number 4")


async def test_a_pull_request_of_an_unknown_repository_is_reviewed_without_waiting(hob: LivingHob) -> None:
    repo = teahouse(hob)
    hob.github.fault("*", r"\.git/", kind="answer", status=503, times=99)
    pull = repo.open_pull_request("Brew", {"tea.py": BROKEN}, author="ann")
    runs = await hob.works()
    assert [run.state for run in of(runs, "pull_requests.judge")] == ["done"]
    assert [run.state for run in of(runs, "knowledge.learn")] == ["queued"]
    (check,) = pull.check_runs
    assert check.status == "completed"
    hob.github.faults.clear()
    await hob.retries()
    assert "pot.py" in await searched(hob, repo, "warm pot")


async def test_a_question_about_an_unknown_repository_is_answered_starts_the_index_and_says_so(
    hob: LivingHob,
) -> None:
    repo = teahouse(hob)
    repo.grant("ann", "write")
    issue = repo.open_issue("How warm is the pot?", author="ann")
    hob.taken.update(one.id for one in hob.github.deliveries)  # before Hob was there
    issue.comment("ann", "@my-hob ask how warm is the pot?")
    runs = await hob.works()
    assert "I have not indexed this repository yet" in issue.comments[-1].body
    (first,) = of(runs, "knowledge.learn")
    assert first.summary.startswith("indexed for the first time: ")
    assert "pot.py" in await searched(hob, repo, "warm pot")
    issue.comment("ann", "@my-hob ask and how warm is it now?")
    runs = await hob.works()
    assert "not indexed" not in issue.comments[-1].body
    assert len(of(runs, "knowledge.learn")) == 1


async def test_issues_and_pull_requests_are_known_as_they_change(hob: LivingHob) -> None:
    repo = teahouse(hob)
    issue = repo.open_issue("Kettle whistles too loudly", "It hurts.", author="ann")
    blocked = repo.open_issue("Serve tea", author="ann")
    issue.block(blocked)
    repo.open_pull_request("Quieter kettle", {"kettle.py": "K = 1\n"}, author="ann")
    await hob.works()
    assert hob.services.manager
    index_store = hob.services.manager.index_stores.open(repo.id)
    stored = index_store.issues([1, 2, 3])
    assert (stored[1].title, stored[1].state) == ("Kettle whistles too loudly", "open")
    assert stored[3].kind == "pull_request"
    assert [(edge.source.name, edge.target.name) for edge in index_store.edges(kind="blocks")] == [("1", "2")]
    issue.edit("ann", title="Kettle screams")
    issue.close("ann")
    await hob.works()
    again = index_store.issues([1])[1]
    assert (again.title, again.state) == ("Kettle screams", "closed")
    repo.delete_issue(1)
    await hob.works()
    assert index_store.issues([1]) == {}
    index_store.close()


async def test_a_long_list_of_issues_is_read_in_portions_and_resumed(
    hob: LivingHob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.knowledge.manager.ISSUES_AT_ONCE", 2)
    monkeypatch.setattr("bot.knowledge.manager.MOST_ISSUES", 4)
    repo = teahouse(hob)
    repo.commit({".github/hob.yml": "issues: {triage: false}\n"})  # a label would change when it was updated
    for number in range(7):
        repo.open_issue(f"Issue {number}").updated_at += 10 * number
    (run, *_) = [
        one for one in of(await hob.works(coalesce=600.0), "knowledge.learn") if one.state == "queued"
    ]
    await hob.retries()
    assert hob.services.manager
    index_store = hob.services.manager.index_stores.open(repo.id)
    assert 2 <= len(index_store.issue_numbers()) < 7
    assert "next time" in (hob.services.store.runs.get(run.id) or run).summary
    for _ in range(4):
        await knowledge(hob, repo).refresh()
    assert index_store.issue_numbers() == [1, 2, 3, 4, 5, 6, 7]
    index_store.close()


async def learned(hob: LivingHob, repo: Repository) -> None:
    repo.push({"steep.py": "def steep_slowly():\n    pass\n"})
    await hob.works()
    assert kept(hob, repo)


async def test_K2_uninstalled_nothing_is_left_on_disk_and_nothing_in_the_store(hob: LivingHob) -> None:
    repo = teahouse(hob)
    await learned(hob, repo)
    hob.services.store.settings.change("repo", "octo/tea", lambda _: {"language": "de"})
    hob.services.store.settings.change("org", "octo", lambda _: {"language": "fr"})
    hob.services.store.settings.change("user", "ann", lambda _: {"language": "fr"})
    hob.github.uninstall(installation(hob))
    (run,) = of(await hob.works(), "installations.forget_account")
    assert run.state == "done"
    assert kept(hob, repo) == []
    with hob.services.store.database.read() as connection:
        left = connection.exec_driver_sql("SELECT event FROM inbox").scalars().all()
    assert left == ["installation"]
    assert hob.services.store.settings.get("org", "octo") == {}
    assert hob.services.store.settings.get("user", "ann") == {"language": "fr"}


async def test_W5_an_old_word_of_an_installation_that_lives_deletes_nothing(hob: LivingHob) -> None:
    repo = teahouse(hob)
    await learned(hob, repo)
    account = {"login": "octo", "id": 1, "type": "Organization"}
    for action in ("deleted", "suspend"):
        where = {"id": installation(hob).id, "account": account}
        listed = [{"id": repo.id, "full_name": "octo/tea", "private": True}]
        hob.github.deliver(
            "installation",
            {"action": action, "installation": where, "repositories": listed, "sender": account},
        )
    runs = [run for run in await hob.works() if run.handler.startswith("installations.")]
    assert [run.summary for run in runs] == ["the App is installed there; nothing was forgotten"] * 2
    assert kept(hob, repo)


async def test_K2_suspended_or_taken_away_it_is_forgotten_at_once(hob: LivingHob) -> None:
    repo = teahouse(hob)
    other = hob.github.repository("octo/pot", private=True, files=FILES)
    for each in (repo, other):
        await learned(hob, each)
    hob.github.take_away(installation(hob), repo)
    await hob.works()
    assert kept(hob, repo) == []
    assert kept(hob, other)
    hob.github.suspend(installation(hob))
    await hob.works()
    assert kept(hob, other) == []


@pytest.mark.parametrize("past_run", ["delete", "privatize"])
async def test_K2_a_repository_deleted_or_made_private_is_forgotten(hob: LivingHob, past_run: str) -> None:
    repo = teahouse(hob)
    await learned(hob, repo)
    getattr(hob.github, past_run)(repo)
    await hob.works()
    assert kept(hob, repo) == []


async def test_a_renamed_repository_is_learned_again_under_its_new_name(hob: LivingHob) -> None:
    repo = teahouse(hob)
    await learned(hob, repo)
    hob.github.rename(repo, "coffee")
    await hob.works()
    assert kept(hob, repo) == []
    repo.push({"bean.py": "def grind():\n    pass\n"})
    await hob.works()
    assert "bean.py" in await searched(hob, repo, "grind")


async def test_K2_a_run_under_way_ends_when_access_ends_and_makes_nothing_anew(hob: LivingHob) -> None:
    repo = teahouse(hob)
    hob.github.fault("POST", "git-upload-pack fetch", kind="apply_then_hang", times=9)
    repo.push({"a.py": "A = 1\n"})
    work = asyncio.ensure_future(hob.works())
    async with asyncio.timeout(20):
        while not any(one.fault for one in hob.github.fetches):
            await asyncio.sleep(0.02)
    assert hob.services.manager
    hob.github.uninstall(installation(hob))
    await asyncio.wait_for(hob.services.manager.forget(repo.id), 20)
    (run, *_) = of(await work, "knowledge.learn")
    assert run.state == "ignored"
    assert kept(hob, repo) == []


async def test_S9_a_repository_that_is_too_large_is_said_to_be(hob: LivingHob) -> None:
    repo = teahouse(hob)
    repo.size = 3 << 20
    repo.open_issue("Still known")
    repo.push({"a.py": "A = 1\n"})
    (run,) = (run for run in of(await hob.works(), "knowledge.learn") if run.state == "done")
    assert "1 issues read" in run.summary
    assert "over 2048 MB ([knowledge] max_clone_mb)" in run.summary
    assert hob.github.fetches == []


async def test_a_clone_that_cannot_be_read_is_made_anew(hob: LivingHob) -> None:
    repo = teahouse(hob)
    await learned(hob, repo)
    assert hob.services.manager
    folder = hob.services.manager.clones.path(repo.id)
    for pack in folder.glob("objects/pack/*.pack"):
        pack.chmod(0o600)
        pack.write_bytes(b"PACK" + bytes(pack.stat().st_size - 4))
    assert await knowledge(hob, repo).read("steep.py", 1, 1) is None
    repo.push({"steep.py": "def infuse():\n    pass\n"})
    await hob.works()
    await hob.retries()
    assert of(await hob.works(), "knowledge.learn")[-1].state == "done"
    assert "def infuse():" in (await searched(hob, repo, "infuse"))["steep.py"].lines


async def test_N1_a_clone_address_on_another_server_is_refused(hob: LivingHob) -> None:
    repo = teahouse(hob)
    hob.github.git_url = "https://evil.example"
    repo.push({"a.py": "A = 1\n"})
    (run,) = of(await hob.works(), "knowledge.learn")
    assert "not on this server" in run.error
    assert kept(hob, repo) == []


async def test_K2_a_name_that_another_repository_took_is_not_cloned(hob: LivingHob) -> None:
    repo = teahouse(hob)
    repo.push({"a.py": "A = 1\n"})
    repo.id = hob.github.next_id()
    (run,) = of(await hob.works(), "knowledge.learn")
    assert run.state == "ignored"
    assert hob.github.fetches == []


async def test_S6_nothing_that_was_stored_or_logged_holds_a_token(
    hob: LivingHob, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    repo = teahouse(hob)
    hob.github.fault("*", "info/refs", kind="answer", status=500)
    repo.push({"a.py": "A = 1\n"})
    await hob.works()
    await hob.retries()
    secrets = [value[:60].encode() for value in hob.github.tokens]
    assert secrets
    data = hob.services.config.hob.data_dir
    everything = [one.read_bytes() for one in data.rglob("*") if one.is_file()]
    for text in (*everything, caplog.text.encode()):
        assert not any(secret in text for secret in secrets)


def embedded(ollama: FakeOllama) -> list[str]:
    """Texts that vectors were asked for."""
    return [text for one in ollama.requests if one.path == "/api/embed" for text in one.json["input"]]


async def test_vectors_are_made_after_a_refresh_where_a_host_has_a_model(
    hob: LivingHob, ollama: FakeOllama
) -> None:
    ollama.models["nomic-embed-text"] = FakeModel(2048, ("embedding",))
    repo = teahouse(hob)
    said = await knowledge(hob, repo).refresh()
    assert re.search(r"; [1-9]\d* vectors made$", said)
    assert any(text.startswith("search_document: pot.py\nPot.warm\n") for text in embedded(ollama))
    assert "pot.py" in await searched(hob, repo, "keeping a pot warm")
    assert embedded(ollama)[-1] == "search_query: keeping a pot warm"


async def test_without_such_a_model_a_refresh_says_so_and_words_are_searched(
    hob: LivingHob, ollama: FakeOllama
) -> None:
    repo = teahouse(hob)
    assert "it has no local model nomic-embed-text" in await knowledge(hob, repo).refresh()
    assert "pot.py" in await searched(hob, repo, "warm")
    assert not embedded(ollama)
