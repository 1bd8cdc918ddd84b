"""What holds for every kind of host with a wire: one set of tests, run on each runner with a stand-in of its
protocol. What holds for the others too is in test_contract.py."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.responses import JSONResponse, Response

from bot.core.errors import ConfigError
from bot.core.hosts import Host, HostModel
from bot.inference.runners import (
    Broken,
    ChatRequest,
    HostDown,
    HostTooSlow,
    ModelMissing,
    PromptTooLong,
    Reply,
    Runner,
    RunnerError,
    Unsupported,
)
from bot.inference.runners.anthropic import AnthropicRunner
from bot.inference.runners.ollama import OllamaRunner
from bot.inference.runners.openai import OpenAIRunner
from bot.inference.runners.registry import make_runner
from tests.fakes import acts
from tests.fakes.anthropic import FakeAnthropic
from tests.fakes.models import Act, FakeModel, FakeOllama, Stage, vector
from tests.fakes.openai import FakeOpenAI
from tests.inference.kinds import WIRED

NAME = "qwen2.5-coder:14b"
KEY = "sk-ant-right"
SCHEMA = {"type": "object", "properties": {"kind": {"type": "string"}}, "required": ["kind"]}


@dataclass(frozen=True)
class Kind:
    """A kind of host: its stand-in, its runner, where it lists its models, its words for an unknown shape."""

    name: str
    stand_in: Callable[[], FakeOllama]
    runner: Callable[..., Runner]
    listing: str
    key_header: str
    key_value: str


KINDS = [
    Kind("ollama", FakeOllama, OllamaRunner, "/api/tags", "authorization", f"Bearer {KEY}"),
    Kind("openai", FakeOpenAI, OpenAIRunner, "/v1/models", "authorization", f"Bearer {KEY}"),
    Kind("anthropic", FakeAnthropic, AnthropicRunner, "/v1/models", "x-api-key", KEY),
]

Speaking = Callable[..., AbstractAsyncContextManager[Runner]]


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Kind:
    monkeypatch.setenv("TEST_KEY", KEY)
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def host(kind: Kind) -> Iterator[FakeOllama]:
    with kind.stand_in() as host:
        yield host


@pytest.fixture
def speaking(kind: Kind, host: FakeOllama) -> Speaking:
    @asynccontextmanager
    async def make(key: str = "TEST_KEY", url: str = "", **options: float) -> AsyncIterator[Runner]:
        given = {"first_seconds": 20.0, "between_seconds": 20.0, "max_bytes": 1_000_000, **options}
        there = Host("mini", kind.name, url or host.url, api_key_env=key)
        runner = kind.runner(there, **given)
        try:
            yield runner
        finally:
            await runner.aclose()

    return make


def asking(user: str = "Hello", *, max_tokens: int = 500, model: str = NAME) -> ChatRequest:
    return ChatRequest(HostModel(model, 32_768), "Be kind.", user, SCHEMA, 4096, max_tokens, 0.1)


def test_every_protocol_stands_in_these_tests() -> None:
    assert {kind.name for kind in KINDS} == set(WIRED)


async def test_an_answer_comes_in_pieces_and_is_counted(host: FakeOllama, speaking: Speaking) -> None:
    host.says({"kind": "bug"})
    heard: list[str] = []
    async with speaking() as runner:
        reply = await runner.chat(asking("x" * 350), heard.append)
    assert reply.text == "".join(heard) == '{"kind": "bug"}'
    assert len(heard) == 4
    assert reply.complete
    assert reply.tokens_in == pytest.approx(103, abs=1)
    assert reply.tokens_out == 4
    assert reply.first_token_seconds > 0


async def test_the_schema_holds_the_answer(host: FakeOllama, speaking: Speaking) -> None:
    async with speaking() as runner:
        reply = await runner.chat(asking("\ud800 漢"))
    assert json.loads(reply.text) == {"kind": ""}
    (sent,) = host.chats
    assert sent["stream"] is True
    assert '"kind"' in json.dumps(sent)
    assert not {"seed", "stop", "logit_bias"} & set(sent)


async def test_thoughts_are_no_answer(host: FakeOllama, speaking: Speaking) -> None:
    host.says(lambda stage: stage.say('{"kind": ""}', thinking="Hm, let me see."))
    heard: list[str] = []
    async with speaking() as runner:
        reply = await runner.chat(asking(), heard.append)
    assert reply.text == "".join(heard) == '{"kind": ""}'
    assert reply.thinking == "Hm, let me see."


async def test_an_answer_that_reached_its_length_says_so(host: FakeOllama, speaking: Speaking) -> None:
    host.says("word " * 100)
    async with speaking() as runner:
        reply = await runner.chat(asking(max_tokens=10))
    assert not reply.complete
    assert reply.tokens_out == 10


async def test_what_a_host_has(host: FakeOllama, speaking: Speaking) -> None:
    host.models = {"small:7b": FakeModel(context_length=8_192), "large:70b": FakeModel(131_072)}
    async with speaking() as runner:
        assert await runner.models() == (HostModel("small:7b", 8_192), HostModel("large:70b", 131_072))


async def test_a_model_that_is_not_there(speaking: Speaking) -> None:
    async with speaking() as runner:
        with pytest.raises(ModelMissing, match="does not have"):
            await runner.chat(asking(model="nosuch:1b"))


async def test_a_prompt_that_is_too_long_is_refused_with_its_counts(
    host: FakeOllama, speaking: Speaking
) -> None:
    host.models[NAME].context_length = 4_096
    async with speaking() as runner:
        with pytest.raises(PromptTooLong) as caught:
            await runner.chat(asking("x" * 35_000))
    assert caught.value.sent == pytest.approx(10_003, abs=1)
    assert caught.value.limit == 4_096
    assert len(host.chats) == 1


@pytest.mark.parametrize(
    ("act", "error", "why"),
    [
        (acts.garbage, Broken, "is no(t| stream)"),
        (acts.half, Broken, "ended in the middle"),
        (acts.drop, Broken, "broke off"),
        (acts.error_line, Broken, "CUDA error"),
        (acts.gzip_bomb, HostDown, "packed"),
        (acts.endless, Broken, "does not end"),
        (acts.status(500, "runner process has terminated"), Broken, "terminated"),
        (acts.status(503, "server busy"), Broken, "busy"),
        (acts.status(429, "slow down"), HostDown, "asks to wait"),
        (acts.status(401, "bad key"), HostDown, "refused the key"),
        (acts.redirect("http://127.0.0.1:1/"), HostDown, "not followed"),
    ],
)
async def test_N2_R10_every_failure_has_its_name(
    host: FakeOllama, speaking: Speaking, act: Act, error: type[RunnerError], why: str
) -> None:
    host.says(act)
    async with speaking() as runner:
        with pytest.raises(error, match=why) as caught:
            await runner.chat(asking())
    assert type(caught.value) is error
    assert KEY not in str(caught.value)
    assert len(host.chats) == 1


@pytest.mark.parametrize("act", [acts.hang, acts.hang_midway, acts.drip])
async def test_N2_a_host_that_says_nothing_is_left(host: FakeOllama, speaking: Speaking, act: Act) -> None:
    host.says(act)
    async with speaking(first_seconds=0.4, between_seconds=0.4) as runner:
        with pytest.raises(HostTooSlow, match="no token for 0 s"):
            await runner.chat(asking())
        assert await asyncio.to_thread(host.left.wait, 20)


async def test_the_first_token_may_take_longer_than_the_next(host: FakeOllama, speaking: Speaking) -> None:
    async def slow_start(stage: Stage) -> None:
        await asyncio.sleep(0.6)
        await stage.say({"kind": ""})

    host.says(slow_start)
    async with speaking(between_seconds=0.3) as runner:
        assert (await runner.chat(asking())).first_token_seconds >= 0.5


@pytest.mark.parametrize("act", [acts.hang, acts.hang_midway, acts.endless])
async def test_a_cancelled_question_closes_the_connection(
    host: FakeOllama, speaking: Speaking, act: Act
) -> None:
    host.says(act)
    async with speaking(max_bytes=2**40) as runner:
        asked = asyncio.create_task(runner.chat(asking()))
        assert await asyncio.to_thread(host.begun.wait, 20)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert await asyncio.to_thread(host.left.wait, 20)
    assert host.cancelled == 1


async def test_key_isolation_a_key_goes_to_its_own_host_only(
    kind: Kind, host: FakeOllama, speaking: Speaking, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OLLAMA_API_KEY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, "another-key")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with kind.stand_in() as other:
        host.says(acts.redirect(f"{other.url}{host.chat_path}"))
        async with speaking() as runner:
            await runner.models()
            with pytest.raises(HostDown, match="not followed"):
                await runner.chat(asking())
        assert other.requests == []
    assert len(host.requests) >= 2
    for request in host.requests:
        assert request.headers[kind.key_header] == kind.key_value
        assert "another-key" not in str(request.headers)


async def test_key_isolation_a_host_without_a_key_is_sent_none(
    host: FakeOllama, speaking: Speaking, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OLLAMA_API_KEY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, "another-key")
    async with speaking(key="") as runner:
        for call in (runner.models, lambda: runner.chat(asking())):
            try:
                await call()
            except HostDown as error:
                assert "refused the key" in str(error)  # noqa: PT017  Anthropic's, which takes nobody without one
    assert host.requests
    for request in host.requests:
        assert not {"authorization", "x-api-key"} & set(request.headers)


@pytest.mark.parametrize(
    ("value", "why"), [("", "not set"), ("line\nbreak", "cannot be sent"), ("ключ", "cannot be sent")]
)
async def test_a_key_that_cannot_be_sent_is_said_and_not_shown(
    host: FakeOllama, speaking: Speaking, monkeypatch: pytest.MonkeyPatch, value: str, why: str
) -> None:
    monkeypatch.setenv("TEST_KEY", value)
    async with speaking() as runner:
        for call in (runner.models, lambda: runner.chat(asking())):
            with pytest.raises(HostDown, match=why):
                await call()
    assert host.requests == []


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Response("no", 418), "418"),
        (Response(status_code=302, headers={"location": "http://127.0.0.1:1/"}), "not followed"),
        (Response("<html>"), "does not answer as"),
        (JSONResponse({"models": "no", "data": 5}), "does not answer as"),
        (JSONResponse([]), "does not answer as"),
        (Response(b"x", headers={"content-encoding": "gzip"}), "packed"),
        (Response(b" " * 17_000_000), "does not end"),
    ],
)
async def test_something_else_is_a_host_that_is_down(
    kind: Kind, host: FakeOllama, speaking: Speaking, answer: Response, why: str
) -> None:
    host.broken[kind.listing] = answer
    async with speaking() as runner:
        with pytest.raises(HostDown, match=why):
            await runner.models()


async def test_nobody_there_is_a_host_that_is_down(speaking: Speaking) -> None:
    async with speaking(url="http://127.0.0.1:9") as runner:
        for call in (runner.models, runner.loaded, lambda: runner.chat(asking())):
            try:
                assert await call() == ()  # a protocol that does not tell what is loaded asks nobody
            except HostDown as error:
                assert "connection refused" in str(error)  # noqa: PT017


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://mini", "mini:11434"])
def test_N1_an_address_is_http(kind: Kind, url: str) -> None:
    with pytest.raises(ConfigError, match="mini"):
        make_runner(Host("mini", kind.name, url))


async def test_embeddings_come_in_the_order_of_their_texts(speaking: Speaking, kind: Kind) -> None:
    async with speaking() as runner:
        if kind.name == "anthropic":
            with pytest.raises(Unsupported):
                await runner.embed(NAME, ["a"])
            return
        found = await runner.embed(NAME, ["a", "bcd", ""])
        assert found == [vector("a"), vector("bcd"), vector("")]
        with pytest.raises(ModelMissing):
            await runner.embed("nosuch", ["a"])


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"embeddings": [[1.0]], "data": [{"index": 0, "embedding": [1.0]}]},
        {"embeddings": [[1], [1, 2]], "data": [{"embedding": [1]}, {"index": 1, "embedding": [1, 2]}]},
        {"embeddings": [[], []], "data": [{}, {}]},
        {"embeddings": [["a"], ["b"]], "data": [{"embedding": ["a"]}, {"embedding": ["b"]}]},
    ],
)
async def test_embeddings_that_are_none_are_an_error(
    host: FakeOllama, speaking: Speaking, kind: Kind, told: dict[str, Any]
) -> None:
    host.broken["/api/embed"] = host.broken["/v1/embeddings"] = JSONResponse(told)
    async with speaking() as runner:
        with pytest.raises((Broken, Unsupported)):
            await runner.embed(NAME, ["a", "b"])


async def test_a_bomb_among_embeddings_is_not_opened(host: FakeOllama, speaking: Speaking) -> None:
    packed = Response(b"x", headers={"content-encoding": "gzip"})
    host.broken["/api/embed"] = host.broken["/v1/embeddings"] = packed
    async with speaking() as runner:
        with pytest.raises((HostDown, Unsupported)):
            await runner.embed(NAME, ["a", "b"])


async def test_many_at_once(host: FakeOllama, speaking: Speaking) -> None:
    host.token_seconds = 0.001
    async with speaking() as runner:
        replies: list[Reply] = await asyncio.gather(*(runner.chat(asking(f"{n}")) for n in range(20)))
    assert {reply.text for reply in replies} == {'{"kind": ""}'}
