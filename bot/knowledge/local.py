"""The index of a repository on this machine that no installation stands behind."""

import hashlib
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from bot.core.errors import HobError, UserError
from bot.core.knowledge import Found, Outline
from bot.core.source import LeftOut
from bot.knowledge.folder import Folder
from bot.knowledge.git import Git
from bot.knowledge.indexing import IndexProgress, IndexUpdate, update
from bot.knowledge.search.excerpts import outlines, with_lines
from bot.knowledge.search.search import Search
from bot.knowledge.search.snapshot import AtTip
from bot.knowledge.storage import IndexStore
from bot.knowledge.storage.types import Damaged, Sizes

if TYPE_CHECKING:
    from bot.knowledge.search.repository_search import Indexed

T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class UpToDate:
    """An index after its update. `rebuilt` says why it had to be built again; empty where it had not."""

    path: Path
    rebuilt: str
    updated: IndexUpdate
    sizes: Sizes
    left_out: tuple[LeftOut, ...]


class Local:
    """A repository, by any folder in it, with its index in the data directory. UserError where there is no
    repository, or no commit in it."""

    def __init__(self, folder: Path, data_dir: Path, *, archive: bool = False) -> None:
        """`archive`: a folder that is no repository itself is read as it is."""
        if not folder.is_dir():
            raise UserError(f"there is no folder {folder}", "name one that lies in a git repository")
        bare = archive and not (folder / ".git").exists() and not (folder / "HEAD").exists()
        root = folder.resolve() if bare else Git(folder).root.resolve()
        self.root = root
        self.git = Folder(root) if bare else Git(root)
        name = hashlib.sha256(os.fsencode(root)).hexdigest()[:16]
        self.path = data_dir / "knowledge" / f"local-{name}.db"
        self.tip = self.git.commit()
        if not self.tip:
            raise UserError(f"{root} has no commit yet", "commit something first")

    @property
    def indexed(self) -> "Indexed":
        """The index as it is, to be asked at any time."""
        from bot.knowledge.search.repository_search import Indexed  # `hob search` starts without it

        return Indexed(lambda: IndexStore.open(self.path) if self.path.exists() else None, self.git)

    def index(self, progress: IndexProgress) -> UpToDate:
        """Brings the index to the last commit."""

        def work(index_store: IndexStore) -> UpToDate:
            updated = update(index_store, self.git, self.tip, progress)
            left_out = tuple(
                LeftOut(each.path, each.why) for each in index_store.files().values() if each.why
            )
            return UpToDate(self.path, index_store.rebuilt, updated, index_store.sizes(), left_out)

        return with_index_store(self.path, work)

    def search(self, query: str, k: int, progress: IndexProgress) -> Sequence[Found]:
        """The k best files of the last commit, after the index was brought to it."""

        def work(index_store: IndexStore) -> Sequence[Found]:
            update(index_store, self.git, self.tip, progress)
            return Search(index_store, self.git).search(query, k)

        return with_index_store(self.path, work)

    def outlined(self, query: str, k: int, progress: IndexProgress) -> list[tuple[Found, Outline]]:
        """The k best files of the last commit, with what each defines."""
        return self._outlined(self.path, self.tip, query, k, progress)

    def as_of(self, base: str, query: str, k: int) -> list[tuple[Found, Outline]]:
        """The same as of an earlier commit, in an index of its own: nothing newer is known. UserError where
        there is no such commit."""
        if not (tip := self.git.commit(base)):
            raise UserError(f"there is no commit {base[:80]} in {self.git.folder}", "fetch it first")
        path = self.path.with_name(self.path.name.replace("local-", "eval-"))
        return self._outlined(path, tip, query, k, lambda *_: None)

    def _outlined(
        self, path: Path, tip: str, query: str, k: int, progress: IndexProgress
    ) -> list[tuple[Found, Outline]]:
        def work(index_store: IndexStore) -> list[tuple[Found, Outline]]:
            update(index_store, self.git, tip, progress)
            snapshot = AtTip(index_store, tip)
            found = with_lines(self.git, snapshot, query, Search(index_store, self.git).search(query, k))
            return list(zip(found, outlines(index_store, self.git, snapshot, found), strict=True))

        return with_index_store(path, work)


ARCHIVED = 0.8
"""What a result of an archive counts beside those of the repository itself."""


def search_beside(
    local: Local, archives: Mapping[str, Path], query: str, k: int, progress: IndexProgress
) -> tuple[list[tuple[Found, Outline]], list[str]]:
    """The k best of a repository and of its archives, each brought up to date; and what is to be said of
    archives that cannot be searched."""
    found = local.outlined(query, k, progress)
    wrong: list[str] = []
    for name, folder in archives.items():
        try:
            archive = Local(folder, local.path.parent.parent, archive=True)
            some = archive.outlined(query, k, progress)
            found += [
                (replace(one, source=name, score=round(ARCHIVED * one.score, 4)), what) for one, what in some
            ]
        except HobError as error:
            wrong.append(f"archive {name}: {error}")
    return sorted(found, key=lambda one: -one[0].score)[:k], wrong


def with_index_store(path: Path, work: Callable[[IndexStore], T]) -> T:
    """What `work` gives; once more on an empty index where the first proves to be damaged."""
    index_store = IndexStore.open(path, whole=False)
    try:
        return work(index_store)
    except Damaged as wrong:
        index_store.discard()
        log.warning("the index is built again: %s", wrong)
        index_store = IndexStore.open(path)
        index_store.rebuilt = str(wrong)
        return work(index_store)
    finally:
        index_store.close()
