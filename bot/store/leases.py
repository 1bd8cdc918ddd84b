"""One lease per target (`repo_id#number`) with a fencing token, so that two runs never work on one pull
request.

Lock order everywhere: lease rows by target, then run rows. A run holds its target while `leases.run_id` is
the run and `leases.fence` is the run's; whoever takes over raises the fence, and every later word of the
former holder is refused.
"""

from typing import Any

from sqlalchemy import Connection, Row, select, update

from bot.core.errors import LeaseLost
from bot.store.database import Database
from bot.store.tables import leases
from bot.store.types import Run


def lock(database: Database, connection: Connection, target: str) -> Row[Any]:
    """The target's lease row, locked until the transaction ends; made when there is none."""
    empty = {"target": target, "fence": 0, "run_id": None, "lease_until": 0.0}
    connection.execute(database.insert(leases).values(empty).on_conflict_do_nothing())
    return connection.execute(select(leases).where(leases.c.target == target).with_for_update()).one()


def require(database: Database, connection: Connection, run: Run) -> None:
    """Locks the lease and raises `LeaseLost` unless `run` still holds it."""
    lease = lock(database, connection, run.target)
    if (lease.run_id, lease.fence) != (run.id, run.fence):
        raise LeaseLost("another worker took this run over")


def take(connection: Connection, target: str, run_id: int, fence: int, until: float) -> None:
    """Gives the (locked) lease to a run."""
    values = {"run_id": run_id, "fence": fence, "lease_until": until}
    connection.execute(update(leases).where(leases.c.target == target).values(values))


def extend(connection: Connection, run: Run, until: float) -> bool:
    """False when `run` holds the lease no more."""
    mine = (leases.c.target == run.target) & (leases.c.run_id == run.id) & (leases.c.fence == run.fence)
    return connection.execute(update(leases).where(mine).values(lease_until=until)).rowcount == 1


def free(connection: Connection, target: str, run_id: int) -> None:
    """Lets the target go if this run holds it. The fence stays: it never falls."""
    mine = (leases.c.target == target) & (leases.c.run_id == run_id)
    connection.execute(update(leases).where(mine).values(run_id=None, lease_until=0.0))
