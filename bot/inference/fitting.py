"""A prompt made into a request that fits one seat."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from bot.core.inference import Passage, Prompt, T
from bot.inference import fit
from bot.inference.pool import Seat
from bot.inference.runners import ChatRequest

_ROOM_FOR_NOTE = 600
"""Size kept free for what a model is told about an answer that was no good."""


class Texts(Protocol):
    """A rendered prompt."""

    @property
    def system(self) -> str: ...
    @property
    def user(self) -> str: ...


class PromptSource(Protocol):
    """A prompt file, as `bot.prompting` loads it."""

    @property
    def temperature(self) -> float: ...
    @property
    def max_tokens(self) -> int: ...
    def messages(self, inputs: Mapping[str, str], passages: tuple[Passage, ...]) -> Texts: ...


class Ratios:
    """Text size per token, learned for each model from what hosts count."""

    def __init__(self) -> None:
        self._known: dict[str, float] = {}

    def of(self, model: str) -> float:
        """The best guess so far."""
        return self._known.get(model, fit.START_RATIO)

    def learn(self, model: str, size: int, tokens: int) -> None:
        """A host has counted a text; short ones are mostly its own chat template and teach nothing."""
        if size >= 500:
            self._known[model] = fit.learned(self.of(model), size, tokens)

    def shrink(self, model: str) -> None:
        """A host refused a text that should have fitted, and did not say how many tokens it counted."""
        self._known[model] = 0.6 * self.of(model)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A request that fits a seat, and what of the prompt is in it."""

    request: ChatRequest
    packed: fit.Packed

    @property
    def size(self) -> int:
        return fit.size(self.request.system) + fit.size(self.request.user)


def fitted(
    prompt: Prompt[T],
    file: PromptSource,
    schema: dict[str, Any],
    seat: Seat,
    limit: int,
    ratio: float,
    note: str,
) -> Fitted | None:
    """The request with as many passages as `limit` tokens take; None when not even what it needs fits. The window that
    the host is asked for is the seat's, whatever the limit."""
    max_tokens = min(file.max_tokens, limit // 2)
    texts = file.messages(prompt.inputs, ())
    space = (
        fit.room(limit, max_tokens, ratio) - _ROOM_FOR_NOTE - fit.size(texts.system) - fit.size(texts.user)
    )
    packed = fit.pack(prompt.passages, space) if space >= 0 else None
    if packed is None:
        return None
    if packed.passages:
        texts = file.messages(prompt.inputs, packed.passages)
    user = f"{texts.user}{note}"
    request = ChatRequest(seat.model, texts.system, user, schema, seat.num_ctx, max_tokens, file.temperature)
    return Fitted(request, packed)
