"""A place at a host with all that must not be forgotten about a call there: may it leave, what did it cost,
how fast was it."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from bot.core.effects import Usage
from bot.core.places import Served
from bot.inference import fit
from bot.inference.door import Door
from bot.inference.guard import Guard
from bot.inference.runners import ChatRequest, Heard, NotSent, Reply, RunnerError
from bot.inference.seats import Seat


@dataclass(frozen=True, slots=True)
class Attended:
    """Held for as long as `Pool.place` lasts. `learn` takes in what a call was like."""

    seat: Seat
    guard: Guard
    door: Door
    learn: Callable[[Served], None]

    async def chat(self, request: ChatRequest, heard: Heard | None = None) -> Reply:
        """`Runner.chat`, once it is certain that the prompt may go there; `RunnerError`."""
        size = fit.size(request.system) + fit.size(request.user)
        guess = Served(0.0, ok=False, tokens_in=fit.tokens(size, fit.TYPICAL_RATIO))
        await self._permit(request)
        loop = asyncio.get_running_loop()
        begun, served = loop.time(), guess
        with self._in_flight(guess, request.max_tokens):
            try:
                reply = await self.door.runner.chat(request, heard)
                served = _served(reply, guess.tokens_in, loop.time() - begun)
                self.door.served()
            except RunnerError as error:
                self.door.fault(error)
                raise
            finally:
                served = replace(served, seconds=loop.time() - begun)
                self.learn(served)
                await self._record(served)
        return reply

    async def _permit(self, request: ChatRequest) -> None:
        host = self.seat.host
        if not host.online:
            return
        if not (verdict := await self.guard.verdict(host)).allowed:
            raise NotSent(f"not asked: {verdict.reason}")
        if secret := self.guard.secret(request.system, request.user):
            raise NotSent(
                f"not asked: it is online, and the prompt holds what looks like a credential ({secret})"
            )

    @contextmanager
    def _in_flight(self, guess: Served, max_tokens: int) -> Iterator[None]:
        """Counted against the budget at its most until it is in the ledger."""
        flight, host = self.guard.flight, self.seat.host
        usd = host.cost(guess.tokens_in, max_tokens) if host.online else 0.0
        tokens = guess.tokens_in + max_tokens if host.online else 0
        flight.usd, flight.tokens = flight.usd + usd, flight.tokens + tokens
        try:
            yield
        finally:
            flight.usd, flight.tokens = flight.usd - usd, flight.tokens - tokens

    async def _record(self, served: Served) -> None:
        """One row for each call. A call that broke off counts with the tokens that were sent: providers count
        them too."""
        host = self.seat.host
        used = Usage(
            self.guard.purpose,
            host.name,
            self.seat.model.name,
            served.tokens_in,
            served.tokens_out,
            served.seconds,
        )
        await asyncio.shield(self.guard.record(used, host.cost(served.tokens_in, served.tokens_out)))


def _served(reply: Reply, guess: int, seconds: float) -> Served:
    return Served(
        seconds,
        tokens_in=reply.tokens_in or guess,
        tokens_out=reply.tokens_out,
        first_token_seconds=reply.first_token_seconds,
        load_seconds=reply.load_seconds,
    )
