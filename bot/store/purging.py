"""All rows of one repository, wherever its number or name stands: counted, and deleted for good.

What stays is without number, name and text: keys of effects and GUIDs of the deliveries that caused them, for
as long as GitHub may send those again (`retention.KEY_SECONDS`), and what online models cost, which counts
against the day's budget.
"""

import json
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, delete, func, or_, select, update

from bot.core.errors import UserError
from bot.core.refs import ID
from bot.store import reconciliation
from bot.store.body import restored
from bot.store.database import Database
from bot.store.known_repositories import drop
from bot.store.retention import erase_effects
from bot.store.runs import within
from bot.store.sizes import row_size
from bot.store.tables import (
    calls,
    drafts,
    findings,
    inbox,
    issues,
    leases,
    memory,
    memory_repos,
    outbox,
    pulls,
    repositories,
    run_logs,
    runs,
    scans,
    schedule,
    settings,
    usage,
)
from bot.store.types import FINAL, LIVE

ACCESS_EVENTS = ("installation", "installation_repositories")
"""Deliveries about many repositories, in whose bodies they are listed."""
PURGED = "purged"


@dataclass(frozen=True, slots=True)
class KeptRows:
    """How much there is of a kind, in about so many bytes."""

    kind: str
    count: int
    size: int


def which_repository(database: Database, named: str) -> tuple[int, frozenset[str]]:
    """(number, all names it is known by) of what a person names `owner/name` or by its number. UserError
    where Hob knows of none of this name, or of several."""
    with database.read() as connection:
        if ID.fullmatch(named):
            return int(named), _names(connection, int(named))
        found = _ids(connection, named.lower())
        if not found:
            raise UserError(
                f"Hob keeps nothing of a repository named {named}",
                "if it has another name by now, name it by its number on GitHub: hob purge 1234",
            )
        if len(found) > 1:
            raise UserError(
                f"{len(found)} repositories had the name {named}: {', '.join(map(str, sorted(found)))}",
                "name the one that is meant by its number: hob purge 1234",
            )
        (repo_id,) = found
        return repo_id, _names(connection, repo_id) | {named.lower()}


def _ids(connection: Connection, name: str) -> set[int]:
    found: set[int] = set()
    for table, key in _NAMED:
        which = (func.lower(table.c[_NAME[table.name]]) == name) & table.c[key].is_not(None)
        found |= set(connection.execute(select(table.c[key]).where(which).distinct()).scalars())
    return found


def _names(connection: Connection, repo_id: int) -> frozenset[str]:
    """In lower case."""
    found: set[str] = set()
    for table, key in _NAMED:
        named = func.lower(table.c[_NAME[table.name]])
        found |= set(connection.execute(select(named).where(table.c[key] == repo_id).distinct()).scalars())
    for told in connection.execute(select(drafts.c.repo).where(drafts.c.repo_id == repo_id)).scalars():
        read = json.loads(told)
        found.add(f"{read['owner']}/{read['name']}".lower())
    others = func.lower(repositories.c.name).in_(found) & (repositories.c.id != repo_id)
    theirs = set(connection.execute(select(func.lower(repositories.c.name)).where(others)).scalars())
    return frozenset(found - theirs - {""})


_NAMED = ((repositories, "id"), (memory_repos, "repo_id"), (inbox, "repo_id"), (runs, "repo_id"))
_NAME = {"repositories": "name", "memory_repos": "name", "inbox": "repo", "runs": "repo"}


def kept(database: Database, repo_id: int, names: Collection[str]) -> list[KeptRows]:
    """What there is, by kind."""
    with database.read() as connection:
        return [*_counted(connection, repo_id, names)]


def _counted(connection: Connection, repo_id: int, names: Collection[str]) -> Iterator[KeptRows]:
    for kind, table, which in _kinds(connection, repo_id, names):
        sums = func.count(), func.coalesce(func.sum(row_size(table)), 0)
        query = select(*sums).select_from(table).where(which)
        count, size = connection.execute(query).one()
        yield KeptRows(kind, int(count), int(size))


