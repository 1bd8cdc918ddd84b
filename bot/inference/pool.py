"""The model hosts: what each has, whether it answers, and a place at the one that is expected to answer
first.

Who may be asked follows the models of a role in order of preference, local hosts before online ones. Among
the hosts that have the same model the choice is by expected completion, made when a place is taken. Places
are shared by all workers of all machines through a `Board`.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from bot.core.hosts import Host, HostModel
from bot.core.inference import Role
from bot.core.places import Board, Outlook, Served, Speed, Traffic
from bot.core.rank import Routing
from bot.inference.attended import Attended
from bot.inference.board import LocalBoard
from bot.inference.door import Door, HostState
from bot.inference.guard import LOCAL_ONLY, Guard
from bot.inference.idle import Idle
from bot.inference.line import Line
from bot.inference.ratios import Ratios
from bot.inference.registry import make_runner
from bot.inference.runners import HostDown, ModelMissing, Runner, RunnerError
from bot.inference.seats import Seat, Seats

LARGEST_CONTEXT = 16_384
"""Tokens. Models claim 128k and more, but a window costs memory on the host whether it is used or not,
and answers get worse with length; this is several times what a prompt of Hob's needs."""
SMALLEST_WINDOW = 1024

log = logging.getLogger(__name__)


class Pool:
    """Hosts in the order of the configuration. Connects when first asked; `aclose` it."""

    def __init__(
        self,
        hosts: Iterable[Host],
        *,
        runner: Callable[[Host], Runner] = make_runner,
        largest_context: int = LARGEST_CONTEXT,
        clock: Callable[[], float] = time.monotonic,
        board: Board | None = None,
        routing: Routing = "completion",
    ) -> None:
        self._doors = {host.name: Door(host, runner(host), clock) for host in hosts}
        self.ratios = Ratios()
        self._windows: dict[tuple[str, str], int] = {}
        self._largest_context = largest_context
        self.board = board or LocalBoard()
        self._line = Line(self.board, routing)
        self._idle = Idle(self.board, tuple(self._doors.values()))

    async def states(self, guard: Guard = LOCAL_ONLY, *, anew: bool = False) -> tuple[HostState, ...]:
        """What each host has, asked anew where the last answer is too old. One that the guard forbids is not
        even asked that."""
        for door in self._doors.values() if anew else ():
            door.forget()
        return tuple(await asyncio.gather(*(self._state(door, guard) for door in self._doors.values())))

    async def seats(
        self, role: Role, wanted: Sequence[str], guard: Guard = LOCAL_ONLY, *, start: bool = True
    ) -> Seats:
        """Hosts and models for a role. `wanted`: names in order of preference, `NAME` or `NAME@HOST`. A host
        with a start command that is needed is started, unless it is only asked who there is."""
        serving = {name: door for name, door in self._doors.items() if _serves(door.host, role)}
        states = list(await asyncio.gather(*(self._state(door, guard) for door in serving.values())))
        for number, state in enumerate(states):
            if start and not state.up and state.host.start and _needed(state.host, role, wanted, states):
                states[number] = await serving[state.host.name].started()
                self._idle.watch()
        return Seats(self._found(states, wanted, guard.prefer_online), _reason(states, role, wanted))

    @asynccontextmanager
    async def place(
        self,
        seats: Sequence[Seat],
        urgency: int,
        tokens_in: int = 1000,
        guard: Guard = LOCAL_ONLY,
        behind: int = 0,
    ) -> AsyncIterator[Attended]:
        """A place at the best of the seats that share the first one's tier, waited for in order of urgency
        (0: a person waits). `behind`: so many more of the same kind will be asked for after it."""
        ticket, seat = await self._line.enter(_first(seats), tokens_in, urgency, behind)
        door = self._doors[seat.host.name]
        door.inside += 1
        try:
            yield Attended(
                seat, guard, door, lambda served: self._line.later(self._learn(seat, served, ticket.loaded))
            )
        finally:
            door.inside -= 1
            await self._line.leave(ticket)

    async def outlook(
        self,
        role: Role,
        wanted: Sequence[str],
        urgency: int,
        guard: Guard = LOCAL_ONLY,
        tokens_in: int = 4000,
    ) -> Outlook:
        """How a request for a role would wait now; not at all where nobody could be asked."""
        first = _first((await self.seats(role, wanted, guard)).seats)
        return await self._line.outlook(first, tokens_in, urgency) if first else Outlook()

    async def is_free(
        self, role: Role, wanted: Sequence[str], urgency: int, guard: Guard, tokens_in: int, behind: int
    ) -> bool:
        """Whether a request for a role would get a place at once."""
        first = _first((await self.seats(role, wanted, guard)).seats)
        return bool(first) and await self._line.is_free(first, tokens_in, urgency, behind)

    async def traffic(self) -> dict[str, Traffic]:
        """Every host's requests over all processes."""
        return await self.board.look(list(self._doors))

    def runner(self, host: str) -> Runner:
        """The host's own runner, for what needs no place: pulling a model."""
        return self._doors[host].runner

    def window(self, seat: Seat) -> int:
        """How many tokens a prompt may have there: the seat's window, or what the host was found to read."""
        return min(seat.num_ctx, self._windows.get((seat.host.name, seat.model.name), seat.num_ctx))

    def reads(self, seat: Seat, tokens: int) -> None:
        """The host has read no more than this of a prompt that its window should have taken."""
        log.warning("%s reads only %d tokens of %s's window", seat.host.name, tokens, seat.model.name)
        self._windows[seat.host.name, seat.model.name] = max(tokens, SMALLEST_WINDOW)

    def failed(self, host: Host, error: RunnerError) -> None:
        """Takes note of what a failed request says about the host for the next ones."""
        if isinstance(error, HostDown):
            self._doors[host.name].down(error)
        elif isinstance(error, ModelMissing):
            self._doors[host.name].forget()

    async def aclose(self) -> None:
        """Closes all connections."""
        await self._idle.aclose()
        await self._line.aclose()
        await asyncio.gather(*(door.runner.aclose() for door in self._doors.values()))
        await asyncio.gather(*(door.program.aclose() for door in self._doors.values()))

    async def _state(self, door: Door, guard: Guard) -> HostState:
        verdict = await guard.verdict(door.host)
        return await door.state() if verdict.allowed else HostState(door.host, error=verdict.reason)

    def _found(
        self, states: Sequence[HostState], wanted: Sequence[str], prefer_online: bool = False
    ) -> tuple[Seat, ...]:
        """Local hosts first (or online ones), then by preference, then in the order of the configuration."""
        found: dict[tuple[Host, str], Seat] = {}
        for place, online in enumerate((prefer_online, not prefer_online)):
            for number, name in enumerate(wanted):
                for state in states:
                    for model in state.models if state.host.online == online else ():
                        if (state.host.online or not model.remote) and _is(name, model, state.host):
                            model = model if model.name else replace(model, name=name.partition("@")[0])
                            window = min(
                                model.context_length,
                                state.host.of(model.name).num_ctx or self._largest_context,
                            )
                            tier = number + place * len(wanted)
                            found.setdefault((state.host, model.name), Seat(state.host, model, window, tier))
        return tuple(found.values())

    async def _learn(self, seat: Seat, served: Served, loaded: bool) -> None:
        host, model = seat.host.name, seat.model.name
        if loaded:
            served = replace(served, load_seconds=0.0)
        traffic = (await self.board.look([host]))[host]
        known = traffic.speeds.get(model, Speed())
        await self.board.learn(host, model, served, known.after(served) if served.ok else known)


def _first(seats: Sequence[Seat]) -> list[Seat]:
    """Those of the first one's tier."""
    return [seat for seat in seats if seat.tier == seats[0].tier]


def _serves(host: Host, role: Role) -> bool:
    return not host.roles or role in host.roles


def _needed(host: Host, role: Role, wanted: Sequence[str], states: Sequence[HostState]) -> bool:
    """Whether a host is started for a role: it is for this role, a model is wanted there by name, or nothing
    else is up."""
    named = any(name.rpartition("@")[2] == host.name for name in wanted if "@" in name)
    return named or role in host.roles or not any(state.up and state.models for state in states)


def _is(wanted: str, model: HostModel, host: Host) -> bool:
    """Whether a configured name means this model of this host, as every name does one without; Ollama reads
    a name without a tag as `:latest`."""
    name, _, at = wanted.partition("@")
    return at in {"", host.name} and (not model.name or _tagged(name) == _tagged(model.name))


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
