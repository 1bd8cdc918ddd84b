"""GitHub's rate limits: when to hold back, for whom, and for how long.

https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from bot.core.errors import RateLimited
from bot.github.refusals import ApiRefusal
from bot.github.wire import GitHubResponse

SHORT_WAIT = 2.0
"""Seconds that a call waits by itself; for more the run is put back into the queue."""
_LONGEST = 24 * 3600.0
_FIRST_STRIKE = 60.0
_LONGEST_STRIKE = 3600.0


class RateLimiter(Protocol):
    """What all processes that speak for one App share. Scopes are opaque; times are seconds since 1970."""

    async def blocked_until(self, scope: str) -> float:
        """When calls of this scope may be made again; 0.0 for now."""
        ...

    async def block(self, scope: str, until: float) -> None:
        """No calls of this scope before `until`; never shortens an earlier block."""
        ...

    async def turn(self, scope: str, gap: float) -> float:
        """Takes the next turn to write; gives the seconds to wait for it. Turns are `gap` seconds apart."""
        ...


class LocalRateLimiter:
    """A `RateLimiter` for one process."""

    def __init__(self) -> None:
        self._blocks: dict[str, float] = {}
        self._turns: dict[str, float] = {}

    async def blocked_until(self, scope: str) -> float:
        return self._blocks.get(scope, 0.0)

    async def block(self, scope: str, until: float) -> None:
        self._blocks[scope] = max(until, self._blocks.get(scope, 0.0))

    async def turn(self, scope: str, gap: float) -> float:
        now = time.time()
        start = max(now, self._turns.get(scope, 0.0))
        self._turns[scope] = start + gap
        return start - now


class Limiter:
    """Asks the rate limiter before each call and teaches it from each answer."""

    def __init__(self, rate_limiter: RateLimiter, write_gap: float) -> None:
        self._rate_limiter = rate_limiter
        self._gap = write_gap
        self._strikes: dict[str, tuple[float, float]] = {}
        self._writing: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @asynccontextmanager
    async def writing(self, scope: str) -> AsyncIterator[None]:
        """One write of a scope at a time, `write_gap` after the last."""
        async with self._writing[scope]:
            await asyncio.sleep(await self._rate_limiter.turn(scope, self._gap))
            yield

    async def until_turn(self, scope: str, gap: float) -> float:
        """Seconds until background work of a scope may go on; 0.0: now, and its next turn is `gap` later."""
        mine = f"{scope}:background"
        seconds = await self._rate_limiter.blocked_until(mine) - time.time()
        if seconds > 0:
            return seconds
        await self._rate_limiter.block(mine, time.time() + gap)
        return 0.0

    async def wait(self, *scopes: str) -> None:
        """Returns when a call may be made; `RateLimited` when that is not soon."""
        for scope in scopes:
            seconds = await self._rate_limiter.blocked_until(scope) - time.time()
            if seconds > SHORT_WAIT:
                raise RateLimited("GitHub asked us to wait", retry_after=seconds)
            if seconds > 0:
                await asyncio.sleep(seconds)

    async def learn(self, scope: str, answer: GitHubResponse, refused: ApiRefusal | None) -> None:
        """Notes what an answer says of limits. `refused`: what it means, where it is no success;
        `RateLimited` when it was refused for a limit."""
        exhausted = answer.headers.get("x-ratelimit-remaining") == "0"
        resource = resource_scope(scope, answer.headers.get("x-ratelimit-resource", "core"))
        if refused is not None and answer.status == 200:
            resource = resource_scope(scope, "graphql")
        if exhausted:
            await self._rate_limiter.block(resource, time.time() + until_reset(answer))
        if refused is None:
            return
        if refused.kind == "pending":
            raise RateLimited(_words(refused))  # one pull request's: nobody else need wait
        named = _number(answer.headers.get("retry-after"))
        if refused.kind != "limit":
            if named:
                await self._rate_limiter.block(scope, time.time() + named)
            return
        # A secondary limit is the whole installation's; a primary one that of its resource.
        primary = exhausted or (answer.status == 200 and "API rate limit" in refused.message)
        concerned = resource if primary else scope
        if named is not None:
            seconds = max(named, 1.0)
        elif exhausted:
            seconds = until_reset(answer)
        else:
            seconds = await self.strike(concerned)
        await self._rate_limiter.block(concerned, time.time() + seconds)
        raise RateLimited(_words(refused), retry_after=seconds)

    async def strike(self, scope: str) -> float:
        """Blocks a scope whose limit names no time; gives the seconds: 60, doubled when soon again."""
        now = time.time()
        last, until = self._strikes.get(scope, (0.0, 0.0))
        seconds = min(last * 2, _LONGEST_STRIKE) if now < until + last else _FIRST_STRIKE
        self._strikes[scope] = (seconds, now + seconds)
        await self._rate_limiter.block(scope, now + seconds)
        return seconds


def resource_scope(scope: str, resource: str) -> str:
    """GitHub counts GraphQL and search apart from everything else."""
    return scope if resource == "core" else f"{scope}:{resource}"


def _words(refused: ApiRefusal) -> str:
    return f"GitHub asks to wait ({refused.status}: {refused.message})"


def until_reset(answer: GitHubResponse) -> float:
    """Seconds until `x-ratelimit-reset`, by GitHub's own clock where it tells it: ours may be wrong."""
    reset = _number(answer.headers.get("x-ratelimit-reset"), longest=float("inf"))
    if reset is None:
        return _FIRST_STRIKE
    return min(max(reset - (answer.date or time.time()), 1.0), _LONGEST)


def _number(value: str | None, longest: float = _LONGEST) -> float | None:
    """Whole seconds of a header, none for anything else."""
    if value is None or not value.isascii() or not value.isdigit() or len(value) > 15:
        return None
    return min(float(value), longest)
