"""The newest event wins: older runs of the same handler and target are dropped, or told to stop."""

from sqlalchemy import ColumnElement, Connection, exists, select, update

from bot.store.tables import runs
from bot.store.unfinished import follow_up
from bot.store.values import LIVE


def by_newer(connection: Connection, run_id: int, now: float, handlers: frozenset[str] = frozenset()) -> None:
    """For a run just inserted: drops those older by their delivery's arrival; or itself, when a newer one
    is already there (deliveries come in any order). The caller holds the target's lease row, so no two do
    this at once."""
    new = connection.execute(select(runs).where(runs.c.id == run_id)).one()
    siblings = (runs.c.target == new.target) & (runs.c.handler == new.handler) & (runs.c.id != run_id)
    newer = (
        (runs.c.arrived_at > new.arrived_at)
        & runs.c.supersedes
        & (runs.c.state.in_((*LIVE, "queued", "done")))
    )
    if connection.execute(select(exists().where(siblings & newer))).scalar_one():
        mark(connection, runs.c.id == run_id, now)
    else:
        mark(connection, siblings & (runs.c.arrived_at <= new.arrived_at), now, handlers=handlers)


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
    why: str = "a newer event took its place",
    handlers: frozenset[str] = frozenset(),
) -> int:
    """Queued runs end at once; live ones learn it from their next heartbeat. Gives how many runs were
    concerned. One of `handlers` that was at work before may have begun a check run, which is ended."""
    ended = {
        "state": "superseded",
        "superseded": True,
        "finished_at": now,
        "error": why,
    }
    drop = update(runs).where(which & (runs.c.state == "queued")).values(ended)
    dropped = connection.execute(drop.returning(runs.c.id, runs.c.started_at)).all()
    follow_up(connection, handlers, [row.id for row in dropped if row.started_at is not None], now)
    told = connection.execute(
        update(runs).where(which & runs.c.state.in_(LIVE)).values(superseded=True)
    ).rowcount
    return len(dropped) + told
