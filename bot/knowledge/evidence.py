"""What speaks for the files of a commit, given a query: the parts that bot.knowledge.rank puts together."""

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.knowledge.asked import Asked, query_terms
from bot.knowledge.rank import Part, Scores, faded_sum, from_history, from_names, from_recent, idf, rarest
from bot.knowledge.shelf import Commit, Hit, StoredChunk
from bot.knowledge.sqlite import Shelf
from bot.knowledge.tokens import tokens
from bot.knowledge.view import View

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
class Evidence:
    """`parts` may be ranked in any way. The chunks' paths are in `view`."""

    asked: Asked
    view: View
    parts: Mapping[Part, Scores]
    chunks: Mapping[int, float]
    """Scores of passages, by id."""
    symbols: Mapping[int, float]
    """How much of the query is in their names."""
    stored: Mapping[int, StoredChunk]
    named: Mapping[str, Sequence[str]]
    """path -> what in the query names it."""
    commits: Sequence[Commit]
    """Whose messages are near, the nearest first."""

    def places(self) -> dict[int, str]:
        """chunk -> the first path that holds it."""
        return {number: self.view.paths[each.blob][0] for number, each in self.stored.items()}


def gather(
    shelf: Shelf, query: str, view: View, nearest: Nearest = nothing_near, most: int = MOST_CHUNKS
) -> Evidence:
    """Asks for every part, of passages for so many; to be called within `shelf.reading()`."""
    asked = query_terms(query)
    terms, worth = rare_terms(shelf, query, asked)
    hits = {hit.id: hit.score for hit in shelf.match("chunk", terms, most)}
    near = {hit.id: hit.score for hit in nearest(query)}
    stored = {each.id: each for each in shelf.chunks([*hits, *(set(near) - set(hits))])}
    view = view.holding({each.blob for each in stored.values()})
    stored = {number: each for number, each in stored.items() if each.blob in view.paths}
    places = {place.path: view.ending(place.path) for place in asked.places[:MOST_NAMED]}
    named = _named(shelf, asked, view)
    history, commits = _history(shelf, query, terms, view)
    parts: dict[Part, Scores] = {
        "chunk": faded_sum(_spread(hits, stored, view)),
        "file": _files(shelf, terms, view),
        "path": _paths(shelf, terms, view),
        "named": from_names(named.values()),
        "place": from_names(places.values()),
        **history,
        "vector": faded_sum(_spread(near, stored, view)),
    }
    chunks = {number: score for number, score in hits.items() if number in stored}
    symbols = {
        number: sum(worth.get(term, 0.0) for term in set(tokens(stored[number].chunk.symbol)))
        for number in chunks
    }
    if len(asked.terms) > LONG:
        parts["symbol"] = faded_sum(_spread(symbols, stored, view))
    # That a file is worked on says nothing by itself.
    found = {path for scores in parts.values() for path in scores}
    recent = from_recent(each.paths for each in shelf.recent(RECENT))
    parts["recent"] = _kept(recent, found)
    return Evidence(asked, view, parts, chunks, symbols, stored, _turned({**named, **places}), commits)


def rare_terms(shelf: Shelf, query: str, asked: Asked) -> tuple[list[str], dict[str, float]]:
    """What is worth looking for, of a long text the rarest words, each as often as it counts; and how much
    each says."""
    counts = Counter(tokens(query))
    title = set(query_terms(query.strip().partition("\n")[0]).terms)
    weights = {term: 1 + math.log(max(1, counts[term])) + _OF_TITLE * (term in title) for term in asked.terms}
    rows = shelf.frequencies("chunk", asked.terms)
    kept = rarest(weights, rows, MOST_TERMS) if len(weights) > MOST_TERMS else list(weights)
    worth = {term: weights[term] * idf(rows[term]) for term in kept}
    return [term for term in kept for _ in range(round(weights[term]))], worth


def near_commits(shelf: Shelf, terms: Sequence[str], limit: int) -> list[tuple[float, Commit]]:
    """Commits whose messages hold the terms."""
    hits = shelf.match("commit", terms, limit)
    commits = shelf.commits([hit.id for hit in hits])
    return [(hit.score, commits[hit.id]) for hit in hits if hit.id in commits]


def means(names: Sequence[str], chunk: StoredChunk) -> bool:
    """Whether one of the names is the chunk's symbol or the last part of it, in any case."""
    symbol = chunk.chunk.symbol.casefold()
    return any(name.casefold() in (symbol, symbol.rpartition(".")[2]) for name in names)


def _files(shelf: Shelf, terms: Sequence[str], view: View) -> dict[str, float]:
    hits = shelf.match("file", terms, MOST_FILES)
    blobs = shelf.blobs([hit.id for hit in hits])
    paths = view.holding(blobs.values()).paths
    return {path: hit.score for hit in hits for path in paths.get(blobs.get(hit.id, ""), ())}


def _history(
    shelf: Shelf, query: str, terms: Sequence[str], view: View
) -> tuple[dict[Part, Scores], list[Commit]]:
    """What past commits say whose messages are near, and these."""
    title, _, body = query.strip().partition("\n")
    of_all = near_commits(shelf, terms, MOST_COMMITS)
    of_title = near_commits(shelf, _within(title, terms), MOST_COMMITS) if body.strip() else of_all
    touched = sorted({path for _, each in (*of_all, *of_title) for path in each.paths})
    there = set(view.those(touched))
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


def _paths(shelf: Shelf, terms: Sequence[str], view: View) -> dict[str, float]:
    hits = shelf.match("path", terms, MOST_FILES)
    names = shelf.path_names([hit.id for hit in hits])
    there = set(view.those(list(names.values())))
    return {names[hit.id]: hit.score for hit in hits if names.get(hit.id) in there}


def _named(shelf: Shelf, asked: Asked, view: View) -> dict[str, list[str]]:
    """What the query calls by a name that is defined -> the paths that it may mean."""
    named: dict[str, list[str]] = {}
    names = asked.names[:MOST_NAMED]
    defined = shelf.defined(names)
    paths = view.holding({each.blob for each in defined}).paths
    for name in names:
        own = [each for each in defined if means([name], each)]
        named[name] = sorted({path for each in own for path in paths.get(each.blob, ())})
    return {name: some for name, some in named.items() if some}


def _spread(
    scores: Mapping[int, float], stored: Mapping[int, StoredChunk], view: View
) -> Iterator[tuple[str, float]]:
    """(path, score) for each chunk and each path that holds it."""
    for number, score in scores.items():
        if chunk := stored.get(number):
            for path in view.paths[chunk.blob]:
                yield path, score


def _turned(named: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, paths in named.items():
        for path in paths:
            found.setdefault(path, []).append(name)
    return found
