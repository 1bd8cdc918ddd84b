"""The repositories that Hob works for: told by their deliveries, forgotten when access ends."""

from collections.abc import Collection

from sqlalchemy import ColumnElement, Connection, delete, select

from bot.store.columns import fit
from bot.store.database import Database
from bot.store.tables import repositories, schedule


def remember(database: Database, connection: Connection, seen: Collection[tuple[int, str, int]]) -> None:
    """The repositories that deliveries came from: (id, owner/name, installation), the newest last."""
    rows = {repo: {"id": repo, "name": fit(name, 300), "installation_id": by} for repo, name, by in seen}
    if rows:
        insert = database.insert(repositories)
        new = insert.excluded
        upsert = insert.on_conflict_do_update(
            index_elements=["id"],
            set_={"name": new.name, "installation_id": new.installation_id},
            where=(repositories.c.name != new.name) | (repositories.c.installation_id != new.installation_id),
        )
        connection.execute(upsert, [rows[repo] for repo in sorted(rows)])


def drop(connection: Connection, which: ColumnElement[bool]) -> None:
    """Takes repositories and what is scheduled in them out of the tables."""
    theirs = select(repositories.c.id).where(which)
    connection.execute(delete(schedule).where(schedule.c.repo_id.in_(theirs)))
    connection.execute(delete(repositories).where(which))
