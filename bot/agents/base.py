"""Agents for people who script: a system prompt, a port to models, and where there is one a library to look
things up in.

    async for words in agent.run("Why is the sky blue?"): ...
    text = await agent.get_full_response([{"role": "user", "content": "Why is the sky blue?"}])
    text = agent.run_sync("Why is the sky blue?")          # where no event loop runs

`answer` and `decide` give failures as values; the three above, which give plain text, raise `NoAnswer`.
"""

import asyncio
import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol, TypedDict, Unpack, cast

from bot.agents.citing import CitedAnswer, Citing
from bot.core.chat import Answered
from bot.core.code_search import Excerpt, Library, merged, stands
from bot.core.concurrency import streamed
from bot.core.errors import HobError, UserError
from bot.core.inference import Completion, Infer, Passage, Prompt, PromptFile, Spoken, T, Turn

ChatMessage = Turn | Mapping[str, Any]
ChatMessages = str | Sequence[ChatMessage]
"""A question, or a conversation: `Turn`s or `{"role": "user", "content": "…"}`; the other roles are
`assistant`, `system` and `tool`."""
NOTHING = "I found nothing about this in what I can search here, so I do not know."
Drive = Callable[[Coroutine[Any, Any, str]], str]


class Options(TypedDict, total=False):
    """What may be said beside the messages, each only for this question."""

    model: str
    """Instead of the role's models: `NAME` or `NAME@HOST`."""
    temperature: float
    max_tokens: int
    passages: Sequence[Passage]
    """Shown as data beside the question."""
    citable: Sequence[Excerpt]
    """What the passages show already and an answer may cite."""
    specialty: str
    """Only hosts that list it in `roles`."""
    whole: bool
    """Asked for as one object with its citations beside it, and heard when all of it is there."""


class ReadAnswer(Protocol):
    """Reads a model's text as a value of a type; ValueError."""

    def __call__(self, kind: type[T], text: str, /) -> T: ...


def _strictly(kind: type[T], text: str, /) -> T:
    return kind.model_validate_json(text)


class NoAnswer(HobError):
    """No model gave an answer; the message says why."""


