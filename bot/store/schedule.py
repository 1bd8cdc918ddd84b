"""Scheduled work: when each route is next due, for the whole of Hob or in a repository, and the runs made of
it.

Runs are unique by handler and by a name of repository and slot (`schedule:2026-11-29:1234`) that stands where
others have the GUID of their delivery: whoever asks twice, one run is made.
"""

from collections.abc import Callable, Collection
from typing import Any

from sqlalchemy import Connection, bindparam, exists, or_, select, update

from bot.core.due_times import DueTimes
from bot.store.database import Database
from bot.store.known_repositories import drop
from bot.store.routing import run_values
from bot.store.tables import repositories, runs, schedule
from bot.store.types import FINAL, RunSpec

BATCH = 100
PREFIX = "schedule:"


class Schedule:
    """The tables `schedule` and `repositories`. Raises `StoreUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def make_due(
        self,
        spec: RunSpec,
        times: Callable[[int], DueTimes],
        *,
        now: float,
        horizon: float,
        per_repository: bool,
        at_first: bool = False,
    ) -> int:
        """Turns what is due of one handler into runs, at most `BATCH` of them; gives how many rows it looked
        at, 0 when nothing is left. `times` are those of a repository's id, 0 for the whole of Hob.
        `at_first`: what was never scheduled is due at once. A run that is not over takes the place of a new
        one."""
        due = (schedule.c.handler == spec.handler) & or_(schedule.c.due <= now, schedule.c.due > horizon)
        with self._db.read() as connection:
            fresh = self._unscheduled(connection, spec.handler, per_repository=per_repository)
            if not fresh and not connection.execute(select(exists().where(due))).scalar_one():
                return 0
        with self._db.write() as connection:
            rows = [
                {"handler": spec.handler, "repo_id": repo, "due": now if at_first else times(repo).following}
                for repo in fresh
            ]
            if rows:
                connection.execute(self._db.insert(schedule).on_conflict_do_nothing(), rows)
            locked = select(schedule.c.repo_id, schedule.c.due).where(due).order_by(schedule.c.repo_id)
            found = connection.execute(locked.limit(BATCH).with_for_update(skip_locked=True)).all()
            names = _names(connection, [repo for repo, _ in found])
            wanted = [repo for repo, at in found if at <= now and (not repo or repo in names)]
            new = [_run(spec, repo, names.get(repo, ""), times(repo), now) for repo in wanted]
            going = _going_on(connection, spec.handler, [row["target"] for row in new])
            if new := [row for row in new if row["target"] not in going]:
                connection.execute(self._db.insert(runs).on_conflict_do_nothing(), new)
            mine = (schedule.c.handler == spec.handler) & (schedule.c.repo_id == bindparam("repo"))
            if found:
                connection.execute(
                    update(schedule).where(mine).values(due=bindparam("following")),
                    [{"repo": repo, "following": times(repo).following} for repo, _ in found],
                )
            return len(found) or len(fresh)

    def installation(self, repo_id: int) -> int | None:
        """Through which the App was last heard of in a repository; None where it has none any more."""
        with self._db.read() as connection:
            which = select(repositories.c.installation_id).where(repositories.c.id == repo_id)
            return connection.execute(which).scalar_one_or_none()

    def drop(self, repo_id: int) -> None:
        """Nothing is scheduled in a repository until a delivery comes from there again."""
        with self._db.write() as connection:
            drop(connection, repositories.c.id == repo_id)

    def _unscheduled(self, connection: Connection, handler: str, *, per_repository: bool) -> list[int]:
        if not per_repository:
            there = exists().where((schedule.c.handler == handler) & (schedule.c.repo_id == 0))
            return [] if connection.execute(select(there)).scalar_one() else [0]
        there = exists().where((schedule.c.handler == handler) & (schedule.c.repo_id == repositories.c.id))
        without = select(repositories.c.id).where(~there).order_by(repositories.c.id).limit(BATCH)
        return list(connection.execute(without).scalars())


def _run(spec: RunSpec, repo_id: int, name: str, times: DueTimes, now: float) -> dict[str, Any]:
    target = f"{repo_id}/{spec.handler}" if repo_id else f"hob/{spec.handler}"
    return run_values(
        RunSpec(spec.handler, spec.priority, target, not_before=times.not_before),
        guid=f"{PREFIX}{times.slot}:{repo_id}" if repo_id else f"{PREFIX}{times.slot}",
        repo_id=repo_id or None,
        repo=name,
        arrived_at=times.since,
        now=now,
    )


def _going_on(connection: Connection, handler: str, targets: Collection[str]) -> set[str]:
    which = runs.c.target.in_(targets) & (runs.c.handler == handler) & runs.c.state.not_in(FINAL)
    return set(connection.scalars(select(runs.c.target).where(which)))


def _names(connection: Connection, repo_ids: Collection[int]) -> dict[int, str]:
    which = select(repositories.c.id, repositories.c.name).where(repositories.c.id.in_(repo_ids))
    return {repo: name for repo, name in connection.execute(which)}  # noqa: C416  rows are no pairs to mypy
