"""What one repository's index keeps (`bot.knowledge.storage.IndexStore`), and how that may fail.

Everything here is derived from the repository and from GitHub and may be thrown away and built again. What a
file holds is kept by the sha of its blob, so that a push costs what it changed. Times are seconds since 1970.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bot.core.errors import HobError
from bot.core.source import Chunk, Import, Reference

SCHEMA = 2
"""Of what is stored and how it was cut into tokens; an index of another number is built again."""

WordTable = Literal["chunk", "file", "path", "commit", "issue"]
"""What can be searched by words. The id of a hit is a chunk's, a blob's, a path's or a commit's id, or an
issue's number."""
OtherTable = Literal["other_chunk", "other_file"]
"""Of blobs that were read for other commits than the tip."""
VectorOf = Literal["chunk", "issue", "title"]
"""`issue` is of title and body, `title` of the title alone; both go by the issue's number."""


class IndexStoreError(HobError):
    """The index cannot be read or written now: busy for longer than some seconds, or no room."""


class Damaged(IndexStoreError):
    """What is on disk is no index (any more). Whoever opens it again begins an empty one."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A row that holds some of the words; `score` is BM25 (k1 1.2, b .75), larger is better."""

    id: int
    score: float


@dataclass(frozen=True, slots=True)
class Blob:
    """A file's text as it is put into the index. `tokens` and those beside each chunk come from `indexed()`
    (bot.knowledge.parsing.tokens): words with single spaces between."""

    sha: str
    language: str
    lines: int
    tokens: str
    chunks: tuple[tuple[Chunk, str], ...]
    references: tuple[Reference, ...] = ()
    imports: tuple[Import, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredChunk:
    id: int
    blob: str
    chunk: Chunk


@dataclass(frozen=True, slots=True)
class IndexedFile:
    """A path at the tip. `why` says why it is left out of the index; then no blob is kept for it."""

    path: str
    sha: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class IndexedCommit:
    sha: str
    name: str
    email: str
    at: int
    subject: str
    body: str = ""
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Use:
    """A name used in a file of the tip, at these lines."""

    name: str
    path: str
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Imported:
    path: str
    target: str
    line: int


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many there are; `octets` is the room the index takes on disk."""

    files: int = 0
    left_out: int = 0
    chunks: int = 0
    commits: int = 0
    issues: int = 0
    octets: int = 0
    languages: Mapping[str, int] = field(default_factory=dict)
