"""Clones of repositories on a GitHub that people push to."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.knowledge.clone import CloneLimits, Remote
from bot.knowledge.clones import Clones
from bot.testing.github import GitHubStandIn
from bot.testing.github.git import GitRepo
from bot.testing.github.repository import Repository
from bot.testing.github.smart import step

__all__ = ["Fetching", "fetching"]

FILES = {"tea.py": "def brew():\n    return 1\n", "README.md": "# Tea\n", "lib/pot.py": "POT = 1\n"}


@dataclass
class Fetching:
    """A GitHub, one repository of it, and the clones of a Hob that is installed there."""

    github: GitHubStandIn
    repo: Repository
    clones: Clones
    tokens: list[str] = field(default_factory=list)

    def origin(self, url: str = "", size_kb: int = 0) -> Remote:
        async def authorization(renew: bool) -> str:
            if renew or not self.tokens:
                installation = next(iter(self.github.installations.values()))
                token = self.github.mint(installation, {"contents": "read"}, (self.repo.id,))
                self.tokens.append(token.value)
            return "Basic " + base64.b64encode(f"x-access-token:{self.tokens[-1]}".encode()).decode()

        return Remote(url or f"{self.github.origin}/octo/tea.git", authorization, size_kb)

    @property
    def folder(self) -> Path:
        return self.clones.path(self.repo.id)

    def text(self, path: str, at: str = "refs/hob/tip") -> str | None:
        """What the clone has at a path, without asking anybody."""
        found = GitRepo(self.folder).objects([f"{at}:{path}"])
        return found[f"{at}:{path}"][2].decode() if found else None

    def packs_asked(self) -> int:
        """How many packs were asked for, apart from what refs there are."""
        return sum(step(one).endswith(" fetch") for one in self.github.fetches)


@pytest.fixture
def fetching(tmp_path: Path) -> Iterator[Fetching]:
    with GitHubStandIn(tmp_path / "github") as github:
        repo = github.repository("octo/tea", private=True, files=FILES)
        github.install_app("octo")
        limits = CloneLimits(seconds=30.0, settle=0.05, unknown=3 << 20)
        yield Fetching(github, repo, Clones(tmp_path / "data" / "clones", 64, limits))
