"""What people look up, a page at a time: runs, deliveries, memory, repositories, spending. No bodies, no more
rows than a page shows."""

import statistics
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select, true, union_all

from bot.core.memory import Memory
from bot.store.columns import with_words
from bot.store.database import Database
from bot.store.inbox import DeliveryState
from bot.store.memory import kept
from bot.store.runs import within
from bot.store.tables import inbox, issues, memory, repositories, runs, usage
from bot.store.types import Run

DAY = 86_400
SAMPLE = 400
"""Ended runs of which the usual seconds are told."""


@dataclass(frozen=True, slots=True)
class RunQuery:
    """Empty values ask for everything. `internal`: also what is about no issue or pull request. `words` are
    looked for in the handler, the repository, the outcome and the delivery."""

    repo: str = ""
    state: str = ""
    handler: str = ""
    target: str = ""
    words: str = ""
    internal: bool = True


@dataclass(frozen=True, slots=True)
class Arrival:
    """A delivery without its body; `received_at` epoch seconds."""

    id: int
    guid: str
    event: str
    action: str
    repo: str
    number: int | None
    sender: str
    received_at: float
    state: DeliveryState
    note: str


@dataclass(frozen=True, slots=True)
class ArrivalQuery:
    """Empty values ask for everything. `words` are looked for in the GUID, the event, the repository and who
    sent it."""

    repo: str = ""
    state: str = ""
    event: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class MemoryRow:
    """One thing that is remembered, and of which repository."""

    repo_id: int
    repo: str
    memory: Memory


@dataclass(frozen=True, slots=True)
class RepositoryRow:
    """`private` is None where nobody told; `last_at`: when the last issue or pull request of it was heard of,
    epoch seconds."""

    id: int
    name: str
    installation: int
    private: bool | None
    issues: int
    last_at: float | None


@dataclass(frozen=True, slots=True)
class Spent:
    """What models of online hosts took on one day (UTC, the day's first second)."""

    day: int
    host: str
    model: str
    answers: int
    tokens_in: int
    tokens_out: int
    cost_usd: float


def run_page(database: Database, query: RunQuery, before: int | None, limit: int) -> list[Run]:
    """The newest first, those with a smaller id than `before`."""
    which = _runs(query)
    if before is not None:
        which &= runs.c.id < before
    asked = select(runs).where(which).order_by(runs.c.id.desc()).limit(limit)
    with database.read() as connection:
        return [Run(**row) for row in connection.execute(asked).mappings()]


def last_runs(database: Database, targets: Collection[str]) -> dict[str, Run]:
    """The newest run about each issue or pull request (`12#3`) and all within it."""
    if not targets:
        return {}
    newest = [
        select(func.max(runs.c.id).label("id")).where(within(runs.c.target, target)) for target in targets
    ]
    asked = select(runs).where(runs.c.id.in_(select(union_all(*newest).subquery().c.id)))
    with database.read() as connection:
        found = [Run(**row) for row in connection.execute(asked).mappings()]
    return {issue_of(run.target): run for run in found}


def issue_of(target: str) -> str:
    """Of `12#3/4` the issue: `12#3`; the whole where it is of none."""
    return target.partition("/")[0] if "#" in target else target


def usual_seconds(database: Database) -> dict[str, float]:
    """How long runs of each handler usually took, of the last ones that were done."""
    took = select(runs.c.handler, runs.c.finished_at - runs.c.started_at)
    took = took.where(runs.c.state == "done", runs.c.started_at.is_not(None))
    found: dict[str, list[float]] = defaultdict(list)
    with database.read() as connection:
        for handler, seconds in connection.execute(took.order_by(runs.c.id.desc()).limit(SAMPLE)):
            found[handler].append(float(seconds or 0.0))
    return {handler: statistics.median(each) for handler, each in found.items()}


