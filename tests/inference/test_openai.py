"""What OpenAI-compatible servers differ in: how they name things, what they refuse, what they ignore."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.responses import JSONResponse

from bot.core.hosts import Host, HostModel
from bot.inference.runners import Broken, ChatRequest, HostDown, ModelMissing, PromptTooLong, Unsupported
from bot.inference.runners.openai import OpenAIRunner, base_url, refusal
from bot.inference.runners.wire import HostRefused
from tests.fakes.models import FakeModel, Stage
from tests.fakes.openai import FakeOpenAI

NAME = "qwen2.5-coder:14b"
SCHEMA = {"type": "object", "properties": {"kind": {"type": "string"}}, "required": ["kind"]}


@pytest.fixture
def server() -> Iterator[FakeOpenAI]:
    with FakeOpenAI() as server:
        yield server


@asynccontextmanager
async def speaking_to(server: FakeOpenAI, **fields: Any) -> AsyncIterator[OpenAIRunner]:
    runner = OpenAIRunner(Host("mini", "openai", fields.pop("url", server.url), **fields))
    try:
        yield runner
    finally:
        await runner.aclose()


def asking(user: str = "Hello", model: str = NAME) -> ChatRequest:
    return ChatRequest(HostModel(model, 32_768), "Be kind.", user, SCHEMA, 4096, 500, 0.1)


def schema_in(chat: dict[str, Any]) -> bool:
    return json.dumps(SCHEMA, separators=(",", ":")) in chat["messages"][0]["content"]


async def test_what_is_asked_first(server: FakeOpenAI) -> None:
    async with speaking_to(server) as runner:
        await runner.chat(asking())
    (sent,) = server.chats
    assert sent == {
        "model": NAME,
        "messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hello"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 500,
        "temperature": 0.1,
        "chat_template_kwargs": {"enable_thinking": False},
        "response_format": {
            "type": "json_schema",
            "json_schema": {
                "name": "answer",
                "strict": True,
                "schema": {**SCHEMA, "additionalProperties": False},
            },
        },
    }


@pytest.mark.parametrize("refused", ["max_tokens", "temperature", "stream_options", "chat_template_kwargs"])
async def test_what_a_server_refuses_is_left_out_from_then_on(server: FakeOpenAI, refused: str) -> None:
    server.refuses = {refused}
    async with speaking_to(server) as runner:
        for _ in range(2):
            assert json.loads((await runner.chat(asking())).text) == {"kind": ""}
    assert len(server.chats) == 3
    assert all(refused not in chat for chat in server.chats[1:])
    assert all("response_format" in chat for chat in server.chats)
    if refused == "max_tokens":
        assert server.chats[1]["max_completion_tokens"] == 500


async def test_a_schema_that_is_refused_goes_into_the_prompt(server: FakeOpenAI) -> None:
    server.refuses = {"response_format"}
    server.says({"kind": "bug"})
    async with speaking_to(server) as runner:
        for _ in range(2):
            assert json.loads((await runner.chat(asking())).text) == {"kind": "bug"}
    first, *others = server.chats
    assert not schema_in(first)
    assert len(others) == 2
    assert all(schema_in(chat) and "response_format" not in chat for chat in others)


@pytest.mark.parametrize("status", [400, 422])
async def test_a_refusal_in_any_words_is_tried_without_the_schema(server: FakeOpenAI, status: int) -> None:
    async def refuse(stage: Stage) -> None:
        if "response_format" in stage.request:
            await stage.refuse(status, "Failed to initialize samplers: unexpected end of input")
        else:
            await stage.say({"kind": "bug"})

    server.says(refuse)
    async with speaking_to(server) as runner:
        assert (await runner.chat(asking())).complete
    assert [schema_in(chat) for chat in server.chats] == [False, True]


async def test_a_server_that_refuses_everything_is_asked_a_few_times(server: FakeOpenAI) -> None:
    server.refuses = {"messages", "max_tokens", "temperature", "stream_options", "response_format"}
    async with speaking_to(server) as runner:
        with pytest.raises(Broken, match=r"refuses every form|not supported"):
            await runner.chat(asking())
    assert len(server.chats) <= 6


async def test_what_one_model_refuses_another_is_given(server: FakeOpenAI) -> None:
    server.models["other"] = FakeModel()

    async def by_model(stage: Stage) -> None:
        strict = stage.request["model"] == NAME and "temperature" in stage.request
        await (stage.refuse(400, "'temperature' is not supported") if strict else stage.say({"kind": ""}))

    server.says(by_model)
    async with speaking_to(server) as runner:
        for model in (NAME, "other"):
            await runner.chat(asking(model=model))
    assert ["temperature" in chat for chat in server.chats] == [True, False, True]


async def test_a_schema_that_is_ignored_is_told_in_words_the_next_time(server: FakeOpenAI) -> None:
    server.says("Sure! It is a bug.")
    async with speaking_to(server) as runner:
        for _ in range(2):
            await runner.chat(asking())
    assert [schema_in(chat) for chat in server.chats] == [False, True]
    assert all("response_format" in chat for chat in server.chats)


async def test_a_server_that_does_not_count(server: FakeOpenAI) -> None:
    server.counts = False
    async with speaking_to(server) as runner:
        assert (await runner.chat(asking())).tokens_in is None


@pytest.mark.parametrize(
    "field", ["max_model_len", "context_window", "context_length", "loaded_context_length", "n_ctx"]
)
async def test_each_server_names_its_window_in_its_way(server: FakeOpenAI, field: str) -> None:
    server.window = field
    async with speaking_to(server) as runner:
        assert await runner.models() == (HostModel(NAME, 32_768),)


async def test_a_window_that_is_not_named_is_taken_to_be_small(server: FakeOpenAI) -> None:
    server.window = "nothing"
    async with speaking_to(server) as runner:
        assert await runner.models() == (HostModel(NAME, 8_192),)
    async with speaking_to(server, online=True) as runner:
        assert await runner.models() == (HostModel(NAME, 32_768),)


async def test_providers_are_not_sent_what_they_do_not_know(server: FakeOpenAI) -> None:
    async with speaking_to(server, online=True) as runner:
        await runner.chat(asking())
    assert "chat_template_kwargs" not in server.chats[0]


async def test_a_wrong_key_is_refused_and_not_shown(
    server: FakeOpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.key = "sk-right"
    monkeypatch.setenv("TEST_KEY", "sk-wrong")
    async with speaking_to(server, api_key_env="TEST_KEY") as runner:
        for call in (runner.models, lambda: runner.chat(asking())):
            with pytest.raises(HostDown, match="refused the key") as caught:
                await call()
            assert "sk-" not in str(caught.value)


async def test_a_server_without_embeddings(server: FakeOpenAI) -> None:
    server.broken["/v1/embeddings"] = JSONResponse({"detail": "Not Found"}, 404)
    async with speaking_to(server) as runner:
        with pytest.raises(Unsupported):
            await runner.embed(NAME, ["a"])


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://mini:8000", "http://mini:8000/v1"),
        ("http://mini:8000/", "http://mini:8000/v1"),
        ("https://api.openai.com/v1", "https://api.openai.com/v1"),
        ("https://api.groq.com/openai/v1", "https://api.groq.com/openai/v1"),
    ],
)
def test_the_address_of_the_routes(url: str, base: str) -> None:
    assert base_url(url) == base


@pytest.mark.parametrize(
    ("said", "sent", "limit"),
    [
        (
            "This model's maximum context length is 8192 tokens. "
            "However, your messages resulted in 10003 tokens.",
            10_003,
            8_192,
        ),
        (
            "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens "
            "(4500 in the messages, 500 in the completion). Please reduce the length of the messages.",
            4_500,
            4_096,
        ),
        ("request (5003 tokens) exceeds the available context size (4096 tokens)", 5_003, 4_096),
        ("the request exceeds the available context size, try increasing it", None, None),
        ("Please reduce the length of the messages: the prompt is too long", None, None),
    ],
)
def test_too_long_in_the_words_of_each(said: str, sent: int | None, limit: int | None) -> None:
    error = refusal(HostRefused(400, said))
    assert isinstance(error, PromptTooLong)
    assert (error.sent, error.limit) == (sent, limit)


def test_a_missing_model_in_the_words_of_each() -> None:
    assert isinstance(refusal(HostRefused(400, "The model `x` does not exist")), ModelMissing)
    assert isinstance(refusal(HostRefused(404, "No such repository")), ModelMissing)
