"""A made repository of 300 issues, and what is true of it: told from how it was made, not read back.

Every edge is planted by one source and kept with it; texts that claim what does not count are planted too.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from bot.core.work_graph import WorkGraph
from bot.core.work_items import WorkEdge, WorkRef
from bot.testing.github.issues import Issue
from bot.testing.github.repository import Repository

SIZE, PULLS, CIRCLES = 300, 24, 260
MILESTONES = ("v1.0", "v1.1", "Summer tea", "closes #1 @octo/team")
Edge = tuple[str, int, int, str]
"""(blocked_by | contains | closed_by, who waits, for what, who tells it)"""
SAYS = (
    "Blocked by #{n}.",
    "**Depends on:** #{n}",
    "Start after #{n} is merged.",
    "This is waiting for #{n}, sadly.",
    "Needs octo/tea#{n} first",
    "held up by https://github.com/octo/tea/issues/{n}",
)
CLAIMS = (
    "> blocked by #{n}",
    "```\nblocked by #{n}\n- [ ] #{n}\n```",
    "`depends on #{n}`",
    "<!-- blocked by #{n} -->",
    "no longer blocked by #{n}",
    "- [x] #{n}",
    "#{n} is blocked by #{m}",
    "See #{n}",
    "> - [ ] #{n}",
)
"""What says nothing of this issue."""
MEMBER, STRANGER = "mel", "stan"


@dataclass
class MadeWork:
    """`closed`: numbers of those that are closed or merged; `pulls`: number -> what it closes; `unknown`:
    those that wait for something nobody can see."""

    numbers: range
    closed: set[int] = field(default_factory=set)
    pulls: dict[int, list[int]] = field(default_factory=dict)
    milestone: dict[int, str] = field(default_factory=dict)
    unknown: set[int] = field(default_factory=set)
    edges: set[Edge] = field(default_factory=set)

    @cached_property
    def held(self) -> dict[int, set[Edge]]:
        """The edges that hold an open item back."""
        found: dict[int, set[Edge]] = defaultdict(set)
        for edge in self.edges:
            kind, source, target, _ = edge
            if kind != "closed_by" and not {source, target} & self.closed:
                found[source].add(edge)
        return found

    def working(self, number: int) -> set[int]:
        """The open pull requests that close an issue."""
        return {pull for pull, closes in self.pulls.items() if number in closes and pull not in self.closed}

    def blocks(self, wanted: Iterable[int]) -> set[Edge]:
        """Every edge on the way from those to all that they wait for."""
        seen, found = {n for n in wanted if n not in self.closed}, set[Edge]()
        while True:
            new = {edge for n in seen for edge in self.held.get(n, ())}
            new |= {("closed_by", n, pull, "pull request") for n in seen for pull in self.working(n)}
            if new == found:
                return found
            found = new
            seen |= {target for _, _, target, _ in new}

    def waits(self, number: int) -> set[Edge]:
        """Every edge on the way from all that waits for one to it."""
        seen, found = {number} - self.closed, set[Edge]()
        while True:
            new = {edge for some in self.held.values() for edge in some if edge[2] in seen}
            if new == found:
                return found
            found = new
            seen |= {source for _, source, _, _ in new}

    def ready(self) -> list[int]:
        """Open issues that nothing holds and nobody works on."""
        free = (n for n in self.numbers if n not in self.closed | set(self.pulls) | self.unknown)
        return [n for n in free if not self.held.get(n) and not self.working(n)]

    def freed(self, number: int) -> set[int]:
        """What has no open holder once that one is done, and had one."""
        done = {number, *self.pulls.get(number, ())}
        waiting = {source for kind, source, target, _ in self.edges if target in done and kind != "closed_by"}
        waiting -= done | self.closed | self.unknown
        return {n for n in waiting if {target for _, _, target, _ in self.held.get(n, ())} <= done}

    def circling(self) -> list[frozenset[int]]:
        """The sets that wait for each other."""
        reach = {n: {target for _, _, target, _ in self._reach(n)} for n in self.held}
        knots = {frozenset(o for o in reach[n] if n in reach.get(o, ())) for n in reach if n in reach[n]}
        return sorted(knots, key=min)

    def _reach(self, number: int) -> set[Edge]:
        seen, found = {number}, set[Edge]()
        while True:
            new = {edge for n in seen for edge in self.held.get(n, ())}
            if new == found:
                return found
            found = new
            seen |= {target for _, _, target, _ in new}


def make(repo: Repository, seed: int = 11) -> MadeWork:
    """Plants it in the stand-in."""
    chance = random.Random(seed)
    repo.grant(MEMBER, "write", association="MEMBER")
    for title in MILESTONES:
        repo.milestone(title)
    work = MadeWork(range(1, SIZE + PULLS + 1))
    issues: dict[int, Issue] = {}
    bodies: dict[int, list[str]] = defaultdict(list)
    for n in range(1, SIZE + 1):
        title = chance.choice(MILESTONES) if chance.random() < 0.5 else ""
        who = STRANGER if chance.random() < 0.3 and n < CIRCLES else MEMBER
        issues[n] = repo.open_issue(f"Issue {n}", author=who, milestone=title)
        work.milestone[n] = title
    for source, target, told_by in _pairs(chance):
        _plant(work, issues, bodies, source, target, told_by, chance)
    for n in chance.sample(range(1, SIZE + 1), 60):
        other, third = chance.sample([k for k in range(1, SIZE + 1) if k != n], 2)
        bodies[n].append(chance.choice(CLAIMS).format(n=other, m=third))
    strangers = [n for n, issue in issues.items() if issue.author.login == STRANGER]
    for n in strangers[:15]:  # nobody believes them of another's issue
        bodies[n].append(f"This blocks #{chance.choice([k for k in issues if k not in strangers])}")
    for n in chance.sample(range(1, SIZE + 1), 6):
        bodies[n].append("Blocked by octo/cups#7")
        work.unknown.add(n)
    for n in chance.sample(range(1, SIZE + 1), 10):
        bodies[n].append("Blocked by #99999")  # deleted
    for n, issue in issues.items():
        issue.body = "\n\n".join(bodies[n])
    for n in range(SIZE + 1, SIZE + PULLS + 1):
        _pull(work, repo, n, chance)
    for n in chance.sample(range(1, CIRCLES), 70):
        issues[n].close()
        work.closed.add(n)
    return work


def _pairs(chance: random.Random) -> Iterator[tuple[int, int, str]]:
    """Mostly later ones wait for earlier ones; and three circles, one of them of four sources."""
    sources = ("dependency", "sub-issue", "task list", "text", "claim")
    parents: set[int] = set()
    for _ in range(330):
        target, source = sorted(chance.sample(range(1, SIZE + 1), 2))
        told_by = chance.choice(sources)
        if told_by == "sub-issue":
            if target in parents:
                continue
            parents.add(target)
        yield source, target, told_by
    for circle in (
        ((290, 291, "dependency"), (291, 290, "dependency")),
        ((280, 281, "text"), (281, 282, "task list"), (282, 280, "dependency")),
        ((270, 271, "dependency"), (271, 272, "text"), (272, 273, "claim"), (273, 270, "task list")),
    ):
        yield from circle


def _plant(
    work: MadeWork,
    issues: dict[int, Issue],
    bodies: dict[int, list[str]],
    source: int,
    target: int,
    told_by: str,
    chance: random.Random,
) -> None:
    kind = "contains" if told_by in ("sub-issue", "task list") else "blocked_by"
    if told_by == "dependency":
        if len(issues[source].blocked_by) >= 50 or issues[target] in issues[source].blocked_by:
            return
        issues[target].block(issues[source])
    elif told_by == "sub-issue":
        issues[source].add_sub_issue(issues[target])
    elif told_by == "task list":
        told = {f"- [ ] #{target} first", f"* [ ] octo/tea#{target}"}
        if any(said in bodies[source] for said in told):
            return
        bodies[source].append(chance.choice(sorted(told)))
    elif told_by == "claim":  # a member says it in the issue that blocks
        if issues[target].author.login != MEMBER:
            return
        bodies[target].append(f"This blocks #{source}.")
    else:
        bodies[source].append(chance.choice(SAYS).format(n=target))
    work.edges.add((kind, source, target, "text" if told_by == "claim" else told_by))


def _pull(work: MadeWork, repo: Repository, number: int, chance: random.Random) -> None:
    closes = chance.sample(range(1, SIZE + 1), chance.choice((1, 1, 2)))
    after = chance.choice([0, *range(SIZE + 1, number)])
    body = "\n".join(f"Fixes #{n}" for n in closes) + (f"\n\nAfter #{after} is merged" if after else "")
    pull = repo.open_pull_request(f"Work {number}", {f"f{number}": "x"}, body=body, author=MEMBER)
    assert pull.number == number
    work.pulls[number] = closes
    work.edges |= {("closed_by", n, number, "pull request") for n in closes}
    if after:
        work.edges.add(("blocked_by", number, after, "text"))
    if chance.random() < 0.25:
        pull.close()
        work.closed.add(number)


def told(edges: Iterable[WorkEdge]) -> set[Edge]:
    return {
        (one.kind, one.source.number, one.target.number, one.told_by) for one in edges if not one.target.repo
    }


def wrong(work: MadeWork, graph: WorkGraph, whole: WorkGraph) -> list[str]:
    """The questions that are answered otherwise than it is, of 4 for each of all items and milestones."""
    bad: list[str] = []
    for n in work.numbers:
        ref = WorkRef(n)
        if told(graph.blockers([ref])) != work.blocks([n]):
            bad.append(f"what blocks #{n}")
        if told(graph.dependents([ref])) != work.waits(n):
            bad.append(f"who waits for #{n}")
        if {edge.source.number for edge in whole.unblocked_by([ref])} != work.freed(n):
            bad.append(f"what #{n} unblocks")
    for title in MILESTONES:
        inside = {n for n in work.numbers if work.milestone.get(n) == title} - work.closed
        items = graph.in_milestone(title)
        if {item.number for item in items} != inside:
            bad.append(f"what is open in {title}")
        if told(graph.blockers([item.ref for item in items])) != work.blocks(inside):
            bad.append(f"what blocks {title}")
    if [item.number for item in graph.ready()] != work.ready():
        bad.append("what is ready")
    circles = [frozenset(edge.source.number for edge in one) for one in graph.cycles()]
    knots = work.circling()
    if len(circles) != len(knots) or not all(a <= b for a, b in zip(circles, knots, strict=True)):
        bad.append("cycles")
    return bad


def asked() -> int:
    """How many questions `wrong` asks."""
    return 3 * (SIZE + PULLS) + 2 * len(MILESTONES) + 2
