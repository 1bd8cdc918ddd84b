"""Search by words, with FTS5's own BM25."""

from collections.abc import Collection, Sequence

from bot.knowledge.storage.base import IDS, SqliteBase, listed
from bot.knowledge.storage.types import Hit, WordTable


class Words(SqliteBase):
    """See `IndexStore`."""

    def match(self, table: WordTable, terms: Sequence[str], limit: int) -> list[Hit]:
        """Rows that hold any of the terms, best first. A term given twice counts twice."""
        if not terms:
            return []
        found = self.rows(
            f"SELECT rowid, -rank FROM {table}_words WHERE {table}_words MATCH ? "
            "ORDER BY rank, rowid LIMIT ?",
            [" OR ".join(map(_quoted, terms)), limit],
        )
        return [Hit(number, score) for number, score in found]

    def frequencies(self, table: WordTable, terms: Collection[str]) -> dict[str, int]:
        """How many rows hold each term."""
        counts = {term: self.one(f"SELECT doc FROM {table}_terms WHERE term = ?", [term]) for term in terms}
        return {term: int(count or 0) for term, count in counts.items()}

    def holding(self, table: WordTable, terms: Collection[str], ids: Collection[int]) -> dict[int, list[str]]:
        """Which of the terms each of these rows holds, in the order given."""
        found: dict[int, list[str]] = {number: [] for number in ids}
        for term in dict.fromkeys(terms):
            rows = self.rows(
                f"SELECT rowid FROM {table}_words WHERE {table}_words MATCH ? AND rowid IN {IDS}",
                [_quoted(term), listed(ids)],
            )
            for (number,) in rows:
                found[number].append(term)
        return found


def _quoted(term: str) -> str:
    return '"' + term.replace('"', '""').replace("\0", "") + '"'
