"""Search by words: an inverted index in tables, and BM25 as FTS5 computes it, to the last bit.

PostgreSQL's own full text does not do: a `tsvector` keeps no more than 255 places of a word and gives up the
count of one word only by being unpacked whole, and `ts_rank` knows nothing of how rare a word is. So, as FTS5
does, each write adds a *segment*: for each word one row with the documents that hold it, how often, and their
lengths. When there are `CROWDED` segments of a level they are joined to one of the next. Documents that are
deleted are listed in `gone` until all segments are written anew.
https://www.sqlite.org/fts5.html#the_bm25_function
"""

import math
from array import array
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from heapq import nlargest
from typing import TypeAlias

from bot.knowledge.postgres.base import Base
from bot.knowledge.shelf import Hit, Table

CROWDED = 8
MOST_GONE = 2000
"""Deleted documents that are listed before a table is tidied by itself."""
_WHOLE = 9
"""The level of a table's segment that holds all of it."""
_K1, _B = 1.2, 0.75
_SMALLEST_IDF = 1e-6
"""For a word that most documents hold."""

Postings: TypeAlias = "array[int]"
"""(document, how often, length of the document) one after the other."""
_NONE: Postings = array("I")

_READ = """
SELECT 'total', '', ''::bytea, docs, words FROM total WHERE repo = %s AND of = %s
UNION ALL SELECT 'gone', '', '', doc, 0 FROM gone WHERE repo = %s AND of = %s
UNION ALL SELECT 'posting', p.term, p.docs, 0, 0 FROM segment s
  JOIN posting p ON p.repo = s.repo AND p.of = s.of AND p.segment = s.number
  WHERE s.repo = %s AND s.of = %s AND p.term = ANY(%s)
"""


@dataclass(slots=True)
class _Read:
    """Of a table: postings of the documents that are there, how many there are, and how long together."""

    postings: dict[str, Postings] = field(default_factory=dict)
    docs: int = 0
    words: int = 0


