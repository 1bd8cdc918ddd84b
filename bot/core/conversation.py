"""A conversation made to fit: whole messages, the opening and the newest. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from bot.core.text import cut

CHARS_PER_TOKEN = 3.0
"""Few, so that what is packed fits any vocabulary."""
CUT = " […]"


@dataclass(frozen=True, slots=True)
class Packed:
    """`left_out` counts the messages that are not in `text`."""

    text: str
    left_out: int = 0


def tokens(text: str) -> int:
    """An estimate; what is outside ASCII counts double: vocabularies are made for English and code."""
    return ceil(_size(text) / CHARS_PER_TOKEN)


def pack(messages: Sequence[tuple[str, str]], budget: int) -> Packed:
    """The (who, what), oldest first, in at most `budget` tokens.

    The first message opens the thread and is kept, in at most half of the room; then whole messages from the
    newest back, as long as they follow one another, so that no answer stands without what it answers. Of the
    newest as much as fits is kept where it is too long. What was left out is said in its place.
    """
    if not messages:
        return Packed("")
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
    return Packed("\n\n".join(kept), left_out)


def _beginning(text: str, most: int) -> str:
    if tokens(text) <= most:
        return text
    return cut(text, int(most * CHARS_PER_TOKEN), measure=_size, end=CUT)


def _gap(count: int) -> str:
    return f"[{count} {'message' if count == 1 else 'messages'} left out]"


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text) + sum(char > "\x7f" for char in text)
