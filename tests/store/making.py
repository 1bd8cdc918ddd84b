"""What tests of the store put into it."""

import time
import uuid
from dataclasses import dataclass
from typing import Any

from bot.store import Decision, NewDelivery, Run, RunSpec, Store


@dataclass(frozen=True, slots=True)
class NewEffect:
    """For the outbox."""

    key: str
    kind: str
    payload: str


def delivery(guid: str | None = None, **changes: Any) -> NewDelivery:
    """A small pull_request delivery; a fresh GUID unless told."""
    fields: dict[str, Any] = {
        "guid": guid or str(uuid.uuid4()),
        "event": "pull_request",
        "action": "opened",
        "installation_id": 7,
        "repo_id": 12,
        "repo": "octo/hello",
        "number": 3,
        "sender": "ann",
        "body": b'{"action": "opened"}',
        "received_at": time.time(),
    }
    return NewDelivery(**fields | changes)


def spec(handler: str = "pull_requests.review", target: str = "12#3", **changes: Any) -> RunSpec:
    """A run that may start now."""
    return RunSpec(**{"handler": handler, "priority": "default", "target": target} | changes)


def put(store: Store, *new: NewDelivery) -> list[bool]:
    """Stores deliveries and waits for it."""
    return [future.result(30) for future in [store.inbox.put(each) for each in new]]


def queued(store: Store, *specs: RunSpec, **changes: Any) -> list[Run]:
    """The runs of one new delivery."""
    new = delivery(**changes)
    put(store, new)
    stored = store.inbox.get(new.guid)
    return store.routing.record([Decision(stored, "routed", specs or (spec(),))])


def claimed(store: Store, run: Run, owner: str = "here:1:1", seconds: float = 10.0) -> Run:
    """The run in the hands of `owner`."""
    taken = store.runs.try_claim(run.id, owner, seconds)
    assert isinstance(taken, Run), taken
    return taken


def again(store: Store, run: Run) -> Run:
    """The run as it stands now."""
    found = store.runs.get(run.id)
    assert found is not None
    return found
