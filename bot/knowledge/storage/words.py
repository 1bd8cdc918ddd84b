"""Search by words, with FTS5's own BM25.

Words of blobs that were read for other commits than the tip are in tables of their own. Where those count
(`others`), they are scored as if they were rows of the tip's: by its number of rows, their average length,
and how many of them hold a term. https://www.sqlite.org/fts5.html#the_bm25_function
"""

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

import apsw

from bot.knowledge.storage.base import SqliteBase, Value, in_our_words, listed
from bot.knowledge.storage.types import Hit, OtherTable, WordTable

AS_OF_TIP = "as_of_tip"
_K1, _B = 1.2, 0.75
_OTHERS: Mapping[str, OtherTable] = {"chunk": "other_chunk", "file": "other_file"}


class Words(SqliteBase):
    """See `IndexStore`."""

    def match(self, table: WordTable, terms: Sequence[str], limit: int, *, others: bool = False) -> list[Hit]:
        """Rows that hold any of the terms, best first. A term given twice counts twice. With `others` also
        those of other commits, as many as would be among so many."""
        if not terms:
            return []
        hits = self._of_tip(table, terms, limit)
        if others and table in _OTHERS:
            least = hits[-1].score if len(hits) == limit else 0.0
            hits += [hit for hit in self._others(table, terms) if hit.score >= least]
        return sorted(hits, key=lambda hit: (-hit.score, hit.id)) if others else hits

    def _of_tip(self, table: WordTable, terms: Sequence[str], limit: int) -> list[Hit]:
        """A term that FTS5 is given n times it also evaluates n times: terms that count alike are asked for
        together, once."""
        alike: dict[int, list[str]] = defaultdict(list)
        for term, count in Counter(terms).items():
            alike[count].append(_quoted(term))
        asked = [" OR ".join(some) for some in alike.values()]
        name = f"{table}_words"
        if len(alike) == 1:
            (n,) = alike
            sql = f"SELECT rowid, {n} * -rank FROM {name} WHERE {name} MATCH ? ORDER BY rank, rowid"
        else:
            each = (f"SELECT rowid, {n} * -rank AS score FROM {name} WHERE {name} MATCH ?" for n in alike)
            every = " UNION ALL ".join(each)
            sql = f"SELECT rowid, sum(score) FROM ({every}) GROUP BY rowid ORDER BY 2 DESC, rowid"
        return [Hit(number, score) for number, score in self.rows(f"{sql} LIMIT ?", [*asked, limit])]

    def _others(self, table: WordTable, terms: Sequence[str]) -> list[Hit]:
        """Rows of other commits, as the tip's table would score them."""
        rows, length = self.totals(table)
        counts = Counter(terms)
        held = self.frequencies(table, counts)
        worth = [
            count * max(math.log((rows - held[term] + 0.5) / (held[term] + 0.5)), 1e-6)
            for term, count in counts.items()
        ]
        other = f"{_OTHERS[table]}_words"
        scored = partial(_as_of_tip, average=length / rows if length else 1.0, worth=worth)
        with in_our_words(self.path):
            self.connection.register_fts5_function(AS_OF_TIP, scored)
        found = self.rows(
            f"SELECT rowid, {AS_OF_TIP}({other}) FROM {other} WHERE {other} MATCH ?",
            [" OR ".join(map(_quoted, counts))],
        )
        return [Hit(number, score) for number, score in found]

    def totals(self, table: WordTable) -> tuple[int, int]:
        """How many rows there are, and tokens in all: FTS5's averages record, in which each is a varint.
        https://www.sqlite.org/fts5.html#fts5_data_structures"""
        record = self.one(f"SELECT block FROM {table}_words_data WHERE id = 1") or b""
        numbers, value = [], 0
        for octet in record:
            value = value << 7 | octet & 0x7F
            if octet < 0x80:
                numbers.append(value)
                value = 0
        return (numbers[0], numbers[1]) if len(numbers) > 1 else (0, 0)

    def frequencies(
        self, table: WordTable, terms: Collection[str], *, others: bool = False
    ) -> dict[str, int]:
        """How many rows hold each term; with `others` those of other commits count too."""
        found = dict.fromkeys(terms, 0)
        for name in _tables(table, others):
            for term, rows in self.rows(
                f"SELECT t.term, t.doc FROM json_each(?) a CROSS JOIN {name}_terms t ON t.term = a.value",
                [listed(found)],
            ):
                found[term] += rows
        return found

    def holding(
        self, table: WordTable, terms: Collection[str], ids: Collection[int], *, others: bool = False
    ) -> dict[int, list[str]]:
        """Which of the terms each of these rows holds, in the order given."""
        found: dict[int, list[str]] = {number: [] for number in ids}
        asked = list(dict.fromkeys(terms))
        if not found:
            return found
        values: list[Value] = [
            listed([_quoted(term) for term in asked]),
            listed(found),
            min(found),
            max(found),
        ]
        for name in _tables(table, others):
            # By the plus a term's rows are gone through once: to look each id up takes four times as long.
            for place, number in self.rows(
                f"SELECT a.key, w.rowid FROM json_each(?1) a CROSS JOIN {name}_words w "
                f"ON w.{name}_words MATCH a.value AND w.rowid BETWEEN ?3 AND ?4 AND +w.rowid IN "
                "(SELECT value FROM json_each(?2))",
                values,
            ):
                found[number].append(asked[place])
        return found


def _tables(table: WordTable, others: bool) -> list[WordTable | OtherTable]:
    """Those whose rows count."""
    return [table, _OTHERS[table]] if others and table in _OTHERS else [table]


def _as_of_tip(row: apsw.FTS5ExtensionApi, *_: Any, average: float, worth: Sequence[float]) -> float:
    """BM25 of one row by numbers that are not its own table's: the average length, and each term's idf."""
    length = row.column_size(-1)
    norm = _K1 * (1 - _B + _B * length / average)
    score = 0.0
    for phrase, idf in enumerate(worth):
        if count := len(row.phrase_locations(phrase)[0]):
            score += idf * count * (_K1 + 1) / (count + norm)
    return score


def _quoted(term: str) -> str:
    return '"' + term.replace('"', '""').replace("\0", "") + '"'
