"""What Hob may cause: a closed union. Agents and handlers only return these; `bot.effects` says how each is
carried out, found again and undone. There is no approval, no merge, no close: what has no type here cannot
happen."""

from dataclasses import dataclass, field
from typing import Literal

from bot.core.ci_session import CiSession
from bot.core.findings import Finding, JudgedFinding
from bot.core.inference import Usage
from bot.core.memory import Lesson
from bot.core.merging import CommittedFile
from bot.core.own_texts import DropDraft as DropDraft
from bot.core.own_texts import EditIssue as EditIssue
from bot.core.own_texts import KeepDraft as KeepDraft
from bot.core.own_texts import OpenIssue as OpenIssue
from bot.core.pr_description import Proposal
from bot.core.refs import Actor, Sha
from bot.core.taken_back import DeleteBranch as DeleteBranch
from bot.core.taken_back import RevertCommit as RevertCommit
from bot.core.taken_back import WithdrawPullRequest as WithdrawPullRequest

Conclusion = Literal["success", "neutral", "action_required", "failure"]
"""From the best to the worst. GitHub lets the first two pass where a check is required."""
ReactionContent = Literal["eyes", "+1", "confused"]
AnnotationLevel = Literal["notice", "warning", "failure"]
PullState = Literal["active", "paused", "ignored"]
"""`paused`: until it is resumed; `ignored`: for good, and the check run says nothing of it."""


@dataclass(frozen=True, slots=True)
class LineComment:
    """An inline comment of a review on lines of the new side; `start_line` is None for a single line.

    https://docs.github.com/en/rest/pulls/reviews#create-a-review-for-a-pull-request
    """

    path: str
    line: int
    body: str
    start_line: int | None = None
    suggestion: str | None = None
    """New text for exactly these lines; posted as a suggestion block, kept apart from prose so that prose
    can hold none."""
    fingerprint: str = ""
    """Names the finding over time (`bot.core.findings.fingerprint`)."""


@dataclass(frozen=True, slots=True)
class PostReview:
    """One review of one head, all or nothing."""

    number: int
    head_sha: Sha
    body: str
    comments: tuple[LineComment, ...] = ()
    event: Literal["COMMENT", "REQUEST_CHANGES"] = "COMMENT"
    findings: tuple[Finding, ...] = ()
    """What it says, worst first: the N of `dismiss N` and `why N`. Kept, not posted."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """A remark of a check run on lines of a file."""

    path: str
    start_line: int
    end_line: int
    level: AnnotationLevel
    title: str
    message: str


@dataclass(frozen=True, slots=True)
class SetCheck:
    """The completed check run named Hob of a head. https://docs.github.com/en/rest/checks/runs"""

    head_sha: Sha
    conclusion: Conclusion
    title: str
    summary: str
    text: str = ""
    annotations: tuple[Annotation, ...] = ()
    read: tuple[str, ...] = ()
    """Paths that were read whole at this head or before. Kept, not posted."""
    judged: bool = False
    """Whether a review stands behind it, and not only a reason for none. Kept, not posted."""
    number: int = 0
    """The pull request that it is about, by which a button on it finds the way back."""
    bound: bool = True
    """Whether it is void once the head has moved on. Kept, not posted."""
    base: str = ""
    """The branch against which the head was judged. Kept, not posted."""
    own: Conclusion | None = None
    """What its own pull request came to, where another of the same head made it worse. Kept, not posted."""
    waiting: int = 0
    """The check run that said that this one is to be waited for, and becomes it."""
    untold: bool = False
    """Whether its review was refused, so that what it judged has not been said. Kept, not posted."""
    quick: bool = False
    """Whether the head was read quickly. Kept, not posted."""
    narrowed: bool = False
    """Whether it was read for something alone: that is no review of it. Kept, not posted."""


