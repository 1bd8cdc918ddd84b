"""The port `Say`: what a model says, word by word, from the same hosts and by the same rules as `Infer`.

An answer that breaks off is carried on where it stopped, by the same host or the next one: who listens hears
one text, without what is said twice, and is told.

Thoughts that a model writes into its answer, taken out while the words come.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Protocol, cast

from bot.core.chat import PersonaRequest, Say, Spoken
from bot.core.errors import HobError
from bot.core.events import Priority
from bot.core.inference import Completion, Passage, Prompt, Role, T
from bot.inference.continuation import Joining
from bot.inference.egress import LOCAL_ONLY, EgressGuard
from bot.inference.hosts.pool import Pool
from bot.inference.request import DEADLINE, Asking
from bot.inference.token_budget import PromptSource

_OPEN = ("<think>", "<thinking>")
_CLOSE = ("</think>", "</thinking>")


class Unthinking:
    """`unthinking(word)` gives what of the answer can be shown now; the beginning of a tag is held back
    until it is clear whether it is one."""

    def __init__(self) -> None:
        self._held = ""
        self._thinking = False

    def __call__(self, word: str) -> str:
        self._held += word
        shown = ""
        while True:
            tags = _CLOSE if self._thinking else _OPEN
            found = [(at, tag) for tag in tags if (at := self._held.find(tag)) >= 0]
            before, after = self._split(min(found)) if found else self._safe(tags)
            shown += "" if self._thinking else before
            self._held = after
            if not found:
                return shown
            self._thinking = not self._thinking

    def rest(self) -> str:
        """What is still held back when nothing more comes: a thought without an end is no answer."""
        held, self._held = self._held, ""
        return "" if self._thinking else held

    def _split(self, found: tuple[int, str]) -> tuple[str, str]:
        at, tag = found
        return self._held[:at], self._held[at + len(tag) :]

    def _safe(self, tags: tuple[str, ...]) -> tuple[str, str]:
        """(what is no beginning of a tag, the rest)"""
        at = self._held.rfind("<")
        if at >= 0 and any(tag.startswith(self._held[at:]) for tag in tags):
            return self._held[:at], self._held[at:]
        return self._held, ""


log = logging.getLogger(__name__)


class TalkSource(PromptSource, Protocol):
    """A talk ready to be rendered; its passages are all that may be left out."""

    @property
    def passages(self) -> tuple[Passage, ...]: ...


RenderTalk = Callable[[PersonaRequest[Any], Callable[[], str]], TalkSource]
"""Of a talk, and of a function that gives what has been said of the answer so far."""


def make_say(
    pool: Pool,
    models: Mapping[Role, Sequence[str]],
    render: RenderTalk,
    *,
    deadline: float = DEADLINE,
    priority: Priority = "default",
    guard: EgressGuard = LOCAL_ONLY,
) -> Say:
    """A `Say` over the pool's hosts; parameters as in `make_infer`."""
    urgency = ("high", "default", "low").index(priority)

    async def say(talk: PersonaRequest[T], /) -> AsyncIterator[str | Completion[T]]:
        listening = _Listening(talk)
        source = render(talk, listening.so_far)
        role = cast("Role", talk.specialty) if talk.specialty else talk.persona.role
        prompt = Prompt(talk.persona.name, role, talk.answer, {}, source.passages)
        heard = listening.hear if listening.free else None
        asking = Asking(pool, prompt, source, deadline, urgency, replace(guard, purpose=prompt.name), heard)
        asked = asyncio.create_task(_asked(asking, _wanted(talk, models)))
        asked.add_done_callback(lambda _: listening.words.put_nowait(None))
        try:
            while (word := await listening.words.get()) is not None:
                yield word
            if rest := listening.rest():
                yield rest
            yield listening.whole(asked.result())
        finally:
            asked.cancel()
            await asyncio.wait([asked])

    return say


async def _asked(asking: Asking[T], wanted: Sequence[str]) -> Completion[T]:
    try:
        return await asking.run(wanted)
    except (HobError, ValueError) as error:
        # The persona's file or an answer's schema are wrong: our own mistake, not the model's.
        log.exception("%s could not be asked", asking.prompt.name)
        return Completion(failure="invalid", reason=f"{asking.prompt.name} could not be asked: {error}")


def _wanted(talk: PersonaRequest[Any], models: Mapping[Role, Sequence[str]]) -> Sequence[str]:
    """Names of models, best first. A specialty is the host's, so any model of ours that such a host has will
    do."""
    if talk.model:
        return (talk.model,)
    own = models.get(talk.persona.role, ())
    if not talk.specialty:
        return own
    others = (name for role, names in models.items() if role != "embed" for name in names)
    return tuple(dict.fromkeys((*own, *others)))


@dataclass(slots=True)
class _Listening(Generic[T]):
    """What has been heard of one answer, over all tries."""

    talk: PersonaRequest[T]
    words: asyncio.Queue[str | None] = field(default_factory=asyncio.Queue)
    _said: list[str] = field(default_factory=list)
    _unthinking: Unthinking = field(default_factory=Unthinking)
    _joining: Joining | None = None

    @property
    def free(self) -> bool:
        return self.talk.answer is Spoken

    def hear(self, word: str) -> None:
        self._show(self._joined(self._unthinking(word)))

    def so_far(self) -> str:
        """Asked for when a try begins: what a broken one left half thought is forgotten."""
        self._unthinking = Unthinking()
        if self._joining:
            self._show(self._joining.rest())
        said = "".join(self._said)
        self._joining = Joining(said) if said.strip() else None
        return said

    def rest(self) -> str:
        """What was held back at the end."""
        rest = self._joined(self._unthinking.rest())
        if self._joining and not self._joining.done:
            rest += self._joining.rest()
        if rest:
            self._said.append(rest)
        return rest

    def _joined(self, words: str) -> str:
        return self._joining(words) if self._joining else words

    def _show(self, words: str) -> None:
        if words:
            self._said.append(words)
            self.words.put_nowait(words)

    def whole(self, completion: Completion[T]) -> Completion[T]:
        """The completion with the text of all its tries."""
        if not self.free:
            return completion
        text = "".join(self._said).strip()
        value = cast("T", Spoken(text)) if completion.value is not None and text else completion.value
        note = ""
        if value is not None and self._joining:
            note = f"The answer broke off and was carried on by {completion.model} on {completion.host}."
        return replace(completion, value=value, text=text, note=note)
