"""The index of a repository on this machine that no installation stands behind."""

import hashlib
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from bot.core.errors import UserError
from bot.core.knowing import Found
from bot.core.source import LeftOut
from bot.knowledge.git import Git
from bot.knowledge.index import Progress, Updated, update
from bot.knowledge.indexed import Indexed
from bot.knowledge.search import Search
from bot.knowledge.shelf import Damaged, Sizes
from bot.knowledge.sqlite import SQLiteShelf

T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class UpToDate:
    """An index after its update. `rebuilt` says why it had to be built again; empty where it had not."""

    path: Path
    rebuilt: str
    updated: Updated
    sizes: Sizes
    left_out: tuple[LeftOut, ...]


class Local:
    """A repository, by any folder in it, with its index in the data directory. UserError where there is no
    repository, or no commit in it."""

    def __init__(self, folder: Path, data_dir: Path) -> None:
        if not folder.is_dir():
            raise UserError(f"there is no folder {folder}", "name one that lies in a git repository")
        root = Git(folder).root.resolve()
        self.git = Git(root)
        name = hashlib.sha256(os.fsencode(root)).hexdigest()[:16]
        self.path = data_dir / "knowledge" / f"local-{name}.db"
        self.tip = self.git.commit()
        if not self.tip:
            raise UserError(f"{root} has no commit yet", "commit something first")

    @property
    def indexed(self) -> Indexed:
        """The index as it is, to be asked at any time."""
        return Indexed(lambda: SQLiteShelf.open(self.path) if self.path.exists() else None, self.git)

    def index(self, progress: Progress) -> UpToDate:
        """Brings the index to the last commit."""

        def work(shelf: SQLiteShelf) -> UpToDate:
            updated = update(shelf, self.git, self.tip, progress)
            left_out = tuple(LeftOut(each.path, each.why) for each in shelf.files().values() if each.why)
            return UpToDate(self.path, shelf.rebuilt, updated, shelf.sizes(), left_out)

        return with_shelf(self.path, work)

    def search(self, query: str, k: int, progress: Progress) -> Sequence[Found]:
        """The k best files of the last commit, after the index was brought to it."""

        def work(shelf: SQLiteShelf) -> Sequence[Found]:
            update(shelf, self.git, self.tip, progress)
            return Search(shelf, self.git).search(query, k)

        return with_shelf(self.path, work)


def with_shelf(path: Path, work: Callable[[SQLiteShelf], T]) -> T:
    """What `work` gives; once more on an empty shelf where the first proves to be damaged."""
    shelf = SQLiteShelf.open(path)
    try:
        return work(shelf)
    except Damaged as wrong:
        shelf.discard()
        log.warning("the index is built again: %s", wrong)
        shelf = SQLiteShelf.open(path)
        shelf.rebuilt = str(wrong)
        return work(shelf)
    finally:
        shelf.close()
