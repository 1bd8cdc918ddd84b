"""YAML from strangers as a tree with line numbers: no aliases, no merge keys, shallow, small.

PyYAML's node graph is used, never its constructors: nothing is built that the file names.
"""

from dataclasses import dataclass
from typing import Any

import yaml

MOST_BYTES = 64 * 1024
MOST_DEPTH = 12
MOST_NODES = 3_000
_TOO_MUCH = "the file is nested too deeply or has too many entries"


class UnreadableError(Exception):
    """The file as a whole cannot be used; `line` counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


class RefusedError(UnreadableError):
    """It may well be YAML, but more of it than is read here, or with what is not taken."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """`kind` is what YAML would resolve it to: str, bool, int, float, null, other; or alias."""

    line: int
    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class Sequence:
    line: int
    items: tuple["YamlNode", ...]


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys in the file's order, duplicates and all."""

    line: int
    items: tuple[tuple["YamlNode", "YamlNode"], ...]


YamlNode = Scalar | Sequence | Mapping


class _Loader(yaml.SafeLoader):
    """Refuses while it reads, so that nothing can grow."""

    depth = 0
    nodes = 0
    aliases = False
    """Whether `&` and `*` are taken; what an alias stands for is never put in its place."""

    def fetch_flow_collection_start(self, TokenClass: Any) -> None:  # noqa: N803  PyYAML's name
        """PyYAML looks 1,024 characters ahead for a colon, once for each bracket that is open there."""
        if self.flow_level >= MOST_DEPTH:
            raise RefusedError(self.get_mark().line + 1, _TOO_MUCH)
        super().fetch_flow_collection_start(TokenClass)

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        line = event.start_mark.line + 1
        if not self.aliases and (isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None)):
            raise RefusedError(line, "anchors and aliases (& and *) are not taken")
        self.nodes += 1
        self.depth += 1
        if self.depth > MOST_DEPTH or self.nodes > MOST_NODES:
            raise RefusedError(line, _TOO_MUCH)
        node = (
            self._alias(event) if isinstance(event, yaml.AliasEvent) else super().compose_node(parent, index)
        )
        self.depth -= 1
        return node

    def _alias(self, event: yaml.AliasEvent) -> yaml.ScalarNode:
        self.get_event()  # type: ignore[no-untyped-call]
        return yaml.ScalarNode("alias", event.anchor, event.start_mark, event.end_mark)  # type: ignore[arg-type]


def read(text: str, *, aliases: bool = False) -> YamlNode | None:
    """The one document of `text`; None for an empty one. `UnreadableError` says in which line it breaks."""
    if len(text) > MOST_BYTES or len(text.encode(errors="replace")) > MOST_BYTES:
        raise RefusedError(1, f"the file is over {MOST_BYTES // 1024} KB")
    try:
        loader = _Loader(text)
        loader.aliases = aliases
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise UnreadableError(mark.line + 1 if mark else 1, f"not valid YAML: {error.problem}") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise UnreadableError(line, "a character that YAML does not allow") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise UnreadableError(1, "not valid YAML") from None
    tree = None if node is None else _tree(node)
    return None if isinstance(tree, Scalar) and tree.kind == "null" else tree


def _tree(node: yaml.Node) -> YamlNode:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        return Mapping(line, tuple((_tree(key), _tree(value)) for key, value in node.value))
    if isinstance(node, yaml.SequenceNode):
        return Sequence(line, tuple(_tree(item) for item in node.value))
    kind = node.tag.removeprefix("tag:yaml.org,2002:")
    return Scalar(line, node.value, kind if kind in _KINDS else "other")


_KINDS = frozenset({"str", "bool", "int", "float", "null", "timestamp", "alias"})
