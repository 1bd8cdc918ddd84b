"""Deliveries taken apart: bytes in, one of `bot.core.events` out, or None for what is not ours."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NoReturn, TypeVar

from msgspec import DecodeError, Struct, ValidationError, convert
from msgspec.json import decode

from bot.core import events
from bot.core.ci_session import CI_BRANCH
from bot.core.errors import BadPayload
from bot.core.events import Event
from bot.core.refs import Actor, Login, RepoRef, Sha
from bot.github import webhook_schema
from bot.github.routing import RoutingFields, routing

__all__ = ["RoutingFields", "clean", "parse", "routing"]

REVIEW_NEW, REVIEW_ALL = "review-new", "review-all"
"""The buttons of a check run, by the names that GitHub sends back: at most 20 characters."""
_NUMBER = re.compile(r"[0-9a-f]{8,128}#([1-9][0-9]{0,9})")
_QUEUED = re.compile(r"pr-([1-9][0-9]{0,9})-[0-9a-f]{7,64}")
"""The last part of the name of a merge queue's branch: a pull request's number, and what it is put on."""
_UNSAFE = re.compile("[\ud800-\udfff]")


def clean(text: str | None) -> str:
    """Text that every store and wire takes: no NUL, no lone surrogates; empty for None."""
    return _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", (text or "").replace("\0", ""))


def parse(event: str, guid: str, body: bytes) -> Event | None:
    """The delivery in our words. `event` and `guid` are the headers X-GitHub-Event and X-GitHub-Delivery.

    None: an event or action (perhaps of tomorrow) that is not ours. `BadPayload`: not what `event` promises.
    """
    if event not in _READERS:
        return None
    reader = _READERS[event].get(_action(body))
    return reader(guid, body) if reader else None


def reads(event: str, action: str) -> bool:
    """Whether `parse` may give anything but None for such deliveries."""
    return action in _READERS.get(event, ())


class _Action(Struct, gc=False):
    action: str = ""


def _action(body: bytes) -> str:
    return _read(body, _Action).action


T = TypeVar("T")
P = TypeVar("P", bound=events.PullRequestEvent)


def _read(body: bytes, shape: type[T]) -> T:
    """`body` as `shape`; a lone surrogate, which msgspec calls truncated, is given a second look."""
    try:
        try:
            return decode(body, type=shape)
        except ValidationError:
            raise
        except DecodeError:
            return convert(json.loads(body, parse_constant=_refuse), shape)
    except (ValidationError, ValueError, RecursionError) as error:
        raise BadPayload(f"the body is not what its event promises: {error}") from None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _actor(user: webhook_schema.UserPayload | None) -> Actor:
    user = user or webhook_schema.GHOST
    return Actor(Login(clean(user.login)), user.id, clean(user.type))


def _about(guid: str, delivery: webhook_schema.DeliveryPayload) -> dict[str, Any]:
    """The fields of every `RepositoryEvent`."""
    if delivery.installation is None:
        raise BadPayload("the delivery names no installation: it is not the App's own webhook")
    repository = delivery.repository
    repo = RepoRef(
        owner=repository.owner.login,
        name=repository.name,
        id=repository.id,
        installation=delivery.installation.id,
        private=repository.private,
        default_branch=clean(repository.default_branch),
    )
    return {"delivery": guid, "repo": repo, "sender": _actor(delivery.sender)}


def _labels(labels: list[webhook_schema.LabelPayload] | None) -> tuple[str, ...]:
    return tuple(clean(label.name) for label in labels or ())


def _pull_request(kind: type[P]) -> Callable[[str, bytes], P]:
    def read(guid: str, body: bytes) -> P:
        delivery = _read(body, webhook_schema.PullRequestDelivery)
        pull = delivery.pull_request
        return kind(
            **_about(guid, delivery),
            number=delivery.number,
            head_sha=Sha(pull.head.sha),
            base_sha=Sha(pull.base.sha),
            base_ref=clean(pull.base.ref),
            title=clean(pull.title),
            author=_actor(pull.user),
            draft=pull.draft,
            labels=_labels(pull.labels),
            # A fork that was deleted is null: it was no branch of ours.
            from_fork=pull.head.repo is None
            or pull.head.repo.id != (pull.base.repo or delivery.repository).id,
            body=clean(pull.body),
            head_ref=clean(pull.head.ref),
        )

    return read


def _closed(guid: str, body: bytes) -> Event:
    merged = bool(_read(body, webhook_schema.PullRequestDelivery).pull_request.merged)
    return replace(_ended(guid, body), merged=merged)


_ended = _pull_request(events.PullRequestClosed)
_retitled = _pull_request(events.PullRequestRetitled)
_rewritten = _pull_request(events.PullRequestEdited)
_retargeted = _pull_request(events.PullRequestRetargeted)


def _edited(guid: str, body: bytes) -> Event:
    """An edit of the text alone changes nothing of what is reviewed, or whether."""
    changes = _read(body, webhook_schema.PullRequestDelivery).changes
    if changes and changes.base:
        return _retargeted(guid, body)
    return (_retitled if changes and changes.title else _rewritten)(guid, body)


def _pushed(guid: str, body: bytes) -> Event:
    delivery = _read(body, webhook_schema.PushDelivery)
    default = delivery.ref == f"refs/heads/{delivery.repository.default_branch}"
    kind = events.DefaultBranchPushed if default else events.Pushed
    return kind(
        **_about(guid, delivery),
        ref=clean(delivery.ref),
        before=Sha(delivery.before),
        after=Sha(delivery.after),
        forced=delivery.forced,
        deleted=delivery.deleted,
    )


def _merge_group(kind: type[events.MergeGroupEvent]) -> Callable[[str, bytes], Event]:
    def read(guid: str, body: bytes) -> Event:
        delivery = _read(body, webhook_schema.MergeGroupDelivery)
        group = delivery.merge_group
        last = _QUEUED.fullmatch(group.head_ref.rpartition("/")[2])
        return kind(
            **_about(guid, delivery),
            head_sha=Sha(group.head_sha),
            base_ref=clean(group.base_ref.removeprefix("refs/heads/")),
            number=int(last[1]) if last else 0,
        )

    return read


def _installation(kind: type[events.AccessEvent], *, whole: bool) -> Callable[[str, bytes], Event]:
    def read(guid: str, body: bytes) -> Event:
        delivery = _read(body, webhook_schema.InstallationDelivery)
        where = delivery.installation
        listed = delivery.repositories if whole else delivery.repositories_removed
        return kind(
            delivery=guid,
            sender=_actor(delivery.sender),
            installation=where.id,
            account=Login(clean(where.account.login) if where.account else ""),
            repos=tuple(_listed(one, where.id) for one in listed or ()),
            whole=whole,
        )

    return read


def _listed(one: webhook_schema.Listed, installation: int) -> RepoRef:
    owner, _, name = one.full_name.partition("/")
    return RepoRef(owner=owner, name=name, id=one.id, installation=installation, private=one.private)


def _repository(kind: type[events.AccessEvent]) -> Callable[[str, bytes], Event]:
    def read(guid: str, body: bytes) -> Event:
        about = _about(guid, _read(body, webhook_schema.DeliveryPayload))
        repo = about["repo"]
        return kind(
            delivery=guid,
            sender=about["sender"],
            installation=repo.installation,
            account=Login(repo.owner),
            repos=(repo,),
        )

    return read


def _numbered(kind: type[events.IssueEvent]) -> Callable[[str, bytes], Event]:
    def read(guid: str, body: bytes) -> Event:
        delivery = _read(body, webhook_schema.NumberedDelivery)
        return kind(**_about(guid, delivery), number=delivery.issue.number)

    return read


def _issue_opened(guid: str, body: bytes) -> Event:
    delivery = _read(body, webhook_schema.IssueDelivery)
    issue = delivery.issue
    return events.IssueOpened(
        **_about(guid, delivery),
        number=issue.number,
        title=clean(issue.title),
        body=clean(issue.body),
        author=_actor(issue.user),
        labels=_labels(issue.labels),
    )


def _issue_edited(guid: str, body: bytes) -> Event:
    delivery = _read(body, webhook_schema.IssueDelivery)
    issue, before = delivery.issue, delivery.changes
    return events.IssueEdited(
        **_about(guid, delivery),
        number=issue.number,
        title=clean(issue.title),
        body=clean(issue.body),
        author=_actor(issue.user),
        previous_title=_before(before.title if before else None),
        previous_body=_before(before.body if before else None),
    )


def _before(change: webhook_schema.From | None) -> str | None:
    return clean(change.before) if change else None


def _comment(
    comment: webhook_schema.CommentPayload, changes: webhook_schema.Changes | None, *, edited: bool
) -> dict[str, Any]:
    """The fields of every `CommentEvent` that the comment itself tells."""
    text = clean(comment.body)
    before = changes.body.before if changes and changes.body else None
    app = comment.performed_via_github_app
    return {
        "comment_id": comment.id,
        "body": text,
        # An edit that does not say what the text was has added nothing: no command of it may run.
        "previous_body": (clean(before) if before is not None else text) if edited else None,
        "author": _actor(comment.user),
        "app_id": app.id if app else None,
    }


def _issue_comment(kind: type[events.CommentEvent], *, edited: bool) -> Callable[[str, bytes], Event]:
    def read(guid: str, body: bytes) -> Event:
        delivery = _read(body, webhook_schema.CommentDelivery)
        return kind(
            **_about(guid, delivery),
            **_comment(delivery.comment, delivery.changes, edited=edited),
            number=delivery.issue.number,
            on_pull_request=delivery.issue.pull_request is not None,
            issue_author=_actor(delivery.issue.user).login,
        )

    return read


def _check_run(guid: str, body: bytes) -> Event | None:
    """A check run of Hob's own names its pull request in `external_id`: GitHub names none from a fork."""
    delivery = _read(body, webhook_schema.CheckRunDelivery)
    number = _NUMBER.fullmatch(delivery.check_run.external_id or "")
    pressed = delivery.requested_action
    if number is None or (pressed and pressed.identifier not in (REVIEW_NEW, REVIEW_ALL)):
        return None
    return events.CheckRunRequested(
        **_about(guid, delivery),
        number=int(number[1]),
        head_sha=Sha(delivery.check_run.head_sha),
        everything=pressed is not None and pressed.identifier == REVIEW_ALL,
    )


