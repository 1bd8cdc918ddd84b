"""Tools: what is offered to a model, and what it makes of it."""

import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from bot.core.credentials import Hidden
from bot.core.hosts import Host, HostModel
from bot.core.privacy import Budget
from bot.inference.egress import EgressGuard
from bot.inference.hosts.known_host import Candidate
from bot.inference.hosts.pool import Pool
from bot.inference.runners import ChatRequest, NotSent, Reply, Tool, ToolCall, Unsupported
from bot.inference.runners.ollama import OllamaRunner
from bot.inference.runners.openai import OpenAIRunner
from tests.fakes import acts
from tests.fakes.models import Act, FakeModel, FakeOllama, Stage
from tests.fakes.openai import FakeOpenAI

NAME = "qwen2.5-coder:14b"
WEATHER = Tool(
    "get_weather",
    "The weather of a town now.",
    {"type": "object", "properties": {"town": {"type": "string"}}, "required": ["town"]},
)
CLOCK = Tool("get_time", "The time.", {"type": "object", "properties": {}})
DEEP = json.loads('{"a":' * 40 + "1" + "}" * 40)

Asking = Callable[..., Awaitable[Reply]]


@pytest.fixture(params=[(FakeOllama, OllamaRunner), (FakeOpenAI, OpenAIRunner)], ids=["ollama", "openai"])
def host(request: pytest.FixtureRequest) -> Iterator[FakeOllama]:
    with request.param[0]() as host:
        host.runner = request.param[1]
        yield host


def asking(*tools: Tool, schema: dict[str, Any] | None = None) -> ChatRequest:
    return ChatRequest(
        HostModel(NAME, 32_768), "Be kind.", "Is it warm?", schema or {}, 4096, 500, tools=tools
    )


@pytest.fixture
def ask(host: Any) -> Asking:
    async def ask(request: ChatRequest) -> Reply:
        runner = host.runner(Host("mini", "", host.url), first_seconds=20.0)
        try:
            return await runner.chat(request)  # type: ignore[no-any-return]
        finally:
            await runner.aclose()

    return ask


async def test_a_model_is_told_of_tools_and_its_calls_are_objects(host: FakeOllama, ask: Asking) -> None:
    host.says(acts.calls(("get_weather", {"town": "Łódź"}), ("get_time", {})))
    reply = await ask(asking(WEATHER, CLOCK))
    assert reply.tool_calls == (ToolCall("get_weather", {"town": "Łódź"}), ToolCall("get_time", {}))
    assert (reply.text, reply.complete) == ("", True)
    (sent,) = host.chats
    assert [each["type"] for each in sent["tools"]] == ["function", "function"]
    assert sent["tools"][0]["function"] == {
        "name": "get_weather",
        "description": "The weather of a town now.",
        "parameters": WEATHER.parameters,
    }


async def test_without_tools_nothing_is_told_and_an_answer_may_be_words(
    host: FakeOllama, ask: Asking
) -> None:
    host.says("It is warm.")
    assert (await ask(asking())).tool_calls == ()
    reply = await ask(asking(WEATHER))
    assert (reply.text, reply.tool_calls) == ("It is warm.", ())
    assert [("tools" in sent) for sent in host.chats] == [False, True]


@pytest.mark.parametrize(
    ("name", "arguments", "wrong"),
    [
        ("get_weather", '{"town": "Łó', "no JSON"),
        ("get_weather", "town=Łódź; rm -rf /", "no JSON"),
        ("get_weather", '{"town": NaN}', "no JSON"),
        ("get_weather", "[" * 100_000, "no JSON"),
        ("get_weather", '["Łódź"]', "no object"),
        ("get_weather", "5", "no object"),
        ("get_weather", DEEP, "nested too deep"),
        ("get_weather", json.dumps({"town": "x" * 300_000}), "too long"),
        ("delete_all", {"town": "Łódź"}, "no such tool"),
        ("", {}, "no such tool"),
    ],
)
async def test_arguments_that_are_none_are_a_value_that_says_so(
    host: FakeOllama, ask: Asking, name: str, arguments: object, wrong: str
) -> None:
    if isinstance(arguments, str):
        host.says(sent_at_once(name, arguments))
    else:
        host.says(acts.calls((name, arguments)))
    (call,) = (await ask(asking(WEATHER))).tool_calls
    assert (call.name, call.arguments) == (name, {})
    assert wrong in call.wrong


