"""Deterministic answers that were had before, in an SQLite file of their own.

An entry serves one repository only: its id is in every name. Nothing here is needed: a file that cannot be
read or written means that models are asked. It is not the database of deliveries, whose writes must all reach
the disk.
"""

import hashlib
import json
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

from bot.paths import make_private

log = logging.getLogger(__name__)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
  name TEXT PRIMARY KEY, value BLOB NOT NULL, size INTEGER NOT NULL, made_at REAL NOT NULL,
  used_at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_use ON entries (used_at);
CREATE INDEX IF NOT EXISTS by_age ON entries (made_at);
"""
_MAYBE_OF = "(name >= ? AND name < ?) OR name NOT LIKE '%:%'"
OVERHEAD = 200
"""Bytes that a row costs beside its value."""
TRIM_EVERY = 50
"""Writes between two looks at the size."""


def name_of(repository: int, *parts: object) -> str:
    """The name of an entry: the same for the same repository and parts only. It begins with the repository's
    number, by which its entries are purged."""
    told = json.dumps([repository, *parts], ensure_ascii=True, sort_keys=True, default=str)
    return f"{repository}:{hashlib.sha256(told.encode()).hexdigest()}"


def _range(repository: int) -> tuple[str, str]:
    return f"{repository}:", f"{repository};"


class Cache:
    """At most `max_bytes`, none older than `max_age` seconds. Safe for several threads and processes."""

    def __init__(
        self, path: Path, max_bytes: int, max_age: float, clock: Callable[[], float] = time.time
    ) -> None:
        self._path, self._max_bytes, self._max_age, self._clock = path, max_bytes, max_age, clock
        self._lock = threading.Lock()
        self._open: sqlite3.Connection | None = None
        self._writes = 0

    def get(self, name: str) -> bytes | None:
        """What is kept under a name, or None."""
        now = self._clock()
        try:
            with self._lock:
                query = "UPDATE entries SET used_at = ? WHERE name = ? AND made_at > ? RETURNING value"
                found = self._connection().execute(query, (now, name, now - self._max_age)).fetchone()
        except (sqlite3.Error, OSError) as wrong:
            self._broken(wrong)
            return None
        return bytes(found[0]) if found else None

    def put(self, name: str, value: bytes) -> None:
        """Keeps a value; one that is a large part of all there may be is not kept."""
        size = len(value) + OVERHEAD
        if size > self._max_bytes // 4:
            return
        now = self._clock()
        try:
            with self._lock:
                row = (name, value, size, now, now)
                self._connection().execute("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?)", row)
                self._writes += 1
                if self._writes % TRIM_EVERY == 1:
                    self._trim(now)
        except (sqlite3.Error, OSError) as wrong:
            self._broken(wrong)

    def kept(self, repository: int) -> tuple[int, int]:
        """(entries, bytes) of a repository. Of entries of an older Hob nobody can tell whose they are: they
        count as its own."""
        try:
            with self._lock:
                query = f"SELECT COUNT(*), COALESCE(SUM(size), 0) FROM entries WHERE {_MAYBE_OF}"  # noqa: S608
                count, size = self._connection().execute(query, _range(repository)).fetchone()
        except (sqlite3.Error, OSError) as wrong:
            self._broken(wrong)
            return 0, 0
        return int(count), int(size)

    def purge(self, repository: int) -> None:
        """Deletes them, so that nothing of them stays in the file."""
        try:
            with self._lock:
                connection = self._connection()
                connection.execute("PRAGMA secure_delete = ON")
                connection.execute(f"DELETE FROM entries WHERE {_MAYBE_OF}", _range(repository))  # noqa: S608
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except (sqlite3.Error, OSError) as wrong:
            self._broken(wrong)

    def size(self) -> int:
        """Bytes in use."""
        with self._lock:
            return int(self._connection().execute("SELECT coalesce(sum(size), 0) FROM entries").fetchone()[0])

    def close(self) -> None:
        with self._lock:
            if self._open is not None:
                self._open.close()
                self._open = None

    def _trim(self, now: float) -> None:
        """What is too old goes, then what was not used for longest, until a tenth is free."""
        connection = self._connection()
        connection.execute("DELETE FROM entries WHERE made_at <= ?", (now - self._max_age,))
        (size,) = connection.execute("SELECT coalesce(sum(size), 0) FROM entries").fetchone()
        if size <= self._max_bytes:
            return
        for name, each in connection.execute("SELECT name, size FROM entries ORDER BY used_at").fetchall():
            if size <= self._max_bytes * 9 // 10:
                break
            connection.execute("DELETE FROM entries WHERE name = ?", (name,))
            size -= each

    def _connection(self) -> sqlite3.Connection:
        if self._open is None:
            make_private(self._path.parent)
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))  # answers about private code
            opened = sqlite3.connect(self._path, timeout=2.0, isolation_level=None, check_same_thread=False)
            try:
                opened.execute("PRAGMA journal_mode=WAL").close()
                opened.execute("PRAGMA synchronous=NORMAL").close()
                opened.executescript(_SCHEMA).close()
            except sqlite3.Error:
                opened.close()
                raise
            self._open = opened
        return self._open

    def _broken(self, wrong: Exception) -> None:
        log.warning("the cache %s cannot be used: %s", self._path, wrong)
