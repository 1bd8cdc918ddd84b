"""`implement` where the operator lets the repository's tests be run: what fails them goes back, and what
never passes is a draft that says so."""

from typing import Any

from bot.core.refs import Sha
from bot.testing.github.issues import Issue
from tests.fakes.suites import FakeSuite
from tests.living import LivingHob
from tests.runs.test_implement import ON, asked, drafts
from tests.runs.test_implement_limits import says
from tests.runs.test_implement_plan import questions
from tests.runs.test_quality_gate import COOL, ITS_TEST, NO_WATER, PASSES, WRONG, with_suite

GOOD = {"summary": "Brews nothing too.", "edits": [NO_WATER, ITS_TEST]}
BAD = {"summary": "Brews more.", "edits": [WRONG]}


def opened(hob: LivingHob) -> tuple[Issue, FakeSuite]:
    files = {".github/hob.yml": ON, "tea.py": COOL, "tests/test_tea.py": PASSES}
    repo = hob.github.repository("octo/tea", files=files)
    repo.grant("ann", "write")
    for one in hob.github.installations.values():
        one.permissions = {**one.permissions, "contents": "write"}

    def at(commit: Sha) -> dict[str, str]:
        names = repo.git.run("ls-tree", "-r", "--name-only", commit).decode().split()
        return {name: repo.git.run("show", f"{commit}:{name}").decode() for name in names}

    return repo.open_issue("Brew without water", "`tea.py` fails.", author="eve"), FakeSuite(at)


def outcomes(suite: FakeSuite) -> int:
    """Runs of the commit as it is."""
    return len([one for one in suite.runs if not one])


async def test_a_patch_that_fails_the_tests_goes_back_with_what_they_wrote(hob: LivingHob) -> None:
    issue, suite = opened(hob)
    hob.ollama.answer = says(BAD, GOOD)
    with with_suite(suite):
        await asked(hob, issue)
    (draft,) = drafts(hob)
    assert questions(hob) == ["steps", "edits", "edits", "accepted"]
    again = hob.ollama.chats[2]["messages"][-1]["content"]
    assert "FAILED tests/test_tea.py::test_brew" in again and "+    return water + 1" in again
    judged = hob.ollama.chats[3]["messages"][-1]["content"]
    assert 'name="what the tests of the repository say of the patch"' in judged
    assert "**Tests**: passed." in draft.body and "Not done" not in draft.body
    assert outcomes(suite) == 1


async def test_what_never_passes_is_a_draft_that_says_so_with_no_step_ticked(hob: LivingHob) -> None:
    issue, suite = opened(hob)
    hob.ollama.answer = says(BAD)
    with with_suite(suite):
        (said,) = await asked(hob, issue)
    (draft,) = drafts(hob)
    assert draft.body.startswith("**The tests of this repository fail with this patch: it is not done.**")
    assert "the tests of this repository fail with it." in draft.body.partition("**Not done**")[2]
    assert "- [ ] **Guard brew**" in draft.body and "**The tests of this repository fail" in said
    assert questions(hob) == ["steps", "edits", "edits", "edits"]


async def test_one_that_passes_is_not_given_up_for_a_later_one_that_fails(hob: LivingHob) -> None:
    issue, suite = opened(hob)
    hob.ollama.answer = says(GOOD, BAD, accepted=False)
    with with_suite(suite):
        await asked(hob, issue)
    (draft,) = drafts(hob)
    assert "return water or 0" in draft.text("tea.py")
    assert "**Tests**: passed." in draft.body
    assert "No test covers it." in draft.body.partition("**Not done**")[2]


async def test_what_was_tried_while_it_was_written_is_not_tried_again_before_it_is_proposed(
    hob: LivingHob,
) -> None:
    issue, suite = opened(hob)
    hob.ollama.answer = says(GOOD)
    with with_suite(suite):
        await asked(hob, issue)
    whole: list[Any] = [one for one in suite.runs if set(one) == {"tea.py", "tests/test_none.py"}]
    assert len(whole) == 1
