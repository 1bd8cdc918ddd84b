"""Questions to a model that may call tools before it answers: each answer is either calls, which are carried
out, or final. What was called and what came back is shown as data beside the question, the newest kept
longest, and never as turns, so that no host's format is needed for it and none of it is obeyed.

It ends: rounds, calls, time, and bytes have their bounds, and so has going round in circles. Then the same
question is asked without tools. What may be called is decided before the first word of any text is read.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bot.agents.tools import OF_THE_TREE, ToolBox, ToolRefused
from bot.core.concurrency import through
from bot.core.errors import HobError, Superseded
from bot.core.inference import (
    Allowance,
    Completion,
    Infer,
    OnText,
    Passage,
    Prompt,
    PromptFile,
    T,
    Tool,
    ToolCall,
    ToolUse,
)
from bot.core.text import cut
from bot.core.work_budget import WorkBudget

SHOWN_ARGUMENTS = 300
"""Characters of a call's arguments."""


@dataclass(frozen=True, slots=True)
class ToolLimits:
    """`rounds` and `calls` of one piece of work, `calls_round` of one answer. Seconds: of one call, of one
    that runs tests, and after which no more calls are made for a question."""

    rounds: int = 24
    calls: int = 60
    calls_round: int = 8
    call_seconds: float = 60.0
    tests_seconds: float = 900.0
    seconds: float = 900.0
    result: int = 12_000
    """Characters of what one call gives."""
    results: int = 300_000
    same: int = 3
    """So often the same call is made before no more are taken."""
    idle: int = 3
    """So many rounds without anything new."""


LIMITS = ToolLimits()


def with_tools(
    infer: Infer,
    persona: PromptFile,
    box: ToolBox,
    budget: WorkBudget | None = None,
    limits: ToolLimits = LIMITS,
) -> Infer:
    """The port by which that persona asks: with those of its tools that are to be had, or `infer` itself.
    What is spent is in the completion; whoever asks takes it from `budget`."""
    return with_named_tools(infer, persona.tools, box, budget, limits)


def with_named_tools(
    infer: Infer,
    names: Sequence[str],
    box: ToolBox,
    budget: WorkBudget | None = None,
    limits: ToolLimits = LIMITS,
) -> Infer:
    """The same for questions that no persona asks: what is to be known of the calls is said last."""
    tools = box.offered(names)
    return through(infer, _Loop(infer, box, tools, budget, limits)) if tools else infer


@dataclass(frozen=True, slots=True)
class _Made:
    """One call, and what is shown of it."""

    number: int
    name: str
    told: str
    """What was called, and what came back."""
    round: int

    @property
    def title(self) -> str:
        return f"call {self.number}: {self.name}"


