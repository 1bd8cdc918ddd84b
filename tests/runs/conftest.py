"""A living Hob for each test."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot.testing.github import GitHubStandIn
from tests.fakes.github import contract, github
from tests.fakes.models import FakeOllama
from tests.living import LivingHob, by_schema, living_hob

__all__ = ["contract", "github", "hob", "ollama"]


@pytest.fixture
def ollama() -> Iterator[FakeOllama]:
    with FakeOllama() as host:
        host.answer = by_schema()
        yield host


@pytest.fixture
async def hob(tmp_path: Path, github: GitHubStandIn, ollama: FakeOllama) -> AsyncIterator[LivingHob]:
    async with living_hob(tmp_path, github, ollama) as living:
        yield living
