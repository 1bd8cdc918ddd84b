"""Issues and pull requests that belong to one, in words for a comment. Asks no model."""

from collections.abc import Callable, Sequence

from bot.core.knowledge import Found, KnownIssue
from bot.core.text import cut, one_line

_STATES = ("closed", "merged")


def listed(found: Sequence[tuple[Found, KnownIssue]], link: Callable[[int], str]) -> str:
    """One a line with one reason each."""
    if not found:
        return "I know of no issue or pull request about the same things."
    return "\n".join(f"- {_row(one, issue, link)}" for one, issue in found)


def _row(one: Found, issue: KnownIssue, link: Callable[[int], str]) -> str:
    kind = "pull request, " if issue.kind == "pull_request" else ""
    title = one_line(issue.title, 120)
    why = next((why for why in one.why if why not in _STATES), "alike")
    return f"{link(issue.number)}, “{title}” ({kind}{issue.state}): {cut(why, 120, end='…')}"
