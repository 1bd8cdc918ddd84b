"""The slots of all model hosts in Redis, shared by all workers of all machines. Times are Redis's own, so
that machines whose clocks differ agree on what has expired."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import Any, cast

from bot.core.errors import TemporaryError
from bot.core.host_slots import (
    LEASE_SECONDS,
    WAIT_SECONDS,
    Ahead,
    Served,
    SlotRequest,
    Speed,
    Totals,
    Traffic,
    Written,
    left,
)
from bot.queue.connect import Unreachable, connect_async

CHANNEL = "hob:places"
PAUSE_SECONDS = 1.0
FORGOTTEN_MS = 30 * 86_400_000
"""A host that nobody has asked for a month leaves nothing behind."""

# Of each host: `in` and `wait` are sorted by expiry and by order, `seen` says until when one who waits is
# believed to live,
# `what` holds "expected-seconds begun model" of each, `wrote` the "tokens seconds" of those inside, `did` the
# speeds, the totals and the last model.
_CLEAN = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local function clean(host)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', host .. ':in', '-inf', now)) do
    redis.call('ZREM', host .. ':in', id)
    redis.call('HDEL', host .. ':what', id)
    redis.call('HDEL', host .. ':wrote', id)
  end
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', host .. ':seen', '-inf', now)) do
    redis.call('ZREM', host .. ':seen', id)
    redis.call('ZREM', host .. ':wait', id)
    if not redis.call('ZSCORE', host .. ':in', id) then redis.call('HDEL', host .. ':what', id) end
  end
end
local function forget(host, id)
  redis.call('ZREM', host .. ':wait', id)
  redis.call('ZREM', host .. ':seen', id)
end
local function keep(host)
  for _, part in ipairs({':in', ':wait', ':seen', ':what', ':wrote', ':did'}) do
    redis.call('PEXPIRE', host .. part, ARGV[1])
  end
end
"""
_LOOK = (
    _CLEAN
    + """
local found = {tostring(now)}
for _, host in ipairs(KEYS) do
  clean(host)
  found[#found + 1] = {
    redis.call('ZRANGE', host .. ':in', 0, -1), redis.call('ZRANGE', host .. ':wait', 0, -1, 'WITHSCORES'),
    redis.call('HGETALL', host .. ':what'), redis.call('HGETALL', host .. ':wrote'),
    redis.call('HGETALL', host .. ':did')}
end
return found
"""
)
_ENTER = (
    _CLEAN
    + """
local host, before = KEYS[1], KEYS[2]
local id, order, places, seconds, model = ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5], ARGV[6]
clean(host)
if before ~= host then
  forget(before, id)
  redis.call('HDEL', before .. ':what', id)
end
redis.call('HSET', host .. ':what', id, seconds .. ' ' .. tostring(now) .. ' ' .. model)
local inside = redis.call('ZSCORE', host .. ':in', id)
local ahead = redis.call('ZCOUNT', host .. ':wait', '-inf', '(' .. order)
if inside or redis.call('ZCARD', host .. ':in') + ahead < places then
  redis.call('ZADD', host .. ':in', now + tonumber(ARGV[7]), id)
  forget(host, id)
  redis.call('HSET', host .. ':did', 'model', model, 'used', tostring(now))
  keep(host)
  return 1
end
redis.call('ZADD', host .. ':wait', order, id)
redis.call('ZADD', host .. ':seen', now + tonumber(ARGV[8]), id)
keep(host)
return 0
"""
)
_LEAVE = (
    _CLEAN
    + """
local host, id = KEYS[1], ARGV[1]
if redis.call('ZREM', host .. ':in', id) == 1 then
  redis.call('HSET', host .. ':did', 'used', tostring(now))
end
forget(host, id)
redis.call('HDEL', host .. ':what', id)
redis.call('HDEL', host .. ':wrote', id)
redis.call('PUBLISH', ARGV[2], host)
"""
)
_RENEW = (
    _CLEAN
    + """
for number, host in ipairs(KEYS) do
  local at = 3 + (number - 1) * 5
  local id, order, what, lasts = ARGV[at], ARGV[at + 1], ARGV[at + 2], tonumber(ARGV[at + 3])
  if order == '' then
    redis.call('ZADD', host .. ':in', now + lasts, id)
    redis.call('HSET', host .. ':wrote', id, ARGV[at + 4])
  elseif not redis.call('ZSCORE', host .. ':in', id) then
    redis.call('ZADD', host .. ':wait', order, id)
    redis.call('ZADD', host .. ':seen', now + lasts, id)
  end
  local seconds, model = what:match('^(%S+) (.*)$')
  redis.call('HSETNX', host .. ':what', id, seconds .. ' ' .. tostring(now) .. ' ' .. model)
  keep(host)
end
"""
)


