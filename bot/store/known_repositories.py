"""The repositories that Hob works for: told by their deliveries and by GitHub's lists, forgotten when access
ends. Names follow ids: what is stored under a repository's name moves with it.
"""

import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, delete, exists, func, select, update

from bot.core.refs import RepoRef
from bot.store.columns import fit
from bot.store.database import Database
from bot.store.runs import within
from bot.store.settings import Settings
from bot.store.tables import (
    calls,
    drafts,
    inbox,
    memory_repos,
    meta,
    repositories,
    runs,
    schedule,
    settings,
    usage,
)
from bot.store.types import LIVE


@dataclass(frozen=True, slots=True)
class Seen:
    """A repository as it was told of at a time (epoch seconds). `private` None: that was not told."""

    id: int
    name: str
    installation: int
    at: float
    private: bool | None = None


@dataclass(frozen=True, slots=True)
class Learned:
    """What was new: repositories by id, and (id, former name) of those that have another name now."""

    new: tuple[int, ...] = ()
    renamed: tuple[tuple[int, str], ...] = ()
    hidden: tuple[int, ...] = ()
    """Those that were public."""


def remember(database: Database, connection: Connection, seen: Collection[Seen]) -> Learned:
    """What was told later counts, in whatever order it comes."""
    newest = {one.id: one for one in sorted(seen, key=lambda one: one.at)}
    if not newest:
        return Learned()
    which = repositories.c.id.in_(newest)
    known = {row.id: row for row in connection.execute(select(repositories).where(which))}
    told = [_named(connection, newest[repo], known.get(repo)) for repo in sorted(newest)]
    fresh = [one for one in told if one.id not in known]
    changed = [one for one in told if one.id in known and _says_more(one, known[one.id])]
    if fresh:
        connection.execute(
            database.insert(repositories).on_conflict_do_nothing(), [_row(one) for one in fresh]
        )
    named = [(one, known[one.id].name) for one in changed if one.name != known[one.id].name]
    for one, _ in named:
        _take_name(database, connection, one.id, _name(connection, one.id), one.name)
    for one in fresh:
        _take_name(database, connection, one.id, _remembered(connection, one.id), one.name)
    for one in changed:
        row = {key: value for key, value in _row(one).items() if key != "private" or value is not None}
        connection.execute(update(repositories).where(repositories.c.id == one.id).values(row))
    hidden = tuple(one.id for one in changed if one.private and known[one.id].private is False)
    return Learned(tuple(one.id for one in fresh), tuple((one.id, before) for one, before in named), hidden)


def _named(connection: Connection, one: Seen, known: Any) -> Seen:
    """With a name that it may have: none that another was told to have since."""
    one = replace(one, name=fit(one.name, 300))
    if known is not None and known.name == one.name:
        return one
    mine = func.lower(repositories.c.name) == one.name.lower()
    since = select(repositories.c.id).where(
        mine, repositories.c.id != one.id, repositories.c.told_at > one.at
    )
    return replace(one, name=f"#{one.id}") if connection.execute(since).first() else one


def _says_more(one: Seen, known: Any) -> bool:
    if one.at < (known.told_at or 0.0):
        return False
    other = (one.name, one.installation) != (known.name, known.installation_id)
    return other or one.private not in (None, known.private)


def _row(one: Seen) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "installation_id": one.installation,
        "private": one.private,
        "told_at": one.at,
    }


def _name(connection: Connection, repo_id: int) -> str:
    which = select(repositories.c.name).where(repositories.c.id == repo_id)
    return connection.execute(which).scalar_one_or_none() or ""


def _remembered(connection: Connection, repo_id: int) -> str:
    """The name under which something is remembered of a repository that was not known."""
    which = select(memory_repos.c.name).where(memory_repos.c.repo_id == repo_id)
    return connection.execute(which).scalar_one_or_none() or ""


