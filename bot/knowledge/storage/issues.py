"""Issues and pull requests, edges, and what is remembered by name."""

import json
from collections.abc import Collection, Iterable
from typing import Any

from bot.core.knowledge import Edge, EdgeKind, GraphNode, KnownIssue
from bot.knowledge.storage.base import IDS, SqliteBase, listed


class IssueTable(SqliteBase):
    """See `IndexStore`."""

    def state(self, key: str) -> str:
        """Empty where nothing was set."""
        return str(self.one("SELECT value FROM state WHERE key = ?", [key]) or "")

    def set_state(self, key: str, value: str) -> None:
        self.rows("INSERT OR REPLACE INTO state VALUES (?, ?)", [key, value])

    def put_issues(self, issues: Iterable[tuple[KnownIssue, str]]) -> None:
        """Each with its tokens; one that is there already is replaced, and its vectors go."""
        with self.writing():
            for issue, words in issues:
                self.drop_issues([issue.number])
                self.rows("INSERT INTO issue VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", _row_of(issue))
                self.put_words("issue", [(issue.number, words)])

    def drop_issues(self, numbers: Collection[int]) -> None:
        old = [listed(numbers)]
        with self.writing():
            self.rows(
                f"DELETE FROM issue_words WHERE rowid IN (SELECT number FROM issue WHERE number IN {IDS})",
                old,
            )
            self.rows(f"DELETE FROM issue WHERE number IN {IDS}", old)
            self.rows(f"DELETE FROM vector WHERE of IN ('issue', 'title') AND id IN {IDS}", old)

    def issues(self, numbers: Collection[int]) -> dict[int, KnownIssue]:
        found = self.rows(f"SELECT * FROM issue WHERE number IN {IDS}", [listed(numbers)])
        return {row[0]: _issue_of(*row) for row in found}

    def issue_numbers(self) -> list[int]:
        """Ascending."""
        return [number for (number,) in self.rows("SELECT number FROM issue ORDER BY number")]

    def put_edges(self, origin: str, edges: Iterable[Edge]) -> None:
        """Replaces all edges of the same origin: `issue 12`, `commit 1a2b3c`."""
        with self.writing():
            self.rows("DELETE FROM edge WHERE origin = ?", [origin])
            self.many(
                "INSERT OR REPLACE INTO edge VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    (origin, e.kind, e.source.kind, e.source.name, e.target.kind, e.target.name, e.weight)
                    for e in edges
                ),
            )

    def edges(
        self,
        *,
        source: GraphNode | None = None,
        target: GraphNode | None = None,
        kind: EdgeKind | None = None,
    ) -> list[Edge]:
        """Those that fit everything given."""
        conditions, values = ["1"], []
        for side, node in (("source", source), ("target", target)):
            if node:
                conditions.append(f"{side}_kind = ? AND {side} = ?")
                values += [node.kind, node.name]
        if kind:
            conditions.append("kind = ?")
            values.append(kind)
        found = self.rows(
            "SELECT kind, source_kind, source, target_kind, target, sum(weight) FROM edge "
            f"WHERE {' AND '.join(conditions)} GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5",
            values,
        )
        return [Edge(row[0], GraphNode(*row[1:3]), GraphNode(*row[3:5]), row[5]) for row in found]


def _row_of(i: KnownIssue) -> tuple[Any, ...]:
    """number, kind, state, title, body, author, labels, created, updated, closed"""
    labels = json.dumps(i.labels)
    return (
        *(i.number, i.kind, i.state, i.title, i.body, i.author),
        *(labels, i.created, i.updated, i.closed),
    )


def _issue_of(*row: Any) -> KnownIssue:
    """Of what `_row_of` gives."""
    number, kind, state, title, body, author, labels, *times = row
    return KnownIssue(number, kind, state, title, body, author, tuple(json.loads(labels)), *times)
