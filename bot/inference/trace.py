"""What is kept of a run's questions: a trace of each call, and in the cache what need not be asked again."""

import hashlib
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from bot.core.inference import ModelCall
from bot.inference.cache import Cache, name_of
from bot.inference.hosts.known_host import Candidate
from bot.inference.runners import Reply
from bot.inference.token_budget import Fitted

_FENCE = re.compile(r"<data-([0-9a-f]{12})\b")


def _nobody(_: ModelCall) -> None:
    """Nobody wants to know."""


@dataclass(slots=True)
class TracedCall:
    """One call under way. Whoever makes it sets `reply` when it is there."""

    trace: "Trace"
    prompt: str
    role: str
    candidate: Candidate
    asked: Fitted
    begun: float = field(default_factory=time.monotonic)
    reply: Reply | None = None
    cached: bool = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        reply = self.reply or Reply("")
        self.trace.note(
            ModelCall(
                at=time.time(),
                prompt=self.prompt,
                role=self.role,
                host=self.candidate.host.name,
                model=self.candidate.model.name,
                tokens_in=reply.tokens_in or 0,
                tokens_out=reply.tokens_out,
                tokens_cached=0 if self.cached else reply.tokens_cached or 0,
                seconds=time.monotonic() - self.begun,
                first_token_seconds=0.0 if self.cached else reply.first_token_seconds,
                failure="" if error is None else str(error) or type(error).__name__,
                cost_usd=0.0
                if self.cached
                else self.candidate.host.cost(reply.tokens_in or 0, reply.tokens_out),
                left_out=(*self.asked.packed.left_out, *(f"hidden: {kind}" for kind in reply.hidden)),
                cached=self.cached,
                said=self._said(reply),
            )
        )

    def _said(self, reply: Reply) -> tuple[tuple[str, str], ...]:
        request = self.asked.request
        answer = (("assistant", reply.text),) if self.reply else ()
        return (("system", request.system), *request.turns, ("user", request.user), *answer)

    def recall(self) -> Reply | None:
        """The answer that this very question had before."""
        name = self.trace.name(self.candidate, self.asked)
        found = self.trace.cache.get(name) if name and self.trace.cache else None
        if found is None:
            return None
        self.cached = True
        self.reply = Reply(**json.loads(found))
        return self.reply

    def keep(self, reply: Reply) -> None:
        """Remembers an answer that could be used."""
        name = self.trace.name(self.candidate, self.asked)
        if name and self.trace.cache and not self.cached and reply.complete:
            kept = {"text": reply.text, "tokens_in": reply.tokens_in, "tokens_out": reply.tokens_out}
            self.trace.cache.put(name, json.dumps(kept).encode())


@dataclass(frozen=True, slots=True)
class Trace:
    """For one run about one repository (its id)."""

    repository: int = 0
    cache: Cache | None = None
    note: Callable[[ModelCall], None] = _nobody

    def step(self, prompt: str, role: str, candidate: Candidate, asked: Fitted) -> TracedCall:
        """A call that begins now; a context manager that notes it when it ends."""
        return TracedCall(self, prompt, role, candidate, asked)

    def name(self, candidate: Candidate, asked: Fitted) -> str:
        """Under which the question's answer is kept; empty for one that may be answered anew each time: at a
        temperature, with tools, or by a model of which it is not known whether it is still the same."""
        request = asked.request
        if (
            not self.cache
            or not self.repository
            or request.temperature != 0
            or request.tools
            or not candidate.model.digest
        ):
            return ""
        fence = _FENCE.search(request.user) or _FENCE.search(request.system)
        texts = [request.system, request.user, *(part for turn in request.turns for part in turn)]
        texts += [hashlib.sha256(one.data).hexdigest() for one in request.images]
        if fence:  # new for every request, and in none of the data
            texts = [text.replace(fence[1], "\0") for text in texts]
        model = (candidate.model.name, candidate.model.digest, candidate.host.kind)
        return name_of(
            self.repository, "answer", model, texts, request.schema, request.num_ctx, request.max_tokens
        )


NO_TRAIL = Trace()
