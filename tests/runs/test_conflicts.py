"""`conflicts`: the base merged in, as far as that can be proved; else words, and nothing that looks done."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.testing.github import GitHubStandIn
from bot.testing.github.git import Content
from bot.testing.github.pulls import PullRequest
from tests.fakes.models import FakeOllama
from tests.living import LivingHob, living_hob
from tests.runs.test_patches import ON, asks, branches, drafts

LOG = "# Log\n\n## Next\n\n- Boils.\n"
TEST = "from tea import brew\n\n\ndef test_brew():\n    assert brew(1) == 1\n"
OURS = TEST + "\n\ndef test_ours():\n    assert brew(2) == 2\n"
THEIRS = TEST + "\n\ndef test_theirs():\n    assert brew(3) == 3\n"
BOTH = OURS + "\n\ndef test_theirs():\n    assert brew(3) == 3\n"
BREW = "def brew(water):\n    return water\n"
MILK, SUGAR = BREW.replace("(water)", "(water, milk)"), BREW.replace("(water)", "(water, sugar=1)")


@pytest.fixture
async def hob(tmp_path: Path, github: GitHubStandIn, ollama: FakeOllama) -> AsyncIterator[LivingHob]:
    async with living_hob(tmp_path, github, ollama, HOB_KNOWLEDGE__ENABLED="true") as living:
        yield living


def parted(
    hob: LivingHob,
    before: Mapping[str, Content],
    ours: Mapping[str, Content],
    theirs: Mapping[str, Content],
    config: str = ON,
    **more: Any,
) -> PullRequest:
    repo = hob.github.repository(
        "octo/tea", files={".github/hob.yml": config + "review: {auto: false}\n", **before}
    )
    repo.grant("ann", "write")
    repo.grant("bob", "write")
    for one in hob.github.installations.values():
        one.permissions = {**one.permissions, "contents": "write"}
    pull = repo.open_pull_request("Brew", dict(ours), author="ann", **more)
    repo.commit(dict(theirs), "Meanwhile")
    return pull


def tip(pull: PullRequest, branch: str = "main") -> str:
    return pull.git.resolve(f"refs/heads/{branch}") or ""


async def test_what_both_sides_add_stays_in_a_merge_commit_and_no_model_is_asked(hob: LivingHob) -> None:
    pull = parted(
        hob,
        {"tests/test_tea.py": TEST, "CHANGELOG.md": LOG, "tea.py": BREW},
        {"tests/test_tea.py": OURS, "CHANGELOG.md": LOG + "- Ours.\n", "ours.py": "x = 1\n"},
        {"tests/test_tea.py": THEIRS, "CHANGELOG.md": LOG + "- Theirs.\n", "theirs.py": "y = 1\n"},
    )
    await hob.works()
    asked = len(hob.ollama.chats)
    (said,) = await asks(hob, pull, "conflicts")
    assert len(hob.ollama.chats) == asked
    (draft,) = drafts(hob)
    (branch,) = branches(pull.code)
    assert (draft.draft, draft.head_ref, draft.base_ref) == (True, branch, pull.head_ref)
    assert pull.git.commit(draft.head_sha).parents == (pull.head_sha, tip(pull))
    assert draft.text("tests/test_tea.py") == BOTH
    assert draft.text("CHANGELOG.md") == LOG + "- Ours.\n- Theirs.\n"
    assert (draft.text("ours.py"), draft.text("theirs.py")) == ("x = 1\n", "y = 1\n")
    assert "merge commit" in draft.body
    assert "both sides add to it" in draft.body
    assert branch in said
