"""From the bytes of a delivery to what the inbox takes, whichever way they came."""

import time

from bot.github.routing import RoutingFields
from bot.store.inbox import NewDelivery

OLDEST = 20 * 86_400.0
"""Seconds; what is older is not purged at once either."""


def new_delivery(event: str, guid: str, body: bytes, found: RoutingFields, age: float = 0.0) -> NewDelivery:
    """A delivery as the inbox takes it, received now, or sent so many seconds ago."""
    return NewDelivery(
        guid=guid,
        event=event,
        action=found.action or "",
        installation_id=found.installation.id if found.installation else None,
        repo_id=found.repository.id if found.repository else None,
        repo=found.repository.full_name if found.repository else "",
        number=found.target,
        sender=found.sender.login if found.sender else "",
        body=body,
        received_at=time.time() - min(max(age, 0.0), OLDEST),
    )
