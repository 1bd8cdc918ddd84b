"""Connections to Redis that fail soon and say so, for whoever has a way to go on without it."""

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

CHANNEL = "hob:wakeup"
QUEUES = {"high": "hob-high", "default": "hob-default", "low": "hob-low"}
"""RQ's queues by priority: a person waits; a review; background."""
CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 5.0

Unreachable = (RedisError, OSError)
"""What a Redis that is down, full, restarting or not Redis raises. (redis-py's own ConnectionError is a
RedisError.)"""


def connect(url: str) -> redis.Redis:
    """A client for threads. `url` is `redis://`, `rediss://` or `unix://`; connects on first use, retries
    once at once (a pooled connection may have died meanwhile)."""
    return redis.Redis.from_url(
        url,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 1),
    )


def connect_async(url: str, answer_seconds: float | None = ANSWER_SECONDS) -> redis.asyncio.Redis:
    """A client for one event loop; `answer_seconds` None for a connection that only listens."""
    return redis.asyncio.Redis.from_url(
        url,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=answer_seconds,
        retry=AsyncRetry(NoBackoff(), 1),
    )
