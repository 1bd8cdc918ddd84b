"""When GitHub is asked again: soon after something happened, else seldom, never more often than it may."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.polling_pace import (
    AGE_FACTOR,
    HOUR,
    NEAR_LIMIT_SECONDS,
    REST_SECONDS,
    SOON_SECONDS,
    Pace,
    calls_left,
    until_calls,
)

MINUTE = 60


def an_hour(deliveries: list[float], pace: Pace) -> tuple[int, list[float]]:
    """(calls, seconds that each delivery waited) where each is read."""
    calls, waited, now, todo = 0, list[float](), 0.0, sorted(deliveries)
    while now < HOUR:
        new = [at for at in todo if at <= now]
        todo = todo[len(new) :]
        waited += [now - at for at in new]
        calls += 1 + len(new)
        pace, wait = pace.after_look(now, 1 + len(new), len(new))
        now += wait
    return calls, waited


@given(st.lists(st.floats(0, HOUR), max_size=200))
def test_whatever_happens_an_hour_costs_no_more_than_is_said(deliveries: list[float]) -> None:
    calls, _ = an_hour(deliveries, Pace(seen_at=-HOUR))
    assert calls <= 121 + 1.33 * len(deliveries) + 1
    if len(deliveries) <= 60:
        assert calls <= 202


def test_after_a_delivery_the_next_look_is_soon_then_later_and_later() -> None:
    pace, now, waits = Pace(), 1000.0, []
    pace, wait = pace.after_look(now, 2, 1)
    while wait < REST_SECONDS:
        waits.append(wait)
        now += wait
        pace, wait = pace.after_look(now, 1, 0)
    assert waits[0] == SOON_SECONDS
    assert waits == sorted(waits)
    assert now - 1000 >= 100 * AGE_FACTOR / 0.3


def test_who_writes_twice_within_half_a_minute_hardly_waits_the_second_time() -> None:
    for pause in (5.0, 10.0, 20.0, 30.0):
        _, waited = an_hour([600.0, 600.0 + 60.0 + pause], Pace(seen_at=-HOUR))
        assert waited[1] <= max(SOON_SECONDS, AGE_FACTOR * (pause + 60.0)) + 0.1


def test_near_the_limit_all_is_slow() -> None:
    assert Pace().after_look(0.0, 2, 1, left=0.1)[1] == NEAR_LIMIT_SECONDS


@given(st.lists(st.floats(0, 3 * HOUR), max_size=40))
def test_failures_wait_longer_up_to_a_minute_or_as_GitHub_asks(asked: list[float]) -> None:
    pace = Pace()
    for number, seconds in enumerate(asked):
        pace, wait = pace.after_failure(seconds)
        assert wait == max(min(5.0 * 2**number, REST_SECONDS), seconds)


@pytest.mark.parametrize("share", [1e-300, 0.0001, 0.0002, 0.004, 0.2, 1.0])
@given(now=st.integers(10**9, 2 * 10**9), spent=st.lists(st.tuples(st.integers(0, 90), st.integers(0, 400))))
def test_the_share_of_the_limit_holds_and_comes_back(
    share: float, now: int, spent: list[tuple[int, int]]
) -> None:
    minutes = [(now // MINUTE - ago, calls) for ago, calls in spent]
    wait = until_calls(minutes, now, share)
    assert wait <= HOUR + 2 * MINUTE
    assert calls_left(minutes, now + wait, share) > 0
    assert (wait == 0) == (calls_left(minutes, now, share) > 0)
