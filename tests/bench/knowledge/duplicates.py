"""How well duplicates are found and told, on issues that people closed as the duplicate of another.

| in the environment | |
|---|---|
| `HOB_BENCH_THREADS` | issues with their duplicates (see threads.py), files separated by colons |
| `HOB_BENCH_EMBED` | `minilm`: with vectors too, made by all-MiniLM-L6-v2; some 15 texts a second |
"""

import asyncio
import os
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from bot.agents.duplicates import (
    DuplicateCandidate,
    DuplicateComparison,
    DuplicateFacts,
    DuplicatesAnswer,
    suggestion,
)
from bot.core.duplicates import proves, sure, words_of
from bot.core.github_reader import IssueState
from bot.core.inference import Completion
from bot.core.knowledge import Found, KnownIssue
from bot.core.refs import Actor, Login
from bot.knowledge.issues import agreement, shown
from bot.knowledge.parsing.tokens import tokens
from tests.bench.figure import Figure
from tests.bench.knowledge.alike import POOL, Asked, Embed, ask
from tests.bench.knowledge.embedded import embed
from tests.bench.knowledge.threads import Thread, read
from tests.fakes.minilm import MiniLMHost

READ = frozenset(
    {
        *((1624, 1623), (3901, 3900), (4390, 4389), (12532, 12531), (12814, 12813)),
        *((16330, 16329), (23731, 23730), (23757, 23756)),
    }
)
"""Of rust-lang/rust, where no comment says `duplicate of` the older one: whoever closed one of the two said
that it was filed twice, or named the other, or it was the author within two minutes."""
NOBODY = Actor(Login("nobody"), 1)


def figures(folder: Path) -> Iterator[Figure]:
    paths = [Path(one) for one in os.environ.get("HOB_BENCH_THREADS", "").split(":") if one]
    if not paths:
        yield Figure("duplicates", "not measured: HOB_BENCH_THREADS names no threads", "", True)
    with ExitStack() as stack:
        near = None
        if os.environ.get("HOB_BENCH_EMBED", "") == "minilm":
            near = partial(embed, stack.enter_context(MiniLMHost()).url)
        for path in paths:
            threads = [each for each in read(path) if not each.pull]
            for name in sorted({each.repository for each in threads}):
                own = sorted((one for one in threads if one.repository == name), key=lambda one: one.number)
                yield from _of(folder, name, own, near)


def _of(folder: Path, name: str, threads: Sequence[Thread], near: Embed | None) -> Iterator[Figure]:
    asked = list(ask(folder / f"{name}.db", threads, "same", None))
    if asked:
        plain = _hits([(one.plain, one.gold) for one in asked])
        words = _hits([(one.found, one.gold) for one in asked])
        bar, told = plain + 0.05, f"{name} ({len(asked)}): duplicates, hit@5"
        yield Figure(
            f"{told}, words", f"{words:.3f}", f">= {bar:.3f}", words >= bar, f"{plain:.3f}, plain BM25"
        )
        yield _judged(name, asked)
    yield _flagged(name, threads)
    if asked and near:
        asked = list(ask(folder / f"{name}-near.db", threads, "same", near))
        measured = _hits([(one.found, one.gold) for one in asked])
        yield Figure(
            f"{told}, words and vectors", f"{measured:.3f}", ">= 0.90", measured >= 0.9, f"{words:.3f}, words"
        )


def _hits(answers: Sequence[tuple[Sequence[int], Sequence[int]]]) -> float:
    return sum(bool(set(found[:5]) & set(gold)) for found, gold in answers) / len(answers)


def _judged(name: str, asked: Sequence[Asked]) -> Figure:
    """With a judge that knows the truth: of what was found, the rules lose nothing."""
    found = [one for one in asked if set(one.found[:5]) & set(one.gold)]
    named = sum(asyncio.run(_named(one)) in one.gold for one in found)
    told = f"{name} ({len(found)}): pairs that were found and that a perfect judge sees named"
    return Figure(told, f"{named}", f"{len(found)}", named == len(found))


async def _named(one: Asked) -> int:
    issues = [one.issues[number] for number in one.found[:5]]

    async def now(number: int) -> IssueState:
        issue = one.issues[number]
        return IssueState(number, issue.state == "open", issue.title, issue.body, NOBODY, (), 0, False)

    async def judge(_: Any, /) -> Completion[Any]:
        said = [
            DuplicateComparison(
                number=place,
                new=_quoted(one.thread.title, one.thread.body),
                old=_quoted(issue.title, issue.body),
                same=issue.number in one.gold,
            )
            for place, issue in enumerate(issues, 1)
        ]
        return Completion(value=DuplicatesAnswer(comparisons=said), model="perfect")

    candidates = tuple(DuplicateCandidate(_found(issue), issue) for issue in issues)
    facts = DuplicateFacts(one.thread.number, one.thread.title, one.thread.body, candidates, now, str)
    return (await suggestion(facts, judge)).number


def _quoted(title: str, body: str) -> str:
    """A line that proves something, as a perfect judge chooses it."""
    words = words_of(f"{title[:300]}\n\n{body[:2_000]}")
    return next((line for line in [title, *body[:2_000].splitlines()] if proves(line, words)), "")


def _found(issue: KnownIssue, alike: float = 0.0) -> Found:
    return Found("issue", 1.0, (), number=issue.number, title=issue.title, agreement=alike)


def _flagged(name: str, threads: Sequence[Thread]) -> Figure:
    """Of all issues of a set, in their order, those that are flagged without a model."""
    before: dict[tuple[str, ...], deque[tuple[int, Thread]]] = defaultdict(deque)
    flagged = right = 0
    for place, each in enumerate(threads):
        title, whole = Counter(tokens(each.title)), Counter(tokens(f"{each.title}\n{shown(each.body)}"))
        twins = before[tuple(sorted(title.elements()))]
        known = [
            KnownIssue(other.number, "issue", "open", other.title, other.body, "")
            for at, other in twins
            if place - at <= POOL and not "" < other.closed < each.created
        ]
        chosen = sure(_found(one, agreement(title, whole, one)) for one in known)
        if chosen:
            flagged += 1
            right += chosen[0] in each.same or (each.number, chosen[0]) in READ
        twins.append((place, each))
    marked = sum(bool(each.same) for each in threads)
    share = right / flagged if flagged else 1.0
    told = (
        f"{right} of {flagged} right; {right} of {marked + right} duplicates" if flagged else "none flagged"
    )
    return Figure(f"{name} ({len(threads)}): flagged without a model", told, ">= 0.90 right", share >= 0.9)
