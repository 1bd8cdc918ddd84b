"""Deliveries, durable before they are acknowledged. Opened by the receiver; read by dispatchers.

The hot path: one writer thread commits everything that waits in one transaction, so a burst costs one
flush to disk. On SQLite it speaks to the driver, by statements that are prepared once.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, RowMapping, func, select, update

from bot.core.errors import BadPayload
from bot.store import run_lifecycle
from bot.store.body import compressed, framed, restored
from bot.store.columns import fit, fit_int
from bot.store.database import Database
from bot.store.tables import inbox
from bot.store.types import StoreUnavailable

BATCH_ROWS = 500
BATCH_BYTES = 8 << 20
WAITING_BYTES = 64 << 20
"""Above this a delivery is refused (503, GitHub shows it as failed) rather than held in memory."""

DeliveryState = Literal["new", "routed", "ignored", "quarantined"]
ANSWERED_BY_NOTHING: tuple[DeliveryState, ...] = ("quarantined", "ignored")


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A verified delivery as it came in; `body` are the exact bytes that were signed, `received_at` epoch
    seconds."""

    guid: str
    event: str
    action: str
    installation_id: int | None
    repo_id: int | None
    repo: str
    number: int | None
    sender: str
    body: bytes
    received_at: float


@dataclass(frozen=True, slots=True)
class Delivery(NewDelivery):
    """A stored delivery."""

    id: int
    state: DeliveryState
    note: str


class Inbox:
    """The table `inbox`. Thread-safe; the writer thread starts with the first `put`."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._insert = (
            database.insert(inbox).on_conflict_do_nothing(index_elements=["guid"]).returning(inbox.c.guid)
        )
        self._insert_all = self._insert_by_driver if database.is_sqlite else self._insert_by_engine
        self._waiting: queue.SimpleQueue[tuple[NewDelivery, Future[bool]] | None] = queue.SimpleQueue()
        self._waiting_bytes = 0
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False

    def put(self, new: NewDelivery) -> Future[bool]:
        """Stores a delivery. The future gives True when it is new, False for a GUID that was known (whose
        dead runs are then revived once), or raises `StoreUnavailable`: then nothing was stored."""
        future: Future[bool] = Future()
        with self._lock:
            if self._closed or (self._waiting_bytes and self._waiting_bytes + len(new.body) > WAITING_BYTES):
                future.set_exception(StoreUnavailable("the inbox takes no more deliveries now"))
                return future
            self._waiting_bytes += len(new.body)
            if self._thread is None:
                self._thread = threading.Thread(target=self._write_forever, name="inbox", daemon=True)
                self._thread.start()
            self._waiting.put((new, future))
        return future

    def put_within(self, connection: Connection, new: NewDelivery) -> None:
        """Stores a delivery of Hob's own in a transaction of others; one of a known name changes nothing."""
        connection.execute(self._insert, [_row(new, compressed)])

    def close(self) -> None:
        """Stores what still waits, then stops the writer."""
        with self._lock:
            self._closed = True
            thread = self._thread
        if thread is not None:
            self._waiting.put(None)
            thread.join()

    def get(self, guid: str) -> Delivery:
        """One delivery with its body. Raises `BadPayload` when it was purged."""
        with self._db.read() as connection:
            row = connection.execute(select(inbox).where(inbox.c.guid == guid)).mappings().one_or_none()
        if row is None:
            raise BadPayload(f"delivery {guid[:100]} is no longer stored")
        return _delivery(row)

    def undispatched(
        self, limit: int = BATCH_ROWS, *, over: int = -1, upto: int = 2**31 - 1
    ) -> list[Delivery]:
        """The oldest deliveries that nobody routed yet, together at most `BATCH_BYTES` of bodies (but at
        least one); of those with more than `over` and no more than `upto` bytes."""
        which = (inbox.c.state == "new") & (inbox.c.size > over) & (inbox.c.size <= upto)
        sizes = select(inbox.c.id, inbox.c.size).where(which).order_by(inbox.c.id).limit(limit)
        with self._db.read() as connection:
            ids = _within(connection.execute(sizes), BATCH_BYTES)
            if not ids:
                return []
            rows = connection.execute(select(inbox).where(inbox.c.id.in_(ids)).order_by(inbox.c.id))
            return [_delivery(row) for row in rows.mappings()]

    def again(self, guid: str) -> bool:
        """Has a delivery routed anew because a person asked: one that was kept aside, or that nothing
        answered. False where there is no such one."""
        which = (inbox.c.guid == guid) & inbox.c.state.in_(ANSWERED_BY_NOTHING)
        with self._db.write() as connection:
            return connection.execute(update(inbox).where(which).values(state="new", note="")).rowcount == 1

    def counts(self) -> dict[str, int]:
        """How many deliveries are in each state."""
        with self._db.read() as connection:
            rows = connection.execute(select(inbox.c.state, func.count()).group_by(inbox.c.state))
            return {state: count for state, count in rows}  # noqa: C416  rows are no pairs to mypy

    def _write_forever(self) -> None:
        while (first := self._waiting.get()) is not None:
            batch, stop = self._collect(first)
            self._store(batch)
            with self._lock:
                self._waiting_bytes -= sum(len(new.body) for new, _ in batch)
            if stop:
                return

    def _collect(
        self, first: tuple[NewDelivery, Future[bool]]
    ) -> tuple[list[tuple[NewDelivery, Future[bool]]], bool]:
        """All that waits now, up to a batch; and whether the end was among it."""
        batch, size = [first], len(first[0].body)
        while len(batch) < BATCH_ROWS and size < BATCH_BYTES:
            try:
                item = self._waiting.get_nowait()
            except queue.Empty:
                break
            if item is None:
                return batch, True
            batch.append(item)
            size += len(item[0].body)
        return batch, False

    def _store(self, batch: Sequence[tuple[NewDelivery, Future[bool]]]) -> None:
        """One transaction for all; if one delivery cannot be stored at all, it must not take the others
        with it."""
        try:
            stored = self._insert_all([new for new, _ in batch])
        except StoreUnavailable as error:
            _fail(batch, error)
        except Exception as error:  # a row the database refuses: find out which
            if len(batch) > 1:
                for item in batch:
                    self._store([item])
            else:
                _fail(batch, StoreUnavailable(f"the delivery cannot be stored: {type(error).__name__}"))
        else:
            known = []
            for new, future in batch:
                if (guid := fit(new.guid, 100)) in stored:
                    stored.discard(guid)  # its twins in this batch are duplicates
                    future.set_result(True)
                else:
                    known.append((new, future))
            if known:
                self._revive(known)

    def _insert_by_driver(self, batch: Sequence[NewDelivery]) -> set[str]:
        """In one transaction; gives the GUIDs that are new."""
        rows = [_row(new, framed) for new in batch]
        with self._db.driver() as connection:
            cursor = connection.cursor()
            cursor.execute("BEGIN IMMEDIATE")
            stored = {row["guid"] for row in rows if cursor.execute(_INSERT, row).rowcount == 1}
            cursor.execute("COMMIT")
        return stored

    def _insert_by_engine(self, batch: Sequence[NewDelivery]) -> set[str]:
        """The same where the database is not SQLite."""
        rows = [_row(new, compressed) for new in batch]
        with self._db.write() as connection:
            return set(connection.scalars(self._insert, rows))

    def _revive(self, batch: Sequence[tuple[NewDelivery, Future[bool]]]) -> None:
        """Known ones came again."""
        try:
            with self._db.write() as connection:
                guids = {fit(new.guid, 100) for new, _ in batch}
                run_lifecycle.after_redelivery(connection, guids, time.time())
        except StoreUnavailable as error:
            _fail(batch, error)
        except Exception as error:
            _fail(batch, StoreUnavailable(f"the delivery cannot be looked up: {type(error).__name__}"))
        else:
            for _, future in batch:
                future.set_result(False)


