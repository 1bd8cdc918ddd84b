"""From a stored delivery to runs: one for each handler that answers it."""

import hashlib

from bot.core.commands import Command
from bot.core.events import (
    AccessEvent,
    BatchRequested,
    CheckRunRequested,
    CommandRequested,
    CommentEvent,
    DefaultBranchPushed,
    Event,
    IssueEvent,
    MergeGroupEvent,
    Priority,
    PullRequestEvent,
    PullRequestReadyForReview,
    RepositoryDue,
    RepositoryEvent,
    ReviewEvent,
)
from bot.effects import BUILDING_ON_BEFORE
from bot.router import Match, Route, Router
from bot.runs.requests import event_of, turn_of
from bot.store import Delivery, RunSpec


def route_delivery(delivery: Delivery, router: Router, slug: str, coalesce_seconds: float) -> list[RunSpec]:
    """The runs that a delivery asks for; `BadPayload` when its body is not what its event promises."""
    event = event_of(delivery)
    if event is None:
        return []
    return [_spec(match, event, delivery, coalesce_seconds) for match in router.match(event, slug)]


def _spec(match: Match, event: Event, delivery: Delivery, coalesce_seconds: float) -> RunSpec:
    wait = coalesce_seconds if isinstance(event, match.route.coalesce) else 0.0
    again = isinstance(event, match.route.looks_again)
    if isinstance(event, CommandRequested):
        wait = turn_of(delivery)
    return RunSpec(
        handler=match.route.stored_as,
        priority=priority(match.route, event),
        target=target(match.route, event),
        head_sha=event.head_sha if isinstance(event, PullRequestEvent | MergeGroupEvent) else None,
        not_before=delivery.received_at + wait,
        supersedes=match.route.newest_only and not again,
        joins=match.route.whole_repository or again,
    )


def priority(route: Route, event: Event) -> Priority:
    """For a command that is one of a batch nobody waits."""
    in_batch = isinstance(event, CommandRequested) and event.channel == "batch"
    return "low" if in_batch else route.priority


def resumed(event: IssueEvent, router: Router, now: float) -> list[RunSpec]:
    """The runs for a pull request that Hob takes up again: it is looked at as one that was made ready."""
    heard = (route for route in router.routes if PullRequestReadyForReview in route.kinds)
    return [
        RunSpec(one.stored_as, one.priority, target(one, event), not_before=now, joins=True) for one in heard
    ]


def indexing(event: IssueEvent, router: Router, now: float) -> list[RunSpec]:
    """The runs that make the index of a repository which has none."""
    return [
        RunSpec(one.stored_as, one.priority, target(one, event), not_before=now, joins=True)
        for one in indexers(router)
    ]


def indexers(router: Router) -> list[Route]:
    """What learns a repository's default branch."""
    return [one for one in router.routes if DefaultBranchPushed in one.kinds and one.whole_repository]


def target(route: Route, event: Event) -> str:
    """What a run holds alone. Whoever judges a pull request, or changes what was said there, holds it whole;
    a question holds its own comment only, so that a person does not wait behind a review."""
    if isinstance(event, AccessEvent):
        return f"installation {event.installation}"
    if not isinstance(event, RepositoryEvent):
        raise TypeError(f"{type(event).__name__} is about nothing that a run could hold")
    if isinstance(event, MergeGroupEvent) and not route.whole_repository:
        return f"{event.repo.id}/{route.stored_as}/{event.head_sha}"
    if route.whole_repository or not isinstance(event, IssueEvent):
        return f"{event.repo.id}/{route.stored_as}"
    whole = f"{event.repo.id}#{event.number}"
    if route.one_at_a_time:
        return f"{whole}/{route.stored_as}"
    if isinstance(event, CommentEvent) and not BUILDING_ON_BEFORE & route.may:
        return f"{whole}/{event.comment_id or event.delivery}"
    return whole


def command_of(route: Route, event: Event, router: Router, slug: str) -> Command | None:
    """The command by which a comment chose this route, read again from the comment."""
    return next((match.command for match in router.match(event, slug) if match.route is route), None)


def cause(event: Event) -> str:
    """What a person did names its effects apart; what GitHub tells of a head or a new issue does not."""
    if isinstance(event, CommandRequested):
        return event.delivery
    if isinstance(event, CommentEvent):
        kind = "review" if isinstance(event, ReviewEvent) else "comment"  # numbered apart
        edit = "" if event.previous_body is None else f" {hash_text(event.body)}"
        return f"{kind} {event.comment_id}{edit}"
    if isinstance(event, RepositoryDue | BatchRequested):
        return event.delivery  # another night, another cause
    if isinstance(event, CheckRunRequested):
        return f"button {event.delivery}"  # who presses it again means it again
    return ""


def hash_text(text: str) -> str:
    """Tells one edit of a comment from the next."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
