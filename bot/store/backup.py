"""A database as a stream of rows, and such a stream as a database: what `hob backup` and `hob restore` do.

The tables are those that are found, not those of this version, so that an older database is copied as it is.
A restored one is first made at the backup's schema, filled, marked (`bot.store.restored`) and then brought to
the newest, all in one transaction.
"""

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    func,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError, OperationalError, StatementError

from bot.core.errors import UserError
from bot.store import migration, restored
from bot.store.backup_format import BackupWriter, Row
from bot.store.database import Database

VERSIONS = "alembic_version"
BATCH_ROWS, BATCH_BYTES = 500, 8 << 20
"""Of rows that are held in memory at once."""
_LARGE = ("inbox",)
"""Whose rows may have some 25 MB each."""
_MOST_INTEGER = 2**63
RowsTold = Callable[[str, int], None]
"""Hears a table and how many of its rows are done."""


def schema_of(connection: Connection) -> str:
    """Its revision; empty for a database without tables."""
    if VERSIONS not in _reflected(connection).tables:
        return ""
    found = connection.execute(text(f"SELECT version_num FROM {VERSIONS}")).scalars().all()  # noqa: S608
    return str(found[0]) if found else ""


def tables_of(connection: Connection) -> list[Table]:
    """All that hold something, each after those that it refers to."""
    return [one for one in _reflected(connection).sorted_tables if one.name != VERSIONS]


def count_rows(connection: Connection) -> dict[str, int]:
    counts = ((one.name, select(func.count()).select_from(one)) for one in tables_of(connection))
    return {name: int(connection.execute(asked).scalar_one()) for name, asked in counts}


def write_rows(connection: Connection, writer: BackupWriter, told: RowsTold) -> None:
    """Every row of every table, a few at a time."""
    for table in tables_of(connection):
        writer.table(table.name, [column.name for column in table.columns])
        at_once = 1 if table.name in _LARGE else 50
        asked = select(table).order_by(*table.primary_key.columns).execution_options(yield_per=at_once)
        for number, row in enumerate(connection.execute(asked), 1):
            writer.row(row)
            told(table.name, number)


def fill(database: Database, schema: str, rows: Iterable[Row], told: RowsTold, *, replaces: bool) -> None:
    """Makes the rows of a backup the database's, or raises and changes nothing. `replaces`: what is in it
    goes (PostgreSQL; a file of SQLite is made anew)."""
    migration.require_known(schema)
    with database.write() as connection:
        if replaces:
            for table in reversed(_reflected(connection).sorted_tables):
                table.drop(connection)
        migration.to(database, connection, schema)
        found = {one.name: one for one in tables_of(connection)}
        if "meta" in found:
            connection.execute(found["meta"].delete())  # what the migration wrote there, the backup has too
        try:
            _insert(connection, found, rows, told)
        except OperationalError:
            raise
        except (DBAPIError, StatementError) as wrong:
            why = str(getattr(wrong, "orig", wrong) or wrong).strip().partition("\n")[0][:200]
            raise UserError(
                f"the backup holds what this database does not take: {why}", "it is damaged, or was changed"
            ) from None
        if not database.is_sqlite:
            _number_on(connection, found.values())
        restored.mark(connection)
        migration.to(database, connection, "head")


def _insert(connection: Connection, tables: dict[str, Table], rows: Iterable[Row], told: RowsTold) -> None:
    batch: list[dict[str, Any]] = []
    size = done = 0
    now = ""
    for name, columns, values in rows:
        table = tables.get(name)
        if table is None or set(columns) != {column.name for column in table.columns}:
            raise UserError(
                f"the backup's table {name[:40]!r} is not of its schema", "it was changed, or damaged"
            )
        if name != now or len(batch) >= BATCH_ROWS or size >= BATCH_BYTES:
            if batch:
                connection.execute(tables[now].insert(), batch)
            batch, size, done = [], 0, 0 if name != now else done
            now = name
        row = dict(zip(columns, values, strict=True))
        if wrong := [one.name for one in table.columns if not _fits(one, row[one.name])]:
            raise UserError(
                f"the backup's table {name} has a wrong value in {wrong[0]}", "it was changed, or damaged"
            )
        batch.append(row)
        size += sum(len(value) for value in values if isinstance(value, str | bytes))
        done += 1
        told(name, done)
    if batch:
        connection.execute(tables[now].insert(), batch)


def _fits(column: Column[Any], value: object) -> bool:
    """Whether it is of the column's type: SQLite takes anything anywhere."""
    if value is None:
        return bool(column.nullable)
    match column.type:
        case LargeBinary():
            return isinstance(value, bytes)
        case Boolean():
            return isinstance(value, bool)
        case Integer():
            return isinstance(value, int) and not isinstance(value, bool) and abs(value) < _MOST_INTEGER
        case Float():
            return isinstance(value, int | float) and not isinstance(value, bool)
        case String() | Text():
            return isinstance(value, str)
    return False


def _number_on(connection: Connection, tables: Iterable[Table]) -> None:
    """PostgreSQL counts rows apart from them: new ones come after those that were brought in."""
    for table in tables:
        for column in table.primary_key.columns:
            named = {"table": table.name, "column": column.name}
            sequence = connection.execute(
                text("SELECT pg_get_serial_sequence(:table, :column)"), named
            ).scalar()
            last = connection.execute(select(func.max(column))).scalar() if sequence else None
            if last is not None:
                connection.execute(text("SELECT setval(:name, :last)"), {"name": sequence, "last": last})


def _reflected(connection: Connection) -> MetaData:
    found = MetaData()
    found.reflect(connection)
    return found
