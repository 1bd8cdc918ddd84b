"""One question on its way through hosts and models until there is an answer or a reason: render, fit, ask,
check, ask again, give up honestly. Whether the words are heard as they come changes nothing of it.

It asks models at most `MOST_CALLS` times and for at most `deadline` seconds in all; the
time in which it waits for its turn at a host is not counted. Whatever goes wrong is a `failure` with a
sentence for a person.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic

from bot.core.context_packing import FittedPassages
from bot.core.context_packing import size as size_of
from bot.core.inference import AskedHost, Completion, Failure, Prompt, T
from bot.inference import token_budget
from bot.inference.egress import LOCAL_ONLY, EgressGuard
from bot.inference.guarded_call import GuardedCall
from bot.inference.hosts.known_host import Candidate
from bot.inference.hosts.pool import Pool
from bot.inference.runners import (
    Broken,
    ChatRequest,
    Heard,
    HostTooSlow,
    NotSent,
    PromptTooLong,
    Reply,
    RunnerError,
    Unsupported,
)
from bot.inference.structured_output import complaint, schema_of
from bot.inference.token_budget import Fitted, Render, fitted, prompt_tokens, shared_tokens
from bot.inference.tool_calls import UnderstoodReply, understood_reply
from bot.inference.trace import NO_TRAIL, Trace

MOST_CALLS = 4
_TRIES = 2
"""How often a model of a host may fail in one way: the first time is forgiven."""


_ALL = FittedPassages()

_STOPPED: dict[str, str] = {
    "length": "it was too long and was cut off; be much shorter",
    "filter": "it was held back by a filter; say nothing but what was asked for, in plain words",
    "abort": "it was broken off by the host",
}
"""What a model is told where `Reply.stopped` says why."""


class _Over(Exception):
    """No answer from this candidate."""

    def __init__(self, failure: Failure, reason: str) -> None:
        super().__init__(reason)
        self.failure = failure
        self.reason = reason


class _Misfit(Exception):
    """The answer is none; `note` is what the model is told about it."""

    def __init__(self, error: ValueError, reply: Reply, *, tools: bool = False) -> None:
        super().__init__(f"gave no usable answer: {complaint(error)}")
        why = _STOPPED.get(reply.stopped) or complaint(error)
        or_call = ", or call a tool with all that it takes" if tools else ""
        again = f"Answer again with one complete object{or_call}."
        self.note = f"\n\nYour last answer could not be used: {why}.\n{again}"


class _Cut(Exception):
    """The host has read only so many tokens of the prompt."""

    def __init__(self, tokens: int, reason: str) -> None:
        super().__init__(reason)
        self.tokens = tokens


@dataclass(slots=True)
class _Attempt:
    """What was learned at one candidate so far. `limit` is the window in tokens that the prompt must fit."""

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
    tokens_cached: int = 0
    backend: str = ""
    host: str = ""
    model: str = ""
    cost_usd: float = 0.0
    cached: bool = False
    hidden: tuple[str, ...] = ()
    sent_to: set[AskedHost] = field(default_factory=set)


@dataclass(slots=True)
class Asking(Generic[T]):
    """The state of one `Infer` call."""

    pool: Pool
    prompt: Prompt[T]
    render: Render
    deadline: float
    urgency: int
    guard: EgressGuard = LOCAL_ONLY
    heard: Heard | None = None
    """Hears the words of each try as they come."""
    so_far: Callable[[], str] = str
    """What has been said of the answer; asked for when a try begins."""
    trace: Trace = NO_TRAIL
    placed: Callable[[], None] = lambda: None
    """Called when the question has its place at a host."""
    spent: _Spent = field(default_factory=_Spent)

    async def run(self, wanted: Sequence[str]) -> Completion[T]:
        """The answer of the first candidate that gives one, or why none does. A model whose answers were no
        good is not asked again on another host."""
        schema = schema_of(self.prompt.answer)
        found = await self.pool.candidates(self.prompt.role, wanted, self.guard)
        failures: list[_Over] = []
        left = [one for one in found.candidates if one.sees or not self.prompt.images]
        left = [one for one in left if one.model.calls_tools or not self.prompt.tools]
        while left and not self._exhausted:
            sizes = self.prompt.behind, self.prompt.beginning, shared_tokens(self.prompt)
            async with self.pool.place(
                left, self.urgency, prompt_tokens(self.prompt), self.guard, *sizes
            ) as place:
                self.placed()
                left.remove(place.candidate)
                try:
                    return await self._ask(place, schema)
                except _Over as over:
                    failures.append(over)
                    if over.failure == "invalid":
                        left = [
                            candidate
                            for candidate in left
                            if candidate.model.name != place.candidate.model.name
                        ]
        unable: tuple[Failure, str] = ("no_host", found.reason)
        if found.candidates and self.prompt.images:
            unable = ("no_host", "no model that can be asked reads pictures")
        elif found.candidates:
            unable = ("no_tools", "no model that can be asked calls tools")
        return self._failed(failures or [_Over(*unable)])

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

    async def _ask(self, place: GuardedCall, schema: dict[str, Any]) -> Completion[T]:
        """The answer of one candidate; `_Over`."""
        attempt = _Attempt(limit=self.pool.window(place.candidate))
        while True:
            try:
                return await self._once(place, place.candidate, schema, attempt)
            except (RunnerError, _Misfit, _Cut) as error:
                self._forgive(place.candidate, attempt, error)

    async def _once(
        self, runner: GuardedCall, candidate: Candidate, schema: dict[str, Any], attempt: _Attempt
    ) -> Completion[T]:
        """One try; `RunnerError`, `_Misfit`, `_Cut`, `_Over`."""
        ratio = self.pool.ratios.of(candidate.model.name)
        asked = fitted(
            self.prompt,
            self.render,
            schema,
            candidate,
            attempt.limit,
            ratio,
            note=attempt.note,
            so_far=self.so_far(),
        )
        if asked is None:
            if attempt.cut:
                raise _Over("truncated", attempt.cut)
            raise _Over(
                "too_large",
                f"the prompt does not fit into the {attempt.limit:,} tokens of {_name(candidate)}",
            )
        attempt.size = asked.size
        self.spent.backend, self.spent.host, self.spent.model = (
            candidate.host.kind,
            candidate.host.name,
            candidate.model.name,
        )
        with self.trace.step(self.prompt.name, self.prompt.role, candidate, asked) as step:
            reply = step.recall()
            if reply is None:
                reply = step.reply = await self._call(runner, asked.request, self.heard)
                await self._check_count(runner, candidate, asked, reply)
            try:
                said: UnderstoodReply[T] = understood_reply(self.prompt, reply)
            except ValueError as error:
                raise _Misfit(error, reply, tools=bool(self.prompt.tools)) from None
            step.keep(reply)
            self.spent.cached = step.cached
        completion = self._completion(value=said.value, text=reply.text, packed=asked.packed)
        return replace(completion, dropped=said.dropped, tool_calls=said.calls)

    def _forgive(self, candidate: Candidate, attempt: _Attempt, error: RunnerError | _Misfit | _Cut) -> None:
        """Prepares the next try after a fault; `_Over` where there is none."""
        attempt.faults[type(error)] += 1
        forgivable = isinstance(error, PromptTooLong | Broken | _Misfit | _Cut)
        if not forgivable or attempt.faults[type(error)] >= _TRIES or self._exhausted:
            raise self._over(candidate, error) from None
        if isinstance(error, _Misfit):
            attempt.note = error.note
        elif isinstance(error, _Cut):
            self.pool.reads(candidate, error.tokens)
            attempt.cut = str(error)
            attempt.limit = self.pool.window(candidate)
        elif isinstance(error, PromptTooLong):
            attempt.limit = min(candidate.num_ctx, error.limit or candidate.num_ctx)
            if error.sent:
                self.pool.ratios.learn(candidate.model.name, attempt.size, error.sent)
            else:
                self.pool.ratios.shrink(candidate.model.name)

    def _over(self, candidate: Candidate, error: RunnerError | _Misfit | _Cut) -> _Over:
        """What a fault that is not forgiven means."""
        match error:
            case _Misfit():
                return _Over("invalid", f"{_name(candidate)} {error}")
            case _Cut():
                return _Over("truncated", str(error))
            case PromptTooLong():
                return _Over("too_large", f"{_name(candidate)}: {error}")
            case HostTooSlow():
                return _Over("timeout", f"{_name(candidate)}: {error}")
            case Unsupported() if self.prompt.tools:  # nothing is wrong with the host
                return _Over("no_tools", f"{_name(candidate)}: {error}")
            case NotSent():
                return _Over("no_host", f"{candidate.host.name} was {error}")
            case _:
                self.pool.failed(candidate.host, error)
                return _Over("no_host", f"no model host answered: {candidate.host.name}: {error}")

    async def _call(self, runner: GuardedCall, request: ChatRequest, heard: Heard | None = None) -> Reply:
        """One call of a model, within what is left of the deadline; `RunnerError`, `_Over`."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        if self.spent.calls and self.prompt.retries and not self.prompt.retries.take():
            raise _Over("budget", "no more questions may be asked")
        self.spent.calls += 1
        asked = runner.candidate
        to: AskedHost | None = AskedHost(
            asked.host.name, asked.model.name, asked.host.online or asked.model.remote
        )
        try:
            async with asyncio.timeout(self.deadline - self.spent.seconds):
                reply = await runner.chat(request, heard)
        except NotSent:
            to = None
            raise
        except TimeoutError:
            reason = f"{request.model.name} did not finish within {self.deadline:,.0f} s"
            raise _Over("timeout", reason) from None
        finally:
            self.spent.seconds += loop.time() - begun
            self.spent.sent_to |= {to} if to else set()
        self.spent.first = self.spent.first or reply.first_token_seconds
        self.spent.hidden = reply.hidden
        self.spent.tokens_in += reply.tokens_in or 0
        self.spent.tokens_out += reply.tokens_out
        self.spent.tokens_cached += reply.tokens_cached or 0
        self.spent.cost_usd += runner.candidate.host.cost(reply.tokens_in or 0, reply.tokens_out)
        return reply

    async def _check_count(
        self, runner: GuardedCall, candidate: Candidate, asked: Fitted, reply: Reply
    ) -> None:
        """Learns from the host's count; `_Cut` where it shows that the host read only part of the
        prompt.

        A count that is too low is checked with half the text: a vocabulary counts half, a host that cuts
        counts the same. Anything else tells nothing: some count only what they had not read before.
        """
        model, counted = candidate.model.name, reply.tokens_in
        if counted is None or asked.request.images:
            return  # pictures are tokens without any text
        text = asked.size - token_budget.tools_size(asked.request)  # some servers drop tools in silence
        if not token_budget.implausible(text, counted, self.pool.ratios.of(model)):
            self.pool.ratios.learn(model, asked.size, counted)
            return
        if self._exhausted:
            return
        user = asked.request.user
        half = replace(asked.request, user=user[: len(user) // 2], turns=(), max_tokens=1)
        other = (await self._call(runner, half)).tokens_in or counted
        half_size = size_of(half.system) + size_of(half.user)
        if token_budget.same_ratio((text, counted), (half_size, other)):
            self.pool.ratios.learn(model, asked.size, counted)
        elif token_budget.is_cut(counted, other):
            about = token_budget.tokens(asked.size, token_budget.TYPICAL_RATIO)
            reason = f"{_name(candidate)} read only {counted:,} of about {about:,} tokens of the prompt"
            raise _Cut(counted, reason)

    def _completion(
        self,
        *,
        value: T | None = None,
        failure: Failure | None = None,
        reason: str = "",
        text: str = "",
        packed: FittedPassages = _ALL,
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
            tokens_cached=spent.tokens_cached,
            seconds=spent.seconds,
            first_token_seconds=spent.first,
            left_out=packed.left_out,
            cut=packed.cut,
            calls=spent.calls,
            hidden=spent.hidden,
            cost_usd=spent.cost_usd,
            cached=spent.cached,
            sent_to=tuple(sorted(spent.sent_to)),
        )


def _name(candidate: Candidate) -> str:
    return f"{candidate.model.name} on {candidate.host.name}"
