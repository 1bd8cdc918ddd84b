"""Agents for people who script: a system prompt, a port to models, and where there is one a library to look
things up in.

    async for words in agent.run("Why is the sky blue?"): ...
    text = await agent.get_full_response([{"role": "user", "content": "Why is the sky blue?"}])
    text = agent.run_sync("Why is the sky blue?")          # where no event loop runs

`answer` and `decide` give failures as values; the three above, which give plain text, raise `NoAnswer`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from bot.agents.citing import Citing
from bot.core.errors import HobError, UserError
from bot.core.inference import Completion, Passage, T
from bot.core.library import Excerpt, Library, merged
from bot.core.talk import Answered, Persona, Say, Spoken, Talk, Turn, said

Message = Turn | Mapping[str, str]
Messages = str | Sequence[Message]
"""A question, or a conversation: `Turn`s or `{"role": "user" | "assistant" | "system", "content": "…"}`."""
Drive = Callable[[Coroutine[Any, Any, str]], str]


class NoAnswer(HobError):
    """No model gave an answer; the message says why."""


class Agent:
    """One persona. A subclass names its prompt file in `name` and may override `gather`."""

    name: ClassVar[str] = ""

    def __init__(
        self,
        persona: Persona,
        say: Say,
        library: Library | None = None,
        *,
        drive: Drive = asyncio.run,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`drive` runs a coroutine for `run_sync`; `tell` hears, line by line, what the agent is about to
        do."""
        self.persona = persona
        self.say = say
        self.library = library
        self.tell = tell
        self._drive = drive

    async def run(self, messages: Messages) -> AsyncIterator[str]:
        """The answer's text, piece by piece; `NoAnswer`."""
        async for piece in self.stream(messages):
            if isinstance(piece, Answered):
                _require(piece)
            else:
                yield piece

    async def get_full_response(self, messages: Messages) -> str:
        """The whole text; `NoAnswer`."""
        return _require(await self.answer(messages))

    def run_sync(self, messages: Messages) -> str:
        """The whole text, waited for without an event loop; `NoAnswer`, or UserError where a loop runs
        already."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return self._drive(self.get_full_response(messages))
        raise UserError("run_sync cannot be used inside async code", "await get_full_response(messages)")

    async def answer(
        self, messages: Messages, *, passages: Sequence[Passage] = (), model: str = ""
    ) -> Answered:
        """The whole answer, or its failure as a value."""
        answered = Answered(Completion(failure="no_host", reason="nothing was said"))
        async for piece in self.stream(messages, passages=passages, model=model):
            if isinstance(piece, Answered):
                answered = piece
        return answered

    async def decide(
        self, messages: Messages, answer: type[T], *, passages: Sequence[Passage] = (), model: str = ""
    ) -> Completion[T]:
        """An answer of a type with a schema (any pydantic model), or its failure as a value."""
        return await said(self.say, self._talk(messages, answer, passages, model))

    async def stream(
        self, messages: Messages, *, passages: Sequence[Passage] = (), model: str = ""
    ) -> AsyncIterator[str | Answered]:
        """Pieces of text, then exactly one `Answered`. Citations that do not stand are never among the
        pieces."""
        found, spent = await self.gather(messages, model)
        citing = Citing(found)
        shown = [*passages, *(Passage(each.path, each.numbered) for each in found)]
        text: list[str] = []
        async for piece in self.say(self._talk(messages, Spoken, shown, model)):
            if isinstance(piece, Completion):
                if rest := citing.rest():
                    text.append(rest)
                    yield rest
                yield Answered(
                    _summed(piece, "".join(text).strip(), spent), tuple(citing.citations), citing.dropped
                )
            elif part := citing(piece):
                text.append(part)
                yield part

    async def gather(
        self, messages: Messages, model: str = ""
    ) -> tuple[tuple[Excerpt, ...], tuple[Completion[Any], ...]]:
        """What the model is shown beside the question, and which calls finding it took. Here: what a search
        for the question's own words finds."""
        if self.library is None:
            return (), ()
        question = conversation(messages)[1][-1:]
        found = [await self.library.search(turn.text) for turn in question]
        return merged(excerpt for some in found for excerpt in some), ()

    def _talk(self, messages: Messages, answer: type[T], passages: Sequence[Passage], model: str) -> Talk[T]:
        system, turns = conversation(messages)
        persona = replace(self.persona, system="\n\n".join([self.persona.system, *system]))
        return Talk(persona, turns, answer, tuple(passages), model)


def conversation(messages: Messages) -> tuple[tuple[str, ...], tuple[Turn, ...]]:
    """(system texts, turns); UserError for what is no message."""
    if isinstance(messages, str):
        return (), (Turn("user", messages),)
    system: list[str] = []
    turns: list[Turn] = []
    for message in messages:
        if isinstance(message, Turn):
            turns.append(message)
            continue
        match message.get("role"), message.get("content"):
            case "system", str(text):
                system.append(text)
            case ("user" | "assistant") as speaker, str(text):
                turns.append(Turn(speaker, text))
            case _:
                raise UserError(
                    "a message has a role (user, assistant or system) and a text as content",
                    'write {"role": "user", "content": "…"}',
                )
    return tuple(system), tuple(turns)


def _require(answered: Answered) -> str:
    if answered.completion.value is None:
        raise NoAnswer(answered.completion.reason or "no model gave an answer")
    return answered.text


def _summed(last: Completion[Spoken], text: str, before: Sequence[Completion[Any]]) -> Completion[Spoken]:
    """The answer with its text as it was shown, and what all calls together cost."""
    every = (*before, last)
    return replace(
        last,
        value=Spoken(text) if last.value is not None else None,
        text=text,
        tokens_in=sum(one.tokens_in for one in every),
        tokens_out=sum(one.tokens_out for one in every),
        seconds=sum(one.seconds for one in every),
        calls=sum(one.calls for one in every),
    )
