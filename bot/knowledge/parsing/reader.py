"""Files' bytes made into what goes into the index."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.core.source import Chunk, LeftOut, Parsed, text_of
from bot.knowledge.parsing.passages import parse
from bot.knowledge.parsing.tokens import indexed
from bot.knowledge.storage.types import Blob

BATCH_FILES, BATCH_BYTES = 40, 256 * 1024
WORTH_PROCESSES = 3_000_000
"""Bytes: for less, starting processes takes longer than the work."""


@dataclass(frozen=True, slots=True)
class Source:
    """A blob to be read as the file `path`."""

    path: str
    sha: str
    data: bytes


Batch = Sequence[Source]


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """Of a batch. `left_out` is sha -> why."""

    blobs: Sequence[Blob]
    left_out: Mapping[str, str]


def read(batch: Batch) -> BatchOutcome:
    """These files, here; blobs without the tokens of the whole, which are those of its chunks."""
    blobs, left_out = [], {}
    for source in batch:
        parsed = parse(source.path, source.data)
        if isinstance(parsed, LeftOut):
            left_out[source.sha] = parsed.why
        else:
            blobs.append(_blob(source.sha, parsed))
    return BatchOutcome(blobs, left_out)


def _blob(sha: str, parsed: Parsed) -> Blob:
    chunks = tuple((chunk, _words(parsed, chunk)) for chunk in parsed.chunks)
    return Blob(sha, parsed.language, len(parsed.lines), "", chunks, parsed.references, parsed.imports)


def _whole(outcome: BatchOutcome) -> BatchOutcome:
    blobs = [replace(blob, tokens=" ".join(words for _, words in blob.chunks)) for blob in outcome.blobs]
    return replace(outcome, blobs=blobs)


def _words(parsed: Parsed, chunk: Chunk) -> str:
    """A method is found by the name of its class too, which its own lines need not hold."""
    outer = chunk.symbol.rpartition(".")[0]
    return indexed(f"{outer}\n{text_of(parsed, chunk)}" if outer else text_of(parsed, chunk))


def read_all(
    sources: Iterable[Source], total: int, processes: int, *, apart: bool = False
) -> Iterator[BatchOutcome]:
    """All files, a batch at a time. `total` is their bytes. `apart`: in another process, however few they
    are."""
    batches = _batches(sources)
    if not apart and (processes < 2 or total < WORTH_PROCESSES):
        yield from (_whole(read(batch)) for batch in batches)
        return
    from bot.knowledge.parsing.reader_pool import pooled  # what is up to date needs no processes

    yield from map(_whole, pooled(batches, processes))


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
