"""Real git repositories and real indexes, small."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import settings

from bot.knowledge.git import Git
from bot.knowledge.index import Updated, update
from bot.knowledge.search import Search
from bot.knowledge.sqlite import Shelf
from bot.standin.git import Content, GitRepo

settings.register_profile("untimed", settings(), deadline=None)  # what takes how long is for tests/bench
settings.load_profile("untimed")

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
    shelf: Shelf
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
    shelf = Shelf.open(tmp_path / "index.db")
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
