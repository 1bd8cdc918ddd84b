"""The stateful GitHub of the tests: the stand-in of `bot.standin`, one a test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.standin import GitHub


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHub]:
    """A fresh GitHub on loopback."""
    with GitHub(tmp_path / "github") as gh:
        yield gh
