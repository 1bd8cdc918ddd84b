"""The issue or pull request that a delivery is about, as far as people want to find it again."""

from msgspec import DecodeError, Struct
from msgspec.json import Decoder

from bot.core.refs import IssueTitle
from bot.github.payloads import clean
from bot.github.webhook_schema import GitHubId, Presence


class _Login(Struct, gc=False):
    login: str


class _Titled(Struct, gc=False):
    number: GitHubId
    title: str
    state: str = "open"
    merged: bool | None = None
    merged_at: str | None = None
    user: _Login | None = None
    pull_request: Presence | None = None


class _About(Struct, gc=False):
    issue: _Titled | None = None
    pull_request: _Titled | None = None


_decode = Decoder(_About).decode


def issue_title(body: bytes) -> IssueTitle | None:
    """None for a delivery that is about none, or whose body is not what GitHub sends."""
    try:
        about = _decode(body)
    except (DecodeError, UnicodeDecodeError, RecursionError):
        return None
    found = about.issue or about.pull_request
    if found is None:
        return None
    merged = bool(found.merged or found.merged_at)
    return IssueTitle(
        number=found.number,
        is_pull=found is about.pull_request or found.pull_request is not None,
        title=clean(found.title),
        author=found.user.login if found.user else "",
        state="merged" if merged else "open" if found.state == "open" else "closed",
    )
