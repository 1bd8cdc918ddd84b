"""Our OpenAI runner before the real mlx_lm.server, on tiny models that the tests make."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.core.hosts import Host, HostModel
from bot.inference.hosts.pool import Pool
from bot.inference.infer import make_infer
from bot.inference.runners import Broken, ChatRequest, HostDown, HostTooSlow, ModelMissing, Unsupported
from bot.inference.runners.openai import UNKNOWN_CONTEXT, OpenAIRunner
from bot.prompting import rendered
from tests import needs
from tests.inference.answers import GOOD, Sorted, triage
from tests.inference.serving import Served, mlx_server

NEARLY = json.dumps(GOOD).replace("}", ",}")
MODELS = {
    "tests/good": {"script": json.dumps(GOOD)},
    "tests/nearly": {"script": NEARLY},
    "tests/garbage": {"script": "I cannot help with that."},
    "tests/endless": {"script": "on and ", "endless": True},
}
SCHEMA = {"type": "object", "properties": {"kind": {"type": "string"}}, "required": ["kind"]}

pytestmark = pytest.mark.xdist_group("mlx_server")
Speaking = Callable[..., AbstractAsyncContextManager[OpenAIRunner]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    needs.mlx()
    from tests.fakes.tiny import cached

    folder = tmp_path_factory.mktemp("cache")
    for name, options in MODELS.items():
        cached(folder, name, **options)  # type: ignore[arg-type]
    return folder


@pytest.fixture(scope="module")
def served(home: Path) -> Iterator[Served]:
    with mlx_server(home) as served:
        yield served


@pytest.fixture
def speaking(served: Served) -> Speaking:
    @asynccontextmanager
    async def make(url: str = "", **options: float) -> AsyncIterator[OpenAIRunner]:
        given = {"first_seconds": 60.0, "between_seconds": 60.0, **options}
        runner = OpenAIRunner(Host("mini", "openai", url or served.url), **given)  # type: ignore[arg-type]
        try:
            yield runner
        finally:
            await runner.aclose()

    return make


def asking(model: str, user: str = "Hello", max_tokens: int = 300) -> ChatRequest:
    return ChatRequest(HostModel(model, 8192), "Be kind.", user, SCHEMA, 8192, max_tokens, 0.0)


async def test_what_it_has(speaking: Speaking) -> None:
    async with speaking() as runner:
        found = {model.name: model.context_length for model in await runner.models()}
        assert found == dict.fromkeys(MODELS, UNKNOWN_CONTEXT)
        with pytest.raises(Unsupported):
            await runner.embed("tests/good", ["a"])


async def test_an_answer_comes_in_pieces_and_is_counted(speaking: Speaking) -> None:
    heard: list[str] = []
    async with speaking() as runner:
        reply = await runner.chat(asking("tests/good"), heard.append)
    assert json.loads(reply.text) == GOOD
    assert "".join(heard) == reply.text
    assert len(heard) > 10
    assert reply.complete
    assert reply.tokens_in == len("Be kind.Hello") + 3
    assert reply.tokens_out > 10
    assert reply.first_token_seconds > 0


async def test_an_answer_that_reached_its_length_says_so(speaking: Speaking) -> None:
    async with speaking() as runner:
        reply = await runner.chat(asking("tests/endless", max_tokens=7))
    assert (reply.complete, reply.tokens_out) == (False, 7)


async def test_a_model_that_is_not_there(speaking: Speaking) -> None:
    async with speaking() as runner:
        with pytest.raises(ModelMissing):
            await runner.chat(asking("tests/nosuch"))
        assert (await runner.chat(asking("tests/good"))).complete


async def test_it_ignores_the_schema_and_is_then_told_in_words(speaking: Speaking) -> None:
    async with speaking() as runner:
        first = await runner.chat(asking("tests/garbage"))
        second = await runner.chat(asking("tests/garbage"))
    assert first.text == second.text == "I cannot help with that."
    assert first.tokens_in is not None and second.tokens_in is not None
    assert second.tokens_in > first.tokens_in + len(json.dumps(SCHEMA, separators=(",", ":")))


async def test_cancelling_stops_it_and_the_next_is_answered(speaking: Speaking) -> None:
    begun = asyncio.Event()
    async with speaking() as runner:
        long = asking("tests/endless", max_tokens=100_000)
        asked = asyncio.create_task(runner.chat(long, lambda _: begun.set()))
        await asyncio.wait_for(begun.wait(), 60)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        # Another model is loaded only when nothing runs: its answer shows that the endless one has ended.
        assert json.loads((await runner.chat(asking("tests/good"))).text) == GOOD


async def test_N2_an_answer_without_end_is_cut_off(speaking: Speaking) -> None:
    async with speaking(max_bytes=20_000) as runner:
        with pytest.raises(Broken, match="does not end"):
            await runner.chat(asking("tests/endless", max_tokens=100_000))


async def test_many_at_once_are_answered_apart(speaking: Speaking) -> None:
    async with speaking() as runner:
        asked = [runner.chat(asking("tests/good", "word " * number)) for number in range(8)]
        replies = await asyncio.gather(*asked)
    assert [json.loads(reply.text) for reply in replies] == [GOOD] * 8
    assert len({reply.tokens_in for reply in replies}) == 8


async def completion_of(runner: OpenAIRunner, *models: str) -> Any:
    pool = Pool([runner.host], runner=lambda _: runner)
    return await make_infer(pool, {"triage": models}, rendered)(triage())


async def test_R10_garbage_is_asked_again_and_then_another_model(speaking: Speaking) -> None:
    async with speaking() as runner:
        completion = await completion_of(runner, "tests/garbage", "tests/good")
        assert completion.value == Sorted(**GOOD)
        assert (completion.model, completion.calls) == ("tests/good", 3)
        completion = await completion_of(runner, "tests/garbage")
        assert (completion.value, completion.failure) == (None, "invalid")


async def test_what_is_nearly_JSON_is_mended_without_asking_again(speaking: Speaking) -> None:
    async with speaking() as runner:
        completion = await completion_of(runner, "tests/nearly")
    assert completion.value == Sorted(**GOOD)
    assert completion.calls == 1


async def test_R10_a_server_that_is_stopped_or_dies_in_the_middle(home: Path, speaking: Speaking) -> None:
    with mlx_server(home) as other:
        async with speaking(other.url, between_seconds=1.0) as runner:
            stop = lambda _: other.process.send_signal(signal.SIGSTOP)  # noqa: E731
            with pytest.raises(HostTooSlow):
                await runner.chat(asking("tests/endless", max_tokens=100_000), stop)
            other.process.send_signal(signal.SIGCONT)
            with pytest.raises(Broken, match=r"broke off|ended in the middle"):
                await runner.chat(asking("tests/endless", max_tokens=100_000), lambda _: other.process.kill())
            other.process.wait(20)
            with pytest.raises(HostDown, match="connection refused"):
                await runner.models()
