"""The pool of model hosts: what a place costs, whether hosts are used evenly, how requests are spread."""

import asyncio
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

from bot.core.host_slots import Ahead, Speed, Traffic
from bot.core.hosts import Host, HostModel, option, rank
from bot.inference.hosts.pool import Pool
from bot.inference.hosts.slots import SharedHostSlots
from bot.inference.runners import ChatRequest
from bot.queue.embedded import Embedded
from bot.queue.redis_slots import RedisHostSlots
from tests.bench import simulation
from tests.bench.figure import Figure
from tests.fakes.models import FakeOllama, Stage

MODEL = "qwen2.5-coder:14b"
REQUEST = ChatRequest(HostModel(MODEL, 32_768), "Be brief.", "Hello", {"type": "object"}, 16_384, 64)
WORK_SECONDS = 0.5


def figures(folder: Path) -> Iterator[Figure]:
    redis = Embedded(folder)
    redis.start()
    try:
        yield asyncio.run(_overhead(redis.url))
        yield asyncio.run(_spread(redis.url))
    finally:
        redis.stop()
    yield _choice()
    yield from _simulated()


def shared(redis_url: str, *hosts: Host) -> Pool:
    """A pool as each worker has one."""
    return Pool(hosts, host_slots=SharedHostSlots(RedisHostSlots(redis_url)))


async def _overhead(redis_url: str) -> Figure:
    """One request after the other, with and without a place, in turns."""
    with FakeOllama() as ollama:
        ollama.says("ok")
        pool = shared(redis_url, Host("mini", "ollama", ollama.url))
        candidates = (await pool.candidates("chat", [MODEL])).candidates
        runner = pool.runner("mini")
        direct, pooled = [], []
        for _ in range(300):
            begun = time.perf_counter()
            await runner.chat(REQUEST)
            middle = time.perf_counter()
            async with pool.place(candidates, 1) as place:
                await place.chat(REQUEST)
            direct.append(middle - begun)
            pooled.append(time.perf_counter() - middle)
        await pool.aclose()
    without, with_ = statistics.median(direct) * 1000, statistics.median(pooled) * 1000
    return Figure(
        "a place in the pool (Redis), p50 over a direct call",
        f"{with_ - without:.2f} ms",
        "<= 3 ms",
        with_ - without <= 3,
        f"direct call {without:.2f} ms",
    )


async def _spread(redis_url: str) -> Figure:
    """64 requests of four workers at once, over four hosts."""

    async def work(stage: Stage) -> None:
        await asyncio.sleep(WORK_SECONDS)
        await stage.say("ok")

    with ExitStack() as stack:
        ollamas = [stack.enter_context(FakeOllama()) for _ in range(4)]
        for ollama in ollamas:
            ollama.says(work)
        hosts = [Host(f"h{number}", "ollama", each.url, parallel=2) for number, each in enumerate(ollamas)]
        async with AsyncExitStack() as pools:
            workers = [shared(redis_url, *hosts) for _ in range(4)]
            for pool in workers:
                pools.push_async_callback(pool.aclose)
                await pool.states()
            begun = time.perf_counter()
            await asyncio.gather(*(_ask(workers[number % 4]) for number in range(64)))
            seconds = time.perf_counter() - begun
        most = max(ollama.at_once for ollama in ollamas)
    ideal = 64 / 8 * WORK_SECONDS
    told = f"{seconds:.2f} s, never above {most} at a host"
    met = most <= 2 and seconds <= 1.1 * ideal
    return Figure(
        "64 requests, 4 hosts, parallel 2", told, "<= 2 at a host, ideal + 10 %", met, f"ideal {ideal:.2f} s"
    )


async def _ask(pool: Pool) -> None:
    async with pool.place((await pool.candidates("chat", [MODEL])).candidates, 1) as place:
        await place.chat(REQUEST)


def _choice() -> Figure:
    """Among eight busy hosts."""
    ahead = tuple(Ahead(str(number), 5.0, float(number)) for number in range(3))
    traffics = [Traffic(ahead[:2], ahead, MODEL, 1.0, {MODEL: Speed(300 + number)}) for number in range(8)]

    def choose() -> list[int]:
        return rank([option(each, MODEL, 2, each.speeds[MODEL], 9.0) for each in traffics], 3_000)

    micros = per_call(choose) * 1e6
    return Figure("choosing among 8 hosts", f"{micros:.1f} µs", "<= 20 µs", micros <= 20)


def per_call(call: Callable[[], object], times: int = 2_000) -> float:
    """Seconds, the best of five rounds."""
    rounds = []
    for _ in range(5):
        begun = time.perf_counter()
        for _ in range(times):
            call()
        rounds.append((time.perf_counter() - begun) / times)
    return min(rounds)


def _simulated() -> Iterator[Figure]:
    for rate in (0.05, 0.10, 0.15):
        todo = simulation.jobs(rate, 300)
        chosen, pull = simulation.by_line(todo, "completion"), simulation.by_pull(todo)
        turns, least = (simulation.by_line(todo, each) for each in ("round_robin", "least_outstanding"))
        yield Figure(
            f"unequal hosts, {rate:.2f} requests/s, p95",
            f"{chosen:.1f} s",
            "pull queue + 10 %, round robin / 10",
            chosen <= 1.1 * pull and 10 * chosen <= turns,
            f"pull {pull:.1f} s, least outstanding {least:.1f} s, round robin {turns:,.0f} s",
        )
