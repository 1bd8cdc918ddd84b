"""Whatever way an agent is asked, its `run` answers."""

from typing import Any

import pytest
from pydantic import BaseModel

from bot.agents.base import Agent, NoAnswer
from bot.agents.chain import run_chain
from bot.core.chain import Chain, ChainStep
from bot.core.inference import Completion, OnText, Passage, Prompt, PromptFile, Spoken


class Port:
    """An `Infer` that keeps what it was asked."""

    def __init__(self, *texts: str, failure: str = "") -> None:
        self.texts, self.failure = texts or ("the model's words",), failure
        self.prompts: list[Prompt[Any]] = []

    async def __call__(self, prompt: Prompt[Any], /, on_text: OnText | None = None) -> Completion[Any]:
        self.prompts.append(prompt)
        if self.failure:
            return Completion(failure="no_host", reason=self.failure)
        if prompt.answer is Spoken and on_text:
            for each in self.texts:
                on_text(each)
        text = "".join(self.texts)
        value = prompt.answer.model_validate_json(text)
        return Completion(value, text=text, host="mini", model="m", calls=1)


class Own(Agent):
    """Says its own words, and takes no options."""

    name = "own"

    async def run(self, messages):  # type: ignore[no-untyped-def, override]
        yield "own "
        yield "words"


class Loud(Agent):
    """Changes what the model says."""

    async def run(self, messages):  # type: ignore[no-untyped-def, override]
        async for piece in super().run(messages):
            yield piece.upper()


class Plain(BaseModel):
    size: int


def made(kind: type[Agent], port: Port | None = None) -> Agent:
    return kind(PromptFile("own", "Be brief."), port or Port())


async def test_run_of_a_subclass_is_what_every_way_of_asking_gives() -> None:
    port = Port()
    agent = made(Own, port)
    assert await agent.get_full_response("?") == "own words"
    assert (await agent.answer("?")).text == "own words"
    assert (await agent.answer("?", model="m@mini", passages=[Passage("a", "b")])).text == "own words"
    assert [str(piece) async for piece in agent.stream("?")][:2] == ["own ", "words"]
    assert port.prompts == [], "no model was asked"


def test_run_sync_goes_through_run_of_a_subclass() -> None:
    assert made(Own).run_sync("?") == "own words"
    assert made(Loud).run_sync("?", temperature=0.9) == "THE MODEL'S WORDS"


async def test_what_an_override_does_not_take_its_super_is_given() -> None:
    port = Port()
    answered = await made(Loud, port).answer("?", model="big", temperature=0.7, max_tokens=9)
    assert answered.text == "THE MODEL'S WORDS"
    assert answered.completion.host == "mini", "and what it cost is known"
    (prompt,) = port.prompts
    assert prompt.file
    assert (prompt.model, prompt.file.temperature, prompt.file.max_tokens) == ("big", 0.7, 9)


async def test_a_chain_is_answered_by_run_of_a_subclass() -> None:
    asked: list[str] = []

    class Counting(Agent):
        async def run(self, messages):  # type: ignore[no-untyped-def, override]
            asked.append(messages if isinstance(messages, str) else messages[-1].text)
            yield f"answer {len(asked)}"

    chain = Chain("c", (ChainStep("one", "a"), ChainStep("two", "a", needs=("one",))))
    result = await run_chain(chain, "Tea", lambda _: made(Counting))
    assert result.answer == "answer 2"
    assert "answer 1" in asked[1], "an override is shown what earlier steps gave"


async def test_a_verdict_is_read_from_what_a_subclass_says() -> None:
    class Sized(Agent):
        async def run(self, messages):  # type: ignore[no-untyped-def, override]
            yield '{"size": '
            yield "3}"

    class Prose(Own):
        pass

    decided = await made(Sized).decide("?", Plain)
    assert decided.value == Plain(size=3)
    failed = await made(Prose).decide("?", Plain)
    assert failed.value is None and failed.failure == "invalid" and "Plain" in failed.reason
    assert (await made(Agent, Port('{"size": 4}')).decide("?", Plain)).value == Plain(size=4)
    assert (await made(Agent, Port(failure="all are away")).decide("?", Plain)).reason == "all are away"


async def test_a_failure_is_a_value_or_no_answer_whoever_fails() -> None:
    class Refusing(Agent):
        async def run(self, messages):  # type: ignore[no-untyped-def, override]
            yield "half "
            raise NoAnswer("not today")

    answered = await made(Refusing).answer("?")
    assert (answered.completion.value, answered.completion.reason) == (None, "not today")
    with pytest.raises(NoAnswer, match="not today"):
        await made(Refusing).get_full_response("?")
    with pytest.raises(NoAnswer, match="all are away"):
        [piece async for piece in made(Agent, Port(failure="all are away")).run("?")]

    class Falling(Agent):
        async def run(self, messages):  # type: ignore[no-untyped-def, override]
            try:
                async for piece in super().run(messages):
                    yield piece
            except NoAnswer:
                yield "instead"

    answered = await made(Falling, Port(failure="all are away")).answer("?")
    assert (answered.text, answered.completion.failure) == ("instead", None)


async def test_what_another_agent_says_inside_run_is_not_its_answer() -> None:
    other = made(Agent, Port("theirs"))

    class Asking(Agent):
        async def run(self, messages):  # type: ignore[no-untyped-def, override]
            yield f"they say {await other.get_full_response(messages, max_tokens=5)}"

    answered = await made(Asking).answer("?", model="big")
    assert answered.text == "they say theirs"
    assert other.ask.prompts[0].model == "", "the options were for the one that was asked"  # type: ignore[attr-defined]