class Words(Base):
    """See `Shelf`."""

    def match(self, table: Table, terms: Sequence[str], limit: int) -> list[Hit]:
        with self.reading():
            read = self._read(table, terms)
            scores = _bm25([read.postings[term] for term in terms if term in read.postings], read)
            if not scores:
                return []
            least = nlargest(limit, scores.values())[-1]
            best = {doc: score for doc, score in scores.items() if score >= least}
            names = self._names(table, best)
        hits = [Hit(names.get(doc, doc), score) for doc, score in best.items()]
        return sorted(hits, key=lambda hit: (-hit.score, hit.id))[:limit]

    def frequencies(self, table: Table, terms: Collection[str]) -> dict[str, int]:
        found = self._read(table, terms).postings
        return {term: len(found.get(term, ())) // 3 for term in terms}

    def holding(self, table: Table, terms: Collection[str], ids: Collection[int]) -> dict[int, list[str]]:
        wanted = list(ids)
        with self.reading():
            found = self._read(table, terms).postings
            if table == "issue":
                wanted = [
                    doc
                    for (doc,) in self.rows(
                        "SELECT id FROM issue WHERE repo = %s AND number = ANY(%s)", [self.repo, wanted]
                    )
                ]
            names = self._names(table, wanted)
        holding: dict[int, list[str]] = {number: [] for number in ids}
        for term in dict.fromkeys(terms):
            for doc in set(found.get(term, _NONE)[::3]).intersection(wanted):
                holding[names.get(doc, doc)].append(term)
        return holding

    def new_ids(self, table: Table, count: int) -> range:
        """Numbers that no document of the table has had."""
        after = self.one(
            "INSERT INTO total (repo, of, next) VALUES (%s, %s, 1 + %s) "
            "ON CONFLICT (repo, of) DO UPDATE SET next = total.next + excluded.next - 1 RETURNING next",
            [self.repo, table, count],
        )
        return range(after - count, after)

    def add_words(self, table: Table, documents: Iterable[tuple[int, str]]) -> dict[int, int]:
        """Of new documents; their lengths."""
        postings: defaultdict[str, Postings] = defaultdict(lambda: array("I"))
        lengths: dict[int, int] = {}
        for number, text in documents:
            counts = Counter(text.split())
            length = lengths[number] = counts.total()
            for term, count in counts.items():
                postings[term].extend((number, count, length))
        if lengths:
            self.rows(
                "UPDATE total SET docs = docs + %s, words = words + %s WHERE repo = %s AND of = %s",
                [len(lengths), sum(lengths.values()), self.repo, table],
            )
            self._put_segment(table, 0, postings)
            self._join_crowded(table)
        return lengths

    def drop_words(self, table: Table, lengths: dict[int, int]) -> None:
        """Of documents that go, with their lengths."""
        if not lengths:
            return
        self.put("gone (of, doc)", ((table, number) for number in lengths))
        self.rows(
            "UPDATE total SET docs = docs - %s, words = words - %s WHERE repo = %s AND of = %s",
            [len(lengths), sum(lengths.values()), self.repo, table],
        )
        if self.one("SELECT count(*) FROM gone WHERE repo = %s AND of = %s", [self.repo, table]) > MOST_GONE:
            self.tidy_words(table)

    def tidy_words(self, table: Table) -> None:
        """One segment, without what is gone."""
        some = [self.repo, table]
        terms = {term for (term,) in self.rows("SELECT term FROM posting WHERE repo = %s AND of = %s", some)}
        postings = self._read(table, terms).postings
        for name in ("posting", "segment", "gone"):
            self.rows(f"DELETE FROM {name} WHERE repo = %s AND of = %s", some)
        self._put_segment(table, _WHOLE, {term: each for term, each in postings.items() if each})

    def _names(self, table: Table, docs: Collection[int]) -> dict[int, int]:
        """The numbers of issues by the documents that they are now: one that is replaced is a new one."""
        if table != "issue":
            return {}
        return dict(
            self.rows(
                "SELECT id, number FROM issue WHERE repo = %s AND id = ANY(%s)", [self.repo, list(docs)]
            )
        )

    def _read(self, table: Table, terms: Collection[str]) -> "_Read":
        """In one question: a search has many, and each way to the server and back counts."""
        read, gone = _Read(), set[int]()
        for what, term, docs, one, other in self.rows(_READ, [self.repo, table] * 3 + [list(set(terms))]):
            match what:
                case "posting":
                    read.postings.setdefault(term, array("I")).frombytes(docs)
                case "gone":
                    gone.add(one)
                case _:
                    read.docs, read.words = one, other
        if gone:
            read.postings = {term: _without(each, gone) for term, each in read.postings.items()}
        return read

    def _put_segment(self, table: Table, level: int, postings: dict[str, Postings]) -> None:
        if not postings:
            return
        number = self._new_segment(table, level)
        self.put(
            "posting (of, term, segment, docs)",
            ((table, term, number, postings[term].tobytes()) for term in sorted(postings)),
        )

    def _new_segment(self, table: Table, level: int) -> int:
        some = [self.repo, table]
        number = self.one(
            "UPDATE total SET segment = segment + 1 WHERE repo = %s AND of = %s RETURNING segment", some
        )
        self.rows("INSERT INTO segment VALUES (%s, %s, %s, %s)", [*some, number, level])
        return int(number)

    def _join_crowded(self, table: Table) -> None:
        while crowded := self.rows(
            "SELECT level, array_agg(number) FROM segment WHERE repo = %s AND of = %s "
            "GROUP BY level HAVING count(*) >= %s ORDER BY level LIMIT 1",
            [self.repo, table, CROWDED],
        ):
            ((level, numbers),) = crowded
            self._join(table, numbers, level + 1)

    def _join(self, table: Table, numbers: list[int], level: int) -> None:
        """Within the database: what is gone stays in."""
        some = [self.repo, table, numbers]
        self.rows("DELETE FROM segment WHERE repo = %s AND of = %s AND number = ANY(%s)", some)
        self.rows(
            "WITH old AS ("
            "DELETE FROM posting WHERE repo = %s AND of = %s AND segment = ANY(%s) RETURNING *"
            ") INSERT INTO posting (repo, of, term, segment, docs) "
            "SELECT repo, of, term, %s, string_agg(docs, ''::bytea) FROM old GROUP BY repo, of, term",
            [*some, self._new_segment(table, level)],
        )


def _bm25(postings: Sequence[Postings], read: _Read) -> dict[int, float]:
    """document -> score. The order of the operations is FTS5's: the sums come out alike to the last bit."""
    scores: dict[int, float] = {}
    known = scores.get
    docs, average = read.docs, read.words / max(read.docs, 1)
    for each in postings:
        holding = len(each) // 3
        idf = math.log((docs - holding + 0.5) / (holding + 0.5))
        idf = idf if idf > 0 else _SMALLEST_IDF
        values = iter(each)
        for doc, count, length in zip(values, values, values, strict=True):
            part = idf * ((count * (_K1 + 1.0)) / (count + _K1 * (1 - _B + _B * length / average)))
            scores[doc] = known(doc, 0.0) + part
    return scores


def _without(postings: Postings, gone: set[int]) -> Postings:
    kept = array("I")
    values = iter(postings)
    for doc, count, length in zip(values, values, values, strict=True):
        if doc not in gone:
            kept.extend((doc, count, length))
    return kept
