"""The one place that names the HTTP library, so that a successor is one line away.

httpx's time-outs are per read, never for a whole answer: whoever waits for an answer sets
`asyncio.timeout()` as well and reads bodies through `read_capped`.

Which network addresses a model host may have. Pure; asked of the very address that is about to be
connected to.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

import httpcore
from httpx import (
    URL,
    AsyncBaseTransport,
    AsyncByteStream,
    AsyncClient,
    AsyncHTTPTransport,
    ConnectError,
    ConnectTimeout,
    Headers,
    HTTPError,
    InvalidURL,
    Limits,
    PoolTimeout,
    Request,
    Response,
    Timeout,
    TimeoutException,
    TransportError,
    create_ssl_context,
)

Address = IPv4Address | IPv6Address

_METADATA = tuple(
    ip_network(text)
    for text in (
        "169.254.0.0/16",  # link-local: metadata of AWS, Azure, GCP, and of containers (169.254.170.2)
        "fe80::/10",
        "fd00:ec2::/32",  # AWS over IPv6
        "fd20:ce::/32",  # GCP over IPv6
        "100.100.100.200/32",  # Alibaba
        "192.0.0.192/32",  # Oracle
        "168.63.129.16/32",  # Azure's wire server
        "0.0.0.0/32",
        "::/128",
    )
)
# IPv6 addresses with an IPv4 address in their last 32 bits, where a gateway or the system may take it out:
# RFC 6052, RFC 8215 (local prefixes as long as they come), IPv4-compatible (RFC 4291), translated (RFC 2765).
_LAST_32 = tuple(map(ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "::/96", "::ffff:0:0:0/96")))
_ISATAP = 0x5EFE


def refusal(text: str, online: bool, literal: bool) -> str:
    """Why this address must not be connected to, or nothing. `online`: the host is declared to be outside the
    user's network; `literal`: the address stands in the configuration itself, not behind a name that others
    may point elsewhere."""
    try:
        addresses = _meant(ip_address(text.partition("%")[0]))
    except ValueError:
        return "that is no address"
    for address in addresses:
        if address.is_multicast or any(
            address in network for network in _METADATA if network.version == address.version
        ):
            return (
                f"{address} is an address of the machine's own surroundings (metadata), never of a model host"
            )
    address = addresses[-1]
    if literal or _is_global(address) == online:
        return ""
    if online:
        return f"its name leads to {address}, which is inside the network, and the host is declared online"
    return f"its name leads to {address}, which is outside the network: declare the host online = true"


def _meant(address: Address) -> tuple[Address, ...]:
    """The address, and those of IPv4 that may be inside it; a gateway would reach the last."""
    if isinstance(address, IPv4Address):
        return (address,)
    number = int(address)
    last = IPv4Address(number & 0xFFFFFFFF)
    inside: list[IPv4Address] = []
    if number > 1 and any(address in network for network in _LAST_32):
        inside.append(last)
    if number >> 32 & 0xFFFF == _ISATAP:
        inside.append(last)
    if (
        address in _LAST_32[1]
    ):  # RFC 6052, 2.2: after a prefix of 48, 56 or 64 bits, around the eight bits in the middle
        around = address.packed[:8] + address.packed[9:]
        inside = [IPv4Address(around[at : at + 4]) for at in (6, 7, 8)] + inside
        inside = [each for each in inside if int(each)] or inside[-1:]
    if teredo := address.teredo:
        inside += teredo
    return (address, *inside, *filter(None, (address.sixtofour, address.ipv4_mapped)))


def _is_global(address: Address) -> bool:
    """Python takes the old site-local addresses (`fec0::/10`) for global ones."""
    return address.is_global and not (isinstance(address, IPv6Address) and address.is_site_local)


__all__ = [
    "URL",
    "AsyncBaseTransport",
    "AsyncByteStream",
    "AsyncClient",
    "AsyncHTTPTransport",
    "CheckedTransport",
    "ConnectError",
    "ConnectTimeout",
    "HTTPError",
    "Headers",
    "InvalidURL",
    "Limits",
    "PoolTimeout",
    "Request",
    "Response",
    "ResponseTooLong",
    "Timeout",
    "TimeoutException",
    "TransportError",
    "certificates",
    "read_capped",
]


@cache
def certificates(trust_env: bool) -> ssl.SSLContext:
    """Of the authorities that are trusted, read once: 120 ms for each client otherwise. `trust_env`: those of
    SSL_CERT_FILE or SSL_CERT_DIR instead, where that is set."""
    return create_ssl_context(trust_env=trust_env)


class ResponseTooLong(Exception):
    """An answer had more bytes than the caller takes."""


async def read_capped(response: Response, limit: int) -> bytes:
    """The whole decoded body of a streamed answer; `ResponseTooLong` past `limit` bytes (counted after
    decompression)."""
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > limit:
            raise ResponseTooLong(f"the answer is over {limit} bytes")
        parts.append(part)
    return b"".join(parts)


Resolve = Callable[[str, int], Awaitable[list[str]]]
"""A name's addresses; OSError where it has none."""


async def resolve(name: str, port: int) -> list[str]:
    """As the system does it."""
    found = await asyncio.get_running_loop().getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


class CheckedTransport(AsyncHTTPTransport):
    """Connects to addresses that a model host may have (`bot.http`) and to no other: a name is
    resolved once, its address is checked, and that very address is connected to, so that a name which changes
    in between leads nowhere. Refusals are `ConnectError`s. `online`: the host is declared to be outside the
    network."""

    def __init__(self, *, online: bool, verify: bool = True, resolve: Resolve = resolve) -> None:
        super().__init__(verify=verify and certificates(False), trust_env=False)
        # httpx has no parameter of its own for this; httpcore's is documented (network backends).
        self._pool._network_backend = _CheckedNetwork(self._pool._network_backend, online, resolve)  # noqa: SLF001


class _CheckedNetwork(httpcore.AsyncNetworkBackend):
    """https://www.encode.io/httpcore/network-backends/"""

    def __init__(self, inner: httpcore.AsyncNetworkBackend, online: bool, resolve: Resolve) -> None:
        self._inner = inner
        self._online = online
        self._resolve = resolve

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  httpcore's own
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        error: Exception = httpcore.ConnectError("its name leads nowhere")
        for address in await self._permitted(host, port, timeout):
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as failed:
                error = failed
        raise error

    async def _permitted(self, host: str, port: int, seconds: float | None) -> list[str]:
        literal = _is_address(host)
        try:
            async with asyncio.timeout(seconds):
                found = [host] if literal else await self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"its name cannot be resolved ({type(error).__name__})") from None
        refused = {address: refusal(address, self._online, literal) for address in found}
        permitted = [address for address in found if not refused[address]]
        if found and not permitted:
            raise httpcore.ConnectError(refused[found[0]])
        return permitted

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        raise httpcore.ConnectError("a model host has a network address")

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


def _is_address(host: str) -> bool:
    """Whether it is an address in numbers, in any form that the system takes (`127.1` and `0x7f000001` are
    some: those are names to us, and are checked as such)."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host.partition("%")[0])
        except OSError:
            continue
        return True
    return False
