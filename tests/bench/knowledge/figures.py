"""How well files and functions are found for what people write, and what that costs.

| in the environment | |
|---|---|
| `HOB_BENCH_REPOSITORIES` | a folder of repositories with their history (see cases.py); unset: Hob's own |
| `HOB_BENCH_CASES` | at most so many cases a repository; 20 |
| `HOB_BENCH_ISSUES` | cases whose words are real issue texts, one a line, of repositories in that folder |
| `HOB_BENCH_THREADS` | issues and pull requests, for duplicates and what fixes what (see threads.py) |
| `HOB_BENCH_EMBED` | `minilm`: those with vectors too, made by all-MiniLM-L6-v2; some 30 texts a second |

Half of the repositories tuned the weights, the other half judges them; which is which goes by the name. The
baseline is what the same index finds by plain BM25 over symbols, tests and documents as good as code.
"""

import os
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bot.knowledge.search.ranking import WEIGHTS, Part
from tests.bench.figure import Figure
from tests.bench.knowledge import alike
from tests.bench.knowledge.cases import Case, cut, for_tuning, read, repositories
from tests.bench.knowledge.embedded import embed
from tests.bench.knowledge.found import files, files_packed, functions_packed, mean, recall
from tests.bench.knowledge.threads import read as read_threads
from tests.bench.knowledge.walk import Answered, Built, Took, walk
from tests.bench.load import quantile
from tests.fakes.minilm import MiniLMHost

OWN = Path(__file__).parents[3]
PLAIN: dict[Part, float] = {"chunk": 1.0}
IN_PART = 400
"""Tokens that are shown of a longer function."""


@dataclass
class Half:
    """Of the repositories."""

    name: str
    answered: list[Answered] = field(default_factory=list)


def figures(folder: Path) -> Iterator[Figure]:
    root = os.environ.get("HOB_BENCH_REPOSITORIES", "")
    found = repositories(Path(root)) if root else {"hob": OWN}
    most = int(os.environ.get("HOB_BENCH_CASES", "20"))
    halves = {True: Half("tuning half"), False: Half("held-out half")}
    built: list[Built] = []
    for name, git in found.items():
        cases = list(cut(name, git, most, fixes_only=bool(root)))
        for each in walk(folder, git, cases) if cases else ():
            if isinstance(each, Built):
                built.append(each)
            else:
                halves[for_tuning(name)].answered.append(each)
    for half in halves.values():
        if half.answered:
            yield from _files(f"fix commits, {half.name}", half.answered, (0.89, 0.94))
            yield from _functions(half)
    every = [each for half in halves.values() for each in half.answered]
    yield from _parts(every)
    yield from _costs(every, built)
    if issues := os.environ.get("HOB_BENCH_ISSUES", ""):
        yield from _issues(folder, found, read(Path(issues)))
    if threads := os.environ.get("HOB_BENCH_THREADS", ""):
        told = read_threads(Path(threads))
        yield from alike.figures(folder, told, None)
        if os.environ.get("HOB_BENCH_EMBED", "") == "minilm":
            with MiniLMHost() as host:
                yield from alike.figures(folder, told, partial(embed, host.url))


def _files(name: str, answered: Sequence[Answered], bars: tuple[float, float]) -> Iterator[Figure]:
    many = f"{name} ({len(answered)}): files"
    for k, bar in zip((5, 10), bars, strict=True):
        measured = mean(recall(files(each), each.case.files, k) for each in answered)
        plain = mean(recall(files(each, PLAIN, plain=True), each.case.files, k) for each in answered)
        yield Figure(f"{many}, recall@{k}", f"{measured:.3f}", f">= {bar}", measured >= bar, f"{plain:.3f}")


