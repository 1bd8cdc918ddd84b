"""What waits for what, in words: by the graph alone, without a model. Each edge is named with its source."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bot.core.dependency_questions import DependencyKind, DependencyQuestion
from bot.core.folding import folded
from bot.core.text import count, day, in_code
from bot.core.work_graph import WorkGraph
from bot.core.work_items import Milestone, WorkEdge, WorkItem, WorkKind, WorkRef

MOST_LINES, MOST_CYCLES, MOST_STEPS = 40, 5, 12
TITLE = 90
_WORDS: Mapping[WorkKind, str] = {
    "blocked_by": "is blocked by",
    "contains": "has the open part",
    "closed_by": "has the open pull request",
}


@dataclass(frozen=True, slots=True)
class WorkFacts:
    """`here`: the issue or pull request that is talked in, 0 for none. `unread`: GitHub has more open items
    than were read."""

    graph: WorkGraph
    milestones: Sequence[Milestone] = ()
    here: int = 0
    full_name: str = ""
    unread: bool = False


def milestone_named(name: str, milestones: Iterable[Milestone]) -> Milestone | None:
    """By its title, whatever the case and with or without the `v` of a version; an open one first."""
    wanted = folded(name)
    found = [one for one in milestones if folded(one.title) == wanted]
    if not found and wanted[:1].isdigit():
        found = [one for one in milestones if folded(one.title) == f"v{wanted}"]
    elif not found and wanted[:1] == "v":
        found = [one for one in milestones if folded(one.title) == wanted[1:]]
    return next((one for one in found if one.open), found[0] if found else None)


def answered(question: DependencyQuestion, facts: WorkFacts) -> str | None:
    """In Markdown; None where it is no question of this repository's dependencies after all."""
    milestone = milestone_named(question.milestone, facts.milestones) if question.milestone else None
    if question.milestone and milestone is None and question.ref is None:
        return _no_milestone(question.milestone, facts) if question.sure else None
    ref = None if milestone else _asked(question, facts)
    if question.here and ref is None:
        return "Say which issue or milestone you mean, such as `#12` or `v1.0`."
    if ref is not None and ref.repo:
        return f"{_named(facts, ref)} is in another repository: I know what waits for what in this one only."
    said = _said(question.kind, facts, milestone, ref)
    if said is None:
        return None
    if facts.unread:
        said += ["", "*(Not all open issues were read: there are too many. What is missing here may exist.)*"]
    return "\n".join(said)


def _said(
    kind: DependencyKind, facts: WorkFacts, milestone: Milestone | None, ref: WorkRef | None
) -> list[str] | None:
    if kind == "ready":
        return _ready(facts, milestone)
    if kind == "blocked":
        return _blocked(facts)
    if kind == "cycles":
        return _cycles(facts) or ["Nothing waits for itself: there are no cycles."]
    if milestone:
        return _of_milestone(facts, milestone)
    if ref is None or kind == "open":
        return None
    return {"unblocked": _unblocked, "waiting": _waiting, "blocks": _blockers}[kind](facts, ref)


def around(ref: WorkRef, facts: WorkFacts) -> str:
    """Both directions of one issue, and whether it can be started."""
    first, second = _blockers(facts, ref), _waiting(facts, ref)
    circles = _circles(facts, facts.graph.dependents([ref]))
    if circles and second[-len(circles) :] == circles == first[-len(circles) :]:
        first = first[: -len(circles)]  # said once, below both
    return "\n\n".join("\n".join(part) for part in (first, second))


def _asked(question: DependencyQuestion, facts: WorkFacts) -> WorkRef | None:
    if question.here:
        return WorkRef(facts.here) if facts.here else None
    ref = question.ref
    if ref and ref.repo == facts.full_name.lower():
        return WorkRef(ref.number)
    return ref


def _blockers(facts: WorkFacts, ref: WorkRef) -> list[str]:
    graph, name = facts.graph, _named(facts, ref)
    item = graph.items.get(ref)
    if item is None or item.state != "open":
        return [_not_open(name, item)]
    edges = graph.blockers([ref])
    if not any(edge.source == ref for edge in edges) and not item.unseen:
        return [f"Nothing blocks {name}: it is ready to start{_for(item)}."]
    own = graph.holders(ref)
    if not own and not item.unseen:
        said = [f"Nothing blocks {name}, and an open pull request works on it:", ""]
    else:
        waits = len({edge.target for edge in own})
        said = [f"{name} waits for {count(waits, 'open item')}{_farther(edges, ref)}:", ""]
    return [*said, *_listed(facts, edges), *_unseen(item), *_circles(facts, edges)]


