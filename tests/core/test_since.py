"""Times in the past as people write them."""

from datetime import UTC, datetime

import pytest

from bot.core.since import since

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("text", "at", "rest"),
    [
        ("since 2026-11-02", "2026-11-02T00:00+00:00", ""),
        ("2026-11-02", "2026-11-02T00:00+00:00", ""),
        ("v1.0 since 2026-11-02", "2026-11-02T00:00+00:00", "v1.0"),
        ("since 2026-11-02T09:30+02:00", "2026-11-02T07:30+00:00", ""),
        ("since 2026-11-02 09:30z", "2026-11-02T09:30+00:00", ""),
        ("since 3 days", "2026-11-26T12:00+00:00", ""),
        ("since 3 days ago", "2026-11-26T12:00+00:00", ""),
        ("the last two weeks", "2026-11-15T12:00+00:00", ""),
        ("since 2h", "2026-11-29T10:00+00:00", ""),
        ("Since yesterday", "2026-11-28T00:00+00:00", ""),
        ("since 9999 years", "2016-12-01T12:00+00:00", ""),
    ],
)
def test_a_time_and_what_else_is_said(text: str, at: str, rest: str) -> None:
    found = since(text, NOW)
    assert (found.at, found.rest, found.wrong) == (datetime.fromisoformat(at).timestamp(), rest, "")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("since 2026-13-01", "no day of the calendar"),
        ("since 2026-02-30", "no day of the calendar"),
        ("since 0000-00-00", "no day of the calendar"),
        ("since 2027-01-01", "in the future"),
        ("since 2026-11-29T23:59-12:00", "in the future"),
        ("since Blursday", "no such time"),
        ("since \u0661\u0662", "no such time"),
    ],
)
def test_a_time_that_is_none_is_told(text: str, words: str) -> None:
    found = since(text, NOW)
    assert found.at is None and words in found.wrong


@pytest.mark.parametrize(
    "text", ["", "v1.0", "2.0", "release 3", "\u0130" * 400, "x" * 70_000, "days", "@octo"]
)
def test_what_names_no_time_is_left_as_it_is(text: str) -> None:
    found = since(text, NOW)
    assert found.at is None and not found.wrong
    assert found.rest == " ".join(text[:300].split())
