"""Questions that are asked at the same time, as far as there are places free at model hosts, and answers that
are heard while they come."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from math import inf
from types import TracebackType
from typing import Any, Self

from bot.core.inference import Completion, Infer, OnText, Prompt, T

LOOK_SECONDS = 0.5
"""Whether others have left a place free is looked at so often."""


async def _nobody(_prompt: Prompt[Any]) -> bool:
    return False


async def nobody_waits() -> bool:
    """Whether no other work waits, where there is no queue."""
    return True


@dataclass(frozen=True, slots=True)
class Port:
    """An `Infer` that knows its hosts: `seconds` tells how long an answer would take as they were measured,
    without end where a question would not be asked at once."""

    ask: Infer
    seconds: Callable[[Prompt[Any]], Awaitable[float]]
    sees: Callable[[Prompt[Any]], Awaitable[bool]] = _nobody
    """Whether a model that reads pictures could be asked."""
    _coming: set[int] = field(default_factory=set)
    """The questions that have no place yet, by the id of their prompts."""
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, prompt: Prompt[T], /, on_text: OnText | None = None) -> Completion[T]:
        self._coming.add(id(prompt))
        try:
            return await self.ask(prompt, on_text)
        finally:
            self.placed(prompt)

    def placed(self, prompt: Prompt[Any]) -> None:
        """The question has its place, or needs none any more."""
        self._coming.discard(id(prompt))
        self._news.set()

    async def has_room(self, prompt: Prompt[Any]) -> bool:
        """Whether it would be asked at once; told when those before it have their places."""
        await asyncio.sleep(0)  # so that tasks made just now have begun
        while self._coming:
            self._news.clear()
            await self._news.wait()
        return await self.seconds(prompt) < inf


async def seconds_now(infer: Infer, prompt: Prompt[Any]) -> float:
    """How long an answer to what is asked now would take: without end where it would have to wait or nobody
    can be asked, 0 where the port knows of no hosts."""
    return await infer.seconds(prompt) if isinstance(infer, Port) else 0.0


async def asked_within(seconds: float, infer: Infer, prompt: Prompt[T]) -> Completion[T]:
    """The answer, or the failure that it did not come in time: then the host is told to stop."""
    try:
        async with asyncio.timeout(seconds):
            return await infer(prompt)
    except TimeoutError:
        return Completion(failure="timeout", reason=f"there was no answer within {seconds:,.0f} s", calls=1)


async def sees(infer: Infer, prompt: Prompt[Any]) -> bool:
    """Whether a model that reads pictures could be asked this."""
    return isinstance(infer, Port) and await infer.sees(prompt)


def through(infer: Infer, ask: Infer) -> Infer:
    """`ask`, which ends at `infer`, with what `infer` knows of its hosts."""
    return replace(infer, ask=ask) if isinstance(infer, Port) else ask


@dataclass(slots=True)
class Shared:
    """The questions of one piece of work; leaving the block waits for all of them, or ends them where it
    fails. A port that knows of no places is asked one question after the other."""

    infer: Infer
    _running: set[asyncio.Task[None]] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                await asyncio.gather(*self._running)
        finally:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    async def turn(self, prompt: Prompt[Any], held: Callable[[], bool]) -> None:
        """Waits until nothing is under way, or the question would be asked at once and is not `held` back."""
        while self._running and (held() or not await self._has_room(prompt)):
            done, self._running = await asyncio.wait(
                self._running, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            await asyncio.gather(*done)

    def ask(self, prompt: Prompt[T], take: Callable[[Completion[T]], None]) -> None:
        """Begins to ask; `take` is given the answer."""
        self._running.add(asyncio.create_task(self._ask(prompt, take)))

    async def _ask(self, prompt: Prompt[T], take: Callable[[Completion[T]], None]) -> None:
        take(await self.infer(prompt))

    async def _has_room(self, prompt: Prompt[Any]) -> bool:
        return isinstance(self.infer, Port) and await self.infer.has_room(prompt)


async def streamed(infer: Infer, prompt: Prompt[T]) -> AsyncIterator[str | Completion[T]]:
    """Pieces of the answer's text, then exactly one `Completion`. Leaving early (`aclose`) makes the host
    stop."""
    words: asyncio.Queue[str | None] = asyncio.Queue()
    asked = asyncio.ensure_future(infer(prompt, on_text=words.put_nowait))
    asked.add_done_callback(lambda _: words.put_nowait(None))
    try:
        while (word := await words.get()) is not None:
            yield word
        yield asked.result()
    finally:
        asked.cancel()
        await asyncio.wait([asked])
