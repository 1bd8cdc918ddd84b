"""What both databases make of values, and of their rows."""

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from bot.core.knowing import Issue
from bot.core.source import Chunk, Reference
from bot.knowledge.shelf import StoredChunk


def row_of(i: Issue) -> tuple[Any, ...]:
    """number, kind, state, title, body, author, labels, created, updated, closed"""
    labels = json.dumps(i.labels)
    return (
        *(i.number, i.kind, i.state, i.title, i.body, i.author),
        *(labels, i.created, i.updated, i.closed),
    )


def issue_of(*row: Any) -> Issue:
    """Of what `row_of` gives."""
    number, kind, state, title, body, author, labels, *times = row
    return Issue(number, kind, state, title, body, author, tuple(json.loads(labels)), *times)


def lines_by_name(references: Iterable[Reference]) -> dict[str, str]:
    """name -> its lines with spaces between."""
    lines: dict[str, set[int]] = defaultdict(set)
    for each in references:
        lines[each.name].add(each.line)
    return {name: " ".join(map(str, sorted(some))) for name, some in lines.items()}


def references_of(rows: Iterable[tuple[str, str]]) -> list[Reference]:
    """Of (name, its lines), by line."""
    every = [Reference(name, int(line)) for name, lines in rows for line in lines.split()]
    return sorted(every, key=lambda each: (each.line, each.name))


def stored(rows: Iterable[tuple[Any, ...]]) -> list[StoredChunk]:
    """Of (id, sha of the blob, and the fields of a chunk)."""
    return [StoredChunk(number, blob, Chunk(*chunk)) for number, blob, *chunk in rows]


def grouped(rows: Iterable[tuple[str, ...]]) -> dict[str, list[str]]:
    """key -> its values, in the order of the rows."""
    found: dict[str, list[str]] = defaultdict(list)
    for key, value in rows:
        found[key].append(value)
    return dict(found)
