"""How well duplicates, and the issue that a pull request fixes, are found among the issues before them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import mul
from pathlib import Path
from typing import Literal

from bot.core.knowledge import KnownIssue
from bot.knowledge.issues import RepositoryIssues, averaged, document, nothing_near
from bot.knowledge.search.query import query_terms
from bot.knowledge.storage import IndexStore
from bot.knowledge.storage.types import Hit
from tests.bench.figure import Figure
from tests.bench.knowledge.found import mean, recall
from tests.bench.knowledge.threads import Thread

POOL = 1_000
"""Issues before one that are looked through."""
MOST = 150
"""Questions of a kind and repository, evenly over its time."""
NEAREST = 100
EMBEDDED_AT_ONCE = 64
Embed = Callable[[Sequence[str]], Sequence[Sequence[float]]]


@dataclass(frozen=True)
class Asked:
    """A question's thread, what it belongs to, and what was found, best first, by words and plainly;
    `issues` are those as they were then."""

    gold: tuple[int, ...]
    found: list[int]
    plain: list[int]
    thread: Thread
    issues: Mapping[int, KnownIssue]


def figures(folder: Path, threads: Sequence[Thread], embed: Embed | None) -> Iterator[Figure]:
    vectors = " and vectors" if embed else ""
    for repository in sorted({each.repository for each in threads}):
        own = sorted(
            (each for each in threads if each.repository == repository), key=lambda each: each.number
        )
        for what, bar, field in (
            ("duplicates", 0.88 if embed else 0.78, "same"),
            ("the issue that a pull request fixes", 0.92 if embed else 0.795, "fixes"),
        ):
            asked = list(ask(folder / f"{repository}-{field}.db", own, field, embed))
            if asked:
                measured = mean(recall(each.found, each.gold, 5) for each in asked)
                plain = mean(recall(each.plain, each.gold, 5) for each in asked)
                name = f"{repository} ({len(asked)}): {what}, words{vectors}, recall@5"
                yield Figure(
                    name, f"{measured:.3f}", f">= {bar}", measured >= bar, f"{plain:.3f}, words once"
                )


def ask(path: Path, threads: Sequence[Thread], field: str, embed: Embed | None) -> Iterator[Asked]:
    """Each question among the issues before it, open or closed as they were then."""
    index_store = IndexStore.open(path)
    pool: dict[int, Thread] = {}
    shown_open: set[int] = set()
    near = _Near(pool, embed) if embed else nothing_near
    issues = RepositoryIssues(index_store, near=near)
    asking = _spread([each.number for each in threads if getattr(each, field)])
    for each in threads:
        gold = tuple(number for number in getattr(each, field) if number in pool)
        if each.number in asking and gold:
            now_closed = {n for n in shown_open & set(pool) if "" < pool[n].closed < each.created}
            index_store.put_issues([_row(pool[number], each.created) for number in now_closed])
            shown_open -= now_closed
            found = _asked(issues, each)
            known = index_store.issues(found)
            yield Asked(gold, found, _plain(index_store, each), each, known)
        if not each.pull:
            pool[each.number] = each
            shown_open.add(each.number)
            index_store.put_issues([_row(each, each.created)])
        if len(pool) > POOL:
            oldest = next(iter(pool))
            del pool[oldest]
            index_store.drop_issues([oldest])
    index_store.close()


class _Near:
    """Closeness in meaning among the pool, as the index would tell it: of title and body and of the title
    alone."""

    def __init__(self, pool: Mapping[int, Thread], embed: Embed) -> None:
        self.pool, self.embed = pool, embed
        self.vectors: dict[str, Sequence[float]] = {}

    def __call__(self, title: str, body: str) -> Mapping[int, float]:
        whole, of_title = self._of([f"{title}\n\n{body}", title])
        wholes = self._of([f"{each.title}\n\n{each.body}" for each in self.pool.values()])
        titles = self._of([each.title for each in self.pool.values()])
        return averaged(self._hits(whole, wholes), self._hits(of_title, titles))

    def _of(self, texts: Sequence[str]) -> list[Sequence[float]]:
        new = [text for text in dict.fromkeys(texts) if text not in self.vectors]
        for start in range(0, len(new), EMBEDDED_AT_ONCE):
            some = new[start : start + EMBEDDED_AT_ONCE]
            self.vectors.update(zip(some, self.embed(some), strict=True))
        return [self.vectors[text] for text in texts]

    def _hits(self, vector: Sequence[float], others: Sequence[Sequence[float]]) -> list[Hit]:
        hits = [
            Hit(number, sum(map(mul, vector, other))) for number, other in zip(self.pool, others, strict=True)
        ]
        return sorted(hits, key=lambda hit: -hit.score)[:NEAREST]


def _spread(numbers: Sequence[int]) -> set[int]:
    step = max(1, len(numbers) // MOST)
    return set(numbers[::step])


def _asked(issues: RepositoryIssues, each: Thread) -> list[int]:
    found = (
        issues.fixed_by(each.title, each.body, k=10)
        if each.pull
        else issues.duplicates(each.title, each.body, k=10)
    )
    return [one.number for one in found]


def _plain(index_store: IndexStore, each: Thread) -> list[int]:
    terms = query_terms(f"{each.title}\n{each.body}").terms
    return [hit.id for hit in index_store.match("issue", terms, 10)]


def _row(each: Thread, now: str) -> tuple[KnownIssue, str]:
    state: Literal["open", "closed"] = "closed" if "" < each.closed < now else "open"
    return KnownIssue(each.number, "issue", state, each.title, each.body, ""), document(each.title, each.body)
