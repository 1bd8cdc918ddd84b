"""The port `Embed` behind which hosts and embedding models are: by the same rules, places and guards as
`Infer`.

What some models want before a text to know what its vector is for; Ollama sends texts as they are.

https://huggingface.co/nomic-ai/nomic-embed-text-v1.5, intfloat/e5-large-v2,
mixedbread-ai/mxbai-embed-large-v1, Snowflake/snowflake-arctic-embed-l, BAAI/bge-large-en-v1.5,
google/embeddinggemma-300m, Qwen/Qwen3-Embedding-0.6B
"""

import asyncio
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.core.context_packing import size as size_of
from bot.core.credentials import Hidden
from bot.core.events import Priority
from bot.core.hosts import HostModel
from bot.core.inference import Embed, Embedding, Failure, Purpose, Role
from bot.inference import token_budget
from bot.inference.egress import LOCAL_ONLY, EgressGuard
from bot.inference.guarded_call import GuardedCall
from bot.inference.hosts.pool import Pool
from bot.inference.runners import Broken, HostTooSlow, PromptTooLong, RunnerError

_PASSAGES = "Represent this sentence for searching relevant passages: "
_TASK = "Instruct: Given a description of a problem, retrieve the code or the text that is about it\nQuery:"
_PREFIXES: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("nomic-embed",), "search_document: ", "search_query: "),
    (("e5-", "multilingual-e5"), "passage: ", "query: "),
    (("mxbai-embed", "snowflake-arctic-embed", "bge-small", "bge-base", "bge-large"), "", _PASSAGES),
    (("embeddinggemma",), "title: none | text: ", "task: search result | query: "),
    (("qwen3-embedding",), "", _TASK),
)
"""Beginnings of a model's name without its namespace; what goes before a document; what before a query."""


def prefixed(model: str, text: str, purpose: Purpose) -> str:
    """The text as this model wants it."""
    name = model.lower().rpartition("/")[2]
    for names, document, query in _PREFIXES:
        if name.startswith(names):
            return (query if purpose == "query" else document) + text
    return text


MOST_TEXTS = 32
MOST_SIZE = 48_000
"""Of the texts of one request, so that whoever waits for the host with a prompt gets his turn soon."""
_TRIES = 5
_SHORTER = 0.6
"""Of a text's length that a host refuses; the next request tries a tenth more again."""
_SPECIAL = 8
"""Tokens that a model puts around a text."""
_NOTHING = "."
"""In place of a text of which nothing can be sent: hosts refuse an empty one, or give no vector for it."""


def make_embed(
    pool: Pool,
    models: Mapping[Role, Sequence[str]],
    *,
    priority: Priority = "low",
    guard: EgressGuard = LOCAL_ONLY,
) -> Embed:
    """An `Embed` over the pool's hosts; parameters as in `make_infer`. A person waits for a query (high), an
    index is made in the background (low)."""
    urgency = ("high", "default", "low").index(priority)
    asked = _Asked(pool, models.get("embed", ()), urgency, replace(guard, purpose="embed"))

    async def embed(texts: Sequence[str], /, purpose: Purpose = "document", model: str = "") -> Embedding:
        made = _Made(model)
        begun = asyncio.get_running_loop().time()
        try:
            for batch in _batches(texts):
                made.vectors += await asked.batch(batch, purpose, made)
        except _NoneMade as none:
            return Embedding(failure=none.failure, reason=str(none))
        seconds = asyncio.get_running_loop().time() - begun
        vectors = tuple(map(_normal, made.vectors))
        return Embedding(vectors, made.model, host=made.host, cut=made.cut, seconds=seconds)

    return embed


def identity(model: HostModel) -> str:
    """Names a model's very weights where the host tells: vectors of others cannot be compared."""
    digest = model.digest.removeprefix("sha256:")[:12]
    return f"{model.name}@{digest}" if digest else model.name


class _NoneMade(Exception):
    def __init__(self, failure: Failure, reason: str) -> None:
        super().__init__(reason)
        self.failure = failure


