"""Days of requests in seconds: the real line and its ranking on a clock that jumps, beside simpler ways.

Hosts are unequal, keep one model loaded, and take a while to load another; requests come at random.
"""

import asyncio
import heapq
import random
import selectors
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from bot.core.host_slots import Served, Speed
from bot.core.hosts import Host, HostModel, RoutingStrategy
from bot.inference.hosts.known_host import Candidate
from bot.inference.hosts.scheduler import Scheduler
from bot.inference.hosts.slots import LocalHostSlots
from tests.bench.load import quantile

T = TypeVar("T")
MODELS = {"coder:14b": 1.0, "small:7b": 0.5}
"""Name -> seconds of work relative to the large one."""


@dataclass(frozen=True)
class Machine:
    """Tokens a second of the large model, and seconds to load it."""

    prompt: float
    answer: float
    load: float


MACHINES = {
    "max": Machine(900, 55, 6),
    "studio": Machine(700, 45, 8),
    "mini": Machine(180, 14, 12),
    "old": Machine(12, 1.5, 45),
}


@dataclass(frozen=True)
class Job:
    at: float
    model: str
    tokens_in: int
    tokens_out: int
    luck: float

    def seconds(self, machine: Machine, loaded: str) -> Served:
        """How long the machine takes, and for what."""
        load = 0.0 if loaded == self.model else machine.load * MODELS[self.model]
        read = MODELS[self.model] * self.luck * self.tokens_in / machine.prompt
        write = MODELS[self.model] * self.luck * self.tokens_out / machine.answer
        return Served(load + read + write, True, self.tokens_in, self.tokens_out, load + read, load)


@dataclass
class _Loaded:
    by_host: dict[str, str] = field(default_factory=dict)

    def serve(self, host: str, job: Job) -> Served:
        served = job.seconds(MACHINES[host], self.by_host.get(host, ""))
        self.by_host[host] = job.model
        return served


def jobs(rate: float, count: int, seed: int = 7) -> list[Job]:
    """So many requests, `rate` a second on average."""
    chance = random.Random(seed)
    found, now = [], 0.0
    for _ in range(count):
        now += chance.expovariate(rate)
        tokens_in = min(12_000, int(chance.lognormvariate(7.0, 0.8)))
        tokens_out = min(800, int(chance.lognormvariate(4.8, 0.5)))
        model = "coder:14b" if chance.random() < 0.6 else "small:7b"
        found.append(Job(now, model, tokens_in, tokens_out, chance.uniform(0.9, 1.1)))
    return found


def by_line(todo: list[Job], routing: RoutingStrategy) -> float:
    """95th percentile of the seconds from asking to the last token, through the real line."""
    return run_at_once(lambda: _through_line(todo, routing))


def by_pull(todo: list[Job]) -> float:
    """One central queue: a free machine takes the next job, of several the one that is done first."""
    loaded, times = _Loaded(), []
    free, busy, waiting = set(MACHINES), list[tuple[float, str]](), list[Job]()
    arrivals = list(reversed(todo))
    while arrivals or waiting:
        now = (
            arrivals[-1].at
            if arrivals and (not busy or arrivals[-1].at <= busy[0][0])
            else heapq.heappop(busy)
        )
        if isinstance(now, tuple):
            now, host = now
            free.add(host)
        else:
            waiting.append(arrivals.pop())
        while free and waiting:
            job = waiting.pop(0)
            ends = {host: job.seconds(MACHINES[host], loaded.by_host.get(host, "")).seconds for host in free}
            host = min(sorted(free), key=ends.__getitem__)
            free.remove(host)
            end = now + loaded.serve(host, job).seconds
            times.append(end - job.at)
            heapq.heappush(busy, (end, host))
    return quantile(times, 0.95)


async def _through_line(todo: list[Job], routing: RoutingStrategy) -> float:
    host_slots = LocalHostSlots(asyncio.get_running_loop().time)
    line, loaded = Scheduler(host_slots, routing), _Loaded()
    hosts = [Host(name, "scripted", "") for name in MACHINES]
    times: list[float] = []

    async def ask(job: Job) -> None:
        await asyncio.sleep(job.at)
        model = HostModel(job.model, 16_384)
        ticket, candidate = await line.enter(
            [Candidate(host, model, 16_384) for host in hosts], job.tokens_in, 1
        )
        served = loaded.serve(candidate.host.name, job)
        await asyncio.sleep(served.seconds)
        known = (await host_slots.look([candidate.host.name]))[candidate.host.name].speeds.get(
            job.model, Speed()
        )
        await host_slots.learn(candidate.host.name, job.model, served, known.after(served))
        await line.leave(ticket)
        times.append(asyncio.get_running_loop().time() - job.at)

    await asyncio.gather(*map(ask, todo))
    await line.aclose()
    return quantile(times, 0.95)


class _Jump(selectors.SelectSelector):
    """Waits for nothing: where a loop would sleep, its clock goes on."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        self.now += timeout or 0.0
        return []


def run_at_once(make: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """On a clock that jumps over all waiting."""
    selector = _Jump()
    loop = asyncio.SelectorEventLoop(selector)
    loop.time = lambda: selector.now  # type: ignore[method-assign]
    try:
        return loop.run_until_complete(make())
    finally:
        loop.close()
