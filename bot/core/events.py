"""A verified delivery in our words: a closed set of kinds.

`bot.github.payloads.parse` makes them of verified bytes; what is not here is not ours and becomes `None`
there.
Source of the fields: https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

from dataclasses import dataclass
from typing import Literal

from bot.core.refs import Actor, IssueRef, Login, RepoRef, Sha

PACE = 9.0
"""Between two commands of a batch, times the pause between two writes: at a second, 400 an hour. GitHub takes
500 writes an hour that make content, and people write through Hob too.

https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
"""
Priority = Literal["high", "default", "low"]
"""Of what follows from an event: a person waits; a review; background."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What every delivery tells."""

    delivery: str
    sender: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryEvent(Event):
    """About one repository that Hob may read."""

    repo: RepoRef


@dataclass(frozen=True, slots=True, kw_only=True)
class HobDue(Event):
    """Scheduled work of the whole Hob: no delivery asked for it. It was `due` at that time, epoch seconds."""

    due: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryDue(RepositoryEvent):
    """The same in one repository."""

    due: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRequested(RepositoryEvent):
    """The operator asks for triage of many issues. No delivery of GitHub's: it is made by
    `bot.runs.requests`."""

    since: float = 0
    """Opened at or after; seconds since 1970."""
    labels: tuple[str, ...] = ()
    """All of these are on it."""
    state: Literal["open", "closed", "all"] = "open"
    again: bool = False
    """Also those that were triaged before."""
    quiet: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed(RepositoryEvent):
    """`push`: `ref` (`refs/heads/main`) was `before` and is `after`; either is all zeros where there is
    none."""

    ref: str
    before: Sha
    after: Sha
    forced: bool = False
    deleted: bool = False


class DefaultBranchPushed(Pushed):
    """`push` to the default branch"""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeGroupEvent(RepositoryEvent):
    """`merge_group`: pull requests that a merge queue is about to merge into the branch `base_ref` together.
    `number`: the last of them, as the name of the queue's own branch tells it; 0 where it does not."""

    head_sha: Sha
    base_ref: str
    number: int


class MergeGroupChecksRequested(MergeGroupEvent):
    """action `checks_requested`"""

    __slots__ = ()


class MergeGroupDestroyed(MergeGroupEvent):
    """action `destroyed`: merged, taken out of the queue, or made anew"""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessEvent(Event):
    """Repositories are no longer as they were, or no longer ours to read: what was kept of them goes.
    `account` owns them; `whole`: all of the installation, whatever is listed."""

    installation: int
    account: Login
    repos: tuple[RepoRef, ...]
    whole: bool = False


class InstallationDeleted(AccessEvent):
    """`installation`, action `deleted`: everything that is known of the account goes"""

    __slots__ = ()


class InstallationSuspended(AccessEvent):
    """`installation`, action `suspend`"""

    __slots__ = ()


class RepositoriesRemoved(AccessEvent):
    """`installation_repositories`, action `removed`"""

    __slots__ = ()


class RepositoryRemoved(AccessEvent):
    """`repository`, actions `deleted`, `transferred`"""

    __slots__ = ()


