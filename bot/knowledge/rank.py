"""How the parts of a search become one order. Pure: scores by path in, a ranking out, so that each part and
each weight can be tried by itself.

Measured on 770 fix commits of 13 repositories and 95 texts of issues: the sum of a file's three best passages
finds more than its best one, and messages of past commits lead to files whose words say nothing.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal

Part = Literal["chunk", "file", "title", "named", "path", "history", "vector"]
Scores = Mapping[str, float]
"""path -> how much speaks for it; larger is better, in any unit."""

WEIGHTS: Mapping[Part, float] = {
    "chunk": 1.0,
    "file": 1.0,
    "title": 0.5,
    "named": 0.4,
    "path": 0.2,
    "history": 0.35,
    "vector": 0.4,
}
BEST_CHUNKS = 3
"""Of a file count together."""
CHUNK_ALONE = 0.3
"""What a function counts in a file for which nothing else speaks."""


def rank(parts: Mapping[Part, Scores], weights: Mapping[Part, float] = WEIGHTS) -> list[tuple[str, float]]:
    """Paths with their scores, best first; 1 for what is best in every part. A part that found nothing counts
    for nobody."""
    total: dict[str, float] = defaultdict(float)
    present = {part: scores for part, scores in parts.items() if scores and weights.get(part, 0.0) > 0}
    for part, scores in present.items():
        for path, score in normalised(scores).items():
            total[path] += weights[part] * score
    most = sum(weights[part] for part in present) or 1.0
    ranked = [(path, score / most) for path, score in total.items()]
    return sorted(ranked, key=lambda each: (-each[1], each[0]))


def normalised(scores: Scores) -> dict[str, float]:
    """Each by the largest."""
    most = max(scores.values(), default=0.0)
    return {path: score / most for path, score in scores.items()} if most > 0 else {}


def best_sum(scores: Iterable[tuple[str, float]], best: int = BEST_CHUNKS) -> dict[str, float]:
    """(path, score of a passage) -> the sum of each path's best."""
    found: dict[str, list[float]] = defaultdict(list)
    for path, score in scores:
        found[path].append(score)
    return {path: sum(sorted(some, reverse=True)[:best]) for path, some in found.items()}


def from_history(commits: Iterable[tuple[float, Collection[str]]]) -> dict[str, float]:
    """(score of a commit's message, the paths it touched) -> scores. A commit of many files says less of
    each."""
    found: dict[str, float] = defaultdict(float)
    for score, paths in commits:
        for path in paths:
            found[path] += score / math.sqrt(len(paths))
    return dict(found)


def from_names(meant: Iterable[Collection[str]]) -> dict[str, float]:
    """For each name in the query the paths that it may mean: the fewer, the more it says."""
    found: dict[str, float] = defaultdict(float)
    for paths in meant:
        for path in paths:
            found[path] += 1 / len(paths)
    return dict(found)


def functions(
    chunks: Mapping[int, float], paths: Mapping[int, str], files: Scores
) -> list[tuple[int, float]]:
    """Chunks, best first: a chunk's score times that of its file."""
    most = max(chunks.values(), default=0.0) or 1.0
    ranked = [
        (number, score / most * (CHUNK_ALONE + files.get(paths[number], 0.0)))
        for number, score in chunks.items()
    ]
    return sorted(ranked, key=lambda each: (-each[1], each[0]))


def rarest(terms: Sequence[str], frequencies: Mapping[str, int], most: int) -> list[str]:
    """The terms that are there at all, the rarest of them, in the order given: common ones cost the most and
    say the least."""
    present = [term for term in terms if frequencies.get(term)]
    kept = set(sorted(present, key=lambda term: frequencies[term])[:most])
    return [term for term in present if term in kept]
