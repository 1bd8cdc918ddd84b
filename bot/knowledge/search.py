"""Search in one repository's index: files and passages, commits, issues, each with why it was found.

What is returned can be checked: at the commit `sha`, `path` has the lines `start` to `end`.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

from bot.core.knowing import Found, FoundKind
from bot.knowledge.asked import query_terms
from bot.knowledge.evidence import (
    MOST_CHUNKS,
    MOST_PASSAGES,
    Evidence,
    Nearest,
    gather,
    means,
    near_commits,
    nothing_near,
    rare_terms,
)
from bot.knowledge.git import Git
from bot.knowledge.rank import WEIGHTS, Part, functions, rank
from bot.knowledge.roles import is_source
from bot.knowledge.shelf import StoredChunk
from bot.knowledge.sqlite import Shelf
from bot.knowledge.tokens import tokens
from bot.knowledge.view import AtTip, view_at
from bot.knowledge.why import of_file, of_words, spoken

LOOKUP = 3.0
"""What names weigh where a query is nothing else."""
CODE: tuple[FoundKind, ...] = ("code",)


class Search:
    """Answers from a shelf. `git` is asked for what commits other than the tip hold."""

    def __init__(
        self,
        shelf: Shelf,
        git: Git | None = None,
        nearest: Nearest = nothing_near,
        weights: Mapping[Part, float] = WEIGHTS,
    ) -> None:
        self.shelf, self.git, self.nearest, self.weights = shelf, git, nearest, weights

    def search(
        self, query: str, k: int = 10, kinds: Collection[FoundKind] = CODE, at: str = ""
    ) -> list[Found]:
        """The k best, best first; of code one result a file: its best passage. `at` names the commit whose
        files are meant, by default the one that the index is of. UserError where there is no such commit."""
        found: list[Found] = []
        if "code" in kinds:
            found += self._code(query, k, at)
        with self.shelf.reading():
            if "commit" in kinds:
                found += self._commits(query, k)
            if "issue" in kinds or "pull_request" in kinds:
                found += self._issues(query, k, kinds)
        return sorted(found, key=lambda each: -each.score)[:k]

    def passages(self, query: str, k: int = 30, at: str = "") -> list[Found]:
        """The k best functions, classes and sections, several of a file where they are good."""
        with self.evidence(query, at, MOST_PASSAGES) as evidence:
            places = evidence.places()
            best = functions(evidence.chunks, evidence.symbols, places, dict(self._ranked(evidence)))[:k]
            return self._found(query, evidence, [(places[n], evidence.stored[n], score) for n, score in best])

    @contextmanager
    def evidence(self, query: str, at: str = "", most: int = MOST_CHUNKS) -> Iterator[Evidence]:
        """All that speaks for any file, for whoever ranks in another way; the shelf stays as it is within."""
        other = view_at(self.shelf, self.git, at) if at else None
        with self.shelf.reading():
            view = other or AtTip(self.shelf, self.shelf.state("tip"))
            yield gather(self.shelf, query, view, self.nearest, most)

    def _ranked(self, evidence: Evidence) -> list[tuple[str, float]]:
        """Whoever gives nothing but names wants what they name, be it a test or a document."""
        asked = evidence.asked
        named = set(tokens("\n".join([*asked.names, *(f"{each.path} {each.line}" for each in asked.places)])))
        only_names = bool(named) and named.issuperset(asked.terms)
        if only_names:
            return rank(evidence.parts, {**self.weights, "named": LOOKUP, "place": LOOKUP})
        return rank(evidence.parts, self.weights, is_source)

    def _code(self, query: str, k: int, at: str) -> list[Found]:
        with self.evidence(query, at) as evidence:
            ranked = self._ranked(evidence)[:k]
            best = self._best_chunks(evidence, [path for path, _ in ranked])
            return self._found(
                query, evidence, [(path, best[path], score) for path, score in ranked if path in best]
            )

    def _best_chunks(self, evidence: Evidence, paths: Sequence[str]) -> dict[str, StoredChunk]:
        """For each path the passage that its result shows: one whose line was told, one that is named, the
        one with the best words, else the first."""
        blobs = evidence.view.blobs_of(paths)
        by_blob: dict[str, list[StoredChunk]] = {}
        for each in evidence.stored.values():
            by_blob.setdefault(each.blob, []).append(each)
        best = {}
        for path, blob in blobs.items():
            lines = [each.line for each in evidence.asked.places if each.line and path.endswith(each.path)]
            if lines or path in evidence.named or blob not in by_blob:
                by_blob[blob] = self.shelf.chunks_of([blob])
            if by_blob[blob]:
                best[path] = max(by_blob[blob], key=partial(_value, evidence, lines))
        return best

    def _found(
        self, query: str, evidence: Evidence, picked: Sequence[tuple[str, StoredChunk, float]]
    ) -> list[Found]:
        words = spoken(query)
        held = self.shelf.holding("chunk", evidence.asked.terms, [each.id for _, each, _ in picked])
        sha = evidence.view.sha
        return [
            Found(
                kind="code",
                score=round(score, 4),
                why=(*of_words(held.get(each.id, ()), words), *of_file(path, evidence, words)),
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
        found = near_commits(self.shelf, rare_terms(self.shelf, query, asked)[0], k)
        for score, commit in found:
            share = round(score / found[0][0], 4)
            here = set(query_terms(f"{commit.subject}\n{commit.body}").terms)
            why = of_words([term for term in asked.terms if term in here], words)
            yield Found("commit", share, why, sha=commit.sha, title=commit.subject)

    def _issues(self, query: str, k: int, kinds: Collection[FoundKind]) -> list[Found]:
        asked = query_terms(query)
        words = spoken(query)
        hits = self.shelf.match("issue", rare_terms(self.shelf, query, asked)[0], 3 * k)
        issues = self.shelf.issues([hit.id for hit in hits])
        held = self.shelf.holding("issue", asked.terms, list(issues))
        found = [(round(hit.score / hits[0].score, 4), issues[hit.id]) for hit in hits if hit.id in issues]
        return [
            Found(each.kind, score, of_words(held[each.number], words), number=each.number, title=each.title)
            for score, each in found
            if each.kind in kinds
        ][:k]


def _value(evidence: Evidence, lines: Sequence[int], each: StoredChunk) -> tuple[bool, bool, float, int]:
    told = any(each.chunk.start <= line <= each.chunk.end for line in lines)
    named = means(evidence.asked.names, each)
    return told, named, evidence.chunks.get(each.id, 0.0), -each.id
