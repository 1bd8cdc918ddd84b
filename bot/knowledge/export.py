"""A graph as GraphML or as Cypher, piece by piece. Names are hostile: paths and people's names may hold
quotes, control characters and what looks like markup or a query.

http://graphml.graphdrawing.org/specification.html  https://neo4j.com/docs/cypher-manual/current/syntax/
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from bot.core.knowledge import Edge, GraphNode

_GRAPHML = """<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key id="kind" for="node" attr.name="kind" attr.type="string"/>
<key id="name" for="node" attr.name="name" attr.type="string"/>
<key id="relation" for="edge" attr.name="relation" attr.type="string"/>
<key id="weight" for="edge" attr.name="weight" attr.type="double"/>
<graph id="repository" edgedefault="directed">
"""
_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CYPHER = "CREATE INDEX hob_id IF NOT EXISTS FOR (n:Hob) ON (n.id);\n"
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "'": "\\'", "\\": "\\\\"}
_TO_NAME = re.compile(r"[\n\r\t'\\]")
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LABELS = {
    "file": "File",
    "symbol": "Symbol",
    "commit": "Commit",
    "issue": "Issue",
    "pull_request": "PullRequest",
    "person": "Person",
}


@dataclass(slots=True)
class ExportCounts:
    """How much was written."""

    nodes: int = 0
    edges: int = 0


@dataclass(slots=True)
class _Numbers:
    """Nodes by the order in which they were met."""

    known: dict[GraphNode, int] = field(default_factory=dict)

    def of(self, node: GraphNode) -> tuple[int, bool]:
        """Its number, and whether it is new."""
        before = len(self.known)
        number = self.known.setdefault(node, before)
        return number, len(self.known) > before


def graphml(edges: Iterable[Edge], counts: ExportCounts) -> Iterator[str]:
    """Valid XML whatever the names are: what XML cannot hold is shown as U+FFFD, and nodes are numbered, so
    that two names do not become one."""
    numbers = _Numbers()
    yield _GRAPHML
    for edge in edges:
        ends = []
        for node in (edge.source, edge.target):
            number, new = numbers.of(node)
            ends.append(number)
            if new:
                yield _node(number, node)
        counts.edges += 1
        yield (
            f'<edge source="n{ends[0]}" target="n{ends[1]}"><data key="relation">{_xml(edge.kind)}</data>'
            f'<data key="weight">{edge.weight:g}</data></edge>\n'
        )
    counts.nodes = len(numbers.known)
    yield "</graph>\n</graphml>\n"


def _node(number: int, node: GraphNode) -> str:
    data = f'<data key="kind">{_xml(node.kind)}</data><data key="name">{_xml(node.name)}</data>'
    return f'<node id="n{number}">{data}</node>\n'


def cypher(edges: Iterable[Edge], counts: ExportCounts) -> Iterator[str]:
    """One statement a line, for `cypher-shell -f`; run twice it changes nothing the second time."""
    numbers = _Numbers()
    yield _CYPHER
    for edge in edges:
        for node in (edge.source, edge.target):
            if numbers.of(node)[1]:
                label, name = _LABELS[node.kind], quoted(node.name)
                yield f"MERGE (n:Hob {{id: {_id(node)}}}) SET n:{label}, n.name = {name};\n"
        counts.edges += 1
        yield (
            f"MATCH (a:Hob {{id: {_id(edge.source)}}}), (b:Hob {{id: {_id(edge.target)}}}) "
            f"MERGE (a)-[r:{edge.kind.upper()}]->(b) SET r.weight = {edge.weight:g};\n"
        )
    counts.nodes = len(numbers.known)


def quoted(text: str) -> str:
    r"""A string of Cypher that is exactly `text`, but for lone surrogates and NUL, which are U+FFFD.

    Some versions read `\u0027` before they read strings, even behind another backslash. So no backslash of
    the text ever stands before a `u`: the string ends there and is joined with the rest.
    """
    shown = re.sub("[\0\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", text)
    shown = _TO_NAME.sub(lambda found: _NAMED[found.group()], shown)
    shown = re.sub(r"(\\\\)(?=[uU])", r"\1' + '", shown)
    shown = _UNSEEN.sub(lambda found: f"\\u{ord(found.group()):04X}", shown)
    return f"'{shown}'"


def _id(node: GraphNode) -> str:
    return quoted(f"{node.kind}:{node.name}")


def _xml(text: str) -> str:
    return escape(_NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text), {"\r": "&#13;"})
