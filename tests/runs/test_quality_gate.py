"""Every commit that Hob proposes is tried by the repository's tests first, where the operator lets it: what
fails them is a draft that says so, and never a push to somebody's own branch."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch as patched

import pytest

from bot.core.refs import Sha
from bot.core.suite_runs import RunSuite, SuiteRun
from bot.runs.services import Services
from bot.testing.github import GitHubStandIn
from bot.testing.github.pulls import PullRequest
from tests import needs
from tests.fakes.models import FakeOllama
from tests.fakes.suites import FakeSuite
from tests.living import LivingHob, by_schema, living_hob
from tests.runs.test_patches import asks, branches, drafts
from tests.tea import finding

PYTHON = "/usr/bin/python3"
COOL = "def brew(water):\n    return water\n"
PASSES = "def test_brew(): assert brew(1) == 1\n"
TWO = {"path": "tea.py", "search": "return water", "replace": "return water + 0"}
WRONG = {"path": "tea.py", "search": "return water", "replace": "return water + 1"}
NO_WATER = {"path": "tea.py", "search": "return water", "replace": "return water or 0"}
ITS_TEST = {
    "path": "tests/test_none.py",
    "replace": "from tea import brew\n\n\ndef test_none(): assert brew(None) == 0\n",
}


@contextmanager
def with_suite(suite: RunSuite) -> Iterator[None]:
    """As if the operator had opted the repository in."""
    with patched.object(Services, "suite", lambda *_: suite):
        yield


def opened(hob: LivingHob, push: str = "branch") -> PullRequest:
    config = f"code: {{enabled: true, push: {push}}}\n"
    files = {".github/hob.yml": config, "tea.py": "x = 1\n", "tests/test_tea.py": PASSES}
    repo = hob.github.repository("octo/tea", files=files)
    repo.grant("ann", "write")
    for one in hob.github.installations.values():
        one.permissions = {**one.permissions, "contents": "write"}
    return repo.open_pull_request("Brew", {"tea.py": COOL}, author="ann")


def suite_of(pull: PullRequest, *, report: bool = True) -> FakeSuite:
    def files(commit: Sha) -> dict[str, str]:
        names = pull.git.run("ls-tree", "-r", "--name-only", commit).decode().split()
        return {name: pull.git.run("show", f"{commit}:{name}").decode() for name in names}

    return FakeSuite(files, report=report)


def reviewed_then(*patches: list[dict[str, Any]]) -> Any:
    """One finding; then these patches in turn."""
    left = list(patches)
    review = {"findings": [finding(quote="return water")], "summary": ""}

    def answer(request: dict[str, Any]) -> Any:
        writes = "edits" in request["format"].get("properties", {})
        edits = left.pop(0) if writes and len(left) > 1 else left[0]
        return by_schema(review=review, patch={"summary": "Brews nothing too.", "edits": edits})(request)

    return answer


async def test_a_fix_whose_test_fails_first_says_so_in_its_pull_request(hob: LivingHob) -> None:
    hob.ollama.answer = reviewed_then([NO_WATER, ITS_TEST])
    pull = opened(hob)
    await hob.works()
    with with_suite(suite_of(pull)):
        (said,) = await asks(hob, pull, "fix all")
    (draft,) = drafts(hob)
    assert "**Tests**: passed." in draft.body
    assert "`pytest -q` with the patch: 2 passed, 0 failed, 2 s; without it: 1 passed" in draft.body
    assert "`tests/test_none.py::test_none` fails without the code of the patch" in draft.body
    assert "`tea.py`, `tests/test_none.py`: parsed" in draft.body
    assert "nothing new to say of `tea.py`" in draft.body
    assert "**Tests**: passed." in said


async def test_a_failing_patch_is_asked_for_once_more_with_what_the_tests_wrote(hob: LivingHob) -> None:
    hob.ollama.answer = reviewed_then([WRONG], [NO_WATER])
    pull = opened(hob)
    await hob.works()
    before = len(hob.ollama.chats)
    with with_suite(suite := suite_of(pull)):
        await asks(hob, pull, "fix all")
    first, second = (str(one) for one in hob.ollama.chats[before:])
    assert "FAILED tests/test_tea.py::test_brew" not in first
    assert "FAILED tests/test_tea.py::test_brew" in second
    assert "+    return water + 1" in second
    assert "passed before and fails now" in second
    (draft,) = drafts(hob)
    assert draft.text("tea.py") == COOL.replace("water\n", "water or 0\n")
    assert "not proved" in draft.body
    assert len([one for one in suite.runs if not one]) == 1


@pytest.mark.parametrize("push", ["branch", "author"])
async def test_what_fails_its_gate_twice_is_a_draft_that_says_so_and_never_on_the_authors_branch(
    hob: LivingHob, push: str
) -> None:
    hob.ollama.answer = reviewed_then([WRONG])
    pull = opened(hob, push)
    await hob.works()
    before = pull.head_sha
    with with_suite(suite_of(pull)):
        (said,) = await asks(hob, pull, "fix all")
    (draft,) = drafts(hob)
    assert pull.head_sha == before
    assert draft.draft
    assert draft.body.startswith("**The tests of this repository fail with this patch: it is not done.**")
    assert "`tests/test_tea.py::test_brew` passed before and fails now" in draft.body
    assert "FAILED tests/test_tea.py::test_brew" in draft.body
    assert "The tests of this repository fail with it" in said
    assert ("I did not push it to" in said) == (push == "author")


async def test_what_passes_goes_to_the_authors_own_branch_where_that_is_wanted(hob: LivingHob) -> None:
    hob.ollama.answer = reviewed_then([TWO])
    pull = opened(hob, "author")
    await hob.works()
    with with_suite(suite_of(pull)):
        (said,) = await asks(hob, pull, "simplify")
    assert pull.text("tea.py") == COOL.replace("water\n", "water + 0\n")
    assert drafts(hob) == []
    assert "**Tests**: passed." in said


@pytest.mark.parametrize("command", ["tests", "docs", "changelog", "simplify"])
async def test_every_kind_passes_the_gate(hob: LivingHob, command: str) -> None:
    paths = {
        "tests": "tests/test_new.py",
        "docs": "docs/tea.md",
        "changelog": "CHANGES.md",
        "simplify": "tea.py",
    }
    edit = {
        "path": paths[command],
        "replace": "from tea import brew\n\n\ndef test_new(): assert brew(2) == 2\n",
    }
    if command == "simplify":
        edit = TWO
    if command == "changelog":
        edit = {"path": "CHANGES.md", "search": "# Log\n", "replace": "# Log\n\n- Brews.\n"}
    pull = opened(hob)
    pull.push({"CHANGES.md": "# Log\n"}, author="ann")
    await hob.works()
    hob.ollama.answer = reviewed_then([edit])
    with with_suite(suite := suite_of(pull)):
        await asks(hob, pull, command)
    (draft,) = drafts(hob)
    assert "**Tests**: passed." in draft.body
    assert paths[command] in suite.runs[0]


async def test_without_a_sandbox_nothing_is_run_and_that_is_said(hob: LivingHob) -> None:
    async def none(_: Sha, __: Any) -> SuiteRun:
        return SuiteRun(refused="there is no sandbox on this machine")

    hob.ollama.answer = reviewed_then([TWO])
    pull = opened(hob)
    await hob.works()
    with with_suite(none):
        await asks(hob, pull, "simplify")
    (draft,) = drafts(hob)
    assert "**Tests**: not run. there is no sandbox on this machine." in draft.body


async def test_A5_a_push_while_the_tests_run_stops_it(hob: LivingHob) -> None:
    hob.ollama.answer = reviewed_then([TWO])
    pull = opened(hob)
    await hob.works()
    suite = suite_of(pull)

    async def slow(commit: Sha, texts: Any) -> SuiteRun:
        pull.force_push({"tea.py": "y = 1\n"}, author="ann")
        return await suite(commit, texts)

    with with_suite(slow):
        (said, *_) = await asks(hob, pull, "simplify")
    assert "push while I wrote" in said
    assert branches(pull.code) == []


SUITE = """
import sys, unittest
sys.path[:0] = ["/repo", "/repo/tests"]
found = unittest.defaultTestLoader.discover("/repo/tests")
cases = [case for many in found for one in many for case in one]
bad = {}
for case in cases:
    result = unittest.TestResult()
    case.run(result)
    bad[case.id()] = bool(result.failures + result.errors)
    if bad[case.id()]:
        print("FAILED", case.id())
