"""What issues and pull requests are called, as the last delivery about them told: for people to find them."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, func, select, true

from bot.core.refs import IssueTitle
from bot.store.columns import fit, with_words
from bot.store.database import Database
from bot.store.tables import issues, repositories


@dataclass(frozen=True, slots=True)
class IssueRow:
    """`changed_at` is epoch seconds, when the last delivery about it came."""

    repo_id: int
    repo: str
    number: int
    is_pull: bool
    title: str
    author: str
    state: Literal["open", "closed", "merged"]
    changed_at: float


@dataclass(frozen=True, slots=True)
class IssueQuery:
    """What to look for; empty values ask for everything. `words` are looked for in title and author."""

    is_pull: bool
    repo: str = ""
    state: str = ""
    words: str = ""


def learn(
    database: Database, connection: Connection, told: Collection[tuple[int, float, IssueTitle]]
) -> None:
    """(repository, when it came, what it told); what came later counts."""
    newest = {(repo, one.number): (at, one) for repo, at, one in sorted(told, key=lambda each: each[1])}
    for (repo, number), (at, one) in newest.items():
        row = {
            "repo_id": repo,
            "number": number,
            "is_pull": one.is_pull,
            "title": fit(one.title, 300),
            "author": fit(one.author, 100),
            "state": one.state,
            "changed_at": at,
        }
        new = database.insert(issues).values(row)
        later = issues.c.changed_at <= at
        connection.execute(
            new.on_conflict_do_update(index_elements=["repo_id", "number"], set_=row, where=later)
        )


class KnownIssues:
    """The table `issues`. Raises `StoreUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def page(self, query: IssueQuery, before: tuple[float, int, int] | None, limit: int) -> list[IssueRow]:
        """The last that changed first, those after `before` (`changed_at`, `repo_id`, `number` of the last
        one that was shown)."""
        which = _which(query)
        if before is not None:
            which &= _after(before)
        order = (issues.c.changed_at.desc(), issues.c.repo_id.desc(), issues.c.number.desc())
        asked = _selected().where(which).order_by(*order).limit(limit)
        with self._db.read() as connection:
            return [IssueRow(**row) for row in connection.execute(asked).mappings()]

    def titles(self, wanted: Collection[tuple[int, int]]) -> dict[tuple[int, int], IssueRow]:
        """Of (repository, number); those that are known."""
        if not wanted:
            return {}
        repos, numbers = {repo for repo, _ in wanted}, {number for _, number in wanted}
        which = issues.c.repo_id.in_(repos) & issues.c.number.in_(numbers)
        with self._db.read() as connection:
            found = [IssueRow(**row) for row in connection.execute(_selected().where(which)).mappings()]
        return {(one.repo_id, one.number): one for one in found if (one.repo_id, one.number) in wanted}

    def get(self, repo_id: int, number: int) -> IssueRow | None:
        """None for one that nobody told of."""
        return self.titles({(repo_id, number)}).get((repo_id, number))


def _selected() -> Any:
    name = func.coalesce(repositories.c.name, "").label("repo")
    joined = issues.outerjoin(repositories, repositories.c.id == issues.c.repo_id)
    return select(*issues.c, name).select_from(joined)


def _which(query: IssueQuery) -> ColumnElement[bool]:
    which: ColumnElement[bool] = true() & (issues.c.is_pull == query.is_pull)
    if query.repo:
        which &= func.lower(repositories.c.name) == query.repo.lower()
    if query.state:
        which &= issues.c.state == query.state
    return which & with_words(query.words, issues.c.title, issues.c.author)


def _after(before: tuple[float, int, int]) -> ColumnElement[bool]:
    at, repo, number = before
    same = issues.c.changed_at == at
    return (issues.c.changed_at < at) | (
        same & ((issues.c.repo_id < repo) | ((issues.c.repo_id == repo) & (issues.c.number < number)))
    )
