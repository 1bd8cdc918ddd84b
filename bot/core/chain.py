"""A chain: who does what after whom, as a value. `bot.prompting` reads one from `prompts/chains/NAME.toml`;
`bot.agents.chain` carries it out. docs/agents.md says how one is written."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

Gives = Literal["text", "plan", "verdict", "files", "patch"]
"""`patch`: edits of files, `files`: paths of those that are to be seen whole. Only `implement` can try the
one and read the other."""
When = Literal["rejected", "failed"]


@dataclass(frozen=True, slots=True)
class LoopBack:
    """Back to an earlier step, at most so many times: when a verdict rejects, or when the step has failed."""

    to: str
    when: When = "rejected"
    at_most: int = 1


@dataclass(frozen=True, slots=True)
class ChainStep:
    """One place in a chain. `needs` are earlier steps whose outcome it is shown; `each` is one of them that
    gives a plan, and then the step runs once for each entry of that plan, `concurrency` at a time."""

    name: str
    agent: str
    """A prompt file of `prompts/agents/`."""
    gives: Gives = "text"
    needs: tuple[str, ...] = ()
    each: str = ""
    agents: tuple[str, ...] = ()
    """With `each`: agents that an entry's `role` may choose instead of `agent`."""
    model: str = ""
    """Instead of the agent's role's models."""
    timeout: float = 1200.0
    """Seconds for one run of the step."""
    retries: int = 0
    concurrency: int = 1
    loop_back: LoopBack | None = None


@dataclass(frozen=True, slots=True)
class Chain:
    """Steps in the order of the file; what the last of them gives is the chain's answer unless `answer`
    names another."""

    name: str
    steps: tuple[ChainStep, ...]
    description: str = ""
    answer: str = ""

    def step(self, name: str) -> ChainStep:
        """KeyError where there is none."""
        for step in self.steps:
            if step.name == name:
                return step
        raise KeyError(name)

    @property
    def answered_by(self) -> str:
        return self.answer or self.steps[-1].name

    def ready(self, done: Iterable[str]) -> tuple[ChainStep, ...]:
        """What can begin: not done, and all that it needs is."""
        finished = set(done)
        return tuple(step for step in self.steps if step.name not in finished and set(step.needs) <= finished)

    def after(self, name: str) -> frozenset[str]:
        """The step and all that rests on it."""
        found = {name}
        for step in self.steps:  # needs are earlier steps, so one pass is enough
            if found & set(step.needs):
                found.add(step.name)
        return frozenset(found)


@dataclass(frozen=True, slots=True)
class Begun:
    """A run of a step begins."""

    step: str
    round: int
    title: str = ""


@dataclass(frozen=True, slots=True)
class StepRun:
    """One run of a step: what it gave, or why it gave nothing."""

    step: str
    round: int
    """From 1; a loop back begins the next."""
    title: str = ""
    """Of the plan's entry, with `each`."""
    text: str = ""
    failure: str = ""
    reason: str = ""
    accepted: bool | None = None
    """Of a verdict."""
    fulfilled: tuple[int, ...] | None = None
    """Of a verdict: the numbers of the plan's steps that the work fulfils, where it says so."""
    entries: tuple[tuple[str, str], ...] = ()
    """Of a plan: (title, detail)."""
    unread: tuple[str, ...] = ()
    """What it was to be shown and was not, or not whole, for want of room."""
    tries: int = 1
    host: str = ""
    model: str = ""
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int = 0
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        return not self.failure


@dataclass(frozen=True, slots=True)
class ChainResult:
    """All runs in the order in which they ended. `failure` is empty when the chain came to its end."""

    chain: str
    objective: str
    answer: str = ""
    failure: str = ""
    reason: str = ""
    rounds: int = 1
    runs: tuple[StepRun, ...] = field(default_factory=tuple)
    value: Any = None
    """What the answer's step gave, where that is no text."""


def faults(chain: Chain) -> tuple[str, ...]:
    """What is wrong with a chain beyond its keys, in sentences."""
    found: list[str] = [] if chain.steps else ["a chain has at least one step"]
    earlier: dict[str, ChainStep] = {}
    for step in chain.steps:
        if step.name in earlier:
            found.append(f"two steps are named {step.name}")
        found += [
            f"step {step.name} needs {name}, which is no earlier step"
            for name in step.needs
            if name not in earlier
        ]
        found += _each_faults(step, earlier) + _loop_faults(chain, step, earlier)
        earlier[step.name] = step
    if chain.answer and chain.answer not in earlier:
        found.append(f"answer is {chain.answer}, which is no step")
    return tuple(found)


def _each_faults(step: ChainStep, earlier: dict[str, ChainStep]) -> list[str]:
    if not step.each:
        return [f"step {step.name} names agents without each"] if step.agents else []
    if step.each not in step.needs or step.each not in earlier:
        return [f"step {step.name}: each is {step.each}, which is not among its needs"]
    if earlier[step.each].gives != "plan":
        return [f'step {step.name}: each is {step.each}, which does not give "plan"']
    return [f'step {step.name}: with each it gives "text"'] if step.gives != "text" else []


def _loop_faults(chain: Chain, step: ChainStep, earlier: dict[str, ChainStep]) -> list[str]:
    loop = step.loop_back
    if loop is None:
        return []
    if loop.to != step.name and loop.to not in earlier:
        return [f"step {step.name} loops back to {loop.to}, which is no earlier step"]
    if step.name not in chain.after(loop.to):
        return [f"step {step.name} loops back to {loop.to}, on which it does not rest"]
    if loop.when == "rejected" and step.gives != "verdict":
        return [f'step {step.name} loops back when rejected and does not give "verdict"']
    return []
