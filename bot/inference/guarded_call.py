"""A slot at a host with all that must not be forgotten about a call there: may it leave, what did it cost,
how fast was it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass, replace

from bot.core.context_packing import size as size_of
from bot.core.credentials import Hidden
from bot.core.host_slots import Served
from bot.core.inference import Beginning, Usage
from bot.inference import token_budget
from bot.inference.egress import EgressGuard
from bot.inference.hosts.known_host import Candidate, KnownHost
from bot.inference.runners import ChatRequest, Heard, NotSent, Reply, RunnerError


@dataclass(frozen=True, slots=True)
class GuardedCall:
    """Held for as long as `Pool.place` lasts. `learn` takes in what a call was like, `hearing` counts an
    answer as it comes."""

    candidate: Candidate
    guard: EgressGuard
    known_host: KnownHost
    learn: Callable[[Served], None]
    hearing: Callable[[Heard | None], Heard]
    beginning: Beginning | None = None
    """Of the questions that are asked here."""

    async def chat(self, request: ChatRequest, heard: Heard | None = None) -> Reply:
        """`Runner.chat`, once it is certain that the prompt may go there; `RunnerError`."""
        request, hidden = await self._permitted(request)
        async with self._guarded_call(_texts(request), request.max_tokens) as call:
            read = self.known_host.read(self.candidate.model.name).begin(request, self.beginning)
            try:
                reply = read.ended(await self.known_host.runner.chat(request, self.hearing(heard)))
            finally:
                read.leave()
            reply = replace(reply, hidden=hidden)
            call.served = replace(
                call.served,
                ok=True,
                tokens_in=reply.tokens_in or call.served.tokens_in,
                tokens_out=reply.tokens_out,
                first_token_seconds=reply.first_token_seconds,
                load_seconds=reply.load_seconds,
                tokens_cached=reply.tokens_cached or 0,
            )
        return reply

    async def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """`Runner.embed` under the same rules; `RunnerError`."""
        await self._permit()
        texts = [self._cleaned(text).text for text in texts]
        async with self._guarded_call(texts, 0) as call:
            begun = asyncio.get_running_loop().time()
            vectors = await self.known_host.runner.embed(model, texts)
            # All of the time went into reading: what the pool learns is how fast the host reads.
            reading = asyncio.get_running_loop().time() - begun
            call.served = replace(call.served, ok=True, first_token_seconds=reading)
        return vectors

    @asynccontextmanager
    async def _guarded_call(self, texts: Sequence[str], max_tokens: int) -> AsyncIterator["_Call"]:
        call = _Call(
            Served(
                0.0,
                ok=False,
                tokens_in=token_budget.tokens(sum(map(size_of, texts)), token_budget.TYPICAL_RATIO),
            )
        )
        begun = asyncio.get_running_loop().time()
        with self._in_flight(call.served.tokens_in, max_tokens):
            try:
                yield call
                self.known_host.served()
            except RunnerError as error:
                self.known_host.fault(error)
                raise
            finally:
                served = replace(call.served, seconds=asyncio.get_running_loop().time() - begun)
                self.learn(served)
                await self._record(served)

    async def _permitted(self, request: ChatRequest) -> tuple[ChatRequest, tuple[str, ...]]:
        """The request as it may go there, and the kinds of what was hidden in it; `NotSent`."""
        await self._permit()
        if not self.candidate.host.online:
            return request, ()
        system, user = self._cleaned(request.system), self._cleaned(request.user)
        before = [self._cleaned(text) for _, text in request.turns]
        tools = [self._cleaned(text) for text in _tools(request)]
        if any(one.kinds for one in tools):
            raise NotSent("not asked: it is online, and what it is told of its tools holds a credential")
        turns = tuple((role, one.text) for (role, _), one in zip(request.turns, before, strict=True))
        kinds = tuple(kind for one in (system, user, *before) for kind in one.kinds)
        return replace(request, system=system.text, user=user.text, turns=turns), kinds

    async def _permit(self) -> None:
        host = self.candidate.host
        if host.online and not (verdict := await self.guard.verdict(host)).allowed:
            raise NotSent(f"not asked: {verdict.reason}")

    def _cleaned(self, text: str) -> Hidden:
        """A text without credentials, where it leaves the network; `NotSent` where they cannot be cut out."""
        if not self.candidate.host.online:
            return Hidden(text)
        if (cleaned := self.guard.clean(text)) is None:
            raise NotSent(
                "not asked: it is online, and the prompt holds a credential that cannot be cut out of it"
            )
        return cleaned

    @contextmanager
    def _in_flight(self, tokens_in: int, max_tokens: int) -> Iterator[None]:
        """Counted against the budget at its most until it is in the ledger."""
        host = self.candidate.host
        if not host.online:
            yield
            return
        usd, tokens = host.cost(tokens_in, max_tokens), tokens_in + max_tokens
        self.guard.flight.add(usd, tokens)
        try:
            yield
        finally:
            self.guard.flight.add(-usd, -tokens)

    async def _record(self, served: Served) -> None:
        """One row for each call. A call that broke off counts with the tokens that were sent: providers count
        them too."""
        host = self.candidate.host
        used = Usage(
            self.guard.purpose,
            host.name,
            self.candidate.model.name,
            served.tokens_in,
            served.tokens_out,
            served.seconds,
            served.tokens_cached,
        )
        await asyncio.shield(self.guard.record(used, host.cost(served.tokens_in, served.tokens_out)))


def _texts(request: ChatRequest) -> tuple[str, ...]:
    """All of a request that leaves."""
    return (request.system, *(text for _, text in request.turns), request.user, *_tools(request))


def _tools(request: ChatRequest) -> list[str]:
    return [json.dumps(asdict(each), ensure_ascii=False) for each in request.tools]


@dataclass(slots=True)
class _Call:
    """What is known of a call so far: as long as it has not ended well, what was sent."""

    served: Served
