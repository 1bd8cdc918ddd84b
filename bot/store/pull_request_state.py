"""What people said about Hob's part in a pull request: go on, pause, ignore it."""

import time
from collections.abc import Callable
from typing import cast

from sqlalchemy import Connection, select, update

from bot.core.effects import PullState
from bot.core.refs import RepoRef
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

    def setting(self, repo: RepoRef, number: int, state: PullState) -> Callable[[Connection], None]:
        """For `Outbox.commit`."""
        which = (pulls.c.repo_id == repo.id) & (pulls.c.number == number)
        row = {"state": state, "changed_at": time.time()}

        def carry_out(connection: Connection) -> None:
            if connection.execute(update(pulls).where(which).values(row)).rowcount == 0:
                new = {"repo_id": repo.id, "number": number, **row}
                connection.execute(self._db.insert(pulls).values(new))

        return carry_out
