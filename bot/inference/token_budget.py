"""What fits into a model's window, decided here and never by the host. Pure.

Hosts cut silently (Ollama drops the oldest messages and answers 200), so a prompt is measured before it
is sent and the host's own count is compared afterwards. Tokens are estimated from the text's size by a
ratio learned per model.

A prompt made into a request that fits one candidate's window.

What is known of models' vocabularies.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from math import ceil
from typing import Any

from bot.core.context_packing import FittedPassages, pack, pack_passages, passage_size, size
from bot.core.inference import Passage, Prompt, PromptTexts, T
from bot.inference.hosts.known_host import Candidate
from bot.inference.runners import ChatRequest


class Ratios:
    """Text size per token, learned for each model from what hosts count."""

    def __init__(self) -> None:
        self._known: dict[str, float] = {}

    def of(self, model: str) -> float:
        """The best guess so far."""
        return self._known.get(model, START_RATIO)

    def learn(self, model: str, size: int, tokens: int) -> None:
        """A host has counted a text; short ones are mostly its own chat template and teach nothing."""
        if size >= 500:
            self._known[model] = learned(self.of(model), size, tokens)

    def shrink(self, model: str) -> None:
        """A host refused a text that should have fitted, and did not say how many tokens it counted."""
        self._known[model] = 0.6 * self.of(model)


START_RATIO = 3.0
"""Size per token before a model's first count: code in common vocabularies has 3 to 4."""
TYPICAL_RATIO = 3.5
IMPLAUSIBLE_RATIO = 6.0
"""More size per token than this is either an unusual vocabulary or a prompt that was cut."""
_TEMPLATE = 64
"""Tokens that a host's chat template adds."""


def tokens(amount: int, ratio: float) -> int:
    """The estimate for a text of this size."""
    return ceil(amount / ratio) + _TEMPLATE


