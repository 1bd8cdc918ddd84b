"""Looks for Ollama on this machine, or on the networks of this machine when asked to."""

import asyncio
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, ip_address, ip_network
from typing import Any

from bot.cli.doctor.hosts import own_addresses
from bot.core.errors import UserError
from bot.core.hosts import HostKind
from bot.http import (
    AsyncClient,
    CheckedTransport,
    HTTPError,
    InvalidURL,
    ResponseTooLong,
    Timeout,
    read_capped,
)

AT_ONCE = 64
ANSWER_SECONDS = 3.0
MOST_ADDRESSES = 1024
MAX_BYTES = 1 << 20


def run(*, lan: bool, network: str, port: int) -> list[dict[str, Any]]:
    """`{"name", "url", "models"}` of each that answers; UserError for a network that is not looked at."""
    return asyncio.run(discover(addresses(lan=lan, network=network), port))


def addresses(*, lan: bool, network: str) -> list[str]:
    """Whom to ask: this machine only, unless more is asked for."""
    if network:
        return _of(network)
    if not lan:
        return ["127.0.0.1"]
    return ["127.0.0.1", *(each for network in networks(own_addresses()) for each in _of(network))]


def networks(own: Iterable[str]) -> list[str]:
    """The networks in which these addresses of this machine are, 256 addresses each; no public ones, and none
    of IPv6, which are too large to look through."""
    private = (address for address in map(ip_address, own) if address.version == 4 and address.is_private)
    return list(dict.fromkeys(str(ip_network(f"{address}/24", strict=False)) for address in private))


def _of(network: str) -> list[str]:
    try:
        found = ip_network(network, strict=False)
    except ValueError:
        raise UserError(f"{network} is no network", "write it like 192.168.1.0/24") from None
    if not isinstance(found, IPv4Network) or not found.is_private or found.num_addresses > MOST_ADDRESSES:
        hint = f"name a private IPv4 network of at most {MOST_ADDRESSES:,} addresses"
        raise UserError(f"{network} is not looked at", hint)
    return [str(each) for each in found.hosts()]


async def discover(asked: list[str], port: int) -> list[dict[str, Any]]:
    """Those among the addresses at which an Ollama answers."""
    found = await answering([f"http://{address}:{port}" for address in asked])
    named = []
    for each in found:
        address = each.url.removeprefix("http://").partition(":")[0]
        name = f"ollama-{address.replace('.', '-')}"
        named.append({"name": name, "url": each.url, "models": list(each.models)})
    return named


@dataclass(frozen=True, slots=True)
class AnsweringHost:
    """A model host, and what it has."""

    kind: HostKind
    url: str
    models: tuple[str, ...]


_LISTS: dict[HostKind, tuple[str, str, str]] = {
    "ollama": ("/api/tags", "models", "name"),
    "openai": ("/v1/models", "data", "id"),
}
"""Kind -> path, key of the list, key of a name."""


async def answering(urls: Sequence[str], kind: HostKind = "ollama") -> list[AnsweringHost]:
    """Those at which a host of this kind answers, in the order in which they are asked for."""
    gate = asyncio.Semaphore(AT_ONCE)
    async with AsyncClient(
        transport=CheckedTransport(online=False, verify=False), timeout=Timeout(ANSWER_SECONDS, connect=1.0)
    ) as client:

        async def ask(url: str) -> AnsweringHost | None:
            async with gate:
                return await _ask(client, url, kind)

        return [found for found in await asyncio.gather(*map(ask, urls)) if found]


async def _ask(client: AsyncClient, url: str, kind: HostKind) -> AnsweringHost | None:
    path, listed, named = _LISTS[kind]
    try:
        async with asyncio.timeout(ANSWER_SECONDS), client.stream("GET", f"{url}{path}") as response:
            told = json.loads(await read_capped(response, MAX_BYTES))
            names = [str(each[named]) for each in told[listed] if not each.get("remote_host")]
    except (
        HTTPError,
        InvalidURL,
        TimeoutError,
        ResponseTooLong,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
    ):
        return None
    here = (name for name in names if kind != "ollama" or not name.endswith("cloud"))  # Ollama's own servers
    return AnsweringHost(kind, url, tuple(name for name in here if name.isprintable() and '"' not in name))
