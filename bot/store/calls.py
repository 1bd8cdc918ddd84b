"""Traces: each call of a model as a row of its run, and sums by role, host and model that outlive them.

What models were asked, and what it cost.
"""

import json
import time
import zlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields

from sqlalchemy import Connection, func, select

from bot.core import credentials
from bot.core.inference import ModelCall, ToolUse, Usage
from bot.store.columns import fit
from bot.store.database import Database
from bot.store.tables import call_totals, calls, usage


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


TOOL = "tool call"
"""The role of a row that is a call of a tool: no model's role has a blank. Its `prompt` is the tool's name,
and `left_out` its arguments and the bytes of what it gave."""
MOST_NAMES = 50
MOST_SAID = 500_000
"""Characters of one text of a call; a window of 128k tokens is no more."""
SUMS = (
    "calls",
    "tokens_in",
    "tokens_out",
    "seconds",
    "first_token_seconds",
    "cost_usd",
    "tokens_cached",
)


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
    tokens_cached: int = 0


class ModelCalls:
    """The tables `calls` and `call_totals`. Raises `StoreUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, run_id: int | None, repo: str, made: Iterable[ModelCall | ToolUse]) -> None:
        """Writes down what was asked for a run, and which tools models called."""
        made = tuple(made)
        if not made:
            return
        with self._db.write() as connection:
            connection.execute(calls.insert(), [_row(run_id, repo, call) for call in made])
            for call in made:
                if isinstance(call, ModelCall):
                    self._sum_up(connection, call)

    def of_run(self, run_id: int) -> list[ModelCall]:
        """A run's calls in their order."""
        columns = [calls.c[one.name] for one in fields(ModelCall) if one.name != "said"]
        query = select(*columns).where(calls.c.run_id == run_id, calls.c.role != TOOL)
        query = query.order_by(calls.c.id).limit(1000)
        with self._db.read() as connection:
            found = connection.execute(query).mappings().all()
        return [ModelCall(**{**row, "left_out": tuple(json.loads(row["left_out"]))}) for row in found]

    def said(self, run_id: int, n: int) -> tuple[tuple[str, str], ...]:
        """(who, text) of the `n`-th call of a run's models, from 0; empty where it was not kept."""
        query = select(calls.c.texts).where(calls.c.run_id == run_id, calls.c.role != TOOL)
        with self._db.read() as connection:
            texts = connection.execute(query.order_by(calls.c.id).offset(n).limit(1)).scalar()
        return tuple((who, text) for who, text in json.loads(zlib.decompress(texts))) if texts else ()

    def tools_of_run(self, run_id: int) -> list[ToolUse]:
        """The calls of tools by a run's models, in their order."""
        columns = (calls.c.at, calls.c.prompt, calls.c.left_out, calls.c.seconds, calls.c.failure)
        query = select(*columns).where(calls.c.run_id == run_id, calls.c.role == TOOL)
        with self._db.read() as connection:
            found = connection.execute(query.order_by(calls.c.id).limit(1000)).all()
        uses = []
        for at, name, told, seconds, failure in found:
            arguments, size = json.loads(told)
            uses.append(ToolUse(at, name, arguments, int(size), seconds, failure))
        return uses

    def totals(self) -> list[CallTotal]:
        """The sums by role, model, host and outcome."""
        columns = [call_totals.c[one.name] for one in fields(CallTotal)]
        order = (call_totals.c.role, call_totals.c.model, call_totals.c.host, call_totals.c.outcome)
        with self._db.read() as connection:
            found = connection.execute(select(*columns).order_by(*order)).mappings().all()
        return [CallTotal(**row) for row in found]

    def _sum_up(self, connection: Connection, call: ModelCall) -> None:
        outcome = "failure" if call.failure else "cached" if call.cached else "answer"
        key = {"role": call.role, "host": fit(call.host, 200), "model": fit(call.model, 200)}
        row = {**key, "outcome": outcome, "calls": 1, **{one: getattr(call, one) for one in SUMS[1:]}}
        insert = self._db.insert(call_totals).values(row)
        more = {one: call_totals.c[one] + insert.excluded[one] for one in SUMS}
        connection.execute(insert.on_conflict_do_update(index_elements=[*key, "outcome"], set_=more))


def _row(run_id: int | None, repo: str, call: ModelCall | ToolUse) -> dict[str, object]:
    if isinstance(call, ToolUse):
        used = (fit(call.arguments, 400), str(call.bytes))
        call = ModelCall(
            call.at, call.name, TOOL, "", "", seconds=call.seconds, failure=call.failure, left_out=used
        )
    told = asdict(call)
    said = [(who, credentials.without(text).text[:MOST_SAID]) for who, text in told.pop("said")]
    return {
        **told,
        "texts": zlib.compress(json.dumps(said).encode()) if said else None,
        "run_id": run_id,
        "repo": fit(repo, 300),
        "prompt": fit(call.prompt, 100),
        "host": fit(call.host, 200),
        "model": fit(call.model, 200),
        "failure": fit(call.failure, 300),
        "left_out": json.dumps([fit(name, 400) for name in call.left_out[:MOST_NAMES]]),
    }
