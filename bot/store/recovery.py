"""Runs whose worker is gone: back into the queue, or dead when they seem to be what kills workers."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from bot.store import leases
from bot.store.database import Database
from bot.store.tables import runs
from bot.store.unfinished import follow_up
from bot.store.values import LIVE, Run, RunState

MAX_CRASHES = 3


@dataclass(frozen=True, slots=True)
class Recovered:
    """A run that lost its worker, and the state it came to."""

    run: Run
    state: RunState


class Recovery:
    """Finds lost runs. Raises `StoreUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def expired(self, now: float) -> list[Run]:
        """Live runs whose lease has ended."""
        return self._live(lambda run: run.lease_until <= now)

    def recover_expired(self) -> list[Recovered]:
        """Takes every expired run from its worker, counting a crash. Safe with several sweepers at once."""
        return self._recover(self.expired(time.time()), lambda run: run.lease_until <= time.time())

    def release_dead(self, is_gone: Callable[[str], bool]) -> list[Recovered]:
        """At boot: takes the runs of workers that `is_gone` knows to be dead, without waiting for their
        leases."""
        return self._recover(self._live(lambda run: is_gone(run.owner)), lambda run: is_gone(run.owner))

    def _live(self, wanted: Callable[[Run], bool]) -> list[Run]:
        with self._db.read() as connection:
            rows = connection.execute(select(runs).where(runs.c.state.in_(LIVE)).order_by(runs.c.id))
            return [run for row in rows.mappings() if wanted(run := Run(**row))]

    def _recover(self, lost: list[Run], still_lost: Callable[[Run], bool]) -> list[Recovered]:
        done = []
        for run in lost:
            with self._db.write() as connection:
                leases.lock(self._db, connection, run.target)
                if state := _take_away(connection, run, still_lost):
                    if state != "queued":
                        follow_up(connection, self._db.told_ends, [run.id], time.time())
                    done.append(Recovered(run, state))
        return done


def _take_away(connection: Connection, lost: Run, still_lost: Callable[[Run], bool]) -> RunState | None:
    row = connection.execute(select(runs).where(runs.c.id == lost.id).with_for_update()).mappings().one()
    run = Run(**row)
    if run.state not in LIVE or run.fence != lost.fence or not still_lost(run):
        return None
    leases.free(connection, run.target, run.id)
    state, error = _verdict(run)
    ended = None if state == "queued" else time.time()
    fate = {"state": state, "error": error, "crashes": run.crashes + 1, "owner": "", "lease_until": 0.0}
    connection.execute(
        update(runs).where(runs.c.id == run.id).values(**fate, not_before=0.0, finished_at=ended)
    )
    return state


def _verdict(run: Run) -> tuple[RunState, str]:
    crashes = run.crashes + 1
    if run.superseded:
        return "superseded", "a newer event took its place"
    if crashes >= MAX_CRASHES:
        return "dead", f"its worker died {crashes} times while at it"
    return "queued", f"its worker died ({crashes} of {MAX_CRASHES})"