def _fail(batch: Iterable[tuple[NewDelivery, Future[bool]]], error: StoreUnavailable) -> None:
    for _, future in batch:
        future.set_exception(error)


_COLUMNS = tuple(column.name for column in inbox.columns if column.name != "id")
_INSERT = (
    f"INSERT INTO inbox ({', '.join(_COLUMNS)}) VALUES ({', '.join(f':{name}' for name in _COLUMNS)}) "  # noqa: S608
    "ON CONFLICT (guid) DO NOTHING"
)


def _row(new: NewDelivery, pack: Callable[[bytes], bytes]) -> dict[str, Any]:
    return {
        "guid": fit(new.guid, 100),
        "event": fit(new.event, 100),
        "action": fit(new.action, 100),
        "installation_id": fit_int(new.installation_id),
        "repo_id": fit_int(new.repo_id),
        "repo": fit(new.repo, 300),
        "number": fit_int(new.number),
        "sender": fit(new.sender, 100),
        "body": pack(new.body),
        "size": len(new.body),
        "received_at": new.received_at,
        "state": "new",
        "note": "",
    }


def _delivery(row: RowMapping) -> Delivery:
    fields = dict(row)
    del fields["size"]
    return Delivery(**fields | {"body": restored(row["body"])})


def _within(sized: Iterable[Any], limit: int) -> list[int]:
    ids: list[int] = []
    for identity, size in sized:
        limit -= size
        if ids and limit < 0:
            break
        ids.append(identity)
    return ids
