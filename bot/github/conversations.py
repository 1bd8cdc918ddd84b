"""Issues, comments and people as REST tells them, in Hob's words. All text here is hostile."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from bot.core.effect_history import without_hint
from bot.core.errors import GitHubError
from bot.core.facts import OthersRemark
from bot.core.github_reader import IssueState, RawComment, Thread
from bot.core.refs import Actor, Login
from bot.github.payloads import clean


def issue_state(found: Any, number: int) -> IssueState:
    """The answer to a question for that number; another number in it: GitHub led on to where it went."""
    found = as_object(found)
    return IssueState(
        number=number,
        open=found.get("state") == "open",
        title=clean(found.get("title")),
        body=clean(found.get("body")),
        author=actor(found.get("user")),
        labels=label_names(found.get("labels")),
        comments=int(found.get("comments") or 0),
        is_pull_request=found.get("pull_request") is not None,
        created_at=seconds(found.get("created_at")),
        updated_at=seconds(found.get("updated_at")),
        closed_at=seconds(found.get("closed_at")),
        state_reason=clean(found.get("state_reason")),
        type=clean((found.get("type") or {}).get("name")),
        milestone=clean((found.get("milestone") or {}).get("title")),
        assignees=tuple(actor(one).login for one in found.get("assignees") or ()),
        locked=bool(found.get("locked")),
        transferred=found.get("number", number) != number,
    )


def comment(found: Any) -> RawComment:
    found = as_object(found)
    return RawComment(
        id=found["id"],
        author=actor(found.get("user")),
        body=without_hint(clean(found.get("body"))),
        review=int(found.get("pull_request_review_id") or 0),
        at=seconds(found.get("created_at")),
        url=clean(found.get("html_url")),
        number=_number(found.get("issue_url")),
    )


def _number(address: Any) -> int:
    last = address.rpartition("/")[2] if isinstance(address, str) else ""
    return int(last) if last.isascii() and last.isdigit() and len(last) < 10 else 0


def line_thread(talk: list[dict[str, Any]]) -> Thread:
    """The conversation that these comments on a line are, oldest first."""
    first = talk[0]
    side = first.get("side") != "LEFT"
    return Thread(
        path=clean(first.get("path")),
        comments=tuple(map(comment, talk)),
        line=first.get("line") if side else None,
        start_line=first.get("start_line") if side else None,
    )


def is_annotated(run: Any, slug: str) -> bool:
    """Whether a check run of another App says something of lines."""
    app = run.get("app") or {}
    output = run.get("output") or {}
    return app.get("slug") != slug and bool(output.get("annotations_count"))


def annotation(found: dict[str, Any], author: str) -> OthersRemark:
    end = found.get("end_line")
    return OthersRemark(
        path=clean(found.get("path")),
        line=end if isinstance(end, int) else None,
        author=clean(author),
        words=clean(f"{found.get('title') or ''} {found.get('message') or ''}").strip(),
        start_line=found.get("start_line") if isinstance(found.get("start_line"), int) else None,
        kind="annotation",
    )


def actor(found: Any) -> Actor:
    """A deleted account is GitHub's ghost."""
    if not isinstance(found, dict):
        return Actor(Login("ghost"), 10137)
    return Actor(
        Login(clean(found.get("login"))), int(found.get("id") or 0), str(found.get("type") or "User")
    )


def label_names(found: Iterable[Any] | None) -> tuple[str, ...]:
    names = (label.get("name") if isinstance(label, dict) else label for label in found or ())
    return tuple(clean(name) for name in names if isinstance(name, str))


def seconds(text: Any) -> float:
    """A time of GitHub's since 1970; 0 for none, or for what is no time."""
    try:
        return datetime.fromisoformat(text).timestamp() if isinstance(text, str) else 0
    except (ValueError, OverflowError, OSError):
        return 0


def as_object(found: Any) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise GitHubError(200, "an object was expected")
    return found
