"""The port for free text: words as they come, one text however often hosts break."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.chat import Persona, PersonaRequest, Say, Spoken, Turn, said
from bot.core.hosts import Host
from bot.core.inference import Completion, Passage
from bot.inference.hosts.pool import Pool
from bot.inference.runners import Broken
from bot.inference.runners.scripted import ScriptedRunner
from bot.inference.streaming import Unthinking, make_say
from bot.prompting import TalkFile
from tests.fakes import acts
from tests.fakes.models import Dropped, FakeModel, FakeOllama, Stage
from tests.inference.answers import GOOD, Sorted

BIG, SMALL = "qwen2.5-coder:14b", "qwen2.5:7b"
PERSONA = Persona("chat", "You talk.", role="chat")
Pools = Callable[..., Pool]


def say_on(pool: Pool, *models: str, **options: Any) -> Say:
    return make_say(pool, {"chat": models or (BIG,), "embed": ("nomic",)}, TalkFile, **options)


def at(host: FakeOllama, name: str = "mini", **fields: Any) -> Host:
    return Host(name, "ollama", host.url, **fields)


def talk(text: str = "What is tea?", *before: Turn, **more: Any) -> PersonaRequest[Spoken]:
    return PersonaRequest(PERSONA, (*before, Turn("user", text)), Spoken, **more)


async def heard(say: Say, question: PersonaRequest[Spoken]) -> tuple[list[str], Completion[Spoken]]:
    pieces: list[str] = []
    completions: list[Completion[Spoken]] = []
    async for piece in say(question):
        if isinstance(piece, Completion):
            completions.append(piece)
        else:
            assert not completions
            pieces.append(piece)
    assert len(completions) == 1
    return pieces, completions[0]


async def test_words_come_one_by_one_and_then_the_whole(ollama: FakeOllama, pool_of: Pools) -> None:
    ollama.says("Tea is a drink {made} of leaves.")
    pieces, completion = await heard(say_on(pool_of(at(ollama))), talk())
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
    words = say_on(pool_of(at(ollama)))(talk())
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
    words = say_on(pool_of(at(ollama)))(talk())
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
        pieces, completion = await heard(say_on(pool), talk())
    assert completion.text == "".join(pieces) == "Tea is made of leaves."
    assert completion.host == "two"
    carried_on = second.chats[0]["messages"][1]["content"]
    assert "Tea is made " in carried_on
    assert "Go on exactly where it stops" in carried_on


async def test_thoughts_are_not_heard(ollama: FakeOllama, pool_of: Pools) -> None:
    ollama.says("<think>They ask about tea [a < b].</think>Tea <b>is</b> good, 1 < 2 <")
    pieces, completion = await heard(say_on(pool_of(at(ollama))), talk())
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
    pieces, completion = await heard(say_on(pool_of(at(ollama))), talk())
    assert "".join(pieces).strip() == ""
    assert completion.value is None
    assert completion.failure == "invalid"
    assert len(ollama.chats) == 2


@pytest.mark.parametrize("act", [acts.garbage, acts.error_line, acts.half])
async def test_R10_a_host_that_only_breaks_is_a_failure_with_a_reason(
    act: Any, ollama: FakeOllama, pool_of: Pools
) -> None:
    ollama.says(act)
    _, completion = await heard(say_on(pool_of(at(ollama))), talk())
    assert (completion.value, completion.failure) == (None, "no_host")
    assert "mini" in completion.reason


async def test_N2_a_host_that_hangs_is_left(ollama: FakeOllama, pool_of: Pools) -> None:
    ollama.says(acts.hang)
    _, completion = await heard(say_on(pool_of(at(ollama), first=0.2, between=0.2)), talk())
    assert completion.failure == "timeout"


async def test_no_host_is_a_failure(pool_of: Pools) -> None:
    completion = await said(say_on(pool_of(Host("gone", "ollama", "http://127.0.0.1:9"))), talk())
    assert completion.failure == "no_host"
    assert "gone" in completion.reason


async def test_a_type_with_a_schema_goes_through_the_same_door(ollama: FakeOllama, pool_of: Pools) -> None:
    ollama.says("no", GOOD)
    question = PersonaRequest(PERSONA, (Turn("user", "Sort it."),), Sorted)
    pieces = [piece async for piece in say_on(pool_of(at(ollama)))(question)]
    (completion,) = pieces
    assert isinstance(completion, Completion)
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
        say_on(pool_of(at(ollama))), talk("And now?", old, newer, passages=(passage,))
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
    _, completion = await heard(say_on(pool_of(at(ollama))), talk("word " * 20_000))
    assert completion.failure == "too_large"
    assert ollama.chats == []


@pytest.mark.parametrize("turns", [(), (Turn("assistant", "I spoke last."),), (Turn("user", " \u200b "),)])
async def test_a_talk_without_a_question_is_a_failure(
    turns: tuple[Turn, ...], ollama: FakeOllama, pool_of: Pools
) -> None:
    completion = await said(say_on(pool_of(at(ollama))), PersonaRequest(PERSONA, turns, Spoken))
    assert completion.failure == "invalid"
    assert "question" in completion.reason


async def test_a_model_can_be_named_and_a_specialty_chooses_its_hosts(pool_of: Pools) -> None:
    with FakeOllama(models={SMALL: FakeModel(), BIG: FakeModel()}) as plain, FakeOllama() as expert:
        plain.says("plain")
        expert.says("expert")
        pool = pool_of(at(plain, "plain", roles=("chat",)), at(expert, "expert", roles=("law",)))
        named = await said(say_on(pool), talk(model=SMALL))
        lawyer = await said(say_on(pool), talk(specialty="law"))
    assert (named.host, named.model) == ("plain", SMALL)
    assert (lawyer.host, lawyer.text) == ("expert", "expert")


async def test_a_runner_that_tells_nothing_while_it_works_is_heard_in_the_end() -> None:
    lines = iter([Broken("it stopped"), "At last."])
    made: list[ScriptedRunner] = []

    def runner(host: Host) -> ScriptedRunner:
        made.append(ScriptedRunner(host, lambda _: next(lines)))
        return made[-1]

    pool = Pool([Host("stage", "scripted", "")], runner=runner)
    pieces, completion = await heard(say_on(pool, "scripted"), talk())
    assert "".join(pieces) == completion.text == "At last."
    await pool.aclose()
