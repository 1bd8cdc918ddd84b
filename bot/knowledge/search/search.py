"""Search in one repository's index: files and passages, commits, issues, each with why it was found.

What is returned can be checked: at the commit `sha`, `path` has the lines `start` to `end`.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

from bot.core.knowledge import Found, FoundKind
from bot.knowledge.git import Git
from bot.knowledge.parsing.languages import is_source
from bot.knowledge.parsing.tokens import tokens
from bot.knowledge.search.explanations import of_file, of_words, spoken
from bot.knowledge.search.query import query_terms
from bot.knowledge.search.ranking import WEIGHTS, Part, functions, rank
from bot.knowledge.search.signals import (
    MOST_CHUNKS,
    MOST_PASSAGES,
    Nearest,
    SearchSignals,
    called,
    gather,
    near_commits,
    nothing_near,
    rare_terms,
)
from bot.knowledge.search.snapshot import AtTip, snapshot_at
from bot.knowledge.storage import IndexStore
from bot.knowledge.storage.types import StoredChunk

ATTEMPTS = 3
"""To see a commit whole while pushes drop what they replace."""
LOOKUP = 3.0
"""What names weigh where a query is nothing else."""
CODE: tuple[FoundKind, ...] = ("code",)


class Search:
    """Answers from an index. `git` is asked for what commits other than the tip hold."""

    def __init__(
        self,
        index_store: IndexStore,
        git: Git | None = None,
        nearest: Nearest = nothing_near,
        weights: Mapping[Part, float] = WEIGHTS,
    ) -> None:
        self.index_store, self.git, self.nearest, self.weights = index_store, git, nearest, weights

    def search(
        self, query: str, k: int = 10, kinds: Collection[FoundKind] = CODE, at: str = ""
    ) -> list[Found]:
        """The k best, best first; of code one result a file: its best passage. `at` names the commit whose
        files are meant, by default the one that the index is of. UserError where there is no such commit."""
        found: list[Found] = []
        if "code" in kinds:
            found += self._code(query, k, at)
        with self.index_store.reading():
            if "commit" in kinds:
                found += self._commits(query, k)
            if "issue" in kinds or "pull_request" in kinds:
                found += self._issues(query, k, kinds)
        return sorted(found, key=lambda each: -each.score)[:k]

    def passages(self, query: str, k: int = 30, at: str = "") -> list[Found]:
        """The k best functions, classes and sections, several of a file where they are good."""
        with self.signals(query, at, MOST_PASSAGES) as signals:
            places = signals.places()
            best = functions(signals.chunks, signals.symbols, places, dict(self._ranked(signals)))[:k]
            return self._found(query, signals, [(places[n], signals.stored[n], score) for n, score in best])

    @contextmanager
    def signals(self, query: str, at: str = "", most: int = MOST_CHUNKS) -> Iterator[SearchSignals]:
        """All that speaks for any file, for whoever ranks in another way; the index stays as it is within."""
        for attempt in range(ATTEMPTS):
            other = snapshot_at(self.index_store, self.git, at) if at else None
            with self.index_store.reading():
                tip = self.index_store.state("tip")
                as_asked = other.is_whole(self.index_store) if other else not at or self._is(at, tip)
                if as_asked or attempt == ATTEMPTS - 1:
                    snapshot = other or AtTip(self.index_store, tip)
                    yield gather(self.index_store, query, snapshot, self.nearest, most)
                    return

    def _is(self, at: str, tip: str) -> bool:
        return at == tip or (self.git is not None and self.git.commit(at) == tip)

    def _ranked(self, signals: SearchSignals) -> list[tuple[str, float]]:
        """Whoever gives nothing but names wants what they name, be it a test or a document."""
        asked = signals.asked
        named = set(tokens("\n".join([*asked.names, *(f"{each.path} {each.line}" for each in asked.places)])))
        only_names = bool(named) and named.issuperset(asked.terms)
        if only_names:
            return rank(signals.parts, {**self.weights, "named": LOOKUP, "place": LOOKUP})
        return rank(signals.parts, self.weights, is_source)

    def _code(self, query: str, k: int, at: str) -> list[Found]:
        with self.signals(query, at) as signals:
            ranked = self._ranked(signals)[:k]
            best = self._best_chunks(signals, [path for path, _ in ranked])
            return self._found(
                query, signals, [(path, best[path], score) for path, score in ranked if path in best]
            )

    def _best_chunks(self, signals: SearchSignals, paths: Sequence[str]) -> dict[str, StoredChunk]:
        """For each path the passage that its result shows: one whose line was told, one that is named, the
        one with the best words, else the first."""
        blobs = signals.snapshot.blobs_of(paths)
        by_blob: dict[str, list[StoredChunk]] = {}
        for each in signals.stored.values():
            by_blob.setdefault(each.blob, []).append(each)
        told = {
            path: [each.line for each in signals.asked.places if each.line and path.endswith(each.path)]
            for path in blobs
        }
        whole = {
            blob for path, blob in blobs.items() if told[path] or path in signals.named or blob not in by_blob
        }
        by_blob.update((blob, []) for blob in whole)
        for each in self.index_store.chunks_of(whole):
            by_blob[each.blob].append(each)
        names = {name.casefold() for name in signals.asked.names}
        return {
            path: max(by_blob[blob], key=partial(_value, signals, names, told[path]))
            for path, blob in blobs.items()
            if by_blob[blob]
        }

    def _found(
        self, query: str, signals: SearchSignals, picked: Sequence[tuple[str, StoredChunk, float]]
    ) -> list[Found]:
        words = spoken(query)
        ids = [each.id for _, each, _ in picked]
        others = signals.snapshot.others
        held = self.index_store.holding("chunk", signals.worth, ids, others=others)
        sha = signals.snapshot.sha
        return [
            Found(
                kind="code",
                score=round(score, 4),
                why=(*of_words(held.get(each.id, ()), words), *of_file(path, signals, words)),
                path=path,
                symbol=each.chunk.symbol,
                start=each.chunk.start,
                end=each.chunk.end,
                sha=sha,
            )
            for path, each, score in picked
        ]

    def _commits(self, query: str, k: int) -> Iterator[Found]:
        asked = query_terms(query)
        words = spoken(query)
        found = near_commits(self.index_store, rare_terms(self.index_store, query, asked)[0], k)
        for score, commit in found:
            share = round(score / found[0][0], 4)
            here = set(query_terms(f"{commit.subject}\n{commit.body}").terms)
            why = of_words([term for term in asked.terms if term in here], words)
            yield Found("commit", share, why, sha=commit.sha, title=commit.subject)

    def _issues(self, query: str, k: int, kinds: Collection[FoundKind]) -> list[Found]:
        asked = query_terms(query)
        words = spoken(query)
        hits = self.index_store.match("issue", rare_terms(self.index_store, query, asked)[0], 3 * k)
        issues = self.index_store.issues([hit.id for hit in hits])
        held = self.index_store.holding("issue", asked.terms, list(issues))
        found = [(round(hit.score / hits[0].score, 4), issues[hit.id]) for hit in hits if hit.id in issues]
        return [
            Found(each.kind, score, of_words(held[each.number], words), number=each.number, title=each.title)
            for score, each in found
            if each.kind in kinds
        ][:k]


def _value(
    signals: SearchSignals, names: Collection[str], lines: Sequence[int], each: StoredChunk
) -> tuple[bool, bool, float, int]:
    told = any(each.chunk.start <= line <= each.chunk.end for line in lines)
    named = any(name in names for name in called(each))
    return told, named, signals.chunks.get(each.id, 0.0), -each.id
