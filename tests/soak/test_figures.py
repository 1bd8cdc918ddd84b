"""A soak finds what it is for: growth, what stays open, what is lost; and takes no restart for growth."""

import random
from collections import Counter
from dataclasses import replace

import pytest

from tests.soak.faults import Struck
from tests.soak.figures import figures
from tests.soak.oracle import Verdict
from tests.soak.people import QUIET, Act
from tests.soak.sampling import Life, Sample, leaked, slope
from tests.soak.soak import Plan, Soaked

MINUTES = 30


def line(per_hour: float, start: float = 0.0, level: float = 100.0, seconds: float = 1800.0) -> Life:
    noise = random.Random(1)
    times = [start + at for at in range(0, int(seconds), 2)]
    return Life(
        "work-1",
        int(start) + 1,
        [
            Sample(at, level + per_hour * (at - start) / 3600 + noise.uniform(-0.3, 0.3), 30, 8)
            for at in times
        ],
    )


def acts(count: int, seconds: float, first: float = 0.0) -> list[Act]:
    return [
        Act(n, "asks", QUIET, first + n, seen=lambda: True, seen_at=first + n + seconds, ends=())
        for n in range(count)
    ]


def soaked(*lives: Life) -> Soaked:
    plan = Plan(MINUTES * 60, 30, 1)
    return Soaked(plan, acts(30, 1.0), acts(20, 0.8), 1800.0, 0.1, 3.0, Verdict(effects=30), [], list(lives))


def missed(found: Soaked) -> list[str]:
    return [one.name for one in figures(found) if not one.met]


def test_all_is_well_where_nothing_grows_and_all_is_settled() -> None:
    assert missed(soaked(line(0.5))) == []


@pytest.mark.parametrize("per_hour", [0.0, 1.0, 5.0])
def test_a_slope_is_that_of_the_lives_whatever_their_levels(per_hour: float) -> None:
    lives = [line(per_hour, 0, 100, 600), line(per_hour, 600, 60, 600), line(per_hour, 1200, 140, 600)]
    found = slope([[(one.at, one.rss) for one in life.samples] for life in lives])
    assert found.per_hour == pytest.approx(per_hour, abs=3 * found.error + 0.01)
    assert found.error < 0.2


def test_growth_of_a_worker_is_a_missed_bar() -> None:
    assert missed(soaked(line(4.0))) == ["memory of workers, slope"]


def test_growth_is_not_judged_where_it_was_watched_too_shortly() -> None:
    assert missed(soaked(line(400.0, seconds=500))) == []


def test_a_descriptor_that_stays_open_now_and_then_is_a_missed_bar() -> None:
    life = line(0.0)
    life.samples = [replace(one, descriptors=30 + int(one.at) // 400) for one in life.samples]
    assert missed(soaked(life)) == ["descriptors of workers, least late over most early"]


def test_connections_that_come_and_go_are_no_leak() -> None:
    chance = random.Random(2)
    assert leaked([chance.randint(20, 40) for _ in range(300)]) <= 0


def test_an_event_without_its_effect_is_a_missed_bar() -> None:
    found = soaked()
    found.acts[3].seen_at = 0.0
    assert missed(found) == ["events settled"]
    found.acts[3].moot = lambda: True
    assert missed(found) == []


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        (Verdict(lost=["a"]), "effects lost"),
        (Verdict(twice=["a"]), "effects twice"),
        (Verdict(unknown=["a"]), "effects unknown"),
        (Verdict(open=["a"]), "effects that wait for something"),
        (Verdict(dead=Counter({"triage: KeyError": 1})), "dead letters without a named reason"),
    ],
)
def test_whatever_is_wrong_is_a_missed_bar(wrong: Verdict, name: str) -> None:
    found = soaked()
    found.verdict = wrong
    assert missed(found) == [name]


def test_a_quiet_account_that_waits_for_the_others_is_a_missed_bar() -> None:
    found = soaked()
    found.acts = acts(30, 1.7)
    assert missed(found) == ["p95 of the quiet account, event to effect"]


def test_a_quiet_account_that_waits_for_a_repair_is_told_and_not_judged() -> None:
    found = soaked()
    found.acts = [*acts(30, 1.0), *acts(4, 9.0, first=100.0)]
    found.struck = [Struck(99.0, "Redis restarted"), Struck(3.0, "GitHub: reset", "loud")]
    assert missed(found) == []
    (told,) = (one.measured for one in figures(found) if one.name.startswith("p95"))
    assert "1.00 s of 30 away from faults (9.00 s of all 34)" in told
