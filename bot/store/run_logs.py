"""The last lines that were logged in a run's attempts."""

import json
import time
import zlib
from collections.abc import Sequence

from sqlalchemy import Connection, delete, select

from bot.log import LoggedLine, redact
from bot.store.database import Database
from bot.store.tables import run_logs, runs

MOST_LINES = 300


class RunLogs:
    """The table `run_logs`. Raises `StoreUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, run_id: int, lines: Sequence[LoggedLine]) -> None:
        """Behind those of earlier attempts, of which the oldest go."""
        if not lines:
            return
        new = [(line.at, line.level, redact(line.message)) for line in lines]
        with self._db.write() as connection:
            every = [*_read(connection, run_id), *new][-MOST_LINES:]
            row = {"run_id": run_id, "at": time.time(), "lines": zlib.compress(json.dumps(every).encode())}
            put = self._db.insert(run_logs).values(row)
            connection.execute(put.on_conflict_do_update(index_elements=["run_id"], set_=row))

    def of(self, run_id: int) -> list[LoggedLine]:
        """Oldest first."""
        with self._db.read() as connection:
            return [LoggedLine(*line) for line in _read(connection, run_id)]


def purge(connection: Connection, older: float) -> None:
    """What is older (epoch seconds), and what no run is left of."""
    connection.execute(delete(run_logs).where(run_logs.c.at < older))
    connection.execute(delete(run_logs).where(run_logs.c.run_id.not_in(select(runs.c.id))))


def _read(connection: Connection, run_id: int) -> list[tuple[float, str, str]]:
    lines = connection.execute(select(run_logs.c.lines).where(run_logs.c.run_id == run_id)).scalar()
    return [(at, level, said) for at, level, said in json.loads(zlib.decompress(lines))] if lines else []
