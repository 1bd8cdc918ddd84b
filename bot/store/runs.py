"""Runs: claimed by one worker at a time, kept by heartbeats, finished once.

queued --claim--> running --plan--> planned --finish--> done | ignored | superseded | dead
   ^---- retry, release, a lost worker ----'

Every word of a worker about its run is refused with `Superseded` once another has taken the run or its
target over.
"""

import random
import time
from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, case, exists, false, func, or_, select, update

from bot.store import leases, run_lifecycle
from bot.store.columns import fit
from bot.store.database import Database
from bot.store.heartbeat import HeartbeatThread
from bot.store.tables import inbox, outbox, runs
from bot.store.types import FINAL, LIVE, ClaimRefused, HeartbeatVerdict, Run, RunSpec, RunState
from bot.store.unfinished_checks import follow_up

__all__ = [
    "LEASE_SECONDS",
    "MAX_ATTEMPTS",
    "ClaimRefused",
    "Run",
    "RunSpec",
    "Runs",
    "backoff",
    "held",
    "within",
]

LEASE_SECONDS = 10.0
MAX_ATTEMPTS = 5
BACKOFF_SECONDS = 5.0
BACKOFF_LIMIT = 900.0
SKEW_SECONDS = 60.0
"""By which the clocks of two machines may differ."""

_RANK = case({"high": 0, "default": 1}, value=runs.c.priority, else_=2)


