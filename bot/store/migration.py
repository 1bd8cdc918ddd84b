"""Runs alembic. Imported only when a schema is to be changed."""

import logging
import random
import sys
import time
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
from bot.store.schema import OLDEST, await_age, fits_newer  # noqa: E402
from bot.store.tables import meta  # noqa: E402
from bot.store.types import StoreUnavailable, newer_schema  # noqa: E402

SCRIPTS = Path(__file__).parent / "migrations"
BUSY_SECONDS = 60.0
log = logging.getLogger(__name__)
_LOCK = 0x686F6262  # "hobb": PostgreSQL's advisory lock of this duty


def run(url: str, revision: str = "head") -> Path | None:
    """All steps in one transaction under one lock: a second process waits, then finds nothing to do. Tables
    of a newer version stay as they are where this one works with them, else UserError. Where a copy of the
    database as it was is kept (SQLite).

    A database that is away is waited for. Others may be at work: for a table that they hold it waits a
    second, lets them go on, and begins anew. Raises `StoreUnavailable` where that does not end.
    """
    database, until = Database(url), time.monotonic() + BUSY_SECONDS
    try:
        await_age(database)
        while True:
            try:
                return _at_once(database, revision)
            except StoreUnavailable as error:
                if not _is_held(error) or time.monotonic() > until:
                    raise
            log.info("others hold what is to be migrated; again")
            time.sleep(random.uniform(0.1, 1.0))  # noqa: S311  no secret
    finally:
        database.close()


def _at_once(database: Database, revision: str) -> Path | None:
    with database.write() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            connection.execute(text("SET LOCAL lock_timeout = '1s'"))  # below that of those at work
        kept = _keep_copy(database.file.path, connection) if revision == "head" else None
        to(database, connection, revision)
        return kept


def _is_held(error: StoreUnavailable) -> bool:
    """By PostgreSQL's codes of a lock that was not given and of a deadlock, or SQLite's words."""
    cause = getattr(error.__cause__, "orig", None)
    return getattr(cause, "sqlstate", "") in ("55P03", "40P01") or "locked" in str(cause)


def _keep_copy(path: str, connection: Connection) -> Path | None:
    """None where nothing is there to be kept, nothing will change, or the tables are a newer version's."""
    found = MigrationContext.configure(connection).get_current_heads()
    scripts = ScriptDirectory.from_config(config())
    newest = scripts.get_current_head()
    known = {one.revision for one in scripts.walk_revisions()}
    if not path or not found or not newest or found == (newest,) or set(found) - known:
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


def to(database: Database, connection: Connection, revision: str) -> None:
    """Within the connection's transaction."""
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
