"""Places at hosts: shared by all workers, by urgency, where the answer is expected first; failing hosts."""

import asyncio
import shutil
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bot.core.host_slots import Ahead, Served, Speed, Traffic, Written
from bot.core.hosts import Host, HostModel, Option, option, rank
from bot.core.inference import Infer
from bot.inference.hosts import scheduler
from bot.inference.hosts.pool import Pool
from bot.inference.hosts.slots import LocalHostSlots, SharedHostSlots
from bot.inference.infer import make_infer
from bot.inference.runners import Broken, ChatRequest, HostDown, Reply
from bot.inference.runners.ollama import OllamaRunner
from bot.inference.runners.scripted import ScriptedRunner
from bot.prompting import rendered
from bot.queue.embedded import Embedded
from bot.queue.redis_slots import RedisHostSlots
from tests.bench import pool as bench
from tests.bench import simulation
from tests.bench.__main__ import BENCHES
from tests.fakes import acts
from tests.fakes.models import FakeModel, FakeOllama, Stage
from tests.inference.answers import GOOD, Sorted, triage

MODEL = "qwen2.5-coder:14b"
Pools = Callable[..., Pool]


@pytest.fixture(scope="module")
def redis() -> Iterator[Embedded]:
    folder = Path(tempfile.mkdtemp(prefix="hob-p-"))
    server = Embedded(folder)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture
async def worker_of(redis: Embedded) -> AsyncIterator[Pools]:
    """Pools as several workers have them: each its own connection, one Redis."""
    pools: list[Pool] = []

    def make(*hosts: Host, between: float = 20.0) -> Pool:
        pools.append(
            Pool(
                hosts,
                runner=lambda host: OllamaRunner(host, first_seconds=between, between_seconds=between),
                host_slots=SharedHostSlots(RedisHostSlots(redis.url)),
            )
        )
        return pools[-1]

    yield make
    for pool in pools:
        await pool.aclose()


def asks(pool: Pool, **options: object) -> Infer:
    return make_infer(pool, {"triage": (MODEL,)}, rendered, **options)  # type: ignore[arg-type]


def at(host: FakeOllama, name: str, **fields: int) -> Host:
    return Host(name, "ollama", host.url, **fields)  # type: ignore[arg-type]


async def test_workers_together_never_overrun_a_host_and_use_all_of_them(worker_of: Pools) -> None:
    async def work(stage: Stage) -> None:
        await asyncio.sleep(0.1)
        await stage.say(GOOD)

    with ExitStack() as stack:
        fakes = [stack.enter_context(FakeOllama()) for _ in range(4)]
        for fake in fakes:
            fake.says(work)
        hosts = [at(fake, f"even{number}", parallel=2) for number, fake in enumerate(fakes)]
        workers = [asks(worker_of(*hosts)) for _ in range(4)]
        said = await asyncio.gather(*(workers[number % 4](triage()) for number in range(64)))
    assert all(each.value for each in said)
    assert [fake.at_once for fake in fakes] == [2, 2, 2, 2]
    assert sum(len(fake.chats) for fake in fakes) == 64


async def test_an_answer_under_way_is_seen_from_elsewhere_as_it_grows(
    ollama: FakeOllama, worker_of: Pools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler, "WAIT_SECONDS", 0.3)
    go, more = threading.Event(), threading.Event()

    async def slowly(stage: Stage) -> None:
        await asyncio.to_thread(go.wait, 20)
        for _ in range(30):
            await stage.token("", thinking="Hm, ")  # a model that thinks first is no model that reads
        await asyncio.to_thread(more.wait, 20)
        await stage.say(GOOD)

    ollama.says(slowly)
    ollama.token_seconds = 0.02
    host = at(ollama, "slow", parallel=1)
    asked = asyncio.create_task(asks(worker_of(host))(triage()))
    elsewhere = worker_of(host)

    async def until(enough: Callable[[Ahead], bool]) -> Ahead:
        while True:
            inside = (await elsewhere.traffic())["slow"].inside
            if inside and enough(inside[0]):
                return inside[0]
            await asyncio.sleep(0.02)

    async with asyncio.timeout(20):
        reading = await until(lambda one: one.passed > 0.2)
        assert (reading.model, reading.written) == (MODEL, Written())
        go.set()
        thought = await until(lambda one: one.written.tokens == 30)
        assert 0 < thought.written.rate < 60
        more.set()
        await until(lambda one: one.written.tokens > 30)
        assert (await asked).value
        while (await elsewhere.traffic())["slow"].inside:
            await asyncio.sleep(0.02)


