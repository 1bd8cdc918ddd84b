"""What a run may ask of all that Hob knows of a repository, as a port."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from bot.core.diff import FileDiff
from bot.core.knowing import Outline
from bot.core.library import Excerpt, Library
from bot.core.packing import NOTHING, Surroundings
from bot.core.refs import Sha

Beside = Callable[[Sequence[FileDiff], Mapping[str, str], Sha], Awaitable[Surroundings]]
"""(changed files, their texts at the head, the base's sha) -> what else belongs to the change. Never raises,
and never waits for an index that is not there."""


async def nothing_beside(_files: Sequence[FileDiff], _heads: Mapping[str, str], _base: Sha) -> Surroundings:
    """For those who know of the change alone."""
    return NOTHING


class Knowledge(Library, Protocol):
    """What Hob knows of one repository. Searching and reading answer with what is there; where there is
    nothing yet, nothing is found."""

    async def search(self, query: str, at: str = "", first: Sequence[str] = ()) -> tuple[Excerpt, ...]:
        """`at` is the commit whose files are meant, where the clone has it; else the newest that it has.
        Passages of the files `first` come first, in this order."""
        ...

    async def outlines(self, query: str, at: str = "") -> Sequence[Outline]:
        """The files that a search finds, by what they define."""
        ...

    async def beside(self, files: Sequence[FileDiff], heads: Mapping[str, str], base: Sha) -> Surroundings:
        """`Beside`."""
        ...

    async def refresh(self) -> str:
        """Brings it up to date with GitHub; says in a line what was done, or why nothing was."""
        ...

    async def drop_issue(self, number: int) -> None:
        """An issue that is no longer there."""
        ...
