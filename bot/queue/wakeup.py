"""Wake-ups between processes, by Redis pub/sub. A lost ring is harmless: everyone who waits also polls."""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self

from bot.queue.connect import CHANNEL, Unreachable, connect_async

PAUSES = (0.1, 0.3, 1.0, 2.0)
"""Seconds between attempts to reach Redis."""


TOGETHER_SECONDS = 0.1
"""Rings within it become one message: one costs more than storing the delivery that it tells of."""


class Wakeup:
    """`async with Wakeup(url) as wakeup:`. `ring()` from the event loop's thread costs nothing and never
    waits; the first goes out at once, those that follow closely become one. With `listens` False it only
    rings."""

    def __init__(self, redis_url: str, listens: bool = True) -> None:
        self._url = redis_url
        self._listens = listens
        self._rung = asyncio.Event()
        self._waiting: list[asyncio.Event] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks.append(asyncio.create_task(self._publish_forever(), name="wake-ups sent"))
        if self._listens:
            self._tasks.append(asyncio.create_task(self._listen_forever(), name="wake-ups heard"))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    def ring(self) -> None:
        """Wakes those who wait, here at once and elsewhere soon."""
        self._rung.set()
        self._wake()

    def ear(self) -> asyncio.Event:
        """An event that is set at each ring; whoever waits on it clears it."""
        ear = asyncio.Event()
        self._waiting.append(ear)
        return ear

    def _wake(self) -> None:
        for each in self._waiting:
            each.set()

    async def _publish_forever(self) -> None:
        failures = 0
        async with connect_async(self._url) as client:
            while True:
                await self._rung.wait()
                self._rung.clear()
                try:
                    await client.publish(CHANNEL, "delivery")
                except Unreachable:  # the next ring tries again, but no more often than that
                    await asyncio.sleep(PAUSES[min(failures, len(PAUSES) - 1)])
                    failures += 1
                else:
                    failures = 0
                    await asyncio.sleep(TOGETHER_SECONDS)

    async def _listen_forever(self) -> None:
        failures = 0
        while True:
            with suppress(*Unreachable):
                async with connect_async(self._url, answer_seconds=None) as client, client.pubsub() as pubsub:
                    await pubsub.subscribe(CHANNEL)
                    async for (
                        _
                    ) in pubsub.listen():  # the first message confirms: what rang meanwhile was missed
                        failures = 0
                        self._wake()
            await asyncio.sleep(PAUSES[min(failures, len(PAUSES) - 1)])
            failures += 1


async def heard(ear: asyncio.Event, seconds: float) -> bool:
    """Waits for a ring, at most so long. True when it rang."""
    try:
        async with asyncio.timeout(seconds):
            await ear.wait()
    except TimeoutError:
        return False
    ear.clear()
    return True
