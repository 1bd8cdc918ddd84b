"""`kill -9` at each named boundary of a step, of the process that comes to it, of another, or of all: nothing
is lost and nothing happens twice.

How many kills there are is divided in `MODES`; `HOB_TEST_SEED` chooses others.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.faults import crash_points
from tests.faults.asked import EXPECTED, OneAsked, World
from tests.faults.crash_points import BOOT, SEEN, points
from tests.faults.forked import Forking
from tests.faults.lives import world
from tests.faults.tree import Victim, wait_until
from tests.long import LONG

pytestmark = [pytest.mark.kills, pytest.mark.timeout(5400 if LONG else 300), pytest.mark.xdist_group("kills")]
VICTIMS: tuple[Victim, ...] = ("self", "receiver", "leader", "redis", "tree")
PATIENCE = 240.0 if LONG else 90.0
"""Seconds for one thing that was asked, on a busy machine."""
MOST_NTH = 4
"""A point is come to again and again: at one of the first so many times."""


@dataclass(frozen=True)
class Mode:
    """One life of Hob. `asks` are what people do in it, `kills` how many by default and in the long run."""

    asks: tuple[str, ...]
    parts: tuple[str, ...]
    kills: tuple[int, int]
    settings: dict[str, str] = field(default_factory=dict)
    few: tuple[str, ...] = ()
    """What people do by default, where that is not all."""


ALL = ("receiver", "dispatch", "run", "outbox", "sender")
MODES = {
    "webhooks": Mode(
        ("review", "triage", "question", "memory"),
        ALL,
        (4, 200),
        few=("review", "memory"),
    ),
    "code": Mode(("fix", "implement"), (*ALL, "code"), (1, 90), few=("implement",)),
    "schedule": Mode(
        ("tick", "missed"),
        (*ALL, "schedule", "reconcile"),
        (2, 100),
        {"HOB_HANDLERS": "tests.faults.ticking:router"},
    ),
    "knowledge": Mode(
        ("knowledge",), ("dispatch", "run", "knowledge"), (1, 60), {"HOB_KNOWLEDGE__ENABLED": "true"}
    ),
    "polling": Mode(
        ("review", "triage"),
        ("dispatch", "run", "outbox", "sender", "polling"),
        (1, 50),
        {"HOB_INTAKE__MODE": "poll"},
        few=("triage",),
    ),
}


@dataclass(frozen=True)
class Kill:
    """Who dies when which point is come to for the `nth` time after something was asked."""

    ask: str
    point: str
    nth: int
    victim: Victim

    def __str__(self) -> str:
        return f"{self.victim} {self.point} #{self.nth} ({self.ask})"


@pytest.mark.parametrize("name", [*crash_points.all_names(), *BOOT])
def test_each_boundary_is_a_function_that_the_product_has(name: str) -> None:
    assert callable(crash_points.find(name)[2])


@pytest.mark.parametrize("mode", MODES)
def test_R1_R2_killed_at_each_boundary_every_effect_is_there_once(
    mode: str, tmp_path: Path, forking: Forking
) -> None:
    how = MODES[mode]
    count = how.kills[LONG]
    chance = random.Random(f"{mode} {os.environ.get('HOB_TEST_SEED', '')}")
    with world(tmp_path, forking, **how.settings) as people:
        killing = Killing(people)
        reached = {ask: killing.learn(ask) for ask in (how.few if how.few and not LONG else how.asks)}
        killing.run(chosen(how, reached, chance), count)
        killing.judge()
    print(f"\n{mode}: {len(killing.killed)} kills, {killing.not_reached} times the point was not come to")
    print(f"  by victim: {dict(Counter(one.victim for one in killing.killed))}")
    print(f"  points: {len({one.point for one in killing.killed})}")
    assert killing.wrong == []
    assert len(killing.killed) == count


def chosen(how: Mode, reached: dict[str, Counter[str]], chance: random.Random) -> Iterator[list[Kill]]:
    """Without end: each point that can be reached once, where the process dies that comes to it; then any,
    and anybody. While things start again others die, but no run loses its worker three times: that sets it
    aside."""
    theirs = set(points(*how.parts))
    if not LONG:  # those of this mode alone: there are few kills
        theirs &= set(points(*(set(how.parts) - set(ALL) or how.parts)))
    where = {point: [ask for ask, seen in reached.items() if seen[point]] for point in theirs}
    every = sorted(point for point, asks in where.items() if asks)
    boots = [f"{side} {name}" for name in BOOT for side in ("before", "after")]
    first = [Kill(chance.choice(where[point]), point, 1, "self") for point in every]
    first += [Kill(chance.choice(list(reached)), point, 1, "self") for point in boots]
    chance.shuffle(first)

    def another(ask: str, victims: Sequence[Victim]) -> Kill:
        point = chance.choice([point for point in every if ask in where[point]])
        nth = chance.randint(1, min(reached[ask][point], MOST_NTH))
        return Kill(ask, point, nth, chance.choice(victims))

    while True:
        one = first.pop() if first else another(chance.choice(list(reached)), VICTIMS)
        yield [one, another(one.ask, VICTIMS), another(one.ask, ("receiver", "redis"))]


class Killing:
    """Asks, kills, starts again, and looks at what there is."""

    def __init__(self, people: World) -> None:
        self.people, self.tree = people, people.tree
        self.asked: list[tuple[str, str, OneAsked]] = []
        self.killed: list[Kill] = []
        self.not_reached = 0
        self.wrong: list[str] = []

    def learn(self, ask: str) -> Counter[str]:
        """How often each point is come to where nothing is killed."""
        seen = self.tree.folder / SEEN
        seen.write_text("")
        one = self.people.ask(ask)
        assert wait_until(lambda: self._is_done(ask, one), PATIENCE), (ask, one(), self.tree.unsettled())
        counted = Counter(seen.read_text().splitlines())
        seen.unlink()
        return counted

    def run(self, kills: Iterator[list[Kill]], count: int) -> None:
        """Until there were so many."""
        for some in kills:
            if len(self.killed) >= count or len(self.wrong) > 5 or self.not_reached > count + 5:
                return
            self.one(some[: count - len(self.killed)])

    def one(self, kills: list[Kill]) -> None:
        started = time.monotonic()
        rest, hit = list(kills), list[Kill]()
        armed = self._arm(rest)
        one = self.people.ask(kills[0].ask)
        if kills[0].point.partition(" ")[2] in BOOT:
            self.tree.kill("leader")

        def settled() -> bool:
            nonlocal armed
            if armed and self.tree.was_hit():
                hit.append(armed)
                self.tree.disarm()
                armed = self._arm(rest)
            self.tree.tend()
            self.people.send_again()
            return self._is_done(kills[0].ask, one)

        well = wait_until(settled, PATIENCE)
        if self.tree.disarm() and armed:
            hit.append(armed)
        story = ", then ".join(map(str, hit))
        self.killed += hit
        self.not_reached += not hit
        if not well:
            self.wrong.append(f"{story}: {one()} {self.tree.unsettled()}\n{self.tree.said()}")
        self.asked.append((story, kills[0].ask, one))
        took = time.monotonic() - started
        print(f"{len(self.killed)} ({took:.1f} s) {story} {'' if well else 'WRONG'}", flush=True)

    def _arm(self, rest: list[Kill]) -> Kill | None:
        if not rest:
            return None
        kill = rest.pop(0)
        self.tree.arm(kill.point, kill.nth, kill.victim)
        return kill

    def _is_done(self, ask: str, one: OneAsked) -> bool:
        return one() == EXPECTED[ask] and self.people.delivered() and not self.tree.unsettled()

    def judge(self) -> None:
        """Once more, at the end of all: what comes late may come twice."""
        wait_until(lambda: not self.tree.unsettled(), PATIENCE)
        time.sleep(1.0)
        for story, ask, one in self.asked:
            if (shows := one()) != EXPECTED[ask]:
                self.wrong.append(f"in the end, {story}: {shows} and not {EXPECTED[ask]}")
        if left := self.tree.unsettled():
            self.wrong.append(f"in the end: {left}")
