import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot.queue.embedded import Embedded
from bot.queue.queues import Queues
from bot.queue.wakeup import Wakeup
from bot.store import Store, open_store
from tests.databases import copy_of, sqlite_template

ALLOW = ("tests.queue.jobs.perform",)


@pytest.fixture(scope="session")
def shared_redis() -> Iterator[Embedded]:
    folder = Path(tempfile.mkdtemp(prefix="hob-q-"))
    server = Embedded(folder)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture
def redis_url(shared_redis: Embedded) -> str:
    return shared_redis.url


@pytest.fixture
def queues(redis_url: str) -> Iterator[Queues]:
    made = Queues(redis_url, ALLOW)
    made.connection.flushall()
    yield made
    made.close()


@pytest.fixture
def own_redis() -> Iterator[Embedded]:
    """A server that the test may kill."""
    folder = Path(tempfile.mkdtemp(prefix="hob-q-"))
    server = Embedded(folder)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture
async def wakeup(redis_url: str) -> AsyncIterator[Wakeup]:
    async with Wakeup(redis_url) as made:
        yield made


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sqlite_template(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture
def store_url(template: Path, tmp_path: Path) -> str:
    return copy_of(template, tmp_path)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    opened = open_store(store_url)
    yield opened
    opened.close()
