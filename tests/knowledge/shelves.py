"""Both databases of an index, for tests that run on each and for those that hold one against the other."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.knowledge.postgres import PostgresShelf
from bot.knowledge.shelf import Shelf
from bot.knowledge.sqlite import SQLiteShelf
from tests import needs
from tests.databases import Cluster

Opened = SQLiteShelf | PostgresShelf


@contextmanager
def cluster_with_vectors() -> Iterator[Cluster]:
    """A PostgreSQL that has pgvector."""
    with running(Cluster(needs.pgvector_programs())) as cluster:
        yield cluster


@contextmanager
def running(cluster: Cluster) -> Iterator[Cluster]:
    cluster.start()
    try:
        yield cluster
    finally:
        cluster.remove()


@contextmanager
def both(folder: Path, url: str, name: str = "1") -> Iterator[tuple[Shelf, Shelf]]:
    """An index in each, empty where its name is new."""
    sqlite, postgres = SQLiteShelf.open(folder / f"{name}.db"), PostgresShelf.open(url, name)
    try:
        yield sqlite, postgres
    finally:
        sqlite.close()
        postgres.close()
