"""Carries a chain out: who is ready works, what is rejected goes back, and every failure is a value.

What earlier steps gave is shown to later ones as data, as whatever a model says is.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

from bot.agents.base import Agent, Options
from bot.core.chain import Begun, Chain, ChainResult, ChainStep, StepRun
from bot.core.errors import UserError
from bot.core.inference import Completion, Passage
from bot.core.work_budget import WorkBudget

MOST_DONE = 100
MOST_ENTRIES = 12
"""Of a plan; what a manager plans beyond is left out and said."""


class PlanStep(BaseModel):
    title: str
    detail: str
    role: str


class PlanAnswer(BaseModel):
    steps: list[PlanStep]


class StepVerdict(BaseModel):
    reason: str
    accepted: bool


class VerdictByStep(StepVerdict):
    """`done`: the numbers of the plan's steps that the work does wholly."""

    done: list[int] | None = None


class WantedFiles(BaseModel):
    """Paths of what has to be seen whole before the work can begin."""

    thought: str = ""
    paths: list[str]


PAUSE = 6.0
"""Seconds before a step is tried again because no host answered, then twice as many: hosts that failed are
left alone for some seconds and come back by themselves."""

ChainProgress = Callable[[Begun | StepRun], None]


@dataclass(frozen=True, slots=True)
class PatchTrial:
    """What a patch is, as a model gives it, and what is wrong with one; empty where it holds. `look` reads
    the files of these paths for later steps, and says in words which it read."""

    kind: type[BaseModel]
    wrong: Callable[[Any], Awaitable[str]]
    look: Callable[[WantedFiles], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class KnownOutcome:
    """What a step would give, known before: it is not asked for it. `steps`: of a plan."""

    text: str
    steps: tuple[PlanStep, ...] = ()


async def run_chain(
    chain: Chain,
    objective: str,
    agents: Callable[[str], Agent],
    told: ChainProgress = lambda _: None,
    *,
    pause: float = PAUSE,
    trial: PatchTrial | None = None,
    known: Mapping[str, KnownOutcome] = MappingProxyType({}),
    budget: WorkBudget | None = None,
) -> ChainResult:
    """The result, with `failure` set where the chain did not come to its end. `agents` gives an agent by
    name and is asked for all of them before a model is; what it raises for an unknown one (UserError) is not
    caught. `trial`: what a step that gives a patch is held to; UserError for such a step without one.
    `known`: by step. A `budget` that is used up is the failure of the step that would be next."""
    if trial is None and (some := [one for one in chain.steps if one.gives in ("patch", "files")]):
        raise UserError(
            f"step {some[0].name} gives {'a patch' if some[0].gives == 'patch' else 'files'}",
            "`hob implement` and `@hob implement` run such chains",
        )
    names = {name for step in chain.steps for name in (step.agent, *step.agents)}
    crew = {name: agents(name) for name in sorted(names)}
    running = _Running(chain, objective, crew, told, pause, trial, budget)
    running.done.update({name: _known(name, one) for name, one in known.items()})
    return await running.run()


@dataclass(frozen=True, slots=True)
class _Task:
    """One thing to ask one agent."""

    step: ChainStep
    agent: str
    question: str
    passages: tuple[Passage, ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a step gave over all its runs."""

    runs: tuple[StepRun, ...]
    plan: tuple[PlanStep, ...] = ()
    value: Any = None

    @property
    def good(self) -> bool:
        return any(run.good for run in self.runs)

    @property
    def text(self) -> str:
        parts = [run.text if run.good else f"(not done: {run.reason})" for run in self.runs]
        return "\n\n".join(
            f"## {run.title}\n\n{part}" if run.title else part
            for run, part in zip(self.runs, parts, strict=True)
        )


@dataclass(slots=True)
class _Running:
    """The state of one chain under way."""

    chain: Chain
    objective: str
    crew: dict[str, Agent]
    told: ChainProgress
    pause: float
    trial: PatchTrial | None = None
    budget: WorkBudget | None = None
    done: dict[str, _Outcome] = field(default_factory=dict)
    before: dict[str, _Outcome] = field(default_factory=dict)
    """What steps gave in the round that was sent back."""
    remarks: dict[str, str] = field(default_factory=dict)
    """By step: why its work came back."""
    loops: Counter[str] = field(default_factory=Counter)
    runs: list[StepRun] = field(default_factory=list)
    round: int = 1

    async def run(self) -> ChainResult:
        while ready := self.chain.ready(self.done):
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._perform(step)) for step in ready]
            self.done.update({step.name: task.result() for step, task in zip(ready, tasks, strict=True)})
            if any(self._sent_back(step) for step in ready):
                continue
            if bad := next((step for step in ready if not self.done[step.name].good), None):
                last = self.done[bad.name].runs[-1]
                return self._result(last.failure, f"step {bad.name}: {last.reason}")
        for step in self.chain.steps:
            verdict = self.done[step.name].runs[-1]
            if verdict.accepted is False:
                return self._result("rejected", f"step {step.name} did not accept the work: {verdict.text}")
        return self._result()

    def _result(self, failure: str = "", reason: str = "") -> ChainResult:
        answer = self.done.get(self.chain.answered_by)
        return ChainResult(
            chain=self.chain.name,
            objective=self.objective,
            answer=answer.text if answer and answer.good else "",
            failure=failure,
            reason=reason,
            rounds=self.round,
            runs=tuple(self.runs),
            value=answer.value if answer and answer.good else None,
        )

    def _sent_back(self, step: ChainStep) -> bool:
        """Whether the step loops back; then what rests on its target is to be done again."""
        loop, outcome = step.loop_back, self.done.get(step.name)
        if loop is None or outcome is None or self.loops[step.name] >= loop.at_most or self._used_up:
            return False
        refused = outcome.runs[-1].accepted is False
        if not (refused if loop.when == "rejected" else not outcome.good):
            return False
        self.loops[step.name] += 1
        self.round += 1
        self.remarks[loop.to] = outcome.text
        for name in self.chain.after(loop.to):
            if name in self.done:
                self.before[name] = self.done.pop(name)
        return True

    @property
    def _used_up(self) -> str:
        return self.budget.used_up if self.budget else ""

    async def _perform(self, step: ChainStep) -> _Outcome:
        """All runs of a step."""
        if not step.each:
            run, value = await self._ask(self._task(step))
            return _Outcome((run,), _entries(value), value if step.gives == "patch" else None)
        places = asyncio.Semaphore(step.concurrency)

        async def one(number: int, entry: PlanStep) -> StepRun:
            async with places:
                return (await self._ask(self._entry_task(step, number, entry)))[0]

        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(one(number, entry))
                for number, entry in enumerate(self.done[step.each].plan)
            ]
        return _Outcome(tuple(task.result() for task in tasks))

    async def _ask(self, task: _Task) -> tuple[StepRun, Any]:
        """One run, tried again as often as the step allows, and the value of a plan or a verdict."""
        self.told(Begun(task.step.name, self.round, task.title))
        run, value = StepRun(task.step.name, self.round, task.title), None
        for tries in range(1, task.step.retries + 2):
            completion = await self._once(task)
            run = _ran(replace(run, tries=tries), completion)
            value = completion.value
            if run.good and self.trial:
                run = await _tried(task.step, run, value, self.trial)
            if run.good or run.failure == "budget":
                break
            if task.step.gives == "files" and run.failure == "invalid" and tries > task.step.retries:
                run = replace(run, failure="", reason="", text="No other file was named.")
            if run.failure == "no_host" and tries <= task.step.retries:
                await asyncio.sleep(self.pause * 2 ** (tries - 1))
        self.runs.append(run)
        self.told(run)
        return run, value

    async def _once(self, task: _Task) -> Completion[Any]:
        """One question, as far as the budget goes."""
        if used_up := self._used_up:
            return Completion(failure="budget", reason=used_up)
        budget = self.budget
        seconds = min(task.step.timeout, budget.seconds_left) if budget else task.step.timeout
        completion = await self._asked(task, seconds)
        if budget:
            budget.spend(completion.tokens_in + completion.tokens_out, max(1, completion.calls))
        return completion

    async def _asked(self, task: _Task, seconds: float) -> Completion[Any]:
        agent, step = self.crew[task.agent], task.step
        kinds: dict[str, Any] = {"plan": PlanAnswer, "verdict": StepVerdict}
        if self.trial:
            kinds |= {"patch": self.trial.kind, "verdict": VerdictByStep, "files": WantedFiles}
        options: Options = {"passages": task.passages} if task.passages else {}
        if step.model:
            options["model"] = step.model
        try:
            async with asyncio.timeout(seconds):
                if kind := kinds.get(step.gives):
                    return await agent.decide(task.question, kind, **options)
                return (await agent.answer(task.question, **options)).completion
        except TimeoutError:
            return Completion(failure="timeout", reason=self._used_up or f"not done within {seconds:g} s")

    def _task(self, step: ChainStep) -> _Task:
        question = f"The objective:\n{self.objective}"
        if step.gives == "plan":
            roles = [name for other in self.chain.steps if other.each == step.name for name in other.agents]
            allowed = ", ".join(dict.fromkeys(roles)) or "worker"
            question += f"\n\nEach `role` is one of: {allowed}. At most {MOST_ENTRIES} steps."
        return _Task(step, step.agent, question, self._shown(step))

    def _entry_task(self, step: ChainStep, number: int, entry: PlanStep) -> _Task:
        agent = entry.role if entry.role in step.agents else step.agent
        question = f"The objective:\n{self.objective}\n\nYour step of it: {entry.title}\n{entry.detail}"
        before = self.before.get(step.name)
        passages = list(self._shown(step))
        if before and number < len(before.runs) and before.runs[number].title == entry.title:
            passages.append(Passage("your earlier work on this step", before.runs[number].text))
        return _Task(step, agent, question, tuple(passages), entry.title)

    def _shown(self, step: ChainStep) -> tuple[Passage, ...]:
        """What the step needs, and why work came back to it; a plan's entries are not shown to those who do
        one."""
        needs = [name for name in step.needs if name != step.each]
        passages = [Passage(f"what step {name} gave", self.done[name].text) for name in needs]
        if remark := self.remarks.get(step.name):
            passages.append(Passage("why the earlier work was sent back", remark))
        if not step.each and step.name in self.before and step.gives in ("text", "patch"):
            passages.append(Passage("your earlier work", self.before[step.name].text))
        return tuple(passages)


def _known(step: str, one: KnownOutcome) -> _Outcome:
    return _Outcome((StepRun(step, 1, text=one.text),), one.steps)


async def _tried(step: ChainStep, run: StepRun, value: Any, trial: PatchTrial) -> StepRun:
    if step.gives == "files":
        return replace(run, text=await trial.look(value))
    wrong = await trial.wrong(value) if step.gives == "patch" else ""
    return replace(run, failure="invalid", reason=wrong) if wrong else run


def _entries(value: object) -> tuple[PlanStep, ...]:
    return tuple(value.steps[:MOST_ENTRIES]) if isinstance(value, PlanAnswer) else ()


def _ran(run: StepRun, completion: Completion[Any]) -> StepRun:
    """The run with what came of it; costs of all tries together."""
    value = completion.value
    failure, reason, text, accepted = completion.failure or "", completion.reason, completion.text, None
    fulfilled: tuple[int, ...] | None = None
    entries: tuple[tuple[str, str], ...] = ()
    match value:
        case PlanAnswer(steps=[]):
            failure, reason = "invalid", "the plan has no steps"
        case PlanAnswer(steps=steps):
            text = "\n".join(f"{number}. {one.title}: {one.detail}" for number, one in enumerate(steps, 1))
            entries = tuple((one.title, one.detail) for one in steps[:MOST_ENTRIES])
        case StepVerdict():
            text, accepted = value.reason, value.accepted
            if isinstance(value, VerdictByStep) and value.done is not None:
                fulfilled = tuple(value.done[:MOST_DONE])
    return replace(
        run,
        text="" if failure else text,
        failure=failure,
        reason=reason,
        accepted=accepted,
        fulfilled=fulfilled,
        entries=entries,
        unread=(*completion.left_out, *completion.cut),
        host=completion.host,
        model=completion.model,
        tokens_in=run.tokens_in + completion.tokens_in,
        tokens_out=run.tokens_out + completion.tokens_out,
        tokens_cached=run.tokens_cached + completion.tokens_cached,
        seconds=run.seconds + completion.seconds,
    )
