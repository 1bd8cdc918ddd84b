"""`implement` on made issues, whose repositories' tests run in the sandbox; `make bench ARGS=implement` has
all twenty."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.testing.github import GitHubStandIn
from tests import made_issues, needs
from tests.fakes.models import FakeOllama
from tests.living import LivingHob, living_hob
from tests.made_issues import TASKS, carried_out, good
from tests.runs.test_comments import ours


@pytest.fixture
async def tested(tmp_path: Path, github: GitHubStandIn, ollama: FakeOllama) -> AsyncIterator[LivingHob]:
    needs.sandbox()
    needs.program(made_issues.PYTHON, "python3")
    async with living_hob(tmp_path, github, ollama, HOB_CODE__TESTS=made_issues.opted_in()) as hob:
        yield hob


async def test_an_issue_becomes_a_draft_whose_tests_pass_in_the_sandbox(tested: LivingHob) -> None:
    for one in await carried_out(tested, TASKS[:3], good):
        assert [draft.draft for draft in one.drafts] == [True], ours(one.issue)
        assert "**Tests**: passed." in one.drafts[0].body, one.drafts[0].body
        assert one.passes()
        assert len(one.calls) <= 12 + 1, [*map(str, one.calls)]
