"""Commands that no comment gives, as deliveries of Hob's own: by the HTTP API, a button of the
dashboard, a box that was ticked.

They lie in the inbox, so that each is durable, routed, leased, traced and purged as GitHub's are. Its name
(`request:…`) stands where those have their GUID: the same name is one request, however often it is made.
"""

import time
from typing import Literal

from msgspec import Struct
from msgspec.json import encode

from bot.core.refs import Actor, RepoRef
from bot.store.inbox import NewDelivery

PREFIX = "request:"
EVENT = "hob-request"
"""Where others have GitHub's X-GitHub-Event."""
BATCH = "hob-batch"
"""The same for a request about many issues."""
Channel = Literal["api", "dashboard", "box", "batch"]


class CommandRequest(Struct, frozen=True, kw_only=True):
    """As it lies in the inbox. `line` is a command as a comment gives it: `/hob triage`."""

    repo: RepoRef
    number: int
    line: str
    by: Actor
    channel: Channel
    on_pull_request: bool = False
    issue_author: str = ""
    quiet: bool = False
    after: float = 0.0
    """Seconds until its turn."""
    context: str = ""
    """What is to be known beside the command, in the operator's words."""


class BatchRequest(Struct, frozen=True, kw_only=True):
    """Triage of many issues; see `bot.core.events.BatchRequested`."""

    repo: RepoRef
    by: Actor
    channel: Channel
    since: float = 0
    labels: tuple[str, ...] = ()
    state: Literal["open", "closed", "all"] = "open"
    again: bool = False
    quiet: bool = True


def delivery_of(request: CommandRequest | BatchRequest, name: str) -> NewDelivery:
    """For `Inbox.put`; `name` is at most 80 ASCII characters."""
    many = isinstance(request, BatchRequest)
    return NewDelivery(
        guid=f"{PREFIX}{name}",
        event=BATCH if many else EVENT,
        action=request.channel,
        installation_id=request.repo.installation,
        repo_id=request.repo.id,
        repo=request.repo.full_name,
        number=request.number if isinstance(request, CommandRequest) else None,
        sender=request.by.login,
        body=encode(request),
        received_at=time.time(),
    )
