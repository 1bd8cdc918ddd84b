"""The indexes of all repositories of this machine, by the repository's id on GitHub: a file each,
`{folder}/{repository id}.db`."""

import os
from contextlib import suppress
from pathlib import Path

from bot.knowledge.storage import IndexStore


class IndexStores:
    """Methods block, and raise `IndexStoreError`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def has(self, repo_id: int) -> bool:
        """Whether there is an index."""
        return self._file(repo_id).exists()

    def open(self, repo_id: int, *, whole: bool = True) -> IndexStore:
        """An empty one where there was none; whoever opens it closes it. See `IndexStore.open`."""
        opened = IndexStore.open(self._file(repo_id), whole=whole)
        with suppress(OSError):
            os.utime(self._file(repo_id))
        return opened

    def known(self) -> list[int]:
        """The ids of the repositories that have an index here."""
        return sorted(int(one.stem) for one in self.folder.glob("*.db") if one.stem.isdecimal())

    def used_at(self, repo_id: int) -> float:
        """When it was last opened, in epoch seconds; 0.0 where there is none."""
        try:
            return self._file(repo_id).stat().st_mtime
        except FileNotFoundError:
            return 0.0

    def remove(self, repo_id: int) -> None:
        """With what lies beside it: logs, locks, a broken one that was put aside."""
        for one in self.folder.glob(f"{repo_id}.*"):
            one.unlink(missing_ok=True)

    def _file(self, repo_id: int) -> Path:
        return self.folder / f"{repo_id}.db"
