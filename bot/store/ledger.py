"""What models were asked, and what it cost."""

import time
from dataclasses import asdict, dataclass

from sqlalchemy import func, select

from bot.store.database import Database
from bot.store.tables import usage


@dataclass(frozen=True, slots=True)
class Spent:
    """One answer of a model. `at` epoch seconds, `seconds` how long it took."""

    purpose: str
    host: str
    model: str
    tokens_in: int
    tokens_out: int
    seconds: float
    repo: str = ""
    run_id: int | None = None
    cost_usd: float = 0.0
    at: float = 0.0
    """0: now"""


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

    def add(self, *spent: Spent) -> None:
        """Writes answers down."""
        now = time.time()
        rows = [{**asdict(each), "at": each.at or now} for each in spent]
        if rows:
            with self._db.write() as connection:
                connection.execute(usage.insert(), rows)

    def total(self, since: float, host: str | None = None) -> Total:
        """What was spent since then (epoch seconds), on all hosts or one."""
        columns = (usage.c.tokens_in, usage.c.tokens_out, usage.c.cost_usd)
        query = select(func.count(), *(func.coalesce(func.sum(column), 0) for column in columns))
        query = query.where(usage.c.at >= since)
        with self._db.read() as connection:
            row = connection.execute(query if host is None else query.where(usage.c.host == host)).one()
        return Total(row[0], int(row[1]), int(row[2]), float(row[3]))
