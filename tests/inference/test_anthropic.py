"""What is Anthropic's own: the forced tool, its headers, its pages, its refusals."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from bot.core.hosts import Host, HostModel
from bot.inference.runners import Broken, ChatRequest, PromptTooLong
from bot.inference.runners.anthropic import URL, AnthropicRunner, refusal
from bot.inference.runners.wire import HostRefused
from tests.fakes.anthropic import FakeAnthropic
from tests.fakes.models import FakeModel, Stage

NAME = "qwen2.5-coder:14b"
SCHEMA = {"type": "object", "properties": {"kind": {"type": "string"}}, "required": ["kind"]}


@pytest.fixture
def provider() -> Iterator[FakeAnthropic]:
    with FakeAnthropic() as provider:
        yield provider


@asynccontextmanager
async def speaking_to(
    provider: FakeAnthropic, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[AnthropicRunner]:
    monkeypatch.setenv("TEST_KEY", provider.key)
    runner = AnthropicRunner(Host("cloud", "anthropic", provider.url, online=True, api_key_env="TEST_KEY"))
    try:
        yield runner
    finally:
        await runner.aclose()


def asking() -> ChatRequest:
    return ChatRequest(HostModel(NAME, 200_000), "Be kind.", "Hello", SCHEMA, 4096, 500, 0.1)


async def test_the_answer_is_the_input_of_a_tool(
    provider: FakeAnthropic, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with speaking_to(provider, monkeypatch) as runner:
        assert json.loads((await runner.chat(asking())).text) == {"kind": ""}
    (sent,) = provider.chats
    assert sent["tools"][0]["input_schema"] == SCHEMA
    assert sent["tool_choice"] == {"type": "tool", "name": "answer", "disable_parallel_tool_use": True}
    assert sent["system"] == "Be kind."
    assert [message["role"] for message in sent["messages"]] == ["user"]
    assert provider.requests[0].headers["anthropic-version"] == "2023-06-01"


@pytest.mark.parametrize("refused", ["temperature", "tool_choice"])
async def test_what_a_model_refuses_is_left_out_from_then_on(
    provider: FakeAnthropic, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    provider.refuses = {refused}
    provider.says({"kind": "bug"})
    async with speaking_to(provider, monkeypatch) as runner:
        for _ in range(2):
            assert json.loads((await runner.chat(asking())).text) == {"kind": "bug"}
    assert len(provider.chats) == 3
    assert all(refused not in chat for chat in provider.chats[1:])
    told = ['"kind"' in chat["system"] for chat in provider.chats]
    assert told == [False, refused == "tool_choice", refused == "tool_choice"]


async def test_all_pages_of_models_are_read(provider: FakeAnthropic, monkeypatch: pytest.MonkeyPatch) -> None:
    provider.page = 2
    provider.models = {f"claude-{number}": FakeModel(200_000) for number in range(5)}
    async with speaking_to(provider, monkeypatch) as runner:
        assert [model.name for model in await runner.models()] == list(provider.models)


async def test_an_overload_in_the_middle_of_an_answer(
    provider: FakeAnthropic, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def overloaded(stage: Stage) -> None:
        await stage.token('{"kind": ')
        await stage.line(type="error", error={"type": "overloaded_error", "message": "Overloaded"})
        await stage.end()

    provider.says(overloaded)
    async with speaking_to(provider, monkeypatch) as runner:
        with pytest.raises(Broken, match="Overloaded"):
            await runner.chat(asking())


def test_refusals() -> None:
    error = refusal(HostRefused(400, "prompt is too long: 210000 tokens > 200000 maximum"))
    assert isinstance(error, PromptTooLong)
    assert (error.sent, error.limit) == (210_000, 200_000)
    assert isinstance(refusal(HostRefused(413, "Request exceeds the maximum size")), PromptTooLong)
    assert type(refusal(HostRefused(529, "Overloaded"))) is Broken


async def test_without_an_address_it_is_the_provider_s() -> None:
    runner = AnthropicRunner(Host("cloud", "anthropic", ""))
    assert str(runner._http.base_url).rstrip("/") == URL
    await runner.aclose()
