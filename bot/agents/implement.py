"""Carries an issue out: the chain `implement` plans, looks for files, writes one patch and judges it; each
patch is tried on the files as they are before it counts. What holds is kept: work that ends early gives the
last patch that did, and says what is missing."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any, Unpack

from bot.agents.base import Agent, ChatMessages, Options
from bot.agents.chain import ChainProgress, KnownOutcome, PatchTrial, PlanStep, WantedFiles, run_chain
from bot.agents.patch import Patched, WishedPatch, listed, tried
from bot.agents.tool_loop import with_tools
from bot.agents.tools import Lookups, ReadFiles, ToolBox, WorkTree
from bot.core.chain import Begun, Chain, ChainResult, StepRun
from bot.core.edit_paths import why_not
from bot.core.edits import place_taken
from bot.core.facts import PatchFacts
from bot.core.inference import Infer, Passage, PromptFile, Usage
from bot.core.pathnames import resolve
from bot.core.plan_text import PlannedStep, beside_steps, steps_of, task_list
from bot.core.quality_gate import GateResult
from bot.core.text import close_fences, count, cut, model_words, one_line
from bot.core.work_budget import WorkBudget

MOST_OBJECTIVE = 12_000
MOST_STEPS = 20
"""Open steps of a plan that are taken on at once."""
MOST_LOCATED = 12
"""Files that are read because a model asked for them."""
MOST_NAMES = 400
NO_LOOKUPS = Lookups()
UNANSWERED = "What was written before the work ended; the model did not say what it is."

Judge = Callable[[PatchFacts, Patched], Awaitable[tuple[GateResult | None, str]]]
"""(what the repository's own tests say of a patch, None where none may be run; what a model is told that may
mend one that fails them)"""


class WishedWork(WishedPatch):
    """`done`: the numbers of the plan's steps that the edits do wholly."""

    done: list[int] | None = None


@dataclass(frozen=True, slots=True)
class Implemented:
    """The patch on `facts`, whose texts are all that was read; `facts` as given where nothing more was.
    `done`: numbers (from 1) of `steps` that the patch does and a reviewer accepted."""

    patched: Patched
    facts: PatchFacts
    steps: tuple[PlannedStep, ...] = ()
    done: frozenset[int] = frozenset()
    remarks: str = ""
    """What a reviewer still had against it."""
    stopped: str = ""
    """Why the work ended before a reviewer accepted it, a clause."""
    gated: GateResult | None = None

    @property
    def accepted(self) -> bool:
        return not (self.patched.why or self.remarks or self.stopped)

    @property
    def but(self) -> str:
        """What whoever asked has to know before the draft is read, a sentence; empty where all is done."""
        if self.remarks or self.stopped:
            return "No second look accepted it as it is; the draft says why."
        left = count(self.missing, "step")
        return f"Not done of the plan: {left}; the draft says which." if self.missing else ""

    @property
    def missing(self) -> int:
        """How many steps are not done."""
        return sum(not (one.done or number in self.done) for number, one in enumerate(self.steps, 1))


def told(done: Implemented) -> str:
    """The plan with what was done ticked, and what is missing: Markdown, for whoever judges the patch."""
    parts = [f"**Plan**\n\n{close_fences(task_list(done.steps, done.done))}"] if done.steps else []
    missing: list[str] = []
    if done.missing:
        missing.append(f"{count(done.missing, 'step')} of the plan: those without a tick.")
    if done.stopped:
        missing.append(f"The work ended before a second look accepted it: {done.stopped}.")
    if done.remarks:
        missing.append(f"A second look did not accept this as it is:\n\n{done.remarks}")
    if missing:
        parts.append("**Not done**\n\n" + "\n\n".join(missing))
    return "\n\n".join(parts)


class WithFiles(Agent):
    """Shown files whole, as they can be quoted, beside whatever else it is shown."""

    def __init__(self, persona: PromptFile, ask: Infer, files: Callable[[], tuple[Passage, ...]]) -> None:
        super().__init__(persona, ask)
        self.files = files

    async def run(self, messages: ChatMessages, **options: Unpack[Options]) -> AsyncIterator[str]:
        options["passages"] = (*options.get("passages", ()), *self.files())
        async for piece in super().run(messages, **options):
            yield piece


