"""Files read in processes of their own, where there are many or where strangers wrote them.

A parser may be made to crash, to take all memory (Go on 60 KB of `%q(`) or to go on for ever: such a file
ends its reader, and costs itself and no other.
"""

import multiprocessing
import os
import resource
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing import connection

import msgspec

from bot.knowledge.parsing.reader import Batch, BatchOutcome, read

MOST_SECONDS, MOST_MEMORY = 20, 1024**3
"""Of the processor for a batch, which takes a tenth of a second, and bytes of address space of a reader."""
CRASHED = "its parser crashed"


def pooled(batches: Iterator[Batch], processes: int) -> Iterator[BatchOutcome]:
    """As `read` gives them, in any order; of a file that killed its reader that it did."""
    left: list[Batch] = []
    yield from _pooled(batches, processes, left.append)
    # Somewhere in these is a file that killed its reader.
    for batch in left:
        yield from _one_by_one(batch)


def _pooled(
    batches: Iterator[Batch], processes: int, give_up: Callable[[Batch], None]
) -> Iterator[BatchOutcome]:
    waiting: deque[tuple[Batch, Future[bytes]]] = deque()
    pool = _pool(processes)
    try:
        for batch in batches:
            try:
                waiting.append((batch, pool.submit(_read_packed, batch)))
            except BrokenProcessPool:
                give_up(batch)
            while len(waiting) > 2 * processes:
                yield from _taken(*waiting.popleft(), give_up)
        for each in waiting:
            yield from _taken(*each, give_up)
    finally:
        pool.shutdown(cancel_futures=True)


def _taken(batch: Batch, future: "Future[bytes]", give_up: Callable[[Batch], None]) -> Iterator[BatchOutcome]:
    try:
        packed = future.result()
    except BrokenProcessPool:
        give_up(batch)
    else:
        yield _unpacked(packed)


def _one_by_one(batch: Batch) -> Iterator[BatchOutcome]:
    """A whole batch once more in a process of its own, and its files one at a time where that dies too."""
    if outcome := _alone(batch):
        yield outcome
        return
    for source in batch:
        yield _alone([source]) or BatchOutcome((), {source.sha: CRASHED})


def _alone(batch: Batch) -> BatchOutcome | None:
    with _pool(1) as pool, suppress(BrokenProcessPool):
        return _unpacked(pool.submit(_read_packed, batch).result())
    return None


def _read_packed(batch: Batch) -> bytes:
    """As MessagePack, which is made and read in half the time of a pickle."""
    # Nobody handles this signal: it ends the process, whatever library it is in.
    signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)
    try:
        return msgspec.msgpack.encode(read(batch))
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _unpacked(raw: bytes) -> BatchOutcome:
    return msgspec.msgpack.decode(raw, type=BatchOutcome)


def _pool(processes: int) -> ProcessPoolExecutor:
    # Spawned: a fork of a process with threads may hang, and macOS crashes on it.
    return ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), _begin)


def _begin() -> None:
    """Ctrl-C is the parent's to answer, and nobody stays when the parent is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(ValueError, OSError):  # macOS knows the limit and does not hold to it
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if parent := multiprocessing.parent_process():
        connection.wait([parent.sentinel])
        os._exit(1)
