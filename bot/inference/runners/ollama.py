"""Ollama: what it has through its own client, chat through one call of ours (the client cannot carry
`truncate` and `shift`, has no deadline and raises raw HTTP errors from streams).
https://docs.ollama.com/api/chat
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, cast
from urllib.parse import urlsplit

import ollama
from pydantic import ValidationError

from bot.core.errors import ConfigError
from bot.core.hosts import Host, HostModel
from bot.http import (
    AsyncBaseTransport,
    AsyncByteStream,
    AsyncClient,
    AsyncHTTPTransport,
    HTTPError,
    Request,
    Response,
    Timeout,
)
from bot.inference.runners import ChatRequest, Heard, HostDown, Reply
from bot.inference.runners.ollama_stream import listen, patience, refusal

SMALL_CONTEXT = 4096
"""Tokens, for a host that does not say how much a model reads: Ollama's own default."""
_METADATA_SECONDS = 10.0
_METADATA_BYTES = 16 * 1024 * 1024


class OllamaRunner:
    """One Ollama host. `first_seconds` may pass before the first token (loading and reading a long prompt
    on a small machine take minutes), `between_seconds` between two."""

    def __init__(
        self,
        host: Host,
        *,
        first_seconds: float = 600.0,
        between_seconds: float = 60.0,
        keep_alive: str = "15m",
        max_bytes: int = 8 * 1024 * 1024,
    ) -> None:
        if urlsplit(host.url).scheme not in {"http", "https"}:
            raise ConfigError(f"host {host.name}: {host.url!r} is no http:// or https:// address")
        self.host = host
        self._idle = (first_seconds, between_seconds)
        self._keep_alive = keep_alive
        self._max_bytes = max_bytes
        self._remote: set[str] = set()
        self._shown: dict[tuple[str, str], HostModel] = {}
        self._http = AsyncClient(
            base_url=host.url,
            transport=_Guarded(host.url, max_bytes),
            timeout=Timeout(None, connect=5.0),
            trust_env=False,
        )
        self._client = ollama.AsyncClient(
            host.url,
            transport=_Guarded(host.url, _METADATA_BYTES),
            timeout=_METADATA_SECONDS,
            follow_redirects=False,
            trust_env=False,
            event_hooks={"response": [self._note_remote]},
        )

    async def models(self) -> tuple[HostModel, ...]:
        """`/api/tags`, and `/api/show` once for each model and digest; `HostDown`."""
        try:
            async with asyncio.timeout(_METADATA_SECONDS):
                listed = await self._client.list()
                names = [(item.model, item.digest or "") for item in listed.models if item.model]
                return tuple([await self._show(name, digest) for name, digest in names])
        except TimeoutError:
            raise HostDown(f"it did not say what it has within {_METADATA_SECONDS:.0f} s") from None
        except (HTTPError, ConnectionError, ollama.ResponseError, ValueError, TypeError) as error:
            raise HostDown(_why(error)) from None

    async def chat(self, request: ChatRequest, heard: Heard | None = None) -> Reply:
        """`/api/chat`, streamed; `RunnerError`."""
        try:
            async with (
                patience(*self._idle) as waiter,
                self._http.stream("POST", "/api/chat", content=self._body(request)) as response,
            ):
                if response.status_code != 200:
                    raise refusal(response.status_code, await response.aread())
                return await listen(response, waiter, heard)
        except HTTPError as error:
            raise HostDown(_why(error)) from None

    async def aclose(self) -> None:
        await self._http.aclose()
        await self._client.close()  # type: ignore[no-untyped-call]

    def _body(self, request: ChatRequest) -> bytes:
        """The request as JSON. `num_batch` and all else that loads a model anew is left as the host has
        it."""
        body: dict[str, Any] = {
            "model": request.model.name,
            "messages": [
                {"role": "system", "content": request.system},
                {"role": "user", "content": request.user},
            ],
            "stream": True,
            "truncate": False,
            "shift": False,
            "keep_alive": self._keep_alive,
            "options": {
                "num_ctx": request.num_ctx,
                "num_predict": request.max_tokens,
                "temperature": request.temperature,
            },
        }
        if request.schema:  # an empty one is a broken grammar to Ollama
            body["format"] = request.schema
        if request.model.thinks:  # unset means yes to these models, and set is an error to the others
            body["think"] = False
        return json.dumps(body).encode("ascii")

    async def _show(self, name: str, digest: str) -> HostModel:
        """One model; what a sparse host does not tell is taken to be small and plain."""
        key = (name, digest)
        if key not in self._shown or not digest:
            self._shown[key] = await self._ask_show(name)
        return replace(self._shown[key], remote=self._shown[key].remote or name in self._remote)

    async def _ask_show(self, name: str) -> HostModel:
        try:
            shown = await self._client.show(name)
        except (ollama.ResponseError, ValidationError):
            return HostModel(name, SMALL_CONTEXT, remote=_is_cloud(name))
        lengths = [
            value
            for key, value in (shown.modelinfo or {}).items()
            if key.endswith(".context_length") and isinstance(value, int) and value > 0
        ]
        return HostModel(
            name,
            context_length=max(lengths, default=SMALL_CONTEXT),
            remote=_is_cloud(name) or name in self._remote,
            thinks="thinking" in (shown.capabilities or ()),
        )

    async def _note_remote(self, response: Response) -> None:
        """Remembers the models that run elsewhere: the client's types drop `remote_host`."""
        await response.aread()
        try:
            body = response.json()
        except ValueError:
            return
        items = body.get("models", [body]) if isinstance(body, dict) else []
        asked = _asked_model(response.request)
        for item in items if isinstance(items, list) else []:
            if isinstance(item, dict) and (item.get("remote_host") or item.get("remote_model")):
                self._remote.add(str(item.get("model") or item.get("name") or asked))


class _Guarded(AsyncBaseTransport):
    """Lets no key out to a model host and no more than `max_bytes` of an answer in, which must not be
    packed: the client sends OLLAMA_API_KEY to every host and takes whatever it is given."""

    def __init__(self, url: str, max_bytes: int) -> None:
        # A store of certificates takes time and memory to read: only where it is needed.
        self._inner = AsyncHTTPTransport(verify=url.startswith("https:"), trust_env=False)
        self._max_bytes = max_bytes

    async def handle_async_request(self, request: Request) -> Response:
        request.headers.pop("authorization", None)
        request.headers["accept-encoding"] = "identity"
        response = await self._inner.handle_async_request(request)
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise HTTPError("its answer is packed")
        response.stream = _Capped(cast("AsyncByteStream", response.stream), self._max_bytes)
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


def _why(error: Exception) -> str:
    """A library's error in a few words for a person."""
    if isinstance(error, ConnectionError):
        return "connection refused"
    if isinstance(error, ollama.ResponseError):
        moved = " (it sends us elsewhere, which is not followed)" if 300 <= error.status_code < 400 else ""
        return f"it answered {error.status_code}{moved}"
    if isinstance(error, ValueError | TypeError):
        return "it does not answer as Ollama does"
    text = str(error) or type(error).__name__
    return "connection refused" if "connection attempts failed" in text else text[:200]


def _is_cloud(name: str) -> bool:
    """`:cloud` or a tag ending in `-cloud`: run by ollama.com. https://docs.ollama.com/cloud"""
    tag = name.rpartition("/")[2].partition(":")[2]
    return tag == "cloud" or tag.endswith("-cloud")


def _asked_model(request: Request) -> str:
    """The model named in a `/api/show` request; empty for another."""
    try:
        return cast("str", json.loads(request.content)["model"])
    except (ValueError, KeyError, TypeError):
        return ""
