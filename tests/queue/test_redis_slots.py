"""Places at model hosts: the same rules in Redis, over processes, and in one process alone."""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import pytest

from bot.core.errors import TemporaryError
from bot.core.host_slots import HostSlots, Served, SlotRequest, Speed, Totals, Written
from bot.inference.hosts.slots import LocalHostSlots, SharedHostSlots
from bot.queue.connect import connect
from bot.queue.embedded import Embedded
from bot.queue.redis_slots import RedisHostSlots


def ticket(name: str, order: float = 1.0, host: str = "mini", seconds: float = 10.0) -> SlotRequest:
    return SlotRequest(name, host, "small model:7b", seconds, order)


@pytest.fixture
def fresh(redis_url: str) -> str:
    client = connect(redis_url)
    client.flushall()
    client.close()
    return redis_url


@pytest.fixture(params=["redis", "local", "shared"])
async def host_slots(request: pytest.FixtureRequest, fresh: str) -> AsyncIterator[HostSlots]:
    kinds: dict[str, Callable[[], HostSlots]] = {
        "redis": lambda: RedisHostSlots(fresh),
        "local": LocalHostSlots,
        "shared": lambda: SharedHostSlots(RedisHostSlots(fresh)),
    }
    made = kinds[request.param]()
    yield made
    await made.aclose()


async def test_as_many_inside_as_there_are_places(host_slots: HostSlots) -> None:
    assert [await host_slots.enter(ticket(name), 2) for name in "abc"] == [True, True, False]
    assert await host_slots.enter(ticket("a"), 2), "who is inside stays inside"
    traffic = (await host_slots.look(["mini", "other"]))["mini"]
    assert ({each.id for each in traffic.inside}, [each.id for each in traffic.waiting]) == (
        {"a", "b"},
        ["c"],
    )
    assert traffic.loaded == "small model:7b"
    await host_slots.leave(ticket("a"))
    assert await host_slots.enter(ticket("c"), 2)
    assert (await host_slots.look(["mini"]))["mini"].waiting == ()
    assert (await host_slots.look(["other"]))["other"].loaded == ""


async def test_how_much_an_answer_has_is_known_until_it_ends(host_slots: HostSlots) -> None:
    assert await host_slots.enter(ticket("a"), 1)
    assert not await host_slots.enter(ticket("b"), 1)
    for written in (Written(), Written(1, 0.01), Written(41, 2.0)):
        await host_slots.renew([replace(ticket("a"), written=written)], [ticket("b")])
        (one,) = (await host_slots.look(["mini"]))["mini"].inside
        assert (one.model, one.written) == ("small model:7b", written)
    assert (one.written.rate, Written(1, 0.01).rate) == (20.0, 0.0)
    await host_slots.leave(ticket("a"))
    await host_slots.enter(ticket("a"), 1)
    (one,) = (await host_slots.look(["mini"]))["mini"].inside
    assert one.written == Written()


async def test_who_waits_goes_in_by_order_and_keeps_others_out(host_slots: HostSlots) -> None:
    assert await host_slots.enter(ticket("inside"), 1)
    for name, order in (("low", 3.0), ("high", 1.0), ("default", 2.0)):
        assert not await host_slots.enter(ticket(name, order), 1)
    await host_slots.leave(ticket("inside"))
    assert not await host_slots.enter(ticket("default", 2.0), 1)
    assert await host_slots.enter(ticket("high", 1.0), 1)
    assert [each.id for each in (await host_slots.look(["mini"]))["mini"].waiting] == ["default", "low"]


async def test_who_moves_to_another_host_no_longer_waits_at_the_first(host_slots: HostSlots) -> None:
    assert await host_slots.enter(ticket("inside"), 1)
    assert not await host_slots.enter(ticket("a"), 1)
    assert await host_slots.enter(ticket("a", host="max"), 1, before="mini")
    now = await host_slots.look(["mini", "max"])
    assert (now["mini"].waiting, [each.id for each in now["max"].inside]) == ((), ["a"])


async def test_those_who_listen_hear_of_a_free_place(host_slots: HostSlots) -> None:
    heard = asyncio.Event()
    host_slots.listen(heard.set)
    await asyncio.sleep(0)
    assert await host_slots.enter(ticket("a"), 1)
    for _ in range(50):  # a subscription takes a moment
        await host_slots.leave(ticket("a"))
        if heard.is_set():
            break
        await asyncio.sleep(0.02)
    assert heard.is_set()


