"""Comments that wait for a person to post or discard them, by repository.

A row stays when its draft is settled, without the text, so that no number is given twice.
"""

import time
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, delete, exists, func, select, update

from bot.core.drafts import MOST, Draft
from bot.core.refs import RepoRef
from bot.store.columns import fit
from bot.store.database import Database
from bot.store.tables import drafts

MOST_ABOUT = 40


class Drafts:
    """The table `drafts`. Raises `StoreUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def waiting(self, repo_id: int | None = None, number: int | None = None) -> list[Draft]:
        """Of everything, one repository, or one issue of it; oldest first."""
        which = drafts.c.state == "waiting"
        if repo_id is not None:
            which &= drafts.c.repo_id == repo_id
        if number is not None:
            which &= drafts.c.number == number
        with self._db.read() as connection:
            return _all(connection, which)

    def count(self) -> int:
        """How many wait."""
        with self._db.read() as connection:
            asked = select(func.count()).select_from(drafts).where(drafts.c.state == "waiting")
            return int(connection.execute(asked).scalar_one())

    def get(self, repo_id: int, n: int) -> Draft | None:
        """None where none of this number waits."""
        with self._db.read() as connection:
            return next(iter(_all(connection, _one(repo_id, n))), None)

    def keep(self, connection: Connection, repo: RepoRef, number: int, body: str, about: str) -> None:
        """In a transaction of the caller's. What waits there about the same gives way; the same text is kept
        once."""
        body, about = fit(body, 2**17), fit(about, MOST_ABOUT)
        same = (drafts.c.repo_id == repo.id) & (drafts.c.number == number) & (drafts.c.about == about)
        before = _all(connection, same & (drafts.c.state == "waiting"))
        if any(one.body == body for one in before):
            return
        for one in before:
            _settle(connection, repo.id, one.n, "replaced")
        told = msgspec.json.encode(repo).decode()
        row = {"repo_id": repo.id, "number": number, "about": about, "body": body, "repo": told}
        row |= {"at": time.time(), "state": "waiting", "refusals": 0}
        last = select(func.coalesce(func.max(drafts.c.n), 0)).where(drafts.c.repo_id == repo.id)
        while True:  # until no other transaction took the number
            n = connection.execute(last).scalar_one() + 1
            new = self._db.insert(drafts).values({**row, "n": n})
            if connection.execute(new.on_conflict_do_nothing().returning(drafts.c.n)).scalar() == n:
                break
        rest = select(drafts.c.n).where(drafts.c.repo_id == repo.id, drafts.c.state == "waiting")
        for n in connection.execute(rest.order_by(drafts.c.n.desc()).offset(MOST)).scalars().all():
            _settle(connection, repo.id, n, "replaced")

    def drop(self, connection: Connection, repo_id: int, n: int) -> None:
        """In a transaction of the caller's: it is posted, or not wanted."""
        _settle(connection, repo_id, n, "dropped")

    def refused(self, connection: Connection, repo_id: int, n: int) -> None:
        """In a transaction of the caller's: it waits on, and may be posted once more."""
        again = {"refusals": drafts.c.refusals + 1}
        connection.execute(update(drafts).where(_one(repo_id, n)).values(again))

    def rewrite(self, repo_id: int, n: int, body: str) -> bool:
        """Another text for a draft; False where none of this number waits."""
        with self._db.write() as connection:
            changed = update(drafts).where(_one(repo_id, n)).values(body=fit(body, 2**17))
            return connection.execute(changed).rowcount == 1


def purge(connection: Connection, before: float) -> None:
    """Settled ones that are older; the newest of a repository stays, for its number."""
    later = drafts.alias()
    newer = exists().where((later.c.repo_id == drafts.c.repo_id) & (later.c.n > drafts.c.n))
    settled = (drafts.c.state != "waiting") & (drafts.c.at < before)
    connection.execute(delete(drafts).where(settled & newer))


def _one(repo_id: int, n: int) -> Any:
    return (drafts.c.repo_id == repo_id) & (drafts.c.n == n) & (drafts.c.state == "waiting")


def _settle(connection: Connection, repo_id: int, n: int, state: str) -> None:
    connection.execute(update(drafts).where(_one(repo_id, n)).values(state=state, body=""))


def _all(connection: Connection, which: Any) -> list[Draft]:
    rows: Sequence[Row[Any]] = connection.execute(
        select(drafts).where(which).order_by(drafts.c.at, drafts.c.n)
    ).all()
    return [
        Draft(
            row.n,
            msgspec.json.decode(row.repo, type=RepoRef),
            row.number,
            row.about,
            row.body,
            row.at,
            row.refusals,
        )
        for row in rows
    ]
