"""The one place that names the HTTP library, so that a successor is one line away.

httpx's time-outs are per read, never for a whole answer: whoever waits for an answer sets
`asyncio.timeout()` as well and reads bodies through `read_capped`.
"""

import asyncio
import importlib.util
import os
import socket
import ssl
import sys
import zlib
from collections.abc import Awaitable, Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

# httpx imports its own command line where it can, and with it rich and pygments: 5 MB in every worker.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None: "there is no such module"
# httpcore asks for it anew in every request: a millisecond each where it is not there.
if importlib.util.find_spec("sniffio") is None:
    sys.modules["sniffio"] = None  # type: ignore[assignment]

import httpcore  # noqa: E402
from httpx import (  # noqa: E402
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
    Proxy,
    ProxyError,
    Request,
    Response,
    Timeout,
    TimeoutException,
    TransportError,
    create_ssl_context,
)

from bot.core.addresses import refusal  # noqa: E402
from bot.core.errors import ConfigError  # noqa: E402
from bot.core.network import DIRECT, Network  # noqa: E402

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
    "NetworkTransport",
    "PoolTimeout",
    "ProxyError",
    "Request",
    "Response",
    "ResponseTooLong",
    "Timeout",
    "TimeoutException",
    "TransportError",
    "bundle",
    "certificates",
    "read_capped",
    "read_tail",
    "said",
]


@cache
def certificates(trust_env: bool, ca_file: str = "") -> ssl.SSLContext:
    """Of the authorities that are trusted, read once: 120 ms for each client otherwise. `trust_env`: those of
    SSL_CERT_FILE or SSL_CERT_DIR instead, where that is set. Those of `ca_file` are trusted too;
    `ConfigError` where it holds none."""
    made = create_ssl_context(trust_env=trust_env)
    if ca_file:
        try:
            made.load_verify_locations(ca_file)
        except (OSError, ssl.SSLError) as wrong:
            why = getattr(wrong, "strerror", None) if not isinstance(wrong, ssl.SSLError) else None
            raise ConfigError(
                f"network.ca_file: {ca_file}: {why or 'it holds no certificate'}",
                "name a file with the authority's certificate (PEM)",
            ) from None
    return made


def bundle(ca_file: str) -> str:
    """All that are trusted in one PEM text, for a program that takes one file."""
    import certifi

    certificates(True, ca_file)
    usual = os.environ.get("SSL_CERT_FILE") or certifi.where()
    return "\n".join(Path(one).read_text(encoding="utf-8") for one in (usual, ca_file))


def said(error: Exception) -> str:
    """A library's error in words, and what to do about a certificate."""
    text = str(error) or type(error).__name__
    unknown = "CERTIFICATE_VERIFY_FAILED" in text
    return f"{text} (a private authority's certificate goes into network.ca_file)" if unknown else text


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


async def read_tail(response: Response, keep: int, most: int) -> bytes:
    """The last `keep` bytes of the body of a streamed answer, gzip unpacked piece by piece; `ResponseTooLong`
    past `most` bytes of it."""
    kept = bytearray()
    size = 0
    packed = response.headers.get("content-encoding", "identity") in ("gzip", "x-gzip", "deflate")
    unpacker = zlib.decompressobj(wbits=47)
    try:
        async for raw in response.aiter_raw():
            left = raw
            while left:
                part = unpacker.decompress(left, _PIECE) if packed else left
                left = unpacker.unconsumed_tail if packed else b""
                size += len(part)
                if size > most:
                    raise ResponseTooLong(f"the answer is over {most} bytes")
                kept += part
                if len(kept) > 2 * keep + _PIECE:
                    del kept[:-keep]
    except zlib.error:
        return b""
    return bytes(kept[-keep:])


_PIECE = 64 * 1024
_RESOLVE_SECONDS = 5.0
Resolve = Callable[[str, int], Awaitable[list[str]]]
"""A name's addresses; OSError where it has none."""


async def resolve(name: str, port: int) -> list[str]:
    """As the system does it."""
    found = await asyncio.get_running_loop().getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


