"""One exchange with GitHub over HTTP: a total deadline, a cap on the answer, and, when it fails, the one
question that matters: can the request have been acted on?"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from bot.core.network import DIRECT, Network
from bot.http import (
    URL,
    AsyncBaseTransport,
    AsyncClient,
    ConnectError,
    ConnectTimeout,
    HTTPError,
    InvalidURL,
    Limits,
    NetworkTransport,
    PoolTimeout,
    ProxyError,
    ResponseTooLong,
    Timeout,
    certificates,
    read_capped,
    read_tail,
    said,
)

DEADLINE = 30.0
"""Seconds for a whole exchange."""
CAP = 32 * 1024 * 1024
"""Bytes of an answer after decompression; a page of 100 changed files with patches stays far below."""


class NotSentError(Exception):
    """No connection was made: nothing can have happened."""


class LostError(Exception):
    """The request went out and its answer did not come back whole."""


class TooLargeError(LostError):
    """The answer is larger than Hob reads; asking again would bring the same."""


@dataclass(frozen=True, slots=True)
class GitHubResponse:
    """What came back. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def date(self) -> float | None:
        """GitHub's clock, in seconds since 1970."""
        try:
            return parsedate_to_datetime(self.headers["date"]).timestamp()
        except (KeyError, ValueError, OverflowError):
            return None


class Wire:
    """The HTTP client of one GitHub server. It follows no redirects and retries nothing. Where `network`
    names no proxy, one of the environment is used (HTTPS_PROXY, NO_PROXY)."""

    def __init__(
        self, transport: AsyncBaseTransport | None, deadline: float, cap: int, network: Network = DIRECT
    ) -> None:
        limits = Limits(max_connections=90, max_keepalive_connections=20)  # GitHub allows 100 at once
        if transport is None and network.proxy:
            transport = NetworkTransport(network, limits)
        self.network = network
        self._client = AsyncClient(
            transport=transport,
            verify=certificates(True, network.ca_file) if transport is None else True,
            timeout=Timeout(deadline, connect=min(5.0, deadline)),
            limits=limits,
            follow_redirects=False,
        )
        self._deadline = deadline
        self._cap = cap

    async def exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> GitHubResponse:
        """Sends once. `NotSentError` or `LostError` when there is no whole answer."""
        async with (
            self._in_time(url),
            self._client.stream(method, url, headers=dict(headers), content=body) as response,
        ):
            content = await read_capped(response, self._cap)
        return GitHubResponse(
            response.status_code, {k.lower(): v for k, v in response.headers.items()}, content
        )

    async def tail(self, url: str, headers: Mapping[str, str], most: int) -> tuple[int, bytes]:
        """(status, the last `cap` bytes) of an answer that may have `most`, unpacked; of a long one only its
        end is asked for, where the host can do that. Raises as `exchange` does."""
        asked = {**headers, "accept-encoding": "identity"}
        async with self._in_time(url):
            async with self._client.stream("GET", url, headers=asked) as response:
                size = response.headers.get("content-length", "")
                long = response.status_code == 200 and size.isdigit() and int(size[:15]) > 4 * self._cap
                plain = response.headers.get("content-encoding", "identity") == "identity"
                ranges = long and plain and response.headers.get("accept-ranges") == "bytes"
                if not ranges:
                    return response.status_code, await read_tail(response, self._cap, most)
            asked["range"] = f"bytes={int(size) - self._cap}-"
            async with self._client.stream("GET", url, headers=asked) as response:
                return response.status_code, await read_tail(response, self._cap, most)

    @asynccontextmanager
    async def _in_time(self, url: str) -> AsyncIterator[None]:
        """Within the deadline; what goes wrong in our words."""
        try:
            async with asyncio.timeout(self._deadline):
                yield
        except (ConnectError, ConnectTimeout, PoolTimeout, ProxyError, InvalidURL) as error:
            raise NotSentError(f"cannot reach {_host(url)}: {said(error)}") from None
        except TimeoutError:
            raise LostError(f"no answer from {_host(url)} within {self._deadline:g} s") from None
        except ResponseTooLong as error:
            raise TooLargeError(str(error)) from None
        except HTTPError as error:
            raise LostError(f"no whole answer from {_host(url)}: {said(error)}") from None

    async def aclose(self) -> None:
        await self._client.aclose()


def origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port: where a token may go."""
    try:
        parsed = URL(url)
    except InvalidURL:
        return ("", "", None)
    return (parsed.scheme, parsed.host, parsed.port)


def _host(url: str) -> str:
    return origin(url)[1] or "GitHub"
