"""Real databases for tests: a temporary PostgreSQL cluster, and files of SQLite, both at the newest
schema."""

import atexit
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Engine
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

from bot.store import migrate
from tests import needs

_COMPILED: LRUCache[Any, Any] = LRUCache(4000)


def _share_compiled_statements() -> None:
    """Each test has an engine of its own, and each engine would write the same statements anew: a sixth of
    what a whole Hob computes in a test. All engines of SQLite in this process speak one dialect."""
    made = Engine.__init__

    def sharing(self: Engine, *args: Any, **options: Any) -> None:
        made(self, *args, **options)
        if isinstance(self.dialect, SQLiteDialect_pysqlite):
            self._compiled_cache = _COMPILED

    Engine.__init__ = sharing
    SQLiteDialect_pysqlite.__hash__ = lambda self: hash(type(self))
    SQLiteDialect_pysqlite.__eq__ = lambda self, other: type(self) is type(other)


_share_compiled_statements()


class Cluster:
    """A PostgreSQL server of its own on a Unix socket. As root it runs as the user `postgres`: it refuses
    to be root."""

    def __init__(self) -> None:
        self._bin = needs.postgres_programs()
        needs.postgres_user()
        self._as = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        self.folder = Path(tempfile.mkdtemp(prefix="hob-pg-"))
        self._numbers = itertools.count(1)
        if self._as:
            owner = pwd.getpwnam("postgres")
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)

    def start(self) -> None:
        """initdb (the first time) and the server; waits until it answers."""
        data = self.folder / "data"
        if not data.exists():
            self._run("initdb", "-D", data, "-U", "hob", "-A", "trust", "-E", "UTF8", "--no-sync")
        # fsync off: these tests kill our processes, never the machine
        options = f"-c listen_addresses='' -k {self.folder} -c fsync=off -c max_connections=200"
        self._run("pg_ctl", "-D", data, "-l", self.folder / "log", "-w", "-o", options, "start")

    def stop(self, mode: str = "immediate") -> None:
        """Stops the server; its files stay."""
        self._run("pg_ctl", "-D", self.folder / "data", "-w", "-m", mode, "stop")

    def remove(self) -> None:
        """Stops it and deletes everything."""
        self.stop()
        shutil.rmtree(self.folder)

    def new_database(self, template: str = "template1") -> str:
        """The URL of a fresh database."""
        name = f"t{next(self._numbers)}"
        with psycopg.connect(f"host={self.folder} user=hob dbname=postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def url(self, name: str) -> str:
        """SQLAlchemy's name for one of our databases."""
        return f"postgresql+psycopg://hob@/{name}?host={self.folder}"

    def _run(self, program: str, *args: object) -> None:
        command = [*self._as, str(self._bin / program), *map(str, args)]
        done = subprocess.run(
            command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stdout}")


def sqlite_template(folder: Path) -> Path:
    """An empty database file at the newest schema, to be copied."""
    path = folder / "template.db"
    migrate(f"sqlite:///{path}")
    return path


@cache
def _template() -> Path:
    """One for this process, which takes it away at its end."""
    folder = tempfile.TemporaryDirectory(prefix="hob-sqlite-")
    atexit.register(folder.cleanup)
    return sqlite_template(Path(folder.name))


def at_newest_schema(url: str) -> None:
    """What `migrate` does; for a SQLite that is not there yet by a copy, in a tenth of the time."""
    kind, _, path = url.partition(":///")
    if kind == "sqlite" and not Path(path).exists():
        shutil.copy(_template(), path)
    else:
        migrate(url)


def copy_of(template: Path, folder: Path) -> str:
    """The URL of a copy."""
    shutil.copy(template, folder / "hob.db")
    return f"sqlite:///{folder / 'hob.db'}"
