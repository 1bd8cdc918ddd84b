"""Archives are searched beside a repository, and what is private in them stays with its readers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.core.refs import RepoRef
from bot.core.settings import RepoSettings
from bot.runs.archives import may_answer
from bot.runs.egress_policy import guard
from bot.runs.planning import secretive
from bot.testing.github import GitHubStandIn
from bot.testing.github.repository import Repository
from tests.fakes.models import FakeOllama
from tests.living import LivingHob, living_hob
from tests.runs.test_answers import asked, says
from tests.tea import TEA

HANDBOOK = "# Biscuits\n\nThe secret biscuit recipe has nutmeg in it.\n"


@pytest.fixture
def environment() -> dict[str, str]:
    return {}


@pytest.fixture
async def hob(
    tmp_path: Path, github: GitHubStandIn, ollama: FakeOllama, environment: dict[str, str]
) -> AsyncIterator[LivingHob]:
    known = {"HOB_KNOWLEDGE__ENABLED": "true", **environment}
    async with living_hob(tmp_path, github, ollama, **known) as living:
        yield living


async def services(hob: LivingHob, *, private: bool, archive: str = "octo/handbook") -> Repository:
    """A repository whose operator named an archive, which is private; both are known."""
    hob.github.repository(archive, private=True, files={"recipe.md": HANDBOOK})
    repo = hob.github.repository("octo/tea", private=private, files={"tea.py": TEA})
    repo.grant("ann", "read", association="MEMBER")
    hob.services.store.settings.change("repo", "octo/tea", lambda _: {"archives": [archive]})
    repo.push({"pot.py": "POT = 1\n"}, "Buy a pot")
    await hob.works()
    return repo


async def question(hob: LivingHob, repo: Repository) -> str:
    """What the model is shown; what it says is posted."""
    says(
        hob,
        {"path": "@octo/handbook/recipe.md", "start": 3, "end": 3, "quote": "nutmeg"},
        answer="It has it.",
    )
    issue = repo.open_issue("Hungry", author="ann")
    await hob.works()
    issue.comment("ann", "@my-hob ask what is in the secret biscuit recipe?")
    await hob.works()
    return issue.comments[-1].body


async def test_a_private_archive_answers_in_a_private_repository_of_its_owner(hob: LivingHob) -> None:
    repo = await services(hob, private=True)
    posted = await question(hob, repo)
    assert "nutmeg" in asked(hob)
    assert "`@octo/handbook/recipe.md:3`" in posted


async def test_P6_a_private_archive_never_answers_in_a_public_repository(hob: LivingHob) -> None:
    repo = await services(hob, private=False)
    posted = await question(hob, repo)
    assert "nutmeg" not in asked(hob)
    assert "handbook" not in posted


async def test_X6_what_a_private_archive_answered_goes_to_no_online_host(hob: LivingHob) -> None:
    repo = await services(hob, private=True)
    ref = RepoRef("octo", "tea", repo.id, 1, private=True)
    settings = RepoSettings(archives=("octo/handbook",))
    knowledge = hob.services.knowledge(ref, hob.services.github.job(ref), settings)
    assert knowledge is not None
    gate = guard(hob.services.config, hob.services.store, ref, confidential=secretive(knowledge))
    assert await gate.setting() == "allowed"
    await knowledge.search("nutmeg")
    assert await gate.setting() == "never"


@pytest.mark.parametrize("environment", [{"HOB_KNOWLEDGE__OPEN_ARCHIVES": "octo/handbook"}])
async def test_the_operator_may_open_an_archive_to_all(hob: LivingHob) -> None:
    repo = await services(hob, private=False)
    await question(hob, repo)
    assert "nutmeg" in asked(hob)


async def test_P6_an_archive_where_the_app_is_not_installed_is_not_read(hob: LivingHob) -> None:
    repo = await services(hob, private=True, archive="rival/handbook")
    await question(hob, repo)
    assert "nutmeg" not in asked(hob)
    assert all("rival" not in one.path for one in hob.github.fetches)


async def test_P6_a_repository_file_names_no_archive(hob: LivingHob) -> None:
    hob.github.repository("octo/handbook", private=True, files={"recipe.md": HANDBOOK})
    config = "archives: [octo/handbook]\nknowledge: {archives: {etc: /etc}}\n"
    repo = hob.github.repository("octo/tea", private=True, files={"tea.py": TEA, ".github/hob.yml": config})
    repo.grant("ann", "read", association="MEMBER")
    repo.push({"pot.py": "POT = 1\n"}, "Buy a pot")
    await hob.works()
    await question(hob, repo)
    assert "nutmeg" not in asked(hob)


@pytest.mark.parametrize(
    ("archive", "repo", "opened", "answers"),
    [
        (("a", False), ("b", False), (), True),
        (("a", True), ("a", True), (), True),
        (("a", True), ("A", True), (), True),
        (("a", True), ("a", False), (), False),
        (("a", True), ("b", True), (), False),
        (("a", True), ("b", False), ("A/archive",), True),
    ],
)
def test_P6_who_may_be_answered_from_what(
    archive: tuple[str, bool], repo: tuple[str, bool], opened: tuple[str, ...], answers: bool
) -> None:
    def ref(of: tuple[str, bool], name: str) -> RepoRef:
        return RepoRef(of[0], name, 1, 1, private=of[1])

    assert may_answer(ref(archive, "archive"), ref(repo, "repo"), opened) is answers