with open("report.xml", "w") as file:
    file.write("<testsuites><testsuite>")
    for case in cases:
        said = "<failure/>" if bad[case.id()] else ""
        file.write(f'<testcase classname="{type(case).__name__}" name="{case.id()}">{said}</testcase>')
    file.write("</testsuite></testsuites>")
sys.exit(any(bad.values()))
"""
CASE = """import unittest

import tea


class {name}(unittest.TestCase):
    def test_it(self):
        self.assertEqual(tea.brew({given}), {wanted})
"""


@pytest.fixture
async def opted_in(tmp_path: Path, github: GitHubStandIn, ollama: FakeOllama) -> AsyncIterator[LivingHob]:
    needs.sandbox()
    needs.program(PYTHON, "python3")
    table = {"octo/tea": {"command": [PYTHON, "-B", "suite.py"], "report": "report.xml", "seconds": 30}}
    async with living_hob(tmp_path, github, ollama, HOB_CODE__TESTS=json.dumps(table)) as hob:
        yield hob


async def test_the_repositorys_own_command_decides(opted_in: LivingHob) -> None:
    """In the sandbox: a fix with its test is proved; one that breaks what passed is a draft that says so."""
    hob = opted_in
    old = CASE.format(name="Water", given=1, wanted=1)
    new = CASE.format(name="Nothing", given=None, wanted=0)
    hob.ollama.answer = reviewed_then([NO_WATER, {"path": "tests/test_nothing.py", "replace": new}])
    pull = opened(hob, "author")
    pull.push({"suite.py": SUITE, "tests/test_tea.py": old}, author="ann")
    await hob.works()
    head = pull.head_sha
    (said,) = await asks(hob, pull, "fix all")
    assert "**Tests**: passed." in said
    assert "2 passed, 0 failed" in said
    assert "`Nothing::test_nothing.Nothing.test_it` fails without the code of the patch" in said
    assert [one.parents for one in pull.git.log(head, pull.head_sha)] == [(head,)]
    hob.ollama.answer = reviewed_then([{**WRONG, "search": "return water or 0"}])
    head = pull.head_sha
    (said,) = await asks(hob, pull, "fix all")
    (draft,) = drafts(hob)
    assert "The tests of this repository fail with it" in said
    assert "FAILED test_tea.Water.test_it" in draft.body
    assert pull.head_sha == head
