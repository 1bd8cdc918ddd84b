"""An OpenAI-compatible server on loopback that says what a test wants and misbehaves as real ones do.
https://platform.openai.com/docs/api-reference/chat/streaming"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Send

from tests.fakes.models import FakeOllama, Stage, asked_for, valid, vector


@dataclass
class FakeOpenAI(FakeOllama):
    """The server. `refuses`: parameters that are answered with a 400, as strict servers do; `key`: without it
    in the request the answer is 401; `window`: the field that tells how much a model reads."""

    chat_path: ClassVar[str] = "/v1/chat/completions"
    refuses: set[str] = field(default_factory=set)
    key: str = ""
    window: str = "max_model_len"
    counts: bool = True
    usage: dict[str, Any] = field(default_factory=dict)
    """More that it says it used."""
    timings: dict[str, Any] = field(default_factory=dict)
    """As llama.cpp tells them."""

    def routes(self) -> list[Route]:
        return [
            Route("/v1/models", self._listed),
            Route("/v1/embeddings", self._embeddings, methods=["POST"]),
        ]

    def stage(self, request: dict[str, Any], send: Send) -> Stage:
        return OpenAIStage(self, request, send)

    def permits(self, headers: Mapping[str, str]) -> bool:
        return not self.key or headers.get("authorization") == f"Bearer {self.key}"

    async def _listed(self, request: Request) -> Response:
        listed = [
            {"id": name, "object": "model", "created": 1, "owned_by": "us", self.window: model.context_length}
            for name, model in self.models.items()
        ]
        return self._plain(request, {}, {"object": "list", "data": listed})

    async def _embeddings(self, request: Request) -> Response:
        body = json.loads(await request.body())
        if body["model"] not in self.models:
            error = {
                "error": {"message": f"The model `{body['model']}` does not exist", "type": "NotFoundError"}
            }
            return self._plain(request, body, error, 404)
        data = [
            {"object": "embedding", "index": index, "embedding": vector(text)}
            for index, text in enumerate(body["input"])
        ]
        return self._plain(request, body, {"object": "list", "data": data[::-1], "model": body["model"]})

    def _plain(self, request: Request, body: Any, told: Any, status: int = 200) -> Response:
        answer = super()._plain(request, body, told, status)
        if self.permits(request.headers):
            return answer
        return JSONResponse({"error": {"message": "Incorrect API key provided: sk-***"}}, 401)

    async def play(self, stage: Stage) -> None:
        request = stage.request
        if not self.permits(self.requests[-1].headers):
            return await stage.refuse(401, "Incorrect API key provided: sk-***")
        for name in sorted(self.refuses & set(request)):
            hint = "Use 'max_completion_tokens' instead." if name == "max_tokens" else ""
            return await stage.refuse(400, f"Unsupported parameter: '{name}' is not supported. {hint}")
        model = self.models.get(request["model"])
        if model is None:
            return await stage.refuse(404, f"The model `{request['model']}` does not exist.")
        chars = sum(len(message["content"]) for message in request["messages"])
        chars += len(json.dumps(request.get("tools", "")))
        stage.tokens_in = round(chars / model.chars_per_token)
        if stage.tokens_in > model.context_length:
            limit = f"This model's maximum context length is {model.context_length} tokens."
            return await stage.refuse(
                400, f"{limit} However, your messages resulted in {stage.tokens_in} tokens."
            )
        schema = request.get("response_format", {}).get("json_schema", {}).get("schema", {})
        schema = asked_for(request).get("format", schema)
        answer = self.answer(request) if self.answer else valid(schema)
        return await (answer(stage) if callable(answer) else stage.say(answer))


class OpenAIStage(Stage):
    """One chat under way."""

    host: FakeOpenAI

    async def start(self, status: int = 200, **headers: str) -> None:
        kind = "text/event-stream" if status == 200 else "application/json"
        await super().start(status, **{"content_type": kind, **headers})

    async def line(self, **fields: Any) -> None:
        await self.raw(b"data: " + json.dumps(fields).encode() + b"\n\n")

    async def chunk(self, delta: dict[str, Any], finish: str | None = None) -> None:
        await self.line(
            id="chatcmpl-1",
            object="chat.completion.chunk",
            created=1,
            model=self.request["model"],
            choices=[{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}],
        )

    async def token(self, text: str, **fields: Any) -> None:
        await self.pause()
        await self.chunk({"content": text, **fields})

    async def fail(self, error: str) -> None:
        await self.line(error={"message": error, "type": "server_error", "code": 500})

    async def refuse(self, status: int, error: str) -> None:
        await self.start(status)
        await self.raw(json.dumps({"error": {"message": error, "type": "invalid_request_error"}}).encode())
        await self.end()

    async def say(self, answer: str | Mapping[str, Any], thinking: str = "") -> None:
        text = answer if isinstance(answer, str) else json.dumps(answer)
        pieces = [text[at : at + 4] for at in range(0, len(text), 4)]
        most = self.request.get("max_completion_tokens") or self.request.get("max_tokens") or len(pieces)
        await self.raw(b": keepalive\r\n\r\n")
        await self.chunk({"role": "assistant", "content": ""})
        for piece in [thinking[at : at + 4] for at in range(0, len(thinking), 4)]:
            await self.chunk({"reasoning_content": piece})
        for piece in pieces[:most]:
            await self.token(piece)
        await self.finish("length" if len(pieces) > most else "stop", min(len(pieces), most))

    async def calls(self, *calls: tuple[str, Any]) -> None:
        """Each call's name first, then its arguments in pieces; a text is sent as it is."""
        await self.chunk({"role": "assistant", "content": None})
        for index, (name, arguments) in enumerate(calls):
            text = arguments if isinstance(arguments, str) else json.dumps(arguments)
            function = {"name": name, "arguments": ""}
            begun = {"index": index, "id": f"call_{index}", "type": "function", "function": function}
            await self.chunk({"tool_calls": [begun]})
            for at in range(0, len(text), 4):
                piece = {"index": index, "function": {"arguments": text[at : at + 4]}}
                await self.chunk({"tool_calls": [piece]})
        await self.finish("tool_calls", len(calls))

    async def finish(self, reason: str, tokens_out: int) -> None:
        await self.chunk({}, reason)
        if self.host.counts and self.request.get("stream_options", {}).get("include_usage"):
            used = {"prompt_tokens": self.tokens_in, "completion_tokens": tokens_out, **self.host.usage}
            more = {"timings": self.host.timings} if self.host.timings else {}
            await self.line(id="chatcmpl-1", object="chat.completion.chunk", choices=[], usage=used, **more)
        await self.raw(b"data: [DONE]\n\n")
        await self.end()
