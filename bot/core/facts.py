"""All that an agent may know, frozen at a sha. Texts here are hostile: they come from GitHub and
repositories."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bot.core.code_analysis import Tools
from bot.core.code_search import Excerpt, Library
from bot.core.context_packing import ContextCandidate
from bot.core.diff import FileDiff
from bot.core.drafts import Draft
from bot.core.effect_history import PastRun
from bot.core.effects import PostReview, SetCheck
from bot.core.effort import Effort
from bot.core.findings import Finding
from bot.core.incremental_review import ReviewedHead
from bot.core.inference import Usage
from bot.core.issue_forms import FilledForm
from bot.core.memory import Memory
from bot.core.merging import Conflict
from bot.core.named_files import NamedFile
from bot.core.refs import Login, RepoRef, Sha
from bot.core.security_reports import Suspicion
from bot.core.settings import Complaint, RepoSettings


@dataclass(frozen=True, slots=True)
class RepoContext:
    """The repository, its settings (from the base branch) and what was wrong with them."""

    repo: RepoRef
    settings: RepoSettings = field(default_factory=RepoSettings)
    complaints: tuple[Complaint, ...] = ()
    guidelines: tuple[tuple[str, str], ...] = ()
    """(path, text) from the base branch"""
    file: Mapping[str, Any] = field(default_factory=dict)
    """What `.github/hob.yml` itself says, by dotted key."""
    notes: tuple[str, ...] = ()
    """What else a person should know about how the settings came to be, a sentence each."""
    labels: tuple[tuple[str, str], ...] = ()
    """(name, description) of the labels that exist"""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A changed file that was not read, and why."""

    path: str
    why: str


@dataclass(frozen=True, slots=True)
class OthersRemark:
    """What somebody else has said about lines of the change: a person or a bot in a thread, CI in an
    annotation. `line` is on the new side; None for a whole file."""

    path: str
    line: int | None
    author: str
    words: str
    start_line: int | None = None
    kind: Literal["thread", "annotation"] = "thread"


@dataclass(frozen=True, slots=True)
class OwnThread:
    """A thread on lines that Hob began. `id` is GraphQL's, `comment_id` and `body` are of its first comment,
    `last` is the newest one's text."""

    id: str
    resolved: bool
    path: str
    comment_id: int
    body: str
    last_is_ours: bool
    last: str
    liked: int = 0
    disliked: int = 0
    """Thumbs up and down on the first comment."""


@dataclass(frozen=True, slots=True)
class LinkedIssue:
    """An issue that the pull request says it solves."""

    number: int
    title: str
    body: str


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
    base_ref: str = ""
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
    checks_not_run: tuple[tuple[str, str], ...] = ()
    """(name, why) of those that had something to read and could not run"""
    checks_unjudged: tuple[str, ...] = ()
    """Those of them that began: what they read may have brought it about."""
    posted: frozenset[str] = frozenset()
    """Fingerprints of findings that stand on this pull request already."""
    threads: tuple[OthersRemark, ...] = ()
    """What others have said about its lines."""
    linked_issues: tuple[LinkedIssue, ...] = ()
    around: dict[str, tuple[ContextCandidate, ...]] = field(default_factory=dict)
    """path -> what a reader of its change should see too: callers, its test, similar code"""
    guides: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """path -> paths of the guidelines that hold for it"""
    owners: tuple[str, ...] = ()
    """Whom CODEOWNERS on the base names for the changed files."""
    blocking: tuple[int, ...] = ()
    """Hob's reviews here that ask for changes still, by their ids."""
    without_lines: tuple[str, ...] = ()
    """Paths of which no line changed: empty, renamed, of another mode. There is nothing more to read."""
    same_head: tuple[SetCheck, ...] = ()
    """What other open pull requests of this very head came to."""
    reviews: tuple[PostReview, ...] = ()
    """What Hob has posted on this pull request, oldest first."""
    own_threads: tuple[OwnThread, ...] = ()
    may_resolve: bool = False
    """Whether GitHub lets Hob resolve them."""
    focus: str = ""
    """What whoever asked wants the review narrowed to."""
    effort: Effort = "normal"
    effort_rule: str = ""
    """The rule of `review.effort` that says so; empty where there is none, or a person asked."""
    read_before: bool = False
    """Whether this head was read whole before, for everything."""
    earlier: ReviewedHead | None = None
    """The newest head that was reviewed before this one; None: everything is to be read."""
    passes: int = 1
    """How often the change is read."""
    tools: Tools = field(default_factory=Tools)
    memory: tuple[Memory, ...] = ()
    """What people taught Hob about the repository."""

    @property
    def narrowed(self) -> str:
        """What alone was looked for, where the head was never read for everything else; empty: everything."""
        if self.read_before:
            return ""
        return "security" if self.effort == "security" else "what was asked about" if self.focus else ""