async def test_a_person_at_one_worker_goes_before_a_review_at_another(
    ollama: FakeOllama, worker_of: Pools
) -> None:
    go = threading.Event()

    async def when_told(stage: Stage) -> None:
        await asyncio.to_thread(go.wait, 20)
        await stage.say(GOOD)

    ollama.says(when_told)
    host = at(ollama, "one", parallel=1)
    first, second = worker_of(host), worker_of(host)
    asked = [asyncio.create_task(asks(first, priority="low")(triage("first")))]
    assert await asyncio.to_thread(ollama.begun.wait, 20)
    for number, (pool, priority) in enumerate([(first, "low"), (first, "default"), (second, "high")], 1):
        asked.append(asyncio.create_task(asks(pool, priority=priority)(triage(f"as {priority}"))))
        while len((await first.traffic())["one"].waiting) < number:
            await asyncio.sleep(0.01)
    go.set()
    assert all(each.value for each in await asyncio.gather(*asked))
    order = [
        word
        for chat in ollama.chats
        for word in ("first", "as high", "as default", "as low")
        if word in str(chat)
    ]
    assert order == ["first", "as high", "as default", "as low"]
    assert ollama.at_once == 1


async def test_a_host_killed_in_the_middle_of_twenty_answers_loses_none_and_none_is_used_twice(
    worker_of: Pools,
) -> None:
    """The host that dies says half of each answer; each question is answered once, by the other host."""
    dying, begun = asyncio.Event(), []

    async def half(stage: Stage) -> None:
        begun.append(stage)
        await stage.token('{"kind": "bug", "labels": ["half"], ')
        await asyncio.sleep(3600)

    with FakeOllama() as other:
        other.says(GOOD)
        mortal = FakeOllama().__enter__()
        mortal.says(half)
        hosts = [at(mortal, "mortal", parallel=20), at(other, "other", parallel=4)]
        pool = worker_of(*hosts)
        await pool.host_slots.learn("mortal", MODEL, Served(1.0), Speed(9e5, 9e5, calls=1))
        asked = [asyncio.create_task(asks(pool)(triage(f"question {number}"))) for number in range(20)]
        while len(begun) < 20:
            await asyncio.sleep(0.01)
        dying.set()
        await asyncio.to_thread(mortal.__exit__)
        said = await asyncio.gather(*asked)
        assert [each.value for each in said] == [Sorted(**GOOD)] * 20
        assert {each.host for each in said} == {"other"}
        questions = [
            number
            for chat in other.chats
            for number in range(20)
            if f"question {number}\n" in str(chat["messages"][1]["content"]) + "\n"
        ]
        assert len(other.chats) == len(set(questions)) == 20
        assert "half" not in "".join(each.text for each in said)
        assert other.at_once <= 4
        assert (await pool.traffic())["mortal"].inside == ()


@pytest.mark.parametrize("act", [acts.hang, acts.hang_midway, acts.drip])
async def test_N2_a_host_that_hangs_is_left_within_its_idle_deadline(
    ollama: FakeOllama, worker_of: Pools, act: Callable[[Stage], object]
) -> None:
    ollama.says(act)  # type: ignore[arg-type]
    with FakeOllama() as other:
        other.says(GOOD)
        pool = worker_of(at(ollama, "hangs"), at(other, "well"), between=0.5)
        await pool.host_slots.learn("hangs", MODEL, Served(1.0), Speed(9e5, 9e5, calls=1))
        loop = asyncio.get_running_loop()
        begun = loop.time()
        said = await asks(pool)(triage())
        assert loop.time() - begun < 10
    assert (said.host, said.calls) == ("well", 2)
    assert await asyncio.to_thread(ollama.left.wait, 20)


class Shaky(ScriptedRunner):
    """Answers what it has, and breaks what it says while `breaks` is set."""

    breaks = True
    asked = 0

    async def chat(self, request: ChatRequest, heard: object = None) -> Reply:
        self.asked += 1
        if self.breaks:
            raise Broken("it answered 500")
        return Reply("{}", 10, 2)


class Clock:
    now = 0.0


async def test_a_host_that_keeps_failing_is_taken_out_and_comes_back_by_itself() -> None:
    clock = Clock()
    host = Host("mini", "scripted", "")
    runner = Shaky(host)
    pool = Pool([host], runner=lambda _: runner, clock=lambda: clock.now)

    async def try_it() -> str:
        found = await pool.candidates("chat", ["scripted"])
        if not found.candidates:
            return found.reason
        async with pool.place(found.candidates, 1) as place:
            try:
                await place.chat(ChatRequest(HostModel("scripted", 99), "", "", {}, 99, 9))
            except Broken:
                return "broke"
        return "well"

    assert [await try_it() for _ in range(3)] == ["broke"] * 3
    assert await try_it() == "no model host answered: mini: it answered 500"
    clock.now = 6.0
    assert await try_it() == "broke"
    assert "no model host answered" in await try_it()
    clock.now = 12.0
    assert "no model host answered" in await try_it(), "twice as long the second time"
    clock.now, runner.breaks = 17.0, False
    assert [await try_it() for _ in range(2)] == ["well", "well"]
    runner.breaks = True
    assert [await try_it() for _ in range(3)] == ["broke"] * 3
    await pool.aclose()


def speeds(**answer: float) -> dict[str, Traffic]:
    return {
        host: Traffic(model="m", idle_seconds=1.0, speeds={"m": Speed(1000, each, 5.0, 100, 1)})
        for host, each in answer.items()
    }


