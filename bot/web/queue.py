"""What the receiver asks Redis: is it there, does anybody work, how much waits."""

import asyncio
from collections.abc import Mapping

from bot.queue import Queues, Unreachable

WORKERS = "rq:workers"
"""RQ's set of the keys of its workers; a key lives as long as its worker beats."""


async def probe(queues: Queues) -> str:
    """How many workers there are; raises where Redis or every worker is away."""
    try:
        alive = await asyncio.to_thread(workers, queues)
    except Unreachable as wrong:
        raise ConnectionError(f"Redis does not answer: {wrong}") from None
    if not alive:
        raise ConnectionError("no worker is there: start hob work")
    return f"{alive} worker{'s' if alive > 1 else ''}"


def workers(queues: Queues) -> int:
    """Workers whose heartbeat is fresh."""
    keys = list(queues.connection.smembers(WORKERS))
    return int(queues.connection.exists(*keys)) if keys else 0


def lengths(queues: Queues) -> Mapping[str, int]:
    """Jobs that wait, by priority."""
    return {name: queue.count for name, queue in queues.by_priority.items()}
