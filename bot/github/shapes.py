"""The shapes of webhook bodies, as far as Hob reads them. What else GitHub sends does not matter.

https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

from typing import Annotated

from msgspec import Meta, Struct

Id = Annotated[int, Meta(ge=0, le=2**63 - 1)]
"""What a database's BIGINT holds."""
Hex = Annotated[str, Meta(pattern=r"\A(?:[0-9a-f]{40}|[0-9a-f]{64})\Z")]
Name = Annotated[str, Meta(pattern=r"\A(?!\.{1,2}\Z)[A-Za-z0-9_.-]{1,255}\Z")]
"""An owner's or a repository's name: it becomes part of URLs."""


class User(Struct, gc=False):
    login: Annotated[str, Meta(min_length=1, max_length=255)]
    id: Id = 0
    type: str = "User"


GHOST = User(login="ghost", id=10137)
"""Whom GitHub shows in place of a deleted account."""


class Owner(Struct, gc=False):
    login: Name


class Repository(Struct, gc=False):
    """One that does not say so is taken to be private: nothing of it may leave."""

    id: Id
    name: Name
    owner: Owner
    private: bool = True
    default_branch: str = "main"


class Numbered(Struct, gc=False):
    id: Id


class Label(Struct, gc=False):
    name: str


class Head(Struct, gc=False):
    """`repo` is null when a fork was deleted."""

    sha: Hex
    repo: Numbered | None = None


class Base(Struct, gc=False):
    """`repo` is the repository that the delivery names."""

    sha: Hex
    ref: str
    repo: Numbered | None = None


class PullRequest(Struct, gc=False):
    head: Head
    base: Base
    title: str
    user: User | None = None
    draft: bool = False
    labels: list[Label] = []


class Presence(Struct, gc=False):
    """Something whose being there is all that counts."""


class Issue(Struct, gc=False):
    number: Id
    title: str
    body: str | None = None
    user: User | None = None
    labels: list[Label] | None = None
    pull_request: Presence | None = None


class Comment(Struct, gc=False):
    id: Id
    body: str | None = None
    user: User | None = None
    performed_via_github_app: Numbered | None = None


class ReviewComment(Comment, gc=False):
    path: str = ""
    diff_hunk: str = ""
    in_reply_to_id: Id | None = None


class From(Struct, rename={"before": "from"}, gc=False):
    before: str | None = None


class Changes(Struct, gc=False):
    body: From | None = None
    title: Presence | None = None
    base: Presence | None = None


class Delivery(Struct, gc=False):
    """What every delivery about a repository has."""

    repository: Repository
    sender: User | None = None
    installation: Numbered | None = None


class Account(Struct, gc=False):
    login: str


class Installation(Struct, gc=False):
    id: Id
    account: Account | None = None


class Listed(Struct, gc=False):
    """A repository as deliveries about installations list it."""

    id: Id
    full_name: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_.-]{1,255}/[A-Za-z0-9_.-]{1,255}\Z")]
    private: bool = True


class InstallationDelivery(Struct, gc=False, kw_only=True):
    """`repositories` of `installation`, `repositories_removed` of `installation_repositories`."""

    installation: Installation
    repositories: list[Listed] | None = None
    repositories_removed: list[Listed] | None = None
    sender: User | None = None


class PushDelivery(Delivery, gc=False, kw_only=True):
    ref: str
    before: Hex
    after: Hex
    forced: bool = False
    deleted: bool = False


class MergeGroup(Struct, gc=False):
    head_sha: Hex
    head_ref: str
    base_ref: str


class MergeGroupDelivery(Delivery, gc=False, kw_only=True):
    merge_group: MergeGroup


class PullRequestDelivery(Delivery, gc=False, kw_only=True):
    number: Id
    pull_request: PullRequest
    changes: Changes | None = None


class IssueDelivery(Delivery, gc=False, kw_only=True):
    issue: Issue


class CommentDelivery(Delivery, gc=False, kw_only=True):
    issue: Issue
    comment: Comment
    changes: Changes | None = None


class RequestedAction(Struct, gc=False):
    identifier: str = ""


class CheckRun(Struct, gc=False):
    """`pull_requests` is empty for those from forks."""

    head_sha: Hex
    external_id: str | None = None


class CheckRunDelivery(Delivery, gc=False, kw_only=True):
    check_run: CheckRun
    requested_action: RequestedAction | None = None


class NumberedPullRequest(Struct, gc=False):
    number: Id
    user: User | None = None


class NumberedIssue(Struct, gc=False):
    number: Id


class NumberedDelivery(Delivery, gc=False, kw_only=True):
    issue: NumberedIssue


class ReviewDelivery(Delivery, gc=False, kw_only=True):
    pull_request: NumberedPullRequest
    review: Comment
    changes: Changes | None = None


class ReviewCommentDelivery(Delivery, gc=False, kw_only=True):
    pull_request: NumberedPullRequest
    comment: ReviewComment
    changes: Changes | None = None
