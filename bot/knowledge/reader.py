"""Files' bytes made into what goes on the shelf, in processes of their own where there are many.

A file that kills its reader (a parser may be made to crash) costs itself and no other.
"""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import connection

from bot.core.source import Chunk, LeftOut, Parsed, text_of
from bot.knowledge.parse import parse
from bot.knowledge.shelf import Blob
from bot.knowledge.tokens import indexed

BATCH_FILES, BATCH_BYTES = 40, 256 * 1024
WORTH_PROCESSES = 1_500_000
"""Bytes: for less, starting processes takes longer than the work."""


@dataclass(frozen=True, slots=True)
class Source:
    """A blob to be read as the file `path`."""

    path: str
    sha: str
    data: bytes


Outcome = tuple[str, Blob | LeftOut]
"""A blob's sha and what it is."""
Batch = Sequence[Source]


def read(source: Source) -> Outcome:
    """One file, here."""
    parsed = parse(source.path, source.data)
    if isinstance(parsed, LeftOut):
        return source.sha, parsed
    chunks = tuple((chunk, _words(parsed, chunk)) for chunk in parsed.chunks)
    return source.sha, Blob(
        source.sha,
        parsed.language,
        len(parsed.lines),
        " ".join(words for _, words in chunks),
        chunks,
        parsed.references,
        parsed.imports,
    )


def _words(parsed: Parsed, chunk: Chunk) -> str:
    """A method is found by the name of its class too, which its own lines need not hold."""
    outer = chunk.symbol.rpartition(".")[0]
    return indexed(f"{outer}\n{text_of(parsed, chunk)}" if outer else text_of(parsed, chunk))


def read_all(sources: Iterable[Source], total: int, processes: int) -> Iterator[list[Outcome]]:
    """All files, a batch at a time, in any order. `total` is their bytes."""
    batches = _batches(sources)
    if processes < 2 or total < WORTH_PROCESSES:
        yield from ([read(source) for source in batch] for batch in batches)
        return
    left: list[Batch] = []
    yield from _pooled(batches, processes, left.append)
    # Somewhere in these is a file that killed its reader.
    for batch in left:
        yield from _one_by_one(batch)


def _pooled(
    batches: Iterator[Batch], processes: int, give_up: Callable[[Batch], None]
) -> Iterator[list[Outcome]]:
    waiting: deque[tuple[Batch, Future[list[Outcome]]]] = deque()
    with _pool(processes) as pool:
        for batch in batches:
            try:
                waiting.append((batch, pool.submit(_read_batch, batch)))
            except BrokenProcessPool:
                give_up(batch)
            while len(waiting) > 2 * processes:
                yield from _taken(*waiting.popleft(), give_up)
        for each in waiting:
            yield from _taken(*each, give_up)


def _taken(
    batch: Batch, future: "Future[list[Outcome]]", give_up: Callable[[Batch], None]
) -> Iterator[list[Outcome]]:
    try:
        yield future.result()
    except BrokenProcessPool:
        give_up(batch)


def _one_by_one(batch: Batch) -> Iterator[list[Outcome]]:
    """A whole batch once more in a process of its own, and its files one at a time where that dies too."""
    if outcomes := _alone(batch):
        yield outcomes
        return
    for source in batch:
        yield _alone([source]) or [(source.sha, LeftOut(source.path, "its parser crashed"))]


def _alone(batch: Batch) -> list[Outcome]:
    with _pool(1) as pool, suppress(BrokenProcessPool):
        return pool.submit(_read_batch, batch).result()
    return []


def _pool(processes: int) -> ProcessPoolExecutor:
    # Spawned: a fork of a process with threads may hang, and macOS crashes on it.
    return ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), _begin)


def _begin() -> None:
    """Ctrl-C is the parent's to answer, and nobody stays when the parent is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if parent := multiprocessing.parent_process():
        connection.wait([parent.sentinel])
        os._exit(1)


def _read_batch(batch: Batch) -> list[Outcome]:
    return [read(source) for source in batch]


def _batches(sources: Iterable[Source]) -> Iterator[Batch]:
    batch: list[Source] = []
    size = 0
    for source in sources:
        batch.append(source)
        size += len(source.data)
        if len(batch) >= BATCH_FILES or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
