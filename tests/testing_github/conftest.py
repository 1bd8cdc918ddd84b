"""The stand-in with an App installed and one pull request, and a caller that speaks plain HTTP to it."""

from dataclasses import dataclass

import pytest

from bot.testing.github import GitHubStandIn
from bot.testing.github.pulls import PullRequest
from bot.testing.github.repository import Repository
from bot.testing.github.state import PERMISSIONS
from tests.fakes.github import contract, github
from tests.testing_github.caller import Caller, with_token

__all__ = ["Tea", "contract", "github", "tea"]

LINES = [f"line {number}" for number in range(1, 61)]


def text(**changed: str) -> str:
    """Sixty numbered lines, `l7="hot"` puts other words on line 7."""
    lines = list(LINES)
    for name, words in changed.items():
        lines[int(name[1:]) - 1] = words
    return "\n".join(lines) + "\n"


@dataclass
class Tea:
    """A repository, a pull request that changes lines 10 and 40 of brew.py, a caller with all rights."""

    gh: GitHubStandIn
    repo: Repository
    pull: PullRequest
    call: Caller
    path: str = "/repos/octo/tea"


@pytest.fixture
def tea(github: GitHubStandIn) -> Tea:
    repo = github.repository("octo/tea", private=True, files={"brew.py": text(), "old.txt": "one\ntwo\n"})
    github.install_app("octo", permissions={**PERMISSIONS, "actions": "read"})
    pull = repo.open_pull_request("Brew hotter", {"brew.py": text(l10="hot", l40="very hot")}, author="mona")
    return Tea(github, repo, pull, with_token(github))