def _take_name(database: Database, connection: Connection, repo_id: int, old: str, new: str) -> None:
    """A name is one repository's at a time. What is stored for another that had it, or had it when access to
    it ended, lies under `#` and its number until it is heard of again."""
    for table, key in ((repositories, repositories.c.id), (memory_repos, memory_repos.c.repo_id)):
        taken = (func.lower(table.c.name) == new.lower()) & (key != repo_id)
        for other, name in connection.execute(select(key, table.c.name).where(taken)).all():
            aside = f"#{other}"
            _rename(database, connection, other, name, aside)
            connection.execute(update(repositories).where(repositories.c.id == other).values(name=aside))
    if old and old != new:
        _rename(database, connection, repo_id, old, new)


def _rename(database: Database, connection: Connection, repo_id: int, old: str, new: str) -> None:
    Settings(database).move(connection, old, new)
    named = memory_repos.c.repo_id == repo_id
    connection.execute(update(memory_repos).where(named).values(name=new.lower()))
    if new.startswith("#"):
        return
    for table in (inbox, runs):
        connection.execute(update(table).where(table.c.repo_id == repo_id).values(repo=new))
    for spent in (usage, calls):
        connection.execute(update(spent).where(spent.c.repo == old).values(repo=new))
    owner, _, name = new.partition("/")
    mine = select(drafts.c.n, drafts.c.repo).where(drafts.c.repo_id == repo_id)
    for n, told in connection.execute(mine).all():
        ref = replace(msgspec.json.decode(told, type=RepoRef), owner=owner, name=name)
        values = {"repo": msgspec.json.encode(ref).decode()}
        connection.execute(update(drafts).where(drafts.c.repo_id == repo_id, drafts.c.n == n).values(values))


def keep_names(database: Database, connection: Connection, which: ColumnElement[bool]) -> None:
    """Before they are taken out: whose the settings are that stay, for another may have the name one day."""
    stored = exists().where(settings.c.scope == "repo", settings.c.name == func.lower(repositories.c.name))
    named = select(repositories.c.id, func.lower(repositories.c.name)).where(which & stored)
    rows = [{"repo_id": repo, "name": name, "last": 0} for repo, name in connection.execute(named)]
    if rows:
        connection.execute(database.insert(memory_repos).on_conflict_do_nothing(), rows)


def drop(connection: Connection, which: ColumnElement[bool]) -> None:
    """Takes repositories, what is scheduled in them and their settings files out of the tables."""
    theirs = select(repositories.c.id).where(which)
    files = [_file_key(repo) for repo in connection.scalars(theirs)]
    connection.execute(delete(meta).where(meta.c.key.in_(files)))
    connection.execute(delete(schedule).where(schedule.c.repo_id.in_(theirs)))
    connection.execute(delete(repositories).where(which))


def _file_key(repo_id: int) -> str:
    return f"hob.yml {repo_id}"


MOST_CHANGES = 50
LEARN, DROP_ISSUE, FORGET = "knowledge.learn", "knowledge.drop_issue", "installations.forget_knowledge"
"""The handlers that change what a machine knows of a repository, each on the machine that does the run."""


@dataclass(frozen=True, slots=True)
class KnowledgeChange:
    """A run that changed what one machine knows; `number` of the issue that was removed, else 0."""

    run: int
    handler: str
    number: int
    ended: bool
    """False: it is under way."""


def _split(full_name: str) -> tuple[str, str]:
    owner, _, name = full_name.partition("/")
    return owner, name


