"""The most valuable passages that fit beside a question: pure, and the same for the same candidates.

A file is shown once, with all of its chosen lines in their order; files that the change does not touch come
first and by name, so that the next question about the same change begins with the same text and a host can
keep what it has read of it.

A conversation made to fit: whole messages, the opening and the newest. Pure.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from bot.core.code_search import Excerpt
from bot.core.inference import Passage
from bot.core.text import cut

CHARS_PER_TOKEN = 3.0
"""Few, so that what is packed fits any vocabulary."""
CUT = " […]"


@dataclass(frozen=True, slots=True)
class FittedConversation:
    """`left_out` counts the messages that are not in `text`."""

    text: str
    left_out: int = 0


def tokens(text: str) -> int:
    """An estimate; what is outside ASCII counts double: vocabularies are made for English and code."""
    return ceil(_size(text) / CHARS_PER_TOKEN)


def pack_conversation(messages: Sequence[tuple[str, str]], budget: int) -> FittedConversation:
    """The (who, what), oldest first, in at most `budget` tokens.

    The first message opens the thread and is kept, in at most half of the room; then whole messages from the
    newest back, as long as they follow one another, so that no answer stands without what it answers. Of the
    newest as much as fits is kept where it is too long. What was left out is said in its place.
    """
    if not messages:
        return FittedConversation("")
    said = [f"{who}: {what.strip()}" for who, what in messages]
    opening = _beginning(said[0], budget // 2 if len(said) > 1 else budget)
    free = budget - tokens(_gap(len(said))) - tokens(opening)
    newest: list[str] = []
    for each in reversed(said[1:]):
        part = each if newest else _beginning(each, free - 1)
        if not part or tokens(part) + 1 > free:
            break
        newest.insert(0, part)
        free -= tokens(part) + 1  # and the blank line between
    left_out = len(said) - len(newest) - bool(opening)
    kept = [opening] * bool(opening) + [_gap(left_out)] * bool(left_out) + newest
    return FittedConversation("\n\n".join(kept), left_out)


def _beginning(text: str, most: int) -> str:
    if tokens(text) <= most:
        return text
    return cut(text, int(most * CHARS_PER_TOKEN), measure=_size, end=CUT)


def _gap(count: int) -> str:
    return f"[{count} {'message' if count == 1 else 'messages'} left out]"


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text) + sum(char > "\x7f" for char in text)


GAP = "…"
"""Stands on a line of its own where lines of a file are left out."""


@dataclass(frozen=True, slots=True)
class ContextCandidate:
    """Lines of a file that might be shown; `value` is from 0 to 1. `why` is for a person: `calls brew`."""

    excerpt: Excerpt
    value: float
    why: str = ""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a repository knows of a change: path -> what belongs to it, best first; and whether a name exists
    anywhere in it (None: nobody can tell)."""

    around: Mapping[str, tuple[ContextCandidate, ...]]
    known: Callable[[str], bool] | None = None


NOTHING = Surroundings({})
Cost = Callable[[str], int]
"""What a text takes of the budget: its characters, or its tokens."""


def pack(
    candidates: Iterable[ContextCandidate],
    budget: int,
    cost: Cost = len,
    *,
    last: Sequence[str] = (),
) -> tuple[Passage, ...]:
    """The candidates of the highest value that fit, one passage a file, named after its path; names and texts
    together cost at most `budget`. With more budget a candidate is lost only to one of higher value. `last`
    are the paths that change: they come last, in this order."""
    lines: dict[str, dict[int, str]] = {}
    costs: dict[str, int] = {}
    for candidate in sorted(candidates, key=_rank):
        path = candidate.excerpt.path
        new = dict(enumerate(candidate.excerpt.lines, candidate.excerpt.start))
        if not any(text.strip() for text in new.values()):
            continue
        together = {**lines.get(path, {}), **new}
        price = cost(path) + cost(written(together))
        if sum(costs.values()) - costs.get(path, 0) + price <= budget:
            lines[path], costs[path] = together, price
    return tuple(Passage(path, written(lines[path])) for path in sorted(lines, key=_place(last)))


def written(lines: Mapping[int, str]) -> str:
    """Lines by number as a text, with `GAP` between those that are not neighbours."""
    text: list[str] = []
    before = 0
    for number in sorted(lines):
        if text and number != before + 1:
            text.append(GAP)
        text.append(lines[number])
        before = number
    return "\n".join(text)


def _rank(candidate: ContextCandidate) -> tuple[float, str, int, int]:
    excerpt = candidate.excerpt
    return -candidate.value, excerpt.path, excerpt.start, excerpt.end


def _place(last: Sequence[str]) -> Callable[[str], tuple[int, str]]:
    places = {path: 1 + number for number, path in enumerate(last)}
    return lambda path: (places.get(path, 0), path)
