"""What Hob finds at its model hosts."""

import socket
from contextlib import suppress
from urllib.parse import urlsplit

from bot.cli.doctor.line import Wrong
from bot.config import Config
from bot.core.hosts import Host
from bot.core.inference import Role
from bot.http import AsyncClient, HTTPError, Timeout
from bot.inference.pool import Pool

SMALL_WINDOW = 4096
"""Tokens under which a review has no room: a prompt of a few thousand, and the answer."""
LOOPBACK = ("localhost", "127.0.0.1", "::1")
ELSEWHERE = "192.0.2.1"
"""TEST-NET-1 (RFC 5737): nothing is sent there, it only makes the system choose an address of ours."""


async def answers(host: Host) -> str:
    """Whether it answers, and with which models."""
    pool = Pool([host])
    try:
        (state,) = await pool.states()
    finally:
        await pool.aclose()
    if not state.up:
        raise Wrong(state.error, f"start it, or correct the url of host {host.name}")
    models = ", ".join(f"{model.name} ({model.context_length} tokens)" for model in state.models)
    return models or "answers, and has no models"


async def role_is_served(config: Config, role: Role) -> str:
    """Whether a host has a model of the role, with a window that a prompt fits into."""
    wanted = config.models.of(role)
    pool = Pool(config.pool_hosts())
    try:
        found = await pool.seats(role, wanted)
    finally:
        await pool.aclose()
    if not found.seats and role == "embed":
        pull = "".join(f" (ollama pull {name})" for name in wanted[:1])
        return f"none, so search and duplicates go by words alone: {found.reason}{pull}"
    if not found.seats:
        raise Wrong(found.reason, f"start a host that has one, or change models.{role}; ollama pull MODEL")
    best = found.seats[0]
    if role != "embed" and best.num_ctx < SMALL_WINDOW:
        raise Wrong(
            f"{best.model.name} reads {best.num_ctx} tokens only", "choose a model with a larger context"
        )
    return f"{best.model.name} on {best.host.name}, {best.num_ctx} tokens"


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