def _kinds(
    connection: Connection, repo_id: int, names: Collection[str]
) -> list[tuple[str, Table, ColumnElement[bool]]]:
    mine = or_(runs.c.repo_id == repo_id, within(runs.c.target, str(repo_id)))
    theirs = select(runs.c.id).where(mine)
    done = or_(outbox.c.run_id.in_(theirs), within(outbox.c.target, str(repo_id)))
    listed = inbox.c.id.in_(_mentioned(connection, repo_id, names))
    told = or_(inbox.c.repo_id == repo_id, listed)
    asked = or_(calls.c.run_id.in_(theirs), func.lower(calls.c.repo).in_(names))
    spent = or_(usage.c.run_id.in_(theirs), func.lower(usage.c.repo).in_(names))
    stored = (settings.c.scope == "repo") & settings.c.name.in_((*names, f"#{repo_id}"))
    return [
        ("deliveries", inbox, told),
        ("runs", runs, mine),
        ("effects", outbox, done & (outbox.c.state != PURGED)),
        ("calls of models", calls, asked),
        ("uses of online models", usage, spent),
        ("memory", memory, memory.c.repo_id == repo_id),
        ("drafts", drafts, drafts.c.repo_id == repo_id),
        ("logs of runs", run_logs, run_logs.c.run_id.in_(theirs)),
        ("findings", findings, findings.c.repo_id == repo_id),
        ("files that were read", scans, scans.c.repo_id == repo_id),
        ("titles", issues, issues.c.repo_id == repo_id),
        ("settings", settings, stored),
        ("pull requests paused or ignored", pulls, pulls.c.repo_id == repo_id),
        ("scheduled work", schedule, schedule.c.repo_id == repo_id),
    ]


def _mentioned(connection: Connection, repo_id: int, names: Collection[str]) -> list[int]:
    """Deliveries about access that list it."""
    which = inbox.c.event.in_(ACCESS_EVENTS) & inbox.c.repo_id.is_(None)
    marks = [f'"id":{repo_id},', f'"id": {repo_id},', *(json.dumps(name)[1:-1] for name in names)]
    found = []
    for number, body in connection.execute(select(inbox.c.id, inbox.c.body).where(which)):
        text = restored(body).decode(errors="replace").lower()
        if any(mark in text for mark in marks):
            found.append(int(number))
    return found


def purge_repository(database: Database, repo_id: int, names: Collection[str]) -> list[KeptRows]:
    """Deletes it all, or nothing: UserError while a worker is at it. Gives what there was."""
    now = time.time()
    with database.write() as connection:
        if database.is_sqlite:
            connection.exec_driver_sql("PRAGMA secure_delete = ON")
        kinds = _kinds(connection, repo_id, names)
        counted = [*_counted(connection, repo_id, names)]
        (_, _, told), (_, _, mine), (_, _, done) = kinds[:3]
        _refuse_held(connection, mine, now)
        effects = connection.execute(select(outbox.c.id, outbox.c.run_id).where(done)).all()
        causes = {row.run_id for row in effects}
        theirs = set(connection.execute(select(runs.c.id).where(mine)).scalars())
        for _, table, which in kinds[3:]:
            if table is usage:
                connection.execute(update(usage).where(which).values(repo="", run_id=None))
            else:
                connection.execute(delete(table).where(which))
        for ids in _portions([row.id for row in effects]):
            erase_effects(connection, outbox.c.id.in_(ids))
        for ids in _portions(sorted(theirs - causes)):
            connection.execute(delete(runs).where(runs.c.id.in_(ids)))
        for ids in _portions(sorted(causes | (theirs & causes))):
            _strip(connection, runs.c.id.in_(ids), now)
        connection.execute(delete(inbox).where(told))
        connection.execute(delete(memory_repos).where(memory_repos.c.repo_id == repo_id))
        drop(connection, repositories.c.id == repo_id)
        connection.execute(delete(leases).where(within(leases.c.target, str(repo_id))))
        reconciliation.forget(database, connection, [repo_id], 0)
    if database.is_sqlite:
        with database.read() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    return counted


def _refuse_held(connection: Connection, mine: ColumnElement[bool], now: float) -> None:
    which = mine & runs.c.state.in_(LIVE) & (runs.c.lease_until > now)
    found = connection.execute(select(runs).where(which).order_by(runs.c.id).with_for_update()).all()
    if found:
        one = found[0]
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        raise UserError(
            f"a worker ({one.owner}) is at run {one.id}, {one.handler} of {one.repo}{more}: "
            "nothing was deleted",
            "wait until it has ended, or stop Hob, and purge again",
        )


def _strip(connection: Connection, which: ColumnElement[bool], now: float) -> None:
    """Runs that caused something stay with the GUID of their delivery, so that it is not carried out anew. A
    name of Hob's own, which may hold the number, does not come again."""
    bare: dict[str, Any] = {
        "target": PURGED,
        "repo_id": None,
        "repo": "",
        "head_sha": None,
        "error": "",
        "summary": PURGED,
        "owner": "",
        "lease_until": 0.0,
    }
    connection.execute(update(runs).where(which).values(bare))
    ended = {"state": "superseded", "finished_at": now, "superseded": True}
    connection.execute(update(runs).where(which & runs.c.state.not_in(FINAL)).values(ended))
    own = which & runs.c.delivery.contains(":")
    for run_id in connection.execute(select(runs.c.id).where(own)).scalars().all():
        connection.execute(update(runs).where(runs.c.id == run_id).values(delivery=f"{PURGED}:{run_id}"))


def _portions(ids: list[int], many: int = 500) -> Iterator[list[int]]:
    for start in range(0, len(ids), many):
        yield ids[start : start + many]
