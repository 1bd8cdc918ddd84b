"""Which version's tables a database has, and which versions may work with them.

Migrations only add (docs/operations.md, "Upgrading"), so that a version works with the tables of a newer one:
while machines are upgraded one by one, and after going back. A migration that takes something away says in
`oldest` which versions it leaves behind; the newest such word stands in the database.
"""

import logging
import time
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, select

from bot.core.errors import UserError
from bot.store.database import Database
from bot.store.tables import SCHEMA, meta
from bot.store.types import StoreUnavailable, newer_schema

MIGRATIONS = Path(__file__).parent / "migrations" / "versions"
OLDEST = "oldest_schema"
"""In `meta`: the first schema whose version may work with these tables."""
WAIT_SECONDS = 60.0

SchemaAge = Literal["none", "older", "current", "newer", "too new"]
"""How a database's tables are to this version's; it works with `current` and `newer`."""

log = logging.getLogger(__name__)


def fits_newer(connection: Connection) -> bool:
    """Whether tables of a newer version are such that this one may work with them."""
    oldest = connection.execute(select(meta.c.value).where(meta.c.key == OLDEST)).scalar_one_or_none()
    return oldest is not None and oldest.decode() <= SCHEMA


def schema_age(database: Database) -> SchemaAge:
    """Raises `StoreUnavailable`."""
    found = _revisions(database)
    if found == [SCHEMA]:
        return "current"
    if all(any(MIGRATIONS.glob(f"{one}_*.py")) for one in found):
        return "older" if found else "none"
    with database.read() as connection:
        return "newer" if fits_newer(connection) else "too new"


def require_schema(database: Database) -> None:
    """UserError where this version cannot work with the tables."""
    found = schema_age(database)
    if found == "too new":
        raise newer_schema(_revisions(database)[0])
    if found in ("none", "older"):
        raise UserError("the database is not at the newest schema", "run hob migrate")


def await_schema(url: str, seconds: float = WAIT_SECONDS) -> None:
    """`require_schema`; older tables are waited for, since in an upgrade of several machines one of them
    migrates. Blocks."""
    database, until = Database(url), time.monotonic() + seconds
    try:
        if schema_age(database) == "older":
            log.warning("waiting up to %.0f s for the database to be migrated: run hob migrate", seconds)
        while schema_age(database) == "older" and time.monotonic() < until:
            time.sleep(0.5)
        require_schema(database)
    finally:
        database.close()


def _revisions(database: Database) -> list[str]:
    try:
        with database.read() as connection:
            read = connection.exec_driver_sql("SELECT version_num FROM alembic_version")
            return list(read.scalars().all())
    except Exception as error:  # no such table: an empty database
        if isinstance(error, StoreUnavailable) and "alembic_version" not in str(error):
            raise
        return []
