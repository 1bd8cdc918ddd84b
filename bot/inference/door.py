"""One model host as this process knows it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from bot.core.hosts import Host, HostModel
from bot.inference.runners import Runner, RunnerError
from bot.inference.turnstile import Turnstile

FRESH_SECONDS = 30.0
"""How long what a host said about its models is believed."""
DOWN_SECONDS = 5.0
"""How long a host that did not answer is left alone."""


@dataclass(frozen=True, slots=True)
class HostState:
    """What is known of a host. `error` is empty while it is up."""

    host: Host
    models: tuple[HostModel, ...] = ()
    error: str = ""
    in_flight: int = 0

    @property
    def up(self) -> bool:
        return not self.error


class Door:
    """One host with its runner, its limit and what it last said."""

    def __init__(self, host: Host, runner: Runner, clock: Callable[[], float]) -> None:
        self.host = host
        self.runner = runner
        self.turnstile = Turnstile(host.parallel)
        self._clock = clock
        self._asking = asyncio.Lock()
        self._models: tuple[HostModel, ...] = ()
        self._error = ""
        self._until = float("-inf")

    async def state(self) -> HostState:
        """What the host has, asked anew where the last answer is too old."""
        async with self._asking:
            if self._clock() >= self._until:
                await self._ask()
        return HostState(self.host, self._models, self._error, self.turnstile.inside)

    def forget(self) -> None:
        """What the host said is no longer true."""
        self._until = float("-inf")

    def down(self, error: RunnerError) -> None:
        """The host does not answer: it is left alone for some seconds."""
        self._models, self._error = (), str(error)
        self._until = self._clock() + DOWN_SECONDS

    async def _ask(self) -> None:
        try:
            self._models, self._error = await self.runner.models(), ""
            self._until = self._clock() + FRESH_SECONDS
        except RunnerError as error:
            self.down(error)
