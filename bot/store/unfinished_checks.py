"""Runs that ended without the check run that they owed: another run is made in the same transaction, which
tells of it on GitHub. It is a run as any other, so that it outlives crashes and limits; nothing tells of its
own end."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, exists, insert, select, update

from bot.store.tables import outbox, runs
from bot.store.types import FINAL, Run

PREFIX = "unfinished:"
"""Before the handler of the run that ended, as it is stored."""


def ended_of(run: Run) -> str:
    """The handler whose run this one tells of; empty for any other run."""
    return run.handler.removeprefix(PREFIX) if run.handler.startswith(PREFIX) else ""


def follow_up(connection: Connection, handlers: frozenset[str], run_ids: Iterable[int], now: float) -> None:
    """For those of these runs that belong to `handlers` and whose check run is not set. The caller holds the
    lease rows of their targets."""
    set_already = exists().where(
        (outbox.c.run_id == runs.c.id) & (outbox.c.kind == "SetCheck") & (outbox.c.state == "done")
    )
    which = runs.c.id.in_(list(run_ids)) & runs.c.handler.in_(handlers) & ~set_already
    for row in connection.execute(select(runs).where(which)).mappings().all():
        _make(connection, Run(**row), now)


def _make(connection: Connection, run: Run, now: float) -> None:
    fresh: dict[str, Any] = {
        "state": "queued",
        "superseded": False,
        "attempts": 0,
        "crashes": 0,
        "not_before": now,
        "created_at": now,
        "finished_at": None,
        "error": "",
    }
    handler = f"{PREFIX}{run.handler}"[:100]
    known = (runs.c.delivery == run.delivery) & (runs.c.handler == handler)
    again = update(runs).where(known & runs.c.state.in_(FINAL)).values(fresh)
    if connection.execute(again).rowcount or connection.execute(select(exists().where(known))).scalar_one():
        return
    copied = ("delivery", "priority", "target", "repo_id", "repo", "head_sha", "arrived_at")
    row = {
        **{name: getattr(run, name) for name in copied},
        **fresh,
        "handler": handler,
        "supersedes": False,
        "lease_until": 0.0,
        **dict.fromkeys(("revivals", "fence", "tokens_in", "tokens_out", "tokens_cached"), 0),
        **dict.fromkeys(("owner", "host", "model", "summary"), ""),
    }
    connection.execute(insert(runs).values(row))