def _check_suite(guid: str, body: bytes) -> Event | None:
    """Of a branch that Hob made for `fix ci` the name says for which pull request it did; else the one that
    has the commit."""
    delivery = _read(body, webhook_schema.CheckSuiteDelivery)
    suite, home = delivery.check_suite, delivery.repository.id
    made = CI_BRANCH.fullmatch(suite.head_branch or "")
    here = [
        one.number
        for one in suite.pull_requests or ()
        if all(side.repo is not None and side.repo.id == home for side in (one.head, one.base))
    ]
    number = int(made[1]) if made else max(here, default=0)
    if not number:
        return None
    return events.ChecksCompleted(
        **_about(guid, delivery),
        number=number,
        head_sha=Sha(suite.head_sha),
        app=clean(suite.app.slug) if suite.app else "",
    )


def _review_comment(kind: type[events.ReviewCommentEvent], *, edited: bool) -> Callable[[str, bytes], Event]:
    def read(guid: str, body: bytes) -> Event:
        delivery = _read(body, webhook_schema.ReviewCommentDelivery)
        comment = delivery.comment
        return kind(
            **_about(guid, delivery),
            **_comment(comment, delivery.changes, edited=edited),
            number=delivery.pull_request.number,
            on_pull_request=True,
            issue_author=_actor(delivery.pull_request.user).login,
            path=clean(comment.path),
            diff_hunk=clean(comment.diff_hunk),
            in_reply_to=comment.in_reply_to_id,
        )

    return read


