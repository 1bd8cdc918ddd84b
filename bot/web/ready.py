"""Are deliveries taken and worked on: a line a component, each asked with a deadline and not too often."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from bot.core.hosts import Host
from bot.core.network import DIRECT, Network

PROBE_SECONDS = 2.0
FRESH_SECONDS = 3.0

Probe = Callable[[], Awaitable[str]]
"""Gives a sentence about the component; raises what is wrong with it."""


@dataclass(frozen=True, slots=True)
class ComponentStatus:
    """One component."""

    ok: bool
    detail: str


@dataclass(slots=True)
class Readiness:
    """Asks `needed` and `reported`; only the needed ones decide."""

    needed: Mapping[str, Probe]
    reported: Mapping[str, Probe] = field(default_factory=dict)
    _asked: dict[str, tuple[float, asyncio.Task[ComponentStatus]]] = field(default_factory=dict)

    async def lines(self) -> dict[str, ComponentStatus]:
        """Every component's line, at most `FRESH_SECONDS` old."""
        probes = {**self.needed, **self.reported}
        found = await asyncio.gather(*(self._line(name, probe) for name, probe in probes.items()))
        return dict(zip(probes, found, strict=True))

    def ready(self, lines: Mapping[str, ComponentStatus]) -> bool:
        return all(lines[name].ok for name in self.needed)

    async def _line(self, name: str, probe: Probe) -> ComponentStatus:
        """One question at a time: a component that hangs is not asked again while it hangs."""
        at, task = self._asked.get(name, (0.0, None))
        if task is None or (task.done() and time.monotonic() - at > FRESH_SECONDS):
            task = asyncio.ensure_future(_ask(probe))
            self._asked[name] = (time.monotonic(), task)
        done, _ = await asyncio.wait({task}, timeout=PROBE_SECONDS)
        return task.result() if done else ComponentStatus(False, f"no answer within {PROBE_SECONDS:g} s")


async def _ask(probe: Probe) -> ComponentStatus:
    try:
        return ComponentStatus(True, await probe())
    except Exception as wrong:  # whatever is wrong with a component is its line
        return ComponentStatus(False, str(wrong) or type(wrong).__name__)


async def hosts_line(hosts: tuple[Host, ...]) -> str:
    """Which model hosts answer; raises when none does."""
    found = await asyncio.gather(*(host_answers(host) for host in hosts))
    said = ", ".join(
        f"{host.name}: {'answers' if up else 'down'}" for host, up in zip(hosts, found, strict=True)
    )
    if hosts and not any(found):
        raise ConnectionError(said)
    return said


async def host_answers(host: Host) -> bool:
    """Whether something listens at the host's address; a model in this process always does."""
    if not host.url:
        return True
    try:
        await connects(host.url, host.network)
    except OSError:
        return False
    return True


async def connects(url: str, network: Network = DIRECT) -> str:
    """Opens a connection to a URL's host, or to the proxy before it, and closes it; OSError where that fails.
    No library, no request: this is asked inside the receiver, whose memory is counted."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if network.proxied(parts.hostname or ""):
        return f"{url} through {await connects(network.proxy_name)}"
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            _, writer = await asyncio.open_connection(parts.hostname, port)
    except TimeoutError:
        raise ConnectionError(f"{parts.hostname}:{port} does not answer") from None
    writer.close()
    return f"{parts.hostname}:{port} is reachable"
