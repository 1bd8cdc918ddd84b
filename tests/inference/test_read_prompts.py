"""What a host had read before: counted, shown, not taken for speed, and a reason to ask there again."""

import asyncio
import json
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from bot.agents.review.answers import ReviewAnswer
from bot.core.host_slots import Served, Speed
from bot.core.hosts import Host, HostModel, Option, rank
from bot.core.inference import Beginning, Passage, Prompt
from bot.inference.hosts.pool import Pool
from bot.inference.hosts.read_prompts import ReadPrompts
from bot.inference.infer import make_infer
from bot.inference.runners import ChatRequest, Heard, Reply
from bot.inference.runners.openai import OpenAIRunner
from bot.prompting import rendered
from tests.bench.simulation import run_at_once
from tests.fakes.openai import FakeOpenAI

MODEL = HostModel("coder:14b", 32_768)
FIRST, SHARED = "x" * 3_500, "s" * 7_000


def request(user: str, system: str = "Be kind.") -> ChatRequest:
    return ChatRequest(MODEL, system, user, {}, 32_768, 100)


def reading(read: ReadPrompts, user: str, *, rate: float, fresh: int | None = None) -> int:
    """What is taken for cached of a prompt of which the host really reads `fresh` tokens."""
    tokens = len(user) // 4
    fresh = tokens if fresh is None else fresh
    under_way = read.begin(request(user))
    reply = Reply("", tokens_in=tokens, reading_seconds=fresh / rate)
    said = under_way.ended(reply).tokens_cached
    under_way.leave()
    assert said is not None
    return said


@pytest.mark.parametrize("rate", [9.0, 90.0, 900.0, 9_000.0])
def test_what_a_host_read_before_is_told_by_how_long_it_reads(rate: float) -> None:
    read = ReadPrompts()
    assert reading(read, SHARED + "a" * 4_000, rate=rate) == 0
    assert reading(read, SHARED + "b" * 4_000, rate=rate, fresh=1_000) == pytest.approx(1_750, abs=10)
    assert reading(read, SHARED + "c" * 4_000, rate=rate * 1.3, fresh=1_000) == pytest.approx(1_750, abs=10)
    assert reading(read, FIRST, rate=rate) == 0
    assert reading(read, SHARED + "d" * 4_000, rate=rate) == 0  # one place: it has read something else


def test_what_others_asked_in_between_is_found_out() -> None:
    read = ReadPrompts()
    assert reading(read, SHARED + "a" * 4_000, rate=900) == 0
    assert reading(read, SHARED + "b" * 4_000, rate=900) == 0  # all 2,750 tokens were read


def test_each_place_keeps_its_own() -> None:
    read = ReadPrompts(2)
    one, other = read.begin(request(SHARED + "a")), read.begin(request(FIRST + "b"))
    one.leave()
    other.leave()
    third = read.begin(request(FIRST + "c"))
    assert third.share > 0.9
    assert read.begin(request(SHARED + "d")).share > 0.9
    third.leave()


def test_what_a_host_counts_is_believed_and_never_more_than_all() -> None:
    for told, meant in ((0, 0), (700, 700), (10**9, 1_000)):
        under_way = ReadPrompts().begin(request("x" * 4_000))
        assert under_way.ended(Reply("", tokens_in=1_000, tokens_cached=told)).tokens_cached == meant
    none = ReadPrompts().begin(request("x"))
    assert none.ended(Reply("")).tokens_cached == 0


def test_reading_little_anew_is_not_taken_for_reading_fast() -> None:
    speed = Speed()
    for _ in range(20):
        served = Served(3.0, tokens_in=5_000, tokens_out=30, first_token_seconds=1.0, tokens_cached=4_100)
        speed = speed.after(served)
    assert speed.prompt == pytest.approx(900, rel=0.02)
    quick = Served(2.0, tokens_in=5_000, tokens_out=30, first_token_seconds=0.05, tokens_cached=4_990)
    assert speed.after(quick).prompt == pytest.approx(speed.prompt)


