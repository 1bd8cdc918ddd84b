"""Traces: each call of a model as a row of its run, and sums by role, host and model that outlive them."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields

from sqlalchemy import Connection, select

from bot.core.calls import Call
from bot.store.database import Database
from bot.store.tables import call_totals, calls
from bot.store.text import fit

MOST_NAMES = 50
SUMS = ("calls", "tokens_in", "tokens_out", "seconds", "first_token_seconds", "cost_usd")


@dataclass(frozen=True, slots=True)
class CallTotal:
    """Sums over all calls of one kind. `outcome`: answer, cached or failure."""

    role: str
    host: str
    model: str
    outcome: str
    calls: int
    tokens_in: int
    tokens_out: int
    seconds: float
    first_token_seconds: float
    cost_usd: float


class Calls:
    """The tables `calls` and `call_totals`. Raises `StoreUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, run_id: int | None, repo: str, made: Iterable[Call]) -> None:
        """Writes down what was asked for a run."""
        made = tuple(made)
        if not made:
            return
        with self._db.write() as connection:
            connection.execute(calls.insert(), [_row(run_id, repo, call) for call in made])
            for call in made:
                self._sum_up(connection, call)

    def of_run(self, run_id: int) -> list[Call]:
        """A run's calls in their order."""
        columns = [calls.c[one.name] for one in fields(Call)]
        query = select(*columns).where(calls.c.run_id == run_id).order_by(calls.c.id).limit(1000)
        with self._db.read() as connection:
            found = connection.execute(query).mappings().all()
        return [Call(**{**row, "left_out": tuple(json.loads(row["left_out"]))}) for row in found]

    def totals(self) -> list[CallTotal]:
        """The sums by role, model, host and outcome."""
        columns = [call_totals.c[one.name] for one in fields(CallTotal)]
        order = (call_totals.c.role, call_totals.c.model, call_totals.c.host, call_totals.c.outcome)
        with self._db.read() as connection:
            found = connection.execute(select(*columns).order_by(*order)).mappings().all()
        return [CallTotal(**row) for row in found]

    def _sum_up(self, connection: Connection, call: Call) -> None:
        outcome = "failure" if call.failure else "cached" if call.cached else "answer"
        key = {"role": call.role, "host": fit(call.host, 200), "model": fit(call.model, 200)}
        row = {**key, "outcome": outcome, "calls": 1, **{one: getattr(call, one) for one in SUMS[1:]}}
        insert = self._db.insert(call_totals).values(row)
        more = {one: call_totals.c[one] + insert.excluded[one] for one in SUMS}
        connection.execute(insert.on_conflict_do_update(index_elements=[*key, "outcome"], set_=more))


def _row(run_id: int | None, repo: str, call: Call) -> dict[str, object]:
    return {
        **asdict(call),
        "run_id": run_id,
        "repo": fit(repo, 300),
        "prompt": fit(call.prompt, 100),
        "host": fit(call.host, 200),
        "model": fit(call.model, 200),
        "failure": fit(call.failure, 300),
        "left_out": json.dumps([fit(name, 300) for name in call.left_out[:MOST_NAMES]]),
    }
