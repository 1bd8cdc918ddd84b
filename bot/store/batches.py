"""How far a batch is: a run that lists issues, and the runs of the requests that it made, told by their
deliveries' names."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from msgspec.json import decode

from bot.store.outbox import Outbox
from bot.store.runs import Runs
from bot.store.types import FINAL, EffectRow, Run

HANDLER = "issues.batch"
"""What the route that lists is stored as."""


@dataclass(frozen=True, slots=True)
class BatchIssue:
    """One issue. `state`: of its run; `effects`: what was done, in the words of the outbox."""

    number: int
    run: int
    state: str
    summary: str
    effects: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """`total`: how many issues it is about; 0 until they are listed."""

    run: Run
    total: int
    issues: tuple[BatchIssue, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many issues there are in each state. A request that no run was made of yet waits too."""
        states = Counter(one.state for one in self.issues)
        states["queued"] += max(self.total - len(self.issues), 0)
        return {state: count for state, count in states.items() if count}

    @property
    def over(self) -> int:
        return sum(one.state in FINAL for one in self.issues)

    @property
    def is_over(self) -> bool:
        return self.run.state in FINAL and (self.over >= self.total or self.run.state != "done")


def progress(runs: Runs, outbox: Outbox, run: Run, *, effects: bool = False) -> BatchProgress:
    """`effects`: with what was done on each issue."""
    issues = []
    for one in runs.of_batch(run.delivery):
        told = tuple(_told(row) for row in outbox.rows(one.id)) if effects else ()
        number = int(one.delivery.rpartition(":")[2])
        issues.append(BatchIssue(number, one.id, one.state, one.summary or one.error, told))
    return BatchProgress(run, len(outbox.rows(run.id)), tuple(issues))


def _told(row: EffectRow) -> dict[str, Any]:
    return {"kind": row.kind, "state": row.state, "url": row.url or None, **decode(row.payload)}
