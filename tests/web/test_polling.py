"""What pages say of polling, and a server that takes no webhook."""

from pathlib import Path

import pytest

from bot.store import open_store
from bot.store.polling import PollingStatus
from bot.web.polling import metric_lines, told
from tests.databases import at_newest_schema
from tests.web.conftest import BODY, TOKEN, opened

NOW = 1_780_000_000.0


def status(**said: object) -> PollingStatus:
    return PollingStatus(**{"looked_at": NOW - 12, "next_at": NOW + 48, **said})  # type: ignore[arg-type]


def test_how_it_goes_and_what_it_costs_is_one_line() -> None:
    going = status()
    for minute in range(90):
        going.count(NOW - 60 * minute, 1)
    for seconds in (1, 4, 4, 40):
        going.took(seconds)
    assert told(going, 0.2, NOW) == (
        "asked 12 s ago, again in 48 s; 61 calls in the last hour, of 1000 at most; "
        "half of the last 4 deliveries were here within 4 s"
    )


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (
            {"failing_since": NOW - 500, "error": "GitHub answered 502"},
            "fails since 2026-05-28T20:18:20.000Z",
        ),
        ({"looked_at": 0.0}, "not asked for deliveries yet"),
        (
            {"looked_at": NOW - 3600, "next_at": NOW - 3540},
            "not asked for deliveries since 2026-05-28T19:26:40",
        ),
    ],
)
def test_what_is_wrong_with_it_is_said_and_since_when(found: dict[str, object], says: str) -> None:
    with pytest.raises(ConnectionError, match=says):
        told(status(**found), 0.2, NOW)


def test_its_histogram_is_as_prometheus_reads_it() -> None:
    going = status()
    for seconds in (0.5, 4, 40, 9999):
        going.took(seconds)
    lines = metric_lines(going)
    counts = [int(line.rpartition(" ")[2]) for line in lines if "_bucket" in line]
    assert counts == [1, 1, 2, 2, 2, 3, 3, 3, 3, 4]
    assert "# TYPE hob_polling_delivery_seconds histogram" in lines
    assert "hob_polling_delivery_seconds_sum 10043.5" in lines


def test_calls_of_an_hour_are_kept_and_no_more() -> None:
    going = status()
    for minute in range(1000):
        going.count(NOW + 60 * minute, 2)
    assert (going.calls, len(going.minutes)) == (2000, 61)


async def test_a_server_that_takes_no_webhook_says_so_and_reads_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'hob.db'}"
    at_newest_schema(url)
    store = open_store(url)
    async with opened(store, receives=False) as front:
        for _ in range(2):
            answer = await front.deliver(BODY)
            assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
            assert "deliveries are read from GitHub" in answer.json()["detail"]
        assert (await front.client.post("/webhook", content=b"x" * (2 << 20))).status_code == 404
        assert front.stored() == 0
        front.client.headers["authorization"] = f"Bearer {TOKEN}"
        assert "hob_polling_calls_total 0" in (await front.client.get("/metrics")).text
        assert (await front.client.get("/healthz")).status_code == 200
    store.close()
