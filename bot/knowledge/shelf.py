"""What one repository's index keeps, and what both databases (SQLite, PostgreSQL) answer about it.

Everything here is derived from the repository and from GitHub and may be thrown away and built again. What a
file holds is kept by the sha of its blob, so that a push costs what it changed. Times are seconds since 1970.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Literal, Protocol

from bot.core.errors import HobError
from bot.core.knowing import Edge, EdgeKind, Issue, Node
from bot.core.source import Chunk, Import, Reference

SCHEMA = 1
"""Of what is stored and how it was cut into tokens; an index of another number is built again."""

Table = Literal["chunk", "file", "path", "commit", "issue"]
"""What can be searched by words. The id of a hit is a chunk's, a blob's, a path's or a commit's id, or an
issue's number."""
VectorOf = Literal["chunk", "issue", "title"]
"""`issue` is of title and body, `title` of the title alone; both go by the issue's number."""


class ShelfError(HobError):
    """The index cannot be read or written now: busy for longer than some seconds, disk full, database
    away."""


class Damaged(ShelfError):
    """What is on disk is no index (any more). Whoever opens it again begins an empty one."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A row that holds some of the words; `score` is BM25 (k1 1.2, b .75), larger is better."""

    id: int
    score: float


@dataclass(frozen=True, slots=True)
class Blob:
    """A file's text as it is put on the shelf. `tokens` and those beside each chunk come from `indexed()`
    (bot.knowledge.tokens): words with single spaces between."""

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
class File:
    """A path at the tip. `why` says why it is left out of the index; then no blob is kept for it."""

    path: str
    sha: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Commit:
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


class Shelf(Protocol):
    """One repository's index. Not for several threads at once; several processes may read while one writes.

    Every method may raise `ShelfError`. Outside of `writing()` and `reading()` each call is a transaction.
    What is not there is left out of an answer; it is no error.
    """

    def writing(self) -> AbstractContextManager[None]:
        """A transaction: all of it or nothing. Others that would write wait some seconds."""

    def reading(self) -> AbstractContextManager[None]:
        """What is read within is of one moment."""

    def alone(self, seconds: float) -> AbstractContextManager[None]:
        """Held by one process at a time, while it brings the index to another commit; freed when it dies.
        Waits this long, then raises `ShelfError`."""

    def close(self) -> None: ...

    def tidy(self) -> None:
        """After much was put: makes the index small and quick."""

    def sizes(self) -> Sizes: ...

    # What is remembered by name: "tip", "history" (newest commit known), "watermark" (of issues)
    def state(self, key: str) -> str:
        """Empty where nothing was set."""

    def set_state(self, key: str, value: str) -> None: ...

    # Files and what they hold
    def known(self, shas: Iterable[str]) -> set[str]:
        """Those of the blobs that are on the shelf."""

    def put_blobs(self, blobs: Iterable[Blob]) -> None:
        """A blob that is there already stays as it is."""

    def spare(self) -> list[str]:
        """Blobs that no file of the tip has (read for another commit), those put last come last."""

    def drop_blobs(self, shas: Iterable[str]) -> None:
        """With their chunks, references, imports and vectors."""

    def files(self) -> dict[str, File]:
        """By path."""

    def put_files(self, files: Iterable[File]) -> None: ...

    def drop_files(self, paths: Iterable[str]) -> None:
        """Their blobs become spare."""

    def paths(self, blobs: Collection[str]) -> dict[str, list[str]]:
        """blob -> the paths that have it at the tip."""

    def blobs_of(self, paths: Collection[str]) -> dict[str, str]:
        """path -> blob, of the files of the tip that are not left out."""

    def paths_like(self, names: Collection[str]) -> dict[str, list[str]]:
        """Last part of a path, in any case -> the files of the tip that are called so."""

    def path_names(self, ids: Collection[int]) -> dict[int, str]:
        """Paths by the ids of `match("path", …)`. Not all of them need be at the tip."""

    def blobs(self, ids: Collection[int]) -> dict[int, str]:
        """Shas by the ids of `match("file", …)`."""

    def chunks(self, ids: Collection[int]) -> list[StoredChunk]: ...

    def chunks_of(self, blobs: Collection[str]) -> list[StoredChunk]:
        """By blob and line."""

    def defined(self, names: Collection[str]) -> list[StoredChunk]:
        """Functions and classes whose symbol, or its last part, is one of the names, in any case."""

    def uses(self, names: Collection[str], limit: int) -> list[Use]:
        """Where the tip refers to these names (exactly as written)."""

    def references_of(self, blob: str) -> list[Reference]: ...

    def imports(self) -> list[Imported]:
        """All of the tip."""

    # History
    def known_commits(self) -> set[str]: ...

    def put_commits(self, commits: Iterable[tuple[Commit, str]]) -> None:
        """Each with the tokens of its message. A commit that is there already stays as it is."""

    def drop_commits(self, shas: Iterable[str]) -> None: ...

    def commits(self, ids: Collection[int]) -> dict[int, Commit]:
        """By the ids of `match("commit", …)`, with their paths."""

    def commit(self, sha: str) -> Commit | None: ...

    def touching(self, paths: Collection[str], limit: int) -> list[Commit]:
        """The newest commits that touched one of the paths, newest first."""

    def recent(self, limit: int) -> list[Commit]:
        """Newest first."""

    # Issues and pull requests
    def put_issues(self, issues: Iterable[tuple[Issue, str]]) -> None:
        """Each with its tokens; one that is there already is replaced, and its vectors go."""

    def issues(self, numbers: Collection[int]) -> dict[int, Issue]: ...

    def issue_numbers(self) -> list[int]:
        """Ascending."""

    def drop_issues(self, numbers: Collection[int]) -> None: ...

    # Edges that are not derived from the above: fixes, mentions, duplicates, blocks
    def put_edges(self, origin: str, edges: Iterable[Edge]) -> None:
        """Replaces all edges of the same origin: `issue 12`, `commit 1a2b3c`."""

    def edges(
        self, *, source: Node | None = None, target: Node | None = None, kind: EdgeKind | None = None
    ) -> list[Edge]:
        """Those that fit everything given."""

    # Words
    def match(self, table: Table, terms: Sequence[str], limit: int) -> list[Hit]:
        """Rows that hold any of the terms, best first. A term given twice counts twice."""

    def frequencies(self, table: Table, terms: Collection[str]) -> dict[str, int]:
        """How many rows hold each term."""

    def holding(self, table: Table, terms: Collection[str], ids: Collection[int]) -> dict[int, list[str]]:
        """Which of the terms each of these rows holds, in the order given."""

    # Vectors, each of one model; its name includes whatever else makes vectors incomparable
    def put_vectors(
        self, of: VectorOf, model: str, vectors: Iterable[tuple[int, Sequence[float]]]
    ) -> None: ...

    def nearest(self, of: VectorOf, model: str, vector: Sequence[float], limit: int) -> list[Hit]:
        """`score` is the cosine."""

    def without_vector(self, of: VectorOf, model: str, limit: int) -> list[int]:
        """Ids of chunks (of files at the tip) or numbers of issues that have none yet."""

    def drop_vectors(self, keep_model: str) -> None:
        """All of other models."""
