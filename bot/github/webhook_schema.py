"""The shapes of webhook bodies, as far as Hob reads them. What else GitHub sends does not matter.

https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

from typing import Annotated

from msgspec import Meta, Struct

GitHubId = Annotated[int, Meta(ge=0, le=2**63 - 1)]
"""What a database's BIGINT holds."""
Hex = Annotated[str, Meta(pattern=r"\A(?:[0-9a-f]{40}|[0-9a-f]{64})\Z")]
Name = Annotated[str, Meta(pattern=r"\A(?!\.{1,2}\Z)[A-Za-z0-9_.-]{1,255}\Z")]
"""An owner's or a repository's name: it becomes part of URLs."""


class UserPayload(Struct, gc=False):
    login: Annotated[str, Meta(min_length=1, max_length=255)]
    id: GitHubId = 0
    type: str = "User"


GHOST = UserPayload(login="ghost", id=10137)
"""Whom GitHub shows in place of a deleted account."""


class Owner(Struct, gc=False):
    login: Name


class RepositoryPayload(Struct, gc=False):
    """One that does not say so is taken to be private: nothing of it may leave."""

    id: GitHubId
    name: Name
    owner: Owner
    private: bool = True
    default_branch: str = "main"


class NumberedPayload(Struct, gc=False):
    id: GitHubId


class LabelPayload(Struct, gc=False):
    name: str


class Head(Struct, gc=False):
    """`repo` is null when a fork was deleted."""

    sha: Hex
    ref: str = ""
    repo: NumberedPayload | None = None


class BasePayload(Struct, gc=False):
    """`repo` is the repository that the delivery names."""

    sha: Hex
    ref: str
    repo: NumberedPayload | None = None


class PullRequestPayload(Struct, gc=False):
    head: Head
    base: BasePayload
    title: str
    body: str | None = None
    user: UserPayload | None = None
    draft: bool = False
    merged: bool | None = False
    labels: list[LabelPayload] = []


class Presence(Struct, gc=False):
    """Something whose being there is all that counts."""


class IssuePayload(Struct, gc=False):
    number: GitHubId
    title: str
    body: str | None = None
    user: UserPayload | None = None
    labels: list[LabelPayload] | None = None
    pull_request: Presence | None = None


class CommentPayload(Struct, gc=False):
    id: GitHubId
    body: str | None = None
    user: UserPayload | None = None
    performed_via_github_app: NumberedPayload | None = None


class ReviewCommentPayload(CommentPayload, gc=False):
    path: str = ""
    diff_hunk: str = ""
    in_reply_to_id: GitHubId | None = None


class From(Struct, rename={"before": "from"}, gc=False):
    before: str | None = None


class Changes(Struct, gc=False):
    body: From | None = None
    title: From | None = None
    base: Presence | None = None


class DeliveryPayload(Struct, gc=False):
    """What every delivery about a repository has."""

    repository: RepositoryPayload
    sender: UserPayload | None = None
    installation: NumberedPayload | None = None


class Account(Struct, gc=False):
    login: str


class InstallationPayload(Struct, gc=False):
    id: GitHubId
    account: Account | None = None


class Listed(Struct, gc=False):
    """A repository as deliveries about installations list it."""

    id: GitHubId
    full_name: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_.-]{1,255}/[A-Za-z0-9_.-]{1,255}\Z")]
    private: bool = True


class InstallationDelivery(Struct, gc=False, kw_only=True):
    """`repositories` of `installation`, `repositories_removed` of `installation_repositories`."""

    installation: InstallationPayload
    repositories: list[Listed] | None = None
    repositories_removed: list[Listed] | None = None
    sender: UserPayload | None = None


class PushDelivery(DeliveryPayload, gc=False, kw_only=True):
    ref: str
    before: Hex
    after: Hex
    forced: bool = False
    deleted: bool = False


class MergeGroupPayload(Struct, gc=False):
    head_sha: Hex
    head_ref: str
    base_ref: str


class MergeGroupDelivery(DeliveryPayload, gc=False, kw_only=True):
    merge_group: MergeGroupPayload


class PullRequestDelivery(DeliveryPayload, gc=False, kw_only=True):
    number: GitHubId
    pull_request: PullRequestPayload
    changes: Changes | None = None


class IssueDelivery(DeliveryPayload, gc=False, kw_only=True):
    issue: IssuePayload
    changes: Changes | None = None


class CommentDelivery(DeliveryPayload, gc=False, kw_only=True):
    issue: IssuePayload
    comment: CommentPayload
    changes: Changes | None = None


class AppPayload(Struct, gc=False):
    slug: str | None = None


class InRepository(Struct, gc=False):
    repo: NumberedPayload | None = None


class SuitePullRequest(Struct, gc=False):
    number: GitHubId
    head: InRepository
    base: InRepository


class CheckSuitePayload(Struct, gc=False):
    """`head_branch` is null and `pull_requests` is empty for a fork's; pull requests of the branch into other
    repositories are among them."""

    head_sha: Hex
    head_branch: str | None = None
    app: AppPayload | None = None
    pull_requests: list[SuitePullRequest] | None = None


class CheckSuiteDelivery(DeliveryPayload, gc=False, kw_only=True):
    check_suite: CheckSuitePayload


class RequestedAction(Struct, gc=False):
    identifier: str = ""


class CheckRunPayload(Struct, gc=False):
    """`pull_requests` is empty for those from forks."""

    head_sha: Hex
    external_id: str | None = None


class CheckRunDelivery(DeliveryPayload, gc=False, kw_only=True):
    check_run: CheckRunPayload
    requested_action: RequestedAction | None = None


class NumberedPullRequest(Struct, gc=False):
    number: GitHubId
    user: UserPayload | None = None


class NumberedIssue(Struct, gc=False):
    number: GitHubId


class NumberedDelivery(DeliveryPayload, gc=False, kw_only=True):
    issue: NumberedIssue


class ReviewDelivery(DeliveryPayload, gc=False, kw_only=True):
    pull_request: NumberedPullRequest
    review: CommentPayload
    changes: Changes | None = None


class ReviewCommentDelivery(DeliveryPayload, gc=False, kw_only=True):
    pull_request: NumberedPullRequest
    comment: ReviewCommentPayload
    changes: Changes | None = None
