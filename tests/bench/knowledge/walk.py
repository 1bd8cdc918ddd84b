"""Goes through the history of a repository with a real index of it and asks at each snapshot."""

import resource
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from bot.knowledge.git import Git
from bot.knowledge.indexing import update
from bot.knowledge.parsing.files import decode, lines_of
from bot.knowledge.search.search import Search
from bot.knowledge.search.signals import MOST_PASSAGES, SearchSignals
from bot.knowledge.storage import IndexStore
from bot.knowledge.storage.types import StoredChunk
from tests.bench.knowledge.cases import Case

PUSHED = 5
"""Files of a push that is timed."""
MOST_PUSHES = 10
"""Of a repository: each is an update there and one back."""
ASKED = 10
"""Queries whose time is compared between an index that has lived and a fresh one."""


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds: by the clock, and of the processor with those of the processes that ended, which others on
    the machine hardly change."""

    seconds: float
    processor: float


def took(work: Callable[[], object]) -> Took:
    begun, before = time.perf_counter(), _processor()
    work()
    return Took(time.perf_counter() - begun, _processor() - before)


def _processor() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


@dataclass
class Built:
    """A full index, and the pushes after it. Times in seconds."""

    files: int
    took: Took
    octets: int
    pushes: list[Took] = field(default_factory=list)
    fresh: list[float] = field(default_factory=list)
    """Of queries to it as it was built."""
    lived: list[float] = field(default_factory=list)
    """Of the same queries to it at the same commit, after all those pushes."""
    lived_octets: int = 0


@dataclass(frozen=True)
class Answered:
    """One case: what speaks for files, and what the gold functions were. `ten` and `sixty` are of whole
    searches for so many, `costs` of the questions put to the index, by what was asked for."""

    case: Case
    signals: SearchSignals
    deep: SearchSignals
    """As functions are asked for."""
    ten: Took
    sixty: Took
    costs: dict[str, float]
    functions: frozenset[int]
    """Chunks of gold files that the change touched."""
    sizes: dict[int, int]
    """Characters of each passage that was found."""
    files: dict[str, int]
    """Characters of each file that was found."""


class Timed:
    """An index whose questions are timed."""

    def __init__(self, index_store: IndexStore) -> None:
        self.index_store = index_store
        self.costs: dict[str, float] = {}

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.index_store, name)
        if not callable(found) or name == "reading":
            return found

        def asked(*values: Any, **named: Any) -> Any:
            begun = time.perf_counter()
            answer = found(*values, **named)
            key = f"match {values[0]}" if name == "match" else name
            self.costs[key] = self.costs.get(key, 0.0) + time.perf_counter() - begun
            return answer

        return asked


def walk(folder: Path, git_dir: Path, cases: Sequence[Case]) -> Iterator[Built | Answered]:
    """`Built` once, then each case from the oldest snapshot on."""
    git = Git(git_dir)
    path = folder / f"{cases[0].repository}.db"
    built = full(path, git, cases[0].snapshot)
    index_store = IndexStore.open(path)
    built.fresh = _times(index_store, git, cases)
    try:
        for case in reversed(cases):
            update(index_store, git, case.snapshot)
            yield ask(index_store, git, case)
            if len(built.pushes) < MOST_PUSHES and len(case.lines) <= PUSHED and git.commit(case.commit):
                built.pushes.append(took(partial(update, index_store, git, case.commit)))
        update(index_store, git, cases[0].snapshot)
        built.lived, built.lived_octets = _times(index_store, git, cases), index_store.sizes().octets
    finally:
        index_store.close()
    yield built


def _times(index_store: IndexStore, git: Git, cases: Sequence[Case]) -> list[float]:
    """The quickest of three searches for each of some."""

    def seconds(case: Case) -> float:
        begun = time.perf_counter()
        Search(index_store, git).search(f"{case.title}\n{case.body}", 10)
        return time.perf_counter() - begun

    return [min(seconds(case) for _ in range(3)) for case in cases[:ASKED]]


def full(path: Path, git: Git, snapshot: str) -> Built:
    """A new index of a commit, history included."""
    index_store = IndexStore.open(path)
    whole = took(partial(update, index_store, git, snapshot))
    sizes = index_store.sizes()
    index_store.close()
    return Built(sizes.files, whole, sizes.octets)


def ask(index_store: IndexStore, git: Git, case: Case) -> Answered:
    """The words of a case, at its snapshot."""
    timed = Timed(index_store)
    query = f"{case.title}\n{case.body}"
    with Search(timed, git).signals(query) as signals:
        pass
    with Search(index_store, git).signals(query, most=MOST_PASSAGES) as deep:
        pass
    ten, sixty = (took(partial(Search(index_store, git).search, query, k)) for k in (10, 60))
    blobs = {path: file.sha for path, file in index_store.files().items() if not file.why}
    gold = {path: blobs[path] for path in case.lines if path in blobs}
    of_gold = index_store.chunks_of(list(gold.values()))
    functions = {
        each.id
        for path, blob in gold.items()
        for each in of_gold
        if each.blob == blob and each.chunk.kind == "function" and _touched(each, case.lines[path])
    }
    passages = [*deep.stored.values(), *of_gold]
    texts = {
        sha: lines_of(decode(data)) for sha, data in git.contents(list({each.blob for each in passages}))
    }
    return Answered(
        case,
        signals,
        deep,
        ten,
        sixty,
        timed.costs,
        frozenset(functions),
        {each.id: _size(texts[each.blob][each.chunk.start - 1 : each.chunk.end]) for each in passages},
        {path: _size(texts[blob]) for path, blob in blobs.items() if blob in texts},
    )


def _size(lines: Sequence[str]) -> int:
    return sum(len(line) + 1 for line in lines)


def _touched(chunk: StoredChunk, ranges: Sequence[tuple[int, int]]) -> bool:
    return any(chunk.chunk.start <= last and first <= chunk.chunk.end for first, last in ranges)