class RedisHostSlots:
    """A `bot.core.host_slots.HostSlots`. For one event loop; connects on first use; `aclose` it. Raises
    `TemporaryError`."""

    def __init__(
        self, redis_url: str, lease_seconds: float = LEASE_SECONDS, wait_seconds: float = WAIT_SECONDS
    ) -> None:
        self._url = redis_url
        self._lease, self._wait = int(lease_seconds * 1000), int(wait_seconds * 1000)
        self._client = connect_async(redis_url)
        self._scripts = {
            name: self._client.register_script(text)
            for name, text in (("look", _LOOK), ("enter", _ENTER), ("leave", _LEAVE), ("renew", _RENEW))
        }
        self._listening: asyncio.Task[None] | None = None

    async def look(self, hosts: Sequence[str]) -> dict[str, Traffic]:
        """Every host's traffic now."""
        now, *found = await self._run("look", [_key(host) for host in hosts], [])
        return {host: _traffic(float(now), *told) for host, told in zip(hosts, found, strict=True)}

    async def enter(self, ticket: SlotRequest, places: int, before: str = "") -> bool:
        """True: inside. False: waits there."""
        keys = [_key(ticket.host), _key(before or ticket.host)]
        order, seconds = f"{ticket.order:.6f}", f"{ticket.seconds:.3f}"
        given = [FORGOTTEN_MS, ticket.id, order, places, seconds, ticket.model, self._lease, self._wait]
        return bool(await self._run("enter", keys, given))

    async def leave(self, ticket: SlotRequest) -> None:
        """Neither inside nor waiting any more."""
        await self._run("leave", [_key(ticket.host)], [ticket.id, CHANNEL])

    async def renew(self, inside: Iterable[SlotRequest], waiting: Iterable[SlotRequest]) -> None:
        """These still live."""
        keys: list[str] = []
        given: list[Any] = [FORGOTTEN_MS, ""]
        for tickets, lasts, waits in ((inside, self._lease, False), (waiting, self._wait, True)):
            for each in tickets:
                keys.append(_key(each.host))
                order = f"{each.order:.6f}" if waits else ""
                wrote = f"{each.written.tokens} {each.written.seconds:.3f}"
                given += [each.id, order, f"{each.seconds:.3f} {each.model}", lasts, wrote]
        if keys:
            await self._run("renew", keys, given)

    async def learn(self, host: str, model: str, served: Served, speed: Speed) -> None:
        """Totals are added, averages replaced: of two at the same moment one is lost, which an average does
        not mind."""
        key = f"{_key(host)}:did"
        with _temporary():
            async with self._client.pipeline(transaction=False) as pipeline:
                pipeline.hset(
                    key, f"speed {model}", json.dumps([round(value, 3) for value in asdict(speed).values()])
                )
                for name, value in asdict(Totals().plus(served)).items():
                    if value:
                        pipeline.hincrbyfloat(key, f"{name} {model}", value)
                await pipeline.execute()

    def listen(self, wake: Callable[[], None]) -> None:
        """`wake` is called when a place becomes free anywhere. Silence proves nothing: whoever waits looks
        now and then, too."""
        if self._listening is None:
            self._listening = asyncio.create_task(self._hear(wake), name="places")

    async def aclose(self) -> None:
        """Closes the connections."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
        await self._client.aclose()

    async def _run(self, name: str, keys: list[str], given: list[Any]) -> Any:
        with _temporary():
            return await cast("Awaitable[Any]", self._scripts[name](keys=keys, args=given))

    async def _hear(self, wake: Callable[[], None]) -> None:
        while True:
            with suppress(*Unreachable):
                async with connect_async(self._url, answer_seconds=None) as client, client.pubsub() as pubsub:
                    await pubsub.subscribe(CHANNEL)
                    async for _ in pubsub.listen():
                        wake()
            await asyncio.sleep(PAUSE_SECONDS)


@contextmanager
def _temporary() -> Iterator[None]:
    try:
        yield
    except Unreachable as error:
        raise TemporaryError(f"Redis cannot be reached ({type(error).__name__})") from None


def _key(host: str) -> str:
    return f"hob:at:{host}"


def _traffic(now: float, inside: Any, waiting: Any, what: Any, wrote: Any, did: Any) -> Traffic:
    """From what the script tells of one host, in bytes."""
    told, written, done = (
        {_text(key): _text(value) for key, value in _pairs(flat)} for flat in (what, wrote, did)
    )
    used = float(done.get("used", "-inf"))
    return Traffic(
        inside=tuple(_ahead(_text(id_), told, written, now) for id_ in inside),
        waiting=tuple(_ahead(_text(id_), told, {}, None, float(order)) for id_, order in _pairs(waiting)),
        model=done.get("model", ""),
        idle_seconds=max(0.0, (now - used) / 1000),
        speeds={name[6:]: _speed(value) for name, value in done.items() if name.startswith("speed ")},
        totals=_totals(done),
    )


def _ahead(
    id_: str, told: dict[str, str], written: dict[str, str], now: float | None, order: float = 0.0
) -> Ahead:
    """One request; `now` is None for one that waits."""
    seconds, since, model = f"{told.get(id_, '1 0 ')}  ".split(" ", 2)
    expected = float(seconds)
    passed = max(0.0, now - float(since)) / 1000 if now is not None and float(since) else 0.0
    tokens, writing = written.get(id_, "0 0").split(" ")
    so_far = Written(int(tokens), float(writing))
    return Ahead(id_, left(expected, passed), order, model.strip(), passed, so_far)


def _speed(text: str) -> Speed:
    prompt, answer, load, length, calls = json.loads(text)
    return Speed(prompt, answer, load, length, int(calls))


def _totals(done: dict[str, str]) -> dict[str, Totals]:
    models = {name.partition(" ")[2] for name in done if name.startswith("requests ")}
    return {
        model: Totals(
            *(int(float(done.get(f"{name} {model}", 0))) for name in ("requests", "failures")),
            *(float(done.get(f"{name} {model}", 0)) for name in ("seconds", "first_token_seconds")),
            *(int(float(done.get(f"{name} {model}", 0))) for name in ("tokens_in", "tokens_out")),
        )
        for model in models
    }


def _pairs(flat: Any) -> Iterator[tuple[Any, Any]]:
    return zip(flat[::2], flat[1::2], strict=True)


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
