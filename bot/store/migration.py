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
from bot.store.types import newer_schema  # noqa: E402

SCRIPTS = Path(__file__).parent / "migrations"
_LOCK = 0x686F6262  # "hobb": PostgreSQL's advisory lock of this duty


def run(url: str, revision: str = "head") -> None:
    """All steps in one transaction under one lock: a second process waits, then finds nothing to do."""
    database = Database(url)
    try:
        with database.write() as connection:
            if not database.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            _to(connection, revision)
    finally:
        database.close()


def config(connection: Connection | None = None) -> Config:
    """alembic's configuration without a file."""
    made = Config()
    made.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    made.attributes["connection"] = connection
    return made


def _to(connection: Connection, revision: str) -> None:
    if revision == "base" or revision.startswith("-"):
        command.downgrade(config(connection), revision)
    else:
        scripts = ScriptDirectory.from_config(config())
        for found in MigrationContext.configure(connection).get_current_heads():
            if not any(one.revision == found for one in scripts.walk_revisions()):
                raise newer_schema(found)
        command.upgrade(config(connection), revision)
