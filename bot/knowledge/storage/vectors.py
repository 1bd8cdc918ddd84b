"""Vectors as sqlite-vec reads them, in 8 bits a number, compared one by one.
https://github.com/asg017/sqlite-vec"""

from array import array
from collections.abc import Iterable, Sequence

from bot.knowledge.storage.base import SqliteBase
from bot.knowledge.storage.types import Hit, VectorOf

_MISSING = {
    "chunk": (
        "SELECT c.id FROM chunk c JOIN blob b ON b.id = c.blob "
        "WHERE b.sha IN (SELECT sha FROM file WHERE why = '') "
        "AND c.id NOT IN (SELECT id FROM vector WHERE of = ? AND model = ?) ORDER BY c.id LIMIT ?"
    ),
    "issue": (
        "SELECT number FROM issue WHERE number NOT IN (SELECT id FROM vector WHERE of = ? AND model = ?) "
        "ORDER BY number DESC LIMIT ?"
    ),
}


class Vectors(SqliteBase):
    """See `IndexStore`."""

    def put_vectors(self, of: VectorOf, model: str, vectors: Iterable[tuple[int, Sequence[float]]]) -> None:
        with self.writing():
            self.many(
                "INSERT OR REPLACE INTO vector VALUES (?, ?, ?, ?)",
                ((of, model, number, _packed(vector)) for number, vector in vectors),
            )

    def nearest(self, of: VectorOf, model: str, vector: Sequence[float], limit: int) -> list[Hit]:
        """`score` is the cosine."""
        asked = _packed(vector)
        found = self.rows(
            "SELECT id, 1 - vec_distance_cosine(vec_int8(vector), vec_int8(?1)) AS cosine FROM vector "
            "WHERE of = ?2 AND model = ?3 AND length(vector) = length(?1) ORDER BY cosine DESC, id LIMIT ?4",
            [asked, of, model, limit],
        )
        return [Hit(number, score) for number, score in found]

    def without_vector(self, of: VectorOf, model: str, limit: int) -> list[int]:
        """Ids of chunks (of files at the tip) or numbers of issues that have none yet."""
        sql = _MISSING["chunk" if of == "chunk" else "issue"]
        return [number for (number,) in self.rows(sql, [of, model, limit])]

    def drop_vectors(self, keep_model: str) -> None:
        """All of other models."""
        self.rows("DELETE FROM vector WHERE model <> ?", [keep_model])


def _packed(vector: Sequence[float]) -> bytes:
    """Scaled so that its largest number is 127: that changes no cosine."""
    scale = 127 / (max(map(abs, vector), default=0.0) or 1.0)
    return array("b", [round(number * scale) for number in vector]).tobytes()
