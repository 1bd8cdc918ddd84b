"""All that an agent may know, frozen at a sha. Texts here are hostile: they come from GitHub and
repositories."""

from dataclasses import dataclass, field

from bot.core.diff import FileDiff
from bot.core.findings import Finding
from bot.core.memory import Memory
from bot.core.refs import Login, RepoRef, Sha
from bot.core.settings import Complaint, RepoSettings


@dataclass(frozen=True, slots=True)
class RepoContext:
    """The repository, its settings (from the base branch) and what was wrong with them."""

    repo: RepoRef
    settings: RepoSettings = field(default_factory=RepoSettings)
    complaints: tuple[Complaint, ...] = ()
    guidelines: tuple[tuple[str, str], ...] = ()
    """(path, text) from the base branch"""
    labels: tuple[tuple[str, str], ...] = ()
    """(name, description) of the labels that exist"""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A changed file that was not read, and why."""

    path: str
    why: str


@dataclass(frozen=True, slots=True)
class PullRequestFacts:
    """A pull request at one head."""

    context: RepoContext
    number: int
    title: str
    body: str
    author: Login
    base_sha: Sha
    head_sha: Sha
    files: tuple[FileDiff, ...]
    """Those to be read."""
    skipped: tuple[Skipped, ...] = ()
    total_files: int = 0
    texts: dict[str, str] = field(default_factory=dict)
    """path -> whole text at the head, where it could be had"""
    instructions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """path -> what the repository wants its reviewer to know about that file"""
    checked: tuple[Finding, ...] = ()
    """What the deterministic checks found on changed lines."""
    checks_run: tuple[str, ...] = ()
    """Names of the checks that ran."""
    posted: frozenset[str] = frozenset()
    """Fingerprints of findings that stand on this pull request already."""
    memory: tuple[Memory, ...] = ()
    """What people taught Hob about the repository."""


@dataclass(frozen=True, slots=True)
class IssueFacts:
    """An issue as it stands."""

    context: RepoContext
    number: int
    title: str
    body: str
    author: Login
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ThreadFacts:
    """A question asked in a comment, and what stands around it."""

    context: RepoContext
    number: int
    title: str
    body: str
    question: str
    asker: Login
    conversation: tuple[tuple[Login, str], ...] = ()
    """(who, what), oldest first"""
    files: tuple[FileDiff, ...] = ()
    """The change, on a pull request."""
    head_sha: Sha | None = None
    texts: dict[str, str] = field(default_factory=dict)
    """path -> text; a citation must lie in one of these"""