class Agent:
    """One persona. A subclass names its prompt file in `name` and may override `gather`, or `run`."""

    name: ClassVar[str] = ""
    needs_sources: ClassVar[bool] = False
    """Whether it may only say what its library holds: where nothing is found no model is asked, and an answer
    without a citation is told as such."""

    def __init__(
        self,
        persona: PromptFile,
        ask: Infer,
        library: Library | None = None,
        *,
        drive: Drive = asyncio.run,
        tell: Callable[[str], None] = lambda _: None,
        read: ReadAnswer = _strictly,
    ) -> None:
        """`drive` runs a coroutine for `run_sync`; `tell` hears, line by line, what the agent is about to
        do; `read` is how a text that a subclass said itself becomes a value for `decide`."""
        self.persona = persona
        self.ask = ask
        self.library = library
        self.tell = tell
        self.read = read
        self._drive = drive

    async def run(self, messages: ChatMessages, **options: Unpack[Options]) -> AsyncIterator[str]:
        """The answer's text, piece by piece; `NoAnswer`. Every other way to ask goes through it, so a
        subclass that overrides it (`async def run(self, messages)` will do) is what is heard everywhere."""
        call = _CALL.get()
        if call is not None and call.agent is self:
            options = {**call.options, **options}
        else:
            call = None
        model, passages = options.get("model", ""), options.get("passages", ())
        found, spent = await self.gather(messages, model)
        citable = (*found, *options.get("citable", ()))
        strict = self.needs_sources and self.library is not None
        if strict and not citable and not passages and len(conversation(messages)[1]) < 2:
            if call:
                call.heard = Answered(_summed(Completion(Spoken(NOTHING)), NOTHING, spent))
            yield NOTHING
            return
        citing = Citing(citable)
        shown = (*(Passage(each.name, each.numbered, priority=2) for each in found), *passages)
        kind = call.kind if call else Spoken
        text: list[str] = []
        ended: Completion[Any] = Completion()
        async for piece in streamed(self.ask, self._prompt(messages, kind, {**options, "passages": shown})):
            if isinstance(piece, Completion):
                ended = piece
            elif kind is Spoken and (part := citing(piece)):
                text.append(part)
                yield part
        if rest := _rest(citing, kind, ended):
            text.append(rest)
            yield rest
        if call:
            if kind is Spoken or kind is CitedAnswer:
                ended = _summed(ended, "".join(text).strip(), spent)
            read = [one for one in citable if one.name not in ended.left_out]
            standing = tuple(one for one in citing.citations if stands(one, read))
            dropped = citing.dropped + len(citing.citations) - len(standing)
            call.heard = Answered(ended, standing, dropped, strict)
        if ended.value is None:
            raise NoAnswer(ended.reason or "no model gave an answer")

    async def get_full_response(self, messages: ChatMessages, **options: Unpack[Options]) -> str:
        """The whole text; `NoAnswer`."""
        return _require(await self.answer(messages, **options))

    def run_sync(self, messages: ChatMessages, **options: Unpack[Options]) -> str:
        """The whole text, waited for without an event loop; `NoAnswer`, or UserError where a loop runs
        already."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return self._drive(self.get_full_response(messages, **options))
        raise UserError("run_sync cannot be used inside async code", "await get_full_response(messages)")

    async def answer(self, messages: ChatMessages, **options: Unpack[Options]) -> Answered:
        """The whole answer, or its failure as a value."""
        answered = Answered(Completion(failure="no_host", reason="nothing was said"))
        async for piece in self.stream(messages, **options):
            if isinstance(piece, Answered):
                answered = piece
        return answered

    async def decide(
        self, messages: ChatMessages, answer: type[T], **options: Unpack[Options]
    ) -> Completion[T]:
        """An answer of a type with a schema (any pydantic model), or its failure as a value. What a subclass
        says in its own `run` is read as one."""
        call = _Call(self, options, answer)
        text = "".join([piece async for piece in self._heard(messages, call)])
        heard = call.heard.completion if call.heard else Completion()
        if heard.value is None and (call.reason or heard.failure):
            failed = heard.failure or "invalid"
            return cast("Completion[T]", replace(heard, failure=failed, reason=call.reason or heard.reason))
        if heard.value is not None and text == heard.text:
            return cast("Completion[T]", heard)
        try:
            value = self.read(answer, text)
        except ValueError as wrong:
            reason = f"{self.persona.name} gave no {answer.__name__}: {wrong}"
            return Completion(failure="invalid", reason=reason, text=text)
        return cast("Completion[T]", replace(cast("Any", heard), value=value, text=text))

    async def stream(
        self, messages: ChatMessages, **options: Unpack[Options]
    ) -> AsyncIterator[str | Answered]:
        """Pieces of text, then exactly one `Answered`. Citations that do not stand are never among the
        pieces."""
        call = _Call(self, options, CitedAnswer if options.get("whole") else Spoken)
        said: list[str] = []
        async for piece in self._heard(messages, call):
            said.append(piece)
            yield piece
        yield _answered(call, "".join(said).strip())

    async def _heard(self, messages: ChatMessages, call: "_Call") -> AsyncIterator[str]:
        """What `run` says; why it fails is left in the call."""
        given, asked = self._given(messages, call.options)
        pieces = self.run(asked, **given)
        try:
            while True:
                token = _CALL.set(call)
                try:
                    piece = await anext(pieces)
                except StopAsyncIteration:
                    return
                except NoAnswer as wrong:
                    call.reason = str(wrong)
                    return
                finally:
                    _CALL.reset(token)
                yield piece
        finally:
            if isinstance(pieces, AsyncGenerator):
                await pieces.aclose()

    def _given(self, messages: ChatMessages, options: Options) -> tuple[Options, ChatMessages]:
        """The options that `run` takes, and what it is asked. An override that takes no passages is shown
        them before the question; its `super().run` is given all that it does not take."""
        takes = inspect.signature(self.run).parameters.values()
        every = any(one.kind is one.VAR_KEYWORD for one in takes)
        names = {one.name for one in takes}
        given = cast("Options", {name: it for name, it in options.items() if every or name in names})
        passages = options.get("passages", ())
        if not passages or "passages" in given or type(self).run is Agent.run:
            return given, messages
        system, turns = conversation(messages)
        shown = "\n\n".join(f"{one.name}:\n{one.text}" for one in passages)
        asked = [{"role": "system", "content": text} for text in system]
        return given, [*asked, *turns[:-1], *(Turn("user", f"{shown}\n\n{one.text}") for one in turns[-1:])]

    async def gather(
        self, messages: ChatMessages, model: str = ""
    ) -> tuple[tuple[Excerpt, ...], tuple[Completion[Any], ...]]:
        """What the model is shown beside the question, and which calls finding it took. Here: what a search
        for the question's own words finds."""
        if self.library is None:
            return (), ()
        query = sought(conversation(messages)[1])
        return merged(await self.library.search(query) if query else ()), ()

    def _prompt(self, messages: ChatMessages, answer: type[T], options: Options) -> Prompt[T]:
        system, turns = conversation(messages)
        file = replace(
            self.persona,
            system="\n\n".join([self.persona.system, *system]),
            temperature=options.get("temperature", self.persona.temperature),
            max_tokens=options.get("max_tokens", self.persona.max_tokens),
        )
        return Prompt(
            file.name,
            file.role,
            answer,
            passages=tuple(options.get("passages", ())),
            turns=turns,
            file=file,
            model=options.get("model", ""),
            specialty=options.get("specialty", ""),
        )