class KnownRepositories:
    """The table `repositories`. Raises `StoreUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def remember(self, seen: Collection[Seen]) -> Learned:
        with self._db.write() as connection:
            return remember(self._db, connection, seen)

    def hide(self, repo_ids: Collection[int], *, private: bool) -> None:
        """They were made private, or public."""
        which = repositories.c.id.in_(repo_ids)
        with self._db.write() as connection:
            connection.execute(update(repositories).where(which).values(private=private))

    def is_private(self, repo_id: int) -> bool:
        """Whether it is known to be private."""
        which = select(repositories.c.private).where(repositories.c.id == repo_id)
        with self._db.read() as connection:
            return connection.execute(which).scalar_one_or_none() is True

    def private_ids(self) -> set[int]:
        """Of those that are known to be private."""
        which = select(repositories.c.id).where(repositories.c.private.is_(True))
        with self._db.read() as connection:
            return set(connection.scalars(which))

    def keep_file(self, repo_id: int, text: str | None) -> None:
        """What `.github/hob.yml` of a repository that is known said when it was read last; None: it has
        none."""
        key = _file_key(repo_id)
        value = zlib.compress(text.encode("utf-8", "replace")) if text else None
        with self._db.read() as connection:
            if connection.scalar(select(meta.c.value).where(meta.c.key == key)) == value:
                return
        with self._db.write() as connection:
            connection.execute(delete(meta).where(meta.c.key == key))
            if value and connection.scalar(select(repositories.c.id).where(repositories.c.id == repo_id)):
                insert = self._db.insert(meta).values(key=key, value=value)
                connection.execute(insert.on_conflict_do_nothing())

    def file(self, repo_id: int) -> str:
        """That; empty where it has none, or none was read."""
        with self._db.read() as connection:
            value = connection.scalar(select(meta.c.value).where(meta.c.key == _file_key(repo_id)))
        return zlib.decompress(value).decode() if value else ""

    def by_installation(self) -> dict[int, set[int]]:
        """The ids of the repositories of each installation."""
        found: dict[int, set[int]] = {}
        for repo, installation in self._all():
            found.setdefault(installation, set()).add(repo)
        return found

    def of_installation(self, installation: int) -> list[RepoRef]:
        """Where no name is known, there is none."""
        which = repositories.c.installation_id == installation
        with self._db.read() as connection:
            rows = connection.execute(select(repositories).where(which).order_by(repositories.c.id)).all()
        return [RepoRef(*_split(row.name), row.id, installation, row.private is not False) for row in rows]

    def ids(self) -> set[int]:
        return {repo for repo, _ in self._all()}

    def name(self, repo_id: int) -> str:
        """Empty where it is not known."""
        with self._db.read() as connection:
            return _name(connection, repo_id)

    def id_of(self, full_name: str) -> int:
        """0 where it is not known."""
        which = func.lower(repositories.c.name) == full_name.lower()
        with self._db.read() as connection:
            return connection.execute(select(repositories.c.id).where(which)).scalar() or 0

    def changes(self, repo_id: int, installation: int) -> list[KnowledgeChange]:
        """The latest, under way or done, wherever that was."""
        learnt = (runs.c.target == f"{repo_id}/{LEARN}") & (runs.c.handler == LEARN)
        dropped = within(runs.c.target, f"{repo_id}") & (runs.c.handler == DROP_ISSUE)
        theirs = (runs.c.target == f"installation {installation}") & (runs.c.repo_id == repo_id)
        found: list[KnowledgeChange] = []
        with self._db.read() as connection:
            for which in (learnt, dropped, theirs & (runs.c.handler == FORGET)):
                named = select(runs.c.id, runs.c.handler, runs.c.target, runs.c.state)
                latest = named.where(which, runs.c.state.in_((*LIVE, "done"))).order_by(runs.c.id.desc())
                for row in connection.execute(latest.limit(MOST_CHANGES)):
                    number = row.target.partition("#")[2]
                    ended = row.state == "done"
                    found.append(
                        KnowledgeChange(row.id, row.handler, int(number) if number.isdecimal() else 0, ended)
                    )
        return found

    def _all(self) -> Iterator[tuple[int, int]]:
        with self._db.read() as connection:
            for row in connection.execute(select(repositories.c.id, repositories.c.installation_id)).all():
                yield int(row.id), int(row.installation_id)
