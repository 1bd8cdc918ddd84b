"""What `hob purge` counts and deletes: rows, and files of this machine."""

import asyncio
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.config import Config
from bot.core.errors import TemporaryError, UserError
from bot.inference.cache import Cache
from bot.knowledge.manager import KnowledgeManager
from bot.knowledge.storage.index_stores import IndexStores
from bot.runs.tuning_folder import forget_tuning, tuning_folders
from bot.store import Store, open_store
from bot.store.purging import KeptRows, kept, purge_repository, which_repository


@dataclass(frozen=True, slots=True)
class Purge:
    """Of one repository."""

    config: Config
    store: Store
    cache: Cache
    repo_id: int
    names: frozenset[str]

    @property
    def title(self) -> str:
        """For people."""
        return f"{', '.join(sorted(self.names)) or 'a repository without a name'} ({self.repo_id})"

    def kept(self) -> list[KeptRows]:
        return [*kept(self.store.database, self.repo_id, self.names), *self._files()]

    def delete(self) -> list[KeptRows]:
        """The rows first: what a worker does meanwhile has no repository any more. UserError while a worker
        is at it."""
        files = self._files()
        rows = purge_repository(self.store.database, self.repo_id, self.names)
        try:
            asyncio.run(self._manager().forget(self.repo_id))
        except TemporaryError as busy:
            raise UserError(
                f"the rows are deleted, clone and index are not: {busy}",
                "wait until no run of it is under way, or stop Hob, and purge again",
            ) from None
        self.cache.purge(self.repo_id)
        for report in self._reports():
            report.unlink(missing_ok=True)
        forget_tuning(self.config.hob.data_dir, {self.repo_id})
        return [*rows, *files]

    def _manager(self) -> KnowledgeManager:
        data = self.config.hob.data_dir
        return KnowledgeManager(data / "clones", IndexStores(data / "knowledge"))

    def _files(self) -> list[KeptRows]:
        data, reports = self.config.hob.data_dir, self._reports()
        clone = data / "clones" / f"{self.repo_id}.git"
        index = [one for one in (data / "knowledge").glob(f"{self.repo_id}.*") if one.is_file()]
        tuning = tuning_folders(data, {self.repo_id})
        entries, size = self.cache.kept(self.repo_id) if (data / "cache.db").exists() else (0, 0)
        return [
            KeptRows("clone", int(clone.exists()), size_of([clone])),
            KeptRows("index", int(bool(index)), size_of(index)),
            KeptRows("answers in the cache", entries, size),
            KeptRows("reports of what was only kept", len(reports), size_of(reports)),
            KeptRows("training data", len(tuning), size_of(tuning)),
        ]

    def _reports(self) -> list[Path]:
        """Whose names are those of the repository, in any case."""
        wanted = {f"{name.replace('/', '--')}.md" for name in self.names}
        return [
            one for one in (self.config.hob.data_dir / "shadow").glob("*/*.md") if one.name.lower() in wanted
        ]


def size_of(paths: Sequence[Path]) -> int:
    """Bytes of files, and of all in folders."""
    total = 0
    for path in paths:
        files = path.rglob("*") if path.is_dir() else [path]
        total += sum(one.lstat().st_size for one in files if one.is_file())
    return total


@contextmanager
def opened(config: Config, named: str) -> Iterator[Purge]:
    """UserError where Hob does not know the repository."""
    store = open_store(config.store.database_url)
    cache = Cache(config.hob.data_dir / "cache.db", 1 << 20, 1.0)
    try:
        store.require_schema()
        repo_id, names = which_repository(store.database, named)
        yield Purge(config, store, cache, repo_id, names)
    finally:
        cache.close()
        store.close()


def table(found: Sequence[KeptRows]) -> str:
    """A line for each kind of which there is something."""
    there = [one for one in found if one.count]
    wide = max((len(one.kind) for one in there), default=0)
    return os.linesep.join(f"{one.kind:<{wide}}  {one.count:>8,}  {human(one.size):>9}" for one in there)


def human(size: float) -> str:
    """Bytes in the largest unit that leaves one figure before the point."""
    for unit in ("B", "KB", "MB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} GB"
