"""From deliveries to runs: what a dispatcher decided, made true in one transaction."""

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from sqlalchemy import Connection, func, select, update

from bot.core.refs import IssueTitle
from bot.store import leases, run_lifecycle
from bot.store.body import compressed, is_framed
from bot.store.columns import fit
from bot.store.database import Database
from bot.store.inbox import Delivery
from bot.store.known_issues import learn
from bot.store.known_repositories import Seen, remember
from bot.store.tables import inbox, runs
from bot.store.types import Run, RunSpec

MOST_WAITING = 20
"""Runs of one repository that wait at their own priority; what comes on top of them goes into the background,
so that a repository with hundreds of events a minute holds up no other."""
OF_ONE_PERSON = 5
"""But the first few of each person: whoever asks without end puts nobody else into the background."""

ALL = "*"
"""No login."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a delivery: `specs` when it is routed, a `note` for people when it is not."""

    delivery: Delivery
    state: Literal["routed", "ignored", "quarantined"]
    specs: Sequence[RunSpec] = ()
    note: str = ""
    about: IssueTitle | None = None


class RunRouting:
    """Writes decisions down. Raises `StoreUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def record(self, decisions: Iterable[Decision]) -> list[Run]:
        """Marks the deliveries and inserts their runs, all or nothing; gives the new runs. A delivery that
        another dispatcher was quicker with is left alone, a run that exists (a replay) is not made again."""
        decided = sorted(decisions, key=lambda each: each.delivery.id)
        packed = [self._packed(each.delivery) for each in decided]
        with self._db.write() as connection:
            marked = zip(decided, packed, strict=True)
            mine = [each for each, body in marked if _mark(connection, each, body)]
            remember(self._db, connection, [seen for each in mine if (seen := _seen(each))])
            learn(self._db, connection, [told for each in mine if (told := _titled(each))])
            wanted = [(spec, each.delivery) for each in mine for spec in each.specs]
            # Lock order: all leases by target before any run.
            for target in sorted({spec.target for spec, _ in wanted if spec.supersedes or spec.joins}):
                leases.lock(self._db, connection, fit(target, 200))
            waiting = _waiting(connection, {each.delivery.repo_id for each in mine})
            ids = [
                _insert(self._db, connection, _in_turn(spec, delivery, waiting), delivery)
                for spec, delivery in wanted
            ]
            made = (
                select(runs)
                .where(runs.c.id.in_([each for each in ids if each is not None]))
                .order_by(runs.c.id)
            )
            return [Run(**row) for row in connection.execute(made).mappings()]

    def _packed(self, delivery: Delivery) -> bytes | None:
        """The body to keep, where it was only framed when it came in."""
        lean = self._db.is_sqlite and is_framed(len(delivery.body))
        return compressed(delivery.body) if lean else None

    def follow(self, delivery: Delivery, specs: Iterable[RunSpec]) -> None:
        """More runs for a delivery that was routed before; each is made once, however often it is asked
        for."""
        with self._db.write() as connection:
            for spec in sorted(specs, key=lambda one: one.target):
                leases.lock(self._db, connection, fit(spec.target, 200))
                _insert(self._db, connection, spec, delivery)


def _waiting(connection: Connection, repos: set[int | None]) -> Counter[tuple[int | None, str]]:
    """How many runs of these repositories wait, by who caused them; by nobody: all of the repository."""
    which = (runs.c.state == "queued") & runs.c.repo_id.in_(repos)
    counted = (
        select(runs.c.repo_id, inbox.c.sender, func.count())
        .select_from(runs.join(inbox, inbox.c.guid == runs.c.delivery))
        .where(which)
        .group_by(runs.c.repo_id, inbox.c.sender)
    )
    waiting: Counter[tuple[int | None, str]] = Counter()
    for repo, sender, count in connection.execute(counted):
        waiting[repo, sender] += count
        waiting[repo, ALL] += count
    return waiting


def _in_turn(spec: RunSpec, delivery: Delivery, waiting: Counter[tuple[int | None, str]]) -> RunSpec:
    """The run behind those of other repositories when many of its own, and some of its person, wait
    already."""
    if spec.priority == "low":
        return spec
    theirs, every = (delivery.repo_id, fit(delivery.sender, 100)), (delivery.repo_id, ALL)
    waiting.update((theirs, every))
    many = waiting[every] > MOST_WAITING and waiting[theirs] > OF_ONE_PERSON
    return replace(spec, priority="low") if many else spec


def _seen(decision: Decision) -> Seen | None:
    """The repository that a delivery came from."""
    told = decision.delivery
    if decision.state == "quarantined" or told.repo_id is None or told.installation_id is None:
        return None
    return Seen(told.repo_id, told.repo, told.installation_id, told.received_at)


def _titled(decision: Decision) -> tuple[int, float, IssueTitle] | None:
    told = decision.delivery
    if decision.about is None or told.repo_id is None:
        return None
    return told.repo_id, told.received_at, decision.about


def _mark(connection: Connection, decision: Decision, body: bytes | None) -> bool:
    still_new = (inbox.c.id == decision.delivery.id) & (inbox.c.state == "new")
    values: dict[str, Any] = {"state": decision.state, "note": fit(decision.note, 1000)}
    if body is not None:
        values["body"] = body
    return connection.execute(update(inbox).where(still_new).values(values)).rowcount == 1


def _insert(database: Database, connection: Connection, spec: RunSpec, delivery: Delivery) -> int | None:
    now = time.time()
    values = run_values(
        spec,
        guid=delivery.guid,
        repo_id=delivery.repo_id,
        repo=delivery.repo,
        arrived_at=delivery.received_at,
        now=now,
    )
    insert = database.insert(runs).values(values).on_conflict_do_nothing().returning(runs.c.id)
    run_id: int | None = connection.execute(insert).scalar_one_or_none()
    if run_id is not None and spec.supersedes:
        run_lifecycle.by_newer(connection, run_id, now, database.told_ends)
    elif run_id is not None and spec.joins:
        run_lifecycle.by_waiting(connection, run_id, now)
    return run_id


def run_values(
    spec: RunSpec, *, guid: str, repo_id: int | None, repo: str, arrived_at: float, now: float
) -> dict[str, Any]:
    """The row of a run that waits. `guid` names what asked for it."""
    return {
        "delivery": guid,
        "handler": fit(spec.handler, 100),
        "priority": spec.priority,
        "target": fit(spec.target, 200),
        "repo_id": repo_id,
        "repo": repo,
        "head_sha": spec.head_sha,
        "supersedes": spec.supersedes,
        "not_before": spec.not_before,
        "arrived_at": arrived_at,
        "created_at": now,
        "state": "queued",
        "superseded": False,
        **dict.fromkeys(
            ("attempts", "crashes", "revivals", "fence", "tokens_in", "tokens_out", "tokens_cached"), 0
        ),
        **dict.fromkeys(("owner", "error", "host", "model", "summary"), ""),
        "lease_until": 0.0,
    }