@dataclass(slots=True)
class _Made:
    """Of one call so far. Once a model has answered, no other one is asked."""

    model: str
    host: str = ""
    cut: int = 0
    vectors: list[list[float]] = field(default_factory=list)


@dataclass(slots=True)
class _Asked:
    """The hosts as one `Embed` asks them. `ratios`: how much text a token was found to hold, by model."""

    pool: Pool
    wanted: Sequence[str]
    urgency: int
    guard: EgressGuard
    ratios: dict[str, float] = field(default_factory=dict)

    async def batch(self, texts: Sequence[str], purpose: Purpose, made: _Made) -> list[list[float]]:
        """Vectors by the first host that gives them; `_NoneMade`."""
        found = await self.pool.candidates("embed", self.wanted, self.guard)
        left = [candidate for candidate in found.candidates if made.model in {"", identity(candidate.model)}]
        none = _NoneMade("no_host", found.reason if not found.candidates else f"no host has {made.model} now")
        tokens = token_budget.tokens(sum(map(size_of, texts)), token_budget.START_RATIO)
        while left:
            async with self.pool.place(left, self.urgency, tokens, self.guard) as place:
                left.remove(place.candidate)
                try:
                    return await self._at(place, texts, purpose, made)
                except RunnerError as error:
                    self.pool.failed(place.candidate.host, error)
                    none = _NoneMade(_failure(error), f"{place.candidate.host.name} made no vectors: {error}")
        raise none

    async def _at(
        self, place: GuardedCall, texts: Sequence[str], purpose: Purpose, made: _Made
    ) -> list[list[float]]:
        """Vectors by one host. A text that is too long for it is cut; one answer that cannot be used is
        forgiven; `RunnerError`."""
        name = place.candidate.model.name
        ratio, broken, most = self.ratios.get(name, token_budget.START_RATIO), False, 0
        for number in range(_TRIES):
            self.ratios[name] = ratio if number else min(token_budget.TYPICAL_RATIO, ratio * 1.1)
            most = max(1, int((place.candidate.model.context_length - _SPECIAL) * ratio))
            given = [prefixed(name, self._sendable(place, text), purpose) for text in texts]
            sent = [_beginning(text, most) for text in given]
            try:
                vectors = await place.embed(name, sent)
            except PromptTooLong:
                ratio *= _SHORTER
            except Broken:
                if broken:
                    raise
                broken = True
            else:
                made.model, made.host = identity(place.candidate.model), place.candidate.host.name
                made.cut += sum(part != text for part, text in zip(sent, given, strict=True))
                return vectors
        raise PromptTooLong(f"its model refuses even {most} characters")

    def _sendable(self, place: GuardedCall, text: str) -> str:
        """The text without credentials, where it leaves the network; one that they cannot be cut out of
        stays here, and the others of its batch go."""
        if not text.strip():
            return _NOTHING
        cleaned = self.guard.clean(text) if place.candidate.host.online else Hidden(text)
        return cleaned.text if cleaned else _NOTHING


def _failure(error: RunnerError) -> Failure:
    match error:
        case PromptTooLong():
            return "too_large"
        case HostTooSlow():
            return "timeout"
        case Broken():
            return "invalid"
        case _:
            return "no_host"


def _batches(texts: Sequence[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for text in texts:
        if batch and (len(batch) == MOST_TEXTS or size + size_of(text) > MOST_SIZE):
            yield batch
            batch, size = [], 0
        batch.append(text)
        size += size_of(text)
    if batch:
        yield batch


def _beginning(text: str, most: int) -> str:
    """As much of a text as is of this size."""
    while (size := size_of(text)) > most:
        text = text[: min(len(text) - 1, len(text) * most // size)]
    return text


def _normal(vector: Sequence[float]) -> tuple[float, ...]:
    norm = math.sqrt(sum(number * number for number in vector))
    return tuple(number / norm for number in vector) if norm else tuple(vector)
