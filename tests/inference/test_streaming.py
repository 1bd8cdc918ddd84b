"""Free text from the port to models: words as they come, one text however often hosts break."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.concurrency import streamed
from bot.core.hosts import Host
from bot.core.inference import Completion, Infer, Passage, Prompt, PromptFile, Spoken, Turn
from bot.inference.hosts.pool import Pool
from bot.inference.infer import make_infer
from bot.inference.listening import Unthinking
from bot.inference.runners import Broken
from bot.inference.runners.scripted import ScriptedRunner
from bot.prompting import rendered
from tests.fakes import acts
from tests.fakes.models import Dropped, FakeModel, FakeOllama, Stage
from tests.inference.answers import GOOD, Sorted

BIG, SMALL = "qwen2.5-coder:14b", "qwen2.5:7b"
PERSONA = PromptFile("chat", "You talk.", role="chat")
Pools = Callable[..., Pool]


def infer_on(pool: Pool, *models: str, **options: Any) -> Infer:
    return make_infer(pool, {"chat": models or (BIG,), "embed": ("nomic",)}, rendered, **options)


def at(host: FakeOllama, name: str = "mini", **fields: Any) -> Host:
    return Host(name, "ollama", host.url, **fields)


def question(text: str = "What is tea?", *before: Turn, **more: Any) -> Prompt[Spoken]:
    turns = (*before, Turn("user", text))
    return Prompt(PERSONA.name, PERSONA.role, Spoken, turns=turns, file=PERSONA, **more)


async def heard(infer: Infer, asked: Prompt[Spoken]) -> tuple[list[str], Completion[Spoken]]:
    pieces: list[str] = []
    completions: list[Completion[Spoken]] = []
    async for piece in streamed(infer, asked):
        if isinstance(piece, Completion):
            completions.append(piece)
        else:
            assert not completions
            pieces.append(piece)
    assert len(completions) == 1
    return pieces, completions[0]


async def test_words_come_one_by_one_and_then_the_whole(ollama: FakeOllama, pool_of: Pools) -> None:
    ollama.says("Tea is a drink {made} of leaves.")
    pieces, completion = await heard(infer_on(pool_of(at(ollama))), question())
    assert len(pieces) > 3
    assert "".join(pieces) == "Tea is a drink {made} of leaves."
    assert completion.value == Spoken("Tea is a drink {made} of leaves.")
    assert (completion.host, completion.model, completion.calls) == ("mini", BIG, 1)
    assert completion.tokens_out > 0
    (sent,) = ollama.chats
    assert "format" not in sent
    assert sent["options"]["temperature"] == PERSONA.temperature
    assert sent["messages"][0]["content"].startswith("You talk.")
    assert sent["messages"][1]["content"] == "What is tea?"


async def test_the_first_word_is_heard_before_the_last_is_said(ollama: FakeOllama, pool_of: Pools) -> None:
    go_on = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def slowly(stage: Stage) -> None:
        await stage.token("First")
        while not await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(_is_set(go_on), loop)):
            await asyncio.sleep(0.01)
        await stage.say(" and last")

    ollama.says(slowly)
    words = streamed(infer_on(pool_of(at(ollama))), question())
    assert await anext(words) == "First"
    go_on.set()
    rest = [piece async for piece in words]
    assert rest[-1].value == Spoken("First and last")  # type: ignore[union-attr]


async def _is_set(event: asyncio.Event) -> bool:
    return event.is_set()


async def test_who_stops_listening_stops_the_host(ollama: FakeOllama, pool_of: Pools) -> None:
    async def endless(stage: Stage) -> None:
        while True:
            await stage.token("tea ")
            await asyncio.sleep(0.005)

    ollama.says(endless)
    words = streamed(infer_on(pool_of(at(ollama))), question())
    assert await anext(words) == "tea "
    await words.aclose()  # type: ignore[attr-defined]
    assert await asyncio.to_thread(ollama.left.wait, 20)
    assert ollama.cancelled == 1


async def test_an_answer_that_breaks_off_is_carried_on_by_the_next_host(pool_of: Pools) -> None:
    async def breaks(stage: Stage) -> None:
        await stage.token("Tea is made ")
        raise Dropped

    with FakeOllama() as first, FakeOllama() as second:
        first.says(breaks)
        second.says("of leaves.")
        pool = pool_of(at(first, "one"), at(second, "two"))
        pieces, completion = await heard(infer_on(pool), question())
    assert completion.text == "".join(pieces) == "Tea is made of leaves."
    assert completion.host == "two"
    carried_on = second.chats[0]["messages"][1]["content"]
    assert "Tea is made " in carried_on
    assert "Go on exactly where it stops" in carried_on


async def test_thoughts_are_not_heard(ollama: FakeOllama, pool_of: Pools) -> None:
    ollama.says("<think>They ask about tea [a < b].</think>Tea <b>is</b> good, 1 < 2 <")
    pieces, completion = await heard(infer_on(pool_of(at(ollama))), question())
    assert "".join(pieces) == "Tea <b>is</b> good, 1 < 2 <"
    assert completion.value == Spoken("Tea <b>is</b> good, 1 < 2 <")


@given(st.lists(st.sampled_from(["<", "think", ">", "</", "ing", "tea", "<think>", "</think>", " "])))
def test_how_words_are_cut_changes_nothing_about_thoughts(words: list[str]) -> None:
    def shown(pieces: list[str]) -> str:
        unthinking = Unthinking()
        return "".join(unthinking(piece) for piece in pieces) + unthinking.rest()

    text = "".join(words)
    assert shown(words) == shown([text]) == shown(list(text))


async def test_R10_a_blank_answer_is_asked_again_and_then_a_failure(
    ollama: FakeOllama, pool_of: Pools
) -> None:
    ollama.says("<think>nothing</think>  ")
    pieces, completion = await heard(infer_on(pool_of(at(ollama))), question())
    assert "".join(pieces).strip() == ""
    assert completion.value is None
    assert completion.failure == "invalid"
    assert len(ollama.chats) == 2


@pytest.mark.parametrize("act", [acts.garbage, acts.error_line, acts.half])
async def test_R10_a_host_that_only_breaks_is_a_failure_with_a_reason(
    act: Any, ollama: FakeOllama, pool_of: Pools
) -> None:
    ollama.says(act)
    _, completion = await heard(infer_on(pool_of(at(ollama))), question())
    assert (completion.value, completion.failure) == (None, "no_host")
    assert "mini" in completion.reason


async def test_N2_a_host_that_hangs_is_left(ollama: FakeOllama, pool_of: Pools) -> None:
    ollama.says(acts.hang)
    _, completion = await heard(infer_on(pool_of(at(ollama), first=0.2, between=0.2)), question())
    assert completion.failure == "timeout"


async def test_no_host_is_a_failure(pool_of: Pools) -> None:
    completion = await infer_on(pool_of(Host("gone", "ollama", "http://127.0.0.1:9")))(question())
    assert completion.failure == "no_host"
    assert "gone" in completion.reason


async def test_a_type_with_a_schema_is_asked_for_with_the_same_file(
    ollama: FakeOllama, pool_of: Pools
) -> None:
    ollama.says("no", GOOD)
    asked = Prompt("chat", "chat", Sorted, turns=(Turn("user", "Sort it."),), file=PERSONA)
    completion = await infer_on(pool_of(at(ollama)))(asked)
    assert completion.value == Sorted(**GOOD)
    assert completion.calls == 2


async def test_data_stand_behind_a_fence_and_old_words_leave_first(
    ollama: FakeOllama, pool_of: Pools
) -> None:
    ollama.models = {BIG: FakeModel(context_length=4096)}
    ollama.says("Fine.")
    old = Turn("user", "OLDEST " + "word " * 1200)
    newer = Turn("assistant", "NEWER " + "word " * 900)
    passage = Passage("tea.py", "1: leaves = 3", priority=0)
    _, completion = await heard(
        infer_on(pool_of(at(ollama))), question("And now?", old, newer, passages=(passage,))
    )
    messages = ollama.chats[0]["messages"]
    user, every = messages[-1]["content"], "".join(one["content"] for one in messages)
    assert 'name="tea.py">\n1: leaves = 3\n</data-' in user
    assert "NEWER" in every
    assert "OLDEST" not in every
    assert user.rstrip().endswith("And now?")
    assert completion.left_out == ("said before by user",)


async def test_a_question_that_cannot_fit_is_refused_before_any_host_cuts_it(
    ollama: FakeOllama, pool_of: Pools
) -> None:
    ollama.models = {BIG: FakeModel(context_length=4096)}
    _, completion = await heard(infer_on(pool_of(at(ollama))), question("word " * 20_000))
    assert completion.failure == "too_large"
    assert ollama.chats == []


@pytest.mark.parametrize("turns", [(), (Turn("assistant", "I spoke last."),), (Turn("user", " \u200b "),)])
async def test_a_talk_without_a_question_is_a_failure(
    turns: tuple[Turn, ...], ollama: FakeOllama, pool_of: Pools
) -> None:
    completion = await infer_on(pool_of(at(ollama)))(replace(question(), turns=turns))
    assert completion.failure == "invalid"
    assert "question" in completion.reason


async def test_a_model_can_be_named_and_a_specialty_chooses_its_hosts(pool_of: Pools) -> None:
    with FakeOllama(models={SMALL: FakeModel(), BIG: FakeModel()}) as plain, FakeOllama() as expert:
        plain.says("plain")
        expert.says("expert")
        pool = pool_of(at(plain, "plain", roles=("chat",)), at(expert, "expert", roles=("law",)))
        named = await infer_on(pool)(question(model=SMALL))
        lawyer = await infer_on(pool)(question(specialty="law"))
    assert (named.host, named.model) == ("plain", SMALL)
    assert (lawyer.host, lawyer.text) == ("expert", "expert")


async def test_a_runner_that_tells_nothing_while_it_works_is_heard_in_the_end() -> None:
    lines = iter([Broken("it stopped"), "At last."])
    made: list[ScriptedRunner] = []

    def runner(host: Host) -> ScriptedRunner:
        made.append(ScriptedRunner(host, lambda _: next(lines)))
        return made[-1]

    pool = Pool([Host("stage", "scripted", "")], runner=runner)
    pieces, completion = await heard(infer_on(pool, "scripted"), question())
    assert "".join(pieces) == completion.text == "At last."
    await pool.aclose()
