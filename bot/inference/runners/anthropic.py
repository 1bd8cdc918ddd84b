"""Anthropic's API: the answer is the input of a tool that the model must call. https://docs.claude.com/en/api/messages"""

import json
import re
from base64 import b64encode
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

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
from bot.inference.runners.tools import ANSWER, NONE, ToolCallCollector, tools_of
from bot.inference.runners.wire import HostRefused

URL = "https://api.anthropic.com"
VERSION = "2023-06-01"
UNKNOWN_CONTEXT = 200_000
"""Tokens: the least of the models on offer. https://docs.claude.com/en/docs/about-claude/models/overview"""
_MOST_PAGES = 10
_FEATURES = {"temperature": r"temperature", SCHEMA: r"tool_choice|tools\b|input_schema"}
_TOO_LONG = re.compile(r"prompt is too long|context (?:limit|window)|exceeds? the maximum", re.I)
_SENT = (r"too long: (\d+)", r"(\d+) tokens >")
_LIMIT = (r"> (\d+)", r"limit: .*> (\d+)")


def headers(key: str) -> dict[str, str]:
    return {"x-api-key": key}


class AnthropicRunner:
    """The provider, or a server that speaks as it does. Idle deadlines as with the other kinds."""

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
        self._http = wire.client(host, (host.url or URL).removesuffix("/v1"), headers, max_bytes)
        self._http.headers["anthropic-version"] = VERSION
        self._quirks = ServerQuirks(_FEATURES, lambda refused: isinstance(refusal(refused), Broken))

    async def models(self) -> tuple[HostModel, ...]:
        """`/v1/models`, all pages, and a nameless one where there is no such route; `HostDown`. https://docs.claude.com/en/api/models-list"""
        found: list[HostModel] = []
        query = {"limit": "1000"}
        for _ in range(_MOST_PAGES):
            if (page := await self._page(query)) is None:
                return (HostModel("", UNKNOWN_CONTEXT),)
            found += [
                HostModel(name, count_of(item, "max_input_tokens") or UNKNOWN_CONTEXT)
                for item in page["data"]
                if (name := text_of(item, "id"))
            ]
            if page.get("has_more") is not True or not (last := text_of(page, "last_id")):
                break
            query["after_id"] = last
        return tuple(found)

    async def chat(self, request: ChatRequest, heard: Heard | None = None) -> Reply:
        """`/v1/messages`, streamed; `RunnerError`."""

        async def once(without: frozenset[str], told: bool) -> Reply:
            body = _body(request, without, told)
            idle = self.host.patience(request.model.name, self._idle)
            async with streaming(self._http, "/v1/messages", body, idle, heard) as said:
                return await _listen(*said, request)

        try:
            return await self._quirks.ask(request.model.name, request.schema, once)
        except HostRefused as refused:
            if request.tools and NONE.search(refused.text):
                raise Unsupported("its model has no tools") from None
            raise refusal(refused) from None

    async def embed(self, model: str, texts: Sequence[str]) -> list[list[float]]:
        """https://docs.claude.com/en/docs/build-with-claude/embeddings"""
        raise Unsupported("Anthropic has no embeddings")

    async def loaded(self) -> tuple[str, ...]:
        """A provider's models are always there."""
        return ()

    async def aclose(self) -> None:
        await self._http.aclose()

    async def _page(self, query: dict[str, str]) -> dict[str, Any] | None:
        """None: there is no such route."""
        try:
            page = await wire.ask(self._http, f"/v1/models?{urlencode(query)}")
        except HostRefused as refused:
            if refused.status in wire.NO_ROUTE:
                return None
            raise wire.down(refused) from None
        if not isinstance(page.get("data"), list):
            raise HostDown("it does not answer as Anthropic does")
        return page


def _body(request: ChatRequest, without: frozenset[str], told: bool) -> dict[str, Any]:
    """The request; `told`: with the schema in the prompt too."""
    body: dict[str, Any] = {
        "model": request.model.name,
        "system": request.system,
        "messages": _turns(request),
        "max_tokens": request.max_tokens,
        "stream": True,
    }
    if "temperature" not in without:
        body["temperature"] = request.temperature
    if told and request.schema:
        body["system"] = in_prompt(request.system, request.schema, request.tools)
    if request.tools:
        # A model that thinks refuses to be held to a tool: then it may choose.
        held = request.schema and SCHEMA not in without
        body["tools"] = [
            {"name": each.name, "description": each.description, "input_schema": each.parameters}
            for each in tools_of(request)
        ]
        body["tool_choice"] = {"type": "any" if held else "auto"}
    elif SCHEMA not in without and request.schema:
        body["tools"] = [{"name": ANSWER, "description": "Gives the answer.", "input_schema": request.schema}]
        body["tool_choice"] = {"type": "tool", "name": ANSWER, "disable_parallel_tool_use": True}
    return body


