"""Copies of an SQLite file while others use it, and putting one in its place."""

import contextlib
import logging
import os
import shutil
import sqlite3
from pathlib import Path

from sqlalchemy import create_engine

from bot.core.errors import UserError
from bot.paths import sync
from bot.store import restored
from bot.store.types import StoreUnavailable

BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a file: of another one it would be taken for this one's."""
_PATIENCE = 0.5
"""Seconds for another's short lock."""
log = logging.getLogger(__name__)


def before(path: Path, schema: str) -> Path:
    """The copy that is made before a database is brought to a schema."""
    return path.with_name(f"{path.name}.before-{schema}")


def keep_copy(path: Path, schema: str) -> Path | None:
    """The database as it is, beside it, for whoever wants to go back: the newest such copy alone is kept.
    Marked as put back, for that is what it is once it is used. Without room for it there is none, which is
    logged."""
    size = sum(one.stat().st_size for one in (path, path.with_name(path.name + "-wal")) if one.exists())
    copy = before(path, schema)
    if shutil.disk_usage(path.parent).free < 2 * size + (64 << 20):
        log.warning("no copy of the database is kept before it is migrated: the disk has no room for it")
        return None
    making = copy.with_name(copy.name + ".part")
    for old in path.parent.glob(f"{path.name}.before-[0-9]*"):
        old.unlink()
    os.close(os.open(making, os.O_CREAT | os.O_WRONLY, 0o600))
    with (
        contextlib.closing(sqlite3.connect(path)) as source,
        contextlib.closing(sqlite3.connect(making)) as made,
    ):
        source.backup(made)
        made.execute("PRAGMA journal_mode=DELETE")
    engine = create_engine(f"sqlite:///{making}")
    with engine.begin() as connection:
        restored.mark(connection)
    engine.dispose()
    making.replace(copy)
    log.info("the database as it was is kept in %s", copy)
    return copy


def alone_with(path: Path) -> bool:
    """Whether it is a database that can be read. UserError while another process has it open: SQLite leaves
    its write-ahead log only when nobody else is there."""
    if not path.exists() or not path.stat().st_size:
        return True
    with contextlib.closing(sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)) as connection:
        try:
            connection.execute("PRAGMA journal_mode=DELETE").fetchone()
        except sqlite3.OperationalError as wrong:
            if "locked" not in str(wrong):
                raise StoreUnavailable(f"{path} cannot be used: {wrong}") from None
            raise UserError(f"another process uses {path}", "stop Hob first, wherever it runs") from None
        except sqlite3.DatabaseError:
            return False
    return True


def put_in_place(fresh: Path, path: Path) -> Path | None:
    """The file becomes the database; where the old one goes, or None where there was none."""
    with contextlib.closing(sqlite3.connect(fresh, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE").fetchone()
    with fresh.open("rb") as written:
        os.fsync(written.fileno())
    kept = path.with_name(f"{path.name}.before-restore") if path.exists() and path.stat().st_size else None
    for end in BESIDE:
        beside = path.with_name(path.name + end)
        if kept and beside.exists():
            beside.replace(kept.with_name(kept.name + end))
        beside.unlink(missing_ok=True)
    if kept:
        path.replace(kept)
    fresh.replace(path)
    sync(path.parent)
    return kept


def take_away(path: Path) -> None:
    """A file that was begun, with what lies beside it."""
    for end in ("", *BESIDE):
        path.with_name(path.name + end).unlink(missing_ok=True)
