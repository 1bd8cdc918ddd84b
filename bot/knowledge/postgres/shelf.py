"""All repositories' indexes in one PostgreSQL. Everything there is ours and derived: tables of another
version of Hob are dropped and laid anew."""

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, get_args

import psycopg

from bot.knowledge.postgres.base import OPENING, in_our_words
from bot.knowledge.postgres.issues import Issues
from bot.knowledge.postgres.schema import NAME, TABLES, create, create_vectors
from bot.knowledge.shelf import SCHEMA, Sizes, Table

CONNECT_SECONDS = 10
log = logging.getLogger(__name__)

Connection = psycopg.Connection[tuple[Any, ...]]


class PostgresShelf(Issues):
    """A `Shelf` (bot.knowledge.shelf). `rebuilt` says why what was there before could not be used; empty
    where nothing was wrong. `has_vectors`: whether pgvector is there."""

    rebuilt: str = ""

    @classmethod
    def open(cls, url: str, name: str) -> "PostgresShelf":
        """The index of the repository of this name, an empty one where there is none. `url` is a
        `[store] database_url`. Raises `ShelfError`."""
        with in_our_words():
            connection = _connect(url)
            try:
                rebuilt = _laid(connection)
                shelf = cls(connection, _number(connection, name))
                shelf.has_vectors = _has(connection, "vector")
                shelf.rebuilt = rebuilt
            except BaseException:
                connection.close()
                raise
            return shelf

    def discard(self) -> None:
        """Closes and deletes all of this repository, so that the next `open` begins anew."""
        with self.writing():
            for table in TABLES:
                self.rows(f"DELETE FROM {table} WHERE repo = %s", [self.repo])
            if self.has_vectors:
                self.rows("DELETE FROM vector WHERE repo = %s", [self.repo])
            self.rows("DELETE FROM repository WHERE id = %s", [self.repo])
        self.close()

    def tidy(self) -> None:
        with self.writing():
            for table in get_args(Table):
                self.tidy_words(table)
        for name in (*TABLES, "vector") if self.has_vectors else TABLES:
            self.rows(f"VACUUM (ANALYZE) {name}")

    def sizes(self) -> Sizes:
        """`octets` is this repository's part, by its words, of the room that all of them take."""
        with self.reading():
            used = "SELECT sha FROM file WHERE repo = %s AND why = ''"
            both = [self.repo, self.repo]
            languages = self.rows(
                f"SELECT language, count(*) FROM blob WHERE repo = %s AND sha IN ({used}) "
                "GROUP BY language ORDER BY 2 DESC, 1",
                both,
            )
            return Sizes(
                files=self._count("file", "AND why = ''"),
                left_out=self._count("file", "AND why <> ''"),
                chunks=self.one(
                    "SELECT count(*) FROM chunk c JOIN blob b ON b.repo = c.repo AND b.id = c.blob "
                    f"WHERE c.repo = %s AND b.sha IN ({used})",
                    both,
                ),
                commits=self._count("commit"),
                issues=self._count("issue"),
                octets=self._octets(),
                languages=dict(languages),
            )

    def _count(self, table: str, condition: str = "") -> int:
        return int(self.one(f"SELECT count(*) FROM {table} WHERE repo = %s {condition}", [self.repo]))

    def _octets(self) -> int:
        room = self.one(
            "SELECT sum(pg_total_relation_size(oid)) FROM pg_class "
            "WHERE relkind = 'r' AND relnamespace = %s::regnamespace",
            [NAME],
        )
        own, all_words = self.rows(
            "SELECT coalesce(sum(words) FILTER (WHERE repo = %s), 0), coalesce(sum(words), 0) FROM total",
            [self.repo],
        )[0]
        return int(room * own / all_words) if all_words else 0


def names(url: str) -> list[str]:
    """The repositories that have an index. Raises `ShelfError`."""
    with in_our_words(), _connect(url) as connection:
        if not _has(connection, "repository"):
            return []
        return [name for (name,) in connection.execute("SELECT name FROM repository ORDER BY name")]


