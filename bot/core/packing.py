"""The most valuable passages that fit beside a question: pure, and the same for the same candidates.

A file is shown once, with all of its chosen lines in their order; files that the change does not touch come
first and by name, so that the next question about the same change begins with the same text and a host can
keep what it has read of it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.core.inference import Passage
from bot.core.library import Excerpt

GAP = "…"
"""Stands on a line of its own where lines of a file are left out."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Lines of a file that might be shown; `value` is from 0 to 1. `why` is for a person: `calls brew`."""

    excerpt: Excerpt
    value: float
    why: str = ""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a repository knows of a change: path -> what belongs to it, best first; and whether a name exists
    anywhere in it (None: nobody can tell)."""

    around: Mapping[str, tuple[Candidate, ...]]
    known: Callable[[str], bool] | None = None


NOTHING = Surroundings({})
Cost = Callable[[str], int]
"""What a text takes of the budget: its characters, or its tokens."""


def pack(
    candidates: Iterable[Candidate],
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


def _rank(candidate: Candidate) -> tuple[float, str, int, int]:
    excerpt = candidate.excerpt
    return -candidate.value, excerpt.path, excerpt.start, excerpt.end


def _place(last: Sequence[str]) -> Callable[[str], tuple[int, str]]:
    places = {path: 1 + number for number, path in enumerate(last)}
    return lambda path: (places.get(path, 0), path)
