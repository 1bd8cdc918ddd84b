"""Issues and pull requests, edges, and what is remembered by name."""

from collections.abc import Collection, Iterable
from typing import Any

from bot.core.knowing import Edge, EdgeKind, Issue, Node
from bot.knowledge.postgres.history import History
from bot.knowledge.rows import issue_of, row_of

_COLUMNS = "number, kind, state, title, body, author, labels, created, updated, closed"


class Issues(History):
    """See `Shelf`."""

    def state(self, key: str) -> str:
        return str(self.one("SELECT value FROM state WHERE repo = %s AND key = %s", [self.repo, key]) or "")

    def set_state(self, key: str, value: str) -> None:
        self.rows(
            "INSERT INTO state VALUES (%s, %s, %s) "
            "ON CONFLICT (repo, key) DO UPDATE SET value = excluded.value",
            [self.repo, key, value],
        )

    def put_issues(self, issues: Iterable[tuple[Issue, str]]) -> None:
        with self.writing():
            by_number = {issue.number: (issue, words) for issue, words in issues}
            self.drop_issues(by_number)
            ids = dict(zip(self.new_ids("issue", len(by_number)), by_number.values(), strict=True))
            lengths = self.add_words("issue", ((at, words) for at, (_, words) in ids.items()))
            rows = ((at, *row_of(issue), lengths[at]) for at, (issue, _) in ids.items())
            self.put(f"issue (id, {_COLUMNS}, words)", rows)

    def drop_issues(self, numbers: Collection[int]) -> None:
        with self.writing():
            self.drop_words("issue", self._deleted("issue", "number", list(numbers)))
            self.drop_vectors_of("issue", numbers)
            self.drop_vectors_of("title", numbers)

    def issues(self, numbers: Collection[int]) -> dict[int, Issue]:
        sql = f"SELECT {_COLUMNS} FROM issue WHERE repo = %s AND number = ANY(%s) ORDER BY number"
        return {row[0]: issue_of(*row) for row in self.rows(sql, [self.repo, list(numbers)])}

    def issue_numbers(self) -> list[int]:
        found = self.rows("SELECT number FROM issue WHERE repo = %s ORDER BY number", [self.repo])
        return [number for (number,) in found]

    def put_edges(self, origin: str, edges: Iterable[Edge]) -> None:
        with self.writing():
            self.rows(
                "DELETE FROM edge WHERE repo = %s AND md5(origin) = md5(%s) AND origin = %s",
                [self.repo, origin, origin],
            )
            named = {(e.kind, e.source, e.target): e.weight for e in edges}
            self.put(
                "edge (origin, kind, source_kind, source, target_kind, target, weight)",
                (
                    (origin, kind, source.kind, source.name, target.kind, target.name, weight)
                    for (kind, source, target), weight in named.items()
                ),
            )

    def edges(
        self, *, source: Node | None = None, target: Node | None = None, kind: EdgeKind | None = None
    ) -> list[Edge]:
        conditions: list[str] = []
        values: list[Any] = [self.repo]
        for side, node in (("source", source), ("target", target)):
            if node:
                conditions.append(f" AND {side}_kind = %s AND md5({side}) = md5(%s) AND {side} = %s")
                values += [node.kind, node.name, node.name]
        if kind:
            conditions.append(" AND kind = %s")
            values.append(kind)
        found = self.rows(
            "SELECT kind, source_kind, source, target_kind, target, sum(weight) FROM edge "
            f"WHERE repo = %s{''.join(conditions)} GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5",
            values,
        )
        return [Edge(row[0], Node(*row[1:3]), Node(*row[3:5]), row[5]) for row in found]
