"""One SQLAlchemy engine with the settings that durability asks for, and its errors in our words."""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, exc, make_url

from bot.store.errors import StoreUnavailable

BUSY_SECONDS = 5.0
"""How long a writer waits for another's lock."""

_PRAGMAS = (
    "busy_timeout=5000",
    "journal_mode=WAL",
    "synchronous=FULL",  # what was answered survives a power cut, not only a crash
    "foreign_keys=ON",
    "journal_size_limit=67108864",  # one 25 MB delivery must not leave its log behind for ever
)
_POSTGRES_OPTIONS = "-c lock_timeout=5s -c idle_in_transaction_session_timeout=60s"


class Database:
    """Transactions on one database. `url` is SQLAlchemy's: `sqlite:///path` or `postgresql+psycopg://…`.

    Nothing is connected before the first transaction.
    """

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._insert = _insert_of(self.is_sqlite)
        self.engine = _sqlite_engine(url) if self.is_sqlite else _postgres_engine(url)
        self._writing = self.engine.execution_options(hob_writes=True)
        self.told_ends: frozenset[str] = frozenset()
        """Handlers whose runs owe a check run: where one ends without, another run tells of it
        (`bot.store.unfinished`)."""

    def insert(self, table: Table) -> Any:
        """`INSERT` that has `on_conflict_do_nothing` in this database's dialect."""
        return self._insert(table)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes; on SQLite it takes the write lock at once, so that what it reads stays
        true.

        Raises `StoreUnavailable`; then nothing was stored.
        """
        with _in_our_words(), self._writing.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that reads one consistent state. Raises `StoreUnavailable`."""
        with _in_our_words(), self.engine.begin() as connection:
            yield connection

    def close(self) -> None:
        """Closes every idle connection."""
        self.engine.dispose()


def _insert_of(is_sqlite: bool) -> Callable[[Table], Any]:
    """The dialect's own; the other dialect is not loaded (2 MB)."""
    if is_sqlite:
        from sqlalchemy.dialects.sqlite import insert

        return insert
    from sqlalchemy.dialects.postgresql import insert as postgres_insert

    return postgres_insert


@contextmanager
def _in_our_words() -> Iterator[None]:
    try:
        yield
    except (exc.OperationalError, exc.InterfaceError, exc.TimeoutError) as error:
        cause = getattr(error, "orig", None) or error
        raise StoreUnavailable(f"the database cannot be used now: {str(cause).strip()[:300]}") from error
    except exc.DBAPIError as error:
        if not error.connection_invalidated:
            raise
        raise StoreUnavailable("the connection to the database was lost") from error


def _postgres_engine(url: str) -> Engine:
    return create_engine(
        url,
        pool_pre_ping=True,  # the server may have been restarted since
        pool_size=8,
        max_overflow=24,
        pool_timeout=BUSY_SECONDS,
        connect_args={"connect_timeout": 5, "options": _POSTGRES_OPTIONS},
    )


def _sqlite_engine(url: str) -> Engine:
    engine = create_engine(url, pool_size=8, max_overflow=24, pool_timeout=BUSY_SECONDS)
    event.listen(engine, "do_connect", _create_private)
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin)
    return engine


def _create_private(_dialect: Any, _record: Any, args: list[Any], _options: Any) -> None:
    """Deliveries of private repositories are inside: only the owner may read the file (its WAL inherits
    the mode)."""
    path = Path(args[0])
    if not path.exists():
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise sqlite3.OperationalError(f"{path}: {error.strerror}") from error


def _set_pragmas(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by `_begin`, not by the driver's guess
    for pragma in _PRAGMAS:
        _patiently(connection, f"PRAGMA {pragma}")


def _patiently(connection: sqlite3.Connection, statement: str) -> None:
    """The first change to WAL fails at once, whatever the busy time-out, while another process is doing
    it."""
    give_up = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute(statement).close()
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > give_up:
                raise
            time.sleep(0.01)
        else:
            return


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("hob_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