@dataclass(frozen=True, slots=True)
class BeginCheck:
    """The check run named Hob of a head whose review waits for a model. It is queued until the `SetCheck` of
    which it is the `waiting` completes it."""

    head_sha: Sha
    title: str
    summary: str


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment on an issue or pull request."""

    number: int
    body: str
    folded: str = ""
    """What stands below it, folded away until a reader opens it."""
    about: str = ""
    """Names a comment that is found again later. Kept, not posted."""
    proposal: Proposal | None = None
    """What it proposes. Kept, not posted."""
    why: tuple[str, ...] = ()
    """What it rests on, a line each. Kept, not posted."""
    ci: CiSession | None = None
    """The rounds of `fix ci` that it tells. Kept, not posted."""


@dataclass(frozen=True, slots=True)
class ReplyInThread:
    """A reply under a review comment; `suggestion`: new text for exactly the lines of that thread."""

    number: int
    comment_id: int
    body: str
    suggestion: str | None = None
    head_sha: Sha | None = None
    """The head that a suggestion is for."""


@dataclass(frozen=True, slots=True)
class AddLabels:
    """Labels that already exist in the repository."""

    number: int
    labels: tuple[str, ...]
    why: tuple[str, ...] = ()
    """What each rests on, a line each. Kept, not posted."""


@dataclass(frozen=True, slots=True)
class SetIssueType:
    """One of the organisation's issue types; none at all where `type` is empty.

    https://docs.github.com/en/rest/issues/issues#update-an-issue
    """

    number: int
    type: str
    before: str = ""
    why: tuple[str, ...] = ()
    """What it rests on, a line each. Kept, not posted."""


@dataclass(frozen=True, slots=True)
class React:
    """A reaction to a comment or an issue; GitHub keeps at most one of a kind by one user."""

    subject: Literal["issue", "issue_comment", "review_comment"]
    id: int
    """the comment's id, or the issue's number"""
    content: ReactionContent


@dataclass(frozen=True, slots=True)
class ResolveThread:
    """A thread that Hob began is settled. `thread` is its node id in GraphQL.

    An App needs contents:write for it besides pull_requests:write.
    https://docs.github.com/en/graphql/reference/mutations#resolvereviewthread
    """

    number: int
    thread: str


@dataclass(frozen=True, slots=True)
class EditComment:
    """A comment of Hob's own in a conversation says something else now."""

    number: int
    comment_id: int
    body: str
    folded: str = ""
    own: str = ""
    """What Hob proposed, where people's words stand in the text too. Kept, not posted."""
    ci: CiSession | None = None
    """The rounds of `fix ci` that it tells. Kept, not posted."""


@dataclass(frozen=True, slots=True)
class DeleteComment:
    """A comment of Hob's own goes."""

    subject: Literal["issue_comment", "review_comment"]
    id: int


@dataclass(frozen=True, slots=True)
class EditReview:
    """The text of a review of Hob's own: GitHub lets nobody delete a review that was submitted."""

    number: int
    review_id: int
    body: str


@dataclass(frozen=True, slots=True)
class DismissReview:
    """A review of Hob's own asks for changes no more: it holds up no merge.

    https://docs.github.com/en/rest/pulls/reviews#dismiss-a-review-for-a-pull-request
    """

    number: int
    review_id: int
    why: str


@dataclass(frozen=True, slots=True)
class RemoveLabels:
    """Labels that Hob put on."""

    number: int
    labels: tuple[str, ...]
    why: tuple[str, ...] = ()
    """What it rests on, a line each. Kept, not posted."""


@dataclass(frozen=True, slots=True)
class EditPullRequest:
    """A title and a text that a person asked for."""

    number: int
    title: str
    body: str
    own: str = ""
    """What people wrote themselves, which stays as it is above the text."""


