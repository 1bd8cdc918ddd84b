"""Nights, weeks and intervals, whatever the clocks of a place do."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.core.due_times import WINDOW, Every, due_times, horizon, spread

HOUR, DAY = 3600.0, 86_400.0
ZONES = ["UTC", "Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "Pacific/Apia"]


@pytest.mark.parametrize("name", ZONES)
@pytest.mark.parametrize("every", ["night", "week", 300, 5 * HOUR])
@pytest.mark.parametrize("year", [2011, 2018, 2026])
def test_each_slot_is_due_once_and_the_next_one_is_where_it_was_said_to_be(
    name: str, every: Every, year: int
) -> None:
    zone, offset = ZoneInfo(name), 1234.5 if every != 300 else 150.0
    now = datetime(year, 1, 1, tzinfo=UTC).timestamp()
    until, step = now + 366 * DAY, 5 * HOUR if every != 300 else 47 * HOUR
    slots: dict[str, float] = {}
    while now < until:
        found = due_times(every, zone, now, offset)
        assert found.since <= now < found.following <= horizon(every, now)
        assert slots.setdefault(found.slot, found.since) == found.since
        then = due_times(every, zone, found.following, offset)
        assert (then.since, then.not_before) == (found.following, 0.0)
        now += step
    if every == "night":
        assert 364 <= len(slots) <= 367


@pytest.mark.parametrize("every", ["night", "week"])
def test_a_night_begins_at_two_where_the_place_has_such_an_hour(every: Every) -> None:
    zone = ZoneInfo("Europe/Berlin")
    now = datetime(2026, 7, 1, tzinfo=UTC).timestamp()
    told = datetime.fromtimestamp(due_times(every, zone, now, 0.0).following, zone)
    assert (told.hour, told.minute) == (2, 0)
    assert every == "night" or told.weekday() == 0


def test_repositories_are_spread_over_the_window_each_at_its_own_time() -> None:
    starts = [spread("standup", repo, "night") for repo in range(1, 1001)]
    assert starts == [spread("standup", repo, "night") for repo in range(1, 1001)]
    assert all(0 <= one < WINDOW for one in starts)
    minutes = [int(one // 60) for one in starts]
    assert max(minutes.count(one) for one in set(minutes)) < 30
    assert all(spread("often", repo, 60) < 60 for repo in range(1, 100))


def test_what_was_missed_is_spread_anew_when_Hob_is_back() -> None:
    morning = datetime(2026, 3, 4, 9, tzinfo=UTC).timestamp()
    assert due_times("night", UTC, morning, 1800.0).not_before == morning + 1800
    assert due_times("night", UTC, morning, 0.0).not_before == morning
