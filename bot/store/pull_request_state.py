"""What people said about Hob's part in a pull request: go on, pause, ignore it."""

import time
from typing import cast

from sqlalchemy import Connection, select

from bot.core.effects import PullState
from bot.store.database import Database
from bot.store.tables import pulls


class Pulls:
    """The table `pulls`. Raises `StoreUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def state(self, repo_id: int, number: int) -> PullState:
        """`active` where nobody said anything."""
        which = (pulls.c.repo_id == repo_id) & (pulls.c.number == number)
        with self._db.read() as connection:
            found = connection.execute(select(pulls.c.state).where(which)).scalar()
        return cast("PullState", found or "active")

    def put(self, connection: Connection, repo_id: int, number: int, state: PullState) -> None:
        """In a transaction of the caller's."""
        row = {"repo_id": repo_id, "number": number, "state": state, "changed_at": time.time()}
        known = ["repo_id", "number"]
        connection.execute(
            self._db.insert(pulls).values(row).on_conflict_do_update(index_elements=known, set_=row)
        )
