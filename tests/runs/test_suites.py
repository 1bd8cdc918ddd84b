"""A repository's own tests, run on a commit from GitHub with files in place of its own, as a run has them."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from bot.core.refs import RepoRef, Sha
from bot.core.suite_runs import SuiteRun
from bot.testing.github import GitHubStandIn
from bot.testing.github.repository import Repository
from tests import needs
from tests.fakes.models import FakeOllama
from tests.living import LivingHob, living_hob

PYTHON = "/usr/bin/python3"
TEA = "def brew(water):\n    return water\n"
TESTS = """
import sys, unittest
sys.path.insert(0, "/work")
import tea
class Tea(unittest.TestCase):
    def test_brews(self): self.assertEqual(tea.brew(1), 1)
    def test_guards(self): self.assertEqual(tea.brew(0), None)
found = unittest.TestResult()
unittest.defaultTestLoader.loadTestsFromTestCase(Tea).run(found)
bad = {str(test).split()[0] for test, _ in found.failures + found.errors}
with open("report.xml", "w") as file:
    file.write("<testsuites><testsuite>")
    for name in ("test_brews", "test_guards"):
        said = "<failure/>" if name in bad else ""
        file.write(f'<testcase classname="Tea" name="{name}">{said}</testcase>')
    file.write("</testsuite></testsuites>")
print("\\x1b[31mran", found.testsRun)
sys.exit(bool(bad))
"""


@dataclass
class OptedIn:
    """A Hob whose operator opted `octo/tea` in."""

    hob: LivingHob
    repo: Repository

    @property
    def ref(self) -> RepoRef:
        installation = next(iter(self.hob.github.installations.values()))
        return RepoRef("octo", "tea", self.repo.id, installation.id)

    async def run(self, texts: dict[str, str | None] | None = None, sha: str = "", **table: Any) -> SuiteRun:
        services = self.hob.services
        if table:
            told = services.config.code.tests["octo/tea"].model_copy(update=table)
            code = services.config.code.model_copy(update={"tests": {"octo/tea": told}})
            services = replace(services, config=services.config.model_copy(update={"code": code}))
        async with services.github.job(self.ref) as job:
            suite = services.suite(self.ref, job)
            assert suite is not None
            return await suite(Sha(sha or self.repo.git.resolve("refs/heads/main") or ""), texts or {})

    def nothing_is_left(self) -> bool:
        return list((self.hob.services.config.hob.data_dir / "suites").iterdir()) == []


@pytest.fixture
async def tested(tmp_path: Path, github: GitHubStandIn, ollama: FakeOllama) -> AsyncIterator[OptedIn]:
    needs.sandbox()
    needs.program(PYTHON, "python3")
    table = {"octo/tea": {"command": [PYTHON, "-B", "test_tea.py"], "report": "report.xml", "seconds": 20}}
    repo = github.repository("octo/tea", files={"tea.py": TEA, "test_tea.py": TESTS})
    async with living_hob(tmp_path, github, ollama, HOB_CODE__TESTS=json.dumps(table)) as hob:
        yield OptedIn(hob, repo)


async def test_the_tests_of_a_commit_are_run_and_told_by_name(tested: OptedIn) -> None:
    ran = await tested.run()
    assert (ran.passed, ran.failed, ran.code) == ({"Tea::test_brews"}, {"Tea::test_guards"}, 1)
    assert (ran.refused, ran.killed, ran.output) == ("", "", "ran 2")
    assert ran.command == "/usr/bin/python3 -B test_tea.py"
    assert tested.nothing_is_left()


async def test_files_take_the_place_of_the_commits_own(tested: OptedIn) -> None:
    mended = await tested.run({"tea.py": TEA.replace("water\n", "water or None\n")})
    assert mended.good and len(mended.passed) == 2
    broken = await tested.run({"tea.py": None})
    assert "No module named 'tea'" in broken.output