def arrivals(
    database: Database, limit: int = 50, query: ArrivalQuery | None = None, before: int | None = None
) -> list[Arrival]:
    """The newest deliveries first, those with a smaller id than `before`."""
    columns = [inbox.c[name] for name in Arrival.__slots__]
    query, which = query or ArrivalQuery(), true() if before is None else inbox.c.id < before
    for name in ("repo", "state", "event"):
        if value := getattr(query, name):
            which &= func.lower(inbox.c[name]) == value.lower()
    which &= with_words(query.words, inbox.c.guid, inbox.c.event, inbox.c.repo, inbox.c.sender)
    asked = select(*columns).where(which).order_by(inbox.c.id.desc()).limit(limit)
    with database.read() as connection:
        return [Arrival(**row) for row in connection.execute(asked).mappings()]


def with_dead_runs(database: Database, guids: Collection[str]) -> set[str]:
    """Those of these deliveries of which a run is dead."""
    asked = select(runs.c.delivery).where(runs.c.delivery.in_(guids), runs.c.state == "dead").distinct()
    with database.read() as connection:
        return set(connection.execute(asked).scalars())


def memory_page(
    database: Database, repo: str, kind: str, words: str, before: tuple[float, int, int] | None, limit: int
) -> list[MemoryRow]:
    """Of one kind, or of all; the newest first, those after `before` (`at`, `repo_id`, `n` of the last one
    that was shown)."""
    name = func.coalesce(repositories.c.name, "")
    which = with_words(words, memory.c.text, memory.c.title, memory.c.path, memory.c.author)
    if repo:
        which &= func.lower(name) == repo.lower()
    if kind:
        which &= memory.c.kind == kind
    if before is not None:
        at, repo_id, n = before
        older = (memory.c.repo_id < repo_id) | ((memory.c.repo_id == repo_id) & (memory.c.n < n))
        which &= (memory.c.at < at) | ((memory.c.at == at) & older)
    joined = memory.outerjoin(repositories, repositories.c.id == memory.c.repo_id)
    order = memory.c.at.desc(), memory.c.repo_id.desc(), memory.c.n.desc()
    asked = select(memory, name.label("repo")).select_from(joined).where(which)
    with database.read() as connection:
        found = connection.execute(asked.order_by(*order).limit(limit)).mappings()
        return [MemoryRow(row["repo_id"], row["repo"], kept(row)) for row in found]


def repository_page(database: Database, words: str, after: str, limit: int) -> list[RepositoryRow]:
    """By name, those behind `after`."""
    name = func.lower(repositories.c.name)
    which = with_words(words, repositories.c.name) & (name > after.lower())
    told = func.count(issues.c.number), func.max(issues.c.changed_at)
    columns = (repositories.c.id, repositories.c.name, repositories.c.installation_id, repositories.c.private)
    joined = repositories.outerjoin(issues, issues.c.repo_id == repositories.c.id)
    asked = select(*columns, *told).select_from(joined).where(which).group_by(*columns)
    with database.read() as connection:
        return [RepositoryRow(*row) for row in connection.execute(asked.order_by(name).limit(limit))]


def spending(database: Database, since: float) -> list[Spent]:
    """By day, host and model, the newest day first."""
    day = func.floor(usage.c.at / DAY) * DAY
    sums = [func.sum(usage.c[name]) for name in ("tokens_in", "tokens_out", "cost_usd")]
    asked = select(day, usage.c.host, usage.c.model, func.count(), *sums).where(usage.c.at >= since)
    asked = asked.group_by(day, usage.c.host, usage.c.model).order_by(day.desc(), usage.c.host, usage.c.model)
    with database.read() as connection:
        return [
            Spent(int(row[0]), row[1], row[2], int(row[3]), int(row[4]), int(row[5]), float(row[6]))
            for row in connection.execute(asked)
        ]


def _runs(query: RunQuery) -> ColumnElement[bool]:
    which: ColumnElement[bool] = true()
    if query.repo:
        which &= func.lower(runs.c.repo) == query.repo.lower()
    if query.target:
        which &= within(runs.c.target, query.target)
    for name in ("state", "handler"):
        if value := getattr(query, name):
            which &= runs.c[name] == value
    if not query.internal:
        which &= runs.c.target.contains("#")
    return which & with_words(
        query.words, runs.c.handler, runs.c.repo, runs.c.summary, runs.c.error, runs.c.delivery
    )
