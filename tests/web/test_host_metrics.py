"""The model hosts on the metrics page."""

from bot.core.errors import TemporaryError
from bot.core.host_slots import Ahead, Totals, Traffic
from bot.web import metrics


async def test_hosts_are_told_by_name_and_nothing_while_redis_is_away() -> None:
    async def places() -> dict[str, Traffic]:
        traffic = Traffic((Ahead("a", 1.0),), (), totals={"big:14b": Totals(7, 2)})
        return {"mini": traffic, "max": Traffic()}

    async def away() -> dict[str, Traffic]:
        raise TemporaryError("Redis cannot be reached")

    lines = await metrics._placed(places)
    assert 'hob_host_in_flight{host="mini"} 1' in lines
    assert 'hob_host_waiting{host="max"} 0' in lines
    assert 'hob_host_requests_total{host="mini",model="big:14b"} 7' in lines
    assert 'hob_host_failures_total{host="mini",model="big:14b"} 2' in lines
    assert await metrics._placed(away) == []
