"""Repositories of which no index was ever made, in the order in which theirs is: a row of the table
`schedule` for each, which stays when the run is made, so that none is made twice."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select, update

from bot.store.database import Database
from bot.store.routing import run_values
from bot.store.schedule import PREFIX
from bot.store.tables import repositories, runs, schedule
from bot.store.types import FINAL, RunSpec

KEY = "index.first"
"""Of the rows; no handler bears it."""
MADE = 253_402_300_800.0
"""`due` of a row whose run was made: the year 10000."""
GUID = f"{PREFIX}index:"
_WAITS = (schedule.c.handler == KEY) & (schedule.c.due < MADE)
_GOES_ON = runs.c.state.not_in(FINAL) & runs.c.delivery.startswith(GUID)


@dataclass(frozen=True, slots=True)
class FirstIndexStatus:
    """`now`: the repository that is read, if one is."""

    waiting: int
    made: int
    now: str

    def __str__(self) -> str:
        if not self.waiting and not self.now:
            made = f"; asked for so far: {self.made}" if self.made else ""
            return f"none waits for its first index{made}"
        said = [f"{self.now} is indexed for the first time"] if self.now else []
        return ", ".join([*said, f"{self.waiting} wait for theirs"])


class FirstIndexes:
    """Raises `StoreUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def offer(self, repo_ids: Sequence[int], now: float) -> int:
        """Lets these wait in this order, behind those that wait already; gives how many are new."""
        if not repo_ids:
            return 0
        with self._db.write() as connection:
            which = (schedule.c.handler == KEY) & schedule.c.repo_id.in_(repo_ids)
            known = set(connection.scalars(select(schedule.c.repo_id).where(which)))
            last = connection.scalar(select(func.max(schedule.c.due)).where(_WAITS)) or 0.0
            start = max(now, last + 1)
            new = [repo for repo in dict.fromkeys(repo_ids) if repo not in known]
            rows = [
                {"handler": KEY, "repo_id": repo, "due": start + at / 1000} for at, repo in enumerate(new)
            ]
            if rows:
                connection.execute(self._db.insert(schedule).on_conflict_do_nothing(), rows)
        return len(new)

    def offered(self, repo_ids: Sequence[int]) -> set[int]:
        """Those of them that wait, or waited once."""
        which = (schedule.c.handler == KEY) & schedule.c.repo_id.in_(repo_ids)
        with self._db.read() as connection:
            return set(connection.scalars(select(schedule.c.repo_id).where(which)))

    def make_next(self, handler: str, now: float) -> str:
        """Makes the run of the next one, while none of them goes on: a run in the background, as a push has
        it. Gives the name of its repository, empty where there is nothing to do."""
        with self._db.read() as connection:
            if self._next(connection) is None or self._now(connection):
                return ""
        with self._db.write() as connection:
            if (found := self._next(connection, lock=True)) is None or self._now(connection):
                return ""
            repo_id, name = found
            mine = (schedule.c.handler == KEY) & (schedule.c.repo_id == repo_id)
            connection.execute(update(schedule).where(mine).values(due=MADE))
            target = f"{repo_id}/{handler}"
            same = (runs.c.target == target) & (runs.c.handler == handler) & runs.c.state.not_in(FINAL)
            if connection.execute(select(runs.c.id).where(same).limit(1)).first() is None:
                row = run_values(
                    RunSpec(handler, "low", target, not_before=now, joins=True),
                    guid=f"{GUID}{int(now)}:{repo_id}",
                    repo_id=repo_id,
                    repo=name,
                    arrived_at=now,
                    now=now,
                )
                connection.execute(self._db.insert(runs).values(row).on_conflict_do_nothing())
            return name

    def status(self) -> FirstIndexStatus:
        with self._db.read() as connection:
            counted = select(func.count()).select_from(schedule)
            waiting = connection.scalar(counted.where(_WAITS)) or 0
            made = connection.scalar(counted.where(schedule.c.handler == KEY, ~_WAITS)) or 0
            return FirstIndexStatus(waiting, made, self._now(connection))

    def _next(self, connection: Connection, *, lock: bool = False) -> tuple[int, str] | None:
        which: Any = (
            select(schedule.c.repo_id, repositories.c.name)
            .join(repositories, repositories.c.id == schedule.c.repo_id)
            .where(_WAITS)
            .order_by(schedule.c.due)
            .limit(1)
        )
        if lock:
            which = which.with_for_update(of=schedule)
        found = connection.execute(which).first()
        return (int(found[0]), str(found[1])) if found else None

    def _now(self, connection: Connection) -> str:
        which = select(runs.c.repo).where(_GOES_ON).order_by(runs.c.id).limit(1)
        return connection.scalar(which) or ""
