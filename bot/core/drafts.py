"""Texts that Hob has written and not posted: a person decides what becomes of them."""

from dataclasses import dataclass

from bot.core.refs import RepoRef

MOST = 200
"""That wait in one repository; past it the oldest go."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A comment on an issue or pull request as it would be posted. `n` is its number in the repository, given
    to no other; `at` is when it was written, epoch seconds. `refusals`: how often GitHub has refused it."""

    n: int
    repo: RepoRef
    number: int
    about: str
    body: str
    at: float
    refusals: int = 0
