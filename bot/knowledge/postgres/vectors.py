"""Vectors by pgvector, in half precision, compared one by one. Where the extension is not there, none are
kept: nothing is near anything. https://github.com/pgvector/pgvector"""

from collections.abc import Collection, Iterable, Sequence

from bot.knowledge.postgres.base import Base
from bot.knowledge.shelf import Hit, VectorOf

_HAVE = "SELECT v.id FROM vector v WHERE v.repo = %s AND v.of = %s AND v.model = %s"
_MISSING = {
    "chunk": (
        "SELECT c.id FROM chunk c JOIN blob b ON b.repo = c.repo AND b.id = c.blob WHERE c.repo = %s "
        f"AND b.sha IN (SELECT sha FROM file WHERE repo = %s AND why = '') AND c.id NOT IN ({_HAVE}) "
        "ORDER BY c.id LIMIT %s"
    ),
    "issue": (
        "SELECT number FROM issue WHERE repo = %s AND repo = %s "
        f"AND number NOT IN ({_HAVE}) ORDER BY number DESC LIMIT %s"
    ),
}


class Vectors(Base):
    """See `Shelf`."""

    has_vectors = False

    def put_vectors(self, of: VectorOf, model: str, vectors: Iterable[tuple[int, Sequence[float]]]) -> None:
        if not self.has_vectors:
            return
        by_id = dict(vectors)
        with self.writing():
            self.rows(
                "DELETE FROM vector WHERE repo = %s AND of = %s AND model = %s AND id = ANY(%s)",
                [self.repo, of, model, list(by_id)],
            )
            rows = ((of, model, number, _written(vector)) for number, vector in by_id.items())
            self.put("vector (of, model, id, vector)", rows)

    def nearest(self, of: VectorOf, model: str, vector: Sequence[float], limit: int) -> list[Hit]:
        if not self.has_vectors:
            return []
        # Vectors of another length are of another model of the same name; compared, they are an error.
        found = self.rows(
            "SELECT id, CASE WHEN vector_dims(vector) = %s THEN 1 - (vector <=> %s::halfvec) END AS cosine "
            "FROM vector WHERE repo = %s AND of = %s AND model = %s "
            "ORDER BY cosine DESC NULLS LAST, id LIMIT %s",
            [len(vector), _written(vector), self.repo, of, model, limit],
        )
        return [Hit(number, cosine) for number, cosine in found if cosine is not None]

    def without_vector(self, of: VectorOf, model: str, limit: int) -> list[int]:
        if not self.has_vectors:
            return []
        sql = _MISSING["chunk" if of == "chunk" else "issue"]
        found = self.rows(sql, [self.repo, self.repo, self.repo, of, model, limit])
        return [number for (number,) in found]

    def drop_vectors(self, keep_model: str) -> None:
        if self.has_vectors:
            self.rows("DELETE FROM vector WHERE repo = %s AND model <> %s", [self.repo, keep_model])

    def drop_vectors_of(self, of: VectorOf, ids: Collection[int]) -> None:
        """Of what is no more."""
        if self.has_vectors:
            self.rows(
                "DELETE FROM vector WHERE repo = %s AND of = %s AND id = ANY(%s)", [self.repo, of, list(ids)]
            )


def _written(vector: Sequence[float]) -> str:
    return f"[{','.join(f'{number:.6g}' for number in vector)}]"
