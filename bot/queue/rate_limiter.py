"""GitHub's limits, shared by all processes through Redis. Without Redis each process keeps to them by
itself."""

import time

from bot.queue.connect import Unreachable, connect_async

_BLOCK = """
local now = tonumber(redis.call('GET', KEYS[1]) or '0')
if tonumber(ARGV[1]) > now then redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end
"""
_TURN = """
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local last = tonumber(redis.call('GET', KEYS[1]) or '0')
local slot = math.max(now, last + tonumber(ARGV[1]))
local lasts = math.ceil((slot - now + tonumber(ARGV[1])) * 1000) + 1000
redis.call('SET', KEYS[1], string.format('%.6f', slot), 'PX', lasts)
return string.format('%.6f', slot - now)
"""
"""By Redis's own clock, so that machines whose clocks differ still take turns."""

AWAY_SECONDS = 2.0
"""After a failure Redis is left alone for so long."""


class RedisRateLimiter:
    """`scope` names what a limit is about: an installation, `writes`, a host. For one event loop; connects
    on first use."""

    def __init__(self, redis_url: str) -> None:
        self._client = connect_async(redis_url)
        self._block = self._client.register_script(_BLOCK)
        self._turn = self._client.register_script(_TURN)
        self._until: dict[str, float] = {}
        self._last: dict[str, float] = {}
        self._away_until = 0.0

    async def blocked_until(self, scope: str) -> float:
        """Epoch seconds until which nothing may be asked in this scope; 0.0 when it may."""
        until = self._until.get(scope, 0.0)
        if self._reachable():
            try:
                until = max(until, float(await self._client.get(f"hob:blocked:{scope}") or 0.0))
            except Unreachable:
                self._lost()
        if until > time.time():
            return until
        self._until.pop(scope, None)
        return 0.0

    async def block(self, scope: str, until: float) -> None:
        """Nothing more in this scope before `until`, epoch seconds; of two the later holds."""
        self._until[scope] = max(until, self._until.get(scope, 0.0))
        lasts = int(max(until - time.time(), 0.0) * 1000) + 1000
        if self._reachable():
            try:
                await self._block(keys=[f"hob:blocked:{scope}"], args=[until, lasts])
            except Unreachable:
                self._lost()

    async def turn(self, scope: str, gap: float) -> float:
        """Takes the next turn, at least `gap` seconds after the one before it; gives the seconds to wait
        for it."""
        wait = self._own_turn(scope, gap)
        if self._reachable():
            try:
                wait = float(await self._turn(keys=[f"hob:turn:{scope}"], args=[gap]))
            except Unreachable:
                self._lost()
        self._last[scope] = time.monotonic() + wait
        return wait

    async def aclose(self) -> None:
        """Closes the connection."""
        await self._client.aclose()

    def _own_turn(self, scope: str, gap: float) -> float:
        return max(0.0, self._last.get(scope, 0.0) + gap - time.monotonic()) if scope in self._last else 0.0

    def _reachable(self) -> bool:
        return time.monotonic() >= self._away_until

    def _lost(self) -> None:
        self._away_until = time.monotonic() + AWAY_SECONDS
