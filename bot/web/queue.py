"""What the receiver asks Redis: is it there, does anybody work, how much waits. By RQ's keys
(https://python-rq.org/docs/workers/), for RQ itself would cost the receiver memory and give it nothing."""

import asyncio
from collections.abc import Mapping

from redis import Redis

from bot.queue.connect import QUEUES, Unreachable

WORKERS = "rq:workers"
"""RQ's set of the keys of its workers; a key lives as long as its worker beats."""


async def probe(redis: Redis) -> str:
    """How many workers there are; raises where Redis or every worker is away."""
    try:
        alive = await asyncio.to_thread(workers, redis)
    except Unreachable as wrong:
        raise ConnectionError(f"Redis does not answer: {wrong}") from None
    if not alive:
        raise ConnectionError("no worker is there: start hob work")
    return f"{alive} worker{'s' if alive > 1 else ''}"


def workers(redis: Redis) -> int:
    """Workers whose heartbeat is fresh."""
    keys = list(redis.smembers(WORKERS))
    return int(redis.exists(*keys)) if keys else 0


def lengths(redis: Redis) -> Mapping[str, int]:
    """Jobs that wait, by priority."""
    return {priority: int(redis.llen(f"rq:queue:{name}")) for priority, name in QUEUES.items()}
