"""A living Hob for those tests that kill another process of it, and what forks processes of whole ones."""

from collections.abc import Iterator

import pytest

from tests.faults.forked import Forking
from tests.runs.conftest import contract, github, hob, ollama

__all__ = ["contract", "forking", "github", "hob", "ollama"]


@pytest.fixture(scope="session")
def forking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forking]:
    with Forking(tmp_path_factory.mktemp("forking")) as made:
        yield made
