"""What metrics tell of runs and of the database. They are asked for every few seconds: each is found by an
index, or is one number that the database keeps anyway."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import case, func, select, text

from bot.store.database import Database
from bot.store.tables import runs

RECENT_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class RecentRuns:
    """Those of one handler that were made within the last `RECENT_SECONDS` and have ended. `seconds` is the
    sum over their last attempts; `crashes` counts how often a worker was lost over one of them."""

    handler: str
    runs: int
    seconds: float
    crashes: int


def recent_runs(database: Database, now: float) -> list[RecentRuns]:
    """By handler."""
    took = func.sum(runs.c.finished_at - func.coalesce(runs.c.started_at, runs.c.finished_at))
    columns = (runs.c.handler, func.count(), took, func.sum(runs.c.crashes))
    ended = (runs.c.created_at >= now - RECENT_SECONDS) & runs.c.finished_at.is_not(None)
    query = select(*columns).where(ended).group_by(runs.c.handler).order_by(runs.c.handler)
    with database.read() as connection:
        rows = connection.execute(query).all()
    return [
        RecentRuns(handler, int(many), max(float(sum_), 0.0), int(lost)) for handler, many, sum_, lost in rows
    ]


def oldest_waiting_seconds(database: Database, now: float) -> float:
    """For how long the run that has waited longest could have begun; 0 where none waits."""
    since = case((runs.c.not_before > runs.c.created_at, runs.c.not_before), else_=runs.c.created_at)
    query = select(func.min(since)).where((runs.c.state == "queued") & (runs.c.not_before <= now))
    with database.read() as connection:
        oldest = connection.scalar(query)
    return max(now - oldest, 0.0) if oldest is not None else 0.0


def database_bytes(database: Database) -> int:
    """What the database takes on its disk."""
    size = "page_count * page_size FROM pragma_page_count, pragma_page_size"
    asked = size if database.is_sqlite else "pg_database_size(current_database())"
    with database.read() as connection:
        return int(connection.scalar(text(f"SELECT {asked}")) or 0)


def free_bytes(database: Database) -> int | None:
    """Of the disk that SQLite's file lies on; None of PostgreSQL, which may be anywhere."""
    try:
        return (
            shutil.disk_usage(Path(database.url.database or "").parent).free if database.is_sqlite else None
        )
    except OSError:
        return None
