"""How far a figure reaches that so many cases gave."""

import random
from collections.abc import Callable, Sequence

from bot.core.scoring import Score

MOST_DRAWN = 200_000
"""Cases drawn for one interval, of all samples together."""


def interval(
    scores: Sequence[Score], of: Callable[[Score], float | None], samples: int = 1_000
) -> tuple[float, float] | None:
    """Where a figure lies in 95 of 100 worlds that drew the same number of cases: the bootstrap, by
    percentiles (https://doi.org/10.1214/aos/1176344552). The same scores give the same; None for fewer than
    two cases, or where most samples have no such figure."""
    if len(scores) < 2:
        return None
    drawing = random.Random(len(scores))  # noqa: S311 - the same draws each time
    samples = max(100, min(samples, MOST_DRAWN // len(scores)))
    figures = sorted(
        figure
        for _ in range(samples)
        if (figure := of(sum(drawing.choices(scores, k=len(scores)), Score()))) is not None
    )
    if 2 * len(figures) < samples:
        return None
    return figures[len(figures) * 25 // 1_000], figures[-1 - len(figures) * 25 // 1_000]


def better_share(before: Sequence[Score], after: Sequence[Score], draws: int = 500) -> float:
    """In which part of the worlds that drew as many of these cases the F1 of `after` is higher: the paired
    bootstrap. Both are of the same cases in the same order; the same scores give the same."""
    drawing = random.Random(len(after))  # noqa: S311 - the same draws each time
    pairs = list(zip(before, after, strict=True))
    better = 0
    for _ in range(draws if pairs else 0):
        drawn = drawing.choices(pairs, k=len(pairs))
        old, new = (sum((pair[side] for pair in drawn), Score()).f1 or 0.0 for side in (0, 1))
        better += new > old
    return better / draws
