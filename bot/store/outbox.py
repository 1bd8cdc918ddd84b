"""Effects, remembered before they are caused: the protocol of docs/design.md, "Protocol for an effect".

planned --start_sending--> sending --> done | rejected | waiting (a limit) | ambiguous (nobody knows: look)

In a database that was put back they begin as `ambiguous` (`bot.store.restored`).
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, or_, select, update

from bot.store import leases, restored
from bot.store.columns import fit
from bot.store.database import Database
from bot.store.runs import LEASE_SECONDS, within
from bot.store.tables import outbox, runs
from bot.store.types import FINAL, EffectRow, EffectState, PlannedEffect, Run

ELSEWHERE = ("AddLabels", "RemoveLabels")
"""Effects that a run about something else may have on an issue."""
OPEN: tuple[EffectState, ...] = ("planned", "sending", "ambiguous", "waiting")


class Outbox:
    """The table `outbox`. Words of a run that lost its lease raise `Superseded`; all methods raise
    `StoreUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def plan(self, run: Run, effects: Sequence[PlannedEffect], *, shadow: bool = False) -> list[EffectRow]:
        """Remembers all effects of a run in order, or none, and marks the run planned. An effect whose key
        is known is not inserted again: the row is given as it stands (`done`: nothing to do; one that was
        purged is left out), and when it is still open this run, holding the target, becomes answerable for
        it."""
        with self._db.write() as connection:
            leases.require(self._db, connection, run)
            state = "shadow" if shadow else restored.first_state(connection)
            for ordinal, effect in enumerate(effects):
                row = {**_row(run, effect, ordinal, time.time()), "state": state}
                connection.execute(
                    self._db.insert(outbox).values(row).on_conflict_do_nothing(index_elements=["key"])
                )
            keys = [effect.key for effect in effects]
            adopted = outbox.c.key.in_(keys) & outbox.c.state.in_(OPEN) & (outbox.c.target == run.target)
            connection.execute(update(outbox).where(adopted).values(run_id=run.id))
            connection.execute(update(runs).where(runs.c.id == run.id).values(state="planned"))
            found = {row.key: row for row in _all(connection, outbox.c.key.in_(keys))}
            return [found[key] for key in keys if found[key].state != "purged"]

    def rows(self, run_id: int) -> list[EffectRow]:
        """The effects that a run is answerable for, in the order in which they are to be applied."""
        with self._db.read() as connection:
            mine = (outbox.c.run_id == run_id) & (outbox.c.state != "purged")
            return _all(connection, mine, outbox.c.ordinal, outbox.c.id)

    def for_target(
        self, repo_id: int, number: int, kind: str | None = None, state: EffectState = "done"
    ) -> list[EffectRow]:
        """What Hob has done on an issue or pull request (one kind of effect, or all), oldest first; with
        `shadow` what it would have. Labels that a pull request's run put on an issue are that issue's too."""
        here = within(outbox.c.target, f"{repo_id}#{number}")
        labelled = within(outbox.c.target, str(repo_id)) & outbox.c.kind.in_(ELSEWHERE)
        named = labelled & outbox.c.payload.startswith(f'{{"number":{number},')
        which = or_(here, named) & (outbox.c.state == state)
        if kind is not None:
            which &= outbox.c.kind == kind
        with self._db.read() as connection:
            return _all(connection, which, outbox.c.created_at, outbox.c.id)

    def checks_of(self, repo_id: int, sha: str) -> list[EffectRow]:
        """The check runs that were set for a commit, of whatever pull request, oldest first."""
        which = within(outbox.c.target, str(repo_id)) & (outbox.c.kind == "SetCheck")
        which &= (outbox.c.state == "done") & outbox.c.payload.contains(sha, autoescape=True)
        with self._db.read() as connection:
            return _all(connection, which, outbox.c.created_at, outbox.c.id)

    def of_kind(
        self, kind: str, targets: Sequence[str], states: Sequence[EffectState], most: int = 20
    ) -> list[EffectRow]:
        """The newest of exactly these targets by when they came to that state, oldest first."""
        which = (outbox.c.kind == kind) & outbox.c.target.in_(targets) & outbox.c.state.in_(states)
        newest = select(outbox.c.id).where(which).order_by(outbox.c.changed_at.desc()).limit(most)
        with self._db.read() as connection:
            return _all(connection, outbox.c.id.in_(newest), outbox.c.changed_at, outbox.c.id)

    def left_unclear(self, run: Run) -> list[EffectRow]:
        """What runs before this one on its target, which are over, may or may not have written."""
        over = select(runs.c.id).where(runs.c.target == run.target, runs.c.state.in_(FINAL))
        unclear = outbox.c.state.in_(("sending", "ambiguous")) & (outbox.c.target == run.target)
        with self._db.read() as connection:
            return _all(connection, unclear & outbox.c.run_id.in_(over), outbox.c.id)

    def unsent(self, key: str) -> None:
        """It is certainly not on GitHub. Whoever plans it again sends it."""
        self._change(key, "planned")

    def start_sending(self, key: str, run: Run) -> bool:
        """Commits `sending` before the call to GitHub and renews the run's lease. False when the row is
        done or rejected. Of a row that is `sending` or `ambiguous` already, the caller has looked on
        GitHub first and not found it."""
        with self._db.write() as connection:
            leases.require(self._db, connection, run)
            _beat_now(connection, run)
            sendable = (outbox.c.key == key) & outbox.c.state.in_(OPEN)
            values = {
                "state": "sending",
                "run_id": run.id,
                "fence": run.fence,
                "attempts": outbox.c.attempts + 1,
            }
            changed = update(outbox).where(sendable).values(**values, changed_at=time.time())
            return connection.execute(changed).rowcount == 1

    def rewrite(self, key: str, run: Run, payload: str) -> None:
        """Another payload for an effect that is open still, before it is sent."""
        with self._db.write() as connection:
            leases.require(self._db, connection, run)
            still = (outbox.c.key == key) & outbox.c.state.in_(OPEN)
            connection.execute(update(outbox).where(still).values(payload=payload))

    def commit(self, key: str, run: Run, change: Callable[[Connection], None]) -> bool:
        """Carries out an effect on this very database: `change` and the row's `done` are on disk together or
        not at all. False, and nothing is changed, when the row is done or rejected; so does what `change`
        raises."""
        with self._db.write() as connection:
            leases.require(self._db, connection, run)
            _beat_now(connection, run)
            values = {"state": "done", "run_id": run.id, "fence": run.fence, "changed_at": time.time()}
            done = update(outbox).where((outbox.c.key == key) & outbox.c.state.in_(OPEN)).values(values)
            if connection.execute(done).rowcount != 1:
                return False
            change(connection)
            return True

    def done(self, key: str, url: str = "", github_id: int | None = None) -> None:
        """It exists on GitHub. Always accepted, whoever holds the lease: it is a fact."""
        self._change(key, "done", url=fit(url, 2000), github_id=github_id, error="")

    def rejected(self, key: str, error: str) -> None:
        """GitHub refused it for good. A row known to be done stays done."""
        self._change(key, "rejected", error=fit(error, 2000))

    def ambiguous(self, key: str, error: str) -> None:
        """Nobody knows whether it happened."""
        self._change(key, "ambiguous", error=fit(error, 2000))

    def later(self, key: str, after_seconds: float | None = None, error: str = "") -> None:
        """It was certainly not applied (a rate limit): to be sent after so many seconds."""
        not_before = time.time() + (after_seconds or 0.0)
        self._change(key, "waiting", not_before=not_before, error=fit(error, 2000))

    def _change(self, key: str, state: EffectState, **values: Any) -> None:
        with self._db.write() as connection:
            open_or_same = (outbox.c.key == key) & (outbox.c.state != "done")
            changed = {"state": state, "changed_at": time.time(), **values}
            connection.execute(update(outbox).where(open_or_same).values(changed))


def _beat_now(connection: Connection, run: Run) -> None:
    until = time.time() + LEASE_SECONDS
    leases.extend(connection, run, until)
    connection.execute(
        update(runs).where((runs.c.id == run.id) & (runs.c.lease_until < until)).values(lease_until=until)
    )


def _all(connection: Connection, which: Any, *order: Any) -> list[EffectRow]:
    return [
        EffectRow(**row)
        for row in connection.execute(select(outbox).where(which).order_by(*order)).mappings()
    ]


def _row(run: Run, effect: PlannedEffect, ordinal: int, now: float) -> dict[str, Any]:
    return {
        "key": effect.key,
        "run_id": run.id,
        "target": run.target,
        "ordinal": ordinal,
        "kind": effect.kind,
        "payload": effect.payload,
        "state": "planned",
        "attempts": 0,
        "not_before": 0.0,
        "fence": run.fence,
        "url": "",
        "github_id": None,
        "error": "",
        "created_at": now,
        "changed_at": now,
    }
