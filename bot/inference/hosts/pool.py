"""The model hosts: what each has, whether it answers, and a slot at the one that is expected to answer
first.

Who may be asked follows the models of a role in order of preference, local hosts before online ones. Among
the hosts that have the same model the choice is by expected completion, made when a slot is taken. Slots
are shared by all workers of all machines through a `HostSlots`.

Stops hosts that were started and that nobody uses any more.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from math import inf

from bot.core.adapters import Adapter, adapter_name
from bot.core.host_slots import HostSlots, Outlook, Served, Speed, Traffic
from bot.core.hosts import Host, HostModel, RoutingStrategy
from bot.core.inference import Beginning, Role
from bot.inference.egress import LOCAL_ONLY, EgressGuard
from bot.inference.guarded_call import GuardedCall
from bot.inference.hosts.known_host import Candidate, Candidates, HostState, KnownHost
from bot.inference.hosts.scheduler import Scheduler
from bot.inference.hosts.slots import LocalHostSlots
from bot.inference.runners import HostDown, ModelMissing, Runner, RunnerError
from bot.inference.runners.registry import make_runner
from bot.inference.token_budget import Ratios


@dataclass(slots=True)
class Idle:
    """Watches the hosts that this process has started."""

    host_slots: HostSlots
    known_hosts: Sequence[KnownHost]
    _watching: asyncio.Task[None] | None = None

    def watch(self) -> None:
        """From now on, until none of them runs."""
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch(), name="idle hosts")

    async def aclose(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    async def _watch(self) -> None:
        while started := [known_host for known_host in self.known_hosts if known_host.program.was_started]:
            await asyncio.sleep(min(known_host.host.idle_minutes for known_host in started) * 60 / 4)
            traffics = await self.host_slots.look([known_host.host.name for known_host in started])
            for known_host in started:
                traffic = traffics[known_host.host.name]
                busy = traffic.inside or traffic.waiting or known_host.inside
                if not busy and traffic.idle_seconds >= known_host.host.idle_minutes * 60:
                    await known_host.program.stop()
                    known_host.forget()


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
        host_slots: HostSlots | None = None,
        routing: RoutingStrategy = "completion",
    ) -> None:
        self._known_hosts = {host.name: KnownHost(host, runner(host), clock) for host in hosts}
        self.ratios = Ratios()
        self._windows: dict[tuple[str, str], int] = {}
        self._largest_context = largest_context
        self.host_slots = host_slots or LocalHostSlots()
        self._line = Scheduler(self.host_slots, routing)
        self._idle = Idle(self.host_slots, tuple(self._known_hosts.values()))

    async def states(self, guard: EgressGuard = LOCAL_ONLY, *, anew: bool = False) -> tuple[HostState, ...]:
        """What each host has, asked anew where the last answer is too old. One that the guard forbids is not
        even asked that."""
        for known_host in self._known_hosts.values() if anew else ():
            known_host.forget()
        return tuple(
            await asyncio.gather(
                *(self._state(known_host, guard) for known_host in self._known_hosts.values())
            )
        )

    async def candidates(
        self, role: Role, wanted: Sequence[str], guard: EgressGuard = LOCAL_ONLY, *, start: bool = True
    ) -> Candidates:
        """Hosts and models for a role. `wanted`: names in order of preference, `NAME` or `NAME@HOST`. A host
        with a start command that is needed is started, unless it is only asked who there is."""
        serving = {
            name: known_host
            for name, known_host in self._known_hosts.items()
            if _serves(known_host.host, role)
        }
        states = list(
            await asyncio.gather(*(self._state(known_host, guard) for known_host in serving.values()))
        )
        for number, state in enumerate(states):
            if start and not state.up and state.host.start and _needed(state.host, role, wanted, states):
                states[number] = await serving[state.host.name].started()
                self._idle.watch()
        return Candidates(self._found(states, wanted, guard), _reason(states, role, wanted))

    @asynccontextmanager
    async def place(
        self,
        candidates: Sequence[Candidate],
        urgency: int,
        tokens_in: int = 1000,
        guard: EgressGuard = LOCAL_ONLY,
        behind: int = 0,
        beginning: Beginning | None = None,
        shared: int = 0,
    ) -> AsyncIterator[GuardedCall]:
        """A slot at the best of the candidates that share the first one's tier, waited for in order of
        urgency (0: a person waits). `behind`: so many more of the same kind will be asked for after it;
        `shared`: so many of its tokens are the `beginning`'s, which a host that had it last need not read."""
        kept = self._kept(beginning, shared)
        ticket, candidate = await self._line.enter(_first(candidates), tokens_in, urgency, behind, kept)
        known_host = self._known_hosts[candidate.host.name]
        known_host.inside += 1
        try:
            yield GuardedCall(
                candidate,
                guard,
                known_host,
                lambda served: self._line.later(self._learn(candidate, served, ticket.loaded)),
                self._line.writing(ticket).hearing,
                beginning,
            )
        finally:
            known_host.inside -= 1
            await self._line.leave(ticket)

    async def outlook(
        self,
        role: Role,
        wanted: Sequence[str],
        urgency: int,
        guard: EgressGuard = LOCAL_ONLY,
        tokens_in: int = 4000,
    ) -> Outlook:
        """How a request for a role would wait now; not at all where nobody could be asked."""
        first = _first((await self.candidates(role, wanted, guard)).candidates)
        return await self._line.outlook(first, tokens_in, urgency) if first else Outlook()

    async def seconds_now(
        self,
        role: Role,
        wanted: Sequence[str],
        urgency: int,
        guard: EgressGuard,
        tokens_in: int,
        behind: int,
        beginning: Beginning | None = None,
        shared: int = 0,
        length: int = 0,
    ) -> float:
        """How long a request for a role would take, as its host was measured; without end where it would get
        no slot at once. `length`: of its answer, where that is known."""
        first = _first((await self.candidates(role, wanted, guard)).candidates)
        if not first:
            return inf
        best = await self._line.best(first, tokens_in, urgency, behind, self._kept(beginning, shared))
        if length:
            best = replace(best, speed=replace(best.speed, length=length))
        return best.needed(tokens_in) if best.is_free else inf

    def _kept(self, beginning: Beginning | None, shared: int) -> Callable[[Candidate], int]:
        """How many tokens of a question with that beginning a candidate has read already."""

        def kept(candidate: Candidate) -> int:
            read = self._known_hosts[candidate.host.name].read(candidate.model.name)
            return shared if read.holds(beginning) else 0

        return kept

    async def traffic(self) -> dict[str, Traffic]:
        """Every host's requests over all processes."""
        return await self.host_slots.look(list(self._known_hosts))

    def adapters(self, repo_id: int) -> list[Adapter]:
        """Those of one repository."""
        hosts = (known_host.host for known_host in self._known_hosts.values())
        return [one for host in hosts for one in host.adapters if one.repo_id == repo_id]

    def runner(self, host: str) -> Runner:
        """The host's own runner, for what needs no place: pulling a model."""
        return self._known_hosts[host].runner

    def window(self, candidate: Candidate) -> int:
        """How many tokens a prompt may have there: the candidate's window, or what the host was found to
        read."""
        return min(
            candidate.num_ctx,
            self._windows.get((candidate.host.name, candidate.model.name), candidate.num_ctx),
        )

    def reads(self, candidate: Candidate, tokens: int) -> None:
        """The host has read no more than this of a prompt that its window should have taken."""
        log.warning(
            "%s reads only %d tokens of %s's window", candidate.host.name, tokens, candidate.model.name
        )
        self._windows[candidate.host.name, candidate.model.name] = max(tokens, SMALLEST_WINDOW)

    def failed(self, host: Host, error: RunnerError) -> None:
        """Takes note of what a failed request says about the host for the next ones."""
        if isinstance(error, HostDown):
            self._known_hosts[host.name].down(error)
        elif isinstance(error, ModelMissing):
            self._known_hosts[host.name].forget()

    async def aclose(self) -> None:
        """Closes all connections."""
        await self._idle.aclose()
        await self._line.aclose()
        await asyncio.gather(*(known_host.runner.aclose() for known_host in self._known_hosts.values()))
        await asyncio.gather(*(known_host.program.aclose() for known_host in self._known_hosts.values()))

    async def _state(self, known_host: KnownHost, guard: EgressGuard) -> HostState:
        verdict = await guard.verdict(known_host.host)
        return (
            await known_host.state() if verdict.allowed else HostState(known_host.host, error=verdict.reason)
        )

    def _found(
        self, states: Sequence[HostState], wanted: Sequence[str], guard: EgressGuard
    ) -> tuple[Candidate, ...]:
        """Local hosts first (or online ones), then by preference, then in the order of the configuration.
        What has learnt one repository is there for that one only."""
        found: dict[tuple[Host, str], Candidate] = {}
        for place, online in enumerate((guard.prefer_online, not guard.prefer_online)):
            for number, name in enumerate(wanted):
                for state in states:
                    for model in state.models if state.host.online == online else ():
                        allowed = (state.host.online or not model.remote) and guard.knows(model)
                        if allowed and _is(name, model, state.host):
                            model = model if model.name else replace(model, name=name.partition("@")[0])
                            window = min(
                                model.context_length,
                                state.host.of(model.name).num_ctx or self._largest_context,
                            )
                            tier = number + place * len(wanted)
                            found.setdefault(
                                (state.host, model.name), Candidate(state.host, model, window, tier)
                            )
        return tuple(found.values())

    async def _learn(self, candidate: Candidate, served: Served, loaded: bool) -> None:
        host, model = candidate.host.name, candidate.model.name
        if loaded:
            served = replace(served, load_seconds=0.0)
        traffic = (await self.host_slots.look([host]))[host]
        known = traffic.speeds.get(model, Speed())
        await self.host_slots.learn(host, model, served, known.after(served) if served.ok else known)


def _first(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Those of the first one's tier."""
    return [candidate for candidate in candidates if candidate.tier == candidates[0].tier]


def _serves(host: Host, role: Role) -> bool:
    return not host.roles or role in host.roles


def _needed(host: Host, role: Role, wanted: Sequence[str], states: Sequence[HostState]) -> bool:
    """Whether a host is started for a role: it is for this role, a model is wanted there by name, or nothing
    else is up."""
    named = any(name.rpartition("@")[2] == host.name for name in wanted if "@" in name)
    return named or role in host.roles or not any(state.up and state.models for state in states)


def _is(wanted: str, model: HostModel, host: Host) -> bool:
    """Whether a configured name means this model of this host, as every name does one without, but an
    adapter's, which would go to a host that never had it; Ollama reads a name without a tag as `:latest`."""
    name, _, at = wanted.partition("@")
    if at not in {"", host.name}:
        return False
    return _tagged(name) == _tagged(model.name) if model.name else adapter_name(name) is None


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
