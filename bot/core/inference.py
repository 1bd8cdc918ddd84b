"""The one port that an agent has to a model: an `Infer` takes a `Prompt` and gives a `Completion`. Beside it
`Embed`, which makes vectors of texts.

Everything behind it (which host, which model, what fits, repair, re-asking) is the business of
`bot.inference`. A failure is a value, never an exception: an agent says honestly what was not read.

One call of a model, as it is remembered: a line of a run's trace.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, Protocol, Self, TypeVar

from bot.core.effects import Usage


@dataclass(frozen=True, slots=True)
class ModelCall:
    """Who was asked what, and what it cost. `at` is epoch seconds; `failure` is empty for an answer that
    could be used, else why it could not; `left_out` names what the
    model did not get: passages, and credentials that were hidden."""

    at: float
    prompt: str
    role: str
    host: str
    model: str
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0
    first_token_seconds: float = 0.0
    failure: str = ""
    left_out: tuple[str, ...] = ()
    cost_usd: float = 0.0
    cached: bool = False


Role = Literal["review", "code", "triage", "chat", "embed"]
Failure = Literal["no_host", "too_large", "invalid", "truncated", "timeout", "budget"]


class AnswerModel(Protocol):
    """What a structured answer's type offers; every pydantic model does."""

    @classmethod
    def model_json_schema(cls) -> dict[str, Any]: ...

    @classmethod
    def model_validate_json(cls, json_data: str | bytes) -> Self: ...


T = TypeVar("T", bound=AnswerModel)


@dataclass(slots=True)
class Allowance:
    """How many calls of models several questions may make between them."""

    left: int

    def take(self) -> bool:
        """Whether one more may be made, which then counts."""
        if self.left < 1:
            return False
        self.left -= 1
        return True


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of context that may be left out when the window is small.

    `priority`: the lower, the later it is dropped; 0 is never dropped (then the prompt is too large).
    """

    name: str
    text: str
    priority: int = 1


@dataclass(frozen=True, slots=True)
class Prompt(Generic[T]):
    """A question: the name of a file in `prompts/`, its declared inputs, passages by priority, the answer's
    type."""

    name: str
    role: Role
    answer: type[T]
    inputs: Mapping[str, str] = field(default_factory=dict)
    passages: tuple[Passage, ...] = ()
    behind: int = 0
    """So many questions of the same kind come after it: a slow host that is free is worth while for them."""
    retries: Allowance | None = field(default=None, compare=False)
    """Of which every call past the question's first takes one; None: each question has its own few."""


@dataclass(frozen=True, slots=True)
class Completion(Generic[T]):
    """What came back. Exactly one of `value` and `failure` is set."""

    value: T | None = None
    failure: Failure | None = None
    reason: str = ""
    """For a person: why there is no value, one sentence."""
    text: str = ""
    backend: str = ""
    """The kind of host that was asked last: `ollama`, `openai`, …"""
    host: str = ""
    model: str = ""
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0
    first_token_seconds: float = 0.0
    left_out: tuple[str, ...] = ()
    """Names of the passages that did not fit and were not read."""
    cut: tuple[str, ...] = ()
    """Names of the passages of which only the beginning was read."""
    calls: int = 0
    """How often a model was asked; tokens, seconds and cost are of all these calls together."""
    hidden: tuple[str, ...] = ()
    """The kinds of credentials that were taken out before a host outside the network was asked."""
    cost_usd: float = 0.0
    dropped: int = 0
    """Items of the answer's lists that could not be understood and are not in `value`."""
    note: str = ""
    """For a reader, one sentence: what is to be known of how the answer came about."""
    cached: bool = False
    """Nobody was asked: the very same question was answered before."""

    @property
    def truncated(self) -> bool:
        """Whether part of what was to be read was not."""
        return bool(self.left_out or self.cut)

    def usage(self, purpose: str) -> tuple[Usage, ...]:
        """For the ledger; empty when no model was reached."""
        if not self.model:
            return ()
        return (Usage(purpose, self.host, self.model, self.tokens_in, self.tokens_out, self.seconds),)


class Infer(Protocol):
    """Asks a model. `await infer(prompt)`."""

    async def __call__(self, prompt: Prompt[T], /) -> Completion[T]: ...


Purpose = Literal["document", "query"]
"""What a text is embedded for: to be found, or to find others. Some models want to be told."""


@dataclass(frozen=True, slots=True)
class Embedding:
    """What came back for some texts. There are either `vectors` or a `failure`."""

    vectors: tuple[tuple[float, ...], ...] = ()
    """One for each text, all of one length and of norm 1: their cosine is their dot product."""
    model: str = ""
    """Which very model made them, `NAME@DIGEST` where the host tells: only its own vectors compare."""
    failure: Failure | None = None
    reason: str = ""
    """For a person: why there are none, one sentence."""
    host: str = ""
    cut: int = 0
    """Of so many texts only the beginning was read."""
    seconds: float = 0.0


class Embed(Protocol):
    """Makes vectors of texts that are near each other where the texts mean like things.

    `await embed(texts)`; `model`, as an earlier answer named it, asks that very model or nobody. A failure is
    a value."""

    async def __call__(
        self, texts: Sequence[str], /, purpose: Purpose = "document", model: str = ""
    ) -> Embedding: ...
