"""The one place that names the HTTP library, so that a successor is one line away.

httpx's time-outs are per read, never for a whole answer: whoever waits for an answer sets
`asyncio.timeout()` as well and reads bodies through `read_capped`.
"""

import asyncio
import importlib.util
import socket
import ssl
import sys
import zlib
from collections.abc import Awaitable, Callable, Iterable
from functools import cache
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
    Request,
    Response,
    Timeout,
    TimeoutException,
    TransportError,
    create_ssl_context,
)

from bot.core.addresses import refusal  # noqa: E402

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
    "read_tail",
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