class Runs:
    """The table `runs`. Thread-safe. All methods raise `StoreUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self.heartbeat_thread = HeartbeatThread(self.heartbeats, self.release)

    def get(self, run_id: int) -> Run | None:
        """One run as it stands."""
        with self._db.read() as connection:
            return _read(connection, run_id)

    def of_delivery(self, guid: str) -> list[Run]:
        """The runs that a delivery caused, oldest first."""
        return self._select(select(runs).where(runs.c.delivery == guid).order_by(runs.c.id))

    def of_batch(self, guid: str) -> list[Run]:
        """The runs of the requests that a batch made, in the order of their turns."""
        theirs = runs.c.delivery.startswith(f"{guid}:", autoescape=True)
        return self._select(select(runs).where(theirs).order_by(runs.c.not_before, runs.c.id))

    def count_late(self, guid: str) -> int:
        """Of those, how many wait whose time has come."""
        theirs = runs.c.delivery.startswith(f"{guid}:", autoescape=True)
        late = theirs & (runs.c.state == "queued") & (runs.c.not_before <= time.time())
        with self._db.read() as connection:
            return connection.execute(select(func.count()).select_from(runs).where(late)).scalar_one()

    def handled(self, repo_id: int, handlers: Collection[str], but: Collection[str] = ()) -> frozenset[int]:
        """The numbers of issues on which a run of these handlers ended well or is yet to end; `but` are the
        beginnings of what is said of those that did nothing."""
        nothing = or_(false(), *(runs.c.summary.startswith(words, autoescape=True) for words in but))
        good = runs.c.state.in_(("queued", *LIVE)) | ((runs.c.state == "done") & ~nothing)
        which = (runs.c.repo_id == repo_id) & runs.c.handler.in_(handlers) & good
        with self._db.read() as connection:
            targets = connection.execute(select(runs.c.target).where(which)).scalars()
            numbers = (target.partition("#")[2].partition("/")[0] for target in targets)
            return frozenset(int(number) for number in numbers if number.isdecimal())

    def head_came_later(self, target: str, head_sha: str, delivery: str) -> bool:
        """Whether a head of a pull request was heard of for the first time after a delivery had come, where
        another was known by then."""
        told = runs.c.head_sha.is_not(None) & (runs.c.target == target)
        with self._db.read() as connection:
            first = connection.scalar(select(func.min(runs.c.id)).where(runs.c.delivery == delivery))
            rows = connection.execute(select(runs.c.id, runs.c.head_sha).where(told)).all()
        earlier = {head for number, head in rows if first is None or number < first}
        return bool(earlier) and head_sha not in earlier and any(head == head_sha for _, head in rows)

    def latest(self, limit: int = 50, state: RunState | None = None, *, unless_done: str = "") -> list[Run]:
        """The newest runs first; of the handler `unless_done` only those that are not done."""
        query = select(runs).order_by(runs.c.id.desc()).limit(limit)
        if unless_done:
            query = query.where((runs.c.handler != unless_done) | (runs.c.state != "done"))
        return self._select(query if state is None else query.where(runs.c.state == state))

    def counts(self) -> dict[str, int]:
        """How many runs are in each state."""
        with self._db.read() as connection:
            rows = connection.execute(select(runs.c.state, func.count()).group_by(runs.c.state))
            return {state: count for state, count in rows}  # noqa: C416  rows are no pairs to mypy

    def is_idle(self) -> bool:
        """Whether no run waits that somebody waits for: what goes on in the background does not count."""
        waits = (runs.c.state == "queued") & (runs.c.priority != "low")
        with self._db.read() as connection:
            return connection.execute(select(runs.c.id).where(waits).limit(1)).first() is None

    def due(self, now: float, limit: int = 500) -> list[Run]:
        """Queued runs whose time has come, the most urgent first."""
        ready = (runs.c.state == "queued") & or_(runs.c.not_before <= now, _set_back(now))
        return self._select(select(runs).where(ready).order_by(_RANK, runs.c.id).limit(limit))

    def count_recent(
        self,
        target: str,
        handlers: Collection[str] = (),
        seconds: float = 3600.0,
        *,
        sender: str = "",
        delivery: str = "",
    ) -> int:
        """Runs made in the last `seconds` for a target and all within it (`12` is a repository, `12#3` its
        third issue or pull request), of these handlers (of all where none is named), caused by this person
        (by anybody where none is named). With a `delivery`, those that were asked for in the time before it:
        what was missed for a while comes all at once."""
        which = within(runs.c.target, target)
        if delivery:
            asked = select(func.max(runs.c.arrived_at)).where(runs.c.delivery == delivery).scalar_subquery()
            which &= (runs.c.arrived_at > asked - seconds) & (runs.c.arrived_at <= asked)
        else:
            which &= runs.c.created_at > time.time() - seconds
        if handlers:
            which &= runs.c.handler.in_(handlers)
        if sender:
            theirs = (inbox.c.guid == runs.c.delivery) & (inbox.c.sender == fit(sender, 100))
            which &= exists().where(theirs)
        with self._db.read() as connection:
            return connection.execute(select(func.count()).select_from(runs).where(which)).scalar_one()

    def claim(self, run_id: int, owner: str, lease_seconds: float = LEASE_SECONDS) -> Run | None:
        """`try_claim` for those who need no reason: None means that there is nothing to do now."""
        run = self.try_claim(run_id, owner, lease_seconds)
        return run if isinstance(run, Run) else None

    def try_claim(self, run_id: int, owner: str, lease_seconds: float = LEASE_SECONDS) -> Run | ClaimRefused:
        """Takes a due run and its target's lease for `owner`, or says why not. A refusal costs no attempt."""
        with self._db.write() as connection:
            found = _read(connection, run_id)
            if found is None:
                return ClaimRefused("missing")
            lease = leases.lock(self._db, connection, found.target)
            run = _read(connection, run_id, lock=True)
            now = time.time()
            if refused := _refusal(run, lease.run_id, lease.lease_until, now):
                return refused
            if run and run.crashes and _other_suspect(connection, run, owner):
                return ClaimRefused("busy")
            until = now + lease_seconds
            leases.take(connection, found.target, run_id, lease.fence + 1, until)
            planned = connection.execute(select(exists().where(outbox.c.run_id == run_id))).scalar_one()
            _set(
                connection,
                run_id,
                state="planned" if planned else "running",
                owner=owner,
                lease_until=until,
                fence=lease.fence + 1,
                started_at=now,
                superseded=False,
            )
            return _must(_read(connection, run_id))

    def heartbeat(self, run: Run, seconds: float = LEASE_SECONDS) -> HeartbeatVerdict:
        """Keeps a run for `seconds` more. `lost`: stop, another has it. `superseded`: stop, and `finish`
        it so."""
        return self.heartbeats([run], seconds)[run.id]

    def heartbeats(self, held: Iterable[Run], seconds: float = LEASE_SECONDS) -> dict[int, HeartbeatVerdict]:
        """Heartbeats of many runs in one transaction."""
        verdicts: dict[int, HeartbeatVerdict] = {}
        until = time.time() + seconds
        with self._db.write() as connection:
            for run in sorted(held, key=lambda each: each.target):
                verdicts[run.id] = _beat(connection, run, until)
        return verdicts

    def finish(
        self,
        run: Run,
        state: Literal["done", "ignored", "superseded", "dead"],
        summary: str = "",
        *,
        error: str = "",
        host: str = "",
        model: str = "",
        tokens_in: int = 0,
        tokens_out: int = 0,
        tokens_cached: int = 0,
    ) -> None:
        """The end of a run, in a line; of a dead one that line is the reason too. Raises `Superseded` when
        it is no longer this worker's to end."""
        told = {
            "host": fit(host, 200),
            "model": fit(model, 200),
            "tokens_in": tokens_in,
            "tokens_out": tokens_out,
            "tokens_cached": tokens_cached,
        }
        with self._db.write() as connection:
            leases.require(self._db, connection, run)
            error = error or (summary if state == "dead" else "")
            if state == "superseded":  # whoever did so may have said why
                mine = select(runs.c.summary).where(runs.c.id == run.id)
                summary = connection.execute(mine).scalar_one() or summary
            _end(connection, run, state, error=_say(error), summary=_say(summary), **told)
            if state == "dead":
                self._follow_up(connection, run)

    def retry(
        self, run: Run, after_seconds: float | None = None, error: str = "", count_attempt: bool = True
    ) -> RunState:
        """Back into the queue, after a growing random delay where none is given; dead after `MAX_ATTEMPTS`
        counted ones. Gives the state it came to: `queued`, `dead`, or `superseded` when it was no longer
        wanted anyway."""
        with self._db.write() as connection:
            leases.require(self._db, connection, run)
            now = _must(_read(connection, run.id, lock=True))
            attempts = now.attempts + count_attempt
            delay = backoff(attempts) if after_seconds is None else after_seconds
            dead = count_attempt and attempts >= MAX_ATTEMPTS
            if now.superseded or dead:
                state: RunState = "superseded" if now.superseded else "dead"
                error = error if now.superseded else f"failed {attempts} times: {error}"
                _end(connection, run, state, error=_say(error), attempts=attempts)
                self._follow_up(connection, run)
                return state
            return _requeue(connection, run, time.time() + delay, attempts=attempts, error=_say(error))

    def release(self, run: Run) -> None:
        """Back into the queue at once and without blame: the worker is going down."""
        self.retry(run, 0.0, run.error, count_attempt=False)

    def revive(self, run_id: int) -> bool:
        """Queues a dead run again because a person asked. False when it is not dead."""
        with self._db.write() as connection:
            return run_lifecycle.by_hand(connection, run_id, time.time())

    def cancel(self, run_id: int, why: str) -> bool:
        """Ends a run that waits, or tells the worker that is at it to stop, because a person asked. False
        when it has ended."""
        with self._db.write() as connection:
            found = _read(connection, run_id)
            if found is None:
                return False
            leases.lock(self._db, connection, found.target)
            which = runs.c.id == run_id
            return run_lifecycle.mark(connection, which, time.time(), why, self._db.told_ends) == 1

    def supersede(self, target: str, except_run: int | None = None, handler: str | None = None) -> int:
        """Runs of a target (and handler) are no longer wanted (closed, a newer head). Gives how many were."""
        with self._db.write() as connection:
            leases.lock(self._db, connection, target)
            which = runs.c.target == target
            if except_run is not None:
                which &= runs.c.id != except_run
            if handler is not None:
                which &= runs.c.handler == handler
            return run_lifecycle.mark(connection, which, time.time(), handlers=self._db.told_ends)

    def tell_end(self, run: Run) -> None:
        """Has the end of a run told, whose own check run could not be ended."""
        with self._db.write() as connection:
            leases.lock(self._db, connection, run.target)
            self._follow_up(connection, run)

    def _follow_up(self, connection: Connection, run: Run) -> None:
        follow_up(connection, self._db.told_ends, [run.id], time.time())

    def _select(self, query: Any) -> list[Run]:
        with self._db.read() as connection:
            return [Run(**row) for row in connection.execute(query).mappings()]