def _functions(half: Half) -> Iterator[Figure]:
    asked = [each for each in half.answered if each.functions]
    for tokens, bar in ((2_000, 0.58), (4_000, 0.70), (8_000, 0.80)):
        whole = mean(functions_packed(each, tokens) for each in asked)
        part = mean(functions_packed(each, tokens, IN_PART) for each in asked)
        plain = mean(files_packed(each, tokens) for each in asked)
        told = f"{whole:.3f}; {part:.3f} where long ones are shown in part"
        name = f"{half.name} ({len(asked)}): gold functions in {tokens:,} tokens"
        yield Figure(name, told, f">= {bar}", whole >= bar, f"whole files: {plain:.2f}")


def _parts(answered: Sequence[Answered]) -> Iterator[Figure]:
    """Each part by itself and all but it."""
    together = _at5(answered, WEIGHTS)
    for part in WEIGHTS:
        if any(each.signals.parts.get(part) for each in answered):
            alone = _at5(answered, {part: 1.0})
            without = _at5(answered, {**WEIGHTS, part: 0.0})
            told = f"{alone:.3f} alone, {without:.3f} all but it"
            yield Figure(
                f"files, recall@5: {part}", told, "it helps", without <= together, f"all: {together:.3f}"
            )


def _at5(answered: Sequence[Answered], weights: Mapping[Part, float]) -> float:
    return mean(recall(files(each, weights), each.case.files, 5) for each in answered)


def _costs(answered: Sequence[Answered], built: Sequence[Built]) -> Iterator[Figure]:
    costs: dict[str, list[float]] = {}
    for each in answered:
        for what, seconds in each.costs.items():
            costs.setdefault(what, []).append(seconds)
    for what, times in sorted(costs.items(), key=lambda each: -sum(each[1])):
        if sum(times) > 0.001 * len(answered):
            yield Figure(f"one query: {what}", f"{1000 * statistics.median(times):.1f} ms", "", True)
    for k, searches in (10, [each.ten for each in answered]), (60, [each.sixty for each in answered]):
        p95, own = (1000 * quantile(times, 0.95) for times in _apart(searches))
        told = f"{p95:.0f} ms, {own:.0f} of the processor"
        yield Figure(f"one query for {k}, p95", told, "<= 50 ms", p95 <= 50)
    files = sum(each.files for each in built) / 1000
    seconds, own = (sum(times) / files for times in _apart([each.took for each in built]))
    told = f"{seconds:.1f} s, {own:.1f} of the processor"
    yield Figure("full index of 1,000 files, history included", told, "<= 5 s", seconds <= 5)
    size = sum(each.octets for each in built) / files / 1e6
    yield Figure("size of 1,000 files", f"{size:.0f} MB", "<= 60 MB", size <= 60)
    fresh, lived = (sum(sum(getattr(each, when)) for each in built) for when in ("fresh", "lived"))
    name = "queries to an index after all those pushes, beside a fresh one"
    yield Figure(name, f"{lived / fresh:.2f} x", "<= 1.3 x", lived <= 1.3 * fresh, f"{1000 * fresh:.0f} ms")
    octets, grown = sum(each.octets for each in built), sum(each.lived_octets for each in built)
    yield Figure(
        "its size", f"{grown / octets:.2f} x", "<= 1.3 x", grown <= 1.3 * octets, f"{octets / 1e6:.1f} MB"
    )
    pushes = [push for each in built for push in each.pushes]
    if pushes:
        median, own = (1000 * statistics.median(times) for times in _apart(pushes))
        told = f"{median:.0f} ms, {own:.0f} of the processor"
        yield Figure("a push of up to 5 files, median", told, "<= 100 ms", median <= 100)


def _apart(every: Sequence[Took]) -> tuple[list[float], list[float]]:
    """By the clock, and of the processor."""
    return [each.seconds for each in every], [each.processor for each in every]


def _issues(folder: Path, found: dict[str, Path], cases: Sequence[Case]) -> Iterator[Figure]:
    answered: list[Answered] = []
    for name, git in found.items():
        own = [case for case in cases if case.repository == name]
        answered += [each for each in (walk(folder, git, own) if own else ()) if isinstance(each, Answered)]
    yield from _files("real issue texts", answered, (0.82, 0.88))
