"""The indexes of all repositories of one Hob, by the repository's id on GitHub."""

from pathlib import Path
from typing import Protocol

from bot.knowledge.shelf import Shelf


class Shelves(Protocol):
    """Methods block, and raise `ShelfError`."""

    def has(self, repo_id: int) -> bool:
        """Whether there is an index."""
        ...

    def open(self, repo_id: int) -> Shelf:
        """An empty one where there was none; whoever opens it closes it."""
        ...

    def remove(self, repo_id: int) -> None: ...


def shelves_of(database_url: str, folder: Path) -> Shelves:
    """Where a `[store] database_url` lays them: in that PostgreSQL, or beside its SQLite file in a folder."""
    if database_url.startswith("sqlite"):
        return SQLiteShelves(folder)
    # psycopg is an extra
    from bot.knowledge.postgres.shelves import PostgresShelves

    return PostgresShelves(database_url)


class SQLiteShelves:
    """A file each, `{folder}/{repository id}.db`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def has(self, repo_id: int) -> bool:
        return self._file(repo_id).exists()

    def open(self, repo_id: int) -> Shelf:
        # Here: a worker that has nothing to look up holds no second SQLite in memory, 2 MB.
        from bot.knowledge.sqlite import SQLiteShelf

        return SQLiteShelf.open(self._file(repo_id))

    def remove(self, repo_id: int) -> None:
        """With what lies beside it: logs, locks, a broken one that was put aside."""
        for one in self.folder.glob(f"{repo_id}.*"):
            one.unlink(missing_ok=True)

    def _file(self, repo_id: int) -> Path:
        return self.folder / f"{repo_id}.db"
