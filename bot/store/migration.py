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
from bot.store.file_copy import keep_copy  # noqa: E402
from bot.store.types import newer_schema  # noqa: E402

SCRIPTS = Path(__file__).parent / "migrations"
_LOCK = 0x686F6262  # "hobb": PostgreSQL's advisory lock of this duty


def run(url: str, revision: str = "head") -> Path | None:
    """All steps in one transaction under one lock: a second process waits, then finds nothing to do. Where a
    copy of the database as it was is kept (SQLite)."""
    database = Database(url)
    try:
        with database.write() as connection:
            if not database.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            kept = _keep_copy(database.file.path, connection) if revision == "head" else None
            to(connection, revision)
            return kept
    finally:
        database.close()


def _keep_copy(path: str, connection: Connection) -> Path | None:
    found = MigrationContext.configure(connection).get_current_heads()
    newest = ScriptDirectory.from_config(config()).get_current_head()
    if not path or not found or not newest or found == (newest,):
        return None
    return keep_copy(Path(path), newest)


def config(connection: Connection | None = None) -> Config:
    """alembic's configuration without a file."""
    made = Config()
    made.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    made.attributes["connection"] = connection
    return made


def require_known(revision: str) -> None:
    """UserError where this version has not that schema."""
    if not any(one.revision == revision for one in ScriptDirectory.from_config(config()).walk_revisions()):
        raise newer_schema(revision)


def to(connection: Connection, revision: str) -> None:
    """Within the connection's transaction."""
    if revision == "base" or revision.startswith("-"):
        command.downgrade(config(connection), revision)
    else:
        scripts = ScriptDirectory.from_config(config())
        for found in MigrationContext.configure(connection).get_current_heads():
            if not any(one.revision == found for one in scripts.walk_revisions()):
                raise newer_schema(found)
        command.upgrade(config(connection), revision)