def _farther(edges: Sequence[WorkEdge], ref: WorkRef) -> str:
    near = {edge.target for edge in edges if edge.source == ref}
    more = {edge.target for edge in edges} - near - {ref}
    return f" and, through them, {len(more)} more" if more else ""


def _waiting(facts: WorkFacts, ref: WorkRef) -> list[str]:
    name = _named(facts, ref)
    item = facts.graph.items.get(ref)
    if item is not None and item.state != "open":
        return [_not_open(name, item)]
    edges = facts.graph.dependents([ref])
    if not edges:
        return [f"Nothing that is open waits for {name}."]
    direct = {edge.source for edge in edges if edge.target == ref}
    more = {edge.source for edge in edges} - direct - {ref}
    through = f" and, through them, {len(more)} more" if more else ""
    wait = "waits" if len(direct) == 1 else "wait"
    return [
        f"{count(len(direct), 'open item')} {wait} for {name}{through}:",
        "",
        *_listed(facts, edges, people=True),
        *_circles(facts, edges),
    ]


def _unblocked(facts: WorkFacts, ref: WorkRef) -> list[str]:
    name, item = _named(facts, ref), facts.graph.items.get(ref)
    edges = facts.graph.unblocked_by([ref])
    is_open = item is not None and item.state == "open"
    if not edges:
        verb = "would set" if is_open else "set"
        return [f"The end of {name} {verb} nothing free: no open item waited for it alone."]
    verb = (
        "Once it is done, nothing open holds these back" if is_open else "Nothing open holds these back now"
    )
    return [f"{name}: {verb[0].lower()}{verb[1:]}:", "", *_listed(facts, edges)]


def _of_milestone(facts: WorkFacts, milestone: Milestone) -> list[str]:
    graph, name = facts.graph, in_code(milestone.title, TITLE)
    items = graph.in_milestone(milestone.title)
    done = f"{milestone.closed_items} closed"
    due = f", due {day(milestone.due)}" if milestone.due else ""
    if not items:
        state = "" if milestone.open else " and is closed itself"
        return [f"Milestone {name} has nothing open ({done}{due}){state}."]
    said = [f"Milestone {name} has {count(len(items), 'open item')} ({done}{due}):", ""]
    said += _cut([f"- {_item(item)}: {_status(facts, item)}" for item in items], "item")
    edges = graph.blockers([item.ref for item in items])
    outside = {edge.target for edge in edges} - {item.ref for item in items}
    if edges:
        beyond = f", {len(outside)} of it outside the milestone" if outside else ""
        said += ["", f"What they wait for{beyond}:", "", *_listed(facts, edges)]
    return [*said, *_circles(facts, edges)]


def _status(facts: WorkFacts, item: WorkItem) -> str:
    graph, ref = facts.graph, item.ref
    own = graph.holders(ref)
    if own:
        names = list(dict.fromkeys(in_code(str(edge.target)) for edge in own))
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        said = f"waits for {', '.join(names[:5])}{more}"
    elif item.unseen:
        said = "waits for what I cannot see"
    elif item.kind == "pull_request":
        said = "a draft" if item.draft else "an open pull request"
    elif pulls := graph.pulls(ref):
        said = f"in work in {', '.join(in_code(str(pull)) for pull in pulls[:3])}"
    else:
        said = "ready to start"
    return said + _for(item)


def _ready(facts: WorkFacts, milestone: Milestone | None) -> list[str]:
    where = f" in {in_code(milestone.title, TITLE)}" if milestone else ""
    ready = [one for one in facts.graph.ready() if not milestone or one.milestone == milestone.title]
    if not ready:
        return [f"Nothing is ready to start{where}: every open issue waits for another, or is in work."]
    lines = [f"- {_item(item)}{_for(item)}" for item in ready]
    verb = "is" if len(ready) == 1 else "are"
    head = f"{count(len(ready), 'issue')}{where} {verb} ready to start:"
    return [head, "", *_cut(lines, "issue")]


