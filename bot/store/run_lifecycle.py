"""Runs whose worker is gone: back into the queue, or dead when they seem to be what kills workers.

Dead runs get another chance: once by themselves when GitHub delivers again, and whenever a person asks.

The newest event wins: older runs of the same handler and target are dropped, or told to stop.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, exists, select, update

from bot.store import leases
from bot.store.database import Database
from bot.store.heartbeat import elapsed
from bot.store.tables import runs
from bot.store.types import LIVE, Run, RunState
from bot.store.unfinished_checks import follow_up

REPLACED = "a newer event took its place"


def by_newer(connection: Connection, run_id: int, now: float, handlers: frozenset[str] = frozenset()) -> None:
    """For a run just inserted: drops those older by their delivery's arrival; or itself, when a newer one
    is already there (deliveries come in any order). The caller holds the target's lease row, so no two do
    this at once."""
    new = connection.execute(select(runs).where(runs.c.id == run_id)).one()
    siblings = (runs.c.target == new.target) & (runs.c.handler == new.handler) & (runs.c.id != run_id)
    ahead = runs.c.arrived_at > now  # by a clock that has been set back since: it came before this one
    newer = (
        (runs.c.arrived_at > new.arrived_at)
        & ~ahead
        & runs.c.supersedes
        & (runs.c.state.in_((*LIVE, "queued", "done")))
    )
    if connection.execute(select(exists().where(siblings & newer))).scalar_one():
        mark(connection, runs.c.id == run_id, now)
    else:
        older = (runs.c.arrived_at <= new.arrived_at) | ahead
        mark(connection, siblings & older, now, handlers=handlers)


def by_waiting(connection: Connection, run_id: int, now: float) -> None:
    """For a run just inserted that only looks at how things stand: ends it where an older one waits, which
    will see the same. The caller holds the target's lease row."""
    new = connection.execute(select(runs).where(runs.c.id == run_id)).one()
    waits = (runs.c.target == new.target) & (runs.c.handler == new.handler) & (runs.c.id != run_id)
    waits &= (runs.c.state == "queued") & (runs.c.not_before <= new.not_before)
    if connection.execute(select(exists().where(waits))).scalar_one():
        mark(connection, runs.c.id == run_id, now, "a run that waits already does for it")


def mark(
    connection: Connection,
    which: ColumnElement[bool],
    now: float,
    why: str = REPLACED,
    handlers: frozenset[str] = frozenset(),
) -> int:
    """Queued runs end at once; live ones learn it from their next heartbeat, and end with `why`. Gives how
    many runs were concerned. One of `handlers` that was at work before may have begun a check run, which is
    ended."""
    ended = {
        "state": "superseded",
        "superseded": True,
        "finished_at": now,
        "error": why,
    }
    drop = update(runs).where(which & (runs.c.state == "queued")).values(ended)
    dropped = connection.execute(drop.returning(runs.c.id, runs.c.started_at)).all()
    follow_up(connection, handlers, [row.id for row in dropped if row.started_at is not None], now)
    unwanted = {"superseded": True, **({} if why == REPLACED else {"summary": why})}
    told = connection.execute(update(runs).where(which & runs.c.state.in_(LIVE)).values(unwanted)).rowcount
    return len(dropped) + told


_AGAIN: dict[str, Any] = {
    "state": "queued",
    "attempts": 0,
    "crashes": 0,
    "superseded": False,
    "finished_at": None,
}


def after_redelivery(connection: Connection, guids: Iterable[str], now: float) -> None:
    """Queues the dead runs of these deliveries, each at most once in its life: a poisonous delivery that
    something redelivers for ever must not crash workers for ever."""
    _revive(connection, runs.c.delivery.in_(list(guids)) & (runs.c.revivals == 0), now)


def by_hand(connection: Connection, run_id: int, now: float) -> bool:
    """Queues one dead run, however often that was done before. False when it is not dead."""
    return _revive(connection, runs.c.id == run_id, now) == 1


def _revive(connection: Connection, which: ColumnElement[bool], now: float) -> int:
    dead = which & (runs.c.state == "dead")
    again = {**_AGAIN, "not_before": now, "revivals": runs.c.revivals + 1}
    return connection.execute(update(runs).where(dead).values(again)).rowcount


MAX_CRASHES = 3
LONGEST_SILENCE = 10.0
"""Seconds for which a worker may renew no lease, however short leases are: as a lease is while it sends."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """A run that lost its worker, and the state it came to."""

    run: Run
    state: RunState


class Recovery:
    """Finds lost runs. Raises `StoreUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._seen: dict[int, tuple[int, float, float]] = {}
        """Run -> fence and end of its lease, and since when (`elapsed`) they are the same."""

    def expired(self, now: float) -> list[Run]:
        """Live runs whose lease has ended."""
        return self._live(lambda run: run.lease_until <= now)

    def recover_expired(self, lease_seconds: float = LONGEST_SILENCE) -> list[Recovered]:
        """Takes every expired run from its worker, counting a crash, and every run whose lease nobody has
        renewed while `lease_seconds` went by here: a clock that was set back ends it too late. Safe with
        several sweepers at once."""
        live = self._live(lambda run: True)
        silent = self._silent(live, max(lease_seconds, LONGEST_SILENCE))

        def lost(run: Run) -> bool:
            return run.lease_until <= time.time() or (run.fence, run.lease_until) == silent.get(run.id)

        return self._recover([run for run in live if lost(run)], lost)

    def _silent(self, live: list[Run], seconds: float) -> dict[int, tuple[int, float]]:
        """Those whose lease is the same for so long: its fence and its end."""
        now, before = elapsed(), self._seen
        self._seen = {}
        for run in live:
            seen = before.get(run.id)
            same = seen is not None and seen[:2] == (run.fence, run.lease_until)
            self._seen[run.id] = seen if seen and same else (run.fence, run.lease_until, now)
        return {id_: (fence, end) for id_, (fence, end, since) in self._seen.items() if now - since > seconds}

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
    outcome = {"state": state, "error": error, "crashes": run.crashes + 1, "owner": "", "lease_until": 0.0}
    connection.execute(
        update(runs).where(runs.c.id == run.id).values(**outcome, not_before=0.0, finished_at=ended)
    )
    return state


def _verdict(run: Run) -> tuple[RunState, str]:
    crashes = run.crashes + 1
    if run.superseded:
        return "superseded", run.summary or REPLACED
    if crashes >= MAX_CRASHES:
        return "dead", f"its worker died {crashes} times while at it"
    return "queued", f"its worker died ({crashes} of {MAX_CRASHES})"
