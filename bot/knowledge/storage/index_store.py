"""An index in a file of its own. What is on disk is ours and whole, or it is put out of the way and that is
said."""

import logging
import os
import struct
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import apsw

from bot.knowledge.storage.base import BUSY_SECONDS, in_our_words, locked
from bot.knowledge.storage.files import DROPPED
from bot.knowledge.storage.history import History
from bot.knowledge.storage.issues import IssueTable
from bot.knowledge.storage.schema import TABLES, UPGRADES, WORDS
from bot.knowledge.storage.types import SCHEMA, Damaged, IndexStoreError, Sizes
from bot.knowledge.storage.vectors import Vectors
from bot.knowledge.storage.words import Words
from bot.paths import make_private

APPLICATION = 0x486F6249
"""`HobI`, in the file's header. https://www.sqlite.org/fileformat2.html#database_header"""
BUSY_MILLISECONDS = int(BUSY_SECONDS * 1000)
MOST_FREE, MOST_APART = 0.1, 1 / 8
"""Of the file's pages, those that are free; of a full-text table's, those beside its largest piece, and of
the files those that went since its rows were last merged."""
_INCREMENTAL = 2
"""https://www.sqlite.org/pragma.html#pragma_auto_vacuum"""
_BESIDE = ("", "-wal", "-shm", "-journal")
log = logging.getLogger(__name__)


