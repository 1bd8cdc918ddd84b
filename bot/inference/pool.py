"""The model hosts of this process: what each has, whether it answers, and a place at it.

For one host or a few: the models of a role in order of preference, the hosts in the order of the
configuration, a limit per host within this process. A prompt goes to local hosts and to models that run
on them, nowhere else.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.core.hosts import Host, HostModel
from bot.core.inference import Role
from bot.inference.door import Door, HostState
from bot.inference.ratios import Ratios
from bot.inference.registry import make_runner
from bot.inference.runners import HostDown, ModelMissing, Runner, RunnerError

LARGEST_CONTEXT = 16_384
"""Tokens. Models claim 128k and more, but a window costs memory on the host whether it is used or not,
and answers get worse with length; this is several times what a prompt of Hob's needs."""


@dataclass(frozen=True, slots=True)
class Seat:
    """A host and a model of it that can be asked, and the one window it is always asked with, in tokens."""

    host: Host
    model: HostModel
    num_ctx: int


@dataclass(frozen=True, slots=True)
class Seats:
    """Who can be asked, best first; `reason` says for each host why it is not among them."""

    seats: tuple[Seat, ...]
    reason: str


class Pool:
    """Hosts in the order of the configuration. Connects when first asked; `aclose` it."""

    def __init__(
        self,
        hosts: Iterable[Host],
        *,
        runner: Callable[[Host], Runner] = make_runner,
        largest_context: int = LARGEST_CONTEXT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._doors = [Door(host, runner(host), clock) for host in hosts]
        self.ratios = Ratios()
        self._largest_context = largest_context

    async def states(self) -> tuple[HostState, ...]:
        """What each host has, asked anew where the last answer is too old."""
        return tuple(await asyncio.gather(*(door.state() for door in self._doors)))

    async def seats(self, role: Role, wanted: Sequence[str]) -> Seats:
        """Hosts and models for a role. `wanted`: names in order of preference, `NAME` or `NAME@HOST`."""
        states = [state for state in await self.states() if _serves(state.host, role)]
        found = [
            Seat(state.host, model, min(model.context_length, self._largest_context))
            for name in wanted
            for state in states
            for model in state.models
            if not model.remote and _is(name, model, state.host)
        ]
        return Seats(tuple(dict.fromkeys(found)), _reason(states, role, wanted))

    @asynccontextmanager
    async def place(self, seat: Seat, urgency: int) -> AsyncIterator[Runner]:
        """A place at the seat's host, waited for in order of urgency (0: a person waits)."""
        door = self._door(seat.host)
        async with door.turnstile.place(urgency):
            yield door.runner

    def failed(self, host: Host, error: RunnerError) -> None:
        """Takes note of what a failed request says about the host for the next ones."""
        if isinstance(error, HostDown):
            self._door(host).down(error)
        elif isinstance(error, ModelMissing):
            self._door(host).forget()

    async def aclose(self) -> None:
        """Closes all connections."""
        await asyncio.gather(*(door.runner.aclose() for door in self._doors))

    def _door(self, host: Host) -> Door:
        return next(door for door in self._doors if door.host == host)


def _serves(host: Host, role: Role) -> bool:
    return not host.online and (not host.roles or role in host.roles)


def _is(wanted: str, model: HostModel, host: Host) -> bool:
    """Whether a configured name means this model of this host; Ollama reads a name without a tag as
    `:latest`."""
    name, _, at = wanted.partition("@")
    return at in {"", host.name} and _tagged(name) == _tagged(model.name)


def _tagged(name: str) -> str:
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def _reason(states: Sequence[HostState], role: Role, wanted: Sequence[str]) -> str:
    """For a person, why no host could be asked. It may be posted: hosts by their names, never by their
    addresses."""
    if not states:
        return f"no local model host is configured for {role}"
    if not wanted:
        return f"no model is configured for {role}"
    models = " or ".join(wanted)
    said = [f"{state.host.name}: {state.error or f'it has no local model {models}'}" for state in states]
    begin = "no model host answered" if not any(state.up for state in states) else "no model host can be used"
    return f"{begin}: {'; '.join(said)}"