class NetworkTransport(AsyncBaseTransport):
    """To each host directly or through the proxy, as `network` says. That the proxy does not answer, or lets
    nobody through, is a `ConnectError`: nothing was sent to the host."""

    def __init__(self, network: Network, limits: Limits) -> None:
        trusted = certificates(True, network.ca_file)
        self._network = network
        self._direct = AsyncHTTPTransport(verify=trusted, limits=limits, trust_env=False)
        proxy = _proxy(network)
        self._proxied = AsyncHTTPTransport(verify=trusted, limits=limits, trust_env=False, proxy=proxy)

    async def handle_async_request(self, request: Request) -> Response:
        if not self._network.proxied(request.url.host):
            return await self._direct.handle_async_request(request)
        return await _through(self._network, self._proxied.handle_async_request(request))

    async def aclose(self) -> None:
        await self._direct.aclose()
        await self._proxied.aclose()


def _proxy(network: Network) -> Proxy:
    secure = network.proxy.startswith("https:")
    return Proxy(network.proxy, ssl_context=certificates(True, network.ca_file) if secure else None)


async def _through(network: Network, asked: Awaitable[Response]) -> Response:
    """What goes wrong on the way to the proxy, and what the proxy itself says, in words that name it."""
    try:
        response = await asked
    except (ConnectError, ConnectTimeout, ProxyError) as error:
        raise ConnectError(f"through the proxy {network.proxy_name}: {said(error)}") from None
    if response.status_code == 407:  # to a request without TLS, which it passes on itself
        await response.aclose()
        raise ConnectError(f"through the proxy {network.proxy_name}: it wants another name or password (407)")
    return response


class CheckedTransport(AsyncHTTPTransport):
    """Connects to addresses that a model host may have (`bot.core.addresses`) and to no other: a name is
    resolved once, its address is checked, and that very address is connected to, so that a name which changes
    in between leads nowhere. Refusals are `ConnectError`s. `online`: the host is declared to be outside the
    network.

    Through a proxy of `network` the proxy resolves names and connects. Then every address that a name has
    here must be one that the host may have; one that only the proxy knows is passed on for online ones alone.
    """

    def __init__(
        self,
        *,
        online: bool,
        verify: bool = True,
        resolve: Resolve = resolve,
        network: Network = DIRECT,
    ) -> None:
        trusted = verify and certificates(False, network.ca_file)
        proxy = _proxy(network) if network.proxy else None
        super().__init__(verify=trusted, trust_env=False, proxy=proxy)
        self._network, self._online, self._resolve = network, online, resolve
        # httpx has no parameter of its own for this; httpcore's is documented (network backends).
        self._pool._network_backend = _CheckedNetwork(  # noqa: SLF001
            self._pool._network_backend,  # noqa: SLF001
            online,
            resolve,
            configured=bool(proxy),
        )

    async def handle_async_request(self, request: Request) -> Response:
        if not self._network.proxy:
            return await super().handle_async_request(request)
        await self._check(request.url.host, request.url.port or 443)
        return await _through(self._network, super().handle_async_request(request))

    async def _check(self, host: str, port: int) -> None:
        literal = _is_address(host)
        try:
            found = await _addresses(host, port, self._resolve, _RESOLVE_SECONDS)
        except (OSError, UnicodeError):
            if self._online:
                return
            raise ConnectError(
                "its name leads nowhere here, and only an online host's is left to the proxy "
                "(declare it online = true, or list it in network.no_proxy)"
            ) from None
        for address in found:
            if refused := refusal(address, self._online, literal):
                raise ConnectError(refused)


class _CheckedNetwork(httpcore.AsyncNetworkBackend):
    """https://www.encode.io/httpcore/network-backends/"""

    def __init__(
        self, inner: httpcore.AsyncNetworkBackend, online: bool, resolve: Resolve, *, configured: bool
    ) -> None:
        """`configured`: what is connected to is the proxy, which the configuration names."""
        self._inner = inner
        self._online = online
        self._resolve = resolve
        self._configured = configured

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
        try:
            found = await _addresses(host, port, self._resolve, seconds)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"its name cannot be resolved ({type(error).__name__})") from None
        trusted = self._configured or _is_address(host)
        refused = {address: refusal(address, self._online, trusted) for address in found}
        permitted = [address for address in found if not refused[address]]
        if found and not permitted:
            raise httpcore.ConnectError(refused[found[0]])
        return permitted

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        raise httpcore.ConnectError("a model host has a network address")

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


async def _addresses(host: str, port: int, resolve: Resolve, seconds: float | None) -> list[str]:
    """The host itself where it is an address. OSError, UnicodeError for a name that leads nowhere."""
    async with asyncio.timeout(seconds):
        return [host] if _is_address(host) else await resolve(host, port)


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
