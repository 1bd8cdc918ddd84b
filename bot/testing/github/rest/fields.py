"""What GraphQL asks of an object, taken from a table of its fields; lists in pages.

https://docs.github.com/en/graphql/guides/using-pagination-in-the-graphql-api
"""

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.testing.github.rest.document import Selection
from bot.testing.github.wire import RestCall

MOST_NODES = 500_000
_INTERFACES = ("GitObject", "Node", "Actor", "Comment", "Closable", "Labelable", "Assignable", "Lockable")
Fields = Mapping[str, Any]
"""Name -> value, or what makes it of the selection."""


class GraphError(Exception):
    """The whole query is refused."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass
class Query:
    """One query, and what is wrong with it so far."""

    call: RestCall
    errors: list[dict[str, Any]] = field(default_factory=list)

    def wrong(self, kind: str, message: str, path: Sequence[str]) -> None:
        self.errors.append({"type": kind, "path": list(path), "message": message})

    def undefined(self, kind: str, name: str, path: Sequence[str]) -> None:
        codes = {"code": "undefinedField", "typeName": kind, "fieldName": name}
        message = f"Field '{name}' doesn't exist on type '{kind}'"
        self.errors.append({"path": [*path, name], "extensions": codes, "message": message})

    def pick(self, kind: str, fields: Fields, asked: Selection) -> dict[str, Any]:
        """The fields that were asked of an object of that type."""
        answer: dict[str, Any] = {}
        for one in fields_of(asked, kind):
            if one.name == "__typename":
                answer[one.key] = kind
            elif one.name not in fields or f"{kind}.{one.name}" in self.call.state.lacking:
                self.undefined(kind, one.name, ["query", asked.key])
            else:
                value = fields[one.name]
                made = value(one) if callable(value) else value
                if one.key in answer and isinstance(made, dict):
                    made = answer[one.key] | made
                answer[one.key] = made
        return answer

    def connection(
        self, kind: str, items: Sequence[Any], asked: Selection, shape: Callable[[Any, Selection], Any]
    ) -> dict[str, Any]:
        """A page of `items`: the first or the last so many, after a cursor."""
        first, last = asked.arguments.get("first"), asked.arguments.get("last")
        size = first if first is not None else last
        if not isinstance(size, int):
            words = f"You must provide a `first` or `last` value to properly paginate the `{asked.name}`"
            raise GraphError("MISSING_PAGINATION_BOUNDARIES", f"{words} connection.")
        if not 0 <= size <= 100:
            words = f"Requesting {size} records on the `{asked.name}` connection exceeds the limit of 100"
            raise GraphError("EXCESSIVE_PAGINATION", f"{words} records.")
        start = _place(asked.arguments.get("after"))
        end = len(items)
        if first is not None:
            end = min(start + size, end)
        else:
            start = max(start, end - size)
        info = {
            "hasNextPage": first is not None and end < len(items),
            "hasPreviousPage": start > 0,
            "startCursor": _cursor(start + 1) if end > start else None,
            "endCursor": _cursor(end) if end > start else None,
        }
        table = {
            "nodes": lambda one: [shape(item, one) for item in items[start:end]],
            "edges": lambda one: [
                self.pick(
                    kind.replace("Connection", "Edge"),
                    {"cursor": _cursor(at + 1), "node": lambda node, at=at: shape(items[at], node)},
                    one,
                )
                for at in range(start, end)
            ],
            "totalCount": len(items),
            "pageInfo": lambda one: self.pick("PageInfo", info, one),
        }
        return self.pick(kind, table, asked)


def _cursor(count: int) -> str:
    """After that many."""
    return base64.b64encode(f"cursor:v2:{count}".encode()).decode()


def _place(cursor: object) -> int:
    if cursor is None:
        return 0
    try:
        return int(base64.b64decode(str(cursor)).decode().removeprefix("cursor:v2:"))
    except ValueError:
        words = f"`{cursor}` does not appear to be a valid cursor."
        raise GraphError("INVALID_CURSOR_ARGUMENTS", words) from None


def fields_of(asked: Selection, kind: str) -> Iterator[Selection]:
    """Those that hold for an object of that type, fragments opened."""
    for one in asked.children:
        if not one.on:
            yield one
        elif one.on in (kind, *_INTERFACES):
            yield from fields_of(one, kind)


def check_size(asked: Sequence[Selection]) -> None:
    """https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api#node-limit"""
    most = sum(_nodes(one, 1) for one in asked)
    if most > MOST_NODES:
        words = (
            f"This query requests up to {most:,} possible nodes which exceeds the maximum limit of 500,000."
        )
        raise GraphError("MAX_NODE_LIMIT_EXCEEDED", words)


def _nodes(asked: Selection, times: int) -> int:
    """How many a selection may give."""
    size = asked.arguments.get("first") or asked.arguments.get("last")
    inside = times * size if isinstance(size, int) else times
    own = inside if isinstance(size, int) else 0
    return own + sum(_nodes(child, inside) for child in asked.children)
