"""Ollama: what it has through its own client, chat through one call of ours (the client cannot carry
`truncate` and `shift`, has no deadline and raises raw HTTP errors from streams).
https://docs.ollama.com/api/chat

Ollama's answer, line by line, within deadlines and a cap. https://docs.ollama.com/api/streaming
"""

import asyncio
import json
import re
from base64 import b64encode
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from pydantic import ValidationError

from bot.core.hosts import Host, HostModel
from bot.http import HTTPError, Request, Response
from bot.inference.runners import (
    Broken,
    ChatRequest,
    Heard,
    HostDown,
    ModelMissing,
    PromptTooLong,
    Reply,
    RunnerError,
    Unsupported,
    chat_turns,
    vectors,
    wire,
)
from bot.inference.runners.server_quirks import SCHEMA, ServerQuirks, in_prompt
from bot.inference.runners.streams import (
    Speech,
    count_of,
    dict_of,
    error_in,
    objects,
    said_in,
    streaming,
    text_of,
)
from bot.inference.runners.tools import ToolCallCollector, offered
from bot.inference.runners.wire import Guarded, HostRefused, bearer

if TYPE_CHECKING:
    import ollama

_TOO_LONG = re.compile(
    r"context (?:length|size|window)|exceeds? the (?:available|model)|input length|too long", re.I
)
_NUMBERS = re.compile(r"(?<![\d,])(\d[\d,]{0,15}) ?tokens?\b")
_NANO = 1e-9


def refusal(refused: HostRefused) -> RunnerError:
    """The error that a status other than 200 stands for."""
    if refused.status == 404 and "model" in refused.text:
        return ModelMissing(f"it does not have the model ({refused.text})")
    return error_of(refused.text) if refused.status == 400 else wire.refusal(refused)


def error_of(text: str) -> RunnerError:
    """The error that Ollama's words stand for, in a refusal or in the middle of a stream."""
    if "does not support tools" in text:
        return Unsupported("its model has no tools")
    if not _TOO_LONG.search(text):
        return Broken(f"it answered with an error: {text}")
    counts = [int(number.replace(",", "")) for number in _NUMBERS.findall(text)]
    sent, limit = counts[:2] if len(counts) == 2 else (None, None)
    return PromptTooLong("the prompt is longer than it reads", sent, limit)


async def listen(response: Response, speech: Speech, request: ChatRequest) -> Reply:
    """The whole answer; `RunnerError`."""
    calls = ToolCallCollector()
    async for line in lines_of(response):
        said = dict_of(line, "message")
        text, thought = said_in(said.get("content"))
        speech.says(text or text_of(line, "response"), thought or text_of(said, "thinking"))
        calls.hear(said, speech)
        if line.get("done") is True:
            reply = speech.reply(
                tokens_in=count_of(line, "prompt_eval_count"),
                tokens_out=count_of(line, "eval_count"),
                finish=text_of(line, "done_reason"),
                load_seconds=count_of(line, "load_duration") * _NANO,
                reading_seconds=count_of(line, "prompt_eval_duration") * _NANO,
            )
            return calls.into(request, reply)
    raise Broken("the answer ended in the middle")


async def lines_of(response: Response) -> AsyncIterator[dict[str, Any]]:
    """Each line's object; `RunnerError`, which a line may say too."""
    async for value in objects(response, "Ollama's"):
        if error := error_in(value):
            raise error_of(error[:300])
        yield value


SMALL_CONTEXT = 4096
"""Tokens, for a host that does not say how much a model reads: Ollama's own default."""
_FEATURES = {"thinking": r"\bthink", SCHEMA: r"\bformat\b|grammar|schema"}
_PULL_IDLE_SECONDS = 120.0
"""A pull that reports nothing for so long is over."""


