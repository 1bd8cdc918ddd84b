"""The one port through which GitHub is read, and what it gives. All text in it is hostile."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.core.ci import CiState, FailedCheck
from bot.core.diff import FileDiff
from bot.core.errors import Gone
from bot.core.facts import Commit, OthersRemark, OwnThread
from bot.core.guidelines import Guidance
from bot.core.pictures import Picture
from bot.core.recipes import RecipeFiles
from bot.core.refs import Actor, Login, Permission, Sha
from bot.core.settings import Complaint
from bot.core.triage_sources import TriageSources
from bot.core.work_items import Milestone, Release, WorkItem

IssueStates = Literal["open", "closed", "all"]


@dataclass(frozen=True, slots=True)
class PullRequestState:
    """A pull request as it stands now; by default the open one that a change would be."""

    number: int
    head_sha: Sha
    base_sha: Sha
    title: str
    body: str
    author: Actor
    base_ref: str = ""
    head_ref: str = ""
    labels: tuple[str, ...] = ()
    open: bool = True
    draft: bool = False
    merged: bool = False
    from_fork: bool = False
    changed_files: int = 0
    review_comments: int = 0
    comments: int = 0
    """In its conversation."""

    @property
    def rules_at(self) -> str:
        """Where commands that write code find their settings and recipes: the base branch as it is now.
        `base_sha` is where it was at the last push; what is forbidden since has to hold at once."""
        return f"refs/heads/{self.base_ref}" if self.base_ref else self.base_sha


@dataclass(frozen=True, slots=True)
class TreePath:
    """`mode` is git's (0o100644 a file, 0o120000 a symlink, 0o040000 a folder), `size` a file's in bytes."""

    mode: int
    size: int = 0


@dataclass(frozen=True, slots=True)
class OpenPull:
    """One of the open pull requests. `reviewers`: people and teams who are asked for a review; `updated`:
    in seconds since 1970."""

    number: int
    title: str
    author: Login
    base_ref: str
    head_sha: Sha
    draft: bool = False
    updated: float = 0
    reviewers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class IssueState:
    """An issue, or the issue side of a pull request, as it stands now."""

    number: int
    open: bool
    title: str
    body: str
    author: Actor
    labels: tuple[str, ...]
    comments: int
    is_pull_request: bool
    created_at: float = 0
    """Times in seconds since 1970; 0: unknown, or not yet."""
    updated_at: float = 0
    closed_at: float = 0
    state_reason: str = ""
    """completed, not_planned, duplicate, reopened; empty: GitHub says none."""
    type: str = ""
    """One of the organisation's types of issues."""
    milestone: str = ""
    assignees: tuple[Login, ...] = ()
    locked: bool = False
    transferred: bool = False
    """It goes on in another repository: what is told is how it stands there, and nothing can be written."""


@dataclass(frozen=True, slots=True)
class RawComment:
    """Of a conversation, or on a line."""

    id: int
    author: Actor
    body: str
    review: int = 0
    """The review that a comment on a line was made in."""
    at: float = 0
    """When it was written, in seconds since 1970."""
    url: str = ""
    """Its own page."""
    number: int = 0
    """The issue or pull request under which it stands, where that is told."""


