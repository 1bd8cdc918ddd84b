"""What a server is found not to take is left out from then on, whatever its protocol."""

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.responses import Response

from bot.core.hosts import Host, HostModel
from bot.inference.egress import LOCAL_ONLY
from bot.inference.hosts.pool import Pool
from bot.inference.infer import make_infer
from bot.inference.runners import Broken, HostDown, Runner
from bot.inference.runners.registry import make_runner
from bot.inference.structured_output import unthought
from bot.prompting import rendered
from tests.fakes import acts
from tests.fakes.models import Act, FakeModel, FakeOllama, Stage
from tests.inference.answers import GOOD as ANSWER
from tests.inference.answers import Sorted, triage
from tests.inference.kinds import KEY, NAME, SCHEMA, WINDOW, WIRED, asking

GOOD = {"kind": "bug"}
LISTING = {"openai": "/v1/models", "anthropic": "/v1/models"}


@contextlib.asynccontextmanager
async def speaking(kind: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[FakeOllama, Runner]]:
    monkeypatch.setenv("TEST_KEY", KEY)
    with WIRED[kind](models={NAME: FakeModel(WINDOW), "other": FakeModel(WINDOW)}) as host:
        runner = make_runner(Host("mini", kind, host.url, api_key_env="TEST_KEY"))
        try:
            yield host, runner
        finally:
            await runner.aclose()


def held(chat: dict[str, Any]) -> bool:
    """Whether a request holds the model to a schema."""
    return bool({"format", "response_format", "tool_choice"} & chat.keys())


def told(chat: dict[str, Any]) -> bool:
    """Whether it has the schema in words."""
    return "JSON schema" in json.dumps([chat["messages"], chat.get("system")])


def saying(under: str, without: str | dict[str, Any]) -> Act:
    async def act(stage: Stage) -> None:
        await stage.say(under if held(stage.request) else without)

    return act


@pytest.mark.parametrize("blank", ["", " \n", "<think>Hm.</think>\n"])
@pytest.mark.parametrize("kind", WIRED)
async def test_a_model_that_is_silent_under_a_schema_is_asked_without_from_then_on(
    kind: str, blank: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with speaking(kind, monkeypatch) as (host, runner):
        host.says(saying(blank, GOOD))
        assert unthought((await runner.chat(asking(schema=SCHEMA))).text) == ""
        for _ in range(2):
            assert json.loads((await runner.chat(asking(schema=SCHEMA))).text) == GOOD
        await runner.chat(asking(schema=SCHEMA, model="other"))
    assert [(held(chat), told(chat)) for chat in host.chats] == [
        (True, False),
        (False, True),
        (False, True),
        (True, False),
    ]


@pytest.mark.parametrize("kind", WIRED)
async def test_a_question_to_a_model_that_a_schema_silences_is_answered(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_KEY", KEY)
    with WIRED[kind](models={NAME: FakeModel(WINDOW)}) as host:
        host.says(saying("", ANSWER))
        pool = Pool([Host("mini", kind, host.url, api_key_env="TEST_KEY")])
        infer = make_infer(pool, {"triage": (NAME,)}, rendered)
        calls = [(await infer(triage())) for _ in range(2)]
        await pool.aclose()
    assert [one.value for one in calls] == [Sorted(**ANSWER)] * 2
    assert [one.calls for one in calls] == [2, 1]
    assert [held(chat) for chat in host.chats] == [True, False, False]


@pytest.mark.parametrize("kind", WIRED)
async def test_a_model_that_is_silent_either_way_keeps_its_schema(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with speaking(kind, monkeypatch) as (host, runner):
        host.says(saying("", ""))
        for _ in range(2):
            assert (await runner.chat(asking(schema=SCHEMA))).text == ""
        host.says(GOOD)
        assert json.loads((await runner.chat(asking(schema=SCHEMA))).text) == GOOD
    assert [held(chat) for chat in host.chats] == [True, False, True]


@pytest.mark.parametrize("kind", WIRED)
async def test_silence_to_a_free_question_is_asked_once(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with speaking(kind, monkeypatch) as (host, runner):
        host.says("")
        assert (await runner.chat(asking())).text == ""
    assert len(host.chats) == 1


@pytest.mark.parametrize(("status", "words"), [(400, "cannot do that"), (500, "failed to parse grammar")])
@pytest.mark.parametrize("kind", ["ollama", "openai"])
async def test_a_schema_that_a_server_chokes_on_goes_into_the_prompt(
    kind: str, status: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def chokes(stage: Stage) -> None:
        await (stage.refuse(status, words) if held(stage.request) else stage.say(GOOD))

    async with speaking(kind, monkeypatch) as (host, runner):
        host.says(chokes)
        for _ in range(2):
            assert json.loads((await runner.chat(asking(schema=SCHEMA))).text) == GOOD
    assert [(held(chat), told(chat)) for chat in host.chats] == [(True, False), (False, True), (False, True)]


@pytest.mark.parametrize("kind", WIRED)
async def test_a_fault_of_the_server_is_not_taken_for_a_habit(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with speaking(kind, monkeypatch) as (host, runner):
        host.says(acts.status(500, "out of memory"))
        with pytest.raises(Broken):
            await runner.chat(asking(schema=SCHEMA))
    assert len(host.chats) == 1


@pytest.mark.parametrize("status", [404, 405, 501])
@pytest.mark.parametrize("kind", LISTING)
async def test_a_server_that_lists_no_models_takes_any_that_is_wanted(
    kind: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with speaking(kind, monkeypatch) as (host, runner):
        host.broken[LISTING[kind]] = Response("not found", status)
        (only,) = await runner.models()
        assert only.name == ""
        there = Host("mini", kind, host.url, api_key_env="TEST_KEY")
        pool = Pool([there])
        found = await pool.candidates("review", ["mine@mini", "yours@elsewhere", "another"], LOCAL_ONLY)
        await pool.aclose()
    assert [candidate.model for candidate in found.candidates] == [
        HostModel("mine", only.context_length),
        HostModel("another", only.context_length),
    ]


async def test_an_ollama_that_lists_no_models_is_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    async with speaking("ollama", monkeypatch) as (host, runner):
        host.missing = {"/api/tags"}
        with pytest.raises(HostDown, match="404"):
            await runner.models()


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500, 503])
@pytest.mark.parametrize("kind", [*LISTING, "ollama"])
async def test_a_server_that_refuses_to_list_is_down(
    kind: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with speaking(kind, monkeypatch) as (host, runner):
        host.broken[LISTING.get(kind, "/api/tags")] = Response("no", status)
        with pytest.raises(HostDown):
            await runner.models()
