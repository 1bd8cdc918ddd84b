"""The GitHub of the tests: the stand-in, with each exchange held against GitHub's own description.

A conftest says `from tests.fakes.github import contract, github`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.testing.github import GitHubStandIn
from tests.fakes.contract import Contract

__all__ = ["Contract", "GitHubStandIn", "checked_github", "contract", "github"]


@contextmanager
def checked_github(directory: Path, **options: Any) -> Iterator[GitHubStandIn]:
    """A GitHub that fails at its end when a request or an answer was not as GitHub describes it."""
    contract = Contract()
    with GitHubStandIn(directory, **options) as gh:
        gh.observers.append(contract)
        yield gh
    contract.check()


@pytest.fixture
def contract() -> Iterator[Contract]:
    """What was found wrong so far; a test that does wrong on purpose empties `contract.problems`."""
    found = Contract()
    yield found
    found.check()


@pytest.fixture
def github(tmp_path: Path, contract: Contract) -> Iterator[GitHubStandIn]:
    """A fresh GitHub on loopback; the test fails if an exchange is not as GitHub describes it."""
    with GitHubStandIn(tmp_path / "github") as gh:
        gh.observers.append(contract)
        yield gh
