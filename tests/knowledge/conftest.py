"""Real git repositories and real indexes, small."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import settings

from bot.knowledge.git import Git
from bot.knowledge.indexing import IndexUpdate, update
from bot.knowledge.search.search import Search
from bot.knowledge.storage import IndexStore
from bot.testing.github.git import Content, GitRepo

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
class Services:
    """A bare repository, its index, and what was told of progress."""

    repo: GitRepo
    index_store: IndexStore
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

    def index(self, processes: int = 1) -> IndexUpdate:
        """To the tip."""
        self.told.clear()
        return update(
            self.index_store,
            self.git,
            self.git.commit("main"),
            lambda *told: self.told.append(told),
            processes,
        )

    def files_read(self) -> int:
        """In the last update."""
        return max((done for done, _, what in self.told if what == "files"), default=0)

    @property
    def search(self) -> Search:
        return Search(self.index_store, self.git)

    def left_out(self) -> dict[str, str]:
        return {file.path: file.why for file in self.index_store.files().values() if file.why}


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Services]:
    index_store = IndexStore.open(tmp_path / "index.db")
    yield Services(GitRepo(tmp_path / "repo.git"), index_store)
    index_store.close()


@pytest.fixture
def tea(checkout: Services) -> Services:
    """Two files in one commit, indexed."""
    checkout.commit(
        {"src/tea.py": TEA, "src/cup.py": CUP, "README.md": "# Tea\n\nHow to make it.\n"}, "Make tea"
    )
    checkout.index()
    return checkout
