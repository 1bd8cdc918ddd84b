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

EVENT = "hob-request"
"""Where others have GitHub's X-GitHub-Event."""
Channel = Literal["api", "dashboard", "box"]


class CommandRequest(Struct, frozen=True, kw_only=True):
    """As it lies in the inbox. `line` is a command as a comment gives it: `/hob triage`."""

    repo: RepoRef
    number: int
    line: str
    by: Actor
    channel: Channel
    on_pull_request: bool = False
    issue_author: str = ""


def delivery_of(request: CommandRequest, name: str) -> NewDelivery:
    """For `Inbox.put`; `name` is at most 80 ASCII characters."""
    return NewDelivery(
        guid=f"request:{name}",
        event=EVENT,
        action=request.channel,
        installation_id=request.repo.installation,
        repo_id=request.repo.id,
        repo=request.repo.full_name,
        number=request.number,
        sender=request.by.login,
        body=encode(request),
        received_at=time.time(),
    )