@pytest.mark.parametrize(
    ("wait", "kept", "best"),
    [(1.0, 3_000, 0), (3.0, 3_000, 0), (4.0, 3_000, 1), (0.5, 0, 1), (1e9, 3_000, 1)],
)
def test_it_waits_for_the_host_that_has_read_the_beginning_where_that_is_faster(
    wait: float, kept: int, best: int
) -> None:
    speed = Speed(prompt=900, answer=30, length=60, calls=9)
    busy = Option(1, 1, 0, wait, 0.0, True, speed, kept=kept)
    free = Option(1, 0, 0, 0.0, 0.0, True, speed)
    assert rank([busy, free], 4_000)[0] == best
    unloaded = replace(busy, loaded=False)
    assert rank([unloaded, free], 4_000)[0] == 1  # with its model it forgot what it had read


@dataclass
class Simulated:
    """A host with one place, which reads 900 tokens a second but for the common beginning and says so."""

    host: Host
    asked: list[str] = field(default_factory=list)
    last: str = ""

    async def models(self) -> tuple[HostModel, ...]:
        return (replace(MODEL, loaded=True),)

    async def chat(self, request: ChatRequest, heard: Heard | None = None) -> Reply:
        text = request.system + request.user
        same = next((n for n, (a, b) in enumerate(zip(self.last, text, strict=False)) if a != b), 0)
        self.last = text
        self.asked.append(text)
        tokens, fresh = len(text) // 4, (len(text) - same) // 4
        await asyncio.sleep(fresh / 900)
        return Reply(json.dumps({"findings": []}), tokens, 5, fresh / 900, reading_seconds=fresh / 900)

    async def embed(self, model: str, texts: Any) -> list[list[float]]:
        return []

    async def loaded(self) -> tuple[str, ...]:
        return (MODEL.name,)

    async def aclose(self) -> None:
        return


def test_the_second_question_of_a_review_goes_to_the_host_that_has_read_its_beginning() -> None:
    run_at_once(_three_reviews)


async def _three_reviews() -> None:
    made: list[Simulated] = []

    def runner(host: Host) -> Simulated:
        made.append(Simulated(host))
        return made[-1]

    pool = Pool([Host("a", "scripted", ""), Host("b", "scripted", "")], runner=runner)
    infer = make_infer(pool, {"review": [MODEL.name]}, rendered)
    inputs = {"title": "t", "body": "b" * 2_000, "instructions": "i" * 4_000, "focus": "", "language": "en"}
    passage = Passage("guideline AGENTS.md", "g" * 3_000, 5)

    async def ask(name: str, begun: Beginning | None) -> int:
        own = Passage(name, f"+{name} = 1\n" * 400)
        prompt = Prompt("review", "review", ReviewAnswer, inputs, (passage, own), beginning=begun)
        return (await infer(prompt)).tokens_cached

    await ask("warm.py", None)
    for review in range(3):
        begun = Beginning(1)
        first = [ask("stranger.py", None), ask(f"{review}0.py", begun)]  # the first host is busy meanwhile
        await asyncio.gather(*first)
        cached = [await ask(f"{review}{part}.py", begun) for part in range(1, 4)]
        assert all(count > 2_000 for count in cached)
        hosts = {one.host.name for one in made for text in one.asked if f'name="{review}' in text}
        assert len(hosts) == 1
    await pool.aclose()


@pytest.mark.parametrize(
    ("details", "cached"),
    [
        ({"cache_n": 70, "prompt_n": 10}, 70),
        ({"cache_n": "x"}, 0),
        ({"cached_tokens": 80}, 80),
        ({"cached_tokens": 0}, 0),
        (None, None),
        ({}, None),
        ("x", None),
    ]
    + [({"cached_tokens": wrong}, 0) for wrong in ("80", -1, None, 1.5)],
)
async def test_what_openai_like_servers_say_of_their_cache_is_read(details: Any, cached: int | None) -> None:
    with FakeOpenAI() as fake:
        if isinstance(details, dict) and "cache_n" in details:
            fake.timings = details
        fake.usage = {"prompt_tokens_details": details}
        runner = OpenAIRunner(Host("v", "openai", fake.url))
        reply = await runner.chat(replace(request("Hello"), model=HostModel(next(iter(fake.models)), 8_192)))
        await runner.aclose()
    assert reply.tokens_cached == cached
