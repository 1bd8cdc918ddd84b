"""The second port that an agent has to a model: free text, heard as it comes.

`Infer` (bot.core.inference) asks one of our own prompt files for a value. `Say` takes a `PersonaRequest`, a
system prompt with what was said, and gives the words one by one. Both go through the same hosts, fit and
rules, and for both a failure is a value."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol, Self

from bot.core.code_search import Citation, unproved
from bot.core.inference import Completion, Passage, Role, T

Speaker = Literal["user", "assistant"]


@dataclass(frozen=True, slots=True)
class Spoken:
    """Free text as an answer's type: its schema is empty, and every text that is not blank is one."""

    text: str

    @classmethod
    def model_json_schema(cls) -> dict[str, Any]:
        return {}

    @classmethod
    def model_validate_json(cls, json_data: str | bytes) -> Self:
        """ValueError for a blank text."""
        text = json_data if isinstance(json_data, str) else json_data.decode("utf-8", "replace")
        if not text.strip():
            raise ValueError("the answer is empty")
        return cls(text.strip())


@dataclass(frozen=True, slots=True)
class Answered:
    """The end of an answer: all of its text, which of its citations stand, and what it cost."""

    completion: Completion[Spoken]
    citations: tuple[Citation, ...] = ()
    dropped: int = 0
    """Places that were cited and do not stand."""

    @property
    def unproved(self) -> str:
        """A sentence where places are cited and none stands."""
        return unproved(self.dropped, len(self.citations)) if self.completion.value else ""

    @property
    def text(self) -> str:
        return self.completion.value.text if self.completion.value else ""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one of the two said."""

    speaker: Speaker
    text: str


@dataclass(frozen=True, slots=True)
class EarlierTurn(Passage):
    """An earlier turn, which is left out of a small window as other passages are, and sent as a turn."""

    speaker: Speaker = "user"


@dataclass(frozen=True, slots=True)
class Persona:
    """A file of `prompts/agents/`: a system prompt, and how its answers are asked for."""

    name: str
    system: str
    role: Role = "chat"
    temperature: float = 0.2
    max_tokens: int = 1024
    """How long an answer may be, in tokens."""


@dataclass(frozen=True, slots=True)
class PersonaRequest(Generic[T]):
    """A question to a persona. The last turn is the user's and is what is asked; those before it are the
    first to be left out of a small window, the oldest first. `answer` is `Spoken` for free text, else a type
    with a schema."""

    persona: Persona
    turns: tuple[Turn, ...]
    answer: type[T]
    passages: tuple[Passage, ...] = ()
    model: str = ""
    """Instead of the role's models: `NAME` or `NAME@HOST`."""
    specialty: str = ""
    """Instead of the persona's role: only hosts that list it in `roles`, or none at all, are asked."""


class Say(Protocol):
    """Asks a model. `async for piece in say(talk)`: pieces of the text, then exactly one `Completion`, last.
    Leaving the loop early (`aclose`) makes the host stop."""

    def __call__(self, talk: PersonaRequest[T], /) -> AsyncIterator[str | Completion[T]]: ...


async def said(say: Say, talk: PersonaRequest[T]) -> Completion[T]:
    """The whole answer, for who does not listen."""
    answer: Completion[T] = Completion(failure="no_host", reason="nothing was said")
    async for piece in say(talk):
        if isinstance(piece, Completion):
            answer = piece
    return answer