@dataclass(frozen=True, slots=True)
class PushCommit:
    """One commit on top of `parent`: on a new branch of Hob's own, or (`own` False) on a branch that ends in
    `parent` still. Never by force. https://docs.github.com/en/rest/git"""

    number: int
    """The issue or pull request that it is for."""
    branch: str
    parent: Sha
    files: tuple[CommittedFile, ...]
    message: str
    trailers: tuple[str, ...] = ()
    """`Co-authored-by: …`, a line each. They end the message."""
    patch: str = ""
    """The same as a diff, for where it may not be pushed. Kept, not pushed."""
    own: bool = True
    tree: str = ""
    """`parent`'s, where it is known."""
    bound: bool = False
    """Whether `parent` is the head of the pull request `number`: once that has moved on it is void."""
    merges: Sha | None = None
    """A second parent. `tree` may then be its."""
    whole: str = ""
    """The tree that has to come out; empty: whatever does."""
    workflows: bool = False
    """Whether it brings workflows of the other parent along."""


@dataclass(frozen=True, slots=True)
class OpenPullRequest:
    """A pull request of a branch of Hob's own."""

    number: int
    """The issue or pull request that it is for."""
    branch: str
    base: str
    title: str
    body: str
    folded: str = ""
    draft: bool = True


@dataclass(frozen=True, slots=True)
class SetPull:
    """Whether Hob looks at pushes to this pull request by itself."""

    number: int
    state: PullState


@dataclass(frozen=True, slots=True)
class Remember:
    """A lesson for this repository, kept for so many days, or until it is forgotten."""

    lesson: Lesson
    days: int | None = None


@dataclass(frozen=True, slots=True)
class Forget:
    """What memory holds under this number is deleted."""

    n: int


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What this run did before is taken back. 0: none is, and there is nothing to take back of this one
    either, for it only said so."""

    run: int


@dataclass(frozen=True, slots=True)
class RequestCommand:
    """A command is given for somebody who asked for it without a comment, with their own permission (`box`)
    or as one of many by the operator (`batch`). `line` is as in a comment (`/hob triage`); `name`, at most 80
    ASCII characters, is the request's for ever."""

    number: int
    line: str
    by: Actor
    name: str
    on_pull_request: bool = False
    channel: Literal["box", "batch"] = "box"
    quiet: bool = False
    after: float = 0.0
    """Seconds until its turn."""


ReviewEffect = PostReview | EditReview | DismissReview | ReplyInThread | ResolveThread
ConversationEffect = Comment | EditComment | DeleteComment | AddLabels | RemoveLabels | SetIssueType | React
MemoryEffect = Remember | Forget | SetPull | TakenBack | RequestCommand | KeepDraft | DropDraft
CodeEffect = PushCommit | OpenPullRequest | WithdrawPullRequest | DeleteBranch | RevertCommit
IssueEffect = OpenIssue | EditIssue
Effect = (
    ReviewEffect
    | SetCheck
    | BeginCheck
    | ConversationEffect
    | EditPullRequest
    | CodeEffect
    | MemoryEffect
    | IssueEffect
)


@dataclass(frozen=True, slots=True)
class Plan:
    """Effects in the order in which they are applied, and why."""

    effects: tuple[Effect, ...] = ()
    reason: str = ""
    head_sha: Sha | None = None
    """The head that was judged: if the pull request has moved on, nothing of the plan is applied."""
    usage: tuple[Usage, ...] = field(default=())
    again: int = 0
    """How often this head was judged before, against another base: what is meant now is something else."""
    shadow: bool = False
    """Kept and reported, never applied."""
    once: str = ""
    """Names what is meant where it happens once whoever asks for it, or the event that is one of several of
    its kind; "": each asking is one."""
    findings: tuple[JudgedFinding, ...] = field(default=(), repr=False)
    """What a review judged, for people to look up; no effect depends on them."""
    fixed: tuple[str, ...] = ()
    """Fingerprints of earlier findings whose code is gone."""
    opinions: tuple[tuple[str, int, int], ...] = ()
    """(fingerprint, thumbs up, thumbs down) of earlier remarks, as they stand now."""