def remove(url: str, name: str) -> None:
    """Deletes the index of a repository where there is one. Raises `ShelfError`."""
    if name in names(url):
        PostgresShelf.open(url, name).discard()


@dataclass(frozen=True, slots=True)
class Pgvector:
    """The version that is in our database; the one that the server has to offer; whether we may take it."""

    installed: str = ""
    available: str = ""
    may: bool = False


def pgvector(url: str) -> Pgvector:
    """What of pgvector there is. Raises `ShelfError`."""
    with in_our_words(), _connect(url) as connection:
        return _offered(connection)


def _offered(connection: Connection) -> Pgvector:
    found = connection.execute(
        "SELECT coalesce(installed_version, ''), default_version, "
        "(SELECT rolsuper FROM pg_roles WHERE rolname = current_user) "
        "FROM pg_available_extensions WHERE name = 'vector'"
    ).fetchone()
    return Pgvector(*found) if found else Pgvector()


def _connect(url: str) -> Connection:
    """`url` as SQLAlchemy writes it: `postgresql+psycopg://`."""
    scheme, _, rest = url.partition("://")
    connection = psycopg.connect(
        f"{scheme.partition('+')[0]}://{rest}",
        autocommit=True,
        prepare_threshold=1,
        connect_timeout=CONNECT_SECONDS,
        application_name="hob",
        # Derived: a power cut may cost the last writes.
        options="-c synchronous_commit=off -c client_min_messages=warning",
    )
    _see(connection)
    return connection


def _see(connection: Connection) -> None:
    """Our tables by their bare names, and pgvector's types wherever they are."""
    found = connection.execute(
        "SELECT quote_ident(nspname) FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace "
        "WHERE extname = 'vector'"
    ).fetchall()
    path = ", ".join([NAME, *(name for (name,) in found), "pg_catalog"])
    connection.execute("SELECT set_config('search_path', %s, false)", [path])


def _laid(connection: Connection) -> str:
    """Our tables are there, and of this version. Why they had to be laid anew; empty where not."""
    if _version(connection) == SCHEMA and not _lacks_vectors(connection):
        return ""
    with _alone(connection):
        version = _version(connection)
        if version != SCHEMA:
            connection.execute(f"DROP SCHEMA IF EXISTS {NAME} CASCADE".encode())
            connection.execute(f"CREATE SCHEMA {NAME}".encode())
            connection.execute(create(first=1 + secrets.randbelow(1 << 30)).encode())
        if _lacks_vectors(connection):
            connection.execute("CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA public")
            _see(connection)
            connection.execute(create_vectors("halfvec").encode())
    if version in (None, SCHEMA):
        return ""
    why = "it was made by another version of Hob"
    log.warning("the indexes in PostgreSQL are built again: %s", why)
    return why


def _lacks_vectors(connection: Connection) -> bool:
    """Whether the table of vectors is not there and could be."""
    if _has(connection, "vector"):
        return False
    found = _offered(connection)
    return bool(found.installed or (found.available and found.may))


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """A transaction of which there is one at a time over all processes."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s, 0)", [OPENING])
        yield


def _version(connection: Connection) -> int | None:
    """None where there are no tables; 0 where they are not whole."""
    if not connection.execute("SELECT to_regnamespace(%s)", [NAME]).fetchall()[0][0]:
        return None
    if not _has(connection, "version"):
        return 0
    found = connection.execute("SELECT number FROM version").fetchone()
    return int(found[0]) if found else 0


def _number(connection: Connection, name: str) -> int:
    """Of a repository, which is put where it was not known."""
    connection.execute("INSERT INTO repository (name) VALUES (%s) ON CONFLICT DO NOTHING", [name])
    found = connection.execute("SELECT id FROM repository WHERE name = %s", [name]).fetchall()
    return int(found[0][0])


def _has(connection: Connection, table: str) -> bool:
    found = connection.execute("SELECT to_regclass(%s) IS NOT NULL", [f"{NAME}.{table}"]).fetchone()
    return bool(found and found[0])
