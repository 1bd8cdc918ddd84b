"""What people taught Hob, by repository: numbered, bounded, gone when it expires, is forgotten, or with the
installation."""

import time
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from bot.core.conventions import after_dismissal, tried_again
from bot.core.errors import UserError
from bot.core.memory import MOST, MOST_EVIDENCE, MOST_TEXT, Lesson, Memory, MemoryKind
from bot.core.refs import Login, RepoRef
from bot.store.columns import fit
from bot.store.database import Database
from bot.store.tables import inbox, memory, memory_repos, runs

_DAY = 86_400.0
_LENGTHS = {"text": MOST_TEXT, "author": 100, "fingerprint": 24, "path": 1_000} | {
    "category": 100,
    "title": 300,
    "source": 40,
    "evidence": MOST_EVIDENCE,
}
_ACCEPTS: dict[MemoryKind, tuple[MemoryKind, ...]] = {
    "convention": ("candidate", "declined", "retired"),
    "declined": ("candidate",),
}
"""What a person may make of it -> what it may be before."""


class Memories:
    """The tables `memory` and `memory_repos`. Raises `StoreUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def live(self, repo_id: int) -> list[Memory]:
        """What has not expired, oldest first."""
        return [one for one in self.all(repo_id) if one.expires is None or one.expires > time.time()]

    def all(self, repo_id: int) -> list[Memory]:
        """Everything that is kept, expired or not, oldest first."""
        query = select(memory).where(memory.c.repo_id == repo_id).order_by(memory.c.n)
        with self._db.read() as connection:
            return [kept(row) for row in connection.execute(query).mappings()]

    def repo_id(self, full_name: str) -> int | None:
        """The id of a repository that something is remembered of, or that Hob has heard of lately."""
        name = full_name.lower()
        known = select(memory_repos.c.repo_id).where(memory_repos.c.name == name)
        heard = [
            select(table.c.repo_id)
            .where((func.lower(table.c.repo) == name) & table.c.repo_id.is_not(None))
            .order_by(table.c.id.desc())
            for table in (inbox, runs)
        ]
        with self._db.read() as connection:
            found = (connection.execute(query.limit(1)).scalar() for query in (*heard, known))
            return next((one for one in found if one is not None), None)

    def remember(self, connection: Connection, repo: RepoRef, lesson: Lesson, days: int | None) -> None:
        """In a transaction of the caller's. UserError when memory is full."""
        now = time.time()
        expires = None if days is None else now + days * _DAY
        self._add(connection, repo.id, repo.full_name, [Memory(0, lesson, now, expires)])

    def delete(self, connection: Connection, repo_id: int, n: int) -> bool:
        """In a transaction of the caller's; False when there is none of this number."""
        one = (memory.c.repo_id == repo_id) & (memory.c.n == n)
        return connection.execute(delete(memory).where(one)).rowcount == 1

    def add(self, repo_id: int, full_name: str, new: Iterable[Memory]) -> int:
        """Keeps all of these under new numbers, or none (UserError: memory is full); how many are new. What
        is dismissed or agreed already is renewed and keeps its number."""
        with self._db.write() as connection:
            return self._add(connection, repo_id, full_name, new)

    def offer(self, repo_id: int, full_name: str, learned: Iterable[Lesson]) -> int:
        """Keeps what was learned anew as candidates; how many are new. What is known already keeps what a
        person made of it and its words, with the new evidence: a convention that is not right any more is
        retired."""
        with self._db.write() as connection:
            self._lock(connection, repo_id, full_name)
            known = {_meaning(one.lesson): one for one in self._there(connection, repo_id)}
            new: list[Memory] = []
            for lesson in learned:
                one = known.get(_meaning(lesson))
                if one is None:
                    new.append(Memory(0, lesson, time.time()))
                else:
                    self._put(connection, repo_id, one, tried_again(one.lesson, lesson))
            return self._add(connection, repo_id, full_name, new)

    def offered(self) -> int:
        """How many learned conventions wait for a person."""
        with self._db.read() as connection:
            asked = select(func.count()).select_from(memory).where(memory.c.kind == "candidate")
            return int(connection.execute(asked).scalar_one())

    def decide(self, repo_id: int, n: int, kind: MemoryKind) -> bool:
        """A person accepts what was learned as a `convention`, or has it `declined`; False where nothing of
        this number waits for that."""
        fits = (memory.c.repo_id == repo_id) & (memory.c.n == n) & memory.c.kind.in_(_ACCEPTS.get(kind, ()))
        with self._db.write() as connection:
            return connection.execute(update(memory).where(fits).values(kind=kind)).rowcount == 1

    def forget(self, repo_id: int, n: int) -> bool:
        """Deletes one; False when there is none of this number."""
        with self._db.write() as connection:
            return self.delete(connection, repo_id, n)

    def _add(self, connection: Connection, repo_id: int, full_name: str, new: Iterable[Memory]) -> int:
        last = self._lock(connection, repo_id, full_name)
        of_repo = memory.c.repo_id == repo_id
        connection.execute(delete(memory).where(of_repo, memory.c.expires <= time.time()))
        known = {_meaning(one.lesson): one.n for one in self._there(connection, repo_id)}
        before = len(known)
        dismissed: list[Lesson] = []
        for one in new:
            row = _row(one)
            meaning = _meaning(kept({**row, "n": 0}).lesson)
            n = known.get(meaning)
            if n is not None:
                connection.execute(update(memory).where(of_repo, memory.c.n == n).values(row))
                continue
            if len(known) >= MOST:
                raise UserError(
                    f"{MOST:,} things are remembered of {full_name}, which is all there is room for",
                    "forget some first",
                )
            last += 1
            connection.execute(memory.insert().values(repo_id=repo_id, n=last, **row))
            known[meaning] = last
            if one.lesson.kind == "dismissal":
                dismissed.append(one.lesson)
        self._count_against(connection, repo_id, dismissed)
        connection.execute(update(memory_repos).where(memory_repos.c.repo_id == repo_id).values(last=last))
        return len(known) - before

    def _count_against(self, connection: Connection, repo_id: int, dismissed: list[Lesson]) -> None:
        """Conventions that spoke of what people dismiss now."""
        for one in self._there(connection, repo_id) if dismissed else ():
            lesson = one.lesson
            for each in dismissed:
                lesson = after_dismissal(lesson, each)
            if lesson != one.lesson:
                self._put(connection, repo_id, one, lesson)

    def _put(self, connection: Connection, repo_id: int, one: Memory, lesson: Lesson) -> None:
        which = (memory.c.repo_id == repo_id) & (memory.c.n == one.n)
        row = _row(Memory(one.n, lesson, one.at, one.expires))
        connection.execute(update(memory).where(which).values(row))

    def _there(self, connection: Connection, repo_id: int) -> list[Memory]:
        rows = connection.execute(select(memory).where(memory.c.repo_id == repo_id)).mappings()
        return [kept(row) for row in rows]

    def _lock(self, connection: Connection, repo_id: int, full_name: str) -> int:
        """One writer at a time for a repository; its last number."""
        name = fit(full_name.lower(), 300)
        row = self._db.insert(memory_repos).values(repo_id=repo_id, name=name, last=0)
        connection.execute(row.on_conflict_do_update(index_elements=["repo_id"], set_={"name": name}))
        last = select(memory_repos.c.last).where(memory_repos.c.repo_id == repo_id)
        return int(connection.execute(last).scalar_one())


def _meaning(lesson: Lesson) -> tuple[str, str, int]:
    """What makes two lessons one: the finding (on its pull request, where that is all it holds for), the
    convention's words, or what was learned, whatever its words and whatever became of it."""
    if lesson.evidence:
        return "learned", lesson.fingerprint, 0
    if lesson.kind == "convention":
        return lesson.kind, " ".join(lesson.text.casefold().split()), 0
    return lesson.kind, lesson.fingerprint, 0 if lesson.words else lesson.number


def _row(one: Memory) -> dict[str, Any]:
    fields = asdict(one.lesson)
    fitted = {name: fit(fields[name], length) for name, length in _LENGTHS.items()}
    words = fit(" ".join(one.lesson.words), 4_000)
    return {**fields, **fitted, "words": words, "at": one.at, "expires": one.expires}


def kept(row: Any) -> Memory:
    """A row of the table."""
    names = ("kind", "text", "number", "fingerprint", "path", "category", "title", "source")
    words = tuple(row["words"].split())
    told = {name: row[name] for name in names} | {"evidence": row["evidence"] or ""}
    lesson = Lesson(**told, author=Login(row["author"]), words=words)
    return Memory(row["n"], lesson, row["at"], row["expires"])
