from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.store import Store, migrate, open_store
from tests.databases import Cluster, copy_of, sqlite_template


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sqlite_template(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    made = Cluster()
    made.start()
    try:
        migrate(made.new_database())  # t1, the template of all others
        yield made
    finally:
        made.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, template: Path, tmp_path: Path) -> str:
    """A database at the newest schema; each test runs on both kinds."""
    if request.param == "sqlite":
        return copy_of(template, tmp_path)
    return request.getfixturevalue("cluster").new_database("t1")


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = open_store(url)
    yield opened
    opened.close()
