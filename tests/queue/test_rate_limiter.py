"""Limits shared through Redis, and kept without it."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from bot.queue.connect import CHANNEL, connect_async
from bot.queue.embedded import Embedded
from bot.queue.queues import Queues
from bot.queue.rate_limiter import RedisRateLimiter
from bot.queue.wakeup import Wakeup, heard


@pytest.fixture
async def pair(queues: Queues) -> AsyncIterator[tuple[RedisRateLimiter, RedisRateLimiter]]:
    """Two processes' pacers."""
    made = RedisRateLimiter(queues.url), RedisRateLimiter(queues.url)
    yield made
    for each in made:
        await each.aclose()


async def test_R8_a_block_holds_in_every_process_and_the_later_wins(
    pair: tuple[RedisRateLimiter, RedisRateLimiter],
) -> None:
    one, other = pair
    until = time.time() + 60
    assert await other.blocked_until("i1") == 0.0
    await one.block("i1", until)
    await one.block("i1", until - 30)
    assert await other.blocked_until("i1") == pytest.approx(until)
    assert await other.blocked_until("i2") == 0.0
    await one.block("i2", time.time() - 5)
    assert await one.blocked_until("i2") == 0.0


async def test_turns_are_a_gap_apart_across_processes(
    pair: tuple[RedisRateLimiter, RedisRateLimiter],
) -> None:
    waits = [await pair[n % 2].turn("writes", 1.0) for n in range(6)]
    assert waits[0] == 0.0
    for n, wait in enumerate(waits):
        assert n - 0.9 < wait <= n or n == 0
    assert await pair[0].turn("elsewhere", 1.0) == 0.0


async def test_limits_hold_in_the_process_while_redis_is_away(own_redis: Embedded) -> None:
    rate_limiter = RedisRateLimiter(own_redis.url)
    until = time.time() + 60
    await rate_limiter.block("i1", until)
    await rate_limiter.turn("writes", 1.0)
    await asyncio.to_thread(own_redis.stop)
    assert await rate_limiter.blocked_until("i1") == pytest.approx(until)
    await rate_limiter.block("i2", until)
    assert await rate_limiter.blocked_until("i2") == pytest.approx(until)
    waits = [await rate_limiter.turn("writes", 1.0) for _ in range(3)]
    assert waits == sorted(waits)
    assert waits[2] - waits[0] == pytest.approx(2.0, abs=0.2)
    await rate_limiter.aclose()


async def test_a_bell_is_heard_in_other_processes_and_survives_redis(own_redis: Embedded) -> None:
    async with Wakeup(own_redis.url, listens=False) as ringing, Wakeup(own_redis.url) as listening:
        ear = listening.ear()
        assert await heard(ear, 10)  # the listening began
        ringing.ring()
        assert await heard(ear, 10)
        await asyncio.to_thread(own_redis.stop)
        ringing.ring()
        ringing.ring()
        await asyncio.to_thread(own_redis.start)
        ear.clear()
        assert await heard(ear, 20)  # listening again rings, for what was missed
        async with asyncio.timeout(20):
            while not await heard(ear, 0.5):
                ringing.ring()


async def test_ringing_without_redis_never_waits(tmp_path: object) -> None:
    async with Wakeup(f"unix://{tmp_path}/none.sock") as wakeup:
        ear = wakeup.ear()
        started = time.monotonic()
        for _ in range(1000):
            wakeup.ring()
        assert time.monotonic() - started < 1
        assert await heard(ear, 1)


async def test_rings_that_follow_closely_become_one_message(redis_url: str) -> None:
    """The last of them is heard too."""
    async with connect_async(redis_url) as client, client.pubsub() as heard_there:
        await heard_there.subscribe(CHANNEL)
        assert (await heard_there.get_message(timeout=10))["type"] == "subscribe"
        async with Wakeup(redis_url, listens=False) as wakeup:
            for _ in range(200):
                wakeup.ring()
                await asyncio.sleep(0)
            messages = 0
            while await heard_there.get_message(timeout=2.0):
                messages += 1
            assert 1 <= messages <= 20
            wakeup.ring()
            assert await heard_there.get_message(timeout=10)
