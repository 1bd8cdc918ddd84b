"""What a run may ask of all that Hob knows of a repository, as a port.

What a repository is asked for, and what it answers: found passages with their reasons, nodes, edges
and issues.
"""

import math
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from bot.core.code_search import Excerpt, Library
from bot.core.context_packing import NOTHING, Surroundings
from bot.core.diff import FileDiff
from bot.core.merging import MergedTree, MergeTried
from bot.core.refs import Sha
from bot.core.review_chunks import guards
from bot.core.text import count

IssueKind = Literal["issue", "pull_request"]
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
    agreement: float = 0.0
    """Of an issue or pull request with the title that was asked for: which share of the words of both texts
    both have, from 0 to 1; 0 with another title. Comparable between searches."""
    line: int = 0
    """Of the passage, the one that has most of what was asked for; 0 where that was not looked for."""
    text: str = ""
    """That line as the file has it."""


@dataclass(frozen=True, slots=True)
class Outline:
    """A file by the signatures of what it defines, those that matter most first. `best`: the passage that was
    found in it, of the first few files alone."""

    path: str
    signatures: tuple[str, ...] = ()
    best: Excerpt | None = None


@dataclass(frozen=True, slots=True)
class GraphNode:
    """`name` is a path, `path::symbol`, a sha, a number or a login."""

    kind: NodeKind
    name: str


@dataclass(frozen=True, slots=True)
class Edge:
    """`weight` counts how often: references, common commits, lines."""

    kind: EdgeKind
    source: GraphNode
    target: GraphNode
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class KnownIssue:
    """An issue or a pull request. Times are seconds since 1970; `closed` is 0 while it is open."""

    number: int
    kind: IssueKind
    state: Literal["open", "closed", "merged"]
    title: str
    body: str
    author: str
    labels: tuple[str, ...] = ()
    created: int = 0
    updated: int = 0
    closed: int = 0


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two pull requests that change the same files, or one (`second` 0) that conflicts with its base.
    `conflicts` are paths that git cannot merge; None where that was not tried."""

    first: int
    second: int
    paths: tuple[str, ...]
    conflicts: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class FileRisk:
    """A file of the tip. `blob`: its text's name in git; `commits` that touched it, `fixes` of them by what
    they say; `tested`: whether a test is named after it; `subjects`: of the newest of these commits."""

    path: str
    blob: str
    lines: int
    commits: int = 0
    fixes: int = 0
    tested: bool = False
    subjects: tuple[str, ...] = ()

    @property
    def score(self) -> float:
        """Changed often, mended often, guards something, untested, long."""
        known = math.log1p(self.commits) + 2 * math.log1p(self.fixes)
        return known + 1.5 * guards(self.path) + (not self.tested) + min(1.0, self.lines / 400)

    @property
    def why(self) -> str:
        """For a person, in half a line."""
        said = [f"{count(self.commits, 'commit')}, {self.fixes} of them mended something"]
        said += ["guards something"] if guards(self.path) else []
        said += [] if self.tested else ["no test is named after it"]
        return "; ".join([*said, count(self.lines, "line")])


@dataclass(frozen=True, slots=True)
class Fix:
    """What mended an issue, as far as the repository itself shows it. `pull` is a merged pull request that
    says it fixes the issue (0: a commit says so itself), `commit` what brought it onto the default branch,
    `tag` the first tag with that commit, `section` the heading of `changelog` under which either is named;
    each empty where nothing shows it."""

    pull: int = 0
    commit: str = ""
    tag: str = ""
    changelog: str = ""
    section: str = ""


Beside = Callable[[Sequence[FileDiff], Mapping[str, str], Sha], Awaitable[Surroundings]]
"""(changed files, their texts at the head, the base's sha) -> what else belongs to the change. Never raises,
and never waits for an index that is not there."""


async def nothing_beside(_files: Sequence[FileDiff], _heads: Mapping[str, str], _base: Sha) -> Surroundings:
    """For those who know of the change alone."""
    return NOTHING


@runtime_checkable
class IndexedLibrary(Library, Protocol):
    """A library that is an index of a repository."""

    async def search(self, query: str, at: str = "", first: Sequence[str] = ()) -> tuple[Excerpt, ...]:
        """`at` is the commit whose files are meant, where the clone has it; else the newest that it has.
        Passages of the files `first` come first, in this order."""
        ...

    async def outlines(self, query: str, at: str = "") -> Sequence[Outline]:
        """The files that a search finds, by what they define."""
        ...

    async def callers(self, name: str) -> Sequence[Found]:
        """Who refers to a symbol, the surest first: `brew`, `Kettle.brew` or `path::brew`. As of the commit
        that the index is of, which each names."""
        ...


class Knowledge(IndexedLibrary, Protocol):
    """What Hob knows of one repository. Searching and reading answer with what is there; where there is
    nothing yet, nothing is found."""

    async def records(self, query: str) -> tuple[Excerpt, ...]:
        """Issues, pull requests and commits that have to do with it, as what can be cited."""
        ...

    async def beside(self, files: Sequence[FileDiff], heads: Mapping[str, str], base: Sha) -> Surroundings:
        """`Beside`."""
        ...

    async def people(self, path: str) -> Sequence[str]:
        """Who knows a file by its commits, best first, by the names in git."""
        ...

    async def risks(self) -> Sequence[FileRisk]:
        """How risky each file is, as of the commit that the index is of."""
        ...

    async def unindexed(self) -> bool:
        """Whether nothing is known of it yet."""
        ...

    async def refresh(self) -> str:
        """Brings it up to date with GitHub; says in a line what was done, or why nothing was."""
        ...

    async def drop_issue(self, number: int) -> None:
        """An issue that is no longer there."""
        ...

    async def overlaps(self, pulls: Sequence[int]) -> Sequence[Overlap]:
        """Of pull requests into the default branch, the newest first: which change the same files, and which
        git cannot merge with each other or with their base. Nothing where there is no clone."""
        ...

    async def merge(self, head: Sha, base: Sha) -> MergeTried:
        """What comes of merging a base into a head; both are fetched where the clone lacks them."""
        ...

    async def merged(self, head: Sha, base: Sha, texts: Mapping[str, str]) -> MergedTree:
        """The merge with these texts (path -> text) where git could not."""
        ...

    async def duplicates(
        self, title: str, body: str, *, but: int = 0, k: int = 5, kind: IssueKind = "issue"
    ) -> Sequence[Found]:
        """Issues (or pull requests), open or closed, that most likely say the same, best first; `but` is the
        number of the one that is asked about."""
        ...

    async def related(self, title: str, body: str, *, but: int = 0, k: int = 10) -> Sequence[Found]:
        """Issues and pull requests about the same things, those first that it names or that name it."""
        ...

    async def known_issues(self, numbers: Collection[int]) -> Mapping[int, KnownIssue]:
        """Those that the index has."""
        ...

    async def originals(self, number: int) -> Sequence[int]:
        """What the issue's own text says that it is a duplicate of: a claim of whoever wrote it."""
        ...

    async def fix(self, number: int) -> Fix | None:
        """What mended a closed issue; None where nothing shows it."""
        ...

    async def fixing_commits(self, numbers: Collection[int]) -> Mapping[int, str]:
        """number -> sha of a commit of the default branch that says it fixes that issue."""
        ...
