"""What metrics count, and effects that were kept and never applied, for reports."""

from dataclasses import dataclass

from sqlalchemy import func, select

from bot.store.database import Database
from bot.store.tables import outbox, runs


@dataclass(frozen=True, slots=True)
class Shadowed:
    """One effect with the run that planned it."""

    run_id: int
    target: str
    kind: str
    payload: str
    tokens_in: int
    tokens_out: int

    @property
    def number(self) -> int:
        return int(self.target.partition("#")[2].partition("/")[0])


def shadowed(database: Database, repo: str, since: float, until: float) -> list[Shadowed]:
    """Of a repository (`owner/name`, in any case), oldest first; times are seconds since 1970."""
    columns = (outbox.c.run_id, outbox.c.target, outbox.c.kind, outbox.c.payload)
    query = (
        select(*columns, runs.c.tokens_in, runs.c.tokens_out)
        .join(runs, runs.c.id == outbox.c.run_id)
        .where(func.lower(runs.c.repo) == repo.lower())
        .where(outbox.c.state == "shadow", outbox.c.created_at >= since, outbox.c.created_at < until)
        .order_by(outbox.c.id)
    )
    with database.read() as connection:
        return [Shadowed(*row) for row in connection.execute(query)]


def repositories(database: Database, since: float, until: float) -> list[str]:
    """Those of which something was kept, by name."""
    within = (outbox.c.state == "shadow") & (outbox.c.created_at >= since) & (outbox.c.created_at < until)
    query = select(runs.c.repo).join(outbox, runs.c.id == outbox.c.run_id).where(within).distinct()
    with database.read() as connection:
        return sorted(connection.scalars(query))


def effect_counts(database: Database) -> dict[tuple[str, ...], int]:
    """How many effects are of each (kind, state)."""
    columns = (outbox.c.kind, outbox.c.state)
    with database.read() as connection:
        rows = connection.execute(select(*columns, func.count()).group_by(*columns))
        return {(kind, state): count for kind, state, count in rows}
