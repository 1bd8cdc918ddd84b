"""One model host as this process knows it: what it has, whether it is well, and how it is started.

A host and a model of it that can be asked.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.core.hosts import Host, HostModel
from bot.inference.hosts.process import HostProgram
from bot.inference.hosts.read_prompts import ReadPrompts
from bot.inference.runners import Broken, HostDown, HostTooSlow, Runner, RunnerError


@dataclass(frozen=True, slots=True)
class Candidate:
    """One window, in tokens, that the model is always asked with. `tier`: candidates of a lower one are asked
    first."""

    host: Host
    model: HostModel
    num_ctx: int
    tier: int = 0

    @property
    def sees(self) -> bool:
        """Whether it reads pictures, by what the host tells or the configuration says."""
        return self.model.sees or self.host.of(self.model.name).vision


@dataclass(frozen=True, slots=True)
class Candidates:
    """Who can be asked, best first; `reason` says for each host why it is not among them."""

    candidates: tuple[Candidate, ...]
    reason: str


FRESH_SECONDS = 30.0
"""How long what a host said about its models is believed."""
ASK_SECONDS = 15.0
"""How long a host may take to say what it has, over all that is asked for it."""
DOWN_SECONDS = 5.0
"""How long a host that did not answer is left alone; twice as long after each time that it still does not."""
LONGEST_SECONDS = 60.0
MOST_FAULTS = 3
"""So many bad answers one after the other, and the host is left alone as if it did not answer."""


@dataclass(frozen=True, slots=True)
class HostState:
    """What is known of a host. `error` is empty while it is up."""

    host: Host
    models: tuple[HostModel, ...] = ()
    error: str = ""

    @property
    def up(self) -> bool:
        return not self.error


class KnownHost:
    """One host with its runner and what it last said. A circuit breaker: what fails is left alone, asked
    again after a while, and used again once it answers."""

    def __init__(self, host: Host, runner: Runner, clock: Callable[[], float]) -> None:
        self.host = host
        self.runner = runner
        self.program = HostProgram(host)
        self.inside = 0
        self._read: dict[str, ReadPrompts] = {}
        self._clock = clock
        self._asking = asyncio.Lock()
        self._models: tuple[HostModel, ...] = ()
        self._error = ""
        self._until = float("-inf")
        self._times_down = 0
        self._faults = 0

    async def state(self) -> HostState:
        """What the host has, asked anew where the last answer is too old."""
        async with self._asking:
            if self._clock() >= self._until:
                await self._ask()
        return self.known

    @property
    def known(self) -> HostState:
        """What it last said."""
        return HostState(self.host, self._models, self._error)

    async def started(self) -> HostState:
        """The state after the host's start command, where it has one and does not answer."""
        state = await self.state()
        if state.up or not self.host.start:
            return state
        async with self._asking:
            if self._error and await self.program.start(self._answers):
                await self._ask()
        return self.known

    def read(self, model: str) -> ReadPrompts:
        """What it has read of a model's prompts."""
        return self._read.setdefault(model, ReadPrompts(self.host.parallel))

    def forget(self) -> None:
        """What the host said is no longer true."""
        self._until = float("-inf")

    def down(self, error: RunnerError) -> None:
        """The host does not answer: it is left alone for some seconds."""
        self._models, self._error = (), str(error)
        self._until = self._clock() + min(DOWN_SECONDS * 2**self._times_down, LONGEST_SECONDS)
        self._times_down += 1

    def served(self) -> None:
        """It gave a whole answer."""
        self._faults = self._times_down = 0

    def fault(self, error: RunnerError) -> None:
        """It took a request and gave no whole answer."""
        if isinstance(error, Broken | HostTooSlow):
            self._faults += 1
            if self._faults >= MOST_FAULTS:
                self.down(error)

    async def _ask(self) -> None:
        try:
            async with asyncio.timeout(ASK_SECONDS):
                models = await self.runner.models()
                loaded = await self.runner.loaded() if models else ()
            self._models = tuple(replace(each, loaded=each.name in loaded) for each in models)
            self._error = ""
            self._until = self._clock() + FRESH_SECONDS
            if self._faults < MOST_FAULTS:
                self._times_down = 0
        except RunnerError as error:
            self.down(error)
        except TimeoutError:
            self.down(HostDown(f"it did not say what it has within {ASK_SECONDS:g} s"))

    async def _answers(self) -> bool:
        try:
            await self.runner.models()
        except RunnerError:
            return False
        return True
