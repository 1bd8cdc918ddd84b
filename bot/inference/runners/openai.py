"""Servers that speak as OpenAI's does: vLLM, mlx_lm.server, llama.cpp, LM Studio, OpenAI, xAI, Groq.
https://platform.openai.com/docs/api-reference/chat

Never sent: `seed` (mlx_lm.server then stops batching), `stop` (a number in it ends its generation thread),
`logit_bias` (out of range it crashes). Always streamed: it stops on cancel only then.
"""

import re
from base64 import b64encode
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from bot.core.hosts import Host, HostModel
from bot.http import Response
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
    END,
    Speech,
    count_of,
    dict_of,
    error_in,
    first_of,
    objects,
    said_in,
    streaming,
    text_of,
)
from bot.inference.runners.tools import NONE, ToolCallCollector, offered
from bot.inference.runners.wire import HostRefused
from bot.inference.structured_output import closed

UNKNOWN_CONTEXT = 8192
"""Tokens, for a server of one's own that does not say how much a model reads."""
UNKNOWN_ONLINE_CONTEXT = 32_768
"""The least of the models that providers still offer; more is refused by name and fitted anew."""

_FEATURES = {
    "max_tokens": r"max_completion_tokens",
    "temperature": r"temperature",
    "stream_options": r"stream_options|include_usage",
    "thinking": r"chat_template_kwargs|enable_thinking",
    SCHEMA: r"response_format|json_schema|grammar|guided|structured",
}
_TOO_LONG = re.compile(
    r"context[ _](?:length|size|window)|maximum (?:context|prompt)|too (?:long|many tokens)|prompt length",
    re.I,
)
_LIMIT = (r"length is (\d+)", r"context size \((\d+)", r"maximum (?:of|is) (\d+)", r"> (\d+) maximum")
_SENT = (r"\((\d+) in the messages", r"resulted in (\d+)", r"request \((\d+) tokens", r"requested (\d+)")
_NO_MODEL = re.compile(r"model\b.*(?:not found|(?:does )?not exist)", re.I)


class OpenAIRunner:
    """One server. `first_seconds` may pass before the first token, `between_seconds` between two."""

    def __init__(
        self,
        host: Host,
        *,
        first_seconds: float = 600.0,
        between_seconds: float = 60.0,
        max_bytes: int = 16 * 1024 * 1024,
    ) -> None:
        self.host = host
        self._idle = (first_seconds, between_seconds)
        self._http = wire.client(host, base_url(host.url), wire.bearer, max_bytes)
        self._quirks = ServerQuirks(_FEATURES, lambda refused: isinstance(refusal(refused), Broken))

    async def models(self) -> tuple[HostModel, ...]:
        """`/models`, and a nameless one where there is no such route; `HostDown`. Servers name a model's
        window in fields of their own, or not at all."""
        unknown = UNKNOWN_ONLINE_CONTEXT if self.host.online else UNKNOWN_CONTEXT
        try:
            told = await wire.ask(self._http, "models")
        except HostRefused as refused:
            if refused.status in wire.NO_ROUTE:
                return (HostModel("", unknown),)
            raise wire.down(refused) from None
        listed = told.get("data")
        if not isinstance(listed, list):
            raise HostDown("it does not answer as an OpenAI-compatible server does")
        return tuple(
            HostModel(name, _window(item) or unknown) for item in listed if (name := text_of(item, "id"))
        )

    async def chat(self, request: ChatRequest, heard: Heard | None = None) -> Reply:
        """`/chat/completions`, streamed; `RunnerError`."""

        async def once(without: frozenset[str], told: bool) -> Reply:
            body = self._body(request, without, told)
            idle = self.host.patience(request.model.name, self._idle)
            async with streaming(self._http, "chat/completions", body, idle, heard) as said:
                return await _listen(*said, request)

        try:
            return await self._quirks.ask(request.model.name, request.schema, once)
        except HostRefused as refused:
            if request.tools and NONE.search(refused.text):
                raise Unsupported("its model has no tools") from None
            raise refusal(refused) from None

    async def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """`/embeddings`; `Unsupported` where the server has no such route (mlx_lm.server)."""
        body = {"model": model, "input": list(texts), "encoding_format": "float"}
        try:
            told = await wire.ask(
                self._http, "embeddings", body, seconds=wire.EMBED_SECONDS, max_bytes=wire.EMBED_BYTES
            )
        except HostRefused as refused:
            if refused.status in wire.NO_ROUTE and "model" not in refused.text:
                raise Unsupported("it has no embeddings") from None
            raise refusal(refused) from None
        data = told.get("data")
        items = [item for item in data if isinstance(item, dict)] if isinstance(data, list) else []
        items.sort(key=lambda item: count_of(item, "index"))
        return vectors([item.get("embedding") for item in items], texts)

    async def loaded(self) -> tuple[str, ...]:
        """The protocol does not say."""
        return ()

    async def aclose(self) -> None:
        await self._http.aclose()

    def _body(self, request: ChatRequest, without: frozenset[str], told: bool) -> dict[str, Any]:
        """The request; `told`: with the schema in the prompt too."""
        system = request.system
        if told and request.schema:
            system = in_prompt(system, request.schema, request.tools)
        length = "max_completion_tokens" if "max_tokens" in without else "max_tokens"
        body: dict[str, Any] = {
            "model": request.model.name,
            "messages": [{"role": "system", "content": system}, *_turns(request)],
            "stream": True,
            length: request.max_tokens,
        }
        if "temperature" not in without:
            body["temperature"] = request.temperature
        if "stream_options" not in without:
            body["stream_options"] = {"include_usage": True}
        if "thinking" not in without and not self.host.online:  # providers refuse what they don't know
            body["chat_template_kwargs"] = {"enable_thinking": False}
        if SCHEMA not in without and request.schema and not request.tools:
            form = {"name": "answer", "strict": True, "schema": closed(request.schema)}
            body["response_format"] = {"type": "json_schema", "json_schema": form}
        if request.tools:
            body["tools"] = offered(request)
        return body