def _review(kind: type[events.ReviewEvent], *, edited: bool) -> Callable[[str, bytes], Event]:
    def read(guid: str, body: bytes) -> Event:
        delivery = _read(body, webhook_schema.ReviewDelivery)
        return kind(
            **_about(guid, delivery),
            **_comment(delivery.review, delivery.changes, edited=edited),
            number=delivery.pull_request.number,
            on_pull_request=True,
            issue_author=_actor(delivery.pull_request.user).login,
        )

    return read


_READERS: dict[str, dict[str, Callable[[str, bytes], Event | None]]] = {
    "check_run": {"rerequested": _check_run, "requested_action": _check_run},
    "check_suite": {"completed": _check_suite},
    "pull_request": {
        "opened": _pull_request(events.PullRequestOpened),
        "reopened": _pull_request(events.PullRequestReopened),
        "ready_for_review": _pull_request(events.PullRequestReadyForReview),
        "synchronize": _pull_request(events.PullRequestSynchronized),
        "closed": _closed,
        "converted_to_draft": _pull_request(events.PullRequestConvertedToDraft),
        "edited": _edited,
        **dict.fromkeys(("labeled", "unlabeled"), _pull_request(events.PullRequestRelabeled)),
    },
    "issues": {
        "opened": _issue_opened,
        "edited": _issue_edited,
        "closed": _numbered(events.IssueClosed),
        "reopened": _numbered(events.IssueReopened),
        **dict.fromkeys(("deleted", "transferred"), _numbered(events.IssueRemoved)),
    },
    "push": {"": _pushed},
    "merge_group": {
        "checks_requested": _merge_group(events.MergeGroupChecksRequested),
        "destroyed": _merge_group(events.MergeGroupDestroyed),
    },
    "installation": {
        "deleted": _installation(events.InstallationDeleted, whole=True),
        "suspend": _installation(events.InstallationSuspended, whole=True),
    },
    "installation_repositories": {"removed": _installation(events.RepositoriesRemoved, whole=False)},
    "repository": {
        **dict.fromkeys(("deleted", "transferred"), _repository(events.RepositoryRemoved)),
        **dict.fromkeys(("privatized", "publicized", "renamed"), _repository(events.RepositoryChanged)),
    },
    "issue_comment": {
        "created": _issue_comment(events.IssueCommentCreated, edited=False),
        "edited": _issue_comment(events.IssueCommentEdited, edited=True),
    },
    "pull_request_review": {
        "submitted": _review(events.ReviewSubmitted, edited=False),
        "edited": _review(events.ReviewEdited, edited=True),
    },
    "pull_request_review_comment": {
        "created": _review_comment(events.ReviewCommentCreated, edited=False),
        "edited": _review_comment(events.ReviewCommentEdited, edited=True),
    },
}