@dataclass(frozen=True, slots=True)
class IssueFacts:
    """An issue as it stands, and what the repository says to whoever sorts it."""

    context: RepoContext
    number: int
    title: str
    body: str
    author: Login
    labels: tuple[str, ...] = ()
    heard: Mapping[str, str] = field(default_factory=dict)
    """The workflow by the folded name of the label that it acts on (`bot.core.labels`)."""
    suspicion: Suspicion = ""
    type: str = ""
    """GitHub's issue type, as it is set now."""
    types: tuple[str, ...] = ()
    """Those that may be set; empty too where Hob has set one before, or a workflow acts on it."""
    form: FilledForm | None = None
    rules: str = ""
    """How the project sorts, in prose."""
    files: tuple[tuple[NamedFile, str], ...] = ()
    """Those that the text names and that exist, each with the lines around the one that is named."""
    owners: tuple[str, ...] = ()
    """Whom CODEOWNERS names for these files."""
    people: tuple[str, ...] = ()
    """Who knows these files by their history."""
    policy: str = ""
    """The security policy, as a reader finds it."""
    said: tuple[tuple[Login, str], ...] = ()
    """(who, what) of the conversation, oldest first; Hob's own words left out."""
    refused: frozenset[str] = frozenset()
    """Folded names of labels that people took off: they are not set again."""
    told: frozenset[str] = frozenset()
    """What Hob's comments and drafts here were about (`bot.agents.issue`): each is said once."""
    may_speak: bool = True
    """Whether a comment may be made at all: not on a locked issue."""
    answers: bool = True
    """Whether its author can answer: not a deleted account."""
    requested: bool = False
    """Somebody gave the command, and waits for an answer."""
    site: str = "https://github.com"
    pictures: str = ""
    """What those that it shows were seen to show."""
    also: tuple[str, ...] = ()
    """Further paragraphs of what there is to say: what was reported before."""


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
    unheard: int = 0
    """Comments before these that were not asked for."""
    files: tuple[FileDiff, ...] = ()
    """The change, on a pull request."""
    head_sha: Sha | None = None
    library: Library | None = None
    """The changed files at the head; of all others what the repository's index has, of the base or the
    default branch."""
    spent: list[Usage] = field(default_factory=list)
    """What looking into it has taken by now."""
    slug: str = "hob"


@dataclass(frozen=True, slots=True)
class ChangeFacts:
    """A pull request's change to be described. `labels` are on it, `context.labels` exist."""

    context: RepoContext
    number: int
    title: str
    body: str
    head_sha: Sha
    files: tuple[FileDiff, ...]
    """Those to be read."""
    skipped: tuple[Skipped, ...] = ()
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit that touched what is asked about. `at` is the day, as 2026-11-27."""

    sha: Sha
    author: str
    message: str
    at: str


@dataclass(frozen=True, slots=True)
class ExplainFacts:
    """Code that somebody wants explained, and what its history tells."""

    context: RepoContext
    title: str
    subject: str
    """`path:12-40`, a path, or the whole change."""
    wish: str = ""
    """What else was said with the command."""
    excerpts: tuple[Excerpt, ...] = ()
    """What can be cited."""
    files: tuple[FileDiff, ...] = ()
    """The change, where it is what is asked about."""
    commits: tuple[Commit, ...] = ()
    """Newest first."""
    issues: tuple[LinkedIssue, ...] = ()
    """Those that the commits name."""


@dataclass(frozen=True, slots=True)
class FixFacts:
    """A point on lines `start` to `end` of a file's head that somebody wants mended."""

    context: RepoContext
    title: str
    file: FileDiff
    text: str
    """The whole file at the head."""
    start: int
    end: int
    conversation: tuple[tuple[Login, str], ...]
    """(who, what), oldest first"""
    asker: Login
    wish: str = ""
    """What was said with the command."""
    tools: Tools = field(default_factory=Tools)


