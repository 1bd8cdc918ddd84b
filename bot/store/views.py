"""What the dashboard and the metrics read beside runs: no bodies, no more rows than a page shows."""

from dataclasses import dataclass

from sqlalchemy import func, select

from bot.store.database import Database
from bot.store.inbox import DeliveryState
from bot.store.tables import inbox, outbox


@dataclass(frozen=True, slots=True)
class Arrival:
    """A delivery without its body; `received_at` epoch seconds."""

    guid: str
    event: str
    action: str
    repo: str
    number: int | None
    sender: str
    received_at: float
    state: DeliveryState
    note: str


def arrivals(database: Database, limit: int = 50) -> list[Arrival]:
    """The newest deliveries first."""
    columns = [inbox.c[name] for name in Arrival.__slots__]
    with database.read() as connection:
        rows = connection.execute(select(*columns).order_by(inbox.c.id.desc()).limit(limit))
        return [Arrival(**row) for row in rows.mappings()]


def effect_counts(database: Database) -> dict[tuple[str, ...], int]:
    """How many effects are of each (kind, state)."""
    columns = (outbox.c.kind, outbox.c.state)
    with database.read() as connection:
        rows = connection.execute(select(*columns, func.count()).group_by(*columns))
        return {(kind, state): count for kind, state, count in rows}
