"""The connection that the parts of an index store share, and SQLite's errors in our words."""

import fcntl
import json
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw

from bot.knowledge.storage.types import Damaged, IndexStoreError, OtherTable, WordTable

BUSY_SECONDS = 10.0
"""How long a writer waits for another's lock."""

Value = str | bytes | int | float | None


class SqliteBase:
    """One connection to one file."""

    def __init__(self, connection: apsw.Connection, path: Path) -> None:
        self.connection = connection
        self.path = path

    def rows(self, sql: str, values: Sequence[Value] = ()) -> list[tuple[Any, ...]]:
        with in_our_words(self.path):
            return self.connection.execute(sql, values).fetchall()

    def many(self, sql: str, rows: Iterable[Sequence[Value]]) -> None:
        with in_our_words(self.path):
            self.connection.executemany(sql, rows)

    def put_words(self, table: WordTable | OtherTable, rows: Iterable[tuple[int, str]]) -> None:
        """The tokens of rows that have none yet, by id; ascending is quickest."""
        self.many(f"INSERT INTO {table}_words (rowid, tokens) VALUES (?, ?)", rows)

    def one(self, sql: str, values: Sequence[Value] = ()) -> Any:
        """The first column of the first row; None without one."""
        found = self.rows(sql, values)
        return found[0][0] if found else None

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A transaction: all of it or nothing. Takes the write lock at once, so that what is read within
        stays true; others that would write wait some seconds. Within another it is part of that one."""
        with self._transaction("BEGIN IMMEDIATE"):
            yield

    @contextmanager
    def reading(self) -> Iterator[None]:
        """What is read within is of one moment."""
        with self._transaction("BEGIN"):
            yield

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[None]:
        if self.connection.in_transaction:
            yield
            return
        self.rows(begin)
        try:
            yield
            self.rows("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise

    @contextmanager
    def alone(self, seconds: float) -> Iterator[None]:
        """Held by one process at a time, while it brings the index to another commit; freed when it dies.
        Waits this long, then raises `IndexStoreError`."""
        with locked(self.path.with_suffix(".updating"), seconds):
            yield

    def close(self) -> None:
        with in_our_words(self.path):
            self.connection.close()


@contextmanager
def locked(path: Path, seconds: float) -> Iterator[None]:
    """A file's lock, held within; IndexStoreError after this long."""
    until = time.monotonic() + seconds
    try:
        file = path.open("a")
    except OSError as wrong:
        raise IndexStoreError(f"{path} cannot be opened: {wrong.strerror}") from wrong
    with file:
        path.chmod(0o600)
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as wrong:
                if time.monotonic() > until:
                    raise IndexStoreError(
                        "another process is building this index; try again later"
                    ) from wrong
                time.sleep(0.02)
        yield


@contextmanager
def in_our_words(path: Path) -> Iterator[None]:
    """apsw's errors as ours."""
    try:
        yield
    except (apsw.CorruptError, apsw.NotADBError) as wrong:
        raise Damaged(f"the index {path} is damaged ({wrong})") from wrong
    except apsw.BusyError as wrong:
        raise IndexStoreError(f"the index {path} is busy") from wrong
    except apsw.FullError as wrong:
        raise IndexStoreError(f"no room is left on the disk of {path}") from wrong
    except (apsw.IOError, apsw.CantOpenError, apsw.ReadOnlyError, apsw.PermissionsError) as wrong:
        raise IndexStoreError(f"the index {path} cannot be read or written ({wrong})") from wrong


def listed(values: Collection[Any]) -> str:
    """For `IN (SELECT value FROM json_each(?))`: any number of values as one parameter."""
    return json.dumps(list(values), ensure_ascii=False)


IDS = "(SELECT value FROM json_each(?))"
SHAS = "(SELECT unhex(value) FROM json_each(?))"