def _blocked(facts: WorkFacts) -> list[str]:
    graph = facts.graph
    items = sorted(
        (
            one
            for one in graph.items.values()
            if one.state == "open" and (graph.holders(one.ref) or one.unseen)
        ),
        key=lambda one: one.number,
    )
    if not items:
        return ["Nothing that is open is blocked."]
    edges = [edge for item in items for edge in graph.holders(item.ref)]
    verb = "is" if len(items) == 1 else "are"
    return [f"{count(len(items), 'open item')} {verb} blocked:", "", *_listed(facts, edges), *_cycles(facts)]


def _cycles(facts: WorkFacts) -> list[str]:
    return _told(facts.graph.cycles())


def _circles(facts: WorkFacts, edges: Sequence[WorkEdge]) -> list[str]:
    """Those cycles that an answer's edges run into."""
    if not edges:
        return []
    on = {edge.source for edge in edges}
    return _told([one for one in facts.graph.cycles() if one[0].source in on or one[-1].source in on])


def _told(cycles: Sequence[Sequence[WorkEdge]]) -> list[str]:
    lines: list[str] = []
    for cycle in cycles[:MOST_CYCLES]:
        steps = [f"{in_code(str(edge.source))} ({edge.told_by})" for edge in cycle[:MOST_STEPS]]
        left = [f"{len(cycle) - MOST_STEPS} more"] if len(cycle) > MOST_STEPS else []
        lines.append(f"- {' → '.join([*steps, *left, in_code(str(cycle[0].source))])}")
    if len(cycles) > MOST_CYCLES:
        lines.append(f"- and {len(cycles) - MOST_CYCLES} more")
    head = "These wait for each other, so that none of them can begin (a cycle):"
    return ["", head, "", *lines] if lines else []


def _listed(facts: WorkFacts, edges: Iterable[WorkEdge], *, people: bool = False) -> list[str]:
    """A line for what waits and what it waits for, with all sources that tell it."""
    told: dict[tuple[WorkKind, WorkRef, WorkRef], list[str]] = {}
    for edge in edges:
        told.setdefault((edge.kind, edge.source, edge.target), []).append(edge.told_by)
    lines = []
    for (kind, source, target), sources in told.items():
        who = _for(facts.graph.items.get(source if people else target))
        seen = facts.graph.is_open(target) is not None
        unknown = "" if seen else "; whether it is open I cannot see"
        said = f"{_named(facts, source)} {_WORDS[kind]} {_named(facts, target)}"
        lines.append(f"- {said} ({', '.join(sources)}{unknown}){who}")
    return _cut(lines, "line")


def _cut(lines: list[str], what: str) -> list[str]:
    left = len(lines) - MOST_LINES
    return lines if left <= 0 else [*lines[:MOST_LINES], f"- and {count(left, f'more {what}')}"]


def _unseen(item: WorkItem) -> list[str]:
    if not item.unseen:
        return []
    return [f"- and {item.unseen} that GitHub counts and does not show me, such as in another repository"]


def _not_open(name: str, item: WorkItem | None) -> str:
    if item is None:
        return f"There is no open {name} here."
    return f"{name} is {item.state}: nothing waits for it any more, and it waits for nothing."


def _no_milestone(name: str, facts: WorkFacts) -> str:
    there = [in_code(one.title, TITLE) for one in facts.milestones if one.open]
    more = f" and {len(there) - 10} more" if len(there) > 10 else ""
    known = f"Open milestones: {', '.join(there[:10])}{more}." if there else "There are no open milestones."
    return f"There is no milestone {in_code(name, TITLE)}. {known}"


def _named(facts: WorkFacts, ref: WorkRef) -> str:
    item = facts.graph.items.get(ref)
    title = item.title if item else ref.title
    return in_code(f"{ref} {title}" if title.strip() else str(ref), TITLE)


def _item(item: WorkItem) -> str:
    return in_code(f"{item.ref} {item.title}", TITLE)


def _for(item: WorkItem | None) -> str:
    if item is None or not item.assignees:
        return ""
    more = f" and {len(item.assignees) - 3} more" if len(item.assignees) > 3 else ""
    return f", assigned to {', '.join(in_code(one) for one in item.assignees[:3])}{more}"