def _turns(request: ChatRequest) -> list[dict[str, Any]]:
    """https://docs.claude.com/en/docs/build-with-claude/vision"""
    *before, last = chat_turns(request)
    if not request.images:
        return [*before, last]
    sources = (
        {"type": "base64", "media_type": one.media, "data": b64encode(one.data).decode()}
        for one in request.images
    )
    shown = [{"type": "image", "source": source} for source in sources]
    return [*before, {**last, "content": [*shown, {"type": "text", "text": request.user}]}]


async def _listen(response: Response, speech: Speech, request: ChatRequest) -> Reply:
    """The whole answer. https://docs.claude.com/en/docs/build-with-claude/streaming"""
    tokens_in = tokens_out = cached = 0
    stop = ""
    calls = ToolCallCollector()
    async for event in objects(response, "Anthropic's"):
        if error := error_in(event):
            raise Broken(f"it answered with an error: {error}"[:500])
        match text_of(event, "type"):
            case "message_start":
                usage = dict_of(dict_of(event, "message"), "usage")
                tokens_in, cached = _read(usage), count_of(usage, "cache_read_input_tokens")
            case "content_block_start" if request.tools:
                block = dict_of(event, "content_block")
                if text_of(block, "type") == "tool_use":
                    speech.waiter.token()
                    calls.piece(_index(event), text_of(block, "name"), None)
            case "content_block_delta":
                delta = dict_of(event, "delta")
                if request.tools and "partial_json" in delta:
                    speech.waiter.token()
                    calls.piece(_index(event), "", delta["partial_json"])
                else:
                    speech.says(text_of(delta, "partial_json", "text"), text_of(delta, "thinking"))
            case "message_delta":
                stop = text_of(dict_of(event, "delta"), "stop_reason") or stop
                tokens_out = count_of(dict_of(event, "usage"), "output_tokens") or tokens_out
            case "message":  # not streamed
                _say(event.get("content"), speech, calls if request.tools else None)
                stop, usage = text_of(event, "stop_reason"), dict_of(event, "usage")
                tokens_in, tokens_out = _read(usage), count_of(usage, "output_tokens")
                cached = count_of(usage, "cache_read_input_tokens")
                break
            case "message_stop":
                break
    else:
        raise Broken("the answer ended in the middle")
    reply = speech.reply(tokens_in=tokens_in, tokens_out=tokens_out, finish=stop, tokens_cached=cached)
    return calls.into(request, reply) if request.tools else reply


def _index(event: dict[str, Any]) -> int:
    """Of the block that an event is about."""
    index = event.get("index")
    return index if isinstance(index, int) else 0


def _say(content: object, speech: Speech, calls: ToolCallCollector | None) -> None:
    """The blocks of a whole message: what tools are given, or else its text."""
    blocks = [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []
    used = [block for block in blocks if isinstance(block.get("input"), dict)]
    text, thought = said_in(content)
    if calls:
        for block in used:
            calls.whole(text_of(block, "name"), block["input"])
        speech.says(text, thought)
    else:
        speech.says("".join(json.dumps(block["input"]) for block in used) or text, thought)


def _read(usage: dict[str, Any]) -> int:
    """Tokens read, from a cache or not."""
    names = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    return sum(count_of(usage, name) for name in names)


def refusal(refused: HostRefused) -> RunnerError:
    """The error that a status other than 200 stands for. https://docs.claude.com/en/api/errors"""
    status, text = refused.status, refused.text
    if status == 404:
        return ModelMissing(f"it does not have the model ({text})")
    if status == 413 or (status == 400 and _TOO_LONG.search(text)):
        sent, limit = wire.number(_SENT, text), wire.number(_LIMIT, text)
        return PromptTooLong("the prompt is longer than it reads", sent, limit)
    return wire.refusal(refused)