class RepositoryChanged(AccessEvent):
    """`repository`, actions `privatized`, `renamed`"""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueEvent(RepositoryEvent):
    """About one issue or pull request."""

    number: int

    @property
    def issue(self) -> IssueRef:
        return IssueRef(self.repo, self.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequestEvent(IssueEvent):
    """`pull_request`, whatever the action."""

    head_sha: Sha
    base_sha: Sha
    base_ref: str
    title: str
    author: Actor
    draft: bool
    labels: tuple[str, ...] = ()
    from_fork: bool = False
    body: str = ""
    head_ref: str = ""


class PullRequestOpened(PullRequestEvent):
    """action `opened`"""

    __slots__ = ()


class PullRequestReopened(PullRequestEvent):
    """action `reopened`"""

    __slots__ = ()


class PullRequestReadyForReview(PullRequestEvent):
    """action `ready_for_review`: a draft no more"""

    __slots__ = ()


class PullRequestSynchronized(PullRequestEvent):
    """action `synchronize`: its head moved"""

    __slots__ = ()


class PullRequestEdited(PullRequestEvent):
    """action `edited`: its text"""

    __slots__ = ()


class PullRequestRetitled(PullRequestEdited):
    """action `edited`: its title"""

    __slots__ = ()


class PullRequestRetargeted(PullRequestEdited):
    """action `edited`: its base, by a person or by GitHub where a stacked base was merged and deleted"""

    __slots__ = ()


class PullRequestRelabeled(PullRequestEvent):
    """actions `labeled`, `unlabeled`"""

    __slots__ = ()


class PullRequestConvertedToDraft(PullRequestEvent):
    """action `converted_to_draft`"""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequestClosed(PullRequestEvent):
    """action `closed`: nothing is reviewed after it"""

    merged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueOpened(IssueEvent):
    """`issues`, action `opened`"""

    title: str
    body: str
    author: Actor
    labels: tuple[str, ...] = ()


class IssueChanged(IssueEvent):
    """`issues`, an action that its kinds name"""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueEdited(IssueChanged):
    """action `edited`: its title or its text. What was before is None where it is the same still."""

    title: str
    body: str
    author: Actor
    previous_title: str | None = None
    previous_body: str | None = None


class IssueClosed(IssueChanged):
    """action `closed`"""

    __slots__ = ()


class IssueReopened(IssueChanged):
    """action `reopened`"""

    __slots__ = ()


class IssueRemoved(IssueEvent):
    """`issues`, actions `deleted`, `transferred`: it is no longer here"""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRunRequested(IssueEvent):
    """`check_run`, actions `rerequested` and `requested_action`: somebody pressed a button of Hob's check
    run. `everything`: all is to be read again, not only what is new."""

    head_sha: Sha
    everything: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecksCompleted(IssueEvent):
    """`check_suite`, action `completed`: all check runs that one App (`app`: its name) made for a commit have
    ended; those of other Apps may not have. `number`: of the pull request for which Hob pushed it, as far as
    names tell."""

    head_sha: Sha
    app: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentEvent(IssueEvent):
    """A comment on an issue, a pull request or a line of one."""

    comment_id: int
    body: str
    previous_body: str | None
    """The text before an edit; `None` for a new comment."""
    author: Actor
    app_id: int | None
    """The App through which it was written (`performed_via_github_app`), by itself or by a person."""
    on_pull_request: bool
    issue_author: Login


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRequested(CommentEvent):
    """A command that was given without a comment (`comment_id` is 0): `body` is its line. No delivery of
    GitHub's: it is made by `bot.runs.requests`."""

    channel: Literal["api", "dashboard", "box", "batch"]
    """`api`, `dashboard`, `batch`: the operator, who may do everything; `box`: whoever ticked a box, with the
    permission that GitHub tells. A batch is in no hurry."""
    quiet: bool = False
    """Nothing is to be said on the issue, whatever is done there."""
    context: str = ""
    """What the operator says beside the command: data, never a command."""


class IssueCommentCreated(CommentEvent):
    """`issue_comment`, action `created`"""

    __slots__ = ()


class IssueCommentEdited(CommentEvent):
    """`issue_comment`, action `edited`"""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewCommentEvent(CommentEvent):
    """`pull_request_review_comment`: in a thread on a line."""

    path: str
    diff_hunk: str
    in_reply_to: int | None


class ReviewCommentCreated(ReviewCommentEvent):
    """action `created`"""

    __slots__ = ()


class ReviewCommentEdited(ReviewCommentEvent):
    """action `edited`"""

    __slots__ = ()


class ReviewEvent(CommentEvent):
    """`pull_request_review`: the text of a whole review, whose id is `comment_id`"""

    __slots__ = ()


class ReviewSubmitted(ReviewEvent):
    """action `submitted`"""

    __slots__ = ()


class ReviewEdited(ReviewEvent):
    """action `edited`"""

    __slots__ = ()
