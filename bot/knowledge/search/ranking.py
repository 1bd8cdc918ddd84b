"""How the parts of a search become one order. Pure: scores by path in, a ranking out, so that each part and
each weight can be tried by itself: `make bench ARGS=knowledge` prints what each finds, alone and together.

The weights were learned on 396 fix commits of 18 public repositories, each repository judged by what the
others taught, and held against 226 texts of issues of 30.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Literal

Part = Literal["chunk", "file", "path", "symbol", "named", "place", "history", "titled", "recent", "vector"]
"""`symbol`: the query's words in names of functions, of long queries only; `history`: commits whose messages
hold its words; `titled`: those that hold its first line's."""
Scores = Mapping[str, float]
"""path -> how much speaks for it; larger is better, in any unit."""

WEIGHTS: Mapping[Part, float] = {
    "chunk": 1.0,
    "file": 0.75,
    "path": 0.7,
    "symbol": 0.5,
    "named": 0.2,
    "place": 0.5,
    "history": 0.45,
    "titled": 0.3,
    "recent": 0.3,
    "vector": 0.4,
}
BEHIND = 0.3
"""What a test, a document or a configuration file counts beside a source file: who asks where something is
wrong means the program. A file that the query names counts whole."""
FADE = 0.5
"""What each further passage of a file counts beside the one before it."""
MOST_TOUCHED = 30
"""A commit of more files says little of any."""
SYMBOL = 0.3
"""What words in a function's name count beside those in all of it."""
CHUNK_ALONE = 0.1
"""What a function counts in a file for which nothing else speaks."""


def everything(_path: str) -> bool:
    """No path before another."""
    return True


def rank(
    parts: Mapping[Part, Scores],
    weights: Mapping[Part, float] = WEIGHTS,
    first: Callable[[str], bool] = everything,
) -> list[tuple[str, float]]:
    """Paths with their scores, best first; 1 for what is best in every part. A part that found nothing counts
    for nobody. Paths that are not `first` come behind."""
    total: dict[str, float] = defaultdict(float)
    present = {part: scores for part, scores in parts.items() if scores and weights.get(part, 0.0) > 0}
    for part, scores in present.items():
        for path, score in normalised(scores, first).items():
            total[path] += weights[part] * score
    most = sum(weights[part] for part in present) or 1.0
    meant = parts.get("place", {})
    ranked = [
        (path, score / most * (1.0 if path in meant or first(path) else BEHIND))
        for path, score in total.items()
    ]
    return sorted(ranked, key=lambda each: (-each[1], each[0]))


def normalised(scores: Scores, first: Callable[[str], bool] = everything) -> dict[str, float]:
    """Each by the largest of those that are `first`, so that the best test does not make all code look poor;
    none over 1."""
    most = max((score for path, score in scores.items() if first(path)), default=0.0)
    most = most or max(scores.values(), default=0.0)
    return {path: min(1.0, score / most) for path, score in scores.items()} if most > 0 else {}


def faded_sum(scores: Iterable[tuple[str, float]]) -> dict[str, float]:
    """(path, score of a passage) -> the sum of each path's, the best whole, each further one less."""
    found: dict[str, list[float]] = defaultdict(list)
    for path, score in scores:
        found[path].append(score)
    return {
        path: sum(score * FADE**place for place, score in enumerate(sorted(some, reverse=True)))
        for path, some in found.items()
    }


def from_history(commits: Iterable[tuple[float, Collection[str]]]) -> dict[str, float]:
    """(score of a commit's message, the paths it touched) -> scores. Far commits count little, and a commit
    of many files says less of each."""
    told = [(score, paths) for score, paths in commits if 0 < len(paths) <= MOST_TOUCHED]
    best = max((score for score, _ in told), default=0.0) or 1.0
    found: dict[str, float] = defaultdict(float)
    for score, paths in told:
        for path in paths:
            found[path] += (score / best) ** 2 / math.sqrt(len(paths))
    return dict(found)


def from_recent(commits: Iterable[Collection[str]]) -> dict[str, float]:
    """The paths that commits touched, newest first -> scores: where there was work there is work."""
    found: dict[str, float] = defaultdict(float)
    for age, paths in enumerate(commits):
        if len(paths) <= MOST_TOUCHED:
            for path in paths:
                found[path] += 1 / (1 + age / 60)
    return {path: math.log1p(score) for path, score in found.items()}


def from_names(meant: Iterable[Collection[str]]) -> dict[str, float]:
    """For each name in the query the paths that it may mean: the fewer, the more it says."""
    found: dict[str, float] = defaultdict(float)
    for paths in meant:
        for path in paths:
            found[path] += 1 / len(paths)
    return dict(found)


def functions(
    chunks: Mapping[int, float], symbols: Mapping[int, float], paths: Mapping[int, str], files: Scores
) -> list[tuple[int, float]]:
    """Chunks, best first: what their words and those of their names say, times what speaks for the file,
    squared."""
    most = max(chunks.values(), default=0.0) or 1.0
    most_named = max(symbols.values(), default=0.0) or 1.0
    best = max(files.values(), default=0.0) or 1.0
    ranked = []
    for number, score in chunks.items():
        own = score / most + SYMBOL * symbols.get(number, 0.0) / most_named
        whole = (
            own
            / (1 + SYMBOL)
            * ((CHUNK_ALONE + files.get(paths[number], 0.0) / best) / (1 + CHUNK_ALONE)) ** 2
        )
        ranked.append((number, whole))
    return sorted(ranked, key=lambda each: (-each[1], each[0]))


def idf(rows: int) -> float:
    """How much a term says that so many rows hold, as if there were 100,000: a repository's own number would
    hardly change the order."""
    return math.log(1 + 1e5 / rows) if rows else 0.0


def rarest(weights: Mapping[str, float], frequencies: Mapping[str, int], most: int) -> list[str]:
    """The terms that are there at all and say the most, in the order given: common ones cost the most and
    say the least."""
    worth = {term: weight * idf(frequencies.get(term, 0)) for term, weight in weights.items()}
    kept = set(sorted((term for term in worth if worth[term] > 0), key=lambda term: -worth[term])[:most])
    return [term for term in weights if term in kept]
