"""The whole graph of a repository as edges, one after the other, derived while it is read: nothing of it is
stored twice, and no more than one file's part is in memory.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from itertools import combinations

from bot.core.knowledge import Edge, GraphNode
from bot.knowledge.graph import Graph, issues_in
from bot.knowledge.ownership import MOST_PATHS
from bot.knowledge.resolve import Meaning
from bot.knowledge.storage.types import IndexedCommit, StoredChunk

MOST_COMMITS = 10_000
MOST_TOGETHER = 20_000
"""Pairs of files that changed together, the most frequent."""
OFTEN = 3
"""Times that two files have to change together to be told."""


def edges(graph: Graph) -> Iterator[Edge]:
    """Every edge of the tip and its history, each once. Files, their symbols and what these refer to first,
    then commits, then issues. Both ends of an edge are nodes of the graph."""
    with graph.index_store.reading():
        for path in sorted(path for path, file in graph.index_store.files().items() if not file.why):
            yield from of_file(graph, path)
        commits = graph.index_store.recent(MOST_COMMITS)
        kinds = _kinds(graph)
        for commit in commits:
            yield from of_commit(commit, graph.full_name, kinds)
        yield from often_together(commits)
        for edge in graph.index_store.edges():
            yield Edge(edge.kind, kinds(edge.source), kinds(edge.target), edge.weight)


def neighbours(graph: Graph, node: GraphNode, limit: int = 100) -> list[Edge]:
    """The edges at a node."""
    with graph.index_store.reading():
        return [edge for _, edge in zip(range(limit), _at(graph, node), strict=False)]


def _at(graph: Graph, node: GraphNode) -> Iterator[Edge]:
    match node.kind:
        case "file":
            return _at_file(graph, node)
        case "symbol":
            return _at_symbol(graph, node)
        case "commit":
            commit = graph.index_store.commit(node.name)
            return of_commit(commit, graph.full_name, _kinds(graph)) if commit else iter(())
        case "person":
            commits = graph.index_store.recent(MOST_COMMITS)
            return (
                Edge("touched", node, GraphNode("commit", one.sha))
                for one in commits
                if one.name == node.name
            )
        case "issue" | "pull_request":
            return _at_issue(graph, node)


def _at_file(graph: Graph, node: GraphNode) -> Iterator[Edge]:
    yield from of_file(graph, node.name, deep=False)
    for path, reach in graph.names.imports.items():
        if node.name in reach:
            yield Edge("imports", GraphNode("file", path), node)
    for commit in graph.index_store.touching([node.name], 100):
        yield Edge("touched", GraphNode("commit", commit.sha), node)
    for path, weight in graph.changed_with(node.name):
        yield Edge("co_changed", node, GraphNode("file", path), round(weight, 4))


def _at_symbol(graph: Graph, node: GraphNode) -> Iterator[Edge]:
    path, _, symbol = node.name.partition("::")
    yield Edge("defines", GraphNode("file", path), node)
    for one in graph.callees(path, symbol):
        yield Edge("refers", node, _symbol(one.path, one.symbol), one.score)
    for one in graph.callers(path, symbol):
        yield Edge("refers", _symbol(one.path, one.symbol), node, one.score)


def _at_issue(graph: Graph, node: GraphNode) -> Iterator[Edge]:
    kinds, stored = _kinds(graph), GraphNode("issue", node.name)
    for edge in (*graph.index_store.edges(source=stored), *graph.index_store.edges(target=stored)):
        yield Edge(edge.kind, kinds(edge.source), kinds(edge.target), edge.weight)


def of_file(graph: Graph, path: str, *, deep: bool = True) -> Iterator[Edge]:
    """What a file defines and imports, and (`deep`) what its symbols refer to."""
    file = GraphNode("file", path)
    blob = graph.index_store.blobs_of([path]).get(path)
    chunks = graph.index_store.chunks_of([blob]) if blob else []
    for symbol in dict.fromkeys(each.chunk.symbol for each in chunks if each.chunk.symbol):
        yield Edge("defines", file, _symbol(path, symbol))
    for target in sorted(graph.names.imports.get(path, ())):
        yield Edge("imports", file, GraphNode("file", target))
    if deep and blob:
        yield from _references(graph, path, blob, chunks)


def _references(graph: Graph, path: str, blob: str, chunks: list[StoredChunk]) -> Iterator[Edge]:
    uses: Counter[tuple[str, str]] = Counter()
    for reference in graph.index_store.references_of(blob):
        inside = next((each for each in chunks if each.chunk.start <= reference.line <= each.chunk.end), None)
        uses[inside.chunk.symbol if inside else "", reference.name] += 1
    defining = graph.defining({name for _, name in uses})
    found: dict[tuple[str, GraphNode], float] = defaultdict(float)
    for (symbol, name), times in uses.items():
        places = defining.get(name, {})
        meaning = graph.names.meaning(path, places) if places else Meaning()
        for place in meaning.paths:
            found[symbol, _symbol(place, places[place].chunk.symbol)] += round(times * meaning.sure, 4)
    for (symbol, target), weight in found.items():
        source = _symbol(path, symbol)
        if source != target:
            yield Edge("refers", source, target, round(weight, 4))


def of_commit(
    commit: IndexedCommit, full_name: str, kinds: Callable[[GraphNode], GraphNode]
) -> Iterator[Edge]:
    """Who made it, what it touched, and which issues its message names."""
    node = GraphNode("commit", commit.sha)
    yield Edge("touched", GraphNode("person", commit.name), node)
    for path in commit.paths:
        yield Edge("touched", node, GraphNode("file", path))
    for number in dict.fromkeys(issues_in(commit, full_name)):
        yield Edge("mentions", node, kinds(GraphNode("issue", str(number))))


def often_together(commits: list[IndexedCommit]) -> Iterator[Edge]:
    """Pairs of files, the more often the earlier; `weight` is how often."""
    pairs: Counter[tuple[str, str]] = Counter()
    for commit in commits:
        if len(commit.paths) <= MOST_PATHS:
            pairs.update(combinations(sorted(commit.paths), 2))
        if len(pairs) > 50 * MOST_TOGETHER:
            pairs = Counter({pair: times for pair, times in pairs.items() if times > 1})
    for (one, other), times in pairs.most_common(MOST_TOGETHER):
        if times < OFTEN:
            return
        yield Edge("co_changed", GraphNode("file", one), GraphNode("file", other), float(times))


def _symbol(path: str, symbol: str) -> GraphNode:
    return GraphNode("symbol", f"{path}::{symbol}") if symbol else GraphNode("file", path)


def _kinds(graph: Graph) -> Callable[[GraphNode], GraphNode]:
    """Stored edges call both ends issues: this tells the pull requests among them."""
    issues = graph.index_store.issues(graph.index_store.issue_numbers())
    pulls = {str(number) for number, one in issues.items() if one.kind == "pull_request"}
    return lambda node: (
        GraphNode("pull_request", node.name) if node.kind == "issue" and node.name in pulls else node
    )
