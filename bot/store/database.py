"""One SQLAlchemy engine with the settings that durability asks for, and its errors in our words."""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, exc, make_url

from bot.core.errors import UserError
from bot.paths import make_private
from bot.store.file import StoreFile
from bot.store.types import StoreUnavailable

BUSY_SECONDS = 5.0
"""How long a writer waits for another's lock."""

CHECKPOINT_PAGES = 8192
"""Of the write-ahead log (32 MB), from which even a connection that leaves checkpoints to others makes
one."""
_SELDOM = "checkpoints seldom"

_PRAGMAS = (
    "busy_timeout=5000",
    "journal_mode=WAL",
    "synchronous=FULL",  # what was answered survives a power cut, not only a crash
    "foreign_keys=ON",
    "secure_delete=ON",  # a body that was compressed, or purged, leaves no copy in a free page
    "journal_size_limit=67108864",  # one 25 MB delivery must not leave its log behind for ever
)
_DAMAGED = ("file is not a database", "malformed", "disk image")
_RESTORE = " (restore a backup, or move it away to start anew)"
_REMEDIES = {
    "no such table": "run hob migrate",
    "no such column": "run hob migrate",
    "readonly database": "let this user write the file and its folder",
    "unable to open": "let this user read and write the file and its folder",
    "Permission denied": "let this user write there, or set hob.data_dir",
    "Read-only file system": "set hob.data_dir to a place that can be written",
    "Not a directory": "set hob.data_dir to a folder",
    "File exists": "set hob.data_dir to a folder",
    "authentication failed": "set user and password in store.database_url",
    "no password supplied": "set the password in store.database_url",
    "no pg_hba.conf entry": "let PostgreSQL take this machine, user and database in its pg_hba.conf",
    '" does not exist': "create it, or name another in store.database_url",
}
_POSTGRES_OPTIONS = "-c lock_timeout=5s -c idle_in_transaction_session_timeout=60s"


_AWAY = (exc.OperationalError, exc.InterfaceError, exc.TimeoutError, sqlite3.OperationalError)


class Database:
    """Transactions on one database. `url` is SQLAlchemy's: `sqlite:///path` or `postgresql+psycopg://…`.

    Nothing is connected before the first transaction.
    """

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._insert = _insert_of(self.is_sqlite)
        self.file = StoreFile(self.url.database or "" if self.is_sqlite else "")
        self.engine = _sqlite_engine(url, self.file) if self.is_sqlite else _postgres_engine(url)
        self._writing = self.engine.execution_options(hob_writes=True)
        self.told_ends: frozenset[str] = frozenset()
        """Handlers whose runs owe a check run: where one ends without, another run tells of it
        (`bot.store.unfinished_checks`)."""

    def insert(self, table: Table) -> Any:
        """`INSERT` that has `on_conflict_do_nothing` in this database's dialect."""
        return self._insert(table)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes; on SQLite it takes the write lock at once, so that what it reads stays
        true.

        Raises `StoreUnavailable`; then nothing was stored.
        """
        with self._in_our_words():
            with self._writing.begin() as connection:
                yield connection
            self.file.check()  # what was committed meanwhile into a file that is gone is lost

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that reads one consistent state. Raises `StoreUnavailable`."""
        with self._in_our_words(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A transaction that reads one consistent state, however long it takes and whatever is written
        meanwhile. Raises `StoreUnavailable`."""
        if self.is_sqlite:  # any of its transactions does, and none of them ends by itself
            with self.read() as connection:
                yield connection
            return
        engine = self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with self._in_our_words(), engine.begin() as connection:
            connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
            yield connection

    @contextmanager
    def driver(self) -> Iterator[sqlite3.Connection]:
        """A connection of SQLite's own driver, for a statement that is too frequent to be built each time;
        what the block did not commit is undone. Raises `StoreUnavailable`; then nothing was stored.

        It leaves checkpoints to connections that write less often, while there are any.
        """
        with self._in_our_words():
            pooled = self.engine.raw_connection()
            try:
                connection: Any = pooled.driver_connection
                known: Any = pooled.record_info
                if not known.get(_SELDOM):
                    connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}").close()
                    known[_SELDOM] = True
                yield connection
            finally:
                pooled.close()
            self.file.check()

    def close(self) -> None:
        """Closes every idle connection."""
        self.engine.dispose()

    @contextmanager
    def _in_our_words(self) -> Iterator[None]:
        try:
            yield
        except _AWAY as error:
            cause = str(getattr(error, "orig", None) or error).strip()[:300]
            remedy = _remedy(cause)
            helps = "is locked" in cause if self.is_sqlite else not remedy
            said = f"the database cannot be used now: {cause}{remedy}"
            raise StoreUnavailable(said, waiting_helps=helps) from error
        except (exc.DBAPIError, sqlite3.DatabaseError) as error:
            cause = str(getattr(error, "orig", None) or error).strip()[:300]
            if any(sign in cause for sign in _DAMAGED):
                where = self.url.render_as_string(hide_password=True)
                said = f"{where} is damaged, or no database: {cause}{_RESTORE}"
                raise StoreUnavailable(said, waiting_helps=False) from error
            if not getattr(error, "connection_invalidated", False):
                raise
            raise StoreUnavailable("the connection to the database was lost") from error


def _insert_of(is_sqlite: bool) -> Callable[[Table], Any]:
    """The dialect's own; the other dialect is not loaded (2 MB)."""
    if is_sqlite:
        from sqlalchemy.dialects.sqlite import insert

        return insert
    from sqlalchemy.dialects.postgresql import insert as postgres_insert

    return postgres_insert


def _remedy(cause: str) -> str:
    return next((f" ({what})" for sign, what in _REMEDIES.items() if sign in cause), "")


def _postgres_engine(url: str) -> Engine:
    if find_spec("psycopg") is None:
        raise UserError(
            "store.database_url names PostgreSQL, and psycopg is not installed",
            "type `make .venv/.postgres` in Hob's folder, or leave store.database_url out for SQLite",
        )
    return create_engine(
        url,
        pool_pre_ping=True,  # the server may have been restarted since
        pool_size=8,
        max_overflow=24,
        pool_timeout=BUSY_SECONDS,
        connect_args={"connect_timeout": 5, "options": _POSTGRES_OPTIONS},
    )


def _sqlite_engine(url: str, file: StoreFile) -> Engine:
    def connecting(_dialect: Any, _record: Any, args: list[Any], _options: Any) -> None:
        file.check()
        if not file.is_known:
            _create_private(Path(args[0]))

    def connected(connection: sqlite3.Connection, _record: Any) -> None:
        _set_pragmas(connection)
        file.opened()

    def beginning(connection: Connection) -> None:
        file.check()
        _begin(connection)

    engine = create_engine(url, pool_size=8, max_overflow=24, pool_timeout=BUSY_SECONDS)
    event.listen(engine, "do_connect", connecting)
    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", beginning)
    return engine


def _create_private(path: Path) -> None:
    """Deliveries of private repositories are inside: only the owner may read the file (its WAL inherits
    the mode)."""
    if not path.exists():
        try:
            make_private(path.parent)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise sqlite3.OperationalError(f"{path}: {error.strerror}") from error


def _set_pragmas(connection: sqlite3.Connection) -> None:
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
