"""What holds for every kind of host: one set of tests, run on each runner.

Kinds with a wire have a stand-in of their protocol, a model in process is a real one made by the test, a
script is itself. What else holds for all protocols is in test_wire.py.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.core.hosts import HostModel
from bot.inference.runners import ModelMissing, PromptTooLong, Tool, Unsupported
from bot.inference.runners.registry import RUNNERS
from tests.fakes.models import vector
from tests.inference.kinds import (
    LACKS,
    NAME,
    SCHEMA,
    WINDOW,
    WIRED,
    Rig,
    asking,
    having,
    in_process,
    scripted,
    wired,
)

TOOL = Tool("get_time", "The time.", {"type": "object", "properties": {}})


@pytest.fixture(params=RUNNERS)
async def rig(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Rig]:
    kind = request.param
    if kind in WIRED:
        made = wired(kind, monkeypatch)
    else:
        made = in_process(tmp_path, monkeypatch) if kind == "mlx" else scripted()
    yield made
    await made.close()


def with_(*features: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("rig", having(*features), indirect=True)


def test_every_kind_stands_in_these_tests() -> None:
    assert set(LACKS) == set(RUNNERS) == {*WIRED, "mlx", "scripted"}
    lacking = set().union(*LACKS.values())
    assert all(having(feature) for feature in lacking)


async def test_an_answer_is_heard_as_it_comes_and_counted(rig: Rig) -> None:
    rig.says("Four words of nothing.")
    heard: list[str] = []
    reply = await rig.runner.chat(asking(), heard.append)
    assert reply.text == "".join(heard) == "Four words of nothing."
    assert len(heard) > 1 or "pieces" in LACKS[rig.kind]
    assert (reply.complete, reply.thinking, reply.tool_calls) == (True, "", ())
    assert reply.tokens_in is not None and reply.tokens_in > 0
    assert reply.tokens_out > 0
    assert 0 <= reply.load_seconds < 60


@with_("pieces")
async def test_the_first_piece_takes_time(rig: Rig) -> None:
    rig.says("word " * 20)
    assert (await rig.runner.chat(asking())).first_token_seconds > 0


async def test_nobody_need_listen_and_any_text_may_be_asked(rig: Rig) -> None:
    rig.says("ok")
    for user in ("Hello", "\ud800 漢 \0 <|end|>", ""):
        assert (await rig.runner.chat(asking(user))).text == "ok"


async def test_an_answer_that_is_an_object(rig: Rig) -> None:
    rig.says({"kind": "bug"})
    assert json.loads((await rig.runner.chat(asking(schema=SCHEMA))).text) == {"kind": "bug"}


@with_("schema")
async def test_the_schema_holds_an_answer_of_one_s_own(rig: Rig) -> None:
    reply = await rig.runner.chat(asking(schema=SCHEMA))
    assert json.loads(reply.text)["kind"] in ("bug", "feature")


@with_("length")
async def test_an_answer_that_reached_its_length_says_so(rig: Rig) -> None:
    if rig.kind == "mlx":  # its model has no two tokens alike
        rig.endless()
    else:
        rig.says("word " * 100)
    reply = await rig.runner.chat(asking(max_tokens=10))
    assert (reply.complete, reply.tokens_out) == (False, 10)


async def test_what_a_host_has(rig: Rig) -> None:
    assert await rig.runner.models() == (HostModel(NAME, WINDOW),)


async def test_a_model_that_is_not_there(rig: Rig) -> None:
    with pytest.raises(ModelMissing, match="does not have"):
        await rig.runner.chat(asking(model="tests/nosuch"))
    rig.says("still here")
    assert (await rig.runner.chat(asking())).text == "still here"


@with_("window")
async def test_a_prompt_that_is_too_long_is_refused(rig: Rig) -> None:
    with pytest.raises(PromptTooLong) as caught:
        await rig.runner.chat(asking("x" * 5 * WINDOW))
    assert caught.value.limit == WINDOW
    assert caught.value.sent is not None and caught.value.sent > WINDOW


@with_("cancel")
async def test_a_cancelled_question_ends_at_once_and_the_next_is_answered(rig: Rig) -> None:
    rig.endless()
    begun = asyncio.Event()
    long = asking(max_tokens=WINDOW - 100)
    asked = asyncio.create_task(rig.runner.chat(long, lambda _: begun.set()))
    await asyncio.wait_for(begun.wait(), 60)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(asked, 60)
    reply = await asyncio.wait_for(rig.runner.chat(asking(max_tokens=5)), 60)
    assert 0 < reply.tokens_out <= 5


async def test_many_at_once(rig: Rig) -> None:
    rig.says("ok")
    replies = await asyncio.gather(*(rig.runner.chat(asking(f"{n}")) for n in range(10)))
    assert {reply.text for reply in replies} == {"ok"}


async def test_what_is_loaded(rig: Rig) -> None:
    rig.says("ok")
    await rig.runner.chat(asking())
    assert await rig.runner.loaded() == (() if "loaded" in LACKS[rig.kind] else (NAME,))


async def test_embeddings_or_a_plain_no(rig: Rig) -> None:
    if "embeddings" in LACKS[rig.kind]:
        with pytest.raises(Unsupported):
            await rig.runner.embed(NAME, ["a"])
    else:
        assert await rig.runner.embed(NAME, ["a", "bcd"]) == [vector("a"), vector("bcd")]


async def test_tools_or_a_plain_no(rig: Rig) -> None:
    rig.says("No tool is needed.")
    if "tools" in LACKS[rig.kind]:
        with pytest.raises(Unsupported):
            await rig.runner.chat(asking(tools=(TOOL,)))
    else:
        assert (await rig.runner.chat(asking(tools=(TOOL,)))).text == "No tool is needed."


async def test_closing_twice_is_no_error(rig: Rig) -> None:
    rig.says("ok")
    await rig.runner.chat(asking())
    await rig.runner.aclose()
