"""A library of a repository's code with its issues, pull requests, commits and releases beside it."""

from dataclasses import dataclass, field
from typing import Protocol

from bot.core.code_search import Excerpt, Library
from bot.core.errors import GitHubError
from bot.core.github_reader import GitHubReader
from bot.core.records import about_releases, chosen_releases, numbers_in, of_issue, of_release
from bot.core.text import day

MOST_READ = 6
"""Issues that are read from GitHub for one question, two calls each."""


class Recorded(Protocol):
    """What is known of a repository's issues and history (`bot.core.knowledge.Knowledge`)."""

    async def records(self, query: str) -> tuple[Excerpt, ...]: ...


@dataclass(slots=True)
class WithRecords:
    """A `Library`. Issues that are named are read as they stand on GitHub now; all else is as the index has
    it. Of another repository nothing is read."""

    own: Library | None = None
    index: Recorded | None = None
    github: GitHubReader | None = None
    but: int = 0
    """The issue that is talked in: it is shown anyway."""
    _read: dict[int, Excerpt | None] = field(default_factory=dict)
    _released: bool = False

    async def search(self, query: str) -> tuple[Excerpt, ...]:
        named = [found for number in numbers_in(query) if (found := await self._issue(number))]
        known = {f"#{self.but}", *(one.path for one in named)}
        code = await self.own.search(query) if self.own else ()
        indexed = await self.index.records(query) if self.index else ()
        beside = [one for one in indexed if one.path not in known]
        return (*named, *await self._releases(query), *code, *beside)

    async def read(self, path: str, start: int, end: int) -> Excerpt | None:
        """Also of an issue (`#12`), as a whole."""
        if path.startswith("#") and (numbers := numbers_in(path)):
            return await self._issue(numbers[0])
        return await self.own.read(path, start, end) if self.own else None

    async def _issue(self, number: int) -> Excerpt | None:
        if (
            self.github is None
            or number == self.but
            or (number not in self._read and len(self._read) >= MOST_READ)
        ):
            return None
        if number not in self._read:
            try:
                self._read[number] = await _issue(self.github, number)
            except GitHubError:  # not there, or nobody's to read
                self._read[number] = None
        return self._read[number]

    async def _releases(self, query: str) -> list[Excerpt]:
        if self.github is None or self._released or not about_releases(query):
            return []
        self._released = True
        try:
            return [of_release(one) for one in chosen_releases(query, await self.github.releases())]
        except GitHubError:
            return []


async def _issue(github: GitHubReader, number: int) -> Excerpt | None:
    state = await github.issue(number)
    if state.transferred:  # its text is another repository's now
        return None
    comments = await github.comments(number, state.comments) if state.comments else ()
    kind = "pull request" if state.is_pull_request else "issue"
    about = (
        f"{'open' if state.open else 'closed'} {kind} by {state.author.login}",
        f"opened {day(state.created_at)}" if state.created_at else "",
        f"closed {day(state.closed_at)} {state.state_reason}".strip() if state.closed_at else "",
        f"milestone {state.milestone}" if state.milestone else "",
        f"assigned to {', '.join(state.assignees[:10])}" if state.assignees else "",
        f"labels: {', '.join(state.labels[:10])}" if state.labels else "",
    )
    said = [(one.author.login, one.body) for one in comments]
    return of_issue(number, state.title, about, state.body, said)
