"""A worker that is stopped for longer than its lease lasts, and then goes on; a clock that is set while work
is under way. Nothing happens twice, and nothing waits for ever."""

import os
import random
import signal
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.faults.asked import EXPECTED, OneAsked, World
from tests.faults.forked import Forking
from tests.faults.lives import world
from tests.faults.tree import wait_until
from tests.long import LONG

pytestmark = [pytest.mark.kills, pytest.mark.timeout(3000 if LONG else 300), pytest.mark.xdist_group("kills")]
PATIENCE = 90.0
STOPS = (
    ("review", "before bot.effects.review:OfPostReview.send"),
    ("review", "after bot.store.outbox:Outbox.start_sending"),
    ("memory", "before bot.effects.base:Destination.post"),
    ("memory", "before bot.store.outbox:Outbox.commit"),
    ("review", "after bot.runs.planning:make_plan"),
    ("review", "before bot.store.outbox:Outbox.plan"),
    ("review", "after bot.github.wire:Wire.exchange"),
    ("question", "before bot.store.outbox:Outbox.done"),
    ("triage", "before bot.store.runs:Runs.finish"),
    ("question", "after bot.store.runs:Runs.claim"),
)
"""What is asked, and where the worker stops. Not between Hob's last look at its lease and the socket: whoever
is stopped there sends what he has in his hands, and no client can help that (docs/design.md)."""
LEAPS = (900.0, -900.0)
"""Seconds by which the clock is set."""


def is_done(people: World, ask: str, one: OneAsked) -> bool:
    people.tree.tend()
    people.send_again()
    return one() == EXPECTED[ask] and people.delivered() and not people.tree.unsettled()


def stopped(people: World, ask: str, point: str) -> tuple[int, OneAsked]:
    """The process that stopped there. One that was writing into the database from another thread would hold
    up all others: it goes on, and the next is stopped."""
    tree = people.tree
    for _ in range(20):
        tree.arm(point, 1, "self", signal.SIGSTOP)
        one = people.ask(ask)
        assert wait_until(tree.was_hit, PATIENCE), tree.said()
        pid = tree.hit_by()
        tree.disarm()
        with suppress(sqlite3.OperationalError), closing(sqlite3.connect(tree.data / "hob.db", 2.0)) as other:
            other.execute("BEGIN IMMEDIATE")
            other.rollback()
            return pid, one
        os.kill(pid, signal.SIGCONT)
        assert wait_until(lambda one=one: is_done(people, ask, one), PATIENCE), tree.said()
    raise AssertionError("it never stops writing")


def test_R1_R13_a_worker_that_wakes_after_its_lease_writes_nothing_twice(
    tmp_path: Path, forking: Forking
) -> None:
    wrong = []
    with world(tmp_path, forking, HOB_QUEUE__LEASE_SECONDS="3") as people:
        for ask, point in STOPS if LONG else STOPS[:1]:
            pid, one = stopped(people, ask, point)
            well = wait_until(lambda ask=ask, one=one: is_done(people, ask, one), PATIENCE)
            os.kill(pid, signal.SIGCONT)
            time.sleep(2.0)
            if not well or not wait_until(lambda ask=ask, one=one: is_done(people, ask, one), 20.0):
                wrong.append(f"{point} ({ask}), by another {well}: {one()} {people.tree.unsettled()}")
    assert wrong == []


def test_R9_a_clock_that_is_set_while_work_is_under_way_holds_up_nothing_and_doubles_nothing(
    tmp_path: Path, forking: Forking
) -> None:
    """And with it a worker dies, whose lease ends by the old time."""
    chance, wrong, done = random.Random(9), [], []
    with world(tmp_path, forking, HOB_HANDLERS="tests.faults.ticking:router") as people:
        tree, offset = people.tree, 0.0
        for number in range(16 if LONG else 2):
            for ask in ("review", "tick") if LONG else ("review",):
                one = people.ask(ask)
                time.sleep(chance.uniform(0.0, 2.0))
                offset += LEAPS[number % 2] if number % 4 < 2 else LEAPS[1 - number % 2]
                tree.set_clock(offset)
                if number % 3 == 1:
                    tree.kill("worker")
                done.append((ask, one))
                if not wait_until(lambda ask=ask, one=one: is_done(people, ask, one), PATIENCE):
                    wrong.append(f"{number}, {offset:+} s: {one()} {tree.unsettled()}")
        time.sleep(1.0)
        wrong += [str(one()) for ask, one in done if one() != EXPECTED[ask]]
        with closing(tree.connect()) as database:
            crashes = database.execute("SELECT sum(crashes) FROM runs").fetchone()[0]
        tree.set_clock(0.0)
    assert wrong == []
    assert crashes <= (12 if LONG else 1)  # a leap alone takes no run from a worker that lives
