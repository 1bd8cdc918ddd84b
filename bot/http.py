"""The one place that names the HTTP library, so that a successor is one line away.

httpx's time-outs are per read, never for a whole answer: whoever waits for an answer sets
`asyncio.timeout()` as well and reads bodies through `read_capped`.
"""

import sys

# httpx imports its own command line where it can, and with it rich and pygments: 5 MB in every worker.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None: "there is no such module"

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
)

__all__ = [
    "URL",
    "AsyncBaseTransport",
    "AsyncByteStream",
    "AsyncClient",
    "AsyncHTTPTransport",
    "ConnectError",
    "ConnectTimeout",
    "HTTPError",
    "Headers",
    "InvalidURL",
    "Limits",
    "PoolTimeout",
    "Request",
    "Response",
    "Timeout",
    "TimeoutException",
    "TooLong",
    "TransportError",
    "read_capped",
]


class TooLong(Exception):
    """An answer had more bytes than the caller takes."""


async def read_capped(response: Response, limit: int) -> bytes:
    """The whole decoded body of a streamed answer; `TooLong` past `limit` bytes (counted after
    decompression)."""
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > limit:
            raise TooLong(f"the answer is over {limit} bytes")
        parts.append(part)
    return b"".join(parts)
