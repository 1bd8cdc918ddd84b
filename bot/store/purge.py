"""Old deliveries go; what keeps an effect from happening twice stays."""

from sqlalchemy import delete, exists, select

from bot.store.database import Database
from bot.store.tables import calls, inbox, outbox, runs
from bot.store.values import FINAL

BATCH = 200


def purge(database: Database, before: float, batch: int = BATCH) -> int:
    """Deletes up to `batch` settled deliveries received before then (epoch seconds), their runs that caused
    nothing, and every trace that is older. Runs with rows in the outbox stay, and so do those rows: a replay
    years later finds the effect's key (W5)."""
    open_run = exists().where((runs.c.delivery == inbox.c.guid) & runs.c.state.not_in(FINAL))
    settled = (inbox.c.received_at < before) & (inbox.c.state != "new") & ~open_run
    oldest = select(inbox.c.id, inbox.c.guid).where(settled).order_by(inbox.c.id).limit(batch)
    with database.write() as connection:
        found = connection.execute(oldest.with_for_update(skip_locked=True)).all()
        guids = [guid for _, guid in found]
        caused = exists().where(outbox.c.run_id == runs.c.id)
        connection.execute(delete(calls).where(calls.c.at < before))
        connection.execute(delete(runs).where(runs.c.delivery.in_(guids) & ~caused))
        return connection.execute(delete(inbox).where(inbox.c.id.in_([each for each, _ in found]))).rowcount
