"""How long things are kept, and what becomes of what was kept of repositories that are no longer ours.

Old deliveries go; what keeps an effect from happening twice stays.
"""

import time
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, or_, select, update

from bot.store import reconciliation, run_lifecycle, run_logs
from bot.store.database import Database
from bot.store.drafts import purge as purge_drafts
from bot.store.known_repositories import drop, keep_names
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
    runs,
    scans,
    settings,
    usage,
)
from bot.store.tables import repositories as known
from bot.store.types import FINAL

BATCH = 200
TEXTS_OF_AN_ISSUE = 20
"""Of those that Hob writes anew each night: as many as `undo` looks back."""
KEY_SECONDS = 7 * 86_400.0
"""How long the key of an effect outlives a purge: GitHub sends a delivery again for about three days."""


@dataclass(frozen=True, slots=True)
class OlderThan:
    """What is older (epoch seconds) goes; None: it stays. `effects` go with everything done on the same issue
    or pull request, when the newest of it is older; findings and titles of that age go with them."""

    payloads: float
    traces: float
    drafts: float
    usage: float | None = None
    effects: float | None = None


def purge(database: Database, older: OlderThan, batch: int = BATCH) -> int:
    """Deletes up to `batch` settled deliveries, their runs and scheduled ones that caused nothing, and of the
    rest all that is older. Runs with rows in the outbox stay as long as those rows: a replay years later
    finds the effect's key (W5)."""
    open_run = exists().where((runs.c.delivery == inbox.c.guid) & runs.c.state.not_in(FINAL))
    settled = (inbox.c.received_at < older.payloads) & (inbox.c.state != "new") & ~open_run
    oldest = select(inbox.c.id, inbox.c.guid).where(settled).order_by(inbox.c.id).limit(batch)
    with database.write() as connection:
        found = connection.execute(oldest.with_for_update(skip_locked=True)).all()
        guids = [guid for _, guid in found]
        caused = exists().where(outbox.c.run_id == runs.c.id)
        connection.execute(delete(calls).where(calls.c.at < older.traces))
        purge_drafts(connection, older.drafts)
        if older.usage is not None:
            connection.execute(delete(usage).where(usage.c.at < older.usage))
        connection.execute(delete(runs).where(runs.c.delivery.in_(guids) & ~caused))
        there = exists().where(inbox.c.guid == runs.c.delivery)  # not of what is scheduled or forgotten
        alone = (runs.c.created_at < older.payloads) & runs.c.state.in_(FINAL) & ~there
        connection.execute(delete(runs).where(alone & ~caused))
        run_logs.purge(connection, older.traces)
        _purge_effects(connection, older)
        return connection.execute(delete(inbox).where(inbox.c.id.in_([each for each, _ in found]))).rowcount


def _purge_effects(connection: Connection, older: OlderThan) -> None:
    """With the runs that caused them, where no delivery of these is kept, and leases of nothing."""
    newest_first = outbox.c.changed_at.desc(), outbox.c.id.desc()
    nth = func.row_number().over(partition_by=outbox.c.target, order_by=newest_first).label("nth")
    of_issues = (outbox.c.kind == "EditIssue") & (outbox.c.state == "done")
    texts = select(outbox.c.id, outbox.c.changed_at, nth).where(of_issues).subquery()
    many = (texts.c.nth > TEXTS_OF_AN_ISSUE) & (texts.c.changed_at < older.payloads)
    erase_effects(connection, outbox.c.id.in_(select(texts.c.id).where(many)))
    ended = select(runs.c.id).where(runs.c.state.in_(FINAL))
    key_alone = (outbox.c.state == "purged") & (outbox.c.changed_at < time.time() - KEY_SECONDS)
    which: ColumnElement[bool] = key_alone
    if older.effects is not None:
        other = outbox.alias()
        later = exists().where((other.c.target == outbox.c.target) & (other.c.changed_at >= older.effects))
        quiet = (outbox.c.changed_at < older.effects) & (outbox.c.state != "purged") & ~later
        connection.execute(delete(findings).where(findings.c.at < older.effects))
        connection.execute(delete(issues).where(issues.c.changed_at < older.effects))
        which = or_(key_alone, quiet)
    gone = delete(outbox).where(which & outbox.c.run_id.in_(ended)).returning(outbox.c.run_id)
    causes = set(connection.execute(gone).scalars())
    if causes:
        left = exists().where(outbox.c.run_id == runs.c.id)
        there = exists().where(inbox.c.guid == runs.c.delivery)
        connection.execute(delete(runs).where(runs.c.id.in_(causes) & ~left & ~there))
    unheld = leases.c.run_id.is_(None) & ~exists().where(runs.c.target == leases.c.target)
    connection.execute(delete(leases).where(unheld))


def erase_effects(connection: Connection, which: ColumnElement[bool]) -> None:
    """Of these only the key is left, and for how long is counted from now."""
    bare = {"target": "", "payload": "{}", "url": "", "github_id": None, "error": "", "state": "purged"}
    connection.execute(update(outbox).where(which).values(**bare, changed_at=time.time()))


def forget(
    database: Database,
    repo_ids: Collection[int],
    names: Collection[str],
    installation: int,
    guid: str,
    why: str,
) -> int:
    """Ends the runs of these repositories, with the reason, and deletes the deliveries about them, but for
    `guid`, which asks for it; of the whole installation where `installation` is not 0. With `names`
    (`owner/name`, or an account) their settings go, and what was remembered and drafted for the repositories.
    Gives how many deliveries went."""
    which: ColumnElement[bool] = inbox.c.repo_id.in_(repo_ids)
    if installation:
        which = or_(which, inbox.c.installation_id == installation)
    which &= inbox.c.guid != guid
    with database.write() as connection:
        reconciliation.forget(database, connection, repo_ids, installation)
        ours: ColumnElement[bool] = known.c.id.in_(repo_ids)
        if installation:
            ours = or_(ours, known.c.installation_id == installation)
        if not names:
            keep_names(database, connection, ours)
        drop(connection, ours)
        theirs = select(inbox.c.guid).where(which)
        open_runs = (runs.c.repo_id.in_(repo_ids) | runs.c.delivery.in_(theirs)) & (runs.c.delivery != guid)
        run_lifecycle.mark(connection, open_runs & runs.c.state.not_in(FINAL), time.time(), why)
        folded = [name.lower() for name in names]
        if names:
            for table in (memory, memory_repos, pulls, drafts, findings, issues, scans):
                connection.execute(delete(table).where(table.c.repo_id.in_(repo_ids)))
        places = settings.c.scope.in_(("repo", "org")) & settings.c.name.in_(folded)
        connection.execute(delete(settings).where(places))
        settled = which & (inbox.c.state != "new")
        return connection.execute(delete(inbox).where(settled)).rowcount


def repositories(database: Database, installation: int) -> set[int]:
    """The ids of the repositories of an installation that deliveries were about, but for those that another
    installation has now."""
    elsewhere = exists().where((known.c.id == inbox.c.repo_id) & (known.c.installation_id != installation))
    theirs = and_(inbox.c.installation_id == installation, inbox.c.repo_id.is_not(None), ~elsewhere)
    of_it = select(known.c.id).where(known.c.installation_id == installation)
    with database.read() as connection:
        return set(connection.execute(select(inbox.c.repo_id).where(theirs).union(of_it)).scalars())
