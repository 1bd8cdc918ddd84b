"""One question on its way through hosts and models until there is an answer or a reason."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic

from bot.core.inference import Completion, Failure, Prompt, T
from bot.inference import fit
from bot.inference.attended import Attended
from bot.inference.fitting import Fitted, PromptSource, fitted
from bot.inference.guard import LOCAL_ONLY, Guard
from bot.inference.pool import Pool
from bot.inference.reading import complaint, understood
from bot.inference.runners import (
    Broken,
    ChatRequest,
    Heard,
    NotSent,
    Reply,
    RunnerError,
    TooLong,
    TooSlow,
)
from bot.inference.schema import schema_of
from bot.inference.seats import Seat
from bot.inference.trail import NO_TRAIL, Trail

MOST_CALLS = 4
_TRIES = 2
"""How often a model of a host may fail in one way: the first time is forgiven."""


_STOPPED: dict[str, str] = {
    "length": "it was too long and was cut off; be much shorter",
    "filter": "it was held back by a filter; say nothing but what was asked for, in plain words",
    "abort": "it was broken off by the host",
}
"""What a model is told where `Reply.stopped` says why."""


class _Over(Exception):
    """No answer from this seat."""

    def __init__(self, failure: Failure, reason: str) -> None:
        super().__init__(reason)
        self.failure = failure
        self.reason = reason


class _Misfit(Exception):
    """The answer is none; `note` is what the model is told about it."""

    def __init__(self, error: ValueError, reply: Reply) -> None:
        super().__init__(f"gave no usable answer: {complaint(error)}")
        why = _STOPPED.get(reply.stopped) or complaint(error)
        self.note = f"\n\nYour last answer could not be used: {why}.\nAnswer again with one complete object."


class _Cut(Exception):
    """The host has read only so many tokens of the prompt."""

    def __init__(self, tokens: int, reason: str) -> None:
        super().__init__(reason)
        self.tokens = tokens


@dataclass(slots=True)
class _Attempt:
    """What was learned at one seat so far. `limit` is the window in tokens that the prompt must fit into."""

    limit: int
    note: str = ""
    size: int = 0
    cut: str = ""
    faults: Counter[type[Exception]] = field(default_factory=Counter)


@dataclass(slots=True)
class _Spent:
    """What the calls so far have cost, and who was asked last."""

    calls: int = 0
    seconds: float = 0.0
    first: float = 0.0
    tokens_in: int = 0
    tokens_out: int = 0
    backend: str = ""
    host: str = ""
    model: str = ""
    cost_usd: float = 0.0
    cached: bool = False
    hidden: tuple[str, ...] = ()


@dataclass(slots=True)
class Asking(Generic[T]):
    """The state of one `Infer` call."""

    pool: Pool
    prompt: Prompt[T]
    file: PromptSource
    deadline: float
    urgency: int
    guard: Guard = LOCAL_ONLY
    heard: Heard | None = None
    """Hears the words of each try as they come."""
    trail: Trail = NO_TRAIL
    placed: Callable[[], None] = lambda: None
    """Called when the question has its place at a host."""
    spent: _Spent = field(default_factory=_Spent)

    async def run(self, wanted: Sequence[str]) -> Completion[T]:
        """The answer of the first seat that gives one, or why none does. A model whose answers were no
        good is not asked again on another host."""
        schema = schema_of(self.prompt.answer)
        found = await self.pool.seats(self.prompt.role, wanted, self.guard)
        failures: list[_Over] = []
        left = list(found.seats)
        while left and not self._exhausted:
            async with self.pool.place(
                left, self.urgency, size(self.prompt), self.guard, self.prompt.behind
            ) as place:
                self.placed()
                left.remove(place.seat)
                try:
                    return await self._ask(place, schema)
                except _Over as over:
                    failures.append(over)
                    if over.failure == "invalid":
                        left = [seat for seat in left if seat.model.name != place.seat.model.name]
        return self._failed(failures or [_Over("no_host", found.reason)])

    @property
    def _exhausted(self) -> bool:
        retries = self.prompt.retries
        spent = self.spent.calls > 0 and retries is not None and not retries.left
        return spent or self.spent.calls >= MOST_CALLS or self.spent.seconds >= self.deadline

    def _failed(self, failures: Sequence[_Over]) -> Completion[T]:
        """The failure that says most: what a model did, before what a host did not do."""
        telling = [over for over in failures if over.failure != "no_host"] or failures
        reason = "; ".join(dict.fromkeys(over.reason for over in failures))
        return self._completion(failure=telling[-1].failure, reason=reason)

    async def _ask(self, place: Attended, schema: dict[str, Any]) -> Completion[T]:
        """The answer of one seat; `_Over`."""
        attempt = _Attempt(limit=self.pool.window(place.seat))
        while True:
            try:
                return await self._once(place, place.seat, schema, attempt)
            except (RunnerError, _Misfit, _Cut) as error:
                self._forgive(place.seat, attempt, error)

    async def _once(
        self, runner: Attended, seat: Seat, schema: dict[str, Any], attempt: _Attempt
    ) -> Completion[T]:
        """One try; `RunnerError`, `_Misfit`, `_Cut`, `_Over`."""
        ratio = self.pool.ratios.of(seat.model.name)
        asked = fitted(self.prompt, self.file, schema, seat, attempt.limit, ratio, attempt.note)
        if asked is None:
            if attempt.cut:
                raise _Over("truncated", attempt.cut)
            raise _Over(
                "too_large", f"the prompt does not fit into the {attempt.limit:,} tokens of {_name(seat)}"
            )
        attempt.size = asked.size
        self.spent.backend, self.spent.host, self.spent.model = (
            seat.host.kind,
            seat.host.name,
            seat.model.name,
        )
        with self.trail.step(self.prompt.name, self.prompt.role, seat, asked) as step:
            reply = step.recall()
            if reply is None:
                reply = step.reply = await self._call(runner, asked.request, self.heard)
                await self._check_count(runner, seat, asked, reply)
            try:
                value, dropped = understood(self.prompt.answer, reply.text, whole=reply.complete)
            except ValueError as error:
                raise _Misfit(error, reply) from None
            step.keep(reply)
            self.spent.cached = step.cached
        completion = self._completion(value=value, text=reply.text, packed=asked.packed)
        return replace(completion, dropped=dropped)

    def _forgive(self, seat: Seat, attempt: _Attempt, error: RunnerError | _Misfit | _Cut) -> None:
        """Prepares the next try after a fault; `_Over` where there is none."""
        attempt.faults[type(error)] += 1
        forgivable = isinstance(error, TooLong | Broken | _Misfit | _Cut)
        if not forgivable or attempt.faults[type(error)] >= _TRIES or self._exhausted:
            raise self._over(seat, error) from None
        if isinstance(error, _Misfit):
            attempt.note = error.note
        elif isinstance(error, _Cut):
            self.pool.reads(seat, error.tokens)
            attempt.cut = str(error)
            attempt.limit = self.pool.window(seat)
        elif isinstance(error, TooLong):
            attempt.limit = min(seat.num_ctx, error.limit or seat.num_ctx)
            if error.sent:
                self.pool.ratios.learn(seat.model.name, attempt.size, error.sent)
            else:
                self.pool.ratios.shrink(seat.model.name)

    def _over(self, seat: Seat, error: RunnerError | _Misfit | _Cut) -> _Over:
        """What a fault that is not forgiven means."""
        match error:
            case _Misfit():
                return _Over("invalid", f"{_name(seat)} {error}")
            case _Cut():
                return _Over("truncated", str(error))
            case TooLong():
                return _Over("too_large", f"{_name(seat)}: {error}")
            case TooSlow():
                return _Over("timeout", f"{_name(seat)}: {error}")
            case NotSent():
                return _Over("no_host", f"{seat.host.name} was {error}")
            case _:
                self.pool.failed(seat.host, error)
                return _Over("no_host", f"no model host answered: {seat.host.name}: {error}")

    async def _call(self, runner: Attended, request: ChatRequest, heard: Heard | None = None) -> Reply:
        """One call of a model, within what is left of the deadline; `RunnerError`, `_Over`."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        if self.spent.calls and self.prompt.retries and not self.prompt.retries.take():
            raise _Over("budget", "no more questions may be asked")
        self.spent.calls += 1
        try:
            async with asyncio.timeout(self.deadline - self.spent.seconds):
                reply = await runner.chat(request, heard)
        except TimeoutError:
            reason = f"{request.model.name} did not finish within {self.deadline:,.0f} s"
            raise _Over("timeout", reason) from None
        finally:
            self.spent.seconds += loop.time() - begun
        self.spent.first = self.spent.first or reply.first_token_seconds
        self.spent.hidden = reply.hidden
        self.spent.tokens_in += reply.tokens_in or 0
        self.spent.tokens_out += reply.tokens_out
        self.spent.cost_usd += runner.seat.host.cost(reply.tokens_in or 0, reply.tokens_out)
        return reply

    async def _check_count(self, runner: Attended, seat: Seat, asked: Fitted, reply: Reply) -> None:
        """Learns from the host's count; `_Cut` where it shows that the host read only part of the
        prompt.

        A count that is too low is checked with half the text: a vocabulary counts half, a host that cuts
        counts the same. Anything else tells nothing: some count only what they had not read before.
        """
        model, counted = seat.model.name, reply.tokens_in
        if counted is None:
            return
        if not fit.implausible(asked.size, counted, self.pool.ratios.of(model)):
            self.pool.ratios.learn(model, asked.size, counted)
            return
        if self._exhausted:
            return
        user = asked.request.user
        half = replace(asked.request, user=user[: len(user) // 2], turns=(), max_tokens=1)
        other = (await self._call(runner, half)).tokens_in or counted
        half_size = fit.size(half.system) + fit.size(half.user)
        if fit.same_ratio((asked.size, counted), (half_size, other)):
            self.pool.ratios.learn(model, asked.size, counted)
        elif fit.is_cut(counted, other):
            about = fit.tokens(asked.size, fit.TYPICAL_RATIO)
            reason = f"{_name(seat)} read only {counted:,} of about {about:,} tokens of the prompt"
            raise _Cut(counted, reason)

    def _completion(
        self,
        *,
        value: T | None = None,
        failure: Failure | None = None,
        reason: str = "",
        text: str = "",
        packed: fit.Packed = fit.NOTHING,
    ) -> Completion[T]:
        """A completion with what it cost."""
        spent = self.spent
        return Completion(
            value=value,
            failure=failure,
            reason=reason,
            text=text,
            backend=spent.backend,
            host=spent.host,
            model=spent.model,
            tokens_in=spent.tokens_in,
            tokens_out=spent.tokens_out,
            seconds=spent.seconds,
            first_token_seconds=spent.first,
            left_out=packed.left_out,
            cut=packed.cut,
            calls=spent.calls,
            hidden=spent.hidden,
            cost_usd=spent.cost_usd,
            cached=spent.cached,
        )


def size(prompt: Prompt[Any]) -> int:
    """About how many tokens a prompt has."""
    texts = (*prompt.inputs.values(), *(passage.text for passage in prompt.passages))
    return fit.tokens(sum(map(len, texts)), fit.START_RATIO)


def _name(seat: Seat) -> str:
    return f"{seat.model.name} on {seat.host.name}"
