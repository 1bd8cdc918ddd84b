"""What was kept of repositories that are no longer ours goes; what keeps an effect from happening twice
stays."""

import time
from collections.abc import Collection

from sqlalchemy import ColumnElement, delete, or_, select

from bot.store import supersede
from bot.store.database import Database
from bot.store.tables import inbox, memory, memory_repos, pulls, runs, settings
from bot.store.values import FINAL


def forget(
    database: Database, repo_ids: Collection[int], names: Collection[str], installation: int, guid: str
) -> int:
    """Ends the runs of these repositories and deletes the deliveries about them, but for `guid`, which asks
    for it; of the whole installation where `installation` is not 0. With `names` (`owner/name`, or an
    account) their settings go, and what was remembered of the repositories. Gives how many deliveries
    went."""
    which: ColumnElement[bool] = inbox.c.repo_id.in_(repo_ids)
    if installation:
        which = or_(which, inbox.c.installation_id == installation)
    which &= inbox.c.guid != guid
    with database.write() as connection:
        theirs = select(inbox.c.guid).where(which)
        open_runs = (runs.c.repo_id.in_(repo_ids) | runs.c.delivery.in_(theirs)) & (runs.c.delivery != guid)
        supersede.mark(connection, open_runs & runs.c.state.not_in(FINAL), time.time())
        folded = [name.lower() for name in names]
        if names:
            for table in (memory, memory_repos, pulls):
                connection.execute(delete(table).where(table.c.repo_id.in_(repo_ids)))
        places = settings.c.scope.in_(("repo", "org")) & settings.c.name.in_(folded)
        connection.execute(delete(settings).where(places))
        settled = which & (inbox.c.state != "new")
        return connection.execute(delete(inbox).where(settled)).rowcount


def repositories(database: Database, installation: int) -> set[int]:
    """The ids of the repositories of an installation that deliveries were about."""
    theirs = (inbox.c.installation_id == installation) & inbox.c.repo_id.is_not(None)
    with database.read() as connection:
        return set(connection.execute(select(inbox.c.repo_id).where(theirs).distinct()).scalars())
