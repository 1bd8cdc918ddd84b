"""The way to a model host over HTTP: one origin, its own key and no other, no redirects, a cap on answers."""

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from bot.core.errors import ConfigError
from bot.core.hosts import Host
from bot.core.network import DIRECT, Network
from bot.http import (
    URL,
    AsyncBaseTransport,
    AsyncByteStream,
    AsyncClient,
    CheckedTransport,
    HTTPError,
    Request,
    Response,
    Timeout,
    said,
)
from bot.inference.runners import Broken, HostDown, RunnerError
from bot.log import hide

METADATA_SECONDS = 10.0
METADATA_BYTES = 16 * 1024 * 1024
EMBED_SECONDS = 300.0
EMBED_BYTES = 64 * 1024 * 1024
CAP = "max_bytes"
"""The request extension that names another cap than the client's."""

NO_ROUTE = frozenset({404, 405, 501})
_KEY_HEADERS = ("authorization", "x-api-key", "api-key", "cookie")


class HostRefused(Exception):
    """A status other than 2xx, and what was said with it."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"it answered {status}: {text}")
        self.status = status
        self.text = text


KeyHeaders = Callable[[str], dict[str, str]]
"""The headers that carry a key."""


def client(host: Host, base_url: str, headers: KeyHeaders, max_bytes: int) -> AsyncClient:
    """A client for one host; `ConfigError` for an address that is not http."""
    if urlsplit(base_url).scheme not in {"http", "https"} or not urlsplit(base_url).hostname:
        raise ConfigError(f"host {host.name}: {base_url!r} is no http:// or https:// address")
    return AsyncClient(
        base_url=base_url,
        transport=Guarded(
            base_url, max_bytes, key_headers(host, headers), online=host.online, network=host.network
        ),
        timeout=Timeout(None, connect=5.0),
        follow_redirects=False,
        trust_env=False,
    )


def key_of(host: Host) -> str:
    """The host's key from its own environment variable, or from the file that `NAME_FILE` names; `HostDown`
    where there is none to send."""
    key = os.environ.get(host.api_key_env, "").strip() or _in_file(host.api_key_env)
    if not key:
        raise HostDown("its key is not set (api_key_env)")
    if not (key.isascii() and key.isprintable()):
        raise HostDown("its key cannot be sent (api_key_env)")
    return key


def _in_file(name: str) -> str:
    """Read anew each time, so that a file that is replaced counts at once."""
    path = os.environ.get(f"{name}_FILE", "")
    try:
        if path and Path(path).stat().st_mode & 0o077:
            raise HostDown(f"the file of its key can be read by others (chmod 600 {path})")
        key = Path(path).read_text(encoding="utf-8").strip() if path else ""
    except (OSError, UnicodeDecodeError):
        raise HostDown(f"the file of its key cannot be read ({name}_FILE)") from None
    hide(key)
    return key


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def key_headers(host: Host, headers: KeyHeaders) -> Callable[[], dict[str, str]]:
    """What is sent to this host: read anew each time, and nothing where no key is configured."""
    return lambda: headers(key_of(host)) if host.api_key_env else {}


class Guarded(AsyncBaseTransport):
    """Lets the host's own key out to its own origin, no other key and nowhere else, and no more than
    `max_bytes` of an answer in, which must not be packed: libraries send keys of their own (OLLAMA_API_KEY)
    and take whatever they are given."""

    def __init__(
        self,
        url: str,
        max_bytes: int,
        key_headers: Callable[[], dict[str, str]] = dict,
        *,
        online: bool = False,
        network: Network = DIRECT,
    ) -> None:
        self._origin = _origin(URL(url))
        if not network.proxied(self._origin[1]):
            network = replace(network, proxy="")
        # A store of certificates takes time and memory to read: only where it is needed.
        self._inner = CheckedTransport(online=online, verify=url.startswith("https:"), network=network)
        self._max_bytes = max_bytes
        self._key_headers = key_headers

    async def handle_async_request(self, request: Request) -> Response:
        if _origin(request.url) != self._origin:
            raise HTTPError("another address than the host's own")
        for name in _KEY_HEADERS:
            request.headers.pop(name, None)
        request.headers.update(self._key_headers())
        request.headers["accept-encoding"] = "identity"
        response = await self._inner.handle_async_request(request)
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise HTTPError("its answer is packed")
        most = cast("int", request.extensions.get(CAP, self._max_bytes))
        response.stream = _Capped(cast("AsyncByteStream", response.stream), most)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Capped(AsyncByteStream):
    """A body that ends in an error past its cap."""

    def __init__(self, stream: AsyncByteStream, max_bytes: int) -> None:
        self._stream = stream
        self._left = max_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            self._left -= len(part)
            if self._left < 0:
                raise HTTPError("its answer does not end")
            yield part

    async def aclose(self) -> None:
        await self._stream.aclose()


async def ask(
    http: AsyncClient,
    path: str,
    body: dict[str, Any] | None = None,
    *,
    seconds: float = METADATA_SECONDS,
    max_bytes: int = METADATA_BYTES,
) -> dict[str, Any]:
    """One short exchange, a GET without a body: the JSON object; `Refused`, `HostDown`."""
    try:
        async with asyncio.timeout(seconds):
            content = None if body is None else encode(body)
            method = "GET" if body is None else "POST"
            response = await http.request(method, path, content=content, extensions={CAP: max_bytes})
    except TimeoutError:
        raise HostDown(f"it did not answer within {seconds:,.0f} s") from None
    except HTTPError as error:
        raise HostDown(why(error)) from None
    if response.status_code != 200:
        raise HostRefused(response.status_code, message(response.content))
    try:
        value = response.json()
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise HostDown("it does not answer as such a host does")
    return value


def encode(body: dict[str, Any]) -> bytes:
    """JSON in ASCII: a lone surrogate in a prompt is no error."""
    return json.dumps(body).encode("ascii")


def refusal(refused: HostRefused) -> RunnerError:
    """What a refusal means on every kind of host; a protocol looks at those it knows better first."""
    status, text = refused.status, refused.text
    if 300 <= status < 400:
        return HostDown(f"it answered {status} (it sends us elsewhere, which is not followed)")
    if status in {401, 403}:
        return HostDown(f"it refused the key ({status})")
    if status == 429:
        return HostDown("it asks to wait (429)")
    return Broken(f"it answered {status}: {text}")


def down(refused: HostRefused) -> HostDown:
    """What it means that a host refuses to say what it has."""
    error = refusal(refused)
    return error if isinstance(error, HostDown) else HostDown(f"it answered {refused.status}")


def message(body: bytes) -> str:
    """The words of a refusal as the protocols wrap them (`error`, `error.message`, `message`, `detail`), or
    its first words."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace")[:100]
    if isinstance(value, dict):
        value = next((value[key] for key in ("error", "message", "detail") if value.get(key)), value)
    if isinstance(value, dict):
        value = value.get("message") or value
    return str(value)[:500]


def number(patterns: Sequence[str], text: str) -> int | None:
    """The number that the first fitting pattern finds."""
    text = text.replace(",", "")
    found = next(filter(None, (re.search(pattern, text, re.I) for pattern in patterns)), None)
    return int(found[1]) if found else None


def why(error: Exception) -> str:
    """A library's error in a few words for a person."""
    text = said(error)
    if "connection attempts failed" in text and "proxy" not in text:
        return "connection refused"
    return text[:300]


def _origin(url: URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
