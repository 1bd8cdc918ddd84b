"""Places at model hosts: the same rules in Redis, over processes, and in one process alone."""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import AsyncIterator, Callable

import pytest

from bot.core.errors import TemporaryError
from bot.core.places import Board, Served, Speed, Ticket, Totals
from bot.inference.board import LocalBoard, SharedBoard
from bot.queue.board import RedisBoard
from bot.queue.connect import connect
from bot.queue.embedded import Embedded


def ticket(name: str, order: float = 1.0, host: str = "mini", seconds: float = 10.0) -> Ticket:
    return Ticket(name, host, "small model:7b", seconds, order)


@pytest.fixture
def fresh(redis_url: str) -> str:
    client = connect(redis_url)
    client.flushall()
    client.close()
    return redis_url


@pytest.fixture(params=["redis", "local", "shared"])
async def board(request: pytest.FixtureRequest, fresh: str) -> AsyncIterator[Board]:
    kinds: dict[str, Callable[[], Board]] = {
        "redis": lambda: RedisBoard(fresh),
        "local": LocalBoard,
        "shared": lambda: SharedBoard(RedisBoard(fresh)),
    }
    made = kinds[request.param]()
    yield made
    await made.aclose()


async def test_as_many_inside_as_there_are_places(board: Board) -> None:
    assert [await board.enter(ticket(name), 2) for name in "abc"] == [True, True, False]
    assert await board.enter(ticket("a"), 2), "who is inside stays inside"
    traffic = (await board.look(["mini", "other"]))["mini"]
    assert ({each.id for each in traffic.inside}, [each.id for each in traffic.waiting]) == (
        {"a", "b"},
        ["c"],
    )
    assert traffic.loaded == "small model:7b"
    await board.leave(ticket("a"))
    assert await board.enter(ticket("c"), 2)
    assert (await board.look(["mini"]))["mini"].waiting == ()
    assert (await board.look(["other"]))["other"].loaded == ""


async def test_who_waits_goes_in_by_order_and_keeps_others_out(board: Board) -> None:
    assert await board.enter(ticket("inside"), 1)
    for name, order in (("low", 3.0), ("high", 1.0), ("default", 2.0)):
        assert not await board.enter(ticket(name, order), 1)
    await board.leave(ticket("inside"))
    assert not await board.enter(ticket("default", 2.0), 1)
    assert await board.enter(ticket("high", 1.0), 1)
    assert [each.id for each in (await board.look(["mini"]))["mini"].waiting] == ["default", "low"]


async def test_who_moves_to_another_host_no_longer_waits_at_the_first(board: Board) -> None:
    assert await board.enter(ticket("inside"), 1)
    assert not await board.enter(ticket("a"), 1)
    assert await board.enter(ticket("a", host="max"), 1, before="mini")
    now = await board.look(["mini", "max"])
    assert (now["mini"].waiting, [each.id for each in now["max"].inside]) == ((), ["a"])


async def test_those_who_listen_hear_of_a_free_place(board: Board) -> None:
    heard = asyncio.Event()
    board.listen(heard.set)
    await asyncio.sleep(0)
    assert await board.enter(ticket("a"), 1)
    for _ in range(50):  # a subscription takes a moment
        await board.leave(ticket("a"))
        if heard.is_set():
            break
        await asyncio.sleep(0.02)
    assert heard.is_set()


async def test_speeds_and_totals_are_kept(board: Board) -> None:
    served = Served(4.0, tokens_in=1000, tokens_out=100, first_token_seconds=2.0)
    speed = Speed().after(served)
    assert (speed.prompt, round(speed.answer, 1), speed.length, speed.calls) == (500.0, 49.5, 100.0, 1)
    await board.learn("mini", "small model:7b", served, speed)
    await board.learn("mini", "small model:7b", Served(1.0, ok=False), speed)
    traffic = (await board.look(["mini"]))["mini"]
    assert traffic.speeds == {"small model:7b": speed}
    assert traffic.totals == {"small model:7b": Totals(2, 1, 5.0, 2.0, 1000, 100)}


async def test_what_a_killed_worker_held_ends_by_itself_and_a_living_one_keeps_its_own(fresh: str) -> None:
    board = RedisBoard(fresh, lease_seconds=0.3, wait_seconds=0.3)
    dead, alive, waits = ticket("dead"), ticket("alive"), ticket("waits", 0.5)
    assert await board.enter(dead, 2)
    assert await board.enter(alive, 2)
    assert not await board.enter(waits, 2)
    for _ in range(8):
        await board.renew([alive], [])
        await asyncio.sleep(0.1)
    traffic = (await board.look(["mini"]))["mini"]
    assert ([each.id for each in traffic.inside], traffic.waiting) == (["alive"], ())
    await board.aclose()


async def test_R2_what_redis_has_lost_is_put_back(board: Board, fresh: str) -> None:
    assert await board.enter(ticket("a"), 1)
    assert not await board.enter(ticket("b"), 1)
    client = connect(fresh)
    client.flushall()
    client.close()
    await board.renew([ticket("a")], [ticket("b")])
    traffic = (await board.look(["mini"]))["mini"]
    assert ([each.id for each in traffic.inside], [each.id for each in traffic.waiting]) == (["a"], ["b"])
    await board.renew([ticket("a")], [ticket("a")])
    assert [each.id for each in (await board.look(["mini"]))["mini"].waiting] == ["b"], (
        "inside is not waiting"
    )


async def test_without_redis_a_process_keeps_to_the_places_by_itself(own_redis: Embedded) -> None:
    alone, board = RedisBoard(own_redis.url), SharedBoard(RedisBoard(own_redis.url))
    assert await board.enter(ticket("a"), 2)
    own_redis.stop()
    with pytest.raises(TemporaryError, match="Redis cannot be reached"):
        await alone.look(["mini"])
    assert await board.enter(ticket("b"), 2)
    assert not await board.enter(ticket("c"), 2)
    await board.leave(ticket("a"))
    assert await board.enter(ticket("c"), 2)
    await board.renew([ticket("b")], [])
    assert {each.id for each in (await board.look(["mini"]))["mini"].inside} == {"b", "c"}
    await board.aclose()
    await alone.aclose()


def _crowd(url: str, number: int, places: int, rounds: int) -> None:
    asyncio.run(_use(url, number, places, rounds))


async def _use(url: str, number: int, places: int, rounds: int) -> None:
    board, client = RedisBoard(url), connect(url)
    for at in range(rounds):
        mine = ticket(f"{number}-{at}")
        while not await board.enter(mine, places):
            await asyncio.sleep(0.002)
        client.rpush("most", client.incr("inside"))
        await asyncio.sleep(0.003)
        client.decr("inside")
        await board.leave(mine)
    client.close()
    await board.aclose()


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