@dataclass(frozen=True, slots=True)
class PullProgress:
    """Where a pull is: `status` in Ollama's words, bytes of the layer under way."""

    status: str
    completed: int = 0
    total: int = 0


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
        self.host = host
        self._idle = (first_seconds, between_seconds)
        self._keep_alive = keep_alive
        self._remote: set[str] = set()
        self._shown: dict[tuple[str, str], HostModel] = {}
        self._quirks = ServerQuirks(_FEATURES, lambda refused: isinstance(refusal(refused), Broken))
        self._http = wire.client(host, host.url, bearer, max_bytes)

    @cached_property
    def _client(self) -> "ollama.AsyncClient":
        import ollama

        host = self.host
        return ollama.AsyncClient(
            host.url,
            transport=Guarded(
                host.url,
                wire.METADATA_BYTES,
                wire.key_headers(host, bearer),
                online=host.online,
                network=host.network,
            ),
            timeout=wire.METADATA_SECONDS,
            follow_redirects=False,
            trust_env=False,
            event_hooks={"response": [self._note_remote]},
        )

    async def models(self) -> tuple[HostModel, ...]:
        """`/api/tags`, and `/api/show` once for each model and digest; `HostDown`."""
        try:
            async with asyncio.timeout(wire.METADATA_SECONDS):
                return tuple([await self._show(name, digest) for name, digest in await self._listed()])
        except TimeoutError:
            raise HostDown(f"it did not say what it has within {wire.METADATA_SECONDS:.0f} s") from None
        except HostRefused as refused:
            raise wire.down(refused) from None
        except (HTTPError, ConnectionError, ValueError, TypeError) as error:
            raise HostDown(_why(error)) from None

    async def chat(self, request: ChatRequest, heard: Heard | None = None) -> Reply:
        """`/api/chat`, streamed; `RunnerError`."""

        idle = self.host.patience(request.model.name, self._idle)

        async def once(without: frozenset[str], told: bool) -> Reply:
            body = self._body(request, without, told)
            async with streaming(self._http, "/api/chat", body, idle, heard) as said:
                return await listen(*said, request)

        try:
            return await self._quirks.ask(request.model.name, request.schema, once)
        except HostRefused as refused:
            raise refusal(refused) from None

    def _kept(self, model: str) -> str | int:
        """https://docs.ollama.com/faq#how-do-i-keep-a-model-loaded-in-memory-or-make-it-unload-immediately"""
        told = self.host.of(model).keep_alive or self._keep_alive
        return int(told) if told.lstrip("-").isdecimal() else told

    async def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """`/api/embed`; a text that is too long is an error and not cut. https://docs.ollama.com/api/embed"""
        body = {"model": model, "input": list(texts), "truncate": False, "keep_alive": self._kept(model)}
        try:
            told = await wire.ask(
                self._http, "/api/embed", body, seconds=wire.EMBED_SECONDS, max_bytes=wire.EMBED_BYTES
            )
        except HostRefused as refused:
            raise refusal(refused) from None
        return vectors(told.get("embeddings"), texts)

    async def loaded(self) -> tuple[str, ...]:
        """`/api/ps`."""
        return tuple(await self.windows())

    async def windows(self) -> dict[str, int]:
        """`/api/ps`: each model that is loaded, and with how many tokens; 0 where the host does not tell."""
        try:
            told = await wire.ask(self._http, "/api/ps")
        except HostRefused:
            return {}
        listed = told.get("models")
        found = listed if isinstance(listed, list) else []
        named = {text_of(item, "model", "name"): count_of(item, "context_length") for item in found}
        return {name: window for name, window in named.items() if name}

    async def pull(self, model: str) -> AsyncIterator[PullProgress]:
        """Downloads a model, telling how far it is; `RunnerError`. https://docs.ollama.com/api/pull"""
        idle = (_PULL_IDLE_SECONDS, _PULL_IDLE_SECONDS)
        status = ""
        try:
            async with streaming(self._http, "/api/pull", {"model": model}, idle, None) as (answer, speech):
                async for told in lines_of(answer):
                    status = text_of(told, "status")
                    speech.waiter.token()
                    yield PullProgress(status, count_of(told, "completed"), count_of(told, "total"))
        except HostRefused as refused:
            raise refusal(refused) from None
        except Broken as error:
            missing = "does not exist" in str(error) or "not found" in str(error)
            raise (ModelMissing(f"there is no such model ({error})") if missing else error) from None
        if status != "success":
            raise Broken("the download ended in the middle")

    async def aclose(self) -> None:
        await self._http.aclose()
        if "_client" in vars(self):
            await self._client.close()  # type: ignore[no-untyped-call]

    def _body(self, request: ChatRequest, without: frozenset[str], told: bool) -> dict[str, Any]:
        """The request; `told`: with the schema in the prompt too. `num_batch` and all else that loads a model
        anew is left as the host has it."""
        system = request.system
        if told and request.schema:
            system = in_prompt(system, request.schema, request.tools)
        body: dict[str, Any] = {
            "model": request.model.name,
            "messages": [
                {"role": "system", "content": system},
                *_turns(request),
            ],
            "stream": True,
            "truncate": False,
            "shift": False,
            "keep_alive": self._kept(request.model.name),
            "options": {
                "num_ctx": request.num_ctx,
                "num_predict": request.max_tokens,
                "temperature": request.temperature,
            },
        }
        if (
            request.schema and not request.tools and SCHEMA not in without
        ):  # an empty one is a broken grammar to Ollama
            body["format"] = request.schema
        if request.tools:
            body["tools"] = offered(request)
        if (
            request.model.thinks and "thinking" not in without
        ):  # unset means yes to these models, and set is an error to the others
            body["think"] = False
        return body

    async def _listed(self) -> list[tuple[str, str]]:
        """(name, digest) of `/api/tags`: older hosts say `name` alone, which the client's types drop."""
        told = await wire.ask(self._http, "/api/tags")
        items = told.get("models")
        if not isinstance(items, list):
            raise TypeError("no list of models")
        self._keep_remote(items)
        named = [(text_of(item, "model", "name"), text_of(item, "digest")) for item in items]
        return [(name, digest) for name, digest in named if name]

    async def _show(self, name: str, digest: str) -> HostModel:
        """One model; what a sparse host does not tell is taken to be small and plain."""
        key = (name, digest)
        if key not in self._shown or not digest:
            self._shown[key] = await self._ask_show(name)
        known = self._shown[key]
        return replace(known, remote=known.remote or name in self._remote, digest=digest)

    async def _ask_show(self, name: str) -> HostModel:
        await asyncio.to_thread(import_module, "ollama")  # its 60 ms are not the event loop's
        import ollama

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
            sees="vision" in (shown.capabilities or ()),
            calls_tools="tools" in (shown.capabilities or ("tools",)),
        )

    async def _note_remote(self, response: Response) -> None:
        """Remembers the models that run elsewhere: the client's types drop `remote_host`."""
        await response.aread()
        try:
            body = response.json()
        except ValueError:
            return
        self._keep_remote([body], _asked_model(response.request))

    def _keep_remote(self, items: list[Any], asked: str = "") -> None:
        for item in items:
            if isinstance(item, dict) and (item.get("remote_host") or item.get("remote_model")):
                self._remote.add(text_of(item, "model", "name") or asked)


def _turns(request: ChatRequest) -> list[dict[str, Any]]:
    """https://docs.ollama.com/capabilities/vision"""
    *before, last = chat_turns(request)
    seen = [b64encode(one.data).decode() for one in request.images]
    return [*before, {**last, "images": seen} if seen else last]


def _why(error: Exception) -> str:
    """A library's error in a few words for a person."""
    if isinstance(error, ConnectionError):
        return "connection refused"
    if isinstance(error, ValueError | TypeError):
        return "it does not answer as Ollama does"
    return wire.why(error)


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
