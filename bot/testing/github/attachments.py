"""Pictures and files that people drop into a text. Not the API: the website leads to a signed address on
another host, which takes no token. GitHub's are private-user-images.githubusercontent.com and an S3 bucket's;
here it is the same server under another name.

https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/attaching-files
"""

import asyncio
import html
import re
import secrets
from dataclasses import dataclass
from typing import Any

from bot.testing.github.auth import bearer
from bot.testing.github.exchange import Exchange
from bot.testing.github.repository import Repository
from bot.testing.github.server import Receive, Send
from bot.testing.github.wire import RestCall

SITE, STORE = "/user-attachments/assets/", "/_user-images/"
_PIECE = 65_536
_SIGNED_SECONDS = 300


@dataclass(eq=False)
class Attachment:
    """`location`: where the website leads instead of to the store. `endless`: the store never stops sending,
    and declares no length. `seconds`: what it waits before each 64 KB."""

    uuid: str
    data: bytes
    content_type: str
    repo: Repository | None
    location: str
    endless: bool
    seconds: float
    jwt: str
    signed_at: float


def is_attachment(path: str) -> bool:
    return path.startswith((SITE, STORE))


def signed(github: Any, one: Attachment) -> str:
    """An address that is good for five minutes."""
    one.signed_at = github.now()
    return f"{github.origin.replace('127.0.0.1', 'localhost')}{STORE}{one.uuid}?jwt={one.jwt}"


def new(
    data: bytes, content_type: str, repo: Repository | None, location: str, seconds: float, *, endless: bool
) -> Attachment:
    uuid = secrets.token_hex(16)
    dashed = "-".join((uuid[:8], uuid[8:12], uuid[12:16], uuid[16:20], uuid[20:]))
    return Attachment(
        dashed, data, content_type, repo, location, endless, seconds, secrets.token_urlsafe(32), 0.0
    )


async def serve(github: Any, exchange: Exchange, call: RestCall, receive: Receive, send: Send) -> None:
    with github.changed:
        status, headers, found = _decide(github, exchange, call)
        exchange.status, exchange.answer_headers = status, headers
        github.downloads.append(exchange)
        github.changed.notify_all()
    listed = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": listed})
    if found is not None:
        gone = asyncio.ensure_future(_until_gone(receive))
        at = 0
        while not gone.done() and (found.endless or at < len(found.data)):
            await asyncio.sleep(found.seconds)
            piece = bytes(_PIECE) if found.endless and at else found.data[at : at + _PIECE]
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            at += _PIECE
        gone.cancel()
    await send({"type": "http.response.body", "body": b""})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _decide(github: Any, exchange: Exchange, call: RestCall) -> tuple[int, dict[str, str], Attachment | None]:
    found: Attachment | None = github.attachments.get(exchange.path.rpartition("/")[2])
    nothing = {"Content-Length": "0"}
    if found is None:
        return 404, nothing, None
    if exchange.path.startswith(SITE):
        token = bearer(call)
        reads = token is not None and found.repo is not None and token.installation.covers(found.repo)
        if found.repo is not None and found.repo.private and not reads:
            return 404, nothing, None
        return 302, nothing | {"Location": found.location or signed(github, found)}, None
    if "authorization" in exchange.headers:
        return 400, nothing, None
    fresh = github.now() - found.signed_at < _SIGNED_SECONDS
    if exchange.query.get("jwt") != found.jwt or not fresh:
        return 403, nothing, None
    length = {} if found.endless else {"Content-Length": str(len(found.data))}
    return 200, {"Content-Type": found.content_type, **length}, found


def rendered(github: Any, text: str) -> str:
    """A text as `body_html` has it: attachments stand there under signed addresses."""
    words = html.escape(text, quote=False)

    def shown(match: re.Match[str]) -> str:
        found = github.attachments.get(match[1])
        return signed(github, found) if found else match[0]

    words = re.sub(rf"{re.escape(github.origin)}{SITE}([0-9a-f-]{{36}})", shown, words)
    words = re.sub(r"!\[([^\]\n]{0,200})\]\(([^)\s]{1,500})\)", r'<img src="\2" alt="\1">', words)
    return f'<p dir="auto">{words}</p>'