def _anything(_: str) -> bool:
    return True


def nothing_wrong(_path: str, _before: str, _after: str) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class PatchFacts:
    """What a patch is to be written from. `texts`: the files that may be changed, those that matter most
    first, as the head has them."""

    context: RepoContext
    kind: Literal["fix", "tests", "docs", "changelog", "simplify", "implement", "ci", "recipe"]
    title: str
    description: str
    texts: Mapping[str, str]
    conversation: tuple[tuple[Login, str], ...] = ()
    """(who, what): of a fix the points, then what was said about them."""
    wish: str = ""
    instructions: str = ""
    """What is to be done, as whoever maintains the repository wrote it (a recipe)."""
    modes: Mapping[str, int] = field(default_factory=dict)
    """git's modes of `texts`."""
    names: tuple[str, ...] = ()
    """Paths that are there beside `texts`."""
    exists: Callable[[str], bool] | None = None
    """Whether a path is there, and then `modes` has it; None: as far as `texts` tell."""
    allowed: Callable[[str], bool] = _anything
    """Whether `code.paths` lets a patch touch a path, and the kind of patch does."""
    wrong: Callable[[str, str, str], str] = nothing_wrong
    """(path, before, after) -> what such a patch may not change there; empty where it did not."""
    tools: Tools = field(default_factory=Tools)


@dataclass(frozen=True, slots=True)
class MergeFacts:
    """A merge that git could not make alone. `base`: the branch that is merged in."""

    context: RepoContext
    title: str
    base: str
    conflicts: tuple[Conflict, ...]
    allowed: Callable[[str], bool] = _anything
    """Whether `code.paths` lets Hob write a path."""
    tools: Tools = field(default_factory=Tools)


@dataclass(frozen=True, slots=True)
class StartedThread:
    """A thread on a line that Hob began. `review`: the review in which it did; `ours`: ids of Hob's comments
    in it; `answered`: whether anybody else wrote there."""

    review: int
    ours: tuple[int, ...]
    answered: bool


@dataclass(frozen=True, slots=True)
class UndoFacts:
    """What is to be taken back, and what has become of it."""

    number: int
    past_run: PastRun
    past_runs: tuple[PastRun, ...]
    """All that Hob has done here, oldest first."""
    asker: Login
    talks: tuple[StartedThread, ...] = ()
    memory: tuple[Memory, ...] = ()
    drafts: tuple[Draft, ...] = ()
    """Those that wait here."""
    slug: str = "hob"
    gates: bool = False
    """Whether findings do (`review.request_changes`)."""


@dataclass(frozen=True, slots=True)
class ReplyFacts:
    """Somebody's answer to a finding, in its thread."""

    number: int
    thread: int
    """Its first comment's id."""
    finding: Finding
    code: str
    """The finding's lines and those around them, as the head has them; empty where they are gone."""
    conversation: tuple[tuple[Login, str], ...]
    """(who, what) before the answer, oldest first"""
    who: Login
    said: str
    trusted: bool
    """Whether they may have findings dismissed: triage permission and above."""
    node: str = ""
    """The thread in GraphQL, where it is open."""
    may_resolve: bool = False
    remembered: int = 0
    """How many lessons memory holds."""
    slug: str = "hob"
    language: str = "en"
