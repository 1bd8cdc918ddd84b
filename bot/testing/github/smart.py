"""Git over HTTP, read only, with an installation's token as GitHub takes it.

https://git-scm.com/docs/http-protocol
https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/authenticating-as-a-github-app-installation#about-authentication-as-a-github-app-installation
"""

import base64
import gzip
import re

from bot.testing.github.auth import allows, covers, known_token
from bot.testing.github.exchange import Exchange
from bot.testing.github.faults import Fault
from bot.testing.github.repository import Repository
from bot.testing.github.state import State
from bot.testing.github.wire import RestRefusal, RestResponse

_PATH = re.compile(
    r"/(?P<name>[^/]+/[^/]+?)(?:\.git)?/(?P<service>info/refs|git-upload-pack|git-receive-pack)"
)
_PLAIN = {"Content-Type": "text/plain; charset=UTF-8"}


def is_git(path: str) -> bool:
    """Whether a program that speaks git's protocol asks."""
    return _PATH.fullmatch(path) is not None


def step(exchange: Exchange) -> str:
    """The path and, of git's second protocol, the command: `/octo/tea.git/git-upload-pack fetch`."""
    found = re.search(rb"command=([a-z-]+)", request(exchange)[:64])
    return f"{exchange.path} {found[1].decode()}" if found else exchange.path


def request(exchange: Exchange) -> bytes:
    """The body as git wrote it."""
    packed = exchange.headers.get("content-encoding") == "gzip"
    return gzip.decompress(exchange.body) if packed else exchange.body


def answer(state: State, exchange: Exchange) -> RestResponse:
    """What `git` is told: refs, a pack, or why not."""
    found = _PATH.fullmatch(exchange.path)
    assert found is not None
    try:
        repo = _permitted(state, exchange, found["name"])
    except RestRefusal as refusal:
        return RestResponse(refusal.status, None, {**_PLAIN, **refusal.headers}, refusal.message.encode())
    asked = exchange.query.get("service") if found["service"] == "info/refs" else found["service"]
    if asked != "git-upload-pack":
        return RestResponse(403, None, _PLAIN, b"Write access to repository not granted.")
    advertise = found["service"] == "info/refs"
    protocol = exchange.headers.get("git-protocol", "")
    pack = repo.git.upload_pack(None if advertise else request(exchange), protocol, repo.default_branch)
    kind = "advertisement" if advertise else "result"
    headers = {"Content-Type": f"application/x-git-upload-pack-{kind}", "Cache-Control": "no-cache"}
    return RestResponse(200, None, headers, pack)


def _permitted(state: State, exchange: Exchange, name: str) -> Repository:
    """The repository, if the token reads its contents. Like the REST routes stricter than GitHub, which
    serves what is public to anyone."""
    kind, _, encoded = exchange.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        raise RestRefusal(401, "Authentication required", WWW_Authenticate='Basic realm="GitHub"')
    try:
        login, _, value = base64.b64decode(encoded).decode().partition(":")
        token = known_token(state, value if login == "x-access-token" else "")
    except (RestRefusal, ValueError):
        said = "Invalid username or token."
        raise RestRefusal(401, said, WWW_Authenticate='Basic realm="GitHub"') from None
    repo = state.repositories.get(name.lower())
    if repo is None or not covers(state, token, repo.id):
        raise RestRefusal(404, "Repository not found.")
    if not allows(token, "contents:read"):
        raise RestRefusal(403, "Resource not accessible by integration")
    exchange.permissions, exchange.repository_ids = token.permissions, token.repository_ids
    return repo


def spoilt(whole: RestResponse, fault: Fault) -> RestResponse:
    """The first half of an answer, which its length promises whole."""
    headers = {**whole.headers, "Content-Length": str(len(whole.body))}
    return (
        RestResponse(whole.status, None, headers, whole.body[: len(whole.body) // 2])
        if fault.applies
        else whole
    )