class IndexStore(History, IssueTable, Words, Vectors):
    """One repository's index. `rebuilt` says why what was there before could not be used; empty where nothing
    was wrong.

    Not for several threads at once; several processes may read while one writes. Every method may raise
    `IndexStoreError`. Outside of `writing()` and `reading()` each call is a transaction. What is not there
    is left out of an answer; it is no error."""

    rebuilt: str = ""
    inode: int = 0

    @classmethod
    def open(cls, path: Path, *, whole: bool = True) -> "IndexStore":
        """The index in this file, an empty one where there is none or it is damaged. All rows are counted
        to see that (`whole`), which takes as long as a fifth of a search: who only reads looks at the first
        page of each table, and leaves the rest to the next push. Raises `IndexStoreError`."""
        make_private(path.parent)
        with locked(path.with_suffix(".opening"), BUSY_SECONDS):
            why = _put_away(path)
            try:
                index_store = cls(_connect(path), path)
                if whole:
                    index_store.sizes()
                else:
                    index_store._look()
            except Damaged as wrong:
                why = why or f"it was damaged: {wrong.__cause__}"
                remove(path)
                index_store = cls(_connect(path), path)
            index_store.inode = path.stat().st_ino
        if why:
            log.warning("the index %s is built again: %s", path, why)
        index_store.rebuilt = why
        return index_store

    def _look(self) -> None:
        tables = self.rows("SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0")
        for (name,) in tables:
            self.rows(f'SELECT 1 FROM "{name}" LIMIT 1')

    def discard(self) -> None:
        """Closes and deletes the file, so that the next `open` begins anew; not one that another process has
        put in its place by now."""
        with locked(self.path.with_suffix(".opening"), BUSY_SECONDS):
            is_ours = self.path.exists() and self.path.stat().st_ino == self.inode
            self.connection.close(True)
            if is_ours:
                remove(self.path)

    def tidy(self) -> None:
        """After much was put or dropped: makes the index small and quick."""
        with self.writing():
            self._merge(*WORDS)
        self.rows("PRAGMA optimize")
        self._empty_log()

    def tidy_some(self) -> None:
        """After little was put or dropped: merges words of which much lies in small pieces, and gives back to
        the disk most of what is free. So a push costs by what it puts and not by the size of the index."""
        with self.writing():
            files = int(self.one("SELECT count(*) FROM file WHERE why = ''"))
            worn = self.dropped() > MOST_APART * files
            self._merge(*(WORDS if worn else [table for table in WORDS if self._is_apart(table)]))
        self._shrink()
        self._empty_log()

    def _empty_log(self) -> None:
        """Not while others read from it: the next push will."""
        self.connection.set_busy_timeout(0)
        try:
            self.rows("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            self.connection.set_busy_timeout(BUSY_MILLISECONDS)

    def _is_apart(self, table: str) -> bool:
        pages = self.rows(f"SELECT count(*) FROM {table}_words_idx GROUP BY segid")
        sizes = [int(number) for (number,) in pages]
        return sum(sizes) > (1 + MOST_APART) * max(sizes, default=0)

    def _merge(self, *tables: str) -> None:
        """https://www.sqlite.org/fts5.html#the_optimize_command"""
        for table in tables:
            self.rows(f"INSERT INTO {table}_words ({table}_words) VALUES ('optimize')")
        if len(tables) == len(WORDS):
            self.set_state(DROPPED, "0")

    def _shrink(self) -> None:
        free, pages = int(self.one("PRAGMA freelist_count")), int(self.one("PRAGMA page_count"))
        if free <= pages * MOST_FREE:
            return
        if self.one("PRAGMA auto_vacuum") != _INCREMENTAL:  # upgraded
            self.rows("PRAGMA auto_vacuum = incremental")
            self.rows("VACUUM")
        else:
            self.rows(f"PRAGMA incremental_vacuum({free - int(pages * MOST_FREE / 2)})")

    def sizes(self) -> Sizes:
        with self.reading():
            used = "blob WHERE sha IN (SELECT sha FROM file WHERE why = '')"
            languages = Counter(dict(self.rows(f"SELECT language, count(*) FROM {used} GROUP BY language")))
            return Sizes(
                files=self.one("SELECT count(*) FROM file WHERE why = ''"),
                left_out=self.one("SELECT count(*) FROM file WHERE why <> ''"),
                chunks=self.one(f"SELECT count(*) FROM chunk WHERE blob IN (SELECT id FROM {used})"),
                commits=self.one('SELECT count(*) FROM "commit"'),
                issues=self.one("SELECT count(*) FROM issue"),
                octets=sum(_size(self.path, end) for end in _BESIDE),
                languages=dict(languages.most_common()),
            )


def remove(path: Path) -> None:
    """Deletes an index with what SQLite keeps beside it."""
    for end in _BESIDE:
        path.with_name(path.name + end).unlink(missing_ok=True)


def _put_away(path: Path) -> str:
    """Why the file cannot be opened as an index of this version; it is gone then. A file that is not ours is
    kept under another name."""
    try:
        with path.open("rb") as file:
            head, size = file.read(100), os.fstat(file.fileno()).st_size
    except FileNotFoundError:
        return ""
    except OSError as wrong:
        raise IndexStoreError(f"the index {path} cannot be opened: {wrong.strerror}") from wrong
    if not head:
        return ""
    magic, page, schema, application = head[:16], *_numbers(head)
    if magic != b"SQLite format 3\0" or application != APPLICATION:
        aside = path.with_suffix(".not-an-index")
        path.replace(aside)
        remove(path)
        return f"what was there is no index of Hob; it is kept as {aside.name}"
    if schema != SCHEMA and schema not in UPGRADES:
        remove(path)
        return "it was made by another version of Hob"
    if size % (page or 1):  # SQLite itself sees a missing page, not a part of one
        remove(path)
        return "it was cut short"
    return ""


def _numbers(head: bytes) -> tuple[int, int, int]:
    """The size of a page, user_version and application_id."""
    if len(head) < 100:
        return 0, 0, 0
    (page,), (schema, application) = struct.unpack_from(">H", head, 16), struct.unpack_from(">I4xI", head, 60)
    return 65_536 if page == 1 else page, schema, application


def _connect(path: Path) -> apsw.Connection:
    with in_our_words(path):
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        path.chmod(0o600)
        connection = apsw.Connection(str(path))
        connection.set_busy_timeout(BUSY_MILLISECONDS)
        connection.enable_load_extension(True)
        connection.load_extension(_sqlite_vec())
        connection.enable_load_extension(False)
        if (schema := connection.pragma("user_version")) != SCHEMA:
            connection.pragma("auto_vacuum", "incremental")  # before the first table
            with connection:
                connection.execute(UPGRADES.get(schema, TABLES))
                connection.pragma("application_id", APPLICATION)
                connection.pragma("user_version", SCHEMA)
        # After the tables: the header of the file itself says then whose it is.
        connection.pragma("journal_mode", "wal")
        connection.pragma("synchronous", "normal")  # derived: a power cut may cost the last batch
        connection.pragma("journal_size_limit", 16 * 1024 * 1024)
        connection.pragma("cache_size", -16_000)
        return connection


def _sqlite_vec() -> str:
    """The extension's file. The package itself is not imported: where there is numpy, that would load it, for
    15 MB and a tenth of a second."""
    found = find_spec("sqlite_vec")
    if found is None or found.origin is None:
        raise IndexStoreError("sqlite-vec is not installed")
    return str(Path(found.origin).with_name("vec0"))


def _size(path: Path, end: str) -> int:
    file = path.with_name(path.name + end)
    return file.stat().st_size if file.exists() else 0
