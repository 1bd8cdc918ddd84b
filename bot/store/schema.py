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
POLL_SECONDS = 0.5

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
    if found == "none":
        hint = "run hob migrate, as hob up does; or another hob.toml is meant: `hob doctor` names this one"
        raise UserError("there is nothing in the database", hint)
    if found == "older":
        raise UserError("the database is not at the newest schema", "run hob migrate")


def await_age(database: Database, seconds: float = WAIT_SECONDS) -> SchemaAge:
    """`schema_age`; a database that is away is waited for, since after a power cut all machines start at
    once. Raises `StoreUnavailable` where it stays away, or a person has to mend it. Blocks."""
    until, told = time.monotonic() + seconds, False
    while True:
        try:
            return schema_age(database)
        except StoreUnavailable as away:
            if not away.waiting_helps or time.monotonic() >= until:
                raise
            if not told:
                log.warning("waiting up to %.0f s: %s", seconds, away)
            told = True
        time.sleep(POLL_SECONDS)


def await_schema(url: str, seconds: float = WAIT_SECONDS) -> None:
    """`require_schema`; a database that is away is waited for, and older tables, since in an upgrade of
    several machines one of them migrates. Raises `StoreUnavailable` as `await_age` does. Blocks."""
    database, until = Database(url), time.monotonic() + seconds
    try:
        if await_age(database, seconds) == "older":
            log.warning("waiting up to %.0f s for the database to be migrated: run hob migrate", seconds)
        while await_age(database, until - time.monotonic()) == "older" and time.monotonic() < until:
            time.sleep(POLL_SECONDS)
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
