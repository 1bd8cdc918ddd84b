"""What models were asked, and what it cost."""

import time
from dataclasses import asdict, dataclass

from sqlalchemy import func, select

from bot.core.effects import Usage
from bot.store.database import Database
from bot.store.tables import usage
from bot.store.text import fit


@dataclass(frozen=True, slots=True)
class Total:
    """Sums over a time."""

    answers: int
    tokens_in: int
    tokens_out: int
    cost_usd: float


class Ledger:
    """The table `usage`. Raises `StoreUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, run_id: int | None, repo: str, used: Usage, cost_usd: float = 0.0) -> None:
        """Writes one answer down."""
        row = {
            **asdict(used),
            "at": time.time(),
            "repo": fit(repo, 300),
            "run_id": run_id,
            "cost_usd": cost_usd,
        }
        with self._db.write() as connection:
            connection.execute(usage.insert().values(row))

    def total(self, since: float, host: str | None = None) -> Total:
        """What was spent since then (epoch seconds), on all hosts or one."""
        columns = (usage.c.tokens_in, usage.c.tokens_out, usage.c.cost_usd)
        query = select(func.count(), *(func.coalesce(func.sum(column), 0) for column in columns))
        query = query.where(usage.c.at >= since)
        with self._db.read() as connection:
            row = connection.execute(query if host is None else query.where(usage.c.host == host)).one()
        return Total(row[0], int(row[1]), int(row[2]), float(row[3]))
