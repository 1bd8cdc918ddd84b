"""One answer in each of the wrappings that servers put it into, and what is no whole answer."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.hosts import Host
from bot.inference.runners import Broken, Reply, RunnerError
from bot.inference.runners.registry import make_runner
from bot.inference.runners.streams import END, lines, objects
from tests.fakes.models import Act, FakeModel, FakeOllama, Stage
from tests.inference.kinds import KEY, NAME, SCHEMA, WINDOW, WIRED, asking
from tests.spent import Spent

SAID = '{"kind": "bug"}'
PIECES = [SAID[:5], SAID[5:9], SAID[9:]]
Object = dict[str, Any]
Form = Callable[[list[Object]], bytes]


def ollama(*pieces: str, finish: str = "stop") -> list[Object]:
    said = [{"message": {"role": "assistant", "content": piece}, "done": False} for piece in pieces]
    return [*said, {"message": {"content": ""}, "done": True, "done_reason": finish}]


def openai(*pieces: str, finish: str = "stop", name: str = "delta") -> list[Object]:
    said = [{"choices": [{"index": 0, name: {"content": piece}}]} for piece in pieces]
    return [*said, {"choices": [{"index": 0, name: {}, "finish_reason": finish}]}]


def anthropic(*pieces: str, finish: str = "end_turn") -> list[Object]:
    deltas = [{"type": "text_delta", "text": piece} for piece in pieces]
    return [
        {"type": "message_start", "message": {"usage": {"input_tokens": 9}}},
        *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas),
        {"type": "message_delta", "delta": {"stop_reason": finish}},
        {"type": "message_stop"},
    ]


SPOKEN: dict[str, Callable[..., list[Object]]] = {"ollama": ollama, "openai": openai, "anthropic": anthropic}
CUT = {"ollama": "length", "openai": "length", "anthropic": "max_tokens"}
WHOLE: dict[str, Object] = {
    "ollama": {"message": {"role": "assistant", "content": SAID}, "done": True, "done_reason": "stop"},
    "openai": {
        "object": "chat.completion",
        "choices": [{"message": {"role": "assistant", "content": SAID}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 3},
    },
    "anthropic": {
        "type": "message",
        "content": [{"type": "tool_use", "name": "answer", "input": json.loads(SAID)}],
        "stop_reason": "tool_use",
        "usage": {"input_tokens": 9, "output_tokens": 3},
    },
}


def events(ending: str, between: str = "", before: str = "data: ") -> Form:
    def form(values: list[Object]) -> bytes:
        return "".join(f"{before}{json.dumps(value)}{ending}{between}" for value in values).encode()

    return form


FORMS: dict[str, Form] = {
    "events": events("\n\n"),
    "events, CRLF": events("\r\n\r\n"),
    "events, CR": events("\r\r"),
    "events, single newlines": events("\n"),
    "events, no space": events("\n\n", before="data:"),
    "events, named and numbered": events("\n\n", before="id: 1\nevent: x\nretry: 5\ndata: "),
    "events, comments": events("\n\n", between=": keep-alive\n\n"),
    "events, [DONE]": lambda values: events("\n\n")(values) + b"data: [DONE]\n\n",
    "events, the last not ended": lambda values: events("\n\n")(values).rstrip(b"\n"),
    "events, BOM": lambda values: b"\xef\xbb\xbf" + events("\n\n")(values),
    "events, data in lines": lambda values: b"".join(
        b"".join(b"data: " + line.encode() + b"\n" for line in json.dumps(value, indent=1).splitlines())
        + b"\n"
        for value in values
    ),
    "one a line": events("\n", before=""),
    "one a line, CRLF": events("\r\n", before=""),
    "one a line, comments": events("\n", before="", between="\n: keep-alive\n\n"),
    "one a line, BOM": lambda values: b"\xef\xbb\xbf" + events("\n", before="")(values),
    "no line at all": events("", before=""),
    "pretty": lambda values: "\n".join(json.dumps(value, indent=2) for value in values).encode(),
    "array": lambda values: json.dumps(values).encode(),
    "pretty array": lambda values: json.dumps(values, indent=2).encode(),
}


def acts_as(body: bytes, cut: int = 17) -> Act:
    """Sends this, in parts that end anywhere."""

    async def act(stage: Stage) -> None:
        for at in range(0, len(body), cut):
            await stage.raw(body[at : at + cut])
        await stage.end()

    return act


@pytest.fixture(scope="module", autouse=True)
def hosts() -> Iterator[dict[str, FakeOllama]]:
    with contextlib.ExitStack() as stack:
        _HOSTS.update((kind, stack.enter_context(made(models=_models()))) for kind, made in WIRED.items())
        yield _HOSTS
        _HOSTS.clear()


_HOSTS: dict[str, FakeOllama] = {}


def _models() -> dict[str, FakeModel]:
    return {NAME: FakeModel(WINDOW)}


async def chat(kind: str, monkeypatch: pytest.MonkeyPatch, body: bytes, **asked: Any) -> Reply:
    monkeypatch.setenv("TEST_KEY", KEY)
    _HOSTS[kind].says(acts_as(body))
    runner = make_runner(Host("mini", kind, _HOSTS[kind].url, api_key_env="TEST_KEY"))
    heard: list[str] = []
    try:
        reply = await runner.chat(asking(**asked), heard.append)
    finally:
        await runner.aclose()
    assert "".join(heard) == reply.text
    return reply


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", WIRED)
async def test_the_same_answer_in_any_wrapping(kind: str, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    reply = await chat(kind, monkeypatch, FORMS[form](SPOKEN[kind](*PIECES)), schema=SCHEMA)
    assert (reply.text, reply.stopped) == (SAID, "")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", WIRED)
async def test_an_answer_all_at_once_where_pieces_were_asked_for(
    kind: str, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reply = await chat(kind, monkeypatch, FORMS[form]([WHOLE[kind]]), schema=SCHEMA)
    assert (reply.text, reply.stopped) == (SAID, "")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", WIRED)
async def test_an_answer_that_ends_in_the_middle_is_none_in_any_wrapping(
    kind: str, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = FORMS[form](SPOKEN[kind](*PIECES)[:3])
    if form == "events, [DONE]":
        body = body.replace(b"data: [DONE]\n\n", b"")
    with pytest.raises(Broken, match="ended in the middle"):
        await chat(kind, monkeypatch, body)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", WIRED)
async def test_an_answer_that_reached_its_length_is_not_complete_in_any_wrapping(
    kind: str, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reply = await chat(kind, monkeypatch, FORMS[form](SPOKEN[kind]("on and", finish=CUT[kind])))
    assert (reply.text, reply.stopped, reply.complete) == ("on and", "length", False)


@pytest.mark.parametrize("form", ["events", "events, single newlines", "one a line", "pretty", "array"])
@pytest.mark.parametrize(
    "error",
    [
        {"error": "CUDA error"},
        {"error": {"message": "CUDA error", "code": 500}},
        {"object": "error", "message": "CUDA error", "code": 500},
        {"type": "error", "error": {"type": "api_error", "message": "CUDA error"}},
        {"detail": "CUDA error"},
    ],
)
@pytest.mark.parametrize("kind", WIRED)
async def test_R10_an_error_in_a_200_is_an_error(
    kind: str, error: Object, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for before in ([], SPOKEN[kind](*PIECES)[:2]):
        with pytest.raises(RunnerError, match="CUDA error"):
            await chat(kind, monkeypatch, FORMS[form]([*before, error]))


@pytest.mark.parametrize(
    "body",
    [
        b"error: CUDA error\n\n",
        b'error: {"message": "CUDA error"}\n\n',
        b"event: error\ndata: CUDA error\n\n",
        b'event: error\r\ndata: {"message": "CUDA error"}\r\n\r\n',
        b'event: error\ndata: {"error": {"message": "CUDA error"}}',
    ],
)
@pytest.mark.parametrize("kind", WIRED)
async def test_R10_an_event_that_is_an_error(kind: str, body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RunnerError, match="CUDA error"):
        await chat(kind, monkeypatch, events("\n\n")(SPOKEN[kind](*PIECES)[:2]) + body)


@pytest.mark.parametrize(
    "body",
    [b"<html>Bad gateway</html>", b"\x00\x01", b"data: <html>\n\n", b"{]", b"[1, 2]", b'"words"', b"7"],
)
@pytest.mark.parametrize("kind", WIRED)
async def test_R10_what_is_no_answer_in_any_wrapping_is_said_so(
    kind: str, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Broken, match="is not"):
        await chat(kind, monkeypatch, body)


@pytest.mark.parametrize("name", ["delta", "message"])
async def test_pieces_under_either_name_are_pieces(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    body = events("\n\n")(openai(*PIECES, name=name))
    assert (await chat("openai", monkeypatch, body)).text == SAID


async def test_pieces_that_are_plain_text(monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = [{"choices": [{"text": piece, "finish_reason": None}]} for piece in PIECES]
    pieces[-1]["choices"][0]["finish_reason"] = "stop"
    assert (await chat("openai", monkeypatch, events("\n\n")(pieces))).text == SAID


async def test_a_whole_message_after_its_pieces_is_not_said_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    last = {**WHOLE["openai"]["choices"][0], "delta": {}}
    body = events("\n\n")([*openai(*PIECES)[:-1], {"choices": [last]}])
    assert (await chat("openai", monkeypatch, body)).text == SAID


@pytest.mark.parametrize(
    "content",
    [
        [{"type": "text", "text": SAID}],
        [{"type": "text", "text": piece} for piece in PIECES],
        PIECES,
        [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}, {"type": "text", "text": SAID}],
        {"type": "output_text", "text": {"value": SAID}},
    ],
)
@pytest.mark.parametrize("name", ["delta", "message"])
async def test_content_in_parts_is_their_text(
    content: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    chunk = {"choices": [{name: {"role": "assistant", "content": content}, "finish_reason": "stop"}]}
    reply = await chat("openai", monkeypatch, events("\n\n")([chunk]))
    assert reply.text == SAID
    assert reply.thinking in {"", "Hm."}


@pytest.mark.parametrize(
    ("finish", "stopped"),
    [
        ("stop", ""),
        ("eos", ""),
        ("tool_calls", ""),
        ("length", "length"),
        ("content_filter", "filter"),
        ("SAFETY", "filter"),
        ("refusal", "filter"),
        ("abort", "abort"),
        ("error", "abort"),
    ],
)
@pytest.mark.parametrize("kind", WIRED)
async def test_why_an_answer_is_not_whole(
    kind: str, finish: str, stopped: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = events("\n\n")(SPOKEN[kind](*PIECES, finish=finish))
    assert (await chat(kind, monkeypatch, body)).stopped == stopped


async def test_a_refusal_is_not_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    chunks = [{"choices": [{"delta": {"refusal": "I can not."}}]}, *openai()]
    reply = await chat("openai", monkeypatch, events("\n\n")(chunks))
    assert (reply.text, reply.stopped) == ("I can not.", "filter")


class _Body:
    def __init__(self, *parts: bytes) -> None:
        self._parts = parts

    async def aiter_raw(self) -> AsyncIterator[bytes]:
        for part in self._parts:
            yield part


async def _objects(*parts: bytes) -> list[Object]:
    return [value async for value in objects(_Body(*parts), "a test's")]  # type: ignore[arg-type]


@given(st.lists(st.sampled_from([b"a", b"\r", b"\n", b"\r\n", b"", b"bc"])))
def test_how_a_body_is_cut_changes_nothing_about_its_lines(parts: list[bytes]) -> None:
    async def found(*given: bytes) -> list[bytes]:
        return [line async for line in lines(_Body(*given))]  # type: ignore[arg-type]

    whole = b"".join(parts)
    expected = whole.splitlines()
    assert asyncio.run(found(*parts)) == asyncio.run(found(whole)) == expected


@given(st.sampled_from(sorted(FORMS)), st.integers(1, 40))
def test_how_a_body_is_cut_changes_nothing_about_its_objects(form: str, cut: int) -> None:
    values = openai(*PIECES)
    body = FORMS[form](values)
    parts = [body[at : at + cut] for at in range(0, len(body), cut)]
    assert [value for value in asyncio.run(_objects(*parts)) if value is not END] == values


async def test_an_object_is_told_before_the_next_one_has_come() -> None:
    for body in (b'{"a": 1}\n', b'data: {"a": 1}\n'):
        told = objects(_Endless(body), "a test's")  # type: ignore[arg-type]
        assert await asyncio.wait_for(anext(told), 10) == {"a": 1}
        await told.aclose()  # type: ignore[attr-defined]


class _Endless:
    def __init__(self, first: bytes) -> None:
        self._first = first

    async def aiter_raw(self) -> AsyncIterator[bytes]:
        yield self._first
        await asyncio.Event().wait()


@pytest.mark.parametrize("piece", [b"x", b'{"a": [', b"data: {\n", b'{"a": 1} ', b"\r", b"[{},\n", b": \n"])
def test_N2_a_body_ten_times_as_long_takes_about_ten_times_as_long(piece: bytes) -> None:
    def seconds(count: int) -> float:
        body = piece * (count // len(piece))
        parts = [body[at : at + 512] for at in range(0, len(body), 512)]
        with Spent() as spent, contextlib.suppress(Broken):
            asyncio.run(_objects(*parts))
        return spent.seconds

    small = min(seconds(200_000) for _ in range(3))
    assert seconds(2_000_000) < 25 * small + 0.05
