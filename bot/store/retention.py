"""What was kept of repositories that are no longer ours goes; what keeps an effect from happening twice
stays.

Old deliveries go; what keeps an effect from happening twice stays.
"""

import time
from collections.abc import Collection

from sqlalchemy import ColumnElement, delete, exists, or_, select

from bot.store import reconciliation, run_lifecycle
from bot.store.database import Database
from bot.store.drafts import purge as purge_drafts
from bot.store.known_repositories import drop
from bot.store.schedule import PREFIX
from bot.store.tables import (
    calls,
    drafts,
    inbox,
    memory,
    memory_repos,
    outbox,
    pulls,
    runs,
    settings,
)
from bot.store.tables import repositories as known
from bot.store.types import FINAL

BATCH = 200


def purge(database: Database, before: float, batch: int = BATCH) -> int:
    """Deletes up to `batch` settled deliveries received before then (epoch seconds), their runs and scheduled
    ones that caused nothing, and every trace that is older. Runs with rows in the outbox stay, and so do
    those rows: a replay years later finds the effect's key (W5)."""
    open_run = exists().where((runs.c.delivery == inbox.c.guid) & runs.c.state.not_in(FINAL))
    settled = (inbox.c.received_at < before) & (inbox.c.state != "new") & ~open_run
    oldest = select(inbox.c.id, inbox.c.guid).where(settled).order_by(inbox.c.id).limit(batch)
    with database.write() as connection:
        found = connection.execute(oldest.with_for_update(skip_locked=True)).all()
        guids = [guid for _, guid in found]
        caused = exists().where(outbox.c.run_id == runs.c.id)
        connection.execute(delete(calls).where(calls.c.at < before))
        purge_drafts(connection, before)
        connection.execute(delete(runs).where(runs.c.delivery.in_(guids) & ~caused))
        scheduled = (
            runs.c.delivery.startswith(PREFIX) & (runs.c.created_at < before) & runs.c.state.in_(FINAL)
        )
        connection.execute(delete(runs).where(scheduled & ~caused))
        return connection.execute(delete(inbox).where(inbox.c.id.in_([each for each, _ in found]))).rowcount


def forget(
    database: Database, repo_ids: Collection[int], names: Collection[str], installation: int, guid: str
) -> int:
    """Ends the runs of these repositories and deletes the deliveries about them, but for `guid`, which asks
    for it; of the whole installation where `installation` is not 0. With `names` (`owner/name`, or an
    account) their settings go, and what was remembered and drafted for the repositories. Gives how many
    deliveries went."""
    which: ColumnElement[bool] = inbox.c.repo_id.in_(repo_ids)
    if installation:
        which = or_(which, inbox.c.installation_id == installation)
    which &= inbox.c.guid != guid
    with database.write() as connection:
        reconciliation.forget(database, connection, repo_ids, installation)
        ours = known.c.id.in_(repo_ids)
        drop(connection, or_(ours, known.c.installation_id == installation) if installation else ours)
        theirs = select(inbox.c.guid).where(which)
        open_runs = (runs.c.repo_id.in_(repo_ids) | runs.c.delivery.in_(theirs)) & (runs.c.delivery != guid)
        run_lifecycle.mark(connection, open_runs & runs.c.state.not_in(FINAL), time.time())
        folded = [name.lower() for name in names]
        if names:
            for table in (memory, memory_repos, pulls, drafts):
                connection.execute(delete(table).where(table.c.repo_id.in_(repo_ids)))
        places = settings.c.scope.in_(("repo", "org")) & settings.c.name.in_(folded)
        connection.execute(delete(settings).where(places))
        settled = which & (inbox.c.state != "new")
        return connection.execute(delete(inbox).where(settled)).rowcount


def repositories(database: Database, installation: int) -> set[int]:
    """The ids of the repositories of an installation that deliveries were about."""
    theirs = (inbox.c.installation_id == installation) & inbox.c.repo_id.is_not(None)
    of_it = select(known.c.id).where(known.c.installation_id == installation)
    with database.read() as connection:
        return set(connection.execute(select(inbox.c.repo_id).where(theirs).union(of_it)).scalars())
