"""What Hob finds at its model hosts."""

import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from urllib.parse import urlsplit

from bot.cli.doctor import fixes, probe
from bot.cli.doctor.line import DoctorFix, DoctorResult, Wrong
from bot.config import Config
from bot.config.tuned import OFF, left_out
from bot.core.hosts import Host
from bot.core.inference import Role
from bot.http import AsyncClient, HTTPError, Timeout
from bot.inference.hosts.known_host import Candidates, HostState
from bot.inference.hosts.pool import Pool
from bot.local_egress import Outgoing

SMALL_WINDOW = 4096
"""Tokens under which a review has no room: a prompt of a few thousand, and the answer."""
LOOPBACK = ("localhost", "127.0.0.1", "::1")
ELSEWHERE = "192.0.2.1"
"""TEST-NET-1 (RFC 5737): nothing is sent there, it only makes the system choose an address of ours."""


async def examine(config: Config, probes: bool = False) -> list[DoctorResult]:
    """A line for each host and each role. No host is started, and what follows from one host's failure is
    told with it. `probes`: also how fast each reads."""
    outgoing, pool = Outgoing(config), Pool(config.pool_hosts())
    try:
        guard = outgoing.operators()
        states = await pool.states(guard)
        found = {
            role: await pool.candidates(role, models, guard, start=False)
            for role, models in config.models.by_role().items()
        }
    finally:
        await pool.aclose()
        outgoing.close()
    lines = {state.host.name: _host(state, config) for state in states}
    roles = [
        DoctorResult("tuned models", False, f"{why}; its base model is asked", OFF)
        for why in left_out(config.models.tuned, config.hob.data_dir, tune=config.privacy.tune).values()
    ]
    lacking: dict[tuple[str, ...], list[Role]] = {}
    for role, candidates in found.items():
        wanted = config.models.of(role)
        serving = [state for state in states if not state.host.roles or role in state.host.roles]
        down = next((state.host.name for state in serving if not lines[state.host.name].ok), "")
        asleep = next((state.host.name for state in serving if not state.up and state.host.start), "")
        if candidates.candidates or role == "embed":
            roles.append(_served(role, candidates, wanted))
        elif down:
            lines[down] = _with(lines[down], f"no model for {role}")
        elif asleep:
            roles.append(DoctorResult(f"models for {role}", True, f"told once {asleep} is started"))
        else:
            lacking.setdefault(wanted, []).append(role)
    for wanted, some in lacking.items():
        hint = (
            f"pull one ({' or '.join(f'ollama pull {name}' for name in wanted)}), or change models.{some[0]}"
        )
        fix = _pull(wanted, some[0], states)
        roles.append(DoctorResult(f"models for {', '.join(some)}", False, found[some[0]].reason, hint, fix))
    speeds = await probe.examine(found["review"].candidates) if probes else []
    return [*lines.values(), *roles, *speeds]


def _pull(wanted: Sequence[str], role: Role, states: Sequence[HostState]) -> DoctorFix | None:
    """The first model of the role, at the first Ollama of this network that serves it and answers."""
    name, _, at = next(iter(wanted), "").partition("@")
    able = (
        one.host
        for one in states
        if one.up and one.host.kind == "ollama" and not one.host.online and at in ("", one.host.name)
        if not one.host.roles or role in one.host.roles
    )
    host = next(able, None)
    return fixes.pull(name, host) if name and host else None


def _host(state: HostState, config: Config) -> DoctorResult:
    """Whether it answers, and with which models."""
    host, name = state.host, f"host {state.host.name}"
    if state.up:
        if lost := [
            one.name for one in host.adapters if one.name not in {model.name for model in state.models}
        ]:
            said = f"{lost[0]} cannot be used: it or its base model is gone, or that is another by now"
            return DoctorResult(name, False, said, "train it again (`hob tune run`), or `hob tune off`")
        models = ", ".join(f"{model.shown} ({model.context_length} tokens)" for model in state.models)
        return DoctorResult(name, True, models or "answers, and has no models")
    if host.start:
        return DoctorResult(name, True, f"does not run; Hob starts it when it is needed ({host.start[0]})")
    if host.online and config.privacy.online == "never":
        return DoctorResult(name, True, f"not used: {state.error}")
    hint = (
        "see [privacy] and [budget] (docs/configuration.md)"
        if host.online and state.error.startswith("it is online")
        else "start it, or write where another is into [[hosts]] of hob.toml (`hob hosts discover`)"
    )
    return DoctorResult(name, False, f"{host.url}: {state.error}" if host.url else state.error, hint)


def _with(line: DoctorResult, consequence: str) -> DoctorResult:
    """The failing line with what follows from it."""
    return replace(
        line,
        detail=f"{line.detail}; so {consequence}"
        if "; so " not in line.detail
        else f"{line.detail}, {consequence}",
    )


def _served(role: Role, found: Candidates, wanted: Sequence[str]) -> DoctorResult:
    """Which host has a model of the role, with a window that a prompt fits into."""
    name = f"models for {role}"
    if not found.candidates:
        pull = "".join(f" (ollama pull {name})" for name in wanted[:1])
        return DoctorResult(
            name, True, f"none, so search and duplicates go by words alone: {found.reason}{pull}"
        )
    best = found.candidates[0]
    if role != "embed" and best.num_ctx < SMALL_WINDOW:
        said = f"{best.model.name} reads {best.num_ctx} tokens only"
        return DoctorResult(name, False, said, "choose a model with a larger context")
    return DoctorResult(name, True, f"{best.model.name} on {best.host.name}, {best.num_ctx} tokens")


async def is_private(host: Host) -> str:
    """A host that is meant for this machine must not answer others: Ollama asks nobody for a password."""
    parts = urlsplit(host.url)
    if parts.hostname not in LOOPBACK and not str(parts.hostname).startswith("127."):
        return "on the network by intention: let a firewall keep strangers out"
    for address in own_addresses():
        if await _answers_at(address, parts.port or 80):
            raise Wrong(
                f"listens on all interfaces ({address} answers)", "set OLLAMA_HOST=127.0.0.1 and restart it"
            )
    return "this machine only"


def own_addresses() -> list[str]:
    """This machine's addresses that are not loopback ones."""
    found: set[str] = set()
    with suppress(OSError):
        found |= {str(info[4][0]) for info in socket.getaddrinfo(socket.gethostname(), None)}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, suppress(OSError):
        probe.connect((ELSEWHERE, 9))
        found.add(str(probe.getsockname()[0]))
    return sorted(address for address in found if not address.startswith(("127.", "::1", "fe80")))


async def _answers_at(address: str, port: int) -> bool:
    shown = f"[{address}]" if ":" in address else address
    async with AsyncClient(timeout=Timeout(2.0), trust_env=False) as client:
        try:
            await client.get(f"http://{shown}:{port}/api/version")
        except HTTPError:
            return False
    return True