def sent_at_once(name: str, arguments: str) -> Act:
    """One call in one piece, in the manner of either protocol."""

    async def act(stage: Stage) -> None:
        piece = {"index": 0, "function": {"name": name, "arguments": arguments}}
        await stage.token("", tool_calls=[piece])
        await stage.calls()

    return act


@pytest.mark.parametrize(
    "told",
    [
        "get_weather",
        {"name": "get_weather"},
        [None, 5, "get_weather", [], {}],
        [{"function": None}, {"function": {"name": 5, "arguments": 5}}],
        [{"index": "0", "function": {"name": ["get_weather"]}}, {"index": -1, "function": {"arguments": 7}}],
        [{"index": 10**30, "function": {"name": "get_weather", "arguments": None}}] * 100,
        [{"function": {"name": "n" * 10_000, "arguments": {}}}] * 100,
    ],
)
async def test_calls_of_any_shape_are_no_exception(host: FakeOllama, ask: Asking, told: object) -> None:
    async def act(stage: Stage) -> None:
        await stage.token("", tool_calls=told)
        await stage.calls()

    host.says(act)
    reply = await ask(asking(WEATHER))
    assert len(reply.tool_calls) <= 32
    for call in reply.tool_calls:
        assert (call.arguments, len(call.name) <= 200) == ({}, True)
        assert call.wrong or call.name == "get_weather"


async def test_a_call_that_was_cut_off_says_so() -> None:
    async def act(stage: Any) -> None:
        function = {"name": "get_weather", "arguments": '{"town": "Łó'}
        await stage.chunk({"tool_calls": [{"index": 0, "function": function}]})
        await stage.finish("length", 500)

    with FakeOpenAI() as host:
        host.says(act)
        runner = OpenAIRunner(Host("mini", "openai", host.url))
        reply = await runner.chat(asking(WEATHER))
        await runner.aclose()
    assert not reply.complete
    assert reply.tool_calls == (ToolCall("get_weather", wrong="the answer ended within its arguments"),)


async def test_a_model_without_tools_is_said_to_have_none(host: FakeOllama, ask: Asking) -> None:
    host.models[NAME] = FakeModel(capabilities=("completion",))
    if isinstance(host, FakeOpenAI):
        host.refuses = {"tools"}
    with pytest.raises(Unsupported, match="has no tools"):
        await ask(asking(WEATHER))
    assert len(host.chats) == 1


async def test_a_call_is_no_sign_that_a_server_ignores_schemas(host: FakeOllama, ask: Asking) -> None:
    host.says(acts.calls(("get_time", {})))
    runner = host.runner(Host("mini", "", host.url))  # type: ignore[attr-defined]
    schema = {"type": "object", "properties": {"kind": {"type": "string"}}, "required": ["kind"]}
    for _ in range(2):
        await runner.chat(asking(CLOCK, schema=schema))
    await runner.aclose()
    first, second = host.chats
    assert first == second


async def test_a_credential_in_a_tool_stays_here(host: FakeOllama) -> None:
    there = Host("cloud", "openai", host.url, online=True)

    def clean(text: str) -> Hidden:
        return Hidden("[hidden]", ("a token",)) if "ghp_" in text else Hidden(text)

    async def budget() -> Budget:
        return Budget(usd_per_day=1.0)

    pool = Pool([there], runner=host.runner)  # type: ignore[attr-defined]
    guard = EgressGuard("allowed", private=False, spent=budget, clean=clean)
    candidate = Candidate(there, HostModel(NAME, 32_768), 4096)
    tool = Tool("get_time", "Use ghp_0123 for it.", {})
    async with pool.place([candidate], 1, guard=guard) as place:
        with pytest.raises(NotSent, match="of its tools holds a credential"):
            await place.chat(asking(tool))
    await pool.aclose()
    assert host.chats == []
