"""The files of one commit as a search sees them: the tip's, or those of another commit whose blobs are read
when they are first asked for."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, Self

from bot.core.errors import UserError
from bot.core.file_kinds import kind_of_path
from bot.knowledge.git import Git
from bot.knowledge.indexing import OTHERS, put_blobs
from bot.knowledge.storage import IndexStore

MOST_READ = 1_000
"""Blobs read for one commit; a commit that differs by more is searched in parts only."""


class Snapshot(Protocol):
    """`paths` has the blobs that `holding` was asked for, no others."""

    @property
    def sha(self) -> str: ...

    @property
    def paths(self) -> Mapping[str, Sequence[str]]: ...

    @property
    def others(self) -> bool:
        """Whether it may have blobs that the tip has not."""

    def holding(self, blobs: Collection[str]) -> Self:
        """The same with these blobs looked up."""

    def those(self, paths: Sequence[str]) -> list[str]:
        """The paths that are there."""

    def ending(self, path: str) -> list[str]:
        """The paths that are `path` or end in it."""

    def blobs_of(self, paths: Sequence[str]) -> dict[str, str]:
        """path -> blob, of those that are there."""


@dataclass(frozen=True)
class AtTip:
    """The files that the index is of; true within the `index_store.reading()` in which it was made."""

    index_store: IndexStore
    sha: str
    paths: Mapping[str, Sequence[str]] = field(default_factory=dict)
    others: bool = False

    def holding(self, blobs: Collection[str]) -> Self:
        return replace(self, paths=self.index_store.paths(blobs))

    def those(self, paths: Sequence[str]) -> list[str]:
        there = self.blobs_of(paths)
        return [path for path in paths if path in there]

    def ending(self, path: str) -> list[str]:
        return _ending(path, self.index_store.paths_like([path.rpartition("/")[2]]))

    def blobs_of(self, paths: Sequence[str]) -> dict[str, str]:
        return self.index_store.blobs_of(paths)


@dataclass(frozen=True)
class AtCommit:
    """The files of any commit."""

    sha: str
    files: Mapping[str, str]
    """path -> blob"""
    by_blob: Mapping[str, Sequence[str]]
    left_out: frozenset[str] = frozenset()
    """Blobs of these that cannot be read."""
    others: bool = True

    def is_whole(self, index_store: IndexStore) -> bool:
        """Whether the index still has what it was given: a push may have dropped some since."""
        return not set(self.by_blob) - self.left_out - index_store.known(self.by_blob)

    @property
    def paths(self) -> Mapping[str, Sequence[str]]:
        return self.by_blob

    def holding(self, blobs: Collection[str]) -> Self:
        return self

    def those(self, paths: Sequence[str]) -> list[str]:
        return [path for path in paths if path in self.files]

    def ending(self, path: str) -> list[str]:
        like: dict[str, list[str]] = defaultdict(list)
        for each in self.files:
            like[each.rpartition("/")[2].casefold()].append(each)
        return _ending(path, like)

    def blobs_of(self, paths: Sequence[str]) -> dict[str, str]:
        return {path: self.files[path] for path in paths if path in self.files}


def snapshot_at(index_store: IndexStore, git: Git | None, sha: str) -> AtCommit | None:
    """The files of a commit, those that the index lacks put there; None: it is the one that the index is of.
    UserError where there is no such commit."""
    if sha == index_store.state("tip"):
        return None
    if git is None or not (whole := git.commit(sha)):
        raise UserError(f"there is no commit {sha[:80]} here", "fetch it first")
    if whole == index_store.state("tip"):
        return None
    files = {
        each.path: each.sha
        for each in git.tree(whole)
        if each.kind == "file" and each.named and not kind_of_path(each.path)
    }
    known = index_store.known(files.values())
    new = {blob: path for path, blob in files.items() if blob not in known}
    read = dict(list(new.items())[:MOST_READ])
    whys = put_blobs(index_store, git, read, tip=False)
    if read:
        index_store.drop_others(OTHERS, keep=files.values())
    by_blob: dict[str, list[str]] = defaultdict(list)
    for path, blob in files.items():
        by_blob[blob].append(path)
    return AtCommit(whole, files, by_blob, frozenset(whys) | (set(new) - set(read)))


def _ending(path: str, like: Mapping[str, Sequence[str]]) -> list[str]:
    found = like.get(path.rpartition("/")[2].casefold(), ())
    return [each for each in found if f"/{each}".casefold().endswith(f"/{path.strip('/')}".casefold())]
