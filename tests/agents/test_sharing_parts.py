"""The parts of a review are asked at the same time, as far as hosts have places."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from typing import Any

import pytest

from bot.agents import review
from bot.agents.look_ups import looks_up
from bot.agents.review.asking import Reading, read
from bot.agents.review.looking import Looking
from bot.agents.tools import Lookups
from bot.core.facts import PullRequestFacts
from bot.core.hosts import Host
from bot.core.review_result import check_title
from bot.core.settings import RepoSettings, ReviewSettings
from bot.inference.hosts.pool import Pool
from bot.inference.infer import make_infer
from bot.prompting import rendered
from tests.agents.facts import pull_request
from tests.fakes import acts
from tests.fakes.models import FakeOllama, Stage
from tests.tea import finding

MODEL = "qwen2.5-coder:14b"


def large(most: int = 40) -> PullRequestFacts:
    """Nine parts or so."""
    code = "".join(f"    water_{n} = leaves + {n}\n" for n in range(40))
    files = {f"src/m{n:02}.py": f"def brew_{n}(leaves):\n{code}    return leaves\n" for n in range(60)}
    return pull_request(files, RepoSettings(review=ReviewSettings(max_calls=most)))


@asynccontextmanager
async def hosts(*answers: Any) -> AsyncIterator[tuple[list[FakeOllama], Callable[[PullRequestFacts], Any]]]:
    """Hosts that answer so, with one place each."""
    with ExitStack() as stack:
        fakes = [stack.enter_context(FakeOllama()) for _ in answers]
        for fake, answer in zip(fakes, answers, strict=True):
            fake.says(answer)
        pool = Pool([Host(f"h{number}", "ollama", fake.url) for number, fake in enumerate(fakes)])
        infer = make_infer(pool, {"review": (MODEL,)}, rendered)
        try:
            yield fakes, lambda facts: read(facts, infer)
        finally:
            await pool.aclose()


def slow(seconds: float) -> Callable[[Stage], Any]:
    async def act(stage: Stage) -> None:
        await asyncio.sleep(seconds)
        path = stage.request["messages"][1]["content"].partition('name="src/')[2].partition('"')[0]
        found = {
            "path": f"src/{path}",
            "quote": "return leaves",
            "severity": "major",
            "category": "bug",
            "title": "Tea",
            "body": "Tea.",
            "replacement": None,
            "confidence": 0.9,
        }
        await stage.say({"findings": [found], "summary": ""})

    return act


class Together:
    """Counts the questions in flight over all hosts. The first ones are answered only once there are as many
    of them as hosts: asked one after the other, they never would be."""

    def __init__(self, hosts: int) -> None:
        self._lock = threading.Lock()  # each host answers in a thread of its own
        self._all = threading.Barrier(hosts)
        self._left = hosts
        self._now = 0
        self.most = 0

    def act(self, answer: Callable[[Stage], Any]) -> Callable[[Stage], Any]:
        async def act(stage: Stage) -> None:
            with self._lock:
                first = self._left > 0
                self._left -= 1
                self._now += 1
                self.most = max(self.most, self._now)
            if first:
                await asyncio.to_thread(self._all.wait, 60)
            try:
                await answer(stage)
            finally:
                with self._lock:
                    self._now -= 1

        return act


def told(reading: Reading) -> list[str]:
    return [said.answer.path for said in reading.said]


@pytest.mark.parametrize("seconds", [(1.0,), (1.0, 0.6), (1.0, 0.6, 1.4, 0.8)])
async def test_hosts_of_unequal_speed_are_all_used_and_the_order_is_the_same(
    seconds: tuple[float, ...],
) -> None:
    async with hosts(slow(0.0)) as (_, reads):
        plain = await reads(large())
    async with hosts(*map(slow, seconds)) as (fakes, reads):
        together = Together(len(fakes))
        for fake, each in zip(fakes, seconds, strict=True):
            fake.says(together.act(slow(each)))
        reading = await reads(large())
    asked = sum(len(fake.chats) for fake in fakes)
    assert [fake.at_once for fake in fakes] == [1] * len(seconds)
    assert asked == reading.calls >= 8
    assert told(reading) == told(plain)
    assert together.most == len(seconds)  # how long it takes is measured by tests.bench.hosts
    assert all(fake.chats for fake in fakes)


async def test_max_calls_bounds_the_calls_of_all_parts_together_however_bad_the_answers_are() -> None:
    async with hosts(*["no answer at all"] * 4) as (fakes, reads):
        reading = await reads(large(most=5))
    assert 2 <= sum(len(fake.chats) for fake in fakes) <= 4
    assert reading.unread


def sloppy(request: dict[str, Any]) -> Any:
    """Finds something, and answers nothing usable when asked to verify it; with tools it calls them, or
    says something that is no call."""
    if "verdicts" not in request["format"]["properties"]:
        return {"findings": [finding(quote="return leaves", title="`pour` fails")], "summary": ""}
    looked = "call 1" in str(request["messages"])
    return "I will look." if looked else acts.calls(("read_file", {"path": "x"}))


@pytest.mark.parametrize("most", range(8))
async def test_max_calls_bounds_a_review_with_all_that_it_verifies(most: int) -> None:
    async def read_none(_: Sequence[str]) -> Any:
        return {}, {}

    settings = RepoSettings(review=ReviewSettings(max_calls=most))
    facts = pull_request({"tea.py": "def brew(leaves):\n    return leaves\n"}, settings)
    looking = Looking(look_ups=partial(looks_up, read_none, Lookups()))
    with FakeOllama(answer=sloppy) as host:
        pool = Pool([Host("mini", "ollama", host.url)])
        judged = await review.judge(facts, make_infer(pool, {"review": (MODEL,)}, rendered), looking)
        await pool.aclose()
    assert min(most, 2) <= len(host.chats) <= most
    assert [one.title for one in judged.chosen.shown] == ["`pour` fails"] * bool(most)
    if not most:
        assert judged.conclusion == "neutral"
        title = check_title(judged.coverage, ())
        assert title == "Not reviewed: more than one review reads (review.max_calls)"


async def test_a_host_that_fails_costs_no_part_where_another_has_the_model() -> None:
    async with hosts(acts.drop, slow(0.2), slow(0.2)) as (_, reads):
        reading = await reads(large())
    assert reading.unread == ()
    assert reading.failure == ""
