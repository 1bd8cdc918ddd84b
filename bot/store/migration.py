"""Runs alembic. Imported only when a schema is to be changed."""

import sys
from pathlib import Path

# alembic's templates colour their errors where they can: with it comes pygments, a fifth of a second.
sys.modules.setdefault("mako.ext.pygmentplugin", None)  # type: ignore[arg-type]  # "there is no such module"

from alembic import command  # noqa: E402
from alembic.config import Config  # noqa: E402
from alembic.runtime.migration import MigrationContext  # noqa: E402
from alembic.script import ScriptDirectory  # noqa: E402
from sqlalchemy import Connection, text  # noqa: E402

from bot.store.database import Database  # noqa: E402
from bot.store.schema import OLDEST, fits_newer  # noqa: E402
from bot.store.tables import meta  # noqa: E402
from bot.store.types import newer_schema  # noqa: E402

SCRIPTS = Path(__file__).parent / "migrations"
_LOCK = 0x686F6262  # "hobb": PostgreSQL's advisory lock of this duty


def run(url: str, revision: str = "head") -> None:
    """All steps in one transaction under one lock: a second process waits, then finds nothing to do. Tables
    of a newer version stay as they are where this one works with them, else UserError."""
    database = Database(url)
    try:
        with database.write() as connection:
            if not database.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            _to(database, connection, revision)
    finally:
        database.close()


def config(connection: Connection | None = None) -> Config:
    """alembic's configuration without a file."""
    made = Config()
    made.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    made.attributes["connection"] = connection
    return made


def _to(database: Database, connection: Connection, revision: str) -> None:
    if revision == "base" or revision.startswith("-"):
        command.downgrade(config(connection), revision)
        return
    scripts = ScriptDirectory.from_config(config())
    known = {one.revision for one in scripts.walk_revisions()}
    if newer := set(MigrationContext.configure(connection).get_current_heads()) - known:
        if not fits_newer(connection):
            raise newer_schema(min(newer))
        return
    command.upgrade(config(connection), revision)
    applied = scripts.walk_revisions("base", revision)
    oldest = max(getattr(one.module, "oldest", "0001") for one in applied).encode()
    kept = database.insert(meta).values(key=OLDEST, value=oldest)
    connection.execute(kept.on_conflict_do_update(index_elements=[meta.c.key], set_={"value": oldest}))