def held(runs: Runs, run: Run, seconds: float = LEASE_SECONDS) -> AbstractAsyncContextManager[None]:
    """`async with held(runs, run):` keeps the run alive while the body works; see `HeartbeatThread.hold`."""
    return runs.heartbeat_thread.hold(run, seconds)


def within(column: ColumnElement[str], target: str) -> ColumnElement[bool]:
    """The target and what lies in it: `12` holds `12#3`, which holds `12#3/4`. One range, which an index
    answers: what follows a target in another is `#` or `/`, which come before all digits."""
    return (column >= target) & (column < f"{target}0")


def backoff(attempts: int) -> float:
    """Seconds to wait after the n-th failure: doubling, at most `BACKOFF_LIMIT`, spread by half so that
    runs that failed together don't come back together."""
    delay: float = min(BACKOFF_SECONDS * 2 ** max(attempts - 1, 0), BACKOFF_LIMIT)
    return delay * random.uniform(0.5, 1.5)  # noqa: S311  no secret


def _read(connection: Connection, run_id: int, *, lock: bool = False) -> Run | None:
    query = select(runs).where(runs.c.id == run_id)
    row = connection.execute(query.with_for_update() if lock else query).mappings().one_or_none()
    return None if row is None else Run(**row)


def _must(run: Run | None) -> Run:
    if run is None:
        raise LookupError("the run is not in the database")
    return run


