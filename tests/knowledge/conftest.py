"""Real git repositories and real indexes, small; clones of repositories on a GitHub that people push to."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.knowledge.clone import Limits, Remote
from bot.knowledge.clones import Clones
from bot.knowledge.git import Git
from bot.knowledge.index import Updated, update
from bot.knowledge.search import Search
from bot.knowledge.sqlite import SQLiteShelf
from bot.standin import GitHub
from bot.standin.git import Content, GitRepo
from bot.standin.repository import Repository
from bot.standin.smart import step

__all__ = ["Fetching", "fetching"]

TEA = '''"""Tea."""

import time


def steep(leaves):
    """Waits for the leaves."""
    time.sleep(leaves * 60)


class Pot:
    def pour(self, cup):
        cup.fill(steep(3))
'''
CUP = "class Cup:\n    def fill(self, tea):\n        self.tea = tea\n"


@dataclass
class House:
    """A bare repository, its index, and what was told of progress."""

    repo: GitRepo
    shelf: SQLiteShelf
    told: list[tuple[int, int, str]] = field(default_factory=list)

    @property
    def git(self) -> Git:
        return Git(self.repo.path)

    def commit(
        self,
        files: dict[str, Content],
        message: str = "Change",
        *,
        parent: str | None = "HEAD",
        at: float = 1e9,
    ) -> str:
        """Onto the tip, or onto another commit (None: a new root), which main is then."""
        onto = self.repo.resolve("main") if parent == "HEAD" else parent
        author = "Ann"
        return self.repo.write("refs/heads/main", files, parent=onto, message=message, author=author, at=at)

    def index(self, processes: int = 1) -> Updated:
        """To the tip."""
        self.told.clear()
        return update(
            self.shelf, self.git, self.git.commit("main"), lambda *told: self.told.append(told), processes
        )

    def files_read(self) -> int:
        """In the last update."""
        return max((done for done, _, what in self.told if what == "files"), default=0)

    @property
    def search(self) -> Search:
        return Search(self.shelf, self.git)

    def left_out(self) -> dict[str, str]:
        return {file.path: file.why for file in self.shelf.files().values() if file.why}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    shelf = SQLiteShelf.open(tmp_path / "index.db")
    yield House(GitRepo(tmp_path / "repo.git"), shelf)
    shelf.close()


@pytest.fixture
def tea(house: House) -> House:
    """Two files in one commit, indexed."""
    house.commit(
        {"src/tea.py": TEA, "src/cup.py": CUP, "README.md": "# Tea\n\nHow to make it.\n"}, "Make tea"
    )
    house.index()
    return house


FILES = {"tea.py": "def brew():\n    return 1\n", "README.md": "# Tea\n", "lib/pot.py": "POT = 1\n"}


@dataclass
class Fetching:
    """A GitHub, one repository of it, and the clones of a Hob that is installed there."""

    github: GitHub
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
    with GitHub(tmp_path / "github") as github:
        repo = github.repository("octo/tea", private=True, files=FILES)
        github.install_app("octo")
        limits = Limits(seconds=30.0, settle=0.05, unknown=3 << 20)
        yield Fetching(github, repo, Clones(tmp_path / "data" / "clones", 64, limits))
