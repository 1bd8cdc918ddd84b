"""A model host for each test, and the pools that end with it."""

from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from bot.core.hosts import Host
from bot.inference.hosts.pool import Pool
from bot.inference.runners.ollama import OllamaRunner
from tests.fakes.models import FakeOllama


@pytest.fixture
def ollama() -> Iterator[FakeOllama]:
    with FakeOllama() as host:
        yield host


@pytest.fixture
async def pool_of() -> AsyncIterator[Callable[..., Pool]]:
    """Makes pools; `first` and `between` are the idle deadlines of their runners in seconds."""
    pools: list[Pool] = []

    def make(*hosts: Host, first: float = 20.0, between: float = 20.0, **options: object) -> Pool:
        def runner(host: Host) -> OllamaRunner:
            return OllamaRunner(host, first_seconds=first, between_seconds=between, max_bytes=1_000_000)

        pools.append(Pool(hosts, **{"runner": runner, **options}))  # type: ignore[arg-type]
        return pools[-1]

    yield make
    for pool in pools:
        await pool.aclose()
