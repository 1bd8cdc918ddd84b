"""Anthropic's API on loopback. https://docs.claude.com/en/docs/build-with-claude/streaming"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Send

from tests.fakes.models import FakeOllama, Stage, valid

OVERLOADED = 529


@dataclass
class FakeAnthropic(FakeOllama):
    """The provider. `refuses`: parameters that are answered with a 400; `page`: how many models a page
    has."""

    chat_path: ClassVar[str] = "/v1/messages"
    refuses: set[str] = field(default_factory=set)
    key: str = "sk-ant-right"
    page: int = 20

    def routes(self) -> list[Route]:
        return [Route("/v1/models", self._listed)]

    def stage(self, request: dict[str, Any], send: Send) -> Stage:
        return AnthropicStage(self, request, send)

    def complaint(self, headers: Mapping[str, str]) -> str:
        """What the provider says to a request with such headers."""
        if headers.get("x-api-key") != self.key:
            return "invalid x-api-key"
        return "" if "anthropic-version" in headers else "anthropic-version: header is required"

    async def _listed(self, request: Request) -> Response:
        names = list(self.models)
        after = request.query_params.get("after_id")
        start = names.index(after) + 1 if after else 0
        page = names[start : start + self.page]
        data = [
            {"type": "model", "id": name, "max_input_tokens": self.models[name].context_length}
            for name in page
        ]
        more = start + self.page < len(names)
        told = {"data": data, "has_more": more, "first_id": page[0], "last_id": page[-1]}
        answer = self._plain(request, {}, told)
        complaint = self.complaint(request.headers)
        return JSONResponse(error(complaint), 401) if complaint else answer

    async def play(self, stage: Stage) -> None:
        request = stage.request
        if complaint := self.complaint(self.requests[-1].headers):
            return await stage.refuse(401, complaint)
        for name in sorted(self.refuses & set(request)):
            return await stage.refuse(400, f"`{name}` is not supported for this model.")
        model = self.models.get(request["model"])
        if model is None:
            return await stage.refuse(404, f"model: {request['model']}")
        chars = len(request["system"]) + sum(len(message["content"]) for message in request["messages"])
        chars += sum(len(json.dumps(one)) for one in request.get("tools", ()) if one["name"] != "answer")
        stage.tokens_in = round(chars / model.chars_per_token)
        if stage.tokens_in > model.context_length:
            said = f"prompt is too long: {stage.tokens_in} tokens > {model.context_length} maximum"
            return await stage.refuse(400, said)
        schema = answer_schema(request)
        answer = self.answer(request) if self.answer else valid(schema or {})
        return await (answer(stage) if callable(answer) else stage.say(answer))


def error(message: str, kind: str = "invalid_request_error") -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}


def answer_schema(request: Mapping[str, Any]) -> dict[str, Any] | None:
    """Of the tool that the answer is."""
    told = [each["input_schema"] for each in request.get("tools", ()) if each["name"] == "answer"]
    return told[0] if told else None


class AnthropicStage(Stage):
    """One message under way."""

    begun = False

    @property
    def by_tool(self) -> bool:
        """Whether the answer is what a tool is given: one that may say words instead says words."""
        choice = self.request.get("tool_choice", {}).get("type")
        return answer_schema(self.request) is not None and choice != "auto"

    async def start(self, status: int = 200, **headers: str) -> None:
        kind = "text/event-stream; charset=utf-8" if status == 200 else "application/json"
        await super().start(status, **{"content_type": kind, **headers})

    async def line(self, **fields: Any) -> None:
        await self.raw(f"event: {fields['type']}\ndata: {json.dumps(fields)}\n\n".encode())

    async def begin(self) -> None:
        """What comes before the first piece."""
        if self.begun:
            return
        self.begun = True
        usage = {"input_tokens": self.tokens_in, "cache_read_input_tokens": 0, "output_tokens": 1}
        await self.line(type="message_start", message={"id": "msg_1", "role": "assistant", "usage": usage})
        tool = {"type": "tool_use", "id": "toolu_1", "name": "answer", "input": {}}
        block = tool if self.by_tool else {"type": "text", "text": ""}
        await self.line(type="content_block_start", index=0, content_block=block)
        await self.line(type="ping")

    async def token(self, text: str, **fields: Any) -> None:
        await self.pause()
        await self.begin()
        tool = {"type": "input_json_delta", "partial_json": text}
        delta = tool if self.by_tool else {"type": "text_delta", "text": text}
        await self.line(type="content_block_delta", index=0, delta=delta)

    async def fail(self, error: str) -> None:
        await self.line(type="error", error={"type": "api_error", "message": error})

    async def refuse(self, status: int, message: str) -> None:
        await self.start(status)
        await self.raw(json.dumps(error(message)).encode())
        await self.end()

    async def say(self, answer: str | Mapping[str, Any], thinking: str = "") -> None:
        text = answer if isinstance(answer, str) else json.dumps(answer)
        pieces = [text[at : at + 4] for at in range(0, len(text), 4)]
        most = self.request["max_tokens"]
        await self.begin()
        for piece in [thinking[at : at + 4] for at in range(0, len(thinking), 4)]:
            delta = {"type": "thinking_delta", "thinking": piece}
            await self.line(type="content_block_delta", index=0, delta=delta)
        for piece in pieces[:most]:
            await self.token(piece)
        await self.line(type="content_block_stop", index=0)
        stop = "max_tokens" if len(pieces) > most else "tool_use" if self.by_tool else "end_turn"
        await self.finish(stop, min(len(pieces), most))

    async def calls(self, *calls: tuple[str, Any]) -> None:
        """Words first, then each call as a block of its own, its input in pieces."""
        self.begun = True
        usage = {"input_tokens": self.tokens_in, "output_tokens": 1}
        await self.line(type="message_start", message={"id": "msg_1", "role": "assistant", "usage": usage})
        await self.line(type="content_block_start", index=0, content_block={"type": "text", "text": ""})
        said = {"type": "text_delta", "text": "Let me look."}
        await self.line(type="content_block_delta", index=0, delta=said)
        await self.line(type="content_block_stop", index=0)
        for index, (name, arguments) in enumerate(calls, 1):
            text = arguments if isinstance(arguments, str) else json.dumps(arguments)
            block = {"type": "tool_use", "id": f"toolu_{index}", "name": name, "input": {}}
            await self.line(type="content_block_start", index=index, content_block=block)
            for at in range(0, len(text), 4):
                piece = {"type": "input_json_delta", "partial_json": text[at : at + 4]}
                await self.line(type="content_block_delta", index=index, delta=piece)
            await self.line(type="content_block_stop", index=index)
        await self.finish("tool_use", len(calls))

    async def finish(self, stop: str, tokens_out: int) -> None:
        used = {"output_tokens": tokens_out}
        await self.line(type="message_delta", delta={"stop_reason": stop, "stop_sequence": None}, usage=used)
        await self.line(type="message_stop")
        await self.end()