async def no_tests(_facts: PatchFacts, _made: Patched) -> tuple[GateResult | None, str]:
    """Where none may be run."""
    return None, ""


async def implement(
    facts: PatchFacts,
    chain: Chain,
    persona: Callable[[str], PromptFile],
    infer: Infer,
    read: ReadFiles,
    budget: WorkBudget,
    told: ChainProgress = lambda _: None,
    plan: str = "",
    judge: Judge = no_tests,
    lookups: Lookups = NO_LOOKUPS,
) -> Implemented:
    """`facts.description`, `conversation` and `wish` are the objective, `facts.names` what may be read too.
    `lookups`: what tools need beside that. `plan`: one that stands, as people left it; its open steps are
    taken instead of asking for one. A failure is said: a person asked."""
    work = _Work(WorkTree(facts, read), chain, told, judge, steps=steps_of(plan))

    def agent(name: str) -> Agent:
        file = persona(name)
        return WithFiles(file, with_tools(infer, file, ToolBox(work.tree, lookups), budget), work.shown)

    trial = PatchTrial(WishedWork, work.wrong, work.look)
    known = {step.name: one for step in chain.steps if (one := work.known(step.gives, plan))}
    result = await run_chain(
        chain, _objective(facts), agent, work.hear, trial=trial, known=known, budget=budget
    )
    if work.held is None and work.tree.written:  # by tools, before there was an answer
        await work.wrong(WishedWork(summary=UNANSWERED, edits=[]))
    return work.ended(result, budget.used_up)


