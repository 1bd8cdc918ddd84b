"""What speaks for the files of a commit, given a query; `bot.knowledge.search.ranking` puts it together."""

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from bot.knowledge.parsing.tokens import tokens
from bot.knowledge.search.query import ParsedQuery, query_terms
from bot.knowledge.search.ranking import (
    Part,
    Scores,
    faded_sum,
    from_history,
    from_names,
    from_recent,
    idf,
    rarest,
)
from bot.knowledge.search.snapshot import Snapshot
from bot.knowledge.storage import IndexStore
from bot.knowledge.storage.types import Hit, IndexedCommit, StoredChunk

MOST_TERMS = 24
"""The rarest: more find no more, and cost twice the time."""
MOST_CHUNKS, MOST_FILES, MOST_COMMITS, MOST_NAMED = 400, 300, 100, 50
"""Hits that are looked at."""
MOST_PASSAGES = 1_500
"""Where functions are asked for and not files: tests hold the same words, and among the first 400 are 69 % of
the functions that a fix changes, among 1,500 89 %."""
RECENT = 300
"""Commits."""
LONG = 40
"""Words of a query beyond which names of functions tell better than their bodies what it is about (recall@5
+.03 on issue texts); in a short one they mislead (-.01)."""
_OF_TITLE = 2
"""What a term of the first line counts on top of what each counts: its author thinks it matters."""

Nearest = Callable[[str], Sequence[Hit]]
"""Chunks close to a text in meaning, by id; none where no host has a model for it."""


def nothing_near(_text: str) -> Sequence[Hit]:
    """For those without such a host."""
    return ()


@dataclass(frozen=True)
class SearchSignals:
    """`parts` may be ranked in any way. The chunks' paths are in `view`."""

    asked: ParsedQuery
    snapshot: Snapshot
    parts: Mapping[Part, Scores]
    worth: Mapping[str, float]
    """What each term that was looked for says."""
    chunks: Mapping[int, float]
    """Scores of passages, by id."""
    stored: Mapping[int, StoredChunk]
    named: Mapping[str, Sequence[str]]
    """path -> what in the query names it."""
    commits: Sequence[IndexedCommit]
    """Whose messages are near, the nearest first."""

    @cached_property
    def symbols(self) -> Mapping[int, float]:
        """How much of the query is in the names of passages, by id."""
        return named_worth(self.worth, {number: self.stored[number].chunk.symbol for number in self.chunks})

    def places(self) -> dict[int, str]:
        """chunk -> the first path that holds it."""
        return {number: self.snapshot.paths[each.blob][0] for number, each in self.stored.items()}


def gather(
    index_store: IndexStore,
    query: str,
    snapshot: Snapshot,
    nearest: Nearest = nothing_near,
    most: int = MOST_CHUNKS,
) -> SearchSignals:
    """Asks for every part, of passages for so many; to be called within `index_store.reading()`."""
    asked = query_terms(query)
    others = snapshot.others
    terms, worth = rare_terms(index_store, query, asked, others=others)
    hits = {hit.id: hit.score for hit in index_store.match("chunk", terms, most, others=others)}
    near = {hit.id: hit.score for hit in nearest(query)}
    stored = {each.id: each for each in index_store.chunks([*hits, *(set(near) - set(hits))])}
    files = index_store.match("file", terms, MOST_FILES, others=others)
    blobs = index_store.blobs([hit.id for hit in files])
    names = asked.names[:MOST_NAMED]
    defined = index_store.defined(names)
    snapshot = snapshot.holding({*(each.blob for each in (*stored.values(), *defined)), *blobs.values()})
    stored = {number: each for number, each in stored.items() if each.blob in snapshot.paths}
    places = {place.path: snapshot.ending(place.path) for place in asked.places[:MOST_NAMED]}
    named = _named(names, defined, snapshot)
    history, commits = _history(index_store, query, terms, snapshot)
    parts: dict[Part, Scores] = {
        "chunk": faded_sum(_spread(hits, stored, snapshot)),
        "file": {path: hit.score for hit in files for path in snapshot.paths.get(blobs.get(hit.id, ""), ())},
        "path": _paths(index_store, terms, snapshot),
        "named": from_names(named.values()),
        "place": from_names(places.values()),
        **history,
        "vector": faded_sum(_spread(near, stored, snapshot)),
    }
    chunks = {number: score for number, score in hits.items() if number in stored}
    if len(asked.terms) > LONG:
        symbols = named_worth(worth, {number: stored[number].chunk.symbol for number in chunks})
        parts["symbol"] = faded_sum(_spread(symbols, stored, snapshot))
    # That a file is worked on says nothing by itself.
    found = {path for scores in parts.values() for path in scores}
    recent = from_recent(index_store.recent_paths(RECENT))
    parts["recent"] = _kept(recent, found)
    return SearchSignals(asked, snapshot, parts, worth, chunks, stored, _turned({**named, **places}), commits)


