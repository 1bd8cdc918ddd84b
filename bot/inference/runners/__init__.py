"""What a kind of model host can do, behind one Protocol; each module here speaks to one kind.

RunnerError
├── HostDown      it cannot be reached, or it answers with something else than its API
├── ModelMissing  it is up and does not have the model
├── TooLong       it says that the prompt is longer than it can read
├── TooSlow       no token within the idle deadline
├── NotSent       it is online, and the prompt must not go there
├── Unsupported   this kind of host cannot do that (embeddings, tools)
└── Broken        the answer stopped in the middle, was an error, or grew without end
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal, Protocol

from bot.core.errors import HobError
from bot.core.hosts import HostModel
from bot.core.inference import Tool, ToolCall
from bot.core.pictures import Picture


class RunnerError(HobError):
    """A host did not give an answer; the message is for a person and does not name the host."""


class HostDown(RunnerError):
    """Not reachable, or no such API there."""


class ModelMissing(RunnerError):
    """The host does not have the model."""


class PromptTooLong(RunnerError):
    """The prompt is longer than the host reads. `sent` and `limit` in tokens, where the host named them."""

    def __init__(self, message: str, sent: int | None = None, limit: int | None = None) -> None:
        super().__init__(message)
        self.sent = sent
        self.limit = limit


class HostTooSlow(RunnerError):
    """No token came within the idle deadline."""


class NotSent(RunnerError):
    """The host was not asked: privacy, the budget, or a credential in the prompt forbids it."""


class Unsupported(RunnerError):
    """Nothing of this kind is to be had from this kind of host."""


class Broken(RunnerError):
    """The answer is not whole."""


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One question. `num_ctx` is the same for every request to one model of one host: another value makes
    Ollama load the model anew."""

    model: HostModel
    system: str
    user: str
    schema: dict[str, Any]
    """Empty: the answer is free text."""
    num_ctx: int
    max_tokens: int
    temperature: float = 0.0
    tools: tuple[Tool, ...] = ()
    """`Unsupported` where the host or the model has none."""
    turns: tuple[tuple[str, str], ...] = ()
    """(`user` or `assistant`, text) of what was said before `user`."""
    prompt: str = ""
    """The prompt file or the agent that asks."""
    images: tuple[Picture, ...] = ()
    """Shown with `user`."""


def without_images(request: ChatRequest) -> None:
    """For kinds that show none: `Unsupported` instead of an answer by a model that saw nothing."""
    if request.images:
        raise Unsupported("no pictures can be shown to this kind of host")


def chat_turns(request: ChatRequest) -> list[dict[str, Any]]:
    """All of a request but the system's words, as chat APIs take it."""
    return [{"role": role, "content": text} for role, text in (*request.turns, ("user", request.user))]


Stopped = Literal["", "length", "filter", "abort"]


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer as it came. `tokens_in` is None where the host does not count."""

    text: str
    tokens_in: int | None = None
    tokens_out: int = 0
    first_token_seconds: float = 0.0
    stopped: Stopped = ""
    """Why it is not whole: `length` is `max_tokens` or the window, `filter` a host that would not say it,
    `abort` one that gave up."""
    thinking: str = ""
    load_seconds: float = 0.0
    """Of it, how long the host loaded the model."""
    tokens_cached: int | None = None
    """Of `tokens_in`, those that the host had read before; None where it does not say."""
    reading_seconds: float = 0.0
    """How long it read the others; 0 where it does not say."""
    tool_calls: tuple[ToolCall, ...] = ()
    """What the model wants called; `text` is mostly empty then."""
    hidden: tuple[str, ...] = ()
    """The kinds of credentials that were hidden in the request."""

    @property
    def complete(self) -> bool:
        return not self.stopped


Heard = Callable[[str], None]
"""Called with each piece of the answer as it comes, and with nothing for each of the thoughts before it."""


class Runner(Protocol):
    """One host of one kind."""

    async def models(self) -> tuple[HostModel, ...]:
        """What the host has; `HostDown`."""
        ...

    async def chat(self, request: ChatRequest, heard: Heard | None = None) -> Reply:
        """One answer; `RunnerError`. Cancelling it makes the host stop."""
        ...

    async def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """One vector for each text, all of one length; `RunnerError`, which is `Unsupported` where the kind
        has none."""
        ...

    async def loaded(self) -> tuple[str, ...]:
        """The models that are in the host's memory now; empty too where it does not say. `HostDown`."""
        ...

    async def aclose(self) -> None:
        """Closes its connections."""
        ...


def without_tools(request: ChatRequest) -> None:
    """For kinds that offer none: `Unsupported` instead of an answer by a model that was told of no tool."""
    if request.tools:
        raise Unsupported("no tools are to be had from this kind of host")


def vectors(values: object, texts: Sequence[str]) -> list[list[float]]:
    """What a host gave as embeddings, checked: a vector of finite numbers for each text; `Broken`."""
    if isinstance(values, list) and len(values) == len(texts):
        found = [_vector(value) for value in values]
        if all(found) and len({len(vector) for vector in found}) <= 1:
            return found
    raise Broken("it gave no embeddings that can be used")


def _vector(value: object) -> list[float]:
    """Empty for what is no vector."""
    if not isinstance(value, list) or not all(type(item) in (int, float) for item in value):
        return []
    vector = [float(item) for item in value]
    return vector if all(map(isfinite, vector)) else []
