"""Questions with tools, over each protocol: a model calls, answers, or says what is neither."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from bot.core.hosts import Host
from bot.core.inference import Completion, Prompt, PromptFile, Spoken, Tool, ToolCall
from bot.inference.hosts.pool import Pool
from bot.inference.infer import make_infer
from bot.inference.runners import Reply
from bot.inference.runners.registry import make_runner
from bot.inference.tool_calls import called_in, fitted_call, understood_reply
from bot.prompting import rendered
from tests.fakes import acts
from tests.fakes.anthropic import FakeAnthropic
from tests.fakes.models import FakeModel, FakeOllama
from tests.fakes.openai import FakeOpenAI
from tests.spent import Spent

NAME = "qwen2.5-coder:14b"
KEY = "sk-ant-right"
READ = Tool(
    "read_file",
    "Lines of a file.",
    {
        "type": "object",
        "properties": {
            "path": {"type": "string"},
            "start": {"type": "integer", "default": 1},
            "end": {"type": "integer", "default": 200},
        },
        "required": ["path"],
    },
)
WRITE = Tool(
    "write_file",
    "Writes a file.",
    {
        "type": "object",
        "properties": {"path": {"type": "string"}, "text": {"type": "string"}},
        "required": ["path", "text"],
    },
)
CHECK = Tool("run_checks", "Parses and lints.", {"type": "object", "properties": {}})
TOOLS = (READ, WRITE, CHECK)
FILE = PromptFile("tester", "Be exact.", "code")


class Patch(BaseModel):
    summary: str = ""
    edits: list[str]


def asks(answer: type[Any] = Patch, tools: tuple[Tool, ...] = TOOLS) -> Prompt[Any]:
    return Prompt("tester", "code", answer, inputs={"question": "Mend it."}, file=FILE, tools=tools)


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", KEY)


@pytest.fixture(params=["ollama", "openai", "anthropic"])
def host(request: pytest.FixtureRequest) -> Iterator[FakeOllama]:
    kind: Callable[[], FakeOllama] = {"ollama": FakeOllama, "openai": FakeOpenAI, "anthropic": FakeAnthropic}[
        request.param
    ]
    with kind() as made:
        made.kind = request.param  # type: ignore[attr-defined]
        yield made


def of(*hosts: Any) -> Pool:
    listed = [
        Host(f"h{n}", getattr(one, "kind", "ollama"), one.url, api_key_env="TEST_KEY")
        for n, one in enumerate(hosts)
    ]
    return Pool(listed, runner=make_runner)


async def infer(prompt: Prompt[Any], *hosts: Any, pool: Pool | None = None) -> Completion[Any]:
    mine = pool or of(*hosts)
    try:
        return await make_infer(mine, {"code": [NAME]}, rendered)(prompt)
    finally:
        if pool is None:
            await mine.aclose()


def names_sent(body: dict[str, Any]) -> list[str]:
    return [one.get("function", one)["name"] for one in body.get("tools", ())]


async def test_parallel_calls_come_back_instead_of_a_value(host: FakeOllama) -> None:
    host.says(acts.calls(("read_file", {"path": "tea.py"}), ("run_checks", {})))
    done = await infer(asks(), host)
    assert (done.value, done.failure) == (None, None)
    assert done.tool_calls == (ToolCall("read_file", {"path": "tea.py"}), ToolCall("run_checks", {}))
    (sent,) = host.chats
    assert names_sent(sent) == ["read_file", "write_file", "run_checks", "answer"]
    # under a grammar no server lets a model call anything
    assert "format" not in sent
    assert "response_format" not in sent


async def test_the_answer_is_a_tool_of_its_own_or_plain_json(host: FakeOllama) -> None:
    host.says(acts.calls(("answer", {"summary": "Done.", "edits": ["a"]})), {"summary": "So.", "edits": []})
    for summary in ("Done.", "So."):
        done = await infer(asks(), host)
        assert done.value is not None and done.value.summary == summary
        assert done.tool_calls == ()


async def test_free_text_is_an_answer_and_a_call_is_none(host: FakeOllama) -> None:
    host.says(acts.calls(("read_file", {"path": "tea.py"})), "It is tea.")
    assert (await infer(asks(Spoken), host)).tool_calls == (ToolCall("read_file", {"path": "tea.py"}),)
    done = await infer(asks(Spoken), host)
    assert (done.value, done.tool_calls) == (Spoken("It is tea."), ())
    assert names_sent(host.chats[0]) == ["read_file", "write_file", "run_checks"]


async def test_a_call_that_is_none_is_asked_for_again_with_what_is_wrong(host: FakeOllama) -> None:
    host.says(acts.calls(("write_file", {"path": "tea.py"})), acts.calls(("read_file", {"path": "tea.py"})))
    done = await infer(asks(), host)
    assert done.tool_calls == (ToolCall("read_file", {"path": "tea.py"}),)
    assert "write_file: text (string) is missing" in json.dumps(host.chats[1], ensure_ascii=False)
    host.says(acts.calls(("delete_all", {})))
    done = await infer(asks(), host)
    assert (done.failure, done.calls) == ("invalid", 2)
    assert "no such tool; there are read_file, run_checks, write_file" in done.reason


async def test_of_several_calls_the_good_ones_count_and_the_others_say_why(host: FakeOllama) -> None:
    host.says(acts.calls(("run_checks", {}), ("write_file", {"path": "a"}), ("rm", {"path": "/"})))
    good, bad, unknown = (await infer(asks(), host)).tool_calls
    assert (good.wrong, bad.wrong) == ("", "text (string) is missing")
    assert "no such tool" in unknown.wrong


async def test_without_tools_here_others_are_asked_first_and_nobody_is_taken_for_down(
    host: FakeOllama,
) -> None:
    host.models[NAME] = FakeModel(capabilities=("completion",))
    if isinstance(host, FakeOpenAI | FakeAnthropic):
        host.refuses = {"tools"}
    pool = of(host)
    done = await infer(asks(), pool=pool)
    assert (done.failure, done.value, done.tool_calls) == ("no_tools", None, ())
    host.says({"summary": "Without.", "edits": []})
    plain = await infer(asks(tools=()), pool=pool)
    assert plain.value is not None and plain.value.summary == "Without."
    await pool.aclose()
    with FakeOllama() as other:
        other.says(acts.calls(("run_checks", {})))
        assert (await infer(asks(), host, other)).tool_calls == (ToolCall("run_checks"),)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (500, "tools param requires --jinja flag"),
        (500, "Unsupported param: tools"),
        (400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'),
        (400, "`tools` is not supported with this model"),
        (400, "tool calling is not supported with this model"),
        (404, "No endpoints found that support tool use."),
    ],
)
async def test_servers_say_in_many_words_that_they_have_no_tools(status: int, said: str) -> None:
    with FakeOpenAI() as host:
        host.kind = "openai"  # type: ignore[attr-defined]
        host.says(acts.status(status, said), acts.status(status, said))
        pool = of(host)
        assert (await infer(asks(), pool=pool)).failure == "no_tools"
        host.says({"summary": "Up.", "edits": []})
        assert (await infer(asks(tools=()), pool=pool)).value is not None
        await pool.aclose()


async def test_a_model_that_may_not_be_held_to_a_tool_chooses_itself() -> None:
    with FakeAnthropic() as host:
        host.kind = "anthropic"  # type: ignore[attr-defined]
        refusal = acts.status(400, "Thinking may not be enabled when tool_choice forces tool use.")
        host.says(refusal, acts.calls(("run_checks", {})))
        assert (await infer(asks(), host)).tool_calls == (ToolCall("run_checks"),)
        assert [one["tool_choice"]["type"] for one in host.chats] == ["any", "auto"]


async def test_a_server_that_drops_tools_in_silence_is_told_them_in_words() -> None:
    with FakeOpenAI() as host:
        host.kind = "openai"  # type: ignore[attr-defined]
        host.says("I would look at the file.", '{"name": "read_file", "arguments": {"path": "a.py"}}')
        assert (await infer(asks(), host)).tool_calls == (ToolCall("read_file", {"path": "a.py"}),)
        assert "The tools:" in host.chats[1]["messages"][0]["content"]
        assert "write_file" in host.chats[1]["messages"][0]["content"]


TEA = {"path": "tea.py"}
CALL = '{"name": "read_file", "arguments": {"path": "tea.py"}}'


@pytest.mark.parametrize(
    "text",
    [
        CALL,
        f"```json\n{CALL}\n```",
        f"I'll look at it first.\n<tool_call>\n{CALL}\n</tool_call>",
        f"<tool_call>{CALL}",
        f"<tools>\n[{CALL}]\n</tools>",
        f"[TOOL_CALLS][{CALL}]",
        f"<think>edits? {{}}</think>{CALL}",
        '<|python_tag|>{"name": "read_file", "parameters": {"path": "tea.py"}}',
        '[TOOL_CALLS]read_file[ARGS]{"path": "tea.py"}',
        'function<|tool▁sep|>read_file\n```json\n{"path": "tea.py"}\n```',
        '<function=read_file>{"path": "tea.py"}</function>',
        "<tool_call>\n<function=read_file>\n<parameter=path>\ntea.py\n</parameter>\n</function>\n</tool_call>",
        '<invoke name="read_file"><parameter name="path">tea.py</parameter></invoke>',
        "<read_file>\n<path>tea.py</path>\n</read_file>",
        '```tool_code\nprint(read_file(path="tea.py"))\n```',
        'read_file("tea.py")',
        'default_api.read_file(path="tea.py")',
        '{"tool": "read_file", "path": "tea.py"}',
        '{"action": "read_file", "action_input": {"path": "tea.py"}}',
        json.dumps(
            {"tool_calls": [{"function": {"name": "read_file", "arguments": json.dumps({"path": "tea.py"})}}]}
        ),
        '{"read_file": {"path": "tea.py"}}',
        '{"name": "functions.readFile", "arguments": {"filePath": "tea.py"}}',
        '{"name": "read-file", "arguments": {"path": "tea.py", "why": "to see it"}}',
        '{"name": "read_file", "arguments": {"arguments": {"path": "tea.py"}}}',
        '{"name": "read_file", "arguments": {"filename": "tea.py"}}',
    ],
)
def test_a_call_in_the_text_is_a_call_however_it_is_written(text: str) -> None:
    done = understood_reply(asks(), Reply(text))
    assert done.value is None
    assert [(one.name, one.arguments, one.wrong) for one in done.calls] == [("read_file", TEA, "")]


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ('{"path": "tea.py", "start": "5", "end": 9.0}', {**TEA, "start": 5, "end": 9}),
        ('{"path": "tea.py", "start_line": 5, "end_line": 9}', {**TEA, "start": 5, "end": 9}),
        ('{"path": "tea.py", "start": null}', TEA),
        ('{"path": "tea.py", "start": "the first"}', TEA),
        ('"{\\"path\\": \\"tea.py\\"}"', TEA),
        ('```json\n{"path": "tea.py"}\n```', TEA),
        ('{"path": "tea.py",}', TEA),
        ("{'path': 'tea.py', 'start': None}", TEA),
        ('{"Path": "tea.py"}', TEA),
    ],
)
async def test_arguments_whose_meaning_is_plain_are_mended(given: str, meant: dict[str, Any]) -> None:
    with FakeOpenAI() as host:
        host.kind = "openai"  # type: ignore[attr-defined]
        host.says(acts.calls(("read_file", given)))
        (call,) = (await infer(asks(), host)).tool_calls
    assert (call.arguments, call.wrong) == (meant, "")


@pytest.mark.parametrize(
    ("name", "arguments", "wrong"),
    [
        ("write_file", {}, "path (string) is missing; text (string) is missing"),
        ("write_file", {"path": "a", "text": {"b": 1}}, "text is no string"),
        ("write_file", {"one": "a", "two": "b"}, "path (string) is missing; text (string) is missing"),
        ("read_file", {"path": None}, "path is no string"),
    ],
)
def test_what_can_mean_several_things_is_told_and_not_guessed(
    name: str, arguments: dict[str, Any], wrong: str
) -> None:
    assert fitted_call(ToolCall(name, arguments), TOOLS) == ToolCall(name, {}, wrong)


@pytest.mark.parametrize(
    "text",
    [
        '{"summary": "Use <tool_call>' + CALL.replace('"', '\\"') + '</tool_call>", "edits": ["x"]}',
        '{"summary": "read_file(path=1)", "edits": ["<read_file><path>a</path></read_file>"]}',
        '{"name": "answer", "arguments": {"summary": "s", "edits": ["x"]}}',
        'Now I call run_checks in my head.\n{"summary": "s", "edits": ["x"]}',
    ],
)
def test_what_an_answer_quotes_is_no_call(text: str) -> None:
    done = understood_reply(asks(), Reply(text))
    assert done.calls == ()
    assert done.value is not None and len(done.value.edits) == 1


def test_a_text_with_line_ends_and_tags_comes_whole() -> None:
    code = 'def brew():\n    return "</p>"'
    raw = (
        '{"name": "write_file", "arguments": {"path": "a.py", "text": "def brew():\n    return \\"</p>\\""}}'
    )
    tags = f"<parameter=path>a.py</parameter><parameter=text>\n{code}\n</parameter>"
    tags = f"<function=write_file>{tags}</function>"
    for text in (raw, tags):
        (call,) = understood_reply(asks(), Reply(text)).calls
        assert call.arguments == {"path": "a.py", "text": code}


PIECES = st.sampled_from(
    [*'{}[]<>"\\:,()\n', "read_file", "<function=", "<tool_call>", '{"name": "', '"arguments": {', "</", "="]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES, max_size=60).map("".join) | st.text(max_size=200))
def test_P5_whatever_is_said_only_what_was_offered_is_called(text: str) -> None:
    for call in called_in(text, TOOLS):
        call = fitted_call(call, TOOLS)
        assert call.wrong or call.name in {one.name for one in TOOLS}


@pytest.mark.parametrize(
    "piece",
    [
        "{",
        '{"name": "',
        "<read_file>",
        "<parameter=path>",
        "read_file(",
        "read_file{",
        "(",
        '{"a":',
        "<path>\n",
    ],
)
def test_no_text_takes_long_to_read(piece: str) -> None:
    text = (piece * 200_000)[:199_000]
    with Spent() as spent:
        list(called_in(f"<read_file>{text}", TOOLS))
    assert spent.seconds < 2