def _other_suspect(connection: Connection, run: Run, owner: str) -> bool:
    """Whether this worker has another run that a worker died of: two together would share the blame for the
    next death, and an innocent one would be set aside with the guilty."""
    theirs = (runs.c.owner == owner) & runs.c.state.in_(LIVE) & (runs.c.crashes > 0) & (runs.c.id != run.id)
    return connection.execute(select(exists().where(theirs))).scalar_one() is True


def _set_back(now: float) -> ColumnElement[bool]:
    """Of a run that was made or begun in the future: the clock has been set back since it was put off, and
    its time would come that much too late."""
    return or_(runs.c.created_at > now + SKEW_SECONDS, runs.c.started_at > now + SKEW_SECONDS)


def _refusal(run: Run | None, holder: int | None, held_until: float, now: float) -> ClaimRefused | None:
    if run is None:
        return ClaimRefused("missing")
    if run.state in FINAL:
        return ClaimRefused("finished")
    if run.state in LIVE:
        return ClaimRefused("held")
    if run.not_before > now and max(run.created_at, run.started_at or 0.0) <= now + SKEW_SECONDS:
        return ClaimRefused("not_due")
    if holder not in (None, run.id) and held_until > now:
        return ClaimRefused("busy")
    return None


def _beat(connection: Connection, run: Run, until: float) -> HeartbeatVerdict:
    if not leases.extend(connection, run, until):
        return "lost"
    live = (runs.c.id == run.id) & (runs.c.fence == run.fence) & runs.c.state.in_(LIVE)
    told = update(runs).where(live).values(lease_until=until).returning(runs.c.superseded)
    unwanted: Sequence[bool] = connection.scalars(told).all()
    if not unwanted:
        return "lost"
    return "superseded" if unwanted[0] else "ok"


def _set(connection: Connection, run_id: int, **values: Any) -> None:
    connection.execute(update(runs).where(runs.c.id == run_id).values(values))


def _end(connection: Connection, run: Run, state: RunState, **values: Any) -> RunState:
    leases.free(connection, run.target, run.id)
    _set(connection, run.id, state=state, finished_at=time.time(), lease_until=0.0, **values)
    return state


def _requeue(connection: Connection, run: Run, not_before: float, **values: Any) -> RunState:
    leases.free(connection, run.target, run.id)
    _set(connection, run.id, state="queued", not_before=not_before, lease_until=0.0, owner="", **values)
    return "queued"


def _say(text: str) -> str:
    return fit(text, 4000)
