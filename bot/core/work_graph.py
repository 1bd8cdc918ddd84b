"""What waits for what among a repository's issues and pull requests, what is ready to start, what goes round
in circles. Everything here is linear in items and edges.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from bot.core.work_items import WorkEdge, WorkItem, WorkKind, WorkRef, WorkState, edges_of

HOLDING: frozenset[WorkKind] = frozenset({"blocked_by", "contains"})
"""What keeps an item from being done; a pull request that closes an issue is work on it."""
ANY: frozenset[WorkKind] = frozenset({*HOLDING, "closed_by"})


@dataclass(frozen=True, slots=True)
class WorkGraph:
    """`waits`: an item's edges to what it waits for; `held`: the edges of those that wait for it."""

    items: Mapping[WorkRef, WorkItem]
    waits: Mapping[WorkRef, tuple[WorkEdge, ...]]
    held: Mapping[WorkRef, tuple[WorkEdge, ...]]
    states: Mapping[WorkRef, WorkState]
    complete: bool = True
    """Whether `items` has every open item of the repository."""

    def is_open(self, ref: WorkRef) -> bool | None:
        """None where that is not known: in another repository, or past what was read."""
        state = self.states.get(ref)
        if state is None:
            return None if ref.repo or not self.complete else False
        return state == "open"

    def holders(self, ref: WorkRef) -> tuple[WorkEdge, ...]:
        """What `ref` itself waits for and is not known to be closed."""
        return tuple(
            edge for edge in self.waits.get(ref, ()) if edge.kind in HOLDING and self._holds(edge.target)
        )

    def pulls(self, ref: WorkRef) -> tuple[WorkRef, ...]:
        """Open pull requests that will close it."""
        edges = self.waits.get(ref, ())
        return tuple(one.target for one in edges if one.kind == "closed_by" and self.is_open(one.target))

    def blockers(self, of: Iterable[WorkRef]) -> tuple[WorkEdge, ...]:
        """All that those wait for and that is not known to be closed, however many steps away, the nearest
        first: every edge on the way. The open pull requests of an item, and what these wait for, are among
        it."""
        return self._walk(of, self.waits, lambda edge: edge.target)

    def dependents(self, of: Iterable[WorkRef]) -> tuple[WorkEdge, ...]:
        """All open items that wait for one of those, however many steps away, the nearest first."""
        return self._walk(of, self.held, lambda edge: edge.source, HOLDING)

    def in_milestone(self, title: str) -> tuple[WorkItem, ...]:
        """The open items of a milestone, by number."""
        found = (one for one in self.items.values() if one.state == "open" and one.milestone == title)
        return tuple(sorted(found, key=lambda item: item.number))

    def ready(self) -> tuple[WorkItem, ...]:
        """Open issues that nothing holds and that no open pull request works on, by number. An issue does not
        inherit what its parent waits for. Those with dependencies that cannot be seen are not among them."""
        return tuple(item for item in self._free() if not self.pulls(item.ref))

    def in_work(self) -> tuple[WorkItem, ...]:
        """Open issues that nothing holds and that an open pull request works on."""
        return tuple(item for item in self._free() if self.pulls(item.ref))

    def unblocked_by(self, done: Iterable[WorkRef]) -> tuple[WorkEdge, ...]:
        """The edges of open items whose last open holders are among `done`, which is closed now or is thought
        to be; a pull request takes what it closes with it."""
        gone = dict.fromkeys(done)
        for ref in [*gone]:
            edges = self.held.get(ref, ())
            gone.update(dict.fromkeys(edge.source for edge in edges if edge.kind == "closed_by"))
        found: dict[WorkEdge, None] = {}
        free: dict[WorkRef, bool] = {}
        for ref in gone:
            for edge in self.held.get(ref, ()):
                source = edge.source
                if edge.kind not in HOLDING or source in gone or not self.is_open(source):
                    continue
                if source not in free:
                    free[source] = all(one.target in gone for one in self.holders(source))
                if free[source] and not (source in self.items and self.items[source].unseen):
                    found[edge] = None
        return tuple(found)

    def cycles(self) -> tuple[tuple[WorkEdge, ...], ...]:
        """Of each set of open items that wait for each other one shortest circle through its lowest number;
        its last edge ends where its first begins."""
        return tuple(self._circle(members) for members in self._knots())

    def edges(self) -> Iterator[WorkEdge]:
        for some in self.waits.values():
            yield from some

    def _holds(self, ref: WorkRef) -> bool:
        return self.is_open(ref) is not False

    def _free(self) -> list[WorkItem]:
        found = (
            item
            for item in self.items.values()
            if item.state == "open"
            and item.kind == "issue"
            and not item.unseen
            and not self.holders(item.ref)
        )
        return sorted(found, key=lambda item: item.number)

    def _walk(
        self,
        of: Iterable[WorkRef],
        edges: Mapping[WorkRef, tuple[WorkEdge, ...]],
        end: Callable[[WorkEdge], WorkRef],
        kinds: frozenset[WorkKind] = ANY,
    ) -> tuple[WorkEdge, ...]:
        queue = [ref for ref in dict.fromkeys(of) if self._holds(ref)]
        seen, found = set(queue), list[WorkEdge]()
        for ref in queue:  # it grows while it is read
            for edge in edges.get(ref, ()):
                at = end(edge)
                if edge.kind not in kinds or not self._holds(at):
                    continue
                found.append(edge)
                if at not in seen:
                    seen.add(at)
                    queue.append(at)
        return tuple(found)

    def _knots(self) -> list[set[WorkRef]]:
        """Strongly connected sets with an edge in them (Tarjan, without recursion), by their lowest."""
        index: dict[WorkRef, int] = {}
        low: dict[WorkRef, int] = {}
        stack: list[WorkRef] = []
        on: set[WorkRef] = set()
        knots: list[set[WorkRef]] = []
        for root in self.waits:
            if root in index or not self._holds(root):
                continue
            work = [(root, iter(self.holders(root)))]
            while work:
                ref, rest = work[-1]
                if ref not in index:
                    index[ref] = low[ref] = len(index)
                    stack.append(ref)
                    on.add(ref)
                for edge in rest:
                    if edge.target not in index:
                        work.append((edge.target, iter(self.holders(edge.target))))
                        break
                    if edge.target in on:
                        low[ref] = min(low[ref], index[edge.target])
                else:
                    work.pop()
                    if work:
                        low[work[-1][0]] = min(low[work[-1][0]], low[ref])
                    if low[ref] == index[ref]:
                        knot = set[WorkRef]()
                        while ref not in knot:
                            knot.add(stack.pop())
                        on -= knot
                        if len(knot) > 1 or any(one.target == ref for one in self.holders(ref)):
                            knots.append(knot)
        return sorted(knots, key=lambda knot: _order(min(knot, key=_order)))

    def _circle(self, members: set[WorkRef]) -> tuple[WorkEdge, ...]:
        start = min(members, key=_order)
        came: dict[WorkRef, WorkEdge] = {}
        queue = [start]
        for ref in queue:
            for edge in self.holders(ref):
                if edge.target not in members or edge.target in came:
                    continue
                came[edge.target] = edge
                if edge.target == start:
                    path = [edge]
                    while path[-1].source != start:
                        path.append(came[path[-1].source])
                    return tuple(reversed(path))
                queue.append(edge.target)
        return ()


def work_graph(items: Iterable[WorkItem], full_name: str = "", *, complete: bool = True) -> WorkGraph:
    """The graph of one repository's items."""
    known = {item.ref: item for item in items}
    states: dict[WorkRef, WorkState] = {}
    edges: dict[WorkEdge, None] = {}
    for edge in edges_of(known, full_name):
        edges[edge] = None
        states.update({ref: ref.state for ref in (edge.source, edge.target) if ref.state})
    states.update({ref: item.state for ref, item in known.items()})
    waits, held = defaultdict[WorkRef, list[WorkEdge]](list), defaultdict[WorkRef, list[WorkEdge]](list)
    for edge in edges:
        waits[edge.source].append(edge)
        held[edge.target].append(edge)
    return WorkGraph(known, _frozen(waits), _frozen(held), states, complete)


def _order(ref: WorkRef) -> tuple[str, int]:
    return ref.repo, ref.number


def _frozen(edges: Mapping[WorkRef, list[WorkEdge]]) -> dict[WorkRef, tuple[WorkEdge, ...]]:
    return {ref: tuple(some) for ref, some in edges.items()}