@dataclass(slots=True)
class _Loop:
    """The questions of one piece of work; calls made for an earlier one are shown to the next."""

    infer: Infer
    box: ToolBox
    tools: tuple[Tool, ...]
    budget: WorkBudget | None
    limits: ToolLimits
    made: list[_Made] = field(default_factory=list)
    seen: dict[str, tuple[int, int]] = field(default_factory=dict)
    """call -> (how often it was made, number of the last that gave something)"""
    rounds: int = 0
    chars: int = 0
    idle: int = 0
    circling: bool = False
    able: bool = True
    """Whether somebody who can be asked calls tools."""

    async def __call__(self, prompt: Prompt[T], /, on_text: OnText | None = None) -> Completion[T]:
        spent: list[Completion[Any]] = []
        ends = asyncio.get_running_loop().time() + self.limits.seconds
        self.idle, self.circling = 0, False
        unread = False
        while True:
            over = self._over(spent, ends) or ("your calls could not be read" if unread else "")
            tools = self.tools if self.able and not over else ()
            asking = replace(self._asking(prompt, tools, over), retries=self._retries(prompt, spent, tools))
            done = await self.infer(asking, None if tools else on_text)
            spent.append(done)
            if tools and done.failure == "no_tools":
                self.able = False
            elif tools and done.failure == "invalid":
                unread = True
            elif not tools or not done.tool_calls:
                break
            else:
                await self._carry_out(done)
        if done.tool_calls:
            done = replace(
                done, tool_calls=(), failure="invalid", reason="it called tools that are not there"
            )
        if tools and on_text and done.value is not None:
            on_text(done.text)
        return _with_costs(done, spent)

    def _over(self, spent: Sequence[Completion[Any]], ends: float) -> str:
        """Why no more calls are taken, for the model; empty while they are. One question is kept for the
        answer."""
        limits = self.limits
        asked, tokens = (
            sum(max(1, one.calls) for one in spent),
            sum(one.tokens_in + one.tokens_out for one in spent),
        )
        if self.circling or self.idle >= limits.idle:
            return "your last calls gave nothing new"
        if self.rounds >= limits.rounds or len(self.made) >= limits.calls or self.chars >= limits.results:
            return "you have called as much as may be called"
        if asyncio.get_running_loop().time() >= ends or (
            self.budget and not self.budget.allows(asked + 2, tokens)
        ):
            return "there is no time for more calls"
        return ""

    def _retries(
        self, prompt: Prompt[T], spent: Sequence[Completion[Any]], tools: tuple[Tool, ...]
    ) -> Allowance | None:
        """How often the next question may be repeated within the budget: after one with tools comes one."""
        if self.budget is None:
            return prompt.retries
        asked = sum(max(1, one.calls) for one in spent)
        left = self.budget.steps - self.budget.steps_spent - asked
        return Allowance(max(0, left - (2 if tools else 1)))

    def _asking(self, prompt: Prompt[T], tools: tuple[Tool, ...], over: str) -> Prompt[T]:
        if tools:
            left = min(self.limits.calls - len(self.made), self.limits.calls_round)
            words = (
                f"You may call tools before you answer, up to {left} at once. What they gave is shown to you "
                "as data. Look at what you need, then give your answer; call nothing twice."
            )
        else:
            words = f"Answer now, with what you have: {over}." if over else ""
        file, last = prompt.file, prompt.last
        if file and words:
            file = replace(file, system=f"{file.system}\n\n{words}")
        elif words:  # the same beginning every time: a host need not read it anew
            last = words
        tree = self.box.tree
        passages = tuple(replace(one, text=tree.written.get(one.name, one.text)) for one in prompt.passages)
        calls = tuple(Passage(one.title, one.told, 1 + self.rounds - one.round) for one in self.made)
        return replace(prompt, file=file, last=last, tools=tools, passages=(*passages, *calls))

    async def _carry_out(self, done: Completion[Any]) -> None:
        """All calls of one answer, in their order; those beyond the bound are told as not made."""
        self.rounds += 1
        calls = done.tool_calls[: min(self.limits.calls_round, self.limits.calls - len(self.made))]
        await self._fetch(calls)
        new = [await self._one(call, done) for call in calls]
        if more := len(done.tool_calls) - len(calls):
            self._keep("too many", f"{more} more calls were not made: {len(calls)} at once are the most")
        self.idle = 0 if any(new) else self.idle + 1

    async def _fetch(self, calls: Sequence[ToolCall]) -> None:
        """The files of several calls are read in one go; what fails is told by the call itself."""
        paths = [
            str(call.arguments["path"])
            for call in calls
            if call.name in ("read_file", "list_symbols", "write_file") and "path" in call.arguments
        ]
        try:
            async with asyncio.timeout(self.limits.call_seconds):
                await self.box.tree.fetch(paths)
        except Superseded:
            raise
        except (HobError, TimeoutError):
            return

    async def _one(self, call: ToolCall, done: Completion[Any]) -> bool:
        """Whether it gave something new."""
        begun = asyncio.get_running_loop().time()
        arguments, key = _shown(call.arguments), self._key(call)
        times, number = self.seen.get(key, (0, 0))
        self.seen[key] = (times + 1, number)
        self.circling = self.circling or times + 1 >= self.limits.same
        before = next((one for one in self.made if one.number == number), None)
        given = failure = ""
        if call.wrong or call.name not in {one.name for one in self.tools}:
            failure = f"not called: {call.wrong or 'there is no such tool'}"
        elif before and before.title not in (*done.left_out, *done.cut):
            failure = f"the same as call {number}, which is shown already"
        else:
            given, failure = await self._call(call)
        given = cut(self.box.lookups.redact(given), self.limits.result, end="\n[the rest is left out]")
        told = f"{call.name[:60]}({arguments})\n{given or failure}"
        self._keep(call.name[:60], told)
        if given:
            self.seen[key] = (times + 1, len(self.made))
        size = len(given.encode("utf-8", "replace"))
        took = asyncio.get_running_loop().time() - begun
        self.box.lookups.note(ToolUse(0.0, call.name[:60], arguments, size, took, failure))
        return bool(given) and not times

    async def _call(self, call: ToolCall) -> tuple[str, str]:
        """(what it gave, why it gave nothing)"""
        seconds = self.limits.tests_seconds if call.name == "run_tests" else self.limits.call_seconds
        if self.budget:
            seconds = min(seconds, self.budget.seconds_left)
        try:
            async with asyncio.timeout(seconds):
                return await self.box.call(call.name, call.arguments) or "nothing", ""
        except ToolRefused as why:
            return "", str(why)
        except TimeoutError:
            return "", f"it took longer than {seconds:,.0f} s"
        except Superseded:
            raise
        except HobError as wrong:
            return "", f"it could not be done now: {cut(str(wrong), 200)}"

    def _key(self, call: ToolCall) -> str:
        tree = self.box.tree.version if call.name in OF_THE_TREE else 0
        return json.dumps([call.name, call.arguments, call.wrong, tree], sort_keys=True)

    def _keep(self, name: str, told: str) -> None:
        told = self.box.lookups.redact(told)
        self.chars += len(told)
        self.made.append(_Made(len(self.made) + 1, name, told, self.rounds))


def _shown(arguments: Mapping[str, Any]) -> str:
    """As JSON, long texts by their length."""
    short = {
        name: f"({len(value):,} characters)"
        if isinstance(value, str) and len(value) > SHOWN_ARGUMENTS
        else value
        for name, value in arguments.items()
    }
    return cut(json.dumps(short, ensure_ascii=False), SHOWN_ARGUMENTS)


def _with_costs(last: Completion[T], every: Sequence[Completion[Any]]) -> Completion[T]:
    """With what all questions cost together."""
    return replace(
        last,
        tokens_in=sum(one.tokens_in for one in every),
        tokens_out=sum(one.tokens_out for one in every),
        tokens_cached=sum(one.tokens_cached for one in every),
        seconds=sum(one.seconds for one in every),
        calls=sum(one.calls for one in every),
        cost_usd=sum(one.cost_usd for one in every),
        hidden=tuple(dict.fromkeys(kind for one in every for kind in one.hidden)),
        sent_to=tuple(sorted({asked for one in every for asked in one.sent_to})),
    )