@dataclass(slots=True)
class _Work:
    """What has come of it by now."""

    tree: WorkTree
    chain: Chain
    told: ChainProgress
    judge: Judge
    steps: tuple[PlannedStep, ...] = ()
    looked: bool = False
    failed: Patched = field(default_factory=Patched)
    """The last patch that did not hold."""
    held: Patched | None = None
    """The last one that did; one that fails the tests only while there is no better one."""
    gated: GateResult | None = None
    """What the tests say of `held`."""
    claimed: list[int] | None = None
    verdict: StepRun | None = None
    """What was said of `held`."""

    @property
    def facts(self) -> PatchFacts:
        return self.tree.facts

    def shown(self) -> tuple[Passage, ...]:
        written = self.tree.written
        texts = {**self.facts.texts, **written}
        files = [Passage(path, text, priority=place) for place, (path, text) in enumerate(texts.items(), 2)]
        if self.gated:
            files.insert(0, Passage("what the tests of the repository say of the patch", self.gated.words))
        if written:
            files.insert(0, Passage("what was written into files by now", self.tree.diff))
        if not self.looked and self.facts.names:
            names = "\n".join(self.facts.names[:MOST_NAMES])
            files.insert(0, Passage("paths of files that are not shown", names))
        return tuple(files)

    def known(self, gives: str, plan: str) -> KnownOutcome | None:
        """What a step would give, where that is known before."""
        if gives == "files" and not self.facts.names:
            return KnownOutcome("All files that there are to see are shown.")
        if gives != "plan" or not self._open:
            return None
        entries = tuple(_entry(step) for step in self._open)
        numbered = "\n".join(f"{number}. {one.text}" for number, one in enumerate(self._open, 1))
        before = "\n".join(f"- {one.text}" for one in self.steps if one.done)
        parts = [f"Done already:\n{before}" if before else "", f"The steps to do:\n{numbered}"]
        return KnownOutcome("\n\n".join(filter(None, [*parts, cut(beside_steps(plan), 6_000)])), entries)

    @property
    def _open(self) -> list[PlannedStep]:
        return [one for one in self.steps if not one.done][:MOST_STEPS]

    async def wrong(self, wished: WishedWork) -> str:
        done, problems = await tried(wished, self.facts, self.tree.written)
        if not problems and (other := place_taken(done.texts, self.facts.texts, self.facts.modes)):
            why = f"{other} is there already"
            done, problems = replace(done, summary="", texts={}, why=why), [why]
        if problems:
            self.failed = done
            return "\n\n".join(problems)
        gated, to_mend = await self.judge(self.facts, done)
        if not to_mend or self.held is None or _failed(self.gated):
            self.held, self.gated, self.claimed, self.verdict = done, gated, wished.done, None
        return to_mend

    async def look(self, wanted: WantedFiles) -> str:
        there = [one for path in wanted.paths[:50] if (one := self._meant(path))]
        asked = [path for path in dict.fromkeys(there) if path not in self.facts.texts][:MOST_LOCATED]
        await self.tree.fetch(asked)
        self.looked = True
        texts = {path: self.facts.texts[path] for path in asked if path in self.facts.texts}
        return f"Read too: {listed(texts, MOST_LOCATED)}." if texts else "No other file was read."

    def _meant(self, path: str) -> str:
        """The file that a model means by a path; nothing where there is none."""
        if known := resolve(path, self.facts.names):
            return known
        exists = self.facts.exists
        return path if exists and exists(path) and not why_not(path) else ""

    def hear(self, event: Begun | StepRun) -> None:
        if isinstance(event, StepRun):
            if event.accepted is not None:
                self.verdict = event
            if event.entries:
                self.steps = tuple(_planned(*entry) for entry in event.entries)
            if self.held and self.chain.step(event.step).gives == "patch" and event.good:
                unread = tuple(name for name in event.unread if name in self.facts.texts)
                self.held = replace(self.held, unread=unread)
        self.told(event)

    def ended(self, result: ChainResult, used_up: str) -> Implemented:
        usage = tuple(_used(result))
        if self.held is None:
            why = cut(self.failed.why or result.reason or "no patch came of it", 500)
            patched = replace(self.failed, texts={}, why=why, usage=usage)
            return Implemented(patched, self.facts, self.steps)
        remarks = self.verdict.text if self.verdict and not self.verdict.accepted else ""
        stopped = result.reason if result.failure not in ("", "rejected") else ""
        if remarks and result.failure in ("rejected", "invalid"):
            stopped = used_up  # else the work went back as often as it may
        if _failed(self.gated):
            remarks, stopped = "", "the tests of this repository fail with it"
        elif not (remarks or stopped or self.verdict):
            stopped = "nobody took a second look"
        return Implemented(
            replace(self.held, usage=usage),
            self.facts,
            self.steps,
            self._done(),
            model_words(remarks, 3_000),
            one_line(stopped, 500),
            self.gated,
        )

    def _done(self) -> frozenset[int]:
        """What the patch claims and the reviewer accepted; where one of them names no step, all that the
        other names, and where neither does, all that were to be done by work that was accepted."""
        if self.verdict is None or not (self.verdict.accepted or self.verdict.fulfilled):
            return frozenset()
        numbers = [number for number, one in enumerate(self.steps, 1) if not one.done][:MOST_STEPS]
        every = range(1, len(numbers) + 1)
        said = (self.claimed, self.verdict.fulfilled)
        both = set(every).intersection(*(one for one in said if one is not None))
        return frozenset(numbers[one - 1] for one in both)


def _failed(gated: GateResult | None) -> bool:
    return gated is not None and gated.state == "failed"


def _planned(title: str, detail: str) -> PlannedStep:
    more = one_line(detail, 400)
    return PlannedStep(f"**{one_line(title.replace('*', ' '), 120)}**{f': {more}' if more else ''}")


def _entry(step: PlannedStep) -> PlanStep:
    title, _, detail = step.text.partition("\n")
    return PlanStep(title=title, detail=detail, role="")


def _objective(facts: PatchFacts) -> str:
    parts = [f"A recipe of this repository:\n{facts.instructions[:6_000]}"] if facts.instructions else []
    parts += [facts.title[:300], facts.description[:6_000]]
    parts += [f"{who} said: {what[:1_500]}" for who, what in facts.conversation[-10:]]
    parts += [f"Asked for with it: {facts.wish[:4_000]}"] if facts.wish else []
    objective = cut("\n\n".join(filter(None, parts)), MOST_OBJECTIVE)
    return f"{objective}\n\nWrite `summary` in the language with this code: {facts.context.settings.language}"


def _used(result: ChainResult) -> Any:
    for run in result.runs:
        if run.model:
            tokens = run.tokens_in, run.tokens_out
            step = f"implement {run.step}"
            yield Usage(step, run.host, run.model, *tokens, run.seconds, run.tokens_cached)