def _rest(citing: Citing, kind: type[Any], ended: Completion[Any]) -> str:
    """What is still to be shown when the words ended."""
    if kind is Spoken:
        return citing.rest()
    if isinstance(ended.value, CitedAnswer):
        return citing.whole(ended.value)
    return ended.text if ended.value is not None else ""


@dataclass(slots=True)
class _Call:
    """One question on its way through `run`: what it was given that an override may not hand on, the type
    that is wanted, and what `Agent.run` heard in the end."""

    agent: Agent
    options: Options
    kind: type[Any]
    heard: Answered | None = None
    reason: str = ""


_CALL: ContextVar[_Call | None] = ContextVar("call", default=None)
"""Set while a piece of an agent's `run` is waited for."""


def _answered(call: _Call, text: str) -> Answered:
    """What was said as an answer; what an override said itself counts, whatever it asked a model."""
    heard = call.heard or Answered(Completion())
    done = heard.completion
    if call.reason:
        failed = replace(done, value=None, failure=done.failure or "no_host", reason=call.reason, text=text)
        return Answered(failed, heard.citations, heard.dropped, heard.strict)
    if not text and done.value is None:
        return Answered(Completion(failure="invalid", reason=f"{call.agent.persona.name} said nothing"))
    whole = replace(done, value=Spoken(text), failure=None, reason="", text=text)
    return Answered(whole, heard.citations, heard.dropped, heard.strict)


def question_in(language: str, question: str, before: Sequence[Turn] = ()) -> ChatMessages:
    """A question that is to be answered in a language, by its code; `before`: what was said earlier."""
    told = {"role": "system", "content": f"Write in the language with this code: {language}"}
    return [told, *before, Turn("user", question)]


def sought(turns: Sequence[Turn]) -> str:
    """What to search for: the question, and the one before it, which it may go on from."""
    return "\n".join(turn.text for turn in [one for one in turns if one.speaker == "user"][:-3:-1])


def conversation(messages: ChatMessages) -> tuple[tuple[str, ...], tuple[Turn, ...]]:
    """(system texts, turns); UserError for what is no message."""
    if isinstance(messages, str):
        return (), (Turn("user", messages),)
    system: list[str] = []
    turns: list[Turn] = []
    for message in messages:
        if isinstance(message, Turn):
            turns.append(message)
            continue
        match message.get("role"), _text(message):
            case (("system" | "developer"), str(text)):
                system.append(text)
            case ("user" | "assistant") as speaker, str(text):
                turns.append(Turn(speaker, text))
            case "tool", str(text):
                name = message.get("name") or message.get("tool_name") or "a tool"
                turns.append(Turn("user", f"What {name} gave:\n{text}"))
            case _:
                raise UserError(
                    "a message has a role (user, assistant, system or tool) and a text as content",
                    'write {"role": "user", "content": "…"}',
                )
    return tuple(system), tuple(turns)


def _text(message: Mapping[str, Any]) -> str | None:
    """A message's text, of parts too; UserError where it holds a picture or another thing that is no text,
    which would be dropped."""
    content = message.get("content")
    parts = content if isinstance(content, list) else []
    others = [part.get("type") for part in parts if isinstance(part, dict) and part.get("type") != "text"]
    if message.get("images") or others:
        what = str(others[0])[:40] if others else "a picture"
        raise UserError(f"a message holds {what}, and agents read text only", "say in words what it shows")
    if isinstance(content, list):
        texts = [part.get("text") if isinstance(part, dict) else part for part in parts]
        words = [text for text in texts if isinstance(text, str)]
        return "\n".join(words) if len(words) == len(texts) else None
    return content if isinstance(content, str) else None


def _require(answered: Answered) -> str:
    if answered.completion.value is None:
        raise NoAnswer(answered.completion.reason or "no model gave an answer")
    return answered.text


def _summed(last: Completion[Any], text: str, before: Sequence[Completion[Any]]) -> Completion[Spoken]:
    """The answer with its text as it was shown, and what all calls together cost."""
    every = (*before, last)
    return replace(
        last,
        value=Spoken(text) if last.value is not None else None,
        text=text,
        tokens_in=sum(one.tokens_in for one in every),
        tokens_out=sum(one.tokens_out for one in every),
        tokens_cached=sum(one.tokens_cached for one in every),
        seconds=sum(one.seconds for one in every),
        calls=sum(one.calls for one in every),
    )
