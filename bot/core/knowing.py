"""What a repository is asked for, and what it answers: found passages with their reasons, nodes, edges
and issues."""

from dataclasses import dataclass
from typing import Literal

FoundKind = Literal["code", "commit", "issue", "pull_request"]
NodeKind = Literal["file", "symbol", "commit", "issue", "pull_request", "person"]
EdgeKind = Literal[
    "defines", "refers", "imports", "touched", "fixes", "mentions", "duplicates", "co_changed", "blocks"
]


@dataclass(frozen=True, slots=True)
class Found:
    """One result of a search, best first by `score` (comparable within one search only)."""

    kind: FoundKind
    score: float
    why: tuple[str, ...]
    """For a person: `words: inbox, guid`, `named in the query`, `touched by 1a2b3c "Store …"`."""
    path: str = ""
    symbol: str = ""
    start: int = 0
    end: int = 0
    sha: str = ""
    """Of the commit at which the lines were read; of the commit itself."""
    number: int = 0
    """Of an issue or pull request."""
    title: str = ""
    """Of an issue or pull request; a commit's subject."""
    source: str = ""
    """The archive it is from; empty for the repository itself."""


@dataclass(frozen=True, slots=True)
class Outline:
    """A file by the signatures of what it defines, those that matter most first."""

    path: str
    signatures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Node:
    """`name` is a path, `path::symbol`, a sha, a number or a login."""

    kind: NodeKind
    name: str


@dataclass(frozen=True, slots=True)
class Edge:
    """`weight` counts how often: references, common commits, lines."""

    kind: EdgeKind
    source: Node
    target: Node
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue or a pull request. Times are seconds since 1970; `closed` is 0 while it is open."""

    number: int
    kind: Literal["issue", "pull_request"]
    state: Literal["open", "closed", "merged"]
    title: str
    body: str
    author: str
    labels: tuple[str, ...] = ()
    created: int = 0
    updated: int = 0
    closed: int = 0
