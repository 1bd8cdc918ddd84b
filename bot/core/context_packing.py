"""What is left out of a window, decided in one place (`pack`): excerpts beside a change, the messages of a
conversation, the passages of a prompt. Pure, and the same for the same candidates.

Of a change's surroundings a file is shown once, with all of its chosen lines in their order; files that the
change does not touch come first and by name, so that the next question about the same change begins with the
same text and a host can keep what it has read of it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import TypeVar

from bot.core.code_search import Excerpt
from bot.core.inference import Passage
from bot.core.text import cut

CHARS_PER_TOKEN = 3.0
"""Few, so that what is packed fits any vocabulary."""
CUT = " […]"
FRAME = 120
"""Size of a data block around a passage besides twice its name: tags, fence, line ends; counted
generously."""
SMALLEST_PART = 400
"""A part of a passage below this size says nothing worth reading."""

_X = TypeVar("_X")


def size(text: str) -> int:
    """Characters, those outside ASCII counted twice: vocabularies are made for English and code."""
    return len(text) if text.isascii() else len(text) + sum(character > "\x7f" for character in text)


def pack(
    items: Iterable[_X],
    budget: int,
    cost: Callable[[_X], int],
    keep: Callable[[_X], None],
    part: Callable[[_X, int], _X | None] = lambda _item, _free: None,
    *,
    unbroken: bool = False,
) -> list[_X]:
    """Keeps what fits, the first item first, and gives what was left out. What an item costs may depend on
    what was kept before it; `part` is what may stand for one that does not fit into what is free.
    `unbroken`: nothing is kept behind what is left out."""
    free, left = budget, list[_X]()
    for item in items:
        fitting: _X | None = item
        price = cost(item)
        if price > free:
            fitting = part(item, free)
            price = cost(fitting) if fitting is not None else 0
        if fitting is None or price > free or (unbroken and left):
            left.append(item)
            continue
        free -= price
        keep(fitting)
    return left


@dataclass(frozen=True, slots=True)
class FittedPassages:
    """The passages that fit, in the order given, and the names of those that did not or only in part."""

    passages: tuple[Passage, ...] = ()
    left_out: tuple[str, ...] = ()
    cut: tuple[str, ...] = ()


def pack_passages(passages: Iterable[Passage], space: int) -> FittedPassages | None:
    """As many passages as fit, the lowest priority number first; None when those of priority 0 don't, or
    when nothing would be left to read.

    Passages go whole or not at all, except one that is larger than all the space: its beginning goes in.
    """
    given = tuple(passages)
    kept: dict[int, Passage] = {}

    def part(item: tuple[int, Passage], free: int) -> tuple[int, Passage] | None:
        index, passage = item
        never_fits = passage.priority and passage_size(passage) > space
        begun = beginning(passage, free) if never_fits else None
        return (index, begun) if begun else None

    left = pack(
        sorted(enumerate(given), key=lambda item: item[1].priority),
        space,
        lambda item: passage_size(item[1]),
        lambda item: kept.update([item]),
        part,
    )
    if any(passage.priority == 0 for _, passage in left) or (given and not kept):
        return None
    return FittedPassages(
        tuple(kept[index] for index in sorted(kept)),
        tuple(passage.name for index, passage in enumerate(given) if index not in kept),
        tuple(passage.name for index, passage in enumerate(given) if kept.get(index, passage) is not passage),
    )


def passage_size(passage: Passage) -> int:
    """Of a passage in its data block."""
    return size(passage.text) + 2 * size(passage.name) + FRAME


def beginning(passage: Passage, free: int) -> Passage | None:
    """As many whole lines as fit, then a line that says how many were left out; None where that is not
    worth it."""
    lines = [f"{line}\n" for line in passage.text.split("\n")]
    left = free - passage_size(replace(passage, text="")) - len(f"[{len(lines)} lines left out]")
    kept = 0
    while kept < len(lines) and (left := left - size(lines[kept])) >= 0:
        kept += 1
    text = "".join(lines[:kept])
    if size(text) < SMALLEST_PART:
        return None
    return replace(passage, text=f"{text}[{len(lines) - kept} lines left out]")


@dataclass(frozen=True, slots=True)
class FittedConversation:
    """`left_out` counts the messages that are not in `text`."""

    text: str
    left_out: int = 0


def tokens(text: str) -> int:
    """An estimate."""
    return ceil(size(text) / CHARS_PER_TOKEN)


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
    newest: list[str] = []
    left = pack(
        said[:0:-1],
        budget - tokens(_gap(len(said))) - tokens(opening),
        lambda text: tokens(text) + 1,  # and the blank line between
        lambda text: newest.insert(0, text),
        lambda text, free: _beginning(text, free - 1) if text is said[-1] else None,
        unbroken=True,
    )
    left_out = len(left) + (not opening)
    kept = [opening] * bool(opening) + [_gap(left_out)] * bool(left_out) + newest
    return FittedConversation("\n\n".join(kept), left_out)


def _beginning(text: str, most: int) -> str:
    if tokens(text) <= most:
        return text
    return cut(text, int(most * CHARS_PER_TOKEN), measure=size, end=CUT)


def _gap(count: int) -> str:
    return f"[{count} {'message' if count == 1 else 'messages'} left out]"


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


def pack_excerpts(
    candidates: Iterable[ContextCandidate],
    budget: int,
    *,
    last: Sequence[str] = (),
) -> tuple[Passage, ...]:
    """The candidates of the highest value that fit, one passage a file, named after its path; names and texts
    together have at most `budget` characters. With more budget a candidate is lost only to one of higher
    value. `last` are the paths that change: they come last, in this order."""
    lines: dict[str, dict[int, str]] = {}

    def joined(one: ContextCandidate) -> dict[int, str]:
        return {**lines.get(one.excerpt.path, {}), **dict(enumerate(one.excerpt.lines, one.excerpt.start))}

    def cost(one: ContextCandidate) -> int:
        path = one.excerpt.path
        before = len(path) + len(written(lines[path])) if path in lines else 0
        return len(path) + len(written(joined(one))) - before

    told = (one for one in candidates if any(line.strip() for line in one.excerpt.lines))
    pack(sorted(told, key=_rank), budget, cost, lambda one: lines.update({one.excerpt.path: joined(one)}))
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
