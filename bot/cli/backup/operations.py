"""Makes the file of a backup: whole or not at all, and for its owner alone."""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO

from bot.cli.backup.files import collected
from bot.cli.framework import tell
from bot.config import Config
from bot.core.errors import UserError
from bot.store.backup import count_rows, schema_of, write_rows
from bot.store.backup_format import BackupHeader, BackupWriter
from bot.store.database import Database

EVERY = 2.0
"""Seconds between two lines of progress."""


@dataclass(frozen=True, slots=True)
class BackupMade:
    """What is in it. `size`: bytes, 0 where it went to standard output."""

    header: BackupHeader
    counts: dict[str, int]
    size: int = 0
    more: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        header = self.header
        about = {"version": header.version, "schema": header.schema, "made_at": header.made_at}
        with_ = {"files": sorted(header.files), "left_out": list(header.left_out)}
        return {**about, "bytes": self.size, "rows": self.counts, **with_, **self.more}

    def told(self) -> str:
        rows = (
            f"{sum(self.counts.values()):,} rows of {len(self.counts)} tables (schema {self.header.schema})"
        )
        inside = f"; with {', '.join(sorted(self.header.files))}" if self.header.files else ""
        without = f"; without {', '.join(self.header.left_out)}" if self.header.left_out else ""
        return rows + inside + without


def back_up(config: Config, file: Path, *, with_keys: bool) -> BackupMade:
    """UserError where there is nothing to be copied yet."""
    database = Database(config.store.database_url)
    if database.file.is_missing:
        raise UserError(f"there is no database at {database.file.path} yet", "hob up makes it")
    files, left_out = collected(config, with_keys=with_keys)
    try:
        with _written(file) as out, database.snapshot() as connection:
            schema = schema_of(connection)
            if not schema:
                raise UserError("the database is empty", "hob up (or hob migrate) makes its tables")
            header = BackupHeader(version("hobbot"), schema, time.time(), files, left_out)
            writer = BackupWriter(out, header)
            write_rows(connection, writer, progress(count_rows(connection)))
            writer.finish()
    finally:
        database.close()
    size = 0 if str(file) == "-" else file.stat().st_size
    return BackupMade(header, writer.counts, size)


def progress(counts: dict[str, int]) -> Callable[[str, int], None]:
    """Says now and then how far it is, where it takes long."""
    spoke = time.monotonic()

    def told(table: str, done: int) -> None:
        nonlocal spoke
        if time.monotonic() - spoke >= EVERY:
            spoke = time.monotonic()
            tell(f"{table}: {done:,} of {counts.get(table, 0):,} rows")

    return told


@contextlib.contextmanager
def _written(file: Path) -> Iterator[BinaryIO]:
    """Under another name until it is whole and on the disk. A link stays, and leads to it; what is no file
    (a pipe, a device) is written as it is, and never replaced."""
    if str(file) == "-":
        if sys.stdout.isatty():
            raise UserError("a backup is no text for a terminal", "name a file, or pipe it on")
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    file = file.resolve()
    if file.exists() and not file.is_file():
        with file.open("wb") as out:
            yield out
        return
    making = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        with os.fdopen(os.open(making, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        making.replace(file)
    finally:
        making.unlink(missing_ok=True)