def ranked(traffics: dict[str, Traffic], routing: str = "completion", turn: int = 0) -> list[str]:
    options = [option(each, "m", 1, each.speeds["m"], 5.0) for each in traffics.values()]
    names = list(traffics)
    return [names[at] for at in rank(options, 1000, routing, turn)]  # type: ignore[arg-type]


def test_the_expected_end_decides() -> None:
    fast_slow = speeds(slow=10, fast=50)
    assert ranked(fast_slow) == ["fast", "slow"]
    assert ranked(fast_slow, "least_outstanding") == ["slow", "fast"]
    assert [ranked(fast_slow, "round_robin", turn)[0] for turn in range(3)] == ["slow", "fast", "slow"]


def test_who_is_before_one_and_what_is_loaded_count() -> None:
    work = Speed(1000, 50, 5.0, 100, 1)
    free = Option(1, 0, 0, 0.0, 0.0, True, work)
    cold = Option(1, 0, 0, 0.0, 0.0, False, work)
    queued = Option(1, 1, 1, 2.0, 4.0, True, work)
    two = Option(2, 1, 0, 2.0, 0.0, True, work)
    assert [each.expected(1000) for each in (free, cold, queued, two)] == [3.0, 8.0, 9.0, 3.0]


@pytest.mark.parametrize("rate", [0.05, 0.10, 0.15])
def test_requests_are_spread_as_well_as_by_a_central_queue_and_far_better_than_in_turns(rate: float) -> None:
    todo = simulation.jobs(rate, 150)
    chosen = simulation.by_line(todo, "completion")
    assert chosen <= 1.1 * simulation.by_pull(todo)
    assert 10 * chosen <= simulation.by_line(todo, "round_robin")


async def test_one_that_gives_up_while_waiting_leaves_no_trace() -> None:
    host_slots, host = LocalHostSlots(), Host("mini", "scripted", "")
    pool = Pool([host], runner=lambda _: ScriptedRunner(host), host_slots=host_slots)
    candidates = (await pool.candidates("chat", ["scripted"])).candidates
    async with pool.place(candidates, 1):
        waits = asyncio.create_task(pool.place(candidates, 1).__aenter__())
        while not (await host_slots.look(["mini"]))["mini"].waiting:
            await asyncio.sleep(0)
        waits.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waits
        assert (await host_slots.look(["mini"]))["mini"].waiting == ()
    async with pool.place(candidates, 1) as place:
        assert place.candidate.host == host
    await pool.aclose()


SERVER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
        self.wfile.write(b'{"models": [{"name": "big:70b", "model": "big:70b"}]}')
    def do_POST(self):
        self.send_response(404); self.end_headers()
    def log_message(self, *_): pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


async def test_a_heavy_host_is_started_on_demand_and_stopped_when_idle(tmp_path: Path) -> None:
    with FakeOllama() as probe:
        port = int(probe.url.rpartition(":")[2])  # free once the probe has gone
    stopped = tmp_path / "stopped"
    heavy = Host(
        "heavy",
        "ollama",
        f"http://127.0.0.1:{port}",
        start=(sys.executable, "-c", SERVER, str(port)),
        stop=("touch", str(stopped)),
        idle_minutes=0.005,
    )
    light = Host("light", "scripted", "")
    pool = Pool(
        [light, heavy], runner=lambda host: OllamaRunner(host) if host is heavy else ScriptedRunner(host)
    )
    assert [
        candidate.host.name for candidate in (await pool.candidates("chat", ["scripted"])).candidates
    ] == ["light"]
    assert (await pool.states())[1].error == "connection refused", "nobody wants it yet"
    found = await pool.candidates("chat", ["big:70b@heavy", "scripted"])
    assert [candidate.host.name for candidate in found.candidates] == ["heavy", "light"]
    async with asyncio.timeout(20):
        while not stopped.exists():
            await asyncio.sleep(0.05)
    await pool.aclose()
    runner = OllamaRunner(heavy)
    with pytest.raises(HostDown):
        await runner.models()
    await runner.aclose()


async def test_a_host_that_does_not_start_is_said_to_be_down(tmp_path: Path) -> None:
    for command in (("false",), (str(tmp_path / "nothing"),)):
        host = Host("heavy", "ollama", "http://127.0.0.1:9", start=command)
        pool = Pool([host])
        assert (
            await pool.candidates("chat", ["x"])
        ).reason == "no model host answered: heavy: connection refused"
        await pool.aclose()


async def test_a_dead_model_is_not_waited_for_when_another_has_it(
    ollama: FakeOllama, worker_of: Pools
) -> None:
    ollama.models = {MODEL: FakeModel()}
    ollama.says(GOOD)
    pool = worker_of(Host("gone", "ollama", "http://127.0.0.1:9"), at(ollama, "here"))
    assert (await asks(pool)(triage())).host == "here"


def test_make_bench_measures_the_pool_too() -> None:
    assert BENCHES["pool"] is bench.figures
