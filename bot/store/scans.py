"""What was read of a repository's code that no pull request touches. A night may end anywhere: each file is
kept as soon as it is read, so that the next attempt goes on where this one was."""

import time
from dataclasses import replace
from typing import Any

from sqlalchemy import delete, select

from bot.core.scan import ScannedFile, as_text, of_text
from bot.store.columns import fit
from bot.store.database import Database
from bot.store.tables import scans

MOST_FINDINGS, MOST_PATH = 50, 4_096


class Scans:
    """The table `scans`. Raises `StoreUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def known(self, repo_id: int) -> dict[str, ScannedFile]:
        """By path."""
        with self._db.read() as connection:
            rows = connection.execute(select(scans).where(scans.c.repo_id == repo_id)).mappings().all()
        return {row["path"]: _file(row) for row in rows}

    def keep(self, repo_id: int, one: ScannedFile) -> None:
        """In the place of what is known of that file."""
        told = as_text([replace(one, findings=one.findings[:MOST_FINDINGS])])
        path = fit(one.path, MOST_PATH)
        row = {"repo_id": repo_id, "path": path, "blob": one.blob, "night": one.night, "calls": one.calls}
        with self._db.write() as connection:
            connection.execute(delete(scans).where((scans.c.repo_id == repo_id) & (scans.c.path == path)))
            connection.execute(scans.insert().values(**row, findings=fit(told, 2**20), at=time.time()))

    def drop(self, repo_id: int, paths: list[str]) -> None:
        """Files that are no longer there."""
        with self._db.write() as connection:
            for path in paths:
                connection.execute(delete(scans).where((scans.c.repo_id == repo_id) & (scans.c.path == path)))


def _file(row: Any) -> ScannedFile:
    told = of_text(row["findings"])
    found = tuple(finding for one in told for finding in one.findings)
    begun = sum(one.begun for one in told)
    return ScannedFile(row["path"], row["blob"], row["night"], row["calls"], found, begun)
