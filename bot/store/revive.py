"""Dead runs get another chance: once by themselves when GitHub delivers again, and whenever a person asks."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Connection, update

from bot.store.tables import runs

_AGAIN: dict[str, Any] = {
    "state": "queued",
    "attempts": 0,
    "crashes": 0,
    "superseded": False,
    "finished_at": None,
}


def after_redelivery(connection: Connection, guids: Iterable[str], now: float) -> None:
    """Queues the dead runs of these deliveries, each at most once in its life: a poisonous delivery that
    something redelivers for ever must not crash workers for ever."""
    _revive(connection, runs.c.delivery.in_(list(guids)) & (runs.c.revivals == 0), now)


def by_hand(connection: Connection, run_id: int, now: float) -> bool:
    """Queues one dead run, however often that was done before. False when it is not dead."""
    return _revive(connection, runs.c.id == run_id, now) == 1


def _revive(connection: Connection, which: ColumnElement[bool], now: float) -> int:
    dead = which & (runs.c.state == "dead")
    again = {**_AGAIN, "not_before": now, "revivals": runs.c.revivals + 1}
    return connection.execute(update(runs).where(dead).values(again)).rowcount