def _turns(request: ChatRequest) -> list[dict[str, Any]]:
    """https://platform.openai.com/docs/guides/images-vision"""
    *before, last = chat_turns(request)
    if not request.images:
        return [*before, last]
    urls = (f"data:{one.media};base64,{b64encode(one.data).decode()}" for one in request.images)
    shown = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    return [*before, {**last, "content": [{"type": "text", "text": request.user}, *shown]}]


def base_url(url: str) -> str:
    """The address under which the routes are: an address without a path means `/v1`."""
    return url if urlsplit(url).path.strip("/") else f"{url.rstrip('/')}/v1"


async def _listen(response: Response, speech: Speech, request: ChatRequest) -> Reply:
    """The whole answer: its end is `[DONE]`, or at least a reason to have finished."""
    finish, calls = "", ToolCallCollector()
    usage: dict[str, Any] = {}
    timings: dict[str, Any] = {}
    heard = False  # a piece: what then comes whole is all of it once more
    refuses = False
    number = 0
    async for chunk in objects(response, "OpenAI's"):
        if chunk is END:
            finish = finish or "stop"
            break
        if error := error_in(chunk):
            raise _error(error, 200)
        number += 1
        choice = first_of(chunk, "choices")
        said = {key: value for key, value in dict_of(choice, "delta").items() if value and key != "role"}
        heard = heard or bool(said)
        if not heard:
            said = dict_of(choice, "message") or {"content": choice.get("text")}
        text, thought = said_in(said.get("content"))
        refused = text_of(said, "refusal")
        speech.says(text or refused, thought or text_of(said, "reasoning_content", "reasoning"))
        calls.hear(said, speech)
        refuses = refuses or bool(refused)
        finish = text_of(choice, "finish_reason") or finish
        # Groq counts in a field of its own. https://console.groq.com/docs/api-reference
        usage = dict_of(chunk, "usage") or dict_of(dict_of(chunk, "x_groq"), "usage") or usage
        timings = dict_of(chunk, "timings") or timings  # llama.cpp's
    if not finish and (heard or number != 1 or not speech.begun):
        raise Broken("the answer ended in the middle")
    details = dict_of(usage, "prompt_tokens_details")  # vLLM and mlx_lm.server too
    reply = speech.reply(
        tokens_in=count_of(usage, "prompt_tokens"),
        tokens_out=count_of(usage, "completion_tokens"),
        finish="refusal" if refuses else finish,
        tokens_cached=_cached(details, timings),
    )
    return calls.into(request, reply)


def _cached(details: dict[str, Any], timings: dict[str, Any]) -> int | None:
    """Tokens that the server had read before; None where it does not say."""
    if "cached_tokens" in details:
        return count_of(details, "cached_tokens")
    return count_of(timings, "cache_n") if "cache_n" in timings else None


def refusal(refused: HostRefused) -> RunnerError:
    """The error that a status other than 200 stands for."""
    status, text = refused.status, refused.text
    if status == 404:
        return ModelMissing(f"it does not have the model ({text})")
    if status in {400, 413, 422}:
        return _error(text, status)
    return wire.refusal(refused)


def _error(text: str, status: int) -> RunnerError:
    """The error that a server's words stand for."""
    if status == 413 or _TOO_LONG.search(text):
        return PromptTooLong(
            "the prompt is longer than it reads", wire.number(_SENT, text), wire.number(_LIMIT, text)
        )
    if _NO_MODEL.search(text):
        return ModelMissing(f"it does not have the model ({text})")
    if NONE.search(text):
        return Unsupported("its model has no tools")
    return Broken(f"it answered with an error: {text}")


_WINDOWS = (
    "max_model_len",  # vLLM
    "loaded_context_length",  # LM Studio
    "context_window",  # Groq
    "context_length",  # xAI, OpenRouter
    "max_context_length",
    "n_ctx",  # llama.cpp, in `meta`
    "n_ctx_train",
)


def _window(item: object) -> int:
    """A model's window in tokens; 0 where it is not said."""
    told = {**dict_of(item, "meta"), **(item if isinstance(item, dict) else {})}
    return next(filter(None, (count_of(told, name) for name in _WINDOWS)), 0)