@dataclass(frozen=True, slots=True)
class IssueHappening:
    """What somebody did to an issue or pull request at a time, in seconds since 1970. `what` is GitHub's word
    (`closed`, `labeled`, `renamed`, …), `about` what it is about: a label, a login, a title."""

    at: float
    by: Login
    what: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation on a line, oldest comment first."""

    path: str
    comments: tuple[RawComment, ...]
    line: int | None = None
    """On the new side, as the head is now; None where those lines are no longer in the change."""
    start_line: int | None = None


def conversation(comments: Sequence[RawComment], *, without: int = 0) -> tuple[tuple[Login, str], ...]:
    """Who said what, but for the comment of that id."""
    return tuple((one.author.login, one.body) for one in comments if one.id != without)


class GitHubReader(ABC):
    """One repository, read only. A method costs one call, or as few as there are pages.

    What is not abstract answers for a change that is not on GitHub (a local range, a labelled case): nobody
    has said anything about it, and nothing is known but the change itself.
    """

    __slots__ = ()

    @property
    def site(self) -> str:
        """Where people look at it."""
        return "https://github.com"

    @property
    def takes_issues(self) -> bool:
        """Whether the repository has issues, as far as that was told by now."""
        return True

    @abstractmethod
    async def pull_request(self, number: int) -> PullRequestState:
        """`Gone` when there is none."""

    async def open_pulls(self, most: int = 100) -> Sequence[OpenPull]:
        """The last changed first; a call for each 100."""
        return ()

    async def changes_requested(self, number: int) -> tuple[Login, ...]:
        """Whose last review of a pull request asks for changes."""
        return ()

    @abstractmethod
    async def files(self, number: int) -> list[FileDiff]:
        """The changed files of a pull request, at most 3,000: more GitHub does not list."""

    @abstractmethod
    async def texts(self, sha: Sha, paths: Sequence[str]) -> dict[str, str]:
        """Of those paths that are text of at most 512 KB at a commit."""

    @abstractmethod
    async def config_text(self, ref: str) -> tuple[str | None, tuple[Complaint, ...]]:
        """`.github/hob.yml` at a base, never at a head; with a complaint where it cannot be read."""

    async def sizes(self, sha: Sha, paths: Sequence[str]) -> dict[str, int]:
        """Bytes of those paths that are files, as far as they can be known."""
        return {}

    async def tip(self, branch: str) -> tuple[Sha, Sha]:
        """The newest commit of a branch and that commit's tree; `Gone` when there is none."""
        raise Gone(404, "there are no branches here")

    async def modes(self, sha: Sha, paths: Sequence[str]) -> dict[str, int]:
        """git's mode (0o100644 a file, 0o120000 a symlink) of those paths that are there, in any case."""
        return {}

    async def tree(self, sha: Sha) -> dict[str, TreePath]:
        """All that lies in a commit's or tree's folders, by path, in one call; nothing where that is more
        than GitHub tells at once."""
        return {}

    async def reports(self, sha: Sha) -> dict[str, str]:
        """Name -> text of the coverage reports that CI published for a commit."""
        return {}

    async def guidance(self, base: Sha, changed: Sequence[str], named: Sequence[str]) -> Guidance:
        """What the repository says to its reviewers about the changed files; `named`: files of the root."""
        return Guidance()

    async def recipe_files(self, ref: str, name: str = "") -> RecipeFiles:
        """What lies where recipes do: all, or nothing where none has that name, and else its text alone."""
        return {}

    async def workflows(self, ref: str) -> dict[str, str]:
        """path -> text of its GitHub Actions workflows."""
        return {}

    async def labels(self) -> tuple[tuple[str, str], ...]:
        """(name, description) of the labels that exist."""
        return ()

    async def triage_sources(self, ref: str, number: int = 0) -> TriageSources:
        """What the repository says to whoever sorts its issues, at a ref that is no head; with the
        conversation of an issue where one is named."""
        return TriageSources()

    async def pictures(self, number: int, addresses: Sequence[str]) -> Sequence[Picture]:
        """Of the attachments of an issue's text those that are pictures of a size to be shown."""
        return ()

    async def issue(self, number: int) -> IssueState:
        """`Gone` when there is none."""
        raise Gone(404, "there are no issues here")

    async def issue_numbers(
        self, *, since: float = 0, labels: Sequence[str] = (), state: IssueStates = "open", most: int = 5_000
    ) -> Sequence[int]:
        """Of people's issues that were opened since then and have all of these labels, oldest first."""
        return ()

    async def comments(self, number: int, total: int = 0, most: int = 50) -> Sequence[RawComment]:
        """The newest `most` of a conversation, oldest first. `total`, if it is known, saves reading
        others."""
        return ()

    async def said_since(self, at: float, most: int = 300) -> Sequence[RawComment]:
        """The newest comments of all conversations that were written or changed since, oldest first."""
        return ()

    async def happenings(self, number: int, most: int = 500) -> Sequence[IssueHappening]:
        """What was done to an issue or pull request, oldest first, as far as the first `most` tell."""
        return ()

    async def thread(self, number: int, comment_id: int) -> Sequence[RawComment]:
        """The conversation that a comment on a line belongs to. `Gone` when it is not there."""
        return ()

    async def threads(self, number: int) -> Sequence[Thread]:
        """The conversations on lines of a pull request, oldest first."""
        return ()

    async def own_threads(self, number: int) -> Sequence[OwnThread]:
        """Those that Hob began, oldest first."""
        return ()

    async def annotations(self, head: Sha) -> Sequence[OthersRemark]:
        """What others have said about lines of a head in check runs."""
        return ()

    async def ci(self, sha: Sha) -> CiState:
        """What the checks of a commit came to, Hob's own left out."""
        return CiState()

    async def ci_details(self, failed: Sequence[FailedCheck]) -> tuple[FailedCheck, ...]:
        """Some of these with what they say of why: steps, logs, annotations."""
        return tuple(failed)

    async def has_comment(self, comment_id: int) -> bool:
        """Whether a comment of a conversation is still there."""
        return False

    async def comment_text(self, comment_id: int) -> str | None:
        """Of a comment of a conversation; None where it is gone."""
        return None

    async def touching(self, path: str, ref: str, most: int) -> Sequence[Commit]:
        """The newest commits up to `ref` that changed a file, at most 100, newest first."""
        return ()

    async def merging(self, branch: str, head: Sha) -> tuple[int, ...]:
        """The pull requests that a merge queue's commits name which `head` has and the branch has not, in the
        order of the queue."""
        return ()

    async def work_items(
        self, *, milestone: str = "", open_only: bool = True, most: int = 1000
    ) -> Sequence[WorkItem]:
        """Issues and pull requests, the last updated first; a call for each 100. `milestone` is a title."""
        return ()

    async def work_item(self, number: int) -> WorkItem:
        """One of them, open or closed. `Gone` when there is none."""
        raise Gone(404, "there are no issues here")

    async def milestones(self) -> Sequence[Milestone]:
        """Open and closed, at most 500."""
        return ()

    async def releases(self, most: int = 30) -> Sequence[Release]:
        """The newest first; drafts are nobody's to see."""
        return ()

    async def granted(self) -> Mapping[str, str]:
        """What the installation lets the App do: permission -> level."""
        return {}

    async def may(self, permissions: Mapping[str, str]) -> bool:
        """Whether the installation lets the App do all of this (permission -> level)."""
        return False

    async def permission(self, login: str) -> Permission:
        """What this person may do here, asked now."""
        return "none"