def named_worth(worth: Mapping[str, float], symbols: Mapping[int, str]) -> dict[int, float]:
    """id -> what the terms in its symbol say."""
    of = {
        symbol: sum(worth.get(term, 0.0) for term in dict.fromkeys(tokens(symbol)))
        for symbol in set(symbols.values())
    }
    return {number: of[symbol] for number, symbol in symbols.items()}


def rare_terms(
    index_store: IndexStore, query: str, asked: ParsedQuery, *, others: bool = False
) -> tuple[list[str], dict[str, float]]:
    """What is worth looking for, of a long text the rarest words, each as often as it counts; and how much
    each says.

    Where a text names nothing, each counts once: who has no names for it repeats numbers and words of the
    story (pull requests of a C library @1 +.08, @5 +.06; where names are given, @1 -.06)."""
    counts = Counter(tokens(query))
    title = set(query_terms(query.strip().partition("\n")[0]).terms)
    weights = {term: 1 + math.log(max(1, counts[term])) + _OF_TITLE * (term in title) for term in asked.terms}
    rows = index_store.frequencies("chunk", asked.terms, others=others)
    kept = rarest(weights, rows, MOST_TERMS) if len(weights) > MOST_TERMS else list(weights)
    worth = {term: weights[term] * idf(rows[term]) for term in kept}
    names = bool(asked.names or asked.places)
    return [term for term in kept for _ in range(round(weights[term]) if names else 1)], worth


def near_commits(
    index_store: IndexStore, terms: Sequence[str], limit: int
) -> list[tuple[float, IndexedCommit]]:
    """Commits whose messages hold the terms."""
    return _commits(index_store, index_store.match("commit", terms, limit))[0]


def _commits(index_store: IndexStore, *found: Sequence[Hit]) -> list[list[tuple[float, IndexedCommit]]]:
    """Those of each list of hits; what is in several is loaded once."""
    commits = index_store.commits({hit.id for hits in found for hit in hits})
    return [[(hit.score, commits[hit.id]) for hit in hits if hit.id in commits] for hits in found]


def called(chunk: StoredChunk) -> tuple[str, str]:
    """The names that mean it, in lower case: its symbol and the last part of that."""
    symbol = chunk.chunk.symbol.casefold()
    return symbol, symbol.rpartition(".")[2]


def _history(
    index_store: IndexStore, query: str, terms: Sequence[str], snapshot: Snapshot
) -> tuple[dict[Part, Scores], list[IndexedCommit]]:
    """What past commits say whose messages are near, and these."""
    title, _, body = query.strip().partition("\n")
    hits = index_store.match("commit", terms, MOST_COMMITS)
    titled = index_store.match("commit", _within(title, terms), MOST_COMMITS) if body.strip() else hits
    of_all, of_title = _commits(index_store, hits, titled)
    touched = sorted({path for _, each in (*of_all, *of_title) for path in each.paths})
    there = set(snapshot.those(touched))
    parts: dict[Part, Scores] = {
        "history": _kept(from_history((score, each.paths) for score, each in of_all), there),
        "titled": _kept(from_history((score, each.paths) for score, each in of_title), there),
    }
    return parts, [each for _, each in of_all]


def _within(title: str, terms: Sequence[str]) -> list[str]:
    """The terms of the first line, those that are looked for at all."""
    kept = set(terms)
    return [term for term in query_terms(title).terms if term in kept]


def _kept(scores: Scores, there: Collection[str]) -> dict[str, float]:
    return {path: score for path, score in scores.items() if path in there}


def _paths(index_store: IndexStore, terms: Sequence[str], snapshot: Snapshot) -> dict[str, float]:
    hits = index_store.match("path", terms, MOST_FILES)
    names = index_store.path_names([hit.id for hit in hits])
    there = set(snapshot.those(list(names.values())))
    return {names[hit.id]: hit.score for hit in hits if names.get(hit.id) in there}


def _named(names: Sequence[str], defined: Sequence[StoredChunk], snapshot: Snapshot) -> dict[str, list[str]]:
    """What the query calls by a name that is defined -> the paths that it may mean."""
    meant: dict[str, set[str]] = {}
    for each in defined:
        for name in called(each):
            meant.setdefault(name, set()).update(snapshot.paths.get(each.blob, ()))
    named = {name: sorted(meant.get(name.casefold(), ())) for name in names}
    return {name: some for name, some in named.items() if some}


def _spread(
    scores: Mapping[int, float], stored: Mapping[int, StoredChunk], snapshot: Snapshot
) -> Iterator[tuple[str, float]]:
    """(path, score) for each chunk and each path that holds it."""
    for number, score in scores.items():
        if chunk := stored.get(number):
            for path in snapshot.paths[chunk.blob]:
                yield path, score


def _turned(named: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, paths in named.items():
        for path in paths:
            found.setdefault(path, []).append(name)
    return found
