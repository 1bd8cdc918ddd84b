"""A prompt made into a request that fits one seat."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from bot.core.inference import Passage, Prompt, T
from bot.inference import fit
from bot.inference.runners import ChatRequest
from bot.inference.seats import Seat

_ROOM_FOR_NOTE = 600
"""Size kept free for what a model is told about an answer that was no good."""


class Texts(Protocol):
    """A rendered prompt."""

    @property
    def system(self) -> str: ...
    @property
    def user(self) -> str: ...
    @property
    def turns(self) -> tuple[tuple[str, str], ...]: ...


class PromptSource(Protocol):
    """A prompt file, as `bot.prompting` loads it."""

    @property
    def temperature(self) -> float: ...
    @property
    def max_tokens(self) -> int: ...
    def messages(self, inputs: Mapping[str, str], passages: tuple[Passage, ...]) -> Texts: ...


@dataclass(frozen=True, slots=True)
class Fitted:
    """A request that fits a seat, and what of the prompt is in it."""

    request: ChatRequest
    packed: fit.Packed

    @property
    def size(self) -> int:
        turns = sum(fit.size(text) for _, text in self.request.turns)
        return fit.size(self.request.system) + fit.size(self.request.user) + turns


def fitted(
    prompt: Prompt[T],
    file: PromptSource,
    schema: dict[str, Any],
    seat: Seat,
    limit: int,
    ratio: float,
    note: str = "",
) -> Fitted | None:
    """The request with as many passages as `limit` tokens take; None when not even what it needs fits.
    `ratio` is size per token, `note` comes last. The window that the host is asked for is the seat's,
    whatever the limit."""
    max_tokens = min(file.max_tokens, limit // 4)
    texts = file.messages(prompt.inputs, ())
    space = fit.room(limit, max_tokens, ratio) - _ROOM_FOR_NOTE
    # The model reads the schema too: as a tool's, or in words where a host does not take it.
    space -= fit.size(texts.system) + fit.size(texts.user) + fit.size(json.dumps(schema))
    packed = fit.pack(prompt.passages, space) if space >= 0 else None
    if packed is None:
        return None
    if packed.passages:
        texts = file.messages(prompt.inputs, packed.passages)
    user = f"{texts.user}{note}"
    request = ChatRequest(
        seat.model,
        texts.system,
        user,
        schema,
        seat.num_ctx,
        max_tokens,
        file.temperature,
        turns=texts.turns,
        prompt=prompt.name,
    )
    return Fitted(request, packed)
