"""Who knows a file, and which files change together: from its commits alone. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.knowledge.storage.types import IndexedCommit

HALF_LIFE = 180 * 86_400
"""Seconds after which a commit counts half: people forget, and code is rewritten."""
MOST_PATHS = 30
"""A commit of more files says nothing about any two of them."""


@dataclass(frozen=True, slots=True)
class Knower:
    """`share` of all that is known of the file, 0 to 1; `last` is when (epoch seconds)."""

    name: str
    share: float
    commits: int
    last: int


def knowers(commits: Iterable[IndexedCommit], now: int) -> list[Knower]:
    """Who made these commits, best first; a person is known by the mail address, and named as last."""
    weights: dict[str, float] = defaultdict(float)
    names: dict[str, tuple[int, str]] = {}
    counts: dict[str, int] = defaultdict(int)
    for commit in commits:
        person = commit.email.casefold() or commit.name
        weights[person] += 0.5 ** (max(0, now - commit.at) / HALF_LIFE)
        counts[person] += 1
        names[person] = max(names.get(person, (0, "")), (commit.at, commit.name))
    total = sum(weights.values()) or 1.0
    ranked = sorted(weights, key=lambda one: (-weights[one], names[one]))
    return [
        Knower(names[one][1], round(weights[one] / total, 4), counts[one], names[one][0]) for one in ranked
    ]


def together(path: str, commits: Iterable[IndexedCommit]) -> list[tuple[str, float]]:
    """Other files of the commits that touched `path`, best first: a commit of few files says more."""
    found: dict[str, float] = defaultdict(float)
    for commit in commits:
        for other in _others(path, commit.paths):
            found[other] += 1 / (len(commit.paths) - 1)
    return sorted(found.items(), key=lambda each: (-each[1], each[0]))


def _others(path: str, paths: Sequence[str]) -> Sequence[str]:
    return [one for one in paths if one != path] if 1 < len(paths) <= MOST_PATHS else ()
