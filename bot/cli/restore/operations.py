"""Puts a backup in place: what cannot go well is found out before anything is touched."""

import os
import socket
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from bot.cli.backup.files import IN_TOML, LEFT_OUT, TOML, key_files
from bot.cli.backup.operations import BackupMade, progress
from bot.config import Config, load_config
from bot.config.load import find
from bot.config.write import write_new
from bot.core.errors import UserError
from bot.paths import make_private
from bot.queue.connect import Unreachable, connect
from bot.store import file_copy, migration
from bot.store.backup import count_rows, fill
from bot.store.backup_format import BackupHeader, read_header, read_rows
from bot.store.database import Database
from bot.store.types import StoreUnavailable
from bot.web.compose import workers

_GONE_SECONDS = 3.0
_STOP = "stop Hob first, wherever it runs"
_FILLED = (
    "back it up first (hob backup), then say --force: SQLite's file is kept as hob.db.before-restore, "
    "what is in PostgreSQL goes"
)
_OTHERS = """SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
AND backend_type = 'client backend'"""


def restore(file: Path, *, dry_run: bool, force: bool) -> BackupMade:
    """UserError says why nothing was done."""
    with file.open("rb") as source:
        header = read_header(source)
        counts = _checked(source)
        migration.require_known(header.schema)
        size = file.stat().st_size
        if dry_run:
            return BackupMade(header, counts, size, {"restored": False, "notes": [_age(header)]})
        config, notes = _configured(header)
        refuse_running(config)
        kept = _database(config, source, header, counts, force=force)
    if kept:
        notes.append(f"what was there is kept in {kept}")
    notes += _keys(config, header)
    return BackupMade(header, counts, size, {"restored": True, "notes": notes})


def _checked(source: BinaryIO) -> dict[str, int]:
    """The rows of each table, once all of the file was read and found whole."""
    source.seek(0)
    counts: dict[str, int] = {}
    told = progress({})
    for table, _, _ in read_rows(source, os.fstat(source.fileno()).st_size):
        counts[table] = counts.get(table, 0) + 1
        told(f"checking {table}", counts[table])
    return counts


def _age(header: BackupHeader) -> str:
    made = datetime.fromtimestamp(header.made_at, UTC)
    return f"made {made:%Y-%m-%d %H:%M} UTC by Hob {header.version}; nothing was restored (--dry-run)"


def refuse_running(config: Config) -> None:
    """UserError while a receiver or worker of this Hob is there."""
    client = connect(config.redis_url)
    try:
        alive = workers(client)
    except Unreachable:
        alive = 0
    finally:
        client.close()
    if alive:
        raise UserError(f"{alive} worker{'s' * (alive > 1)} of this Hob are running", _STOP)
    with suppress(OSError, ValueError):
        told = urlsplit((config.hob.data_dir / "hob.port").read_text().strip())
        with socket.create_connection((told.hostname or "", told.port or 0), timeout=1):
            raise UserError(f"a receiver of this Hob answers at {told.geturl()}", _STOP)


def _configured(header: BackupHeader) -> tuple[Config, list[str]]:
    """The configuration that is here, or the backup's where there is none."""
    if find(None, os.environ) is not None:
        stays = "hob.toml is here already and stays as it is"
        return load_config(), [stays] if TOML in header.files else []
    text = header.files.get(TOML, "")
    if not text:
        return load_config(), ["there is no hob.toml: write one"] if TOML in header.files else []
    here = Path(TOML).absolute()
    write_new(here, text)
    if IN_TOML in header.left_out:
        raise UserError(
            f"{here} was written, and lacks the secrets that the backup was made without",
            f"fill in the lines that begin with '{LEFT_OUT.strip()}', then run the same again",
        )
    return load_config(), [f"{here} was written"]


def _database(
    config: Config, source: BinaryIO, header: BackupHeader, counts: dict[str, int], *, force: bool
) -> Path | None:
    """Where what was there before is kept."""
    url = config.store.database_url
    target = Database(url)
    path = Path(target.file.path).resolve() if target.is_sqlite else None  # a link to another disk stays
    try:
        readable = file_copy.alone_with(path) if path else _alone_in(target)
        filled = not readable or sum(_rows_in(target).values()) > 0
    finally:
        target.close()
    if filled and not force:
        what = "holds data" if readable else "is damaged"
        raise UserError(f"the database {target.url.render_as_string(hide_password=True)} {what}", _FILLED)
    fresh = path.with_name(f"{path.name}.restoring") if path else None
    if fresh:
        make_private(fresh.parent)
        file_copy.take_away(fresh)
    database = Database(f"sqlite:///{fresh}" if fresh else url)
    source.seek(0)
    try:
        rows = read_rows(source, os.fstat(source.fileno()).st_size)
        fill(database, header.schema, rows, progress(counts), replaces=not fresh)
        database.close()
        return file_copy.put_in_place(fresh, path) if fresh and path else None
    finally:
        database.close()
        if fresh:
            file_copy.take_away(fresh)


def _alone_in(database: Database) -> bool:
    """PostgreSQL notices some moments later that a process is gone."""
    give_up = time.monotonic() + _GONE_SECONDS
    with database.read() as connection:
        while others := connection.exec_driver_sql(_OTHERS).scalar():
            if time.monotonic() > give_up:
                raise UserError(f"{others} other connections use the database", _STOP)
            connection.exec_driver_sql("SELECT pg_stat_clear_snapshot()")
            time.sleep(0.2)
    return True


def _rows_in(database: Database) -> dict[str, int]:
    """What a database that nobody has used yet does not hold either is not counted."""
    if database.file.is_missing:
        return {}
    try:
        with database.read() as connection:
            return count_rows(connection)
    except StoreUnavailable as wrong:
        if "damaged" not in str(wrong):
            raise
        return {"damaged": 1}


def _keys(config: Config, header: BackupHeader) -> list[str]:
    """Writes the keys that are not here; what is done, and what a person has still to bring."""
    notes: list[str] = []
    own = [config.hob.data_dir, *([config.source.parent] if config.source else [])]
    for one in key_files(config):
        text = header.files.get(one.name)
        if one.path.exists():
            continue
        if text is None:
            if f"the {one.name}" in header.left_out and one.name != "API token":
                notes.append(f"missing: {one.path} ({one.key}); the backup was made without --with-keys")
        elif not one.shape.fullmatch(text) or not any(map(one.path.is_relative_to, own)):
            notes.append(f"not written: {one.path} ({one.key}); put it there yourself")
        else:
            write_new(one.path, text)
            notes.append(f"{one.path} was written")
    return notes
