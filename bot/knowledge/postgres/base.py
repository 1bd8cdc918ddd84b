"""The connection that the parts of a shelf share, and PostgreSQL's errors in our words."""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import errors

from bot.knowledge.shelf import Damaged, ShelfError

BUSY_SECONDS = 10.0
"""How long a writer waits for another's lock."""
_WRITING, _ALONE, OPENING = 0x486F6201, 0x486F6202, 0x486F6203
"""First halves of the numbers of our advisory locks; the second is a repository's.
https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS"""


class Base:
    """One connection, and the number of one repository."""

    def __init__(self, connection: psycopg.Connection[tuple[Any, ...]], repo: int) -> None:
        self.connection = connection
        self.repo = repo
        self._writes = False

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """`values` for `%s`."""
        with in_our_words():
            done = self.connection.execute(sql.encode(), [storable(value) for value in values])
            return done.fetchall() if done.description else []

    def one(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """The first column of the first row; None without one."""
        found = self.rows(sql, values)
        return found[0][0] if found else None

    def put(self, table: str, rows: Iterable[Sequence[Any]]) -> None:
        """Many rows of one repository at once; `table` with its columns but for `repo`, which comes first."""
        name, _, columns = table.partition(" (")
        into = f"COPY {name} (repo, {columns} FROM STDIN"
        with in_our_words(), self.connection.cursor() as cursor, cursor.copy(into.encode()) as copy:
            for row in rows:
                copy.write_row([self.repo, *map(storable, row)])

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One writer for each repository: what is read within stays true. Within another it is part of that
        one."""
        if self._writes:
            yield
            return
        with self._transaction(), in_our_words():
            self._begin_writing()
            try:
                yield
            finally:
                self._writes = False

    def _begin_writing(self) -> None:
        self.rows("SELECT set_config('lock_timeout', %s, true)", [f"{BUSY_SECONDS * 1000:.0f}"])
        self.rows("SELECT pg_advisory_xact_lock(%s, %s)", [_WRITING, self.repo])
        if not self.rows("SELECT 1 FROM repository WHERE id = %s FOR KEY SHARE", [self.repo]):
            raise Damaged("the index was deleted by another process")
        self._writes = True

    @contextmanager
    def reading(self) -> Iterator[None]:
        with self._transaction(psycopg.IsolationLevel.REPEATABLE_READ):
            yield

    @contextmanager
    def _transaction(self, level: psycopg.IsolationLevel | None = None) -> Iterator[None]:
        if self.connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            yield
            return
        with in_our_words():
            self.connection.set_isolation_level(level)
            with self.connection.transaction():
                yield

    @contextmanager
    def alone(self, seconds: float) -> Iterator[None]:
        until = time.monotonic() + seconds
        while not self.one("SELECT pg_try_advisory_lock(%s, %s)", [_ALONE, self.repo]):
            if time.monotonic() > until:
                raise ShelfError("another process is building this index; try again later")
            time.sleep(0.02)
        try:
            yield
        finally:
            if not self.connection.closed:  # a lost connection has let go of it
                self.rows("SELECT pg_advisory_unlock(%s, %s)", [_ALONE, self.repo])

    def close(self) -> None:
        self.connection.close()


@contextmanager
def in_our_words() -> Iterator[None]:
    """psycopg's errors as ours."""
    try:
        yield
    except (errors.UndefinedTable, errors.UndefinedColumn, errors.InvalidSchemaName) as wrong:
        raise Damaged(f"the index was laid anew by another version of Hob ({_said(wrong)})") from wrong
    except errors.LockNotAvailable as wrong:
        raise ShelfError("the index is busy") from wrong
    except psycopg.Error as wrong:
        raise ShelfError(f"the index in PostgreSQL cannot be read or written: {_said(wrong)}") from wrong


def _said(wrong: psycopg.Error) -> str:
    """Its first line."""
    return str(wrong).strip().partition("\n")[0] or type(wrong).__name__


def storable(value: Any) -> Any:
    """Text without NUL and lone surrogates, which PostgreSQL does not take."""
    if isinstance(value, str) and not value.isprintable():
        return value.replace("\0", "").encode(errors="replace").decode()
    return value
