"""Ollama as a host: what it has, what is sent to it, and every way in which it can fail."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

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
    RunnerError,
)
from bot.inference.runners.ollama import OllamaRunner
from tests.fakes import acts
from tests.fakes.models import Act, FakeModel, FakeOllama, Stage

NAME = "qwen2.5-coder:14b"
SCHEMA = {"type": "object", "properties": {"kind": {"type": "string"}}, "required": ["kind"]}

Runners = Callable[..., AbstractAsyncContextManager[OllamaRunner]]


@asynccontextmanager
async def speaking_to(host: FakeOllama, **options: float) -> AsyncIterator[OllamaRunner]:
    given = {"first_seconds": 20.0, "between_seconds": 20.0, "max_bytes": 1_000_000, **options}
    runner = OllamaRunner(Host("mini", "ollama", host.url), **given)  # type: ignore[arg-type]
    try:
        yield runner
    finally:
        await runner.aclose()


def asking(
    user: str = "Hello", *, thinks: bool = False, num_ctx: int = 4096, max_tokens: int = 500
) -> ChatRequest:
    model = HostModel(NAME, 32_768, thinks=thinks)
    return ChatRequest(model, "Be kind.", user, SCHEMA, num_ctx, max_tokens, 0.1)


async def ask(host: FakeOllama, request: ChatRequest | None = None, **options: float) -> Reply:
    async with speaking_to(host, **options) as runner:
        return await runner.chat(request or asking())


async def test_an_answer_comes_in_pieces_and_is_counted(ollama: FakeOllama) -> None:
    ollama.says({"kind": "bug"})
    heard: list[str] = []
    async with speaking_to(ollama) as runner:
        reply = await runner.chat(asking("x" * 350), heard.append)
    assert reply.text == "".join(heard) == '{"kind": "bug"}'
    assert len(heard) == 4
    assert reply.complete
    assert reply.tokens_in == 103
    assert reply.tokens_out == 4
    assert reply.load_seconds == 1.5
    assert reply.first_token_seconds > 0


async def test_what_is_sent_never_lets_the_host_cut(ollama: FakeOllama) -> None:
    await ask(ollama, asking("\ud800 漢"))
    (sent,) = ollama.chats
    assert (sent["truncate"], sent["shift"], sent["stream"]) == (False, False, True)
    assert sent["options"] == {"num_ctx": 4096, "num_predict": 500, "temperature": 0.1}
    assert sent["format"] == SCHEMA
    assert sent["keep_alive"] == "15m"
    assert [message["role"] for message in sent["messages"]] == ["system", "user"]
    assert "think" not in sent


async def test_models_that_think_are_told_not_to_and_their_thoughts_are_no_answer(ollama: FakeOllama) -> None:
    ollama.models[NAME].capabilities = ("completion", "thinking")
    ollama.says(lambda stage: stage.say('{"kind": ""}', thinking="Hm, let me see."))
    async with speaking_to(ollama) as runner:
        (model,) = await runner.models()
        reply = await runner.chat(asking(thinks=model.thinks))
    assert ollama.chats[0]["think"] is False
    assert reply.text == '{"kind": ""}'
    assert reply.thinking == "Hm, let me see."


async def test_an_answer_that_reached_its_length_says_so(ollama: FakeOllama) -> None:
    ollama.says("word " * 100)
    reply = await ask(ollama, asking(max_tokens=10))
    assert not reply.complete
    assert reply.tokens_out == 10


async def test_no_key_is_sent_to_a_host(ollama: FakeOllama, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_API_KEY", "secret-key")
    monkeypatch.setenv("OLLAMA_HOST", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    async with speaking_to(ollama) as runner:
        assert len(await runner.models()) == 1
        await runner.chat(asking())
    assert [request.path for request in ollama.requests] == ["/api/tags", "/api/show", "/api/chat"]
    assert not any("secret-key" in str(request.headers) for request in ollama.requests)


async def test_what_a_host_has(ollama: FakeOllama) -> None:
    ollama.models = {
        "qwen2.5:7b": FakeModel(context_length=32_768),
        "qwen3:8b": FakeModel(40_960, ("completion", "tools", "thinking")),
    }
    async with speaking_to(ollama) as runner:
        assert await runner.models() == (
            HostModel("qwen2.5:7b", 32_768),
            HostModel("qwen3:8b", 40_960, thinks=True),
        )


async def test_a_model_is_described_once_until_it_changes(ollama: FakeOllama) -> None:
    async with speaking_to(ollama) as runner:
        for _ in range(3):
            await runner.models()
        assert [request.path for request in ollama.requests].count("/api/show") == 1
        ollama.models[NAME].context_length = 8_192
        ollama.models[NAME].digest = "sha256:2"
        assert await runner.models() == (HostModel(NAME, 8_192),)


async def test_X6_models_that_run_elsewhere_are_known_as_such(ollama: FakeOllama) -> None:
    ollama.models = {
        "gpt-oss:120b-cloud": FakeModel(),
        "glm-4.6:cloud": FakeModel(),
        "renamed:latest": FakeModel(remote_host="https://ollama.com:443"),
        "local:7b": FakeModel(),
        "clouds:7b": FakeModel(),
    }
    async with speaking_to(ollama) as runner:
        found = {model.name: model.remote for model in await runner.models()}
    assert [name for name, remote in found.items() if remote] == [
        "gpt-oss:120b-cloud",
        "glm-4.6:cloud",
        "renamed:latest",
    ]


@pytest.mark.parametrize("paths", [{"/api/show"}, {"/api/show", "/api/ps", "/api/version"}])
async def test_a_sparse_host_is_taken_to_be_small(ollama: FakeOllama, paths: set[str]) -> None:
    ollama.missing = paths
    async with speaking_to(ollama) as runner:
        assert await runner.models() == (HostModel(NAME, 4_096),)


async def test_a_host_that_lists_names_alone_has_its_models(ollama: FakeOllama) -> None:
    ollama.broken["/api/tags"] = JSONResponse({"models": [{"name": NAME}, {"size": 1}, "odd"]})
    async with speaking_to(ollama) as runner:
        assert await runner.models() == (HostModel(NAME, 32_768),)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Response("404 page not found", 404), "404"),
        (Response(status_code=302, headers={"location": "http://127.0.0.1:1/"}), "not followed"),
        (Response("<html>"), "not answer as"),
        (JSONResponse({"models": "no"}), "not answer as"),
        (JSONResponse([]), "not answer as"),
        (Response(b"x", headers={"content-encoding": "gzip"}), "packed"),
        (Response(b" " * 17_000_000), "does not end"),
    ],
)
async def test_something_else_than_ollama_is_a_host_that_is_down(
    ollama: FakeOllama, answer: Response, why: str
) -> None:
    ollama.broken["/api/tags"] = answer
    async with speaking_to(ollama) as runner:
        with pytest.raises(HostDown, match=why):
            await runner.models()


async def test_nobody_there_is_a_host_that_is_down(ollama: FakeOllama) -> None:
    runner = OllamaRunner(Host("gone", "ollama", "http://127.0.0.1:9"))
    for call in (runner.models, lambda: runner.chat(asking())):
        with pytest.raises(HostDown, match="connection refused"):
            await call()
    await runner.aclose()


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://mini", "mini:11434", ""])
def test_an_address_is_http(url: str) -> None:
    with pytest.raises(ConfigError, match="mini"):
        OllamaRunner(Host("mini", "ollama", url))


@pytest.mark.parametrize(
    ("act", "error", "why"),
    [
        (acts.garbage, Broken, "not Ollama's"),
        (acts.half, Broken, "ended in the middle"),
        (acts.drop, Broken, "broke off"),
        (acts.error_line, Broken, "CUDA error"),
        (acts.gzip_bomb, HostDown, "packed"),
        (acts.endless, Broken, "does not end"),
        (acts.status(500, "llama runner process has terminated"), Broken, "terminated"),
        (acts.status(503, "server busy"), Broken, "busy"),
        (acts.status(404, "model 'x' not found"), ModelMissing, "not found"),
        (acts.status(400, "the input length exceeds the context length"), PromptTooLong, "longer"),
        (acts.status(400, "invalid format"), Broken, "invalid format"),
        (acts.redirect("http://127.0.0.1:1/api/chat"), HostDown, "not followed"),
    ],
)
async def test_N2_R10_every_failure_has_its_name(
    ollama: FakeOllama, act: Act, error: type[RunnerError], why: str
) -> None:
    ollama.says(act)
    with pytest.raises(error, match=why) as caught:
        await ask(ollama)
    assert type(caught.value) is error
    assert len(ollama.chats) == (2 if why == "invalid format" else 1), "a refused schema is left out once"


async def test_a_redirect_takes_no_prompt_to_another_place(ollama: FakeOllama) -> None:
    with FakeOllama() as other:
        ollama.says(acts.redirect(f"{other.url}/api/chat"))
        with pytest.raises(HostDown):
            await ask(ollama)
        assert other.requests == []


async def test_a_prompt_that_is_too_long_is_refused_with_its_counts(ollama: FakeOllama) -> None:
    with pytest.raises(PromptTooLong) as caught:
        await ask(ollama, asking("x" * 35_000))
    assert (caught.value.sent, caught.value.limit) == (10_003, 4_096)


@pytest.mark.parametrize("act", [acts.hang, acts.hang_midway, acts.drip])
async def test_N2_a_host_that_says_nothing_is_left(ollama: FakeOllama, act: Act) -> None:
    ollama.says(act)
    with pytest.raises(HostTooSlow, match="no token for 0 s"):
        await ask(ollama, first_seconds=0.4, between_seconds=0.4)
    assert await asyncio.to_thread(ollama.left.wait, 20)


async def test_the_first_token_may_take_longer_than_the_next(ollama: FakeOllama) -> None:
    async def slow_start(stage: Stage) -> None:
        await asyncio.sleep(0.6)
        await stage.say({"kind": ""})

    ollama.says(slow_start)
    assert (await ask(ollama, first_seconds=20, between_seconds=0.3)).first_token_seconds >= 0.5


@pytest.mark.parametrize("act", [acts.hang, acts.hang_midway])
async def test_a_cancelled_question_stops_the_host(
    ollama: FakeOllama, act: Callable[..., Awaitable[None]]
) -> None:
    ollama.says(act)
    async with speaking_to(ollama) as runner:
        asked = asyncio.create_task(runner.chat(asking()))
        assert await asyncio.to_thread(ollama.begun.wait, 20)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert await asyncio.to_thread(ollama.left.wait, 20)
    assert ollama.cancelled == 1


async def test_a_pull_tells_how_far_it_is(ollama: FakeOllama) -> None:
    async with speaking_to(ollama) as runner:
        told = [progress async for progress in runner.pull("qwen2.5:7b")]
        assert [(progress.completed, progress.total) for progress in told][1:3] == [
            (1_000, 4_000),
            (4_000, 4_000),
        ]
        assert told[-1].status == "success"
        with pytest.raises(ModelMissing, match="no such model"):
            [progress async for progress in runner.pull("nosuch:7b")]


async def test_what_is_in_memory(ollama: FakeOllama) -> None:
    async with speaking_to(ollama) as runner:
        assert await runner.loaded() == ()
        await runner.chat(asking())
        assert await runner.loaded() == (NAME,)


async def test_a_text_to_embed_is_never_cut(ollama: FakeOllama) -> None:
    async with speaking_to(ollama) as runner:
        await runner.embed(NAME, ["a"])
    assert ollama.requests[-1].json["truncate"] is False
