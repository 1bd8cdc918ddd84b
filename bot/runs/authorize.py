"""Who may ask, and how often. Decided when a command is about to run, by what GitHub says then: never by
`author_association`, by text, or by who somebody was when the comment was written."""

from collections.abc import Iterable
from dataclasses import dataclass

from bot.context import Offer
from bot.core.refs import RANK
from bot.router import Place, Route

COMMANDS_AN_HOUR = 20
"""Of one person on one issue or pull request: past it two machines may be talking to each other."""


@dataclass(frozen=True, slots=True)
class CommandRefusal:
    """Said in place; `once_per` names the span in which it is said only once."""

    words: str
    once_per: str = ""


def refusal(
    route: Route,
    level: str,
    *,
    private: bool,
    recent: int,
    code: str = "write",
    hour: str = "",
    author: bool = False,
) -> CommandRefusal | None:
    """Why this person's command does not run now, or None. `recent`: this person's commands on the same
    issue within the last hour; `hour` names both."""
    if recent > COMMANDS_AN_HOUR:
        words = (
            f"You asked me more than {COMMANDS_AN_HOUR} times here within an hour; I answer you again in an"
            " hour."
        )
        return CommandRefusal(words, once_per=hour or "hour")
    if not may_ask(route, level, private=private, code=code, author=author):
        needed = _needed(route, private=private, code=code)
        who = "its author and people" if route.who == "author" else "people"
        return CommandRefusal(
            f"`{route.command}` is for {who} with {needed} permission here; yours is {level}."
        )
    return None


def may_ask(route: Route, level: str, *, private: bool, code: str = "write", author: bool = False) -> bool:
    """On a public repository anyone who can comment may ask a question; on a private one, whoever can read
    it. `author`: whether the person opened the issue or pull request."""
    if route.who == "author" and author:
        return not private or RANK.get(level, 0) >= RANK["read"]
    return RANK.get(level, 0) >= RANK[_needed(route, private=private, code=code)]


def _needed(route: Route, *, private: bool, code: str) -> str:
    return {"anyone": "read" if private else "none", "author": "triage", "triage": "triage", "code": code}[
        route.who
    ]


def offers(
    routes: Iterable[Route], level: str, *, private: bool, author: bool = False, place: Place = "anywhere"
) -> tuple[Offer, ...]:
    """The commands, and whether this person may give them, and they are of use at this place."""
    return tuple(
        Offer(
            route.command,
            route.help,
            may_ask(route, level, private=private, author=author)
            and ("anywhere" in (place, route.place) or place == route.place),
            route.reads,
            route.who == "code",
        )
        for route in routes
        if route.command
    )
