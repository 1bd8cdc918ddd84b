"""What a stored delivery means: GitHub's, and Hob's own (`bot.store.requests`)."""

from typing import TypeVar

from msgspec import ValidationError
from msgspec.json import decode

from bot.core.errors import BadPayload
from bot.core.events import BatchRequested, CommandRequested, Event
from bot.core.refs import Login
from bot.github.payloads import parse
from bot.store import Delivery
from bot.store.requests import BATCH, EVENT, BatchRequest, CommandRequest

R = TypeVar("R", CommandRequest, BatchRequest)


def event_of(delivery: Delivery) -> Event | None:
    """What a stored delivery means; `BadPayload`. A name that only Hob gives tells its own from GitHub's."""
    if delivery.event == BATCH:
        return _batch(delivery)
    if delivery.event != EVENT:
        return parse(delivery.event, delivery.guid, delivery.body)
    asked = _read(delivery, CommandRequest)
    return CommandRequested(
        delivery=delivery.guid,
        sender=asked.by,
        repo=asked.repo,
        number=asked.number,
        comment_id=0,
        body=asked.line,
        previous_body=None,
        author=asked.by,
        app_id=None,
        on_pull_request=asked.on_pull_request,
        issue_author=Login(asked.issue_author),
        channel=asked.channel,
        quiet=asked.quiet,
        context=asked.context,
    )


def turn_of(delivery: Delivery) -> float:
    """Seconds after it came in before which a request's turn is not; 0 for what GitHub delivered."""
    return _read(delivery, CommandRequest).after if delivery.event == EVENT else 0.0


def _read(delivery: Delivery, shape: type[R]) -> R:
    try:
        return decode(delivery.body, type=shape)
    except ValidationError as wrong:
        raise BadPayload(f"not a request of Hob's: {wrong}") from None


def _batch(delivery: Delivery) -> BatchRequested:
    asked = _read(delivery, BatchRequest)
    return BatchRequested(
        delivery=delivery.guid,
        sender=asked.by,
        repo=asked.repo,
        since=asked.since,
        labels=asked.labels,
        state=asked.state,
        again=asked.again,
        quiet=asked.quiet,
    )