async def test_speeds_and_totals_are_kept(host_slots: HostSlots) -> None:
    served = Served(4.0, tokens_in=1000, tokens_out=100, first_token_seconds=2.0)
    speed = Speed().after(served)
    assert (speed.prompt, round(speed.answer, 1), speed.length, speed.calls) == (500.0, 49.5, 100.0, 1)
    await host_slots.learn("mini", "small model:7b", served, speed)
    await host_slots.learn("mini", "small model:7b", Served(1.0, ok=False), speed)
    traffic = (await host_slots.look(["mini"]))["mini"]
    assert traffic.speeds == {"small model:7b": speed}
    assert traffic.totals == {"small model:7b": Totals(2, 1, 5.0, 2.0, 1000, 100)}


async def test_what_a_killed_worker_held_ends_by_itself_and_a_living_one_keeps_its_own(fresh: str) -> None:
    host_slots = RedisHostSlots(fresh, lease_seconds=0.3, wait_seconds=0.3)
    dead, alive, waits = ticket("dead"), ticket("alive"), ticket("waits", 0.5)
    assert await host_slots.enter(dead, 2)
    assert await host_slots.enter(alive, 2)
    assert not await host_slots.enter(waits, 2)
    for _ in range(8):
        await host_slots.renew([alive], [])
        await asyncio.sleep(0.1)
    traffic = (await host_slots.look(["mini"]))["mini"]
    assert ([each.id for each in traffic.inside], traffic.waiting) == (["alive"], ())
    await host_slots.aclose()


async def test_R2_what_redis_has_lost_is_put_back(host_slots: HostSlots, fresh: str) -> None:
    assert await host_slots.enter(ticket("a"), 1)
    assert not await host_slots.enter(ticket("b"), 1)
    client = connect(fresh)
    client.flushall()
    client.close()
    await host_slots.renew([ticket("a")], [ticket("b")])
    traffic = (await host_slots.look(["mini"]))["mini"]
    assert ([each.id for each in traffic.inside], [each.id for each in traffic.waiting]) == (["a"], ["b"])
    await host_slots.renew([ticket("a")], [ticket("a")])
    assert [each.id for each in (await host_slots.look(["mini"]))["mini"].waiting] == ["b"], (
        "inside is not waiting"
    )


async def test_without_redis_a_process_keeps_to_the_places_by_itself(own_redis: Embedded) -> None:
    alone, host_slots = RedisHostSlots(own_redis.url), SharedHostSlots(RedisHostSlots(own_redis.url))
    assert await host_slots.enter(ticket("a"), 2)
    own_redis.stop()
    with pytest.raises(TemporaryError, match="Redis cannot be reached"):
        await alone.look(["mini"])
    assert await host_slots.enter(ticket("b"), 2)
    assert not await host_slots.enter(ticket("c"), 2)
    await host_slots.leave(ticket("a"))
    assert await host_slots.enter(ticket("c"), 2)
    await host_slots.renew([ticket("b")], [])
    assert {each.id for each in (await host_slots.look(["mini"]))["mini"].inside} == {"b", "c"}
    await host_slots.aclose()
    await alone.aclose()


def _crowd(url: str, number: int, places: int, rounds: int) -> None:
    asyncio.run(_use(url, number, places, rounds))


async def _use(url: str, number: int, places: int, rounds: int) -> None:
    host_slots, client = RedisHostSlots(url), connect(url)
    for at in range(rounds):
        mine = ticket(f"{number}-{at}")
        while not await host_slots.enter(mine, places):
            await asyncio.sleep(0.002)
        client.rpush("most", client.incr("inside"))
        await asyncio.sleep(0.003)
        client.decr("inside")
        await host_slots.leave(mine)
    client.close()
    await host_slots.aclose()


@pytest.mark.kills
async def test_several_processes_never_overrun_a_host_and_a_killed_one_blocks_nobody(fresh: str) -> None:
    context = multiprocessing.get_context("spawn")
    crowd = [context.Process(target=_crowd, args=(fresh, number, 2, 30)) for number in range(3)]
    for process in crowd:
        process.start()
    client = connect(fresh)
    while client.llen("most") < 5:  # type: ignore[operator]
        await asyncio.sleep(0.01)
    os.kill(crowd[0].pid or 0, signal.SIGKILL)
    before = client.llen("most")
    for process in crowd:
        await asyncio.to_thread(process.join, 60)
    assert [process.exitcode for process in crowd][1:] == [0, 0]
    counts = [int(value) for value in client.lrange("most", 0, -1)]  # type: ignore[union-attr]
    assert len(counts) >= 60
    assert max(counts[: int(before)]) <= 2  # type: ignore[arg-type]
    assert max(counts) <= 3, "the killed one may never have counted itself out"
    client.close()