def room(num_ctx: int, max_tokens: int, ratio: float) -> int:
    """How much size fits beside the answer, with a twentieth kept back because a ratio is only an average."""
    return max(0, int((num_ctx - max_tokens - _TEMPLATE - num_ctx // 20) * ratio))


def learned(ratio: float, amount: int, counted: int) -> float:
    """The ratio after a host has counted a prompt: down at once (too much was sent), up by halves."""
    seen = min(8.0, max(0.5, amount / max(1, counted)))
    return seen if seen < ratio else (ratio + seen) / 2


def implausible(amount: int, counted: int, ratio: float) -> bool:
    """Whether so few tokens for a prompt of this size make it likely that the host cut it."""
    return amount / max(1, counted) > max(IMPLAUSIBLE_RATIO, 1.25 * ratio)


def same_ratio(first: tuple[int, int], second: tuple[int, int]) -> bool:
    """Whether two (size, tokens) tell of one vocabulary. A host that cuts counts about the same for half
    the text."""
    one, other = (amount / max(1, counted) for amount, counted in (first, second))
    return abs(one - other) <= 0.25 * max(one, other)


def is_cut(counted: int, half: int) -> bool:
    """Whether the counts of a prompt and of its half are those of a host that cuts both to one length."""
    return abs(counted - half) <= 0.1 * counted


def prompt_tokens(prompt: Prompt[Any]) -> int:
    """About how many a prompt has."""
    texts = (
        *prompt.inputs.values(),
        *(one.text for one in prompt.passages),
        *(one.text for one in prompt.turns),
    )
    return tokens(sum(map(len, texts)), START_RATIO)


def shared_tokens(prompt: Prompt[Any]) -> int:
    """About how many of them it begins with as others do."""
    begun = prompt.beginning
    if begun is None:
        return 0
    texts = (*prompt.inputs.values(), *(one.text for one in prompt.passages[: begun.passages]))
    return tokens(sum(map(len, texts)), START_RATIO)


_ROOM_FOR_NOTE = 600
"""Size kept free for what a model is told about an answer that was no good."""


Render = Callable[[Prompt[Any], Sequence[Passage], str], PromptTexts]
"""(a prompt, those of its passages that fit, what has been said of the answer so far) -> what a model is
told; HobError for a prompt that cannot be put."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A request that fits a candidate's window, and what of the prompt is in it."""

    request: ChatRequest
    packed: FittedPassages

    @property
    def size(self) -> int:
        turns = sum(size(text) for _, text in self.request.turns)
        return size(self.request.system) + size(self.request.user) + turns + tools_size(self.request)


def tools_size(request: ChatRequest) -> int:
    """Of what a model is told of its tools, the answer among them."""
    if not request.tools:
        return 0
    return size(json.dumps([asdict(each) for each in request.tools])) + size(json.dumps(request.schema))


@dataclass(frozen=True, slots=True)
class FittedTexts:
    """What a model is told in a window, what of the passages is in it, and how many tokens the answer may
    have."""

    texts: PromptTexts
    packed: FittedPassages
    max_tokens: int


def fitted_texts(
    prompt: Prompt[T],
    render: Render,
    schema: dict[str, Any],
    limit: int,
    ratio: float,
    model: str = "",
    so_far: str = "",
) -> FittedTexts | None:
    """With as many passages as `limit` tokens take; None when not even what it needs fits. `ratio` is size
    per token, `so_far` is what a broken try has said."""
    texts = render(prompt, (), so_far)
    max_tokens = min(texts.max_tokens, limit // 4)
    space = _space(prompt, texts, schema, limit, ratio, max_tokens)
    packed = _packed(prompt, space, (model, limit))
    if prompt.spare and prompt.beginning and not _holds_own(prompt, packed):
        prompt = replace(
            prompt, inputs={**prompt.inputs, **dict.fromkeys(prompt.spare, "")}, beginning=None, spare=()
        )
        texts = render(prompt, (), so_far)
        space = _space(prompt, texts, schema, limit, ratio, max_tokens)
        packed = _packed(prompt, space, (model, limit))
    if packed is None:
        return None
    if packed.passages:
        texts = render(prompt, packed.passages, so_far)
    return FittedTexts(texts, packed, max_tokens)


def fitted(
    prompt: Prompt[T],
    render: Render,
    schema: dict[str, Any],
    candidate: Candidate,
    limit: int,
    ratio: float,
    *,
    note: str = "",
    so_far: str = "",
) -> Fitted | None:
    """The request that fits, as `fitted_texts` has it; `note` comes last. The window that the host is asked
    for is the candidate's, whatever the limit."""
    found = fitted_texts(prompt, render, schema, limit, ratio, candidate.model.name, so_far)
    if found is None:
        return None
    texts = found.texts
    request = ChatRequest(
        candidate.model,
        texts.system,
        f"{texts.user}{note}",
        schema,
        candidate.num_ctx,
        found.max_tokens,
        texts.temperature,
        turns=texts.turns,
        prompt=prompt.name,
        images=prompt.images,
        tools=prompt.tools,
    )
    return Fitted(request, found.packed)


def _space(
    prompt: Prompt[Any],
    texts: PromptTexts,
    schema: dict[str, Any],
    limit: int,
    ratio: float,
    max_tokens: int,
) -> int:
    """The size that is left for passages; the model reads the schema too: as a tool's, or in words where a
    host does not take it."""
    space = room(limit, max_tokens, ratio) - _ROOM_FOR_NOTE
    space -= size(texts.system) + size(texts.user) + size(json.dumps(schema))
    return space - (size(json.dumps([asdict(each) for each in prompt.tools])) if prompt.tools else 0)


def _packed(prompt: Prompt[Any], space: int, window: tuple[str, int]) -> FittedPassages | None:
    """As many passages as fit. What the beginning lacks in one question it lacks in all of them, decided for
    the largest, or hosts would read it anew for each."""
    if space < 0:
        return None
    begun, given = prompt.beginning, prompt.optional
    if begun is None or not begun.passages:
        return pack_passages(given, space)
    shared, own = given[: begun.passages], given[begun.passages :]
    own_size = sum(map(passage_size, own))
    known, fresh = begun.fitting.get(window), _kept(shared, space - max(own_size, begun.beside))
    kept = fresh if known is None or _size(shared, known) + own_size > space else known
    if own_size <= begun.beside or known is None:
        begun.fitting[window] = kept
    packed = pack_passages(own, space - _size(shared, kept))
    if packed is None:
        return None
    left = tuple(one.name for at, one in enumerate(shared) if at not in kept)
    return replace(
        packed,
        passages=(*(shared[at] for at in sorted(kept)), *packed.passages),
        left_out=(*left, *packed.left_out),
    )


def _size(passages: Sequence[Passage], which: frozenset[int]) -> int:
    return sum(passage_size(passages[at]) for at in which)


def _kept(shared: Sequence[Passage], space: int) -> frozenset[int]:
    kept: set[int] = set()
    pack(
        sorted(enumerate(shared), key=lambda one: one[1].priority),
        max(0, space),
        lambda one: passage_size(one[1]),
        lambda one: kept.add(one[0]),
    )
    return frozenset(kept)


def _holds_own(prompt: Prompt[Any], packed: FittedPassages | None) -> bool:
    """Whether all that is not of the beginning is there whole."""
    own = {one.name for one in prompt.optional[prompt.beginning.passages if prompt.beginning else 0 :]}
    return packed is not None and own.isdisjoint((*packed.left_out, *packed.cut))
