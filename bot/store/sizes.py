"""How much the database keeps, by kind, and by how much it grew lately; told by the rows themselves."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Table, case, func, literal, select

from bot.store.database import Database
from bot.store.tables import (
    calls,
    drafts,
    findings,
    inbox,
    issues,
    memory,
    outbox,
    run_logs,
    runs,
    scans,
    settings,
    usage,
)

ROW_BYTES = 200
"""That a row takes beside its texts, about."""
DAYS = 7
"""Over which growth is measured."""
TEXTS: dict[str, tuple[Any, ...]] = {
    "inbox": (inbox.c.body,),
    "outbox": (outbox.c.payload, outbox.c.url, outbox.c.error),
    "runs": (runs.c.summary, runs.c.error),
    "calls": (calls.c.left_out, calls.c.failure, calls.c.texts),
    "memory": (memory.c.text, memory.c.words, memory.c.title, memory.c.path, memory.c.evidence),
    "drafts": (drafts.c.body, drafts.c.repo),
    "run_logs": (run_logs.c.lines,),
    "findings": (findings.c.title, findings.c.path),
    "issues": (issues.c.title,),
    "scans": (scans.c.path, scans.c.findings),
    "settings": (settings.c.value,),
}
_KINDS: tuple[tuple[str, Table, Any], ...] = (
    ("deliveries", inbox, inbox.c.received_at),
    ("runs", runs, runs.c.created_at),
    ("effects", outbox, outbox.c.created_at),
    ("calls of models", calls, calls.c.at),
    ("uses of online models", usage, usage.c.at),
    ("memory", memory, memory.c.at),
    ("drafts", drafts, drafts.c.at),
    ("logs of runs", run_logs, run_logs.c.at),
    ("findings", findings, findings.c.at),
    ("titles", issues, issues.c.changed_at),
    ("files that were read", scans, scans.c.at),
    ("settings", settings, settings.c.changed_at),
)


@dataclass(frozen=True, slots=True)
class KindSize:
    """`size` in bytes, about; `a_day`: bytes that came in a day, of the last `DAYS`."""

    kind: str
    count: int
    size: int
    a_day: float


def row_size(table: Table) -> ColumnElement[int]:
    """Bytes of a row, about."""
    texts = (func.coalesce(func.length(column), 0) for column in TEXTS.get(table.name, ()))
    size: ColumnElement[int] = sum(texts, literal(ROW_BYTES))
    return size


def sizes(database: Database, now: float) -> list[KindSize]:
    """Raises `StoreUnavailable`."""
    found = []
    with database.read() as connection:
        for kind, table, at in _KINDS:
            size, new = row_size(table), at >= now - DAYS * 86_400
            sums = [func.coalesce(func.sum(one), 0) for one in (size, case((new, size), else_=0))]
            count, whole, lately = connection.execute(select(func.count(), *sums).select_from(table)).one()
            found.append(KindSize(kind, int(count), int(whole), int(lately) / DAYS))
    return found
